# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's STS: keys only for roles that exist, trust the caller, and stand in an active account (aws-facts 4.8)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.organization_trail import member_of, refusal, refused
from tests.lab_process import MEMBER_ROLE, Lab


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab("--scenario", "landing_zone") as lab:
        yield lab


@pytest.fixture
def sts(lab: Lab) -> Any:
    return lab.client("sts")


def role_arn(account: str, name: str = MEMBER_ROLE) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


def make_role(lab: Lab, name: str, principal: str, path: str = "/", **condition: Any) -> str:
    """A role in the log archive that trusts a principal, and nobody else."""
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
    if condition:
        statement["Condition"] = condition
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    made = lab.client("iam", lab.log_archive).create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=trust)
    return str(made["Role"]["Arn"])


def test_caller_identity_of_user_and_session(lab: Lab, sts: Any) -> None:
    assert sts.get_caller_identity()["Arn"] == f"arn:aws:iam::{lab.management}:user/admin"
    answer = sts.assume_role(RoleArn=role_arn(lab.log_archive), RoleSessionName="me@example.com")
    found = lab.client_with(answer["Credentials"], "sts").get_caller_identity()
    assert found["Account"] == lab.log_archive
    assert found["Arn"] == f"arn:aws:sts::{lab.log_archive}:assumed-role/{MEMBER_ROLE}/me@example.com"
    assert found["Arn"] == answer["AssumedRoleUser"]["Arn"]
    assert found["UserId"] == answer["AssumedRoleUser"]["AssumedRoleId"]


def test_keys_that_the_lab_never_issued(lab: Lab) -> None:
    nobody = {"AccessKeyId": "AKIANOBODY0000000000", "SecretAccessKey": "x"}
    found = {
        service: refusal(getattr(lab.client_with(nobody, service), operation))
        for service, operation in (
            ("sts", "get_caller_identity"),
            ("iam", "list_roles"),
            ("ec2", "describe_regions"),
            ("s3", "list_buckets"),
            ("cloudtrail", "describe_trails"),
            ("organizations", "list_roots"),
        )
    }
    assert found == {
        "sts": "InvalidClientTokenId",
        "iam": "InvalidClientTokenId",
        "ec2": "AuthFailure",
        "s3": "InvalidAccessKeyId",
        "cloudtrail": "UnrecognizedClientException",
        "organizations": "UnrecognizedClientException",
    }


def test_a_role_that_does_not_exist(lab: Lab, sts: Any) -> None:
    arn = role_arn(lab.log_archive, "Absent")
    code, message = refused(sts.assume_role, RoleArn=arn, RoleSessionName="me")
    assert code == "AccessDenied"
    caller = f"arn:aws:iam::{lab.management}:user/admin"
    assert message == f"User: {caller} is not authorized to perform: sts:AssumeRole on resource: {arn}"


@pytest.mark.parametrize("account", ["999999999999", "Old-Website", "Acquired-2019", "Trial"])
def test_fact_4_8_suspended_and_closed_accounts_cannot_be_entered(lab: Lab, sts: Any, account: str) -> None:
    accounts = {one["Name"]: one["Id"] for one in lab.client("organizations").list_accounts()["Accounts"]}
    arn = role_arn(accounts.get(account, account))
    assert refusal(sts.assume_role, RoleArn=arn, RoleSessionName="me") == "AccessDenied"


def test_fact_4_8_sessions_end_with_their_account(lab: Lab) -> None:
    organizations = lab.client("organizations")
    request = organizations.create_account(AccountName="Short", Email="short@example.com")["CreateAccountStatus"]["Id"]
    account = organizations.describe_create_account_status(CreateAccountRequestId=request)["CreateAccountStatus"]
    session = lab.client("sts", account["AccountId"])
    assert not refusal(session.get_caller_identity)
    organizations.close_account(AccountId=account["AccountId"])
    assert refusal(session.get_caller_identity) == "InvalidClientTokenId"


def test_the_path_of_the_role_counts(lab: Lab, sts: Any) -> None:
    arn = make_role(lab, "WithPath", f"arn:aws:iam::{lab.management}:root", path="/team/blue/")
    assert arn.endswith(":role/team/blue/WithPath")
    answer = sts.assume_role(RoleArn=arn, RoleSessionName="me")
    assert answer["AssumedRoleUser"]["Arn"].endswith(":assumed-role/WithPath/me")
    assert (
        refusal(sts.assume_role, RoleArn=role_arn(lab.log_archive, "WithPath"), RoleSessionName="me") == "AccessDenied"
    )


