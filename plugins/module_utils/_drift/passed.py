# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was looked at and is as wanted, each with its value, so that a report without drift proves something. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .._work.options import Result
from .administrators import ALL, WHAT
from .drift import BUCKET, CHECK, ORGANIZATION, TRAIL, WATCH, Drift
from .drifts import DriftOptions
from .guardrails import policy_of
from .watch import watched


@dataclass(frozen=True)
class Passed:
    """One thing that is as wanted; kind, object and what are those of the drift that it would be. found: its value."""

    kind: str
    object: str
    what: str
    found: Any


def collect_passed(options: DriftOptions, drifts: Sequence[Drift]) -> list[Passed]:
    """What the given results tell of and is not among the drifts. What nobody read is not among these either."""
    return [
        *passed_access(options.trusted_access, options.service_principal),
        *passed_trail(options.organization_trail),
        *passed_bucket(options.log_bucket, drifts),
        *passed_administrators(options, drifts),
        *passed_guardrails(options.guardrails),
        *(Passed(WATCH, *one) for one in watched(options.watch)),
        *(Passed(CHECK, one["object"], "judged", one["value"]) for one in options.checks if _has_value(one)),
    ]


def passed_access(result: Result, service_principal: str) -> Iterator[Passed]:
    """From the result of organizations_service_access in check mode."""
    if result and result["diff"]["before"] == result["diff"]["after"]:
        what = f"trusted access of {service_principal}"
        yield Passed(ORGANIZATION, f"organization {result['organization']['id']}", what, "on")


def passed_trail(result: Result) -> Iterator[Passed]:
    """From the result of cloudtrail_organization_trail in check mode: each setting that it would leave alone."""
    if result.get("before"):
        for field, value in result["diff"]["before"].items():
            if field not in result["changed_fields"]:
                yield Passed(TRAIL, result["trail"]["arn"], field, value)


def passed_bucket(bucket: Result, drifts: Sequence[Drift]) -> Iterator[Passed]:
    """From one bucket of cloudtrail_log_bucket_info: the policy that admits, and settings without a problem.

    A problem that names an account is none where the account may be let in; then it is not among the drifts.
    """
    if not bucket:
        return
    name, health = bucket["name"], bucket.get("health") or {}
    if bucket.get("admits"):
        yield Passed(BUCKET, name, "policy", f"admits {bucket['trail_arn']}")
    drifted = {one.what for one in drifts if one.object == name}
    unknown = {one.object.removeprefix(f"{name}, ").partition(",")[0] for one in drifts if one.kind == CHECK}
    faulty = {one["setting"] for one in health.get("problems", []) if not one.get("account_id")} | drifted | unknown
    for setting, value in health.items():
        # The faults of lifecycle and object_lock have longer names, such as lifecycle_rule.
        if setting != "problems" and value is not None and not any(fault.startswith(setting) for fault in faulty):
            yield Passed(BUCKET, name, setting, value)


def passed_administrators(options: DriftOptions, drifts: Sequence[Drift]) -> Iterator[Passed]:
    """The delegated administrators, where all are as expected and could be read."""
    expected = options.delegated_administrators
    if expected is not None and not any(one.what == WHAT or one.object == ALL for one in drifts):
        yield Passed(ORGANIZATION, "organization", ALL, expected or "none")


def passed_guardrails(guardrails: Result) -> Iterator[Passed]:
    """From what the role guardrails reports in check mode: each policy that it would leave alone."""
    for result in guardrails.get("results", []):
        if not result["changed"]:
            targets = ", ".join(result["targets"])
            yield Passed(ORGANIZATION, policy_of(result), "policy", f"attached to {targets}")


def _has_value(check: Result) -> bool:
    return bool(check["value"]) and not check["reason"]
