# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what in the lab: bucket policies always, the caller's own policies with --enforce-iam."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.organization_trail import member_of, refusal, refused
from tests.lab_process import MEMBER_ROLE, Lab

CLOUDTRAIL = "cloudtrail.amazonaws.com"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab("--enforce-iam") as lab:
        yield lab


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str | list[str], resource: str = "*", **condition: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"Effect": "Allow", "Action": action, "Resource": resource}
    return {**made, "Condition": condition} if condition else made


@pytest.fixture
def user(lab: Lab) -> Iterator[dict[str, Any]]:
    """Keys of a new user of management without any permission."""
    iam = lab.client("iam")
    iam.create_user(UserName="robot")
    keys = iam.create_access_key(UserName="robot")["AccessKey"]
    yield keys
    for name in iam.list_user_policies(UserName="robot")["PolicyNames"]:
        iam.delete_user_policy(UserName="robot", PolicyName=name)
    iam.delete_access_key(UserName="robot", AccessKeyId=keys["AccessKeyId"])
    iam.delete_user(UserName="robot")


def permit(lab: Lab, *statements: dict[str, Any]) -> None:
    lab.client("iam").put_user_policy(UserName="robot", PolicyName="p", PolicyDocument=document(*statements))


# --- identity policies ------------------------------------------------------------------------------


