# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom the guardrails would lock out: every role that keeps the trail, with all that it needs, against every policy.

Judged by the collection's own evaluator before anything is written. What cannot be known counts as locked out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from .._aws.arn import CLOUDTRAIL, arn_account
from .._aws.log_place import LogPlace
from .._policy.evaluation import Decision, Request, evaluate, parse_policy
from .policies import RCP, Guardrail
from .statements import Guarded

LOOKUP = (
    "s3:GetBucketAcl",
    "s3:GetBucketLocation",
    "s3:GetBucketLogging",
    "s3:GetBucketNotification",
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketOwnershipControls",
    "s3:GetBucketPolicy",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketRequestPayment",
    "s3:GetBucketVersioning",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:GetReplicationConfiguration",
)
REPAIR = (
    *LOOKUP,
    "s3:CreateBucket",
    "s3:GetAccelerateConfiguration",
    "s3:GetBucketTagging",
    "s3:GetInventoryConfiguration",
    "s3:ListBucket",
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketPolicy",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration",
)
FIND = ("cloudtrail:DescribeTrails", "organizations:DescribeOrganization", "s3:ListAllMyBuckets")
ADMINISTER = (
    "cloudtrail:DeleteTrail",
    "cloudtrail:PutEventSelectors",
    "cloudtrail:PutInsightSelectors",
    "cloudtrail:StartLogging",
    "cloudtrail:StopLogging",
    "cloudtrail:UpdateTrail",
)
RETIRE = (
    "cloudtrail:AddTags",
    "cloudtrail:CreateTrail",
    "cloudtrail:DeleteTrail",
    "cloudtrail:PutEventConfiguration",
    "cloudtrail:PutEventSelectors",
    "cloudtrail:PutInsightSelectors",
    "cloudtrail:RemoveTags",
    "cloudtrail:StartLogging",
    "cloudtrail:StopLogging",
    "cloudtrail:UpdateTrail",
)
WATCH_RULES = ("events:DeleteRule", "events:PutRule", "events:PutTargets", "events:RemoveTargets")
WATCH_QUEUES = ("sqs:DeleteQueue", "sqs:SetQueueAttributes")

_EXEMPT = re.compile(r"arn:(aws[a-z-]*):iam::(\d{12}|\*):(role|user)/(.+)")
_ANY_MEMBER = "999999999999"
"""Stands for any member; statements about members name accounts by * only."""


@dataclass(frozen=True)
class Keepers:
    """Who must go on working: ARNs of roles, and names of roles that every member has. "" for none."""

    lookup: str = ""
    repair: str = ""
    coverage_role: str = ""
    delegated_administrators: tuple[str, ...] = ()
    member_trails_role: str = ""
    watch_role: str = ""


