# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The statements that guard a trail, its log bucket and their key, as pure functions of where the trail logs.

Service control policies bind members' users, roles and root users; management, service-linked roles and CloudTrail
itself they do not (aws-facts 10.3). Resource control policies bind everybody, on members' resources.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .._aws.arn import CLOUDTRAIL, arn_owner
from .._aws.log_place import LogPlace
from .._policy.document import Document

PROBE = "org-trail-guardrails-probe"
"""Name of a trail, and of an object, that nobody has: what is asked of it harms nothing (aws-facts 10.7)."""

TRAIL_CHANGES = (
    "cloudtrail:DeleteTrail",
    "cloudtrail:PutEventSelectors",
    "cloudtrail:PutInsightSelectors",
    "cloudtrail:StopLogging",
    "cloudtrail:UpdateTrail",
)
ROLE_CHANGES = (
    "iam:AttachRolePolicy",
    "iam:DeleteRole",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:UpdateAssumeRolePolicy",
)
BECOME_ROLE = (*ROLE_CHANGES, "iam:CreateRole")
BECOME_USER = (
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:CreateUser",
    "iam:UpdateLoginProfile",
    "iam:UpdateUser",
)
"""By these an administrator could act as a role or user that is spared."""
AT_ONCE = 25
"""So many ARNs are guarded by one statement, so that it fits into a policy beside the list of the exempt."""

