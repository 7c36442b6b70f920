# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's Organizations by fact number of aws-facts, section 7, seen from outside."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.lab.organization_trail import member_of, options, refusal, refused
from tests.lab_process import Lab

CLOUDTRAIL = "cloudtrail.amazonaws.com"
DENY_S3 = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Sid": "NoS3", "Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}
)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab("--accounts", "45") as lab:
        yield lab


@pytest.fixture
def client(lab: Lab) -> Any:
    return lab.client("organizations")


@pytest.fixture
def empty() -> Iterator[Lab]:
    with Lab("--scenario", "empty") as lab:
        yield lab


def pages(method: Callable[..., Any], key: str, **parameters: Any) -> list[list[Any]]:
    """The pages of a list, each as its items."""
    found: list[list[Any]] = []
    token: dict[str, str] = {}
    while True:
        answer = method(**parameters, **token)
        found.append(answer[key])
        if "NextToken" not in answer:
            return found
        token = {"NextToken": answer["NextToken"]}


def root_of(client: Any) -> str:
    return str(client.list_roots()["Roots"][0]["Id"])


# --- the endpoint -----------------------------------------------------------------------------------


def test_fact_1_7_one_endpoint_whatever_region_the_play_uses(lab: Lab) -> None:
    lab.clear_journal()
    lab.client("organizations", region="eu-west-1").describe_organization()
    assert [entry["region"] for entry in lab.journal(service="organizations")] == ["us-east-1"]


def test_fact_1_7_a_signature_for_another_region(lab: Lab) -> None:
    with options(lab, strict_global_endpoints=True):
        assert refusal(lab.client("organizations", region="eu-west-1").list_roots) == "InvalidSignatureException"
        assert not refusal(lab.client("organizations", region="us-east-1").list_roots)


# --- no organization, or half of one ----------------------------------------------------------------


def test_fact_1_1_no_organization_then_consolidated_billing_then_all_features(empty: Lab) -> None:
    client = empty.client("organizations")
    for method in (client.describe_organization, client.list_accounts, client.list_roots):
        assert refusal(method) == "AWSOrganizationsNotInUseException"
    assert client.create_organization(FeatureSet="CONSOLIDATED_BILLING")["Organization"]["FeatureSet"] == (
        "CONSOLIDATED_BILLING"
    )
    assert refusal(client.create_organization) == "AlreadyInOrganizationException"
    assert refusal(client.enable_aws_service_access, ServicePrincipal=CLOUDTRAIL) == "ConstraintViolationException"
    policy_type = {"RootId": root_of(client), "PolicyType": "SERVICE_CONTROL_POLICY"}
    assert refusal(client.enable_policy_type, **policy_type) == "PolicyTypeNotAvailableForOrganizationException"
    client.enable_all_features()
    assert refusal(client.enable_all_features) == "HandshakeConstraintViolationException"
    assert client.describe_organization()["Organization"]["FeatureSet"] == "ALL"
    client.enable_policy_type(**policy_type)
    client.delete_organization()
    assert refusal(client.list_roots) == "AWSOrganizationsNotInUseException"


# --- lists ------------------------------------------------------------------------------------------


def test_fact_7_1_pages_of_20(client: Any) -> None:
    found = pages(client.list_accounts, "Accounts")
    assert [len(page) for page in found] == [20, 20, 5]
    assert len({account["Id"] for page in found for account in page}) == 45


def test_fact_7_1_smaller_pages_on_demand(client: Any) -> None:
    assert [len(page) for page in pages(client.list_accounts, "Accounts", MaxResults=15)] == [15, 15, 15]


def test_fact_7_1_an_empty_page_with_a_token_is_legal(lab: Lab, client: Any) -> None:
    with options(lab, empty_pages=True):
        found = pages(client.list_accounts, "Accounts")
        assert [len(page) for page in found] == [0, 20, 0, 20, 0, 5]
        assert len([a for page in client.get_paginator("list_accounts").paginate() for a in page["Accounts"]]) == 45


def test_fact_7_1_a_token_of_nobodys(client: Any) -> None:
    assert refusal(client.list_accounts, NextToken="x") == "InvalidInputException"


