# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each guardrail denies, and to whom."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._guardrails.statements import (
    PROBE,
    Guarded,
    archive_statements,
    member_statements,
    resource_statements,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._policy.evaluation import (
    Request,
    evaluate,
    parse_policy,
)

from .guarded import ADMINISTRATOR, ARCHIVE, DELEGATE, EXEMPT, GUARDED, KEY, MANAGEMENT, PLACE, REPAIR, TRAIL

ROOT = f"arn:aws:iam::{ADMINISTRATOR}:root"
ADMIN = f"arn:aws:iam::{ADMINISTRATOR}:role/Admin"


def denied(statements: list[Any], action: str, resource: str, principal: str, **context: Any) -> bool:
    identity = not any("Principal" in one for one in statements)
    policy = parse_policy({"Version": "2012-10-17", "Statement": statements}, "identity" if identity else "resource")
    request = Request(action, resource, {"AWS": principal}, {"aws:PrincipalArn": principal, **context})
    return evaluate(policy, request, identity_policy=identity).effect == "Deny"


OWN = f"arn:aws:cloudtrail:eu-west-1:{ADMINISTRATOR}:trail/own"
LINKED = f"arn:aws:iam::{ADMINISTRATOR}:role/aws-service-role/cloudtrail.amazonaws.com/AWSServiceRoleForCloudTrail"
CONTEXT = f"arn:aws:iam::{ADMINISTRATOR}:role/aws-service-role/context.cloudtrail.amazonaws.com/AWSServiceRole"
COVERAGE = f"arn:aws:iam::{ADMINISTRATOR}:role/OrgTrailCoverage"

MEMBER_ATTACKS = [
    ("organizations:LeaveOrganization", "*", False),
    ("cloudtrail:StopLogging", str(TRAIL), True),
    ("cloudtrail:PutEventSelectors", str(TRAIL), True),
    ("cloudtrail:DeleteTrail", OWN, True),
    ("iam:DeleteServiceLinkedRole", LINKED, False),
    ("iam:DeleteServiceLinkedRole", CONTEXT, False),
    ("account:DisableRegion", f"arn:aws:account::{ADMINISTRATOR}:account", True),
    ("iam:UpdateAssumeRolePolicy", COVERAGE, True),
    ("iam:DeleteRole", COVERAGE, True),
    ("events:DisableRule", f"arn:aws:events:us-east-1:{ADMINISTRATOR}:rule/org-trail-drift", True),
    ("sqs:PurgeQueue", f"arn:aws:sqs:us-east-1:{ADMINISTRATOR}:org-trail-drift", True),
]


@pytest.mark.parametrize(("action", "resource", "spared"), MEMBER_ATTACKS)
def test_members(action: str, resource: str, spared: bool) -> None:
    statements = member_statements(GUARDED)
    assert denied(statements, action, resource, ADMIN)
    assert denied(statements, action, resource, ROOT)
    assert denied(statements, action, resource, REPAIR) != spared
    assert denied(member_statements(replace(GUARDED, exempt=())), action, resource, REPAIR)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("cloudtrail:GetTrailStatus", str(TRAIL)),
        ("cloudtrail:CreateTrail", OWN),
        ("cloudtrail:StartLogging", OWN),
        ("iam:DeleteRole", f"arn:aws:iam::{ADMINISTRATOR}:role/Other"),
        ("account:EnableRegion", "*"),
        ("events:DisableRule", f"arn:aws:events:us-east-1:{ADMINISTRATOR}:rule/other"),
    ],
)
def test_members_go_on(action: str, resource: str) -> None:
    assert not denied(member_statements(GUARDED), action, resource, ADMIN)


def test_switches() -> None:
    bare = member_statements(Guarded(PLACE, member_trails=False, regions=False))
    assert [one["Sid"] for one in bare] == ["OrgTrailKeepMembership", "OrgTrailKeepTrail", "OrgTrailKeepServiceRole"]
    assert not denied(bare, "cloudtrail:StopLogging", OWN, ADMIN)
    assert denied(bare, "cloudtrail:StopLogging", str(TRAIL), ADMIN)
    assert denied(bare, "cloudtrail:StopLogging", f"arn:aws:cloudtrail:us-east-1:{ADMINISTRATOR}:trail/{PROBE}", ADMIN)


USER = f"arn:aws:iam::{ARCHIVE}:user/repair"


