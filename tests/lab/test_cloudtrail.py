# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's CloudTrail by fact number of aws-facts, sections 1, 2, 4 and 5, seen from outside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.lab.organization_trail import (
    SERVICE,
    make_bucket,
    member_of,
    options,
    organization_trail,
    refusal,
    refused,
    statements,
)
from tests.lab_process import Lab

CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("update_trail", {"Name": "NAME", "IncludeGlobalServiceEvents": True}),
    ("start_logging", {"Name": "NAME"}),
    ("stop_logging", {"Name": "NAME"}),
    ("delete_trail", {"Name": "NAME"}),
    ("put_event_selectors", {"TrailName": "NAME", "EventSelectors": [{"ReadWriteType": "All"}]}),
    ("put_insight_selectors", {"TrailName": "NAME", "InsightSelectors": []}),
    ("put_event_configuration", {"TrailName": "NAME", "AggregationConfigurations": []}),
]
READS = ["get_trail", "get_trail_status", "get_event_selectors"]


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab("--scenario", "lesson") as lab:
        lab.control("POST", "options", {"admission_markers": False})
        make_bucket(lab, "any-trail-bucket", open_to_any_trail(lab, "any-trail-bucket"), lab.management)
        yield lab


@pytest.fixture
def shared(lab: Lab) -> Iterator[str]:
    """The ARN of the lesson's trail while it is an organization trail."""
    with organization_trail(lab) as arn:
        yield arn


def open_to_any_trail(lab: Lab, bucket: str) -> list[dict[str, Any]]:
    """The account trail's statements for every trail of management, in every region."""
    text = json.dumps(statements(bucket, lab.trail_arn, lab.organization_id))
    any_trail = text.replace(lab.trail_arn, f"arn:aws:cloudtrail:*:{lab.management}:trail/*")
    return list(json.loads(any_trail.replace('"StringEquals"', '"StringLike"')))


def create(lab: Lab, name: str, region: str = "", **fields: Any) -> dict[str, Any]:
    """A trail of management that writes to the bucket which is open to all of them."""
    client = lab.client("cloudtrail", region=region)
    answer: dict[str, Any] = client.create_trail(Name=name, **{"S3BucketName": "any-trail-bucket", **fields})
    return answer


def named(parameters: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: name if value == "NAME" else value for key, value in parameters.items()}


def name_parameter(method: str) -> str:
    return "TrailName" if "selectors" in method or "configuration" in method else "Name"


# --- section 1 --------------------------------------------------------------------------------------


def test_fact_1_1_feature_set_and_organization() -> None:
    with Lab("--scenario", "empty") as lab:
        cloudtrail, organizations = lab.client("cloudtrail"), lab.client("organizations")
        make_bucket(lab, "some-bucket", [], lab.management)
        wanted = {"Name": "some-trail", "S3BucketName": "some-bucket", "IsOrganizationTrail": True}
        assert refusal(cloudtrail.create_trail, **wanted) == "OrganizationsNotInUseException"
        organizations.create_organization(FeatureSet="CONSOLIDATED_BILLING")
        assert refusal(cloudtrail.create_trail, **wanted) == "OrganizationNotInAllFeaturesModeException"


def test_fact_1_2_only_management_makes_organization_trails(lab: Lab) -> None:
    member = lab.client("cloudtrail", lab.log_archive)
    wanted = {"Name": "member-trail", "S3BucketName": lab.bucket, "IsOrganizationTrail": True}
    assert refusal(member.create_trail, **wanted) == "NotOrganizationMasterAccountException"


def test_fact_1_2_delegated_administrator_creates_and_updates_but_never_converts(lab: Lab, shared: str) -> None:
    management, delegated = lab.client("cloudtrail"), lab.client("cloudtrail", lab.log_archive)
    management.register_organization_delegated_admin(MemberAccountId=lab.log_archive)
    try:
        delegated.update_trail(Name=shared, EnableLogFileValidation=True)
        assert (
            refusal(delegated.update_trail, Name=shared, IsOrganizationTrail=False)
            == "NotOrganizationMasterAccountException"
        )
        made = delegated.create_trail(Name="delegated", S3BucketName="any-trail-bucket", IsOrganizationTrail=True)
        assert made["TrailARN"] == f"arn:aws:cloudtrail:us-east-1:{lab.management}:trail/delegated"
        delegated.delete_trail(Name=made["TrailARN"])
    finally:
        management.deregister_organization_delegated_admin(DelegatedAdminAccountId=lab.log_archive)
    assert refusal(delegated.update_trail, Name=shared) == "NotOrganizationMasterAccountException"


def test_fact_1_10_who_is_not_management_is_told_so(lab: Lab, shared: str) -> None:
    code, message = refused(lab.client("cloudtrail", lab.log_archive).stop_logging, Name=shared)
    assert code == "NotOrganizationMasterAccountException"
    assert message.endswith("requires being signed in with the management account.")


def test_fact_2_19_several_selectors_may_include_management_events(lab: Lab) -> None:
    cloudtrail = lab.client("cloudtrail")
    wanted = [{"ReadWriteType": kind, "IncludeManagementEvents": True} for kind in ("ReadOnly", "All")]
    cloudtrail.put_event_selectors(TrailName="default", EventSelectors=wanted)
    found = cloudtrail.get_event_selectors(TrailName="default")["EventSelectors"]
    assert [one["IncludeManagementEvents"] for one in found] == [True, True]
    cloudtrail.put_event_selectors(TrailName="default", EventSelectors=wanted[1:])


