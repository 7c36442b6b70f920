# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what: SCPs, RCPs and bucket policies always, the caller's own policies with ``--enforce-iam``.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ansible_collections.cloudsec.org_trail.plugins.module_utils._policy.evaluation import (
    Decision,
    Policy,
    PolicyError,
    Request,
    evaluate,
    parse_policy,
)

from lab.kernel.call import Call, LabError
from lab.kernel.world import World
from lab.services import s3
from lab.services.iam import api as iam
from lab.services.iam.requested import (
    action_of,
    bucket_of,
    caller_context,
    context_of,
    iam_arn,
    is_root,
    owner_of,
    resources_of,
)
from lab.services.organizations.api import has_rcps, rcps_for, scps_for
from lab.services.organizations.policies import summary_of
from lab.services.organizations.state import FULL_ACCESS, OrganizationPolicy

__all__ = ["authorize", "caller_context", "document"]

UNCHECKED = (("sts", "GetCallerIdentity"),)
"""Needs no permission, and cannot be denied."""

CONTROLLED = ("kms", "logs", "s3", "secretsmanager", "sqs", "sts")
"""Services whose resources resource control policies bind (aws-facts 10.4)."""

EXPLICIT = "with an explicit deny in {}"
MISSING = "because no {} allows the {} action"


@lru_cache(maxsize=4096)
def document(text: str) -> Policy:
    """A parsed policy document. Raises PolicyError."""
    return parse_policy(text)


@dataclass(frozen=True)
class Verdict:
    """What a set of policies says: explicitly denied, or allowed, or neither."""

    denied: bool
    allowed: bool


def judge(texts: Iterable[str], request: Request) -> Verdict:
    """What identity policies (or SCPs) say together. A policy that leaves it open counts as neither."""
    effects = [effect_of(text, request) for text in texts]
    denied = "Deny" in effects
    return Verdict(denied, not denied and "Unknown" not in effects and "Allow" in effects)


def effect_of(text: str, request: Request) -> str:
    if text == FULL_ACCESS:  # most SCPs are this one, and every member call meets it at each level
        return "Allow"
    try:
        return evaluate(document(text), request, identity_policy=True).effect
    except PolicyError:
        return "Unknown"


def authorize(world: World, call: Call) -> None:
    """Raise AWS's AccessDenied answer when a policy denies the call."""
    if (call.service, call.operation) in UNCHECKED:
        return
    bucket = bucket_of(call)
    linked = ":role/aws-service-role/" in iam_arn(world, call)  # such roles are bound by neither (aws-facts 10.3)
    levels = [] if linked else scps_for(world, call.account)
    controlled = call.service in CONTROLLED and not linked and has_rcps(world)
    if not (levels or controlled or world.enforce_iam or bucket):
        return
    context = context_of(world, call)
    for resource in resources_of(world, call):
        request = Request(action_of(call), resource, {"AWS": call.principal.arn}, context)
        for level in levels:
            obey_scps(world, call, request, level)
        if controlled:
            obey_rcps(world, call, request)
        by_resource = by_bucket(world, call, request, bucket) or by_trust(world, call, request)
        if world.enforce_iam:
            obey_identity(world, call, request, by_resource)


def obey_scps(world: World, call: Call, request: Request, level: list[OrganizationPolicy]) -> None:
    """The policies of one level."""
    verdict = judge((policy.content for policy in level), request)
    if verdict.denied:
        denying = next(policy for policy in level if effect_of(policy.content, request) == "Deny")
        raise denial(call, request, denied_by(world, denying, "a service control policy"))
    obey(call, request, verdict, "service control policy", "a ")


def obey_rcps(world: World, call: Call, request: Request) -> None:
    """The policies that bind the resource, whoever calls: members' root users and outsiders too (aws-facts 10.3)."""
    for policy in rcps_for(world, owner_of(call, request.resource)):
        if evaluate(document(policy.content), request).effect == "Deny":
            raise denial(call, request, denied_by(world, policy, "a resource control policy"))


def denied_by(world: World, policy: OrganizationPolicy, kind: str) -> str:
    """AWS's words of an explicit deny. It began to name the policy (aws-facts 7.10)."""
    words = EXPLICIT.format(kind)
    if not (world.options.scp_arn_in_denials and world.organization):
        return words
    return f"{words}: {summary_of(world.organization, policy)['Arn']}"


