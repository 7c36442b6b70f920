# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's delegated administrators of CloudTrail by fact number of aws-facts: 1.8 and section 11."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.organization_trail import SERVICE, make_bucket, member_of, options, organization_trail, refusal
from tests.lab_process import Lab

LINKED_ROLES = ["AWSServiceRoleForCloudTrail", "AWSServiceRoleForCloudTrailEventContext"]
NEEDED = [
    "iam:CreateServiceLinkedRole",
    "organizations:ListAWSServiceAccessForOrganization",
    "organizations:RegisterDelegatedAdministrator",
]


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab("--scenario", "lesson", "--enforce-iam") as lab:
        lab.control("POST", "options", {"service_linked_role": False})
        yield lab


@pytest.fixture
def shared(lab: Lab) -> Iterator[str]:
    """The ARN of the lesson's trail while it is an organization trail."""
    with organization_trail(lab) as arn:
        yield arn


@pytest.fixture
def administrator(lab: Lab, shared: str) -> Iterator[Any]:
    """A client of CloudTrail in a member that is its delegated administrator for a while."""
    management = lab.client("cloudtrail")
    management.register_organization_delegated_admin(MemberAccountId=lab.log_archive)
    yield lab.client("cloudtrail", lab.log_archive)
    management.deregister_organization_delegated_admin(DelegatedAdminAccountId=lab.log_archive)


def linked_roles(lab: Lab) -> list[str]:
    iam = lab.client("iam")
    return [name for name in LINKED_ROLES if not refusal(iam.get_role, RoleName=name)]


def forget_linked_roles(lab: Lab) -> None:
    for name in linked_roles(lab):
        lab.client("iam").delete_service_linked_role(RoleName=name)


def test_fact_1_8_cloudtrail_makes_both_service_linked_roles_and_organizations_none(lab: Lab, shared: str) -> None:
    forget_linked_roles(lab)
    organizations, cloudtrail = lab.client("organizations"), lab.client("cloudtrail")
    account = {"AccountId": lab.log_archive, "ServicePrincipal": SERVICE}
    organizations.register_delegated_administrator(**account)
    assert linked_roles(lab) == []
    organizations.deregister_delegated_administrator(**account)
    cloudtrail.register_organization_delegated_admin(MemberAccountId=lab.log_archive)
    assert linked_roles(lab) == LINKED_ROLES
    path = lab.client("iam").get_role(RoleName=LINKED_ROLES[1])["Role"]["Path"]
    assert path == "/aws-service-role/context.cloudtrail.amazonaws.com/"
    cloudtrail.deregister_organization_delegated_admin(DelegatedAdminAccountId=lab.log_archive)


def test_fact_11_1_an_administrator_does_everything_to_an_organization_trail_but_convert(
    lab: Lab, shared: str, administrator: Any
) -> None:
    for change in (administrator.stop_logging, administrator.start_logging, administrator.update_trail):
        change(Name=shared)
    administrator.put_event_selectors(TrailName=shared, EventSelectors=[{"ReadWriteType": "All"}])
    administrator.add_tags(ResourceId=shared, TagsList=[{"Key": "owner", "Value": "audit"}])
    assert [trail["TrailARN"] for trail in administrator.list_trails()["Trails"]] == [shared]
    refused = refusal(administrator.update_trail, Name=shared, IsOrganizationTrail=False)
    assert refused == "NotOrganizationMasterAccountException"
    register = administrator.register_organization_delegated_admin
    assert refusal(register, MemberAccountId=member_of(lab)) == "NotOrganizationManagementAccountException"
    administrator.delete_trail(Name=shared)
    made = administrator.create_trail(
        Name="default", S3BucketName=lab.bucket, IsOrganizationTrail=True, IsMultiRegionTrail=True
    )
    assert made["TrailARN"] == shared
    administrator.start_logging(Name=shared)


def test_fact_11_1_an_account_trail_of_management_is_out_of_an_administrators_sight(lab: Lab) -> None:
    with organization_trail(lab) as arn:
        management, member = lab.client("cloudtrail"), lab.client("cloudtrail", lab.log_archive)
        management.register_organization_delegated_admin(MemberAccountId=lab.log_archive)
        management.update_trail(Name=arn, IsOrganizationTrail=False)
        try:
            assert member.list_trails()["Trails"] == []
            wanted = {"Name": arn, "IsOrganizationTrail": True}
            assert refusal(member.update_trail, **wanted) == "TrailNotFoundException"
            made = {"Name": "default", "S3BucketName": lab.bucket, "IsOrganizationTrail": True}
            assert refusal(member.create_trail, **made) == "TrailAlreadyExistsException"
        finally:
            management.deregister_organization_delegated_admin(DelegatedAdminAccountId=lab.log_archive)