def test_fact_10_7_authorization_comes_before_look_up(lab: Lab, shared: str) -> None:
    organizations, member = lab.client("organizations"), member_of(lab)
    missing = f"{shared}-that-does-not-exist"
    stop = lab.client("cloudtrail", member).stop_logging
    assert refusal(stop, Name=missing) == "TrailNotFoundException"
    statement = {"Effect": "Deny", "Action": "cloudtrail:StopLogging", "Resource": "*"}
    policy = {
        "Name": "guard",
        "Description": "",
        "Type": "SERVICE_CONTROL_POLICY",
        "Content": json.dumps({"Version": "2012-10-17", "Statement": statement}),
    }
    made = organizations.create_policy(**policy)["Policy"]["PolicySummary"]["Id"]
    organizations.attach_policy(PolicyId=made, TargetId=member)
    try:
        code, message = refused(stop, Name=missing)
        assert (code, "explicit deny in a service control policy" in message) == ("AccessDeniedException", True)
    finally:
        organizations.detach_policy(PolicyId=made, TargetId=member)
        organizations.delete_policy(PolicyId=made)


def test_fact_14_3_tags_of_trails_of_one_owner_at_a_time(lab: Lab, shared: str) -> None:
    other = shared.replace(lab.management, lab.log_archive)
    listing = lab.client("cloudtrail").list_tags
    assert refusal(listing, ResourceIdList=[shared, other]) == "CloudTrailARNInvalidException"


def test_fact_14_1_cost_explorer_tells_usage_by_account_and_type(lab: Lab) -> None:
    some = {f"{number:012}": {"USE1-FreeEventsRecorded": 1.0} for number in range(120)}
    mine = {"USE1-FreeEventsRecorded": 300_000.0, "EUW1-PaidEventsRecorded": 150_000.0}
    lab.control("POST", "usage", {**some, lab.log_archive: mine})
    assert sorted(usage(lab.client("ce"))) == sorted(
        [
            *((account, "USE1-FreeEventsRecorded", "1.0", 0.0) for account in some),
            (lab.log_archive, "EUW1-PaidEventsRecorded", "150000.0", 3.0),
            (lab.log_archive, "USE1-FreeEventsRecorded", "300000.0", 0.0),
        ]
    )
    assert {account for account, *_ in usage(lab.client("ce", lab.log_archive))} == {lab.log_archive}


def usage(client: Any) -> list[tuple[str, str, str, float]]:
    """Account, usage type, quantity and cost of last month, of all pages."""
    found: list[tuple[str, str, str, float]] = []
    more: dict[str, str] = {}
    while more or not found:
        answer = client.get_cost_and_usage(
            TimePeriod={"Start": "2026-10-01", "End": "2026-11-01"},
            Granularity="MONTHLY",
            Filter={"Dimensions": {"Key": "SERVICE", "Values": ["AWS CloudTrail"]}},
            GroupBy=[{"Type": "DIMENSION", "Key": key} for key in ("LINKED_ACCOUNT", "USAGE_TYPE")],
            Metrics=["UsageQuantity", "UnblendedCost"],
            **more,
        )
        for one in answer["ResultsByTime"][0]["Groups"]:
            metrics = one["Metrics"]
            cost = float(metrics["UnblendedCost"]["Amount"])
            found.append((*one["Keys"], metrics["UsageQuantity"]["Amount"], cost))
        if "NextPageToken" not in answer:
            break
        more = {"NextPageToken": answer["NextPageToken"]}
    return found


def test_fact_14_2_until_the_organization_trail_has_come_the_own_trail_alone_logs(lab: Lab) -> None:
    account = member_of(lab, 1)
    own = lab.client("cloudtrail", account)
    own_arn = lab.trail_arn.replace(lab.management, account).replace("default", "own")
    make_bucket(lab, "own-logs", statements("own-logs", own_arn), account)
    own.create_trail(Name="own", S3BucketName="own-logs", IsMultiRegionTrail=True)
    own.start_logging(Name="own")
    with options(lab, member_propagation="delayed"), organization_trail(lab) as arn:
        for hours, there in ((0, False), (25, True)):
            lab.control("POST", "time", {"hours": hours})
            client = lab.client("cloudtrail", account)
            assert (arn in [one["TrailARN"] for one in client.list_trails()["Trails"]]) is there
            assert client.get_trail_status(Name="own")["IsLogging"]
        client.stop_logging(Name="own")
        client.delete_trail(Name="own")
        assert client.get_trail_status(Name=arn)["IsLogging"]
    lab.control("POST", "time", {"hours": -25})


def test_fact_1_3_trusted_access_comes_first(lab: Lab) -> None:
    code, message = refused(lab.client("cloudtrail").update_trail, Name="default", IsOrganizationTrail=True)
    assert code == "CloudTrailAccessNotEnabledException"
    assert message == (
        "The request could not be processed because your organization hasn’t enabled CloudTrail service access. "
        "Enable service access for CloudTrail, and then try again"
    )


@pytest.mark.parametrize("calls", [0, 2])
def test_fact_1_4_acceptance_lags_behind_enabling(lab: Lab, calls: int) -> None:
    cloudtrail, organizations = lab.client("cloudtrail"), lab.client("organizations")
    with options(lab, access_propagation_calls=calls):
        organizations.enable_aws_service_access(ServicePrincipal=SERVICE)
        try:
            wanted = {"Name": "default", "IsOrganizationTrail": True, "S3BucketName": lab.bucket}
            seen = [refusal(cloudtrail.update_trail, **wanted) for _call in range(calls + 1)]
            assert seen == ["CloudTrailAccessNotEnabledException"] * calls + [""]
            cloudtrail.update_trail(Name="default", IsOrganizationTrail=False, S3BucketName="any-trail-bucket")
        finally:
            organizations.disable_aws_service_access(ServicePrincipal=SERVICE)