READS: list[tuple[str, dict[str, Any]]] = [
    ("list_accounts", {}),
    ("list_roots", {}),
    ("list_aws_service_access_for_organization", {}),
    ("list_delegated_administrators", {}),
    ("list_policies", {"Filter": "SERVICE_CONTROL_POLICY"}),
    ("list_organizational_units_for_parent", {"ParentId": "ROOT"}),
    ("list_accounts_for_parent", {"ParentId": "ROOT"}),
    ("describe_account", {"AccountId": "MANAGEMENT"}),
    ("list_parents", {"ChildId": "MANAGEMENT"}),
    ("list_tags_for_resource", {"ResourceId": "MANAGEMENT"}),
]
WRITES: list[tuple[str, dict[str, Any]]] = [
    ("enable_aws_service_access", {"ServicePrincipal": CLOUDTRAIL}),
    ("disable_aws_service_access", {"ServicePrincipal": CLOUDTRAIL}),
    ("create_organizational_unit", {"ParentId": "ROOT", "Name": "Mine"}),
    ("tag_resource", {"ResourceId": "MANAGEMENT", "Tags": [{"Key": "a", "Value": "b"}]}),
]


def filled(lab: Lab, parameters: dict[str, Any]) -> dict[str, Any]:
    names = {"ROOT": root_of(lab.client("organizations")), "MANAGEMENT": lab.management}
    return {key: names.get(value, value) if isinstance(value, str) else value for key, value in parameters.items()}


@pytest.mark.parametrize(("operation", "parameters"), READS + WRITES, ids=lambda value: str(value)[:40])
def test_fact_7_1_members_are_denied(lab: Lab, operation: str, parameters: dict[str, Any]) -> None:
    member = lab.client("organizations", lab.log_archive)
    code, message = refused(getattr(member, operation), **filled(lab, parameters))
    assert (code, message) == ("AccessDeniedException", "You don't have permissions to access this resource.")


def test_fact_7_1_describe_organization_is_for_members_too(lab: Lab) -> None:
    described = lab.client("organizations", lab.log_archive).describe_organization()["Organization"]
    assert (described["Id"], described["MasterAccountId"]) == (lab.organization_id, lab.management)
    assert described["FeatureSet"] == "ALL"


@pytest.fixture
def administrator(lab: Lab, client: Any) -> Iterator[str]:
    """A member that is delegated administrator of CloudTrail for a while."""
    account = {"AccountId": lab.log_archive, "ServicePrincipal": CLOUDTRAIL}
    client.enable_aws_service_access(ServicePrincipal=CLOUDTRAIL)
    client.register_delegated_administrator(**account)
    yield lab.log_archive
    client.deregister_delegated_administrator(**account)
    client.disable_aws_service_access(ServicePrincipal=CLOUDTRAIL)


@pytest.mark.parametrize(("operation", "parameters"), READS, ids=lambda value: str(value)[:40])
def test_fact_7_1_delegated_administrators_may_read(
    lab: Lab, administrator: str, operation: str, parameters: dict[str, Any]
) -> None:
    assert not refusal(getattr(lab.client("organizations", administrator), operation), **filled(lab, parameters))


@pytest.mark.parametrize(("operation", "parameters"), WRITES, ids=lambda value: str(value)[:40])
def test_fact_7_1_delegated_administrators_may_not_write(
    lab: Lab, administrator: str, operation: str, parameters: dict[str, Any]
) -> None:
    member = lab.client("organizations", administrator)
    assert refusal(getattr(member, operation), **filled(lab, parameters)) == "AccessDeniedException"


# --- accounts ---------------------------------------------------------------------------------------


def test_fact_7_2_state_beside_status_until_status_retires(lab: Lab, client: Any) -> None:
    account = client.describe_account(AccountId=lab.log_archive)["Account"]
    assert (account["State"], account["Status"]) == ("ACTIVE", "ACTIVE")
    with options(lab, account_status_retired=True):
        account = client.describe_account(AccountId=lab.log_archive)["Account"]
        assert account["State"] == "ACTIVE"
        assert "Status" not in account


