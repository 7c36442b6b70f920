# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the policy that is to the one that is wanted: what is refused, the fewest writes, and making them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.policy import compare_policies
from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list

from .._aws.errors import AnsibleOrgTrailError, outcome_unknown, refuse
from .._aws.organizations import AnsibleOrganizationsError, describe_organization
from .._aws.policies import (
    attach_policy,
    create_policy,
    delete_policy,
    detach_policy,
    enable_policy_type,
    list_attached,
    tag_policy,
    update_policy,
)
from .._aws.session import Session
from .._aws.untyped import Client, Structure
from .._policy.document import Document, PolicyError, parse_policy
from .._work.options import Result
from .policies import OWNER, OrganizationPolicy, Situation, Wanted, read_root, read_situation, resolve_targets
from .refusals import caller_refusal, feature_refusal

CONTROL_TOWER = "aws-guardrails-"
LARGEST = {"service_control_policy": 10_240, "resource_control_policy": 5_120}
"""Characters of a policy's content (aws-facts 10.1)."""
MOST = {"service_control_policy": 10, "resource_control_policy": 5}
"""Policies of a type on one target (aws-facts 10.2)."""
ROUNDS = 3
PAUSE = 2.0


@dataclass(frozen=True)
class Changes:
    """The fewest writes that lead from what is to what is wanted."""

    enable_type: bool = False
    create: bool = False
    update: Structure = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    attach: tuple[str, ...] = ()
    detach: tuple[str, ...] = ()
    delete: bool = False

    def __bool__(self) -> bool:
        return self != Changes()


# --- refusing ---------------------------------------------------------------------------------------


def text_of(content: Document) -> str:
    """A policy's content as it is sent: without white space, which AWS counts (aws-facts 10.1)."""
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False)


def option_refusal(wanted: Wanted) -> str | None:
    """Why the options alone cannot be carried out, in one sentence; None when they can."""
    if wanted.name.startswith(CONTROL_TOWER):
        return (
            f"The policy {wanted.name} is one of Control Tower's by its name, expected another name. Control Tower "
            "repairs what is changed in its policies; give yours a name that does not begin with aws-guardrails-."
        )
    if wanted.content is None:
        return None
    try:
        parse_policy(wanted.content, "identity" if wanted.type == "service_control_policy" else "resource")
    except PolicyError as error:
        return f"The content of the policy {wanted.name} is malformed: {error} Correct content."
    size, limit = len(text_of(wanted.content)), LARGEST[wanted.type]
    if size > limit:
        return (
            f"The content of the policy {wanted.name} has {size} characters without white space, expected at most "
            f"{limit}, AWS's limit for a {wanted.type}. Make several policies of its statements."
        )
    return None


def owner_refusal(wanted: Wanted, policy: OrganizationPolicy) -> str | None:
    """Why a policy that is there is left alone; None when it is ours, or not there."""
    if not policy.id or OWNER.items() <= policy.tags.items():
        return None
    [(key, value)] = OWNER.items()
    return (
        f"The policy {wanted.name} ({policy.id}) exists and is not managed by this collection: it lacks the tag "
        f"{key}={value}, expected of policies that it may change. Nothing was changed. Choose another name, or give it "
        "that tag when it is yours to manage here."
    )


def type_refusal(wanted: Wanted, situation: Situation) -> str | None:
    """Why nothing of this type can be attached; None when it can."""
    if situation.type_status or wanted.enable_type or not wanted.targets or wanted.state == "absent":
        return None
    return (
        f"The policy type {wanted.kind} is not enabled in the organization, expected that it is, because {wanted.name} "
        "is to be attached. Set enable_type=true; every root, OU and account then gets AWS's own policy that allows "
        "everything, so that nothing changes by it."
    )


def refuse_full_targets(client: Client, wanted: Wanted, changes: Changes) -> None:
    """Raise AnsibleOrgTrailError for a target that holds as many policies as it may (aws-facts 10.2)."""
    if changes.enable_type:
        return
    for target in changes.attach:
        attached = list_attached(client, target, wanted.kind)
        if len(attached) >= MOST[wanted.type]:
            names = ", ".join(sorted(one["Name"] for one in attached))
            raise AnsibleOrgTrailError(
                f"{target} has {len(attached)} policies of the type {wanted.type} ({names}), expected fewer than "
                f"{MOST[wanted.type]}, AWS's limit, so {wanted.name} cannot be attached. Merge two of them, or attach "
                "it to the parent, whose policies count below it, too."
            )


# --- planning ---------------------------------------------------------------------------------------


def plan(situation: Situation, wanted: Wanted, targets: tuple[str, ...] | None) -> Changes:
    """What to write. targets: resolved ids; None leaves attachments alone."""
    policy = situation.policy
    if wanted.state == "absent":
        return Changes(detach=policy.targets, delete=True) if policy.id else Changes()
    update: Structure = {}
    if policy.id and wanted.content is not None and compare_policies(policy.content, wanted.content):
        update["Content"] = text_of(wanted.content)
    if policy.id and wanted.description != policy.description:
        update["Description"] = wanted.description
    extra = set(policy.targets) - set(targets or ()) if targets is not None and wanted.purge_targets else set()
    missing = set(targets or ()) - set(policy.targets)
    return Changes(
        enable_type=bool(missing) and situation.type_status != "ENABLED",
        create=not policy.id,
        update=update,
        tags={key: value for key, value in wanted.tags.items() if policy.id and policy.tags.get(key) != value},
        attach=tuple(sorted(missing)),
        detach=tuple(sorted(extra)),
    )