def test_fact_1_9_service_linked_role_is_made_with_the_callers_permission() -> None:
    with Lab("--scenario", "lesson", "--enforce-iam") as lab:
        lab.control("POST", "options", {"service_linked_role": False})
        iam = lab.client("iam")
        lab.client("organizations").enable_aws_service_access(ServicePrincipal=SERVICE)
        assert refusal(iam.get_role, RoleName="AWSServiceRoleForCloudTrail") == "NoSuchEntity"
        lab.client("organizations").register_delegated_administrator(
            AccountId=lab.log_archive, ServicePrincipal=SERVICE
        )
        delegated = lab.client("cloudtrail", lab.log_archive)
        assert refusal(delegated.describe_trails) == "NoManagementAccountSLRExistsException"
        deny = {"Effect": "Deny", "Action": "iam:CreateServiceLinkedRole", "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
        iam.put_user_policy(UserName="admin", PolicyName="no-roles", PolicyDocument=document)
        update = lab.client("cloudtrail").update_trail
        wanted = {"Name": "default", "IsOrganizationTrail": True, "S3BucketName": lab.bucket}
        code, message = refused(update, **wanted)
        assert code == "InsufficientDependencyServiceAccessPermissionException"
        assert message.endswith("because access to one or more required APIs has been denied.")
        iam.delete_user_policy(UserName="admin", PolicyName="no-roles")
        update(**wanted)
        assert iam.get_role(RoleName="AWSServiceRoleForCloudTrail")["Role"]["Path"] == f"/aws-service-role/{SERVICE}/"
        assert [trail["Name"] for trail in delegated.describe_trails()["trailList"]] == ["default"]


# --- section 2 --------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", READS)
def test_fact_2_1_bare_name_means_the_callers_account_and_region(lab: Lab, shared: str, method: str) -> None:
    parameter = name_parameter(method)
    assert refusal(getattr(lab.client("cloudtrail"), method), **{parameter: "default"}) == ""
    for account, region in ((lab.management, "eu-west-1"), (lab.log_archive, "us-east-1")):
        client = lab.client("cloudtrail", account, region)
        code, message = refused(getattr(client, method), **{parameter: "default"})
        assert code == "TrailNotFoundException"
        assert message == (
            f"Unknown trail: arn:aws:cloudtrail:{region}:{account}:trail/default for the user: {account}"
        )
        assert refusal(getattr(client, method), **{parameter: shared}) == ""


def test_fact_2_1_describe_trails_answers_nothing_for_an_unknown_name(lab: Lab) -> None:
    cloudtrail = lab.client("cloudtrail")
    assert cloudtrail.describe_trails(trailNameList=["unknown"])["trailList"] == []
    assert cloudtrail.describe_trails(trailNameList=[lab.trail_arn + "s"])["trailList"] == []
    elsewhere = lab.client("cloudtrail", region="eu-west-1")
    assert elsewhere.describe_trails(trailNameList=["default"])["trailList"] == []
    [trail] = elsewhere.describe_trails(trailNameList=[lab.trail_arn])["trailList"]
    assert trail["HomeRegion"] == "us-east-1"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("arn:aws:cloudtrail:us-east-1:1:trail/default", "CloudTrailARNInvalidException"),
        ("arn:aws:s3:::bucket", "CloudTrailARNInvalidException"),
        ("a b c", "InvalidTrailNameException"),
    ],
)
def test_a_wrong_name_is_refused_on_reading(lab: Lab, name: str, code: str) -> None:
    cloudtrail = lab.client("cloudtrail")
    assert refusal(cloudtrail.get_trail, Name=name) == code
    assert refusal(cloudtrail.describe_trails, trailNameList=[name]) == code


@pytest.mark.parametrize(("method", "parameters"), CHANGES)
def test_fact_2_2_changes_need_the_home_region(lab: Lab, method: str, parameters: dict[str, Any]) -> None:
    elsewhere = lab.client("cloudtrail", region="eu-west-1")
    assert refusal(getattr(elsewhere, method), **named(parameters, lab.trail_arn)) == "InvalidHomeRegionException"
    assert refusal(getattr(elsewhere, method), **named(parameters, "default")) == "TrailNotFoundException"


def test_fact_2_2_tags_need_the_home_region(lab: Lab) -> None:
    home, elsewhere = lab.client("cloudtrail"), lab.client("cloudtrail", region="eu-west-1")
    tags = [{"Key": "owner", "Value": "security"}]
    home.add_tags(ResourceId=lab.trail_arn, TagsList=tags)
    [found] = home.list_tags(ResourceIdList=[lab.trail_arn])["ResourceTagList"]
    assert found == {"ResourceId": lab.trail_arn, "TagsList": tags}
    assert refusal(elsewhere.list_tags, ResourceIdList=[lab.trail_arn]) == "CloudTrailARNInvalidException"
    home.remove_tags(ResourceId=lab.trail_arn, TagsList=[{"Key": "owner"}])
    assert home.list_tags(ResourceIdList=[lab.trail_arn])["ResourceTagList"][0]["TagsList"] == []
    unknown = f"{lab.trail_arn}-unknown"
    assert refusal(home.add_tags, ResourceId=unknown, TagsList=tags) == "ResourceNotFoundException"