def test_fact_7_3_paths_carry_the_units(lab: Lab, client: Any) -> None:
    unit = client.list_parents(ChildId=lab.log_archive)["Parents"][0]["Id"]
    path = f"{lab.organization_id}/{root_of(client)}/{unit}/{lab.log_archive}/"
    assert client.describe_account(AccountId=lab.log_archive)["Account"]["Paths"] == [path]
    with options(lab, account_paths=False):
        assert "Paths" not in client.describe_account(AccountId=lab.log_archive)["Account"]


def test_fact_7_3_walking_the_units_finds_every_account(client: Any) -> None:
    found, open_parents = set(), [root_of(client)]
    while open_parents:
        parent = open_parents.pop()
        found |= {a["Id"] for page in pages(client.list_accounts_for_parent, "Accounts", ParentId=parent) for a in page}
        units = pages(client.list_organizational_units_for_parent, "OrganizationalUnits", ParentId=parent)
        open_parents += [unit["Id"] for page in units for unit in page]
    assert found == {a["Id"] for page in pages(client.list_accounts, "Accounts") for a in page}


def test_an_account_is_created_moved_closed_and_removed(lab: Lab, client: Any) -> None:
    status = client.create_account(AccountName="New", Email="new@example.com")["CreateAccountStatus"]
    assert status["State"] == "IN_PROGRESS"
    status = client.describe_create_account_status(CreateAccountRequestId=status["Id"])["CreateAccountStatus"]
    assert status["State"] == "SUCCEEDED"
    account, root = status["AccountId"], root_of(client)
    assert lab.client("sts", account).get_caller_identity()["Account"] == account
    assert refusal(client.create_account, AccountName="Twin", Email="new@example.com") == "ConstraintViolationException"

    unit = client.create_organizational_unit(ParentId=root, Name="Home")["OrganizationalUnit"]["Id"]
    move = {"AccountId": account, "SourceParentId": root, "DestinationParentId": unit}
    client.move_account(**move)
    assert refusal(client.move_account, **move) == "SourceParentNotFoundException"
    assert refusal(client.move_account, **{**move, "SourceParentId": unit}) == "DuplicateAccountException"
    nowhere = {**move, "SourceParentId": unit, "DestinationParentId": "ou-none-00000000"}
    assert refusal(client.move_account, **nowhere) == "DestinationParentNotFoundException"
    assert client.list_children(ParentId=unit, ChildType="ACCOUNT")["Children"] == [{"Id": account, "Type": "ACCOUNT"}]
    assert (
        refusal(client.delete_organizational_unit, OrganizationalUnitId=unit) == "OrganizationalUnitNotEmptyException"
    )

    client.close_account(AccountId=account)
    assert refusal(client.close_account, AccountId=account) == "AccountAlreadyClosedException"
    assert client.describe_account(AccountId=account)["Account"]["State"] == "PENDING_CLOSURE"
    client.remove_account_from_organization(AccountId=account)
    assert refusal(client.describe_account, AccountId=account) == "AccountNotFoundException"
    client.delete_organizational_unit(OrganizationalUnitId=unit)
    made = client.list_create_account_status(States=["SUCCEEDED"])["CreateAccountStatuses"]
    assert status in made


def test_management_stays(lab: Lab, client: Any) -> None:
    assert refusal(client.leave_organization) == "MasterCannotLeaveOrganizationException"
    assert refusal(client.close_account, AccountId=lab.management) == "ConstraintViolationException"
    assert refusal(client.delete_organization) == "OrganizationNotEmptyException"


# --- trusted access and delegated administrators ----------------------------------------------------


def enabled(client: Any) -> list[str]:
    found = client.list_aws_service_access_for_organization()["EnabledServicePrincipals"]
    return [one["ServicePrincipal"] for one in found]


def test_fact_7_4_enabling_again_changes_nothing(client: Any) -> None:
    assert enabled(client) == []
    client.enable_aws_service_access(ServicePrincipal=CLOUDTRAIL)
    first = client.list_aws_service_access_for_organization()["EnabledServicePrincipals"]
    client.enable_aws_service_access(ServicePrincipal=CLOUDTRAIL)
    assert client.list_aws_service_access_for_organization()["EnabledServicePrincipals"] == first
    for _ in range(2):
        client.disable_aws_service_access(ServicePrincipal=CLOUDTRAIL)
        assert enabled(client) == []