@dataclass(frozen=True)
class Need:
    """One call that a keeper must be able to make. who: what to call it."""

    who: str
    principal: str
    action: str
    resource: str
    service: bool = False
    context: dict[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Lockout:
    """A keeper that a statement of a guardrail would deny some actions."""

    who: str
    principal: str
    actions: tuple[str, ...]
    policy: str
    statement: str

    @property
    def sentence(self) -> str:
        remedy = (
            "Add the ARN of that role, as IAM has it with its path, to exempt_principal_arns."
            if self.principal.startswith("arn:")
            else "Check that the trail and the bucket are of this organization."
        )
        return (
            f"The guardrail {self.policy} would deny {', '.join(self.actions)} to {self.who} ({self.principal}) by its "
            f"statement {self.statement}, expected that it may go on. {remedy}"
        )


def exempt_refusal(guarded: Guarded) -> str | None:
    """Why the list of the exempt cannot be right, in one sentence; None when it may be."""
    for arn in guarded.exempt:
        match = _EXEMPT.fullmatch(arn)
        if match is None:
            return (
                f"exempt_principal_arns holds {arn!r}, expected the ARN of an IAM role or user such as "
                f"arn:{guarded.partition}:iam::111122223333:role/OrgTrailLogArchiveRepair. A session's ARN, an account "
                "and * are never exempt; * may stand in a name."
            )
        partition, _account, _kind, name = match.groups()
        if partition != guarded.partition:
            return (
                f"exempt_principal_arns holds {arn!r} of the partition {partition}, expected {guarded.partition}, the "
                "trail's. Correct the ARN."
            )
        if not name.replace("*", "").replace("?", "").replace("/", ""):
            return (
                f"exempt_principal_arns holds {arn!r}, which exempts everybody, so that nothing would be guarded, "
                "expected the names of a few roles. Name them."
            )
    return None


def needs(guarded: Guarded, keepers: Keepers) -> list[Need]:
    """Every call that must stay possible; what docs/iam lists for each role, and CloudTrail's own requests."""
    return [*_role_needs(guarded, keepers), *_cloudtrail_needs(guarded.place, guarded.key_owner)]


def _role_needs(guarded: Guarded, keepers: Keepers) -> Iterator[Need]:
    place, trail = guarded.place, str(guarded.place.trail)
    bucket = place.bucket_arn
    member = f"arn:{guarded.partition}:iam::{_ANY_MEMBER}:role/"
    for who, principal, actions, resource in (
        ("the role that looks at the log bucket", keepers.lookup, LOOKUP, bucket),
        ("the role that looks at the log bucket", keepers.lookup, FIND, "*"),
        ("the role that repairs the log bucket", keepers.repair, REPAIR, bucket),
        *(("the delegated administrator", one, ADMINISTER, trail) for one in keepers.delegated_administrators),
    ):
        yield from (Need(who, principal, action, resource) for action in actions if principal)
    account = f"arn:{guarded.partition}:account::{_ANY_MEMBER}:account"
    own_trail = f"arn:{guarded.partition}:cloudtrail:{place.trail.region}:{_ANY_MEMBER}:trail/own"
    if keepers.coverage_role:
        who, principal = "the role of the coverage in a member", member + keepers.coverage_role
        yield Need(who, principal, "cloudtrail:GetTrailStatus", trail)
        yield Need(who, principal, "account:ListRegions", account)
    if keepers.member_trails_role:
        who, principal = "the role that retires trails of members", member + keepers.member_trails_role
        yield from (Need(who, principal, action, own_trail) for action in RETIRE)
    if keepers.watch_role:
        who, principal = "the role that watches the trail", member + keepers.watch_role
        region = f"{place.trail.region}:{_ANY_MEMBER}"
        for names, service, kind, actions in (
            (guarded.rules, "events", "rule/", WATCH_RULES),
            (guarded.queues, "sqs", "", WATCH_QUEUES),
        ):
            for name in names:
                resource = f"arn:{guarded.partition}:{service}:{region}:{kind}{name.replace('*', 'x')}"
                yield from (Need(who, principal, action, resource) for action in actions)


def _cloudtrail_needs(place: LogPlace, key_owner: str) -> Iterator[Need]:
    """CloudTrail's requests, with aws:SourceOrgID and without it (aws-facts 3.8)."""
    calls = [
        ("s3:GetBucketAcl", place.bucket_arn),
        ("s3:PutObject", place.object_arn(f"{place.logs}{place.trail.account_id}/x")),
        ("s3:PutObject", place.object_arn(f"{place.organization_logs}{_ANY_MEMBER}/x")),
    ]
    if key_owner:
        calls += [
            (action, str(place.kms_key_arn)) for action in ("kms:GenerateDataKey", "kms:DescribeKey", "kms:Decrypt")
        ]
    for action, resource in calls:
        for organization in (place.organization_id, None):
            context = {"aws:SourceOrgID": organization}
            yield Need("CloudTrail", CLOUDTRAIL, action, resource, service=True, context=context)


def lockouts(policies: Iterable[Guardrail], guarded: Guarded, keepers: Keepers) -> list[Lockout]:
    """Everything that the policies would deny to a keeper, each role and statement once."""
    management = guarded.place.trail.account_id
    parsed = [(one, parse_policy(one.content, "resource" if one.type == RCP else "identity")) for one in policies]
    found: dict[tuple[str, str, str, str], list[str]] = {}
    for need in needs(guarded, keepers):
        request = request_of(need, guarded.place)
        for guardrail, policy in parsed:
            if guardrail.type != RCP and (need.service or arn_account(need.principal) == management):
                continue  # service control policies bind neither services nor management (aws-facts 10.3)
            decision = evaluate(policy, request, identity_policy=guardrail.type != RCP)
            for statement in _denying(decision):
                found.setdefault((need.who, need.principal, guardrail.name, statement), []).append(need.action)
    return [
        Lockout(who, principal, tuple(dict.fromkeys(actions)), policy, statement)
        for (who, principal, policy, statement), actions in found.items()
    ]


def _denying(decision: Decision) -> list[str]:
    """The statements that deny, or may deny."""
    if decision.effect not in ("Deny", "Unknown"):
        return []
    return [match.statement.label for match in decision.statements]


def request_of(need: Need, place: LogPlace) -> Request:
    """The call as AWS judges it; keys that are not told here are not known."""
    context: dict[str, str | list[str] | None] = {"aws:PrincipalIsAWSService": str(need.service).lower()}
    if need.service:
        trail = place.trail
        context |= {"aws:SourceArn": str(trail), "aws:SourceAccount": trail.account_id, "aws:PrincipalOrgID": None}
    else:
        context |= {"aws:PrincipalArn": need.principal, "aws:PrincipalOrgID": place.organization_id}
        context |= {"aws:SourceArn": None, "aws:SourceAccount": None, "aws:SourceOrgID": None}
    kind = "Service" if need.service else "AWS"
    return Request(need.action, need.resource, {kind: need.principal}, {**context, **need.context}, complete=False)
