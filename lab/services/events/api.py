# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EventBridge's calls where moto differs from it: limits, who may hand on a role, PutEvents (aws-facts 12.4)."""

from __future__ import annotations

import json
import uuid
from typing import Any

from ansible_collections.cloudsec.org_trail.plugins.module_utils._policy.evaluation import Request

from lab.kernel.call import Call, LabError
from lab.kernel.service import answers, guards
from lab.kernel.world import World
from lab.services.cloudtrail.records import iso
from lab.services.events.delivery import Bus, publish, rules_of
from lab.services.iam.authorizer import obey_identity
from lab.services.iam.requested import context_of

LONGEST_PATTERN = 4096
MOST_TARGETS = 5


@guards("events")
def refuse_beyond_limits(world: World, call: Call) -> None:
    """Refuse a pattern that is too long, and a sixth target."""
    given = call.parameters
    if call.operation == "PutRule" and len(given.get("EventPattern") or "") > LONGEST_PATTERN:
        raise LabError(
            "ValidationException",
            "1 validation error detected: Value at 'eventPattern' failed to satisfy constraint: Member must have "
            f"length less than or equal to {LONGEST_PATTERN}",
        )
    if call.operation == "PutTargets":
        rule = rules_of(Bus(call.account, call.region)).get(given["Rule"])
        there = {target["Id"] for target in rule.targets} if rule else set()
        if len(there | {target["Id"] for target in given["Targets"]}) > MOST_TARGETS:
            raise LabError("LimitExceededException", "The requested resource exceeds the maximum number allowed.")


@guards("events")
def refuse_role(world: World, call: Call) -> None:
    """Who gives a role to a rule or a target needs iam:PassRole for it."""
    if not world.enforce_iam:
        return
    holders = (call.parameters, *(call.parameters.get("Targets") or ()))
    for role in {holder["RoleArn"] for holder in holders if isinstance(holder, dict) and holder.get("RoleArn")}:
        context = context_of(world, call) | {"iam:PassedToService": "events.amazonaws.com"}
        obey_identity(world, call, Request("iam:PassRole", role, {"AWS": call.principal.arn}, context), False)


@answers("events", "PutTargets")
def put_targets(world: World, call: Call) -> dict[str, Any]:
    """Take targets. What fails is in a good answer (aws-facts 12.4)."""
    given = call.parameters
    failed: list[dict[str, str]] = []
    if world.options.failing_targets:
        code = {"ErrorCode": "ConcurrentModificationException", "ErrorMessage": "The rule is being changed."}
        failed = [{"TargetId": target["Id"], **code} for target in given["Targets"]]
    else:
        backend = world.moto("events", call.account, call.region)
        backend.put_targets(given["Rule"], given.get("EventBusName"), given["Targets"])
    return {"FailedEntryCount": len(failed), "FailedEntries": failed}


@answers("events", "PutEvents")
def put_events(world: World, call: Call) -> dict[str, Any]:
    """Take events; whether a target gets them is never told to who sent them."""
    entries = [put_event(world, call, entry) for entry in call.parameters["Entries"]]
    return {"FailedEntryCount": sum("ErrorCode" in entry for entry in entries), "Entries": entries}


def put_event(world: World, call: Call, entry: dict[str, Any]) -> dict[str, Any]:
    """The answer for one entry: its id, or why it was not taken."""
    for name in ("Source", "DetailType", "Detail"):
        if not entry.get(name):
            return refusal("InvalidArgument", f"Parameter {name} is not valid. Reason: {name} is a required argument.")
    if entry["Source"].startswith("aws."):
        return refusal("NotAuthorizedForSourceException", "Not authorized for the source.")
    try:
        detail = json.loads(entry["Detail"])
    except ValueError:
        return refusal("MalformedDetail", "Detail is malformed.")
    made = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": entry["DetailType"],
        "source": entry["Source"],
        "account": call.account,
        "time": iso(call.time),
        "region": call.region,
        "resources": entry.get("Resources") or [],
        "detail": detail,
    }
    publish(world, Bus(call.account, call.region, (entry.get("EventBusName") or "default").rpartition("/")[2]), made)
    return {"EventId": made["id"]}


def refusal(code: str, message: str) -> dict[str, str]:
    return {"ErrorCode": code, "ErrorMessage": message}