def test_fact_2_3_update_merges(lab: Lab) -> None:
    region = "eu-north-1"
    sns, logs = lab.client("sns", region=region), lab.client("logs", region=region)
    topic = sns.create_topic(Name="trail-topic")["TopicArn"]
    statement = {"Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": "SNS:Publish", "Resource": topic}
    document = json.dumps({"Version": "2012-10-17", "Statement": [{"Sid": "a", **statement}]})
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=document)
    logs.create_log_group(logGroupName="trail-logs")
    trust = {"Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": "sts:AssumeRole"}
    role = lab.client("iam").create_role(
        RoleName="trail-logs", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )["Role"]["Arn"]
    full = {
        "S3KeyPrefix": "some/prefix",
        "SnsTopicName": "trail-topic",
        "CloudWatchLogsLogGroupArn": f"arn:aws:logs:{region}:{lab.management}:log-group:trail-logs:*",
        "CloudWatchLogsRoleArn": role,
        "IsMultiRegionTrail": True,
        "EnableLogFileValidation": True,
    }
    cloudtrail = lab.client("cloudtrail", region=region)
    make_bucket(lab, "merge-bucket", merge_statements(lab), lab.management)
    create(lab, "merged", region, S3BucketName="merge-bucket", **full)
    try:
        before = cloudtrail.get_trail(Name="merged")["Trail"]
        assert before["SnsTopicARN"] == topic
        cloudtrail.update_trail(Name="merged", EnableLogFileValidation=False)
        assert cloudtrail.get_trail(Name="merged")["Trail"] == {**before, "LogFileValidationEnabled": False}
        cloudtrail.update_trail(Name="merged", SnsTopicName="", S3KeyPrefix="", CloudWatchLogsLogGroupArn="")
        after = cloudtrail.get_trail(Name="merged")["Trail"]
        gone = {"SnsTopicName", "SnsTopicARN", "S3KeyPrefix", "CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn"}
        assert set(before) - set(after) == gone
        assert after["IsMultiRegionTrail"]
    finally:
        cloudtrail.delete_trail(Name="merged")


def merge_statements(lab: Lab) -> list[dict[str, Any]]:
    """Statements for a bucket that serves trails with and without a prefix."""
    arn = f"arn:aws:cloudtrail:eu-north-1:{lab.management}:trail/merged"
    acl, with_prefix = statements("merge-bucket", arn, prefix="some/prefix")
    _acl, without = statements("merge-bucket", arn)
    return [acl, with_prefix, {**without, "Sid": "WithoutPrefix"}]


def test_fact_2_4_flag_and_bucket_go_in_one_call_while_logging(lab: Lab) -> None:
    cloudtrail = lab.client("cloudtrail")
    lab.client("organizations").enable_aws_service_access(ServicePrincipal=SERVICE)
    answer = cloudtrail.update_trail(Name="default", IsOrganizationTrail=True, S3BucketName=lab.bucket)
    assert (answer["IsOrganizationTrail"], answer["S3BucketName"]) == (True, lab.bucket)
    assert cloudtrail.get_trail_status(Name="default")["IsLogging"]
    cloudtrail.update_trail(Name="default", IsOrganizationTrail=False, S3BucketName="any-trail-bucket")
    lab.client("organizations").disable_aws_service_access(ServicePrincipal=SERVICE)


def test_fact_2_5_multi_region_needs_global_events(lab: Lab) -> None:
    code, message = refused(lab.client("cloudtrail").update_trail, Name="default", IncludeGlobalServiceEvents=False)
    assert code == "InvalidParameterCombinationException"
    assert message == "Multi-Region trail must include global service events."


def test_fact_2_6_created_trail_does_not_log_until_started(lab: Lab) -> None:
    cloudtrail = lab.client("cloudtrail", region="eu-west-3")
    create(lab, "fresh", "eu-west-3")
    status = cloudtrail.get_trail_status(Name="fresh")
    assert status["IsLogging"] is False
    assert "StartLoggingTime" not in status
    cloudtrail.start_logging(Name="fresh")
    assert cloudtrail.get_trail_status(Name="fresh")["IsLogging"] is True
    cloudtrail.stop_logging(Name="fresh")
    status = cloudtrail.get_trail_status(Name="fresh")
    assert status["IsLogging"] is False
    assert status["StopLoggingTime"] >= status["StartLoggingTime"]
    cloudtrail.delete_trail(Name="fresh")
    assert refusal(cloudtrail.get_trail, Name="fresh") == "TrailNotFoundException"


def test_fact_2_7_five_trails_per_region(lab: Lab) -> None:
    region = "sa-east-1"  # the multi-region trail `default` counts here, too
    names = [f"quota-{number}" for number in range(4)]
    for name in names:
        create(lab, name, region)
    wanted = {"Name": "quota-5", "S3BucketName": "any-trail-bucket"}
    cloudtrail = lab.client("cloudtrail", region=region)
    code, message = refused(cloudtrail.create_trail, **wanted)
    assert code == "MaximumNumberOfTrailsExceededException"
    assert message == f"User: {lab.management} already has 5 trails in {region}."
    assert refusal(cloudtrail.create_trail, **{**wanted, "Name": names[0]}) == "TrailAlreadyExistsException"
    for name in names:
        cloudtrail.delete_trail(Name=name)


def test_fact_2_7_organization_trails_pass_the_members_quota(lab: Lab) -> None:
    member = lab.client("cloudtrail", lab.log_archive)
    for number in range(5):
        arn = f"arn:aws:cloudtrail:us-east-1:{lab.log_archive}:trail/own-{number}"
        make_bucket(lab, f"own-{number}", statements(f"own-{number}", arn))
        member.create_trail(Name=f"own-{number}", S3BucketName=f"own-{number}")
    with organization_trail(lab):
        assert len(member.describe_trails()["trailList"]) == 6
    for number in range(5):
        member.delete_trail(Name=f"own-{number}")