def obey(call: Call, request: Request, verdict: Verdict, kind: str, article: str) -> None:
    if verdict.denied:
        raise denial(call, request, EXPLICIT.format(article + kind))
    if not verdict.allowed:
        raise denial(call, request, MISSING.format(kind, request.action))


def denial(call: Call, request: Request, why: str) -> LabError:
    """AWS's answer, in the words and with the code of the service."""
    resource = f'"{request.resource}"' if call.service == "s3" else request.resource
    message = f"User: {call.principal.arn} is not authorized to perform: {request.action} on resource: {resource} {why}"
    if call.service == "ec2":
        return LabError("UnauthorizedOperation", f"You are not authorized to perform this operation. {message}", 403)
    if call.protocol in ("json", "rest-json"):
        return LabError("AccessDeniedException", message, 403 if call.protocol == "rest-json" else 400)
    return LabError("AccessDenied", message, 403)


# --- the caller's own policies ----------------------------------------------------------------------


def obey_identity(world: World, call: Call, request: Request, by_resource: bool) -> None:
    """Session policies, permissions boundary and identity policies. A resource may have let this caller in itself.

    An account's root user has none of them and may do everything.
    """
    if is_root(call.principal):
        return
    holder = identity_of(world, call)
    verdict = judge(documents_of(world, call, holder), request)
    if verdict.denied or not by_resource:
        obey(call, request, verdict, "identity-based policy", "an ")
    boundary = getattr(holder, "permissions_boundary_arn", None)
    if boundary:
        policy = iam.backend_of(world, call.account).managed_policies.get(boundary)
        limits = judge([iam.document_of(policy)] if policy else [], request)
        obey(call, request, limits, "permissions boundary", "a ")
    if call.principal.session_policies:
        obey(call, request, judge(call.principal.session_policies, request), "session policy", "a ")


def identity_of(world: World, call: Call) -> Any:
    """moto's role or user behind the caller, None when it was deleted."""
    if call.principal.role:
        return iam.find_role(world, call.account, call.principal.role)
    return iam.backend_of(world, call.account).users.get(call.principal.arn.rpartition("/")[2])


def documents_of(world: World, call: Call, holder: Any) -> list[str]:
    """The documents of all inline and managed policies of a role, or of a user and its groups."""
    if holder is None:
        return []
    holders = [holder]
    if not call.principal.role:
        holders += iam.backend_of(world, call.account).get_groups_for_user(holder.name)
    return [
        text
        for one in holders
        for text in (*one.policies.values(), *(iam.document_of(policy) for policy in one.managed_policies.values()))
    ]


# --- policies of resources --------------------------------------------------------------------------


def names_caller(decision: Decision, account: str) -> bool:
    """Whether an Allow names the caller itself, not its whole account (which only lets IAM decide)."""
    values = [value for match in decision.statements for _kind, value in match.statement.principal or ()]
    return any(value != account and not value.endswith(":root") for value in values)


def by_trust(world: World, call: Call, request: Request) -> bool:
    """Whether a role's trust policy alone lets a caller of the same account assume it."""
    if call.service != "sts" or f"::{call.account}:" not in request.resource:
        return False
    role = iam.find_role(world, call.account, request.resource.rpartition("/")[2])
    if role is None:
        return False
    decision = evaluate(document(role.assume_role_policy_document), request)
    return decision.effect == "Allow" and names_caller(decision, call.account)


def by_bucket(world: World, call: Call, request: Request, bucket: s3.Bucket | None) -> bool:
    """Obey the bucket's policy. Answer whether it lets the caller in by itself.

    From another account it must allow; in its own account it must not deny.
    """
    if bucket is None:
        return False
    expected = call.headers.get("x-amz-expected-bucket-owner", bucket.account_id)
    if expected != bucket.account_id:
        raise LabError("AccessDenied", "Access Denied", 403)
    decision = evaluate(bucket_policy(bucket), request) if bucket.policy else Decision("ImplicitDeny")
    if decision.effect == "Deny":
        raise denial(call, request, EXPLICIT.format("a resource-based policy"))
    if decision.effect == "Unknown":
        raise denial(call, request, MISSING.format("resource-based policy", request.action))
    if call.account != bucket.account_id and decision.effect != "Allow":
        raise denial(call, request, MISSING.format("resource-based policy", request.action))
    return call.account == bucket.account_id and decision.effect == "Allow" and names_caller(decision, call.account)


def bucket_policy(bucket: s3.Bucket) -> Policy:
    text: Any = bucket.policy
    return document(text.decode() if isinstance(text, bytes) else text)