@pytest.mark.parametrize(
    ("action", "resource", "archive"),
    [
        ("iam:UpdateAssumeRolePolicy", REPAIR, True),
        ("iam:DeleteRole", REPAIR, True),
        ("iam:PutRolePolicy", DELEGATE, False),
        ("iam:CreateRole", f"arn:aws:iam::{ARCHIVE}:role/OrgTrailRetire", True),  # the exempt name any account
        ("iam:CreateAccessKey", USER, True),
        ("iam:UpdateUser", USER, True),
    ],
)
def test_nobody_becomes_one_of_the_exempt(action: str, resource: str, archive: bool) -> None:
    """Who may change the role that is spared is spared as well, in two calls."""
    guarded = replace(GUARDED, exempt=(*EXEMPT, USER))
    for statements, expected in ((member_statements(guarded), True), (archive_statements(guarded), archive)):
        assert denied(statements, action, resource, f"arn:aws:iam::{ARCHIVE}:role/Admin") == expected
        assert denied(statements, action, resource, f"arn:aws:iam::{ARCHIVE}:root") == expected
        assert not denied(statements, action, resource, REPAIR)
        assert not denied(statements, action, resource.replace("OrgTrail", "Other").replace("repair", "other"), ADMIN)


def test_many_exempt_are_guarded_by_several_statements() -> None:
    names = tuple(f"arn:aws:iam::{ARCHIVE}:role/Number{number}" for number in range(60))
    kept = [one for one in archive_statements(replace(GUARDED, exempt=names)) if "KeepExempt" in one["Sid"]]
    assert [one["Sid"] for one in kept] == [f"OrgTrailKeepExempt{number}" for number in ("", 2, 3)]
    assert [arn for one in kept for arn in one["Resource"]] == list(names)


@pytest.mark.parametrize(
    ("owner", "members", "archive"), [(ARCHIVE, False, True), (ADMINISTRATOR, True, False), (MANAGEMENT, False, False)]
)
def test_the_key_is_kept_where_it_is(owner: str, members: bool, archive: bool) -> None:
    key = KEY.replace(ARCHIVE, owner)
    guarded = replace(GUARDED, place=replace(PLACE, kms_key_arn=key))
    for action in ("kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:PutKeyPolicy"):
        assert denied(member_statements(guarded), action, key, ADMIN) == members
        assert denied(archive_statements(guarded), action, key, ADMIN) == archive


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        *(
            (f"s3:{name}", PLACE.bucket_arn)
            for name in (
                "DeleteBucket",
                "DeleteBucketPolicy",
                "PutBucketPolicy",
                "PutLifecycleConfiguration",
                "PutBucketVersioning",
                "PutBucketPublicAccessBlock",
                "PutEncryptionConfiguration",
                "PutReplicationConfiguration",
                "PutBucketOwnershipControls",
            )
        ),
        ("s3:DeleteObject", PLACE.object_arn("central/AWSLogs/o-exampleorgid/x")),
        ("s3:DeleteObjectVersion", PLACE.object_arn("central/AWSLogs/x")),
        ("s3:BypassGovernanceRetention", PLACE.object_arn("central/AWSLogs/x")),
        ("kms:ScheduleKeyDeletion", KEY),
    ],
)
def test_the_log_archive(action: str, resource: str) -> None:
    statements = archive_statements(GUARDED)
    admin = f"arn:aws:iam::{ARCHIVE}:role/Admin"
    assert denied(statements, action, resource, admin)
    assert denied(statements, action, resource, f"arn:aws:iam::{ARCHIVE}:root")
    assert not denied(statements, action, resource, REPAIR)
    assert not denied(statements, action, resource.replace("org-logs", "other").replace("1234abcd", "other"), admin)


PERSON = {"aws:PrincipalIsAWSService": "false"}
SERVICE = {"aws:PrincipalIsAWSService": "true", "aws:SourceArn": str(TRAIL)}


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({**PERSON, "aws:PrincipalOrgID": "o-exampleorgid"}, False),
        ({**PERSON, "aws:PrincipalOrgID": "o-other"}, True),
        (PERSON, True),
        ({**SERVICE, "aws:SourceOrgID": "o-exampleorgid", "aws:SourceAccount": ADMINISTRATOR}, False),
        ({**SERVICE, "aws:SourceAccount": MANAGEMENT}, False),
        ({**SERVICE, "aws:SourceOrgID": "o-other", "aws:SourceAccount": "999999999999"}, True),
        ({**SERVICE, "aws:SourceAccount": "999999999999"}, True),
        ({"aws:PrincipalIsAWSService": "true"}, False),
    ],
)
def test_resources(context: dict[str, str], expected: bool) -> None:
    """aws-facts 3.8: without aws:SourceOrgID, aws:SourceAccount tells."""
    for action, resource in (("s3:PutObject", PLACE.object_arn("x")), ("kms:Decrypt", KEY)):
        assert denied(resource_statements(GUARDED), action, resource, ADMIN, **context) == expected
