# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may reach the logs, and who is kept from them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import TrailArn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.log_place import LogPlace
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.reach import plain_acl, weak_acl, weak_policy

OWNER, MANAGEMENT, OTHER = "222233334444", "111122223333", "999999999999"
BUCKET = "arn:aws:s3:::logs"
PLACE = LogPlace("logs", TrailArn("aws", "us-east-1", MANAGEMENT, "default"), "o-abc1234567", owner=OWNER)


def statement(effect: str, principal: Any, action: Any = "s3:*", resource: Any = "", **more: Any) -> dict[str, Any]:
    resource = resource or [BUCKET, f"{BUCKET}/*"]
    return {"Sid": "Odd", "Effect": effect, "Principal": principal, "Action": action, "Resource": resource, **more}


def allow(principal: Any, **more: Any) -> dict[str, Any]:
    return statement("Allow", principal, **more)


def deny(principal: Any, action: Any = "s3:GetObject", resource: Any = "", **more: Any) -> dict[str, Any]:
    return statement("Deny", principal, action, resource, **more)


def condition(operator: str, key: str, value: Any) -> dict[str, Any]:
    return {"Condition": {operator: {key: value}}}


def judge(*statements: dict[str, Any]) -> list[tuple[str, str, str, bool]]:
    policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    return [
        (one.setting, one.found.removeprefix("Odd "), one.account_id, one.weakened)
        for one in weak_policy(policy, PLACE)
    ]


def to(account: str, actions: str = "s3:*") -> tuple[str, str, str, bool]:
    return ("outside_access", f"allows {actions} to account {account}", account, False)


EVERYBODY = ("outside_access", "allows s3:* to everybody", "", True)
UNREAD = ("readers", "denies s3:GetObject to everybody", "", True)
ROLE = f"arn:aws:iam::{OWNER}:role/Auditor"
POLICIES: dict[str, tuple[dict[str, Any], list[tuple[str, str, str, bool]]]] = {
    "an account": (allow({"AWS": OTHER}), [to(OTHER)]),
    "its root": (allow({"AWS": f"arn:aws:iam::{OTHER}:root"}), [to(OTHER)]),
    "its role": (
        allow({"AWS": [f"arn:aws:iam::{OTHER}:role/a", f"arn:aws:sts::{OTHER}:assumed-role/a/b"]}),
        [to(OTHER)],
    ),
    "own account": (allow({"AWS": OWNER}), []),
    "management": (allow({"AWS": f"arn:aws:iam::{MANAGEMENT}:root"}), []),
    "a service": (allow({"Service": "cloudtrail.amazonaws.com"}), []),
    "everybody": (allow("*"), [EVERYBODY]),
    "everybody as AWS": (allow({"AWS": "*"}), [EVERYBODY]),
    "everybody from a place": (
        allow("*", **condition("IpAddress", "aws:SourceIp", "192.0.2.0/24")),
        [("outside_access", "allows s3:* to everybody under the condition 192.0.2.0/24", "", False)],
    ),
    "everybody from all places": (allow("*", **condition("IpAddress", "aws:SourceIp", "0.0.0.0/0")), [EVERYBODY]),
    "everybody with a condition": (allow("*", **condition("StringLike", "aws:UserAgent", "*")), [EVERYBODY]),
    "everybody of an account": (allow("*", **condition("StringEquals", "aws:PrincipalAccount", OTHER)), [to(OTHER)]),
    "everybody of the account": (allow("*", **condition("StringEquals", "aws:PrincipalAccount", OWNER)), []),
    "a role of everybody": (
        allow("*", **condition("ArnLike", "aws:PrincipalArn", f"arn:aws:iam::{OTHER}:role/*")),
        [to(OTHER)],
    ),
    "such a role of any account": (
        allow("*", **condition("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/x")),
        [EVERYBODY],
    ),
    "the organization, or who is of none": (
        allow("*", **condition("StringEqualsIfExists", "aws:PrincipalOrgID", "o-abc1234567")),
        [EVERYBODY],
    ),
    "all organizations of nobody": (
        allow("*", **condition("ForAllValues:StringEquals", "aws:PrincipalOrgID", "o-abc1234567")),
        [EVERYBODY],
    ),
    "another organization": (allow("*", **condition("StringEquals", "aws:PrincipalOrgID", "o-other")), [EVERYBODY]),
    "the organization's units": (
        allow("*", **condition("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-abc1234567/r-1/*")),
        [],
    ),
    "any organization's units": (
        allow("*", **condition("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-*/r-1/*")),
        [EVERYBODY],
    ),
    "the organization": (allow("*", **condition("StringEquals", "aws:PrincipalOrgID", "o-abc1234567")), []),
    "an account of the organization": (
        allow({"AWS": OTHER}, **condition("StringEquals", "aws:PrincipalOrgID", "o-abc1234567")),
        [],
    ),
    "an account of another organization": (
        allow({"AWS": OTHER}, **condition("StringEquals", "aws:PrincipalOrgID", "o-other")),
        [to(OTHER)],
    ),
    "an account outside the organization": (
        allow({"AWS": OTHER}, **condition("StringNotEquals", "aws:PrincipalOrgID", "o-abc1234567")),
        [to(OTHER)],
    ),
    "a deleted role": (allow({"AWS": "AROAAAAAAAAAAAAAAAAAA"}), []),
    "denied to everybody": (deny("*"), [UNREAD]),
    "denied to the account": (deny({"AWS": OWNER}), [UNREAD]),
    "denied over TLS": (deny("*", **condition("Bool", "aws:SecureTransport", "true")), [UNREAD]),
    "denied without TLS": (deny("*", **condition("Bool", "aws:SecureTransport", "false")), []),
    "denied outside the organization": (
        deny("*", **condition("StringNotEquals", "aws:PrincipalOrgID", "o-abc1234567")),
        [],
    ),
    "denied by place": (deny("*", **condition("NotIpAddress", "aws:SourceIp", "192.0.2.0/24")), []),
    "denied to a role": (deny({"AWS": ROLE}), [("readers", f"denies s3:GetObject to {ROLE}", "", False)]),
    "denied to all but a role": (
        {"Effect": "Deny", "NotPrincipal": {"AWS": ROLE}, "Action": "s3:GetObject", "Resource": f"{BUCKET}/*"},
        [],
    ),
    "denied to list": (deny("*", "s3:List*"), [("readers", "denies s3:ListBucket to everybody", "", True)]),
    "denied to delete": (deny("*", "s3:DeleteObject"), []),
    "denied elsewhere": (deny("*", "s3:GetObject", f"{BUCKET}/tmp/*"), []),
    "denied to a service": (deny({"Service": "config.amazonaws.com"}), []),
}