def test_a_service_that_nobody_knows(client: Any) -> None:
    for method in (client.enable_aws_service_access, client.disable_aws_service_access):
        assert refusal(method, ServicePrincipal="nobody.amazonaws.com") == "InvalidInputException"


def test_delegated_administrators_come_and_go(lab: Lab, client: Any) -> None:
    account = {"AccountId": lab.log_archive, "ServicePrincipal": CLOUDTRAIL}
    assert refusal(client.register_delegated_administrator, **account) == "ConstraintViolationException"
    client.enable_aws_service_access(ServicePrincipal=CLOUDTRAIL)
    assert refusal(client.deregister_delegated_administrator, **account) == "AccountNotRegisteredException"
    client.register_delegated_administrator(**account)
    assert refusal(client.register_delegated_administrator, **account) == "AccountAlreadyRegisteredException"
    management = {**account, "AccountId": lab.management}
    assert refusal(client.register_delegated_administrator, **management) == "ConstraintViolationException"
    found = client.list_delegated_administrators(ServicePrincipal=CLOUDTRAIL)["DelegatedAdministrators"]
    assert [one["Id"] for one in found] == [lab.log_archive]
    assert (
        client.list_delegated_administrators(ServicePrincipal="config.amazonaws.com")["DelegatedAdministrators"] == []
    )
    services = client.list_delegated_services_for_account(AccountId=lab.log_archive)["DelegatedServices"]
    assert [one["ServicePrincipal"] for one in services] == [CLOUDTRAIL]
    removal = {"AccountId": lab.log_archive}
    assert refusal(client.remove_account_from_organization, **removal) == "ConstraintViolationException"
    client.deregister_delegated_administrator(**account)
    assert client.list_delegated_administrators()["DelegatedAdministrators"] == []
    assert refusal(client.list_delegated_services_for_account, **removal) == "AccountNotRegisteredException"
    client.disable_aws_service_access(ServicePrincipal=CLOUDTRAIL)


def test_fact_1_5_enabling_makes_the_service_linked_role_if_the_option_says_so(lab: Lab, client: Any) -> None:
    iam = lab.client("iam")
    refusal(iam.delete_service_linked_role, RoleName="AWSServiceRoleForCloudTrail")  # if another test has made it
    for service_linked_role in (False, True):
        with options(lab, service_linked_role=service_linked_role):
            client.enable_aws_service_access(ServicePrincipal=CLOUDTRAIL)
        missing = refusal(iam.get_role, RoleName="AWSServiceRoleForCloudTrail")
        assert missing == ("" if service_linked_role else "NoSuchEntity")
        client.disable_aws_service_access(ServicePrincipal=CLOUDTRAIL)
    role = iam.get_role(RoleName="AWSServiceRoleForCloudTrail")["Role"]
    assert role["Path"] == f"/aws-service-role/{CLOUDTRAIL}/"
    iam.delete_service_linked_role(RoleName="AWSServiceRoleForCloudTrail")


# --- units, policies, tags --------------------------------------------------------------------------


def test_units_are_made_renamed_described_and_deleted(client: Any) -> None:
    root = root_of(client)
    unit = client.create_organizational_unit(ParentId=root, Name="One")["OrganizationalUnit"]
    twin = {"ParentId": root, "Name": "One"}
    assert refusal(client.create_organizational_unit, **twin) == "DuplicateOrganizationalUnitException"
    nowhere = {"ParentId": "ou-none-00000000", "Name": "One"}
    assert refusal(client.create_organizational_unit, **nowhere) == "ParentNotFoundException"
    client.update_organizational_unit(OrganizationalUnitId=unit["Id"], Name="Two")
    described = client.describe_organizational_unit(OrganizationalUnitId=unit["Id"])["OrganizationalUnit"]
    assert described == {**unit, "Name": "Two"}
    assert client.list_parents(ChildId=unit["Id"])["Parents"] == [{"Id": root, "Type": "ROOT"}]
    assert {"Id": unit["Id"], "Type": "ORGANIZATIONAL_UNIT"} in client.list_children(
        ParentId=root, ChildType="ORGANIZATIONAL_UNIT"
    )["Children"]
    client.delete_organizational_unit(OrganizationalUnitId=unit["Id"])
    gone = {"OrganizationalUnitId": unit["Id"]}
    assert refusal(client.describe_organizational_unit, **gone) == "OrganizationalUnitNotFoundException"
    assert refusal(client.list_parents, ChildId=unit["Id"]) == "ChildNotFoundException"


