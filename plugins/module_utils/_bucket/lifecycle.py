# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lifecycle rules of a log bucket: what they do to log files, and when."""

from __future__ import annotations

from collections.abc import Iterator

from .._aws.untyped import Structure
from .weakness import NOTICE_DAYS, ExpectedHealth, Weakness

ARCHIVES = ("GLACIER", "DEEP_ARCHIVE")
"""Storage classes whose files nobody can read before they are restored, which takes hours."""


def plain_rules(raw: list[Structure] | None) -> list[Structure]:
    """The rules by the names of the module's result."""
    return [
        {
            "id": rule.get("ID", ""),
            "enabled": rule.get("Status") == "Enabled",
            "prefix": _prefix(rule),
            "tags": bool(_filter(rule).get("Tag") or _filter(rule).get("Tags")),
            "expiration_days": rule.get("Expiration", {}).get("Days"),
            "expiration_date": str(rule.get("Expiration", {}).get("Date", "")),
            "noncurrent_expiration_days": rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays"),
            "transitions": [
                {"days": step.get("Days"), "storage_class": step.get("StorageClass")}
                for step in rule.get("Transitions", [])
            ],
        }
        for rule in raw or []
    ]


def _filter(rule: Structure) -> Structure:
    chosen: Structure = rule.get("Filter") or {}
    return chosen.get("And") or chosen


def _prefix(rule: Structure) -> str:
    return str(rule.get("Prefix") or _filter(rule).get("Prefix") or "")


def weak_lifecycle(rules: list[Structure], expected: ExpectedHealth, logs: str) -> Iterator[Weakness]:
    """What the rules do too early to log files, whose keys begin with ``logs``, and the rule that is asked for."""
    for rule in rules:
        touches = logs.startswith(rule["prefix"]) or rule["prefix"].startswith(logs)
        if rule["enabled"] and touches and not rule["tags"]:  # CloudTrail's files carry no tags
            yield from _too_early(rule, expected)
    wanted = _wanted_rule(expected)
    if wanted and not any(_does(rule, expected) for rule in rules):
        yield Weakness("lifecycle_rule", "no rule for the whole bucket that does so", wanted, "Add the rule.")


def _too_early(rule: Structure, expected: ExpectedHealth) -> Iterator[Weakness]:
    name, fix = f"rule {rule['id'] or rule['prefix'] or '*'}", "Lengthen or remove the rule."
    days = rule["expiration_days"]
    if rule["expiration_date"] or (days and days < expected.minimum_retention_days):
        when = f"on {rule['expiration_date']}" if rule["expiration_date"] else f"after {days} days"
        wanted = f"log files kept for {expected.minimum_retention_days} days at least"
        yield Weakness("lifecycle", f"{name} deletes log files {when}", wanted, fix)
    noncurrent = rule["noncurrent_expiration_days"]
    if noncurrent and noncurrent < NOTICE_DAYS:
        wanted = f"deleted log files that can be brought back for {NOTICE_DAYS} days at least"
        yield Weakness("lifecycle", f"{name} deletes noncurrent versions after {noncurrent} days", wanted, fix)
    for step in rule["transitions"]:
        early = step["storage_class"] in ARCHIVES and (step["days"] is None or step["days"] < NOTICE_DAYS)
        if early and step != _wanted_step(expected):
            when = "on a date" if step["days"] is None else f"after {step['days']} days"
            wanted = f"log files that can be read for {NOTICE_DAYS} days at least"
            yield Weakness("lifecycle", f"{name} moves log files to {step['storage_class']} {when}", wanted, fix)


def _wanted_step(expected: ExpectedHealth) -> Structure:
    return {"days": expected.transition_days, "storage_class": expected.transition_storage_class}


def _wanted_rule(expected: ExpectedHealth) -> str:
    steps = []
    if expected.transition_days:
        steps.append(f"move to {expected.transition_storage_class} after {expected.transition_days} days")
    if expected.expiration_days:
        steps.append(f"delete after {expected.expiration_days} days")
    return ", ".join(steps)


def _does(rule: Structure, expected: ExpectedHealth) -> bool:
    return (
        rule["enabled"]
        and not rule["prefix"]
        and not rule["tags"]
        and (not expected.expiration_days or rule["expiration_days"] == expected.expiration_days)
        and (not expected.transition_days or _wanted_step(expected) in rule["transitions"])
    )