RULE_CHANGES = (
    "events:DeleteRule",
    "events:DisableRule",
    "events:PutRule",
    "events:PutTargets",
    "events:RemoveTargets",
)
QUEUE_CHANGES = (
    "sqs:AddPermission",
    "sqs:DeleteQueue",
    "sqs:PurgeQueue",
    "sqs:RemovePermission",
    "sqs:SetQueueAttributes",
)
BUCKET_CHANGES = (
    "s3:DeleteBucket",
    "s3:DeleteBucketPolicy",
    "s3:PutBucketAcl",
    "s3:PutBucketObjectLockConfiguration",
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketPolicy",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketRequestPayment",
    "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
    "s3:PutReplicationConfiguration",
)
FILE_CHANGES = ("s3:BypassGovernanceRetention", "s3:DeleteObject", "s3:DeleteObjectVersion")
KEY_CHANGES = ("kms:DisableKey", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion")


@dataclass(frozen=True)
class Guarded:
    """What is guarded, and who is spared.

    place: where the trail logs, with the account that the bucket belongs to. exempt: ARNs of roles and users, * and ?
    as wildcards. coverage_role: name of the role that the coverage enters members with. member_trails: whether members'
    own trails are guarded, too. regions: whether members' regions are. rules, queues: names in members of what
    watches the trail, perhaps with wildcards.
    """

    place: LogPlace
    exempt: tuple[str, ...] = ()
    coverage_role: str = ""
    member_trails: bool = True
    regions: bool = True
    rules: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()

    @property
    def partition(self) -> str:
        return self.place.trail.partition

    @property
    def key_owner(self) -> str:
        """Account of the trail's KMS key, "" for no key, or one whose ARN is not known."""
        return arn_owner(self.place.kms_key_arn or "")


def member_statements(guarded: Guarded) -> list[Document]:
    """The statements for every member."""
    return list(_member_statements(guarded))


def _member_statements(guarded: Guarded) -> Iterator[Document]:
    arn = f"arn:{guarded.partition}:"
    trail = guarded.place.trail
    trails = f"{arn}cloudtrail:*:*:trail/*"
    named = [str(trail), f"{arn}cloudtrail:*:*:trail/{PROBE}"]
    yield _deny(guarded, "OrgTrailKeepMembership", ("organizations:LeaveOrganization",), "*", spare=False)
    yield _deny(guarded, "OrgTrailKeepTrail", TRAIL_CHANGES, trails if guarded.member_trails else named)
    linked = f"{arn}iam::*:role/aws-service-role/*{CLOUDTRAIL}/*"
    yield _deny(guarded, "OrgTrailKeepServiceRole", ("iam:DeleteServiceLinkedRole",), linked, spare=False)
    if guarded.regions:
        yield _deny(guarded, "OrgTrailKeepRegions", ("account:DisableRegion",), "*")
    if guarded.coverage_role:
        yield _deny(guarded, "OrgTrailKeepCoverageRole", ROLE_CHANGES, f"{arn}iam::*:role/{guarded.coverage_role}")
    if guarded.rules:
        yield _deny(
            guarded, "OrgTrailKeepRules", RULE_CHANGES, [f"{arn}events:*:*:rule/{name}" for name in guarded.rules]
        )
    if guarded.queues:
        yield _deny(guarded, "OrgTrailKeepQueues", QUEUE_CHANGES, [f"{arn}sqs:*:*:{name}" for name in guarded.queues])
    if guarded.key_owner not in ("", guarded.place.owner, trail.account_id):
        yield _keep_key(guarded)
    yield from _keep_exempt(guarded, guarded.exempt)


def archive_statements(guarded: Guarded) -> list[Document]:
    """The statements for the account of the log bucket."""
    place = guarded.place
    statements = [
        _deny(guarded, "OrgTrailKeepBucket", BUCKET_CHANGES, place.bucket_arn),
        _deny(guarded, "OrgTrailKeepFiles", FILE_CHANGES, place.object_arn(f"{place.logs}*")),
    ]
    if guarded.key_owner == place.owner != "":
        statements.append(_keep_key(guarded))
    there = [arn for arn in guarded.exempt if f":iam::{place.owner}:" in arn or ":iam::*:" in arn]
    return [*statements, *_keep_exempt(guarded, there)]


def _keep_key(guarded: Guarded) -> Document:
    return _deny(guarded, "OrgTrailKeepKey", KEY_CHANGES, str(guarded.place.kms_key_arn))


def _keep_exempt(guarded: Guarded, exempt: Sequence[str]) -> Iterator[Document]:
    """Nobody makes himself one of those who are spared: without that the other statements bind no administrator."""
    for number, start in enumerate(range(0, len(exempt), AT_ONCE), 1):
        some = list(exempt[start : start + AT_ONCE])
        users = BECOME_USER if any(":user/" in arn for arn in some) else ()
        sid = "OrgTrailKeepExempt" + (str(number) if number > 1 else "")
        yield _deny(guarded, sid, (*BECOME_ROLE, *users), some)


def _deny(
    guarded: Guarded, sid: str, actions: tuple[str, ...], resource: str | list[str], *, spare: bool = True
) -> Document:
    """Deny actions to everybody, or to everybody but the exempt. ``spare``: whether the exempt are spared."""
    statement: Document = {"Sid": sid, "Effect": "Deny", "Action": list(actions), "Resource": resource}
    if spare and guarded.exempt:
        statement["Condition"] = {"ArnNotLike": {"aws:PrincipalArn": list(guarded.exempt)}}
    return statement


def resource_statements(guarded: Guarded) -> list[Document]:
    """The statements of the resource control policy: only the organization, and services on its behalf.

    A service's call is told by aws:SourceOrgID, and where it has none by aws:SourceAccount: CloudTrail's GetBucketAcl
    may lack the former (aws-facts 3.8). The form is that of AWS's samples:
    https://github.com/aws-samples/resource-control-policy-examples
    """
    place = guarded.place
    resources = {"s3:*": [place.bucket_arn, place.object_arn("*")]}
    if guarded.key_owner not in ("", place.trail.account_id):
        resources["kms:*"] = [str(place.kms_key_arn)]
    everybody = {"Effect": "Deny", "Principal": "*"}
    what = {"Action": list(resources), "Resource": [arn for arns in resources.values() for arn in arns]}
    organization, owner = place.organization_id, place.trail.account_id
    principals = {
        "StringNotEqualsIfExists": {"aws:PrincipalOrgID": organization},
        "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
    }
    services = {
        "StringNotEqualsIfExists": {"aws:SourceOrgID": organization, "aws:SourceAccount": owner},
        "Bool": {"aws:PrincipalIsAWSService": "true"},
        "Null": {"aws:SourceArn": "false"},
    }
    return [
        {"Sid": "OrgTrailOnlyThisOrganization", **everybody, **what, "Condition": principals},
        {"Sid": "OrgTrailOnlyItsServices", **everybody, **what, "Condition": services},
    ]