@pytest.fixture
def policy(client: Any) -> Iterator[str]:
    made = client.create_policy(Name="NoS3", Description="", Content=DENY_S3, Type="SERVICE_CONTROL_POLICY")
    yield made["Policy"]["PolicySummary"]["Id"]
    client.delete_policy(PolicyId=made["Policy"]["PolicySummary"]["Id"])


def test_fact_7_6_scps_bind_members_and_never_management(lab: Lab, client: Any, policy: str) -> None:
    root, member = root_of(client), lab.client("s3", member_of(lab))
    client.attach_policy(PolicyId=policy, TargetId=root)
    code, message = refused(member.list_buckets)
    assert code == "AccessDenied"
    assert message.endswith("with an explicit deny in a service control policy")
    assert "is not authorized to perform: s3:ListAllMyBuckets on resource:" in message
    assert not refusal(lab.client("s3").list_buckets)
    client.detach_policy(PolicyId=policy, TargetId=root)
    assert not refusal(member.list_buckets)


CONTROL = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "*"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"Effect": "Allow"},
        {"Principal": {"AWS": "111122223333"}},
        {"Principal": None, "NotPrincipal": "*"},
        {"Action": "*"},
        {"Action": None, "NotAction": "s3:GetObject"},
    ],
    ids=lambda wrong: "-".join(wrong),
)
def test_fact_10_4_what_a_resource_control_policy_may_say(client: Any, wrong: dict[str, Any]) -> None:
    def create(name: str, **statement: Any) -> None:
        content = {"Version": "2012-10-17", "Statement": [{key: one for key, one in statement.items() if one}]}
        kind = {"Description": "", "Type": "RESOURCE_CONTROL_POLICY"}
        client.create_policy(Name=name, Content=json.dumps(content), **kind)

    create(f"right beside {wrong}", **CONTROL)
    code, _message = refused(create, name=f"wrong by {wrong}", **{**CONTROL, **wrong})
    assert code == "MalformedPolicyDocumentException"


def violated(method: Callable[..., Any], **parameters: Any) -> str:
    """The Reason of the ConstraintViolationException that a call is answered with."""
    with pytest.raises(ClientError) as caught:
        method(**parameters)
    assert caught.value.response["Error"]["Code"] == "ConstraintViolationException"
    return str(caught.value.response["Reason"])


@pytest.mark.parametrize(("kind", "most"), [("SERVICE_CONTROL_POLICY", 10_240), ("RESOURCE_CONTROL_POLICY", 5_120)])
def test_fact_10_1_white_space_counts(client: Any, kind: str, most: int) -> None:
    statement = {**CONTROL} if kind == "RESOURCE_CONTROL_POLICY" else {**CONTROL, "Principal": None}
    content = json.dumps({"Version": "2012-10-17", "Statement": [{k: one for k, one in statement.items() if one}]})
    policy = {"Description": "", "Type": kind}
    made = client.create_policy(Name=f"full {kind}", Content=content.ljust(most), **policy)["Policy"]["PolicySummary"]
    too_long = {"PolicyId": made["Id"], "Content": content.ljust(most + 1)}
    assert violated(client.update_policy, **too_long) == "POLICY_CONTENT_LIMIT_EXCEEDED"
    new = {"Name": "longer", "Content": content.ljust(most + 1)}
    assert violated(client.create_policy, **new, **policy) == "POLICY_CONTENT_LIMIT_EXCEEDED"
    client.delete_policy(PolicyId=made["Id"])


