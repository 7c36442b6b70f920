# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an event bus through its rules to queues and other buses, as EventBridge does it and moto does not.

A rule counts only while it is enabled. A target gets the event only where policies and roles let it; what a queue does
not take goes to the target's dead-letter queue, or is gone. An event travels to one other bus at most.

Sources: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-cross-account.html (queues of other
accounts: same region, with a role), eb-cross-region.html, eb-cross-account.html (buses), eb-use-resource-based.html.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ansible_collections.cloudsec.org_trail.plugins.module_utils._policy.evaluation import Request, evaluate
from moto.backends import get_backend

from lab.kernel.world import World
from lab.services.events.pattern import matches
from lab.services.iam import api as iam
from lab.services.iam.authorizer import document, judge
from lab.services.sqs import policy_in_force, put_message, queue_of

SERVICE = "events.amazonaws.com"
READS_TOO = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"

NO_PERMISSIONS, NO_RESOURCE = "NO_PERMISSIONS", "NO_RESOURCE"


@dataclass(frozen=True)
class Bus:
    """An event bus. Services' events come to the one that is called default."""

    account: str
    region: str
    name: str = "default"


def rules_of(bus: Bus) -> dict[str, Any]:
    """moto's rules of a bus by name. Makes no backend where there is none: most accounts have no rule."""
    backends = dict.get(get_backend("events"), bus.account) or {}
    backend = dict.get(backends, bus.region)
    found = backend.event_buses.get(bus.name) if backend else None
    return dict(found.rules) if found else {}


def publish(world: World, bus: Bus, event: dict[str, Any], reads: bool = False, travelled: bool = False) -> None:
    """Hand an event to the targets of the rules that match it.

    ``reads`` says that it is CloudTrail's event of a call that only reads (aws-facts 12.1); ``travelled`` that it came
    from another bus.
    """
    for rule in rules_of(bus).values():
        if rule.state == "DISABLED" or (reads and rule.state != READS_TOO) or not matches(rule.event_pattern, event):
            continue
        for target in rule.targets:
            service = target["Arn"].split(":")[2]
            if service == "sqs":
                send(world, rule, target, event)
            elif service == "events" and not travelled:
                forward(world, rule, target, event)


def send(world: World, rule: Any, target: dict[str, Any], event: dict[str, Any]) -> None:
    """Put an event into a target's queue; when that fails, into the target's dead-letter queue."""
    body = json.dumps(event)
    error = send_to(world, rule, target["Arn"], target.get("RoleArn"), body)
    dead_letters = (target.get("DeadLetterConfig") or {}).get("Arn")
    if error and dead_letters:
        why = {"ERROR_CODE": error, "RULE_ARN": rule.arn, "TARGET_ARN": target["Arn"]}
        send_to(world, rule, dead_letters, None, body, why)


def send_to(
    world: World, rule: Any, arn: str, role: str | None, body: str, attributes: dict[str, str] | None = None
) -> str:
    """Put a message into a queue; answers "" or why not."""
    queue = queue_of(world, arn)
    if queue is None or queue.region != rule.region_name:
        return NO_RESOURCE
    if not (may_send(world, rule, role, queue) and may_encrypt(world, rule, queue)):
        return NO_PERMISSIONS
    put_message(queue, body, attributes)
    return ""


def may_send(world: World, rule: Any, role: str | None, queue: Any) -> bool:
    """Whether the service, or the role it was given, may put messages into a queue. Another account's needs a role."""
    own = queue.account_id == rule.account_id
    text = policy_in_force(world, queue)
    if role is None:
        return own and allows(text, as_service(rule, "sqs:SendMessage", queue.queue_arn))
    request = as_role(role, "sqs:SendMessage", queue.queue_arn)
    if not role_may(world, rule, role, request):
        return False
    effect = evaluate(document(text), request).effect if text else "ImplicitDeny"
    return effect == "Allow" or (own and effect == "ImplicitDeny")


def may_encrypt(world: World, rule: Any, queue: Any) -> bool:
    """A queue with a KMS key takes messages only if that key lets the service in; AWS's own key aws/sqs never does."""
    name = queue.kms_master_key_id
    if not name:
        return True
    backend = world.moto("kms", queue.account_id, queue.region)
    identifier = backend.get_key_id_from_alias(name) if "alias/" in name else name.rpartition("/")[2]
    key = backend.keys.get(identifier)
    actions = ("kms:GenerateDataKey", "kms:Decrypt")
    return key is not None and all(allows(key.policy, as_service(rule, action, key.arn)) for action in actions)


def forward(world: World, rule: Any, target: dict[str, Any], event: dict[str, Any]) -> None:
    """Hand an event to a bus of another account or region. It keeps its own account and region."""
    _arn, _partition, _events, region, account, resource = target["Arn"].split(":", 5)
    bus, role = Bus(account, region, resource.rpartition("/")[2]), target.get("RoleArn")
    action = "events:PutEvents"
    if role is None:
        request = as_service(rule, action, target["Arn"], principal={"AWS": f"arn:aws:iam::{rule.account_id}:root"})
        allowed = region == rule.region_name
    else:
        request = as_role(role, action, target["Arn"])
        allowed = role_may(world, rule, role, request)
    if allowed and (account == rule.account_id or allows(bus_policy(world, bus), request)):
        publish(world, bus, event, travelled=True)


def bus_policy(world: World, bus: Bus) -> str | None:
    found = world.moto("events", bus.account, bus.region).event_buses.get(bus.name)
    return found.policy if found else None


def allows(text: str | None, request: Request) -> bool:
    return bool(text) and evaluate(document(str(text)), request).effect == "Allow"


def as_service(rule: Any, action: str, resource: str, principal: dict[str, str] | None = None) -> Request:
    """A request of EventBridge in its own name, for a rule."""
    context: Any = {
        "aws:SourceArn": rule.arn,
        "aws:SourceAccount": rule.account_id,
        "aws:PrincipalIsAWSService": "true",
    }
    return Request(action, resource, principal or {"Service": SERVICE}, context)


def as_role(role: str, action: str, resource: str) -> Request:
    """A request of EventBridge in a role."""
    context: Any = {"aws:PrincipalArn": role, "aws:PrincipalAccount": role.split(":")[4]}
    return Request(action, resource, {"AWS": role}, context)


def role_may(world: World, rule: Any, arn: str, request: Request) -> bool:
    """Whether EventBridge may take the role, which is one of the rule's account, and the role may do it."""
    role = iam.find_role(world, arn.split(":")[4], arn.rpartition("/")[2])
    if role is None or arn.split(":")[4] != rule.account_id:
        return False
    trust = Request("sts:AssumeRole", arn, {"Service": SERVICE}, {})
    texts = [*role.policies.values(), *(iam.document_of(policy) for policy in role.managed_policies.values())]
    return allows(role.assume_role_policy_document, trust) and judge(texts, request).allowed