def test_trust_in_somebody_else(lab: Lab, sts: Any) -> None:
    other = make_role(lab, "ForAnother", f"arn:aws:iam::{member_of(lab)}:root")
    assert refusal(sts.assume_role, RoleArn=other, RoleSessionName="me") == "AccessDenied"
    user = make_role(lab, "ForTheUser", f"arn:aws:iam::{lab.management}:user/admin")
    assert not refusal(sts.assume_role, RoleArn=user, RoleSessionName="me")


@pytest.mark.parametrize(
    ("given", "code"), [({}, "AccessDenied"), ({"ExternalId": "wrong"}, "AccessDenied"), ({"ExternalId": "secret"}, "")]
)
def test_external_id(lab: Lab, sts: Any, given: dict[str, str], code: str) -> None:
    arn = role_arn(lab.log_archive, "WithExternalId")
    if refusal(lab.client("iam", lab.log_archive).get_role, RoleName="WithExternalId"):
        principal = f"arn:aws:iam::{lab.management}:root"
        make_role(lab, "WithExternalId", principal, StringEquals={"sts:ExternalId": "secret"})
    assert refusal(sts.assume_role, RoleArn=arn, RoleSessionName="me", **given) == code


def test_trust_by_organization_and_path(lab: Lab, sts: Any) -> None:
    inside = make_role(lab, "ForOrganization", "*", StringEquals={"aws:PrincipalOrgID": lab.organization_id})
    outside = make_role(lab, "ForOthers", "*", StringEquals={"aws:PrincipalOrgID": "o-somebodyelse"})
    assert not refusal(sts.assume_role, RoleArn=inside, RoleSessionName="me")
    assert refusal(sts.assume_role, RoleArn=outside, RoleSessionName="me") == "AccessDenied"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"RoleSessionName": "x" * 64}, ""),
        ({"RoleSessionName": "x" * 65}, "ValidationError"),
        ({"RoleSessionName": "with space"}, "ValidationError"),
        ({"RoleArn": "arn:aws:iam::1:role/nonsense"}, "ValidationError"),
        ({"DurationSeconds": 3600}, ""),
        ({"DurationSeconds": 3601}, "ValidationError"),
        ({"Policy": "{"}, "MalformedPolicyDocument"),
        ({"PolicyArns": [{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}]}, ""),
        ({"PolicyArns": [{"arn": "arn:aws:iam::aws:policy/NoSuchPolicy"}]}, "ValidationError"),
    ],
    ids=str,
)
def test_limits(lab: Lab, sts: Any, fields: dict[str, Any], code: str) -> None:
    request = {"RoleArn": role_arn(lab.log_archive), "RoleSessionName": "me", **fields}
    assert refusal(sts.assume_role, **request) == code


def test_a_roles_own_maximum_and_the_hour_of_chained_roles(lab: Lab, sts: Any) -> None:
    arn = make_role(lab, "Long", "*")
    lab.client("iam", lab.log_archive).update_role(RoleName="Long", MaxSessionDuration=7200)
    request = {"RoleArn": arn, "RoleSessionName": "me", "DurationSeconds": 7200}
    assert not refusal(sts.assume_role, **request)
    code, message = refused(lab.client("sts", lab.log_archive).assume_role, **request)
    assert code == "ValidationError"
    assert "role chaining" in message


def test_expired_keys(lab: Lab, sts: Any) -> None:
    arn = role_arn(lab.log_archive)
    keys = sts.assume_role(RoleArn=arn, RoleSessionName="me", DurationSeconds=900)["Credentials"]
    trails = lab.client_with(keys, "cloudtrail")
    assert not refusal(trails.describe_trails)
    lab.control("POST", "time", {"hours": 1})
    assert refusal(trails.describe_trails) == "ExpiredTokenException"
    assert refusal(lab.client_with(keys, "s3").list_buckets) == "ExpiredToken"


def test_session_token_is_the_same_user(lab: Lab, sts: Any) -> None:
    keys = sts.get_session_token()["Credentials"]
    assert lab.client_with(keys, "sts").get_caller_identity()["Arn"] == sts.get_caller_identity()["Arn"]
    assert refusal(lab.client("sts", lab.log_archive).get_session_token) == "AccessDenied"


def test_access_keys_of_users_are_made_and_deleted(lab: Lab) -> None:
    iam = lab.client("iam", lab.log_archive)
    iam.create_user(UserName="robot")
    keys = iam.create_access_key(UserName="robot")["AccessKey"]
    client = lab.client_with(keys, "sts")
    assert client.get_caller_identity()["Arn"] == f"arn:aws:iam::{lab.log_archive}:user/robot"
    iam.delete_access_key(UserName="robot", AccessKeyId=keys["AccessKeyId"])
    assert refusal(client.get_caller_identity) == "InvalidClientTokenId"
    assert refusal(iam.create_access_key, UserName="nobody") == "NoSuchEntity"