@pytest.mark.parametrize(("kind", "most"), [("SERVICE_CONTROL_POLICY", 10), ("RESOURCE_CONTROL_POLICY", 5)])
def test_fact_10_2_so_many_policies_stand_on_one_target(lab: Lab, client: Any, kind: str, most: int) -> None:
    root, account = root_of(client), member_of(lab)
    if kind == "RESOURCE_CONTROL_POLICY":
        client.enable_policy_type(RootId=root, PolicyType=kind)
    statement = {key: one for key, one in CONTROL.items() if key != "Principal" or kind.startswith("R")}
    content = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    made = [
        client.create_policy(Name=f"{kind} {n}", Description="", Type=kind, Content=content)["Policy"]["PolicySummary"]
        for n in range(most)
    ]
    [full] = client.list_policies_for_target(TargetId=account, Filter=kind)["Policies"]
    for policy in made[1:]:
        client.attach_policy(PolicyId=policy["Id"], TargetId=account)
    one_more = {"PolicyId": made[0]["Id"], "TargetId": account}
    assert violated(client.attach_policy, **one_more) == "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED"
    for policy in made[1:]:
        client.detach_policy(PolicyId=policy["Id"], TargetId=account)
    last = {"PolicyId": full["Id"], "TargetId": account}
    if kind == "SERVICE_CONTROL_POLICY":
        assert violated(client.detach_policy, **last) == "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED"
    else:
        assert refusal(client.detach_policy, **last) == "InvalidInputException"
        client.disable_policy_type(RootId=root, PolicyType=kind)
    for policy in made:
        client.delete_policy(PolicyId=policy["Id"])