@pytest.mark.parametrize(
    "name",
    ["ab", "a" * 129, "-abc", "abc.", "a..b", "a._b", "a--b", "192.168.5.4", "with space", "ümlaut", "a/b/c"],
)
def test_fact_2_8_names(lab: Lab, name: str) -> None:
    create_trail = lab.client("cloudtrail").create_trail
    assert refusal(create_trail, Name=name, S3BucketName="any-trail-bucket") == "InvalidTrailNameException"


def test_fact_2_9_back_to_an_account_trail(lab: Lab) -> None:
    member = lab.client("cloudtrail", lab.log_archive)
    with organization_trail(lab) as arn:
        assert refusal(member.get_trail_status, Name=arn) == ""
    assert refusal(member.get_trail_status, Name=arn) == "TrailNotFoundException"
    assert member.describe_trails()["trailList"] == []
    assert lab.client("cloudtrail").get_trail_status(Name="default")["IsLogging"]


def test_fact_2_10_default_selectors_and_no_insights(lab: Lab) -> None:
    cloudtrail = lab.client("cloudtrail")
    answer = cloudtrail.get_event_selectors(TrailName="default")
    assert answer["EventSelectors"] == [
        {
            "ReadWriteType": "All",
            "IncludeManagementEvents": True,
            "DataResources": [],
            "ExcludeManagementEventSources": [],
        }
    ]
    assert "AdvancedEventSelectors" not in answer
    assert refusal(cloudtrail.get_insight_selectors, TrailName="default") == "InsightNotEnabledException"


def test_fact_2_11_reads_name_the_key_by_arn(lab: Lab) -> None:
    kms, cloudtrail = lab.client("kms"), lab.client("cloudtrail")
    root = {"Sid": "root", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{lab.management}:root"}}
    service = {"Sid": "trail", "Effect": "Allow", "Principal": {"Service": SERVICE}}
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {**root, "Action": "kms:*", "Resource": "*"},
            {**service, "Action": ["kms:GenerateDataKey*", "kms:DescribeKey"], "Resource": "*"},
        ],
    }
    key = kms.create_key(Policy=json.dumps(policy))["KeyMetadata"]
    kms.create_alias(AliasName="alias/trail", TargetKeyId=key["KeyId"])
    alias_arn = f"arn:aws:kms:us-east-1:{lab.management}:alias/trail"
    for text in (key["KeyId"], key["Arn"], "alias/trail", alias_arn):
        assert cloudtrail.update_trail(Name="default", KmsKeyId=text)["KmsKeyId"] == key["Arn"]
        assert cloudtrail.get_trail(Name="default")["Trail"]["KmsKeyId"] == key["Arn"]
        cloudtrail.update_trail(Name="default", KmsKeyId="")
    assert "KmsKeyId" not in cloudtrail.get_trail(Name="default")["Trail"]


RETRYABLE = [
    ("cloudtrail", "update_trail", {"Name": "default"}, "ConflictException"),
    ("cloudtrail", "describe_trails", {}, "ThrottlingException"),
    ("organizations", "enable_aws_service_access", {"ServicePrincipal": SERVICE}, "ConcurrentModificationException"),
    ("organizations", "list_accounts", {}, "TooManyRequestsException"),
]


@pytest.mark.parametrize(("service", "method", "parameters", "code"), RETRYABLE)
def test_fact_2_12_what_is_retryable_passes_and_changes_nothing(
    lab: Lab, service: str, method: str, parameters: dict[str, Any], code: str
) -> None:
    client = lab.client(service)
    assert code in {shape.name for shape in client.meta.service_model.error_shapes} | {"ThrottlingException"}
    before = lab.client("organizations").list_aws_service_access_for_organization()["EnabledServicePrincipals"]
    lab.control("POST", "faults", [{"service": service, "fault": f"code:{code}", "times": 1}])
    assert refusal(getattr(client, method), **parameters) == code
    assert lab.client("organizations").list_aws_service_access_for_organization()["EnabledServicePrincipals"] == before
    lab.control("POST", "faults", [])


def test_fact_2_13_update_answers_without_home_region(lab: Lab) -> None:
    cloudtrail = lab.client("cloudtrail")
    answer = cloudtrail.update_trail(Name="default", EnableLogFileValidation=True)
    [trail] = cloudtrail.describe_trails()["trailList"]
    assert {"HomeRegion", "HasCustomEventSelectors", "HasInsightSelectors"} == set(trail) - set(answer)


def test_fact_2_14_newer_fields(lab: Lab) -> None:
    cloudtrail = lab.client("cloudtrail")
    cloudtrail.update_trail(Name="default", RecursiveLogging=True)
    assert cloudtrail.get_trail(Name="default")["Trail"]["RecursiveLogging"] is True
    insights = [{"InsightType": "ApiErrorRateInsight", "EventCategories": ["Management"]}]
    cloudtrail.put_insight_selectors(TrailName="default", InsightSelectors=insights)
    assert cloudtrail.get_insight_selectors(TrailName="default")["InsightSelectors"] == insights
    assert cloudtrail.describe_trails()["trailList"][0]["HasInsightSelectors"]
    cloudtrail.put_insight_selectors(TrailName="default", InsightSelectors=[])
    assert refusal(cloudtrail.get_insight_selectors, TrailName="default") == "InsightNotEnabledException"
    wanted = [{"Templates": ["API_ACTIVITY"], "EventCategory": "Data"}]
    cloudtrail.put_event_configuration(TrailName="default", AggregationConfigurations=wanted)
    assert cloudtrail.get_event_configuration(TrailName="default")["AggregationConfigurations"] == wanted