def after(situation: Situation, wanted: Wanted, changes: Changes) -> OrganizationPolicy:
    """The policy as it is when the changes are made."""
    policy = situation.policy
    if not changes:
        return policy
    if changes.delete:
        return OrganizationPolicy()
    return replace(
        policy,
        content=wanted.content if wanted.content is not None and (changes.create or changes.update) else policy.content,
        description=wanted.description,
        tags={**policy.tags, **(OWNER | wanted.tags if changes.create else changes.tags)},
        targets=tuple(sorted(set(policy.targets) - set(changes.detach) | set(changes.attach))),
    )


# --- writing ----------------------------------------------------------------------------------------


def apply(
    clients: tuple[Client, Client],
    situation: Situation,
    wanted: Wanted,
    changes: Changes,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Make the changes; what is new is attached before anything is detached, so that no moment is unguarded.

    clients: one for reads and one for writes.
    """
    client, once = clients
    identifier = situation.policy.id
    if changes.enable_type:
        if not situation.type_status:
            enable_policy_type(once, situation.root_id, wanted.kind)
        await_policy_type(client, wanted, sleep)
    if changes.create:
        tags = ansible_dict_to_boto3_tag_list(wanted.tags | OWNER)
        content = text_of(wanted.content or {})
        request = {"Name": wanted.name, "Description": wanted.description, "Type": wanted.kind, "Content": content}
        identifier = create_policy(once, {**request, "Tags": tags})
    if changes.update:
        update_policy(once, identifier, changes.update)
    if changes.tags:
        tag_policy(once, identifier, ansible_dict_to_boto3_tag_list(changes.tags))
    for target in changes.attach:
        attach_policy(once, identifier, target)
    for target in changes.detach:
        detach_policy(once, identifier, target)
    if changes.delete:
        delete_policy(once, identifier)


def await_policy_type(client: Client, wanted: Wanted, sleep: Callable[[float], None]) -> None:
    """Wait until ListRoots tells that the type is enabled (aws-facts 10.5). Raises AnsibleOrgTrailError."""
    waited = 0.0
    while True:
        types = {one["Type"]: one["Status"] for one in read_root(client).get("PolicyTypes") or []}
        if types.get(wanted.kind) == "ENABLED":
            return
        if waited >= wanted.enable_type_timeout:
            raise AnsibleOrgTrailError(
                f"The policy type {wanted.kind} is {types.get(wanted.kind, 'not listed')} after "
                f"{wanted.enable_type_timeout:g} seconds, expected ENABLED. AWS enables it in its own time: run again "
                "in a few minutes, or raise enable_type_timeout."
            )
        sleep(PAUSE)
        waited += PAUSE


def ensure_policy(
    session: Session, wanted: Wanted, check_mode: bool, sleep: Callable[[float], None] = time.sleep
) -> Result:
    """Bring one policy to what is wanted; the module's result.

    When the outcome of a write is unknown, look again and plan anew. Raises AnsibleOrgTrailError for what is refused
    before the first write, AnsibleOrganizationsError for what AWS refuses.
    """
    refuse(option_refusal(wanted))
    client, once = session.client("organizations"), session.client("organizations", once=True)
    organization = describe_organization(client)
    refuse(caller_refusal(organization, session.account_id))
    refuse(feature_refusal(organization))
    first = situation = read_situation(client, wanted)
    refuse(owner_refusal(wanted, situation.policy))
    refuse(type_refusal(wanted, situation))
    named = wanted.targets if wanted.state == "present" else None
    targets = None if named is None else resolve_targets(client, named, situation.root_id)
    planned = changes = plan(situation, wanted, targets)
    refuse_full_targets(client, wanted, changes)
    if check_mode:
        return summarize(first, after(first, wanted, planned), wanted, planned)
    for attempt in range(ROUNDS):
        if not changes:
            break
        try:
            apply((client, once), situation, wanted, changes, sleep)
        except AnsibleOrganizationsError as error:
            if not outcome_unknown(error) or attempt == ROUNDS - 1:
                raise
            sleep(1 << attempt)
        situation = read_situation(client, wanted)
        changes = plan(situation, wanted, targets)
    if changes:
        raise AnsibleOrgTrailError(
            f"AWS took the changes of the policy {wanted.name}, and answers it otherwise, expected as it was written. "
            "Somebody else may be changing it: find out who, and run again."
        )
    return summarize(first, situation.policy, wanted, planned)


def summarize(first: Situation, policy: OrganizationPolicy, wanted: Wanted, made: Changes) -> Result:
    """The module's result."""
    size = {"characters": len(text_of(policy.content)) if policy.content else 0, "limit": LARGEST[wanted.type]}
    return {
        "changed": bool(made),
        "policy": {"id": policy.id, "arn": policy.arn, "name": wanted.name, "type": wanted.type}
        | {"description": policy.description, "content": policy.content, "tags": policy.tags}
        if policy.content
        else {},
        "targets": list(policy.targets),
        "attached": list(made.attach),
        "detached": list(made.detach),
        "type_enabled": made.enable_type,
        "size": size,
        "diff": {"before": shown(first.policy), "after": shown(policy)},
    }


def shown(policy: OrganizationPolicy) -> dict[str, Any]:
    """A policy in the diff: its statements by their Sid, and where it is attached."""
    if not policy.content:
        return {}
    statements = policy.content.get("Statement") or []
    listed = statements if isinstance(statements, list) else [statements]
    named = {one.get("Sid") or f"statement {number}": one for number, one in enumerate(listed, 1)}
    return {
        "description": policy.description,
        "statements": named,
        "tags": policy.tags,
        "targets": list(policy.targets),
    }
