# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drift of the guardrails: policies that are missing, changed or detached, and accounts that none of them binds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .._work.options import Result
from .drifts import ORGANIZATION, Drift

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


def _of_policy(result: Result) -> Iterator[Drift]:
    """From one result of organizations_policy in check mode."""
    if not result["changed"]:
        return
    before, after, name = result["diff"]["before"], result["diff"]["after"], result["item"]["name"]
    if result["type_enabled"]:
        yield _row(f"policies of the type {result['item']['type']}", "policy type", "enabled", "disabled")
    if not before:
        yield _row(f"policy {name}", "policy", "present", "absent")
        return
    if before["statements"] != after["statements"]:
        names = [sid for sid in {**before["statements"], **after["statements"]} if _differ(before, after, sid)]
        yield _row(
            f"policy {name}", "statements", [after["statements"].get(one) for one in names], _found(before, names)
        )
    for what in ("targets", "description", "tags"):
        if before[what] != after[what]:
            yield _row(f"policy {name}", what, after[what], before[what])


def _differ(before: Result, after: Result, sid: str) -> bool:
    return bool(before["statements"].get(sid) != after["statements"].get(sid))


def _found(before: Result, names: Sequence[str]) -> list[Any]:
    return [before["statements"].get(one) or f"no {one}" for one in names]


def _row(object_: str, what: str, expected: Any, found: Any) -> Drift:
    return Drift(ORGANIZATION, object_, what, expected, found, REPAIR)


def _left_over(name: str) -> Drift:
    return _row(f"policy {name}", "policy", "absent", "present, and needed no more")


def _outside(account: Result) -> Drift:
    object_, found = f"account {account['id']} {account['name']}".strip(), "below none of them"
    return Drift(ORGANIZATION, object_, "guardrails", "below one of guardrails_targets", found, PLACE)