def test_without_a_policy_nothing_is_allowed_but_asking_who_one_is(lab: Lab, user: dict[str, Any]) -> None:
    arn = f"arn:aws:iam::{lab.management}:user/robot"
    assert lab.client_with(user, "sts").get_caller_identity()["Arn"] == arn
    organizations = lab.client_with(user, "organizations")
    code, message = refused(organizations.enable_aws_service_access, ServicePrincipal=CLOUDTRAIL)
    assert code == "AccessDeniedException"
    assert message == (
        f"User: {arn} is not authorized to perform: organizations:EnableAWSServiceAccess on resource: * because no "
        "identity-based policy allows the organizations:EnableAWSServiceAccess action"
    )


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "statement"),
    [
        (
            "organizations",
            "enable_aws_service_access",
            {"ServicePrincipal": CLOUDTRAIL},
            allow(
                "organizations:EnableAWSServiceAccess",
                StringEquals={"organizations:ServicePrincipal": CLOUDTRAIL},
            ),
        ),
        (
            "organizations",
            "describe_account",
            {"AccountId": "ARCHIVE"},
            allow("organizations:Describe*", "arn:aws:organizations::MANAGEMENT:account/ORGANIZATION/ARCHIVE"),
        ),
        ("cloudtrail", "describe_trails", {}, allow("cloudtrail:DescribeTrails")),
        ("cloudtrail", "get_trail", {"Name": "default"}, allow("cloudtrail:GetTrail", "TRAIL")),
        (
            "cloudtrail",
            "stop_logging",
            {"Name": "TRAIL"},
            allow("cloudtrail:*", "TRAIL", StringEquals={"aws:RequestedRegion": "us-east-1"}),
        ),
        ("cloudtrail", "start_logging", {"Name": "TRAIL"}, allow("*", IpAddress={"aws:SourceIp": "127.0.0.0/8"})),
        (
            "sts",
            "assume_role",
            {"RoleArn": f"arn:aws:iam::ARCHIVE:role/{MEMBER_ROLE}", "RoleSessionName": "me"},
            allow("sts:AssumeRole", f"arn:aws:iam::*:role/{MEMBER_ROLE}"),
        ),
        ("s3", "list_buckets", {}, allow("s3:ListAllMyBuckets")),
        ("s3", "list_objects_v2", {"Bucket": "OLD"}, allow("s3:ListBucket", "arn:aws:s3:::OLD")),
        (
            "s3",
            "put_object",
            {"Bucket": "OLD", "Key": "a/b", "Body": b"", "ServerSideEncryption": "AES256"},
            allow("s3:PutObject", "arn:aws:s3:::OLD/a/*", StringEquals={"s3:x-amz-server-side-encryption": "AES256"}),
        ),
        (
            "iam",
            "get_user",
            {"UserName": "robot"},
            allow("iam:GetUser", "arn:aws:iam::MANAGEMENT:user/${aws:username}"),
        ),
        (
            "iam",
            "list_roles",
            {},
            allow("iam:ListRoles", StringEquals={"aws:PrincipalOrgID": "ORGANIZATION", "aws:SecureTransport": "true"}),
        ),
        ("ec2", "describe_regions", {}, allow("ec2:DescribeRegions")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_identity_policies_by_action_resource_and_condition(
    lab: Lab, user: dict[str, Any], service: str, operation: str, parameters: dict[str, Any], statement: dict[str, Any]
) -> None:
    old = lab.client("cloudtrail").get_trail(Name="default")["Trail"]["S3BucketName"]
    names = {
        "ARCHIVE": lab.log_archive,
        "MANAGEMENT": lab.management,
        "ORGANIZATION": lab.organization_id,
        "TRAIL": lab.trail_arn,
        "OLD": old,
    }

    def filled(text: str) -> str:
        for name, value in names.items():
            text = text.replace(name, value)
        return text

    asked = {key: filled(value) if isinstance(value, str) else value for key, value in parameters.items()}
    method = getattr(lab.client_with(user, service), operation)
    denied = {"s3": "AccessDenied", "iam": "AccessDenied", "sts": "AccessDenied", "ec2": "UnauthorizedOperation"}
    assert refusal(method, **asked) == denied.get(service, "AccessDeniedException")
    permit(lab, json.loads(filled(json.dumps(statement))))
    assert refusal(method, **asked) == ""
    permit(lab, json.loads(filled(json.dumps(statement))), {**allow("*"), "Effect": "Deny"})
    assert refused(method, **asked)[1].endswith("with an explicit deny in an identity-based policy")


def test_policies_of_groups_and_managed_policies_count(lab: Lab, user: dict[str, Any]) -> None:
    iam, trails = lab.client("iam"), lab.client_with(user, "cloudtrail")
    group, managed = {"GroupName": "readers"}, {"PolicyArn": "arn:aws:iam::aws:policy/AWSCloudTrail_ReadOnlyAccess"}
    iam.create_group(**group)
    iam.attach_group_policy(**group, **managed)
    assert refusal(trails.describe_trails) == "AccessDeniedException"
    iam.add_user_to_group(**group, UserName="robot")
    assert not refusal(trails.describe_trails)
    assert refusal(trails.stop_logging, Name="default") == "AccessDeniedException"
    iam.remove_user_from_group(**group, UserName="robot")
    iam.detach_group_policy(**group, **managed)
    iam.delete_group(**group)


def test_session_policies_narrow(lab: Lab) -> None:
    role = f"arn:aws:iam::{lab.log_archive}:role/{MEMBER_ROLE}"
    answer = lab.client("sts").assume_role(
        RoleArn=role, RoleSessionName="me", Policy=document(allow("cloudtrail:DescribeTrails"))
    )
    assert not refusal(lab.client_with(answer["Credentials"], "cloudtrail").describe_trails)
    code, message = refused(lab.client_with(answer["Credentials"], "s3").list_buckets)
    assert code == "AccessDenied"
    assert message.endswith("because no session policy allows the s3:ListAllMyBuckets action")


def test_permissions_boundaries_narrow(lab: Lab, user: dict[str, Any]) -> None:
    iam = lab.client("iam")
    boundary = iam.create_policy(PolicyName="limits", PolicyDocument=document(allow("s3:*")))["Policy"]["Arn"]
    iam.create_role(
        RoleName="bounded",
        PermissionsBoundary=boundary,
        AssumeRolePolicyDocument=document(
            {"Effect": "Allow", "Principal": {"AWS": lab.management}, "Action": "sts:AssumeRole"}
        ),
    )
    iam.attach_role_policy(RoleName="bounded", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    arn = f"arn:aws:iam::{lab.management}:role/bounded"
    keys = lab.client("sts").assume_role(RoleArn=arn, RoleSessionName="me")["Credentials"]
    assert not refusal(lab.client_with(keys, "s3").list_buckets)
    message = refused(lab.client_with(keys, "iam").list_roles)[1]
    assert message.endswith("because no permissions boundary allows the iam:ListRoles action")


def test_a_role_of_ones_own_account_may_name_its_caller(lab: Lab, user: dict[str, Any]) -> None:
    """In one account the trust policy suffices when it names the caller itself, not the account."""
    iam, sts = lab.client("iam"), lab.client_with(user, "sts")
    for name, principal in (("direct", f"arn:aws:iam::{lab.management}:user/robot"), ("by-account", lab.management)):
        trust = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))
    arn = f"arn:aws:iam::{lab.management}:role/"
    assert not refusal(sts.assume_role, RoleArn=f"{arn}direct", RoleSessionName="me")
    assert refusal(sts.assume_role, RoleArn=f"{arn}by-account", RoleSessionName="me") == "AccessDenied"


# --- buckets ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bucket(lab: Lab) -> str:
    """A bucket of the log archive with one object."""
    s3 = lab.client("s3", lab.log_archive)
    s3.create_bucket(Bucket="crossing")
    s3.put_object(Bucket="crossing", Key="x", Body=b"1")
    return "crossing"


def set_policy(lab: Lab, bucket: str, *statements: dict[str, Any]) -> None:
    s3 = lab.client("s3", lab.log_archive)
    s3.delete_bucket_policy(Bucket=bucket)
    if statements:
        s3.put_bucket_policy(Bucket=bucket, Policy=document(*statements))


def test_fact_3_5_another_accounts_bucket_needs_its_policy(lab: Lab, bucket: str) -> None:
    s3, other = lab.client("s3"), lab.client("s3", member_of(lab))
    request = {"Bucket": bucket, "Key": "x"}
    set_policy(lab, bucket)
    code, message = refused(s3.get_object, **request)
    assert code == "AccessDenied"
    assert message.endswith("because no resource-based policy allows the s3:GetObject action")
    grant = {**allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*"), "Principal": {"AWS": lab.management}}
    set_policy(lab, bucket, grant)
    assert not refusal(s3.get_object, **request)
    assert refusal(other.get_object, **request) == "AccessDenied"
    in_organization = {
        **allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*", StringEquals={"aws:PrincipalOrgID": lab.organization_id}),
        "Principal": "*",
    }
    set_policy(lab, bucket, in_organization)
    assert not refusal(other.get_object, **request)


def test_a_bucket_policy_denies_its_own_account_too(lab: Lab, bucket: str) -> None:
    deny = {**allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*"), "Principal": "*", "Effect": "Deny"}
    s3 = lab.client("s3", lab.log_archive)
    set_policy(lab, bucket, deny)
    message = refused(s3.get_object, Bucket=bucket, Key="x")[1]
    assert message.endswith("with an explicit deny in a resource-based policy")
    deny["Condition"] = {"Bool": {"aws:SecureTransport": "false"}}
    set_policy(lab, bucket, deny)
    assert not refusal(s3.get_object, Bucket=bucket, Key="x")


def test_fact_3_5_expected_bucket_owner(lab: Lab, bucket: str) -> None:
    s3 = lab.client("s3", lab.log_archive)
    set_policy(lab, bucket)
    for operation in ("head_bucket", "get_bucket_location", "list_objects_v2"):
        method = getattr(s3, operation)
        assert not refusal(method, Bucket=bucket, ExpectedBucketOwner=lab.log_archive)
        assert refusal(method, Bucket=bucket, ExpectedBucketOwner=lab.management) in ("AccessDenied", "403")


def test_a_bucket_that_does_not_exist(lab: Lab) -> None:
    assert refusal(lab.client("s3").get_bucket_policy, Bucket="no-such-bucket-here") == "NoSuchBucket"
