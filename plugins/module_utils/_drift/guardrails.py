# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drift of the guardrails: policies that are missing, changed or detached, and accounts that none of them binds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .._work.options import Result
from .drift import ORGANIZATION, Drift

EVENTS = {
    "policy type": ("DisablePolicyType",),
    "tags": ("UntagResource", "TagResource"),
}
"""Events that cause a drift; all others of a policy come from UpdatePolicy. Of a deleted one the id is not known."""
REPAIR = "Run ansible-playbook cloudsec.org_trail.guard_org_trail."
PLACE = (
    "Move the account below one of guardrails_targets, or name it or its OU there, and run ansible-playbook "
    "cloudsec.org_trail.guard_org_trail."
)


def guardrail_drift(guardrails: Result) -> list[Drift]:
    """From what the role guardrails reports in check mode; {} when it was not asked."""
    found = [drift for one in guardrails.get("results", []) for drift in _of_policy(one)]
    found += [_left_over(name) for name in guardrails.get("left_over", [])]
    return found + [_outside(account) for account in guardrails.get("outside", [])]


def policy_of(result: Result) -> str:
    """The policy that one result of organizations_policy is about, by its name and by its id, as events name it."""
    return f"policy {result['item']['name']} {result['policy']['id']}".strip()


def _of_policy(result: Result) -> Iterator[Drift]:
    """From one result of organizations_policy in check mode."""
    if not result["changed"]:
        return
    before, after = result["diff"]["before"], result["diff"]["after"]
    if result["type_enabled"]:
        yield _row(f"policies of the type {result['item']['type']}", "policy type", "enabled", "disabled")
    if not before:
        yield _row(policy_of(result), "policy", "present", "absent", ())
        return
    object_ = policy_of(result)
    if before["statements"] != after["statements"]:
        names = [sid for sid in {**before["statements"], **after["statements"]} if _differ(before, after, sid)]
        yield _row(object_, "statements", [after["statements"].get(one) for one in names], _found(before, names))
    if before["targets"] != after["targets"]:
        lacking, extra = set(after["targets"]) - set(before["targets"]), set(before["targets"]) - set(after["targets"])
        events = (*(["DetachPolicy"] if lacking else []), *(["AttachPolicy"] if extra else []))
        yield _row(object_, "targets", after["targets"], before["targets"], events)
    for what in ("description", "tags"):
        if before[what] != after[what]:
            yield _row(object_, what, after[what], before[what])


def _differ(before: Result, after: Result, sid: str) -> bool:
    return bool(before["statements"].get(sid) != after["statements"].get(sid))


def _found(before: Result, names: Sequence[str]) -> list[Any]:
    return [before["statements"].get(one) or f"no {one}" for one in names]


def _row(object_: str, what: str, expected: Any, found: Any, events: tuple[str, ...] | None = None) -> Drift:
    caused_by = EVENTS.get(what, ("UpdatePolicy",)) if events is None else events
    return Drift(ORGANIZATION, object_, what, expected, found, REPAIR, caused_by)


def _left_over(name: str) -> Drift:
    return _row(f"policy {name}", "policy", "absent", "present, and needed no more", ())


def _outside(account: Result) -> Drift:
    object_ = " ".join(("account", *account["name"].split(), account["id"]))
    expected = "below one of guardrails_targets"
    return Drift(ORGANIZATION, object_, "guardrails", expected, "below none of them", PLACE, ("MoveAccount",))