def test_fact_10_3_root_users_of_members_are_bound_and_managements_is_not(lab: Lab, client: Any) -> None:
    account, root = member_of(lab), root_of(client)
    s3 = lab.client_with(lab.control("POST", "root", {"account": account}), "s3")
    _code, message = refused(s3.list_buckets)
    assert f"arn:aws:iam::{account}:root is not authorized" in message  # by the lesson's own SCP
    policies = client.list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"]
    deny = {"PolicyId": next(one["Id"] for one in policies if one["Name"] == "DenyMemberRoot"), "TargetId": root}
    client.detach_policy(**deny)
    assert not refusal(s3.list_buckets)
    client.attach_policy(**deny)
    management = lab.client_with(lab.control("POST", "root", {"account": lab.management}), "s3")
    assert not refusal(management.list_buckets)
    sts = lab.client_with(lab.control("POST", "root", {"account": lab.management}), "sts")
    role = {"RoleArn": f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole", "RoleSessionName": "root"}
    assert refused(sts.assume_role, **role)[1] == "Roles may not be assumed by root accounts."


def test_fact_10_3_policies_do_not_bind_service_linked_roles(lab: Lab, client: Any) -> None:
    account = member_of(lab)
    ordinary = lab.client("s3", account)
    linked = lab.client_with(lab.control("POST", "linked", {"account": account}), "s3")
    bucket = {"Bucket": "of-a-member"}
    ordinary.create_bucket(**bucket)
    client.enable_policy_type(RootId=root_of(client), PolicyType="RESOURCE_CONTROL_POLICY")
    for kind, everybody in (("SERVICE_CONTROL_POLICY", {}), ("RESOURCE_CONTROL_POLICY", {"Principal": "*"})):
        deny = {"Effect": "Deny", **everybody, "Action": "s3:GetBucketLocation", "Resource": "*"}
        content = json.dumps({"Version": "2012-10-17", "Statement": deny})
        made = client.create_policy(Name=f"no {kind}", Description="", Type=kind, Content=content)
        policy = {"PolicyId": made["Policy"]["PolicySummary"]["Id"]}
        client.attach_policy(**policy, TargetId=account)
        assert kind.lower().replace("_", " ") in refused(ordinary.get_bucket_location, **bucket)[1]
        assert not refusal(linked.get_bucket_location, **bucket)
        client.detach_policy(**policy, TargetId=account)
        client.delete_policy(**policy)
    client.disable_policy_type(RootId=root_of(client), PolicyType="RESOURCE_CONTROL_POLICY")
    ordinary.delete_bucket(**bucket)


def test_a_stack_sets_role_is_in_every_member_and_in_each_that_comes_later(lab: Lab, client: Any) -> None:
    trust = {"Effect": "Allow", "Principal": {"AWS": lab.log_archive}, "Action": "sts:AssumeRole"}
    look = {"Effect": "Allow", "Action": "cloudtrail:GetTrailStatus", "Resource": "*"}
    documents = {"trust": {"Statement": [trust]}, "policy": {"Statement": [look]}}
    made = lab.control("POST", "roles", {"name": "Looks", **documents})
    pages = client.get_paginator("list_accounts").paginate()
    assert set(made) == {one["Id"] for page in pages for one in page["Accounts"]} - {lab.management}
    request = client.create_account(AccountName="late", Email="late@example.com")["CreateAccountStatus"]["Id"]
    late = client.describe_create_account_status(CreateAccountRequestId=request)["CreateAccountStatus"]["AccountId"]
    sts = lab.client("sts", lab.log_archive)
    for account in (made[-1], late):
        sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/Looks", RoleSessionName="looks")
        assert lab.client("iam", account).list_role_policies(RoleName="Looks")["PolicyNames"] == ["Looks"]


def test_fact_10_5_a_policy_type_is_enabled_some_time_later(lab: Lab, client: Any) -> None:
    kind = {"RootId": root_of(client), "PolicyType": "RESOURCE_CONTROL_POLICY"}

    def status() -> str:
        [root] = client.list_roots()["Roots"]
        return next((one["Status"] for one in root["PolicyTypes"] if one["Type"] == kind["PolicyType"]), "")

    with options(lab, policy_type_propagation_calls=2):
        client.enable_policy_type(**kind)
        attachment = {"PolicyId": "p-RCPFullAWSAccess", "TargetId": kind["RootId"]}
        assert refusal(client.attach_policy, **attachment) == "PolicyTypeNotEnabledException"
        assert refusal(client.enable_policy_type, **kind) == "PolicyChangesInProgressException"
        assert [status() for _ in range(3)] == ["PENDING_ENABLE", "PENDING_ENABLE", "ENABLED"]
    client.disable_policy_type(**kind)


def test_fact_10_6_rates_of_policies(lab: Lab, client: Any) -> None:
    with options(lab, rates=True):
        answers = [refusal(client.describe_policy, PolicyId="p-FullAWSAccess") for _ in range(3)]
    assert answers == ["", "", "TooManyRequestsException"]


def test_fact_7_6_without_an_allow_at_every_level_nothing_is_allowed(lab: Lab, client: Any, policy: str) -> None:
    account = member_of(lab)
    s3 = lab.client("s3", account)
    client.attach_policy(PolicyId=policy, TargetId=account)
    client.detach_policy(PolicyId="p-FullAWSAccess", TargetId=account)
    _code, message = refused(lab.client("iam", account).list_roles)
    assert message.endswith("because no service control policy allows the iam:ListRoles action")
    last = {"PolicyId": policy, "TargetId": account}
    assert refusal(client.detach_policy, **last) == "ConstraintViolationException"
    client.attach_policy(PolicyId="p-FullAWSAccess", TargetId=account)
    client.detach_policy(**last)
    assert not refusal(s3.list_buckets)


def test_policies_are_listed_with_their_targets(lab: Lab, client: Any, policy: str) -> None:
    client.update_policy(PolicyId=policy, Name="NoS3AtAll", Description="why")
    summary = client.describe_policy(PolicyId=policy)["Policy"]["PolicySummary"]
    assert (summary["Name"], summary["Description"], summary["AwsManaged"]) == ("NoS3AtAll", "why", False)
    kind = {"Filter": "SERVICE_CONTROL_POLICY"}
    assert policy in [one["Id"] for one in client.list_policies(**kind)["Policies"]]
    target = {"PolicyId": policy, "TargetId": lab.log_archive}
    client.attach_policy(**target)
    assert refusal(client.attach_policy, **target) == "DuplicatePolicyAttachmentException"
    assert refusal(client.delete_policy, PolicyId=policy) == "PolicyInUseException"
    assert [one["TargetId"] for one in client.list_targets_for_policy(PolicyId=policy)["Targets"]] == [lab.log_archive]
    found = client.list_policies_for_target(TargetId=lab.log_archive, **kind)["Policies"]
    assert [one["Id"] for one in found] == ["p-FullAWSAccess", policy]
    client.detach_policy(**target)
    assert refusal(client.detach_policy, **target) == "PolicyNotAttachedException"


@pytest.mark.parametrize(
    ("operation", "parameters", "code"),
    [
        ("describe_policy", {"PolicyId": "p-00000000"}, "PolicyNotFoundException"),
        ("delete_policy", {"PolicyId": "p-FullAWSAccess"}, "InvalidInputException"),
        ("attach_policy", {"PolicyId": "p-FullAWSAccess", "TargetId": "111111111111"}, "TargetNotFoundException"),
        ("enable_policy_type", {"RootId": "r-none", "PolicyType": "TAG_POLICY"}, "RootNotFoundException"),
        (
            "describe_create_account_status",
            {"CreateAccountRequestId": f"car-{'0' * 32}"},
            "CreateAccountStatusNotFoundException",
        ),
        ("list_handshakes_for_organization", {}, "UnsupportedAPIEndpointException"),
        (
            "create_policy",
            {"Name": "x", "Description": "", "Type": "SERVICE_CONTROL_POLICY", "Content": '{"Statement": []}'},
            "MalformedPolicyDocumentException",
        ),
        (
            "create_policy",
            {"Name": "FullAWSAccess", "Description": "", "Type": "SERVICE_CONTROL_POLICY", "Content": DENY_S3},
            "DuplicatePolicyException",
        ),
    ],
)
def test_refusals(client: Any, operation: str, parameters: dict[str, Any], code: str) -> None:
    assert refusal(getattr(client, operation), **parameters) == code


def test_policy_types_are_switched(client: Any) -> None:
    kind = {"RootId": root_of(client), "PolicyType": "TAG_POLICY"}
    assert refusal(client.disable_policy_type, **kind) == "PolicyTypeNotEnabledException"
    assert len(client.enable_policy_type(**kind)["Root"]["PolicyTypes"]) == 2
    assert refusal(client.enable_policy_type, **kind) == "PolicyTypeAlreadyEnabledException"
    made = client.create_policy(Name="Tags", Description="", Content="{}", Type="TAG_POLICY")["Policy"]
    client.attach_policy(PolicyId=made["PolicySummary"]["Id"], TargetId=kind["RootId"])
    assert len(client.disable_policy_type(**kind)["Root"]["PolicyTypes"]) == 1
    again = {"PolicyId": made["PolicySummary"]["Id"], "TargetId": kind["RootId"]}
    assert refusal(client.attach_policy, **again) == "PolicyTypeNotEnabledException"
    client.delete_policy(PolicyId=again["PolicyId"])


def test_tags(lab: Lab, client: Any) -> None:
    resource = {"ResourceId": lab.log_archive}
    client.tag_resource(**resource, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    client.untag_resource(**resource, TagKeys=["a", "absent"])
    assert client.list_tags_for_resource(**resource)["Tags"] == [{"Key": "b", "Value": "2"}]


def test_fact_4_8_an_account_that_leaves_loses_its_service_linked_role(lab: Lab, client: Any) -> None:
    account = client.create_account(AccountName="Leaver", Email="leaver@example.com")["CreateAccountStatus"]["Id"]
    account = client.describe_create_account_status(CreateAccountRequestId=account)["CreateAccountStatus"]["AccountId"]
    iam = lab.client("iam", account)
    iam.create_service_linked_role(AWSServiceName=CLOUDTRAIL)
    assert refusal(iam.create_service_linked_role, AWSServiceName=CLOUDTRAIL) == "InvalidInput"
    policies = client.list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"]
    guard = next(policy["Id"] for policy in policies if policy["Name"] == "DenyLeaveOrganization")
    attachment = {"PolicyId": guard, "TargetId": root_of(client)}
    client.detach_policy(**attachment)
    lab.client("organizations", account).leave_organization()
    client.attach_policy(**attachment)
    assert refusal(iam.get_role, RoleName="AWSServiceRoleForCloudTrail") == "NoSuchEntity"
    organizations = lab.client("organizations", account)
    assert refusal(organizations.describe_organization) == "AWSOrganizationsNotInUseException"