MANAGEMENT = {"Field": "eventCategory", "Equals": ["Management"]}
NETWORK = {"Field": "eventCategory", "Equals": ["NetworkActivity"]}
DATA = {"Field": "eventCategory", "Equals": ["Data"]}


@pytest.mark.parametrize(
    "selectors",
    [
        {"EventSelectors": [{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}]},
        {"AdvancedEventSelectors": [{"Name": "management", "FieldSelectors": [MANAGEMENT]}]},
        {
            "AdvancedEventSelectors": [
                {"FieldSelectors": [NETWORK, {"Field": "eventSource", "Equals": ["ec2.amazonaws.com"]}]}
            ]
        },
    ],
)
def test_put_event_selectors_replaces_all(lab: Lab, selectors: dict[str, Any]) -> None:
    cloudtrail = lab.client("cloudtrail")
    cloudtrail.put_event_selectors(TrailName="default", **selectors)
    [(kind, wanted)] = selectors.items()
    found = cloudtrail.get_event_selectors(TrailName="default")
    assert {"EventSelectors", "AdvancedEventSelectors"} & set(found) == {kind}
    assert [set(selector) >= set(wanted[0]) for selector in found[kind]] == [True]
    assert cloudtrail.describe_trails()["trailList"][0]["HasCustomEventSelectors"]
    cloudtrail.put_event_selectors(TrailName="default", EventSelectors=[{"ReadWriteType": "All"}])
    assert not cloudtrail.describe_trails()["trailList"][0]["HasCustomEventSelectors"]