@pytest.mark.parametrize(("given", "expected"), POLICIES.values(), ids=POLICIES)
def test_the_policy_lets_in_the_organization_alone(
    given: dict[str, Any], expected: list[tuple[str, str, str, bool]]
) -> None:
    assert judge(given) == expected


@pytest.mark.parametrize("policy", [None, "", "no policy"])
def test_what_is_no_policy_grants_nothing(policy: str | None) -> None:
    assert list(weak_policy(policy, PLACE)) == []


GROUP = "http://acs.amazonaws.com/groups/"
ACL = {
    "Owner": {"ID": "owner"},
    "Grants": [
        {"Grantee": {"ID": "owner"}, "Permission": "FULL_CONTROL"},
        {"Grantee": {"URI": f"{GROUP}s3/LogDelivery"}, "Permission": "WRITE"},
        {"Grantee": {"URI": f"{GROUP}global/AllUsers"}, "Permission": "READ"},
        {"Grantee": {"ID": "other"}, "Permission": "WRITE_ACP"},
    ],
}


@pytest.mark.parametrize(
    ("ownership", "found"),
    [
        ("BucketOwnerEnforced", []),
        ("ObjectWriter", ["the ACL grants READ to everybody", "the ACL grants WRITE_ACP to canonical user other"]),
        (None, ["the ACL grants READ to everybody", "the ACL grants WRITE_ACP to canonical user other"]),
    ],
)
def test_grants_to_others_count_where_acls_do(ownership: str | None, found: list[str]) -> None:
    assert [one.found for one in weak_acl(plain_acl(ACL), ownership)] == found


def test_an_empty_acl_grants_nothing() -> None:
    assert plain_acl(None) == plain_acl({}) == []