def test_fact_11_2_a_log_group_is_the_administrators_own(lab: Lab, shared: str, administrator: Any) -> None:
    outcomes = {}
    for account in (lab.management, lab.log_archive):
        logs, iam = lab.client("logs", account), lab.client("iam", account)
        logs.create_log_group(logGroupName="trail")
        group = f"arn:aws:logs:{lab.home_region}:{account}:log-group:trail:*"
        trust = {"Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = iam.create_role(RoleName="Logs", AssumeRolePolicyDocument=document)["Role"]["Arn"]
        outcomes[account] = refusal(
            administrator.update_trail, Name=shared, CloudWatchLogsLogGroupArn=group, CloudWatchLogsRoleArn=role
        )
    assert outcomes == {lab.management: "InvalidCloudWatchLogsLogGroupArnException", lab.log_archive: ""}
    administrator.update_trail(Name=shared, CloudWatchLogsLogGroupArn="", CloudWatchLogsRoleArn="")


def test_fact_11_3_what_a_registration_is_refused_with(lab: Lab, shared: str) -> None:
    cloudtrail = lab.client("cloudtrail")
    register, deregister = (
        cloudtrail.register_organization_delegated_admin,
        cloudtrail.deregister_organization_delegated_admin,
    )
    members = [lab.log_archive, member_of(lab, 0), member_of(lab, 1)]
    assert refusal(register, MemberAccountId=lab.management) == "CannotDelegateManagementAccountException"
    assert refusal(register, MemberAccountId="999999999999") == "AccountNotFoundException"
    for member in members:
        register(MemberAccountId=member)
    assert refusal(register, MemberAccountId=members[0]) == "AccountRegisteredException"
    assert refusal(register, MemberAccountId=member_of(lab, 2)) == "DelegatedAdminAccountLimitExceededException"
    for member in members:
        deregister(DelegatedAdminAccountId=member)
    assert refusal(deregister, DelegatedAdminAccountId=members[0]) == "AccountNotRegisteredException"
    lab.client("organizations").close_account(AccountId=members[2])
    assert refusal(register, MemberAccountId=members[2]) == "InvalidParameterException"


def test_fact_11_3_a_registration_needs_trusted_access(lab: Lab) -> None:
    register = lab.client("cloudtrail").register_organization_delegated_admin
    assert refusal(register, MemberAccountId=lab.log_archive) == "CloudTrailAccessNotEnabledException"


@pytest.mark.parametrize("action", NEEDED)
def test_fact_11_3_a_registration_needs_the_callers_permissions(lab: Lab, shared: str, action: str) -> None:
    forget_linked_roles(lab)
    deny = {"Effect": "Deny", "Action": action, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    lab.client("iam").put_user_policy(UserName="admin", PolicyName="deny", PolicyDocument=document)
    try:
        register = lab.client("cloudtrail").register_organization_delegated_admin
        roles = "InsufficientIAMAccessPermissionException"
        access = "InsufficientDependencyServiceAccessPermissionException"
        expected = roles if action.startswith("iam:") else access
        assert refusal(register, MemberAccountId=lab.log_archive) == expected
        assert linked_roles(lab) == []
    finally:
        lab.client("iam").delete_user_policy(UserName="admin", PolicyName="deny")


def test_fact_11_4_an_administrator_of_any_service_reads_the_organization(lab: Lab) -> None:
    service = "config.amazonaws.com"
    management, member = lab.client("organizations"), lab.client("organizations", lab.log_archive)
    assert refusal(member.list_accounts) == "AccessDeniedException"
    management.enable_aws_service_access(ServicePrincipal=service)
    account = {"AccountId": lab.log_archive, "ServicePrincipal": service}
    management.register_delegated_administrator(**account)
    assert refusal(member.list_accounts) == ""
    management.deregister_delegated_administrator(**account)


@pytest.mark.parametrize("calls", [0, 2])
def test_fact_11_5_acceptance_lags_behind_the_registration(lab: Lab, shared: str, calls: int) -> None:
    management, member = lab.client("cloudtrail"), lab.client("cloudtrail", lab.log_archive)
    with options(lab, delegation_propagation_calls=calls):
        management.register_organization_delegated_admin(MemberAccountId=lab.log_archive)
        seen = [refusal(member.start_logging, Name=shared) for _call in range(calls + 1)]
        assert seen == ["NotOrganizationMasterAccountException"] * calls + [""]
        management.deregister_organization_delegated_admin(DelegatedAdminAccountId=lab.log_archive)


def test_removing_the_administrator_deletes_nothing(lab: Lab, shared: str) -> None:
    management, member = lab.client("cloudtrail"), lab.client("cloudtrail", lab.log_archive)
    management.register_organization_delegated_admin(MemberAccountId=lab.log_archive)
    bucket = make_bucket(lab, "second-trail-bucket", [])
    assert refusal(member.update_trail, Name=shared, S3BucketName=bucket) == "InsufficientS3BucketPolicyException"
    before = management.get_trail(Name=shared)["Trail"]
    management.deregister_organization_delegated_admin(DelegatedAdminAccountId=lab.log_archive)
    assert management.get_trail(Name=shared)["Trail"] == before
    assert refusal(member.stop_logging, Name=shared) == "NotOrganizationMasterAccountException"