@pytest.mark.parametrize(
    "selectors",
    [
        {},
        {"EventSelectors": [{}], "AdvancedEventSelectors": [{"FieldSelectors": [MANAGEMENT]}]},
        {"EventSelectors": [{}] * 6},
        {"EventSelectors": [{"ExcludeManagementEventSources": ["s3.amazonaws.com"]}]},
        {"EventSelectors": [{"IncludeManagementEvents": False}]},
        {"AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "readOnly", "Equals": ["true"]}]}]},
        {"AdvancedEventSelectors": [{"FieldSelectors": [DATA]}]},
        {"AdvancedEventSelectors": [{"FieldSelectors": [NETWORK]}]},
        {"AdvancedEventSelectors": [{"FieldSelectors": [MANAGEMENT, {"Field": "nonsense", "Equals": ["a"]}]}]},
        {"AdvancedEventSelectors": [{"FieldSelectors": [MANAGEMENT, {"Field": "readOnly"}]}]},
    ],
)
def test_put_event_selectors_refuses(lab: Lab, selectors: dict[str, Any]) -> None:
    put = lab.client("cloudtrail").put_event_selectors
    assert refusal(put, TrailName="default", **selectors) == "InvalidEventSelectorsException"


# --- section 4 --------------------------------------------------------------------------------------


def test_fact_4_1_members_see_a_shadow_under_managements_arn(lab: Lab, shared: str) -> None:
    for account, region in ((lab.log_archive, "us-east-1"), (member_of(lab), "eu-west-1")):
        client = lab.client("cloudtrail", account, region)
        [trail] = client.describe_trails()["trailList"]
        assert (trail["TrailARN"], trail["IsOrganizationTrail"], trail["HomeRegion"]) == (shared, True, "us-east-1")
        assert client.describe_trails(includeShadowTrails=False)["trailList"] == []
        assert client.describe_trails(trailNameList=["default"])["trailList"] == []
        assert client.describe_trails(trailNameList=[shared])["trailList"] == [trail]
        assert [found["TrailARN"] for found in client.list_trails()["Trails"]] == [shared]


def test_fact_4_1_management_sees_a_shadow_outside_the_home_region(lab: Lab) -> None:
    home, elsewhere = lab.client("cloudtrail"), lab.client("cloudtrail", region="ap-south-1")
    assert len(home.describe_trails(includeShadowTrails=False)["trailList"]) == 1
    assert elsewhere.describe_trails(includeShadowTrails=False)["trailList"] == []
    assert elsewhere.describe_trails()["trailList"] == home.describe_trails()["trailList"]


def test_a_single_region_trail_has_no_shadows(lab: Lab) -> None:
    create(lab, "single", "eu-west-3")
    arn = f"arn:aws:cloudtrail:eu-west-3:{lab.management}:trail/single"
    names = [trail["Name"] for trail in lab.client("cloudtrail").describe_trails()["trailList"]]
    assert names == ["default"]
    assert arn in [trail["TrailARN"] for trail in lab.client("cloudtrail").list_trails()["Trails"]]
    lab.client("cloudtrail", region="eu-west-3").delete_trail(Name="single")


@pytest.mark.parametrize("method", READS)
def test_fact_4_2_members_read_by_the_full_arn_only(lab: Lab, shared: str, method: str) -> None:
    read = getattr(lab.client("cloudtrail", lab.log_archive), method)
    parameter = name_parameter(method)
    assert read(**{parameter: shared})
    own = shared.replace(lab.management, lab.log_archive)
    assert refused(read, **{parameter: "default"}) == (
        "TrailNotFoundException",
        f"Unknown trail: {own} for the user: {lab.log_archive}",
    )


@pytest.mark.parametrize(
    "code", ["NotOrganizationMasterAccountException", "OperationNotPermittedException", "AccessDeniedException"]
)
@pytest.mark.parametrize(("method", "parameters"), CHANGES)
def test_fact_4_3_members_cannot_change_it(
    lab: Lab, shared: str, code: str, method: str, parameters: dict[str, Any]
) -> None:
    change = getattr(lab.client("cloudtrail", lab.log_archive), method)
    with options(lab, member_denial_code=code):
        assert refusal(change, **named(parameters, shared)) == code
        assert refusal(change, **named(parameters, "default")) == "TrailNotFoundException"


@pytest.mark.parametrize(("propagation", "seen"), [("immediate", [True, True]), ("delayed", [False, True])])
def test_fact_4_4_propagation(lab: Lab, propagation: str, seen: list[bool]) -> None:
    with options(lab, member_propagation=propagation), organization_trail(lab) as arn:
        outcomes, denials = [], []
        for hours in (0, 25):
            lab.control("POST", "time", {"hours": hours})
            member = lab.client("cloudtrail", lab.log_archive)
            found = member.describe_trails()["trailList"]
            outcomes.append([trail["TrailARN"] for trail in found] == [arn])
            denials.append(refusal(member.stop_logging, Name=arn) == "NotOrganizationMasterAccountException")
        assert (outcomes, denials) == (seen, seen)
    lab.control("POST", "time", {"hours": -25})


def test_fact_4_4_a_new_member_gets_the_trail_later(lab: Lab, shared: str) -> None:
    with options(lab, member_propagation="delayed"):
        lab.control("POST", "time", {"hours": 25})
        organizations = lab.client("organizations")
        state = organizations.create_account(Email="late@example.com", AccountName="Late")["CreateAccountStatus"]
        account = organizations.describe_create_account_status(CreateAccountRequestId=state["Id"])
        late = account["CreateAccountStatus"]["AccountId"]
        assert lab.client("cloudtrail", late).describe_trails()["trailList"] == []
        assert len(lab.client("cloudtrail", lab.log_archive).describe_trails()["trailList"]) == 1
        lab.control("POST", "time", {"hours": 25})
        assert len(lab.client("cloudtrail", late).describe_trails()["trailList"]) == 1
    lab.control("POST", "time", {"hours": -50})


def test_fact_4_5_health_is_told_per_member_and_region(lab: Lab, shared: str) -> None:
    healthy, sick = member_of(lab, 0), member_of(lab, 1)
    lab.control(
        "POST",
        "members",
        [
            {"account": sick, "LatestDeliveryError": "AccessDenied", "LatestDeliveryTime": 30},
            {"account": sick, "region": "eu-west-1", "IsLogging": False, "LatestDeliveryTime": None},
            {"account": sick, "region": "eu-west-2", "missing": True},
        ],
    )
    try:
        status = {
            (account, region): lab.client("cloudtrail", account, region).get_trail_status(Name=shared)
            for account in (healthy, sick)
            for region in ("us-east-1", "eu-west-1")
        }
        assert "LatestDeliveryError" not in status[healthy, "us-east-1"]
        assert status[sick, "us-east-1"]["LatestDeliveryError"] == "AccessDenied"
        assert "LatestDeliveryTime" in status[sick, "us-east-1"]
        assert (status[sick, "eu-west-1"]["IsLogging"], status[healthy, "eu-west-1"]["IsLogging"]) == (False, True)
        assert "LatestDeliveryTime" not in status[sick, "eu-west-1"]
        lost = lab.client("cloudtrail", sick, "eu-west-2")
        assert refusal(lost.get_trail_status, Name=shared) == "TrailNotFoundException"
        assert lost.describe_trails()["trailList"] == []
    finally:
        assert lab.control("DELETE", "members") == []


def test_members_route_refuses_unknown_names(lab: Lab) -> None:
    for wrong in ({"region": "us-east-1"}, {"account": "1", "IsLoging": False}):
        with pytest.raises(ValueError, match="An override has an account"):
            lab.control("POST", "members", [wrong])


@pytest.mark.parametrize("code", ["UnrecognizedClientException", "AuthFailure", "InvalidClientTokenId"])
def test_fact_4_6_disabled_region_is_not_an_empty_answer(lab: Lab, shared: str, code: str) -> None:
    with options(lab, disabled_region_code=code):
        describe = lab.client("cloudtrail", lab.log_archive, "me-south-1").describe_trails
        assert refusal(describe) == code


def test_fact_4_9_a_member_is_logged_in_the_regions_that_it_has_enabled(lab: Lab, shared: str) -> None:
    """Whatever management has enabled."""
    member, region = member_of(lab), "ap-east-1"
    lab.client("account", member).enable_region(RegionName=region)
    try:
        assert lab.client("cloudtrail", member, region).get_trail_status(Name=shared)["IsLogging"]
        assert (
            refusal(lab.client("cloudtrail", region=region).get_trail_status, Name=shared)
            == "UnrecognizedClientException"
        )
    finally:
        lab.client("account", member).disable_region(RegionName=region)


@pytest.mark.parametrize("names_policy", [False, True])
def test_fact_7_10_a_region_deny_scp_answers_by_region(lab: Lab, shared: str, names_policy: bool) -> None:
    organizations, member = lab.client("organizations"), member_of(lab)
    condition = {"StringNotEquals": {"aws:RequestedRegion": ["us-east-1"]}}
    deny = {"Effect": "Deny", "NotAction": ["sts:*"], "Resource": "*", "Condition": condition}
    policy = organizations.create_policy(
        Name="regions",
        Description="x",
        Type="SERVICE_CONTROL_POLICY",
        Content=json.dumps({"Version": "2012-10-17", "Statement": [deny]}),
    )["Policy"]["PolicySummary"]
    organizations.attach_policy(PolicyId=policy["Id"], TargetId=member)
    try:
        assert lab.client("cloudtrail", member).get_trail_status(Name=shared)["IsLogging"]
        with options(lab, scp_arn_in_denials=names_policy):
            code, message = refused(lab.client("cloudtrail", member, "eu-west-1").get_trail_status, Name=shared)
        assert code == "AccessDeniedException"
        assert message.endswith(
            "with an explicit deny in a service control policy" + (f": {policy['Arn']}" if names_policy else "")
        )
    finally:
        organizations.detach_policy(PolicyId=policy["Id"], TargetId=member)
        organizations.delete_policy(PolicyId=policy["Id"])


def test_section_8_rates_by_the_labs_clock(lab: Lab) -> None:
    update = lab.client("cloudtrail").update_trail
    wanted = {"Name": "default", "EnableLogFileValidation": True}
    assert [refusal(update, **wanted) for _call in range(10)] == [""] * 10
    with options(lab, rates=True):
        assert [refusal(update, **wanted) for _call in range(10)].count("ThrottlingException") > 0
        lab.control("POST", "time", {"hours": 1})
        assert refusal(update, **wanted) == ""
    lab.control("POST", "time", {"hours": -1})


# --- section 5 --------------------------------------------------------------------------------------


def test_section_5_trusted_access_off_makes_account_trails(lab: Lab) -> None:
    cloudtrail, organizations = lab.client("cloudtrail"), lab.client("organizations")
    member = lab.client("cloudtrail", lab.log_archive)
    organizations.enable_aws_service_access(ServicePrincipal=SERVICE)
    cloudtrail.update_trail(Name="default", IsOrganizationTrail=True, S3BucketName=lab.bucket)
    with options(lab, lake_customer=True):
        store = cloudtrail.create_event_data_store(
            Name="lake", OrganizationEnabled=True, TerminationProtectionEnabled=False
        )
    assert [found["OrganizationEnabled"] for found in cloudtrail.list_event_data_stores()["EventDataStores"]] == [True]
    organizations.disable_aws_service_access(ServicePrincipal=SERVICE)
    [trail] = cloudtrail.describe_trails()["trailList"]
    assert (trail["IsOrganizationTrail"], trail["S3BucketName"]) == (False, lab.bucket)
    assert member.describe_trails()["trailList"] == []
    assert [found["OrganizationEnabled"] for found in cloudtrail.list_event_data_stores()["EventDataStores"]] == [False]
    organizations.enable_aws_service_access(ServicePrincipal=SERVICE)
    assert not cloudtrail.describe_trails()["trailList"][0]["IsOrganizationTrail"]
    assert member.describe_trails()["trailList"] == []
    cloudtrail.update_trail(Name="default", IsOrganizationTrail=True)
    assert len(member.describe_trails()["trailList"]) == 1
    cloudtrail.update_trail(Name="default", IsOrganizationTrail=False, S3BucketName="any-trail-bucket")
    organizations.disable_aws_service_access(ServicePrincipal=SERVICE)
    cloudtrail.delete_event_data_store(EventDataStore=store["EventDataStoreArn"])


def test_event_data_stores_need_trusted_access_too(lab: Lab) -> None:
    create_store = lab.client("cloudtrail").create_event_data_store
    assert refusal(create_store, Name="lake-2", OrganizationEnabled=True) == "CloudTrailAccessNotEnabledException"


def test_event_data_stores_are_read_changed_and_deleted(lab: Lab) -> None:
    client = lab.client("cloudtrail")
    with options(lab, lake_customer=True):
        arn = client.create_event_data_store(Name="lake-3", RetentionPeriod=90)["EventDataStoreArn"]
    client.update_event_data_store(EventDataStore=arn, RetentionPeriod=365)
    assert client.get_event_data_store(EventDataStore=arn)["RetentionPeriod"] == 365
    protected = refusal(client.delete_event_data_store, EventDataStore=arn)
    assert protected == "EventDataStoreTerminationProtectedException"
    client.update_event_data_store(EventDataStore=arn, TerminationProtectionEnabled=False)
    client.delete_event_data_store(EventDataStore=arn)
    assert client.get_event_data_store(EventDataStore=arn)["Status"] == "PENDING_DELETION"


def test_fact_9_2_a_new_customer_gets_no_event_data_store(lab: Lab) -> None:
    client = lab.client("cloudtrail")
    before = client.list_event_data_stores()["EventDataStores"]
    with pytest.raises(ClientError, match="no longer accepting new customers"):
        client.create_event_data_store(Name="too-late")
    assert client.list_event_data_stores()["EventDataStores"] == before


# --- section 7 --------------------------------------------------------------------------------------


def test_fact_7_9_trails_of_other_owners_are_known_by_their_names_alone(lab: Lab) -> None:
    """Unlike Control Tower's, which its policy guards: whoever may change trails may change these."""
    client = lab.client("cloudtrail")
    for name in ("aws-aft-CustomizationsCloudTrail", "sra-org-trail", "ASEA-Org-Trail", "PBMMAccel-Org-Trail"):
        create(lab, name)
        client.start_logging(Name=name)
        client.stop_logging(Name=name)
        client.delete_trail(Name=name)


def test_fact_7_8_a_second_trail_with_management_events_is_not_refused(lab: Lab) -> None:
    """Nothing tells of the price but both trails' selectors."""
    client = lab.client("cloudtrail")
    create(lab, "second")
    client.start_logging(Name="second")
    for name in ("default", "second"):
        assert client.get_trail_status(Name=name)["IsLogging"]
        [selector] = client.get_event_selectors(TrailName=name)["EventSelectors"]
        assert selector["IncludeManagementEvents"]
    client.delete_trail(Name="second")
