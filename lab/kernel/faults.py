# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on demand: rules that make matching calls fail the way AWS or the network does."""

from __future__ import annotations

from dataclasses import dataclass, fields
from threading import Lock
from typing import Any

from lab.kernel.call import Call, LabError

KINDS = ("throttle", "http500", "http503", "reset", "timeout", "lost_reply", "late_reply")
"""``reset`` and ``timeout``: nothing was done, and the connection ends at once or the client waits for an answer.
``lost_reply`` and ``late_reply``: the same, but AWS did what it was asked for."""

DONE = ("lost_reply", "late_reply")
WAITING = ("timeout", "late_reply")

THROTTLE_CODE = {
    "organizations": "TooManyRequestsException",
    "sts": "Throttling",
    "iam": "Throttling",
    "s3": "SlowDown",
}
"""Code by service; CloudTrail and the rest of the JSON services say ThrottlingException (aws-facts 2.12)."""


@dataclass
class Rule:
    """One fault: empty fields match anything, others must equal what the journal would say of the call.

    nth: the first matching call that is hit, counted from 1 (then one call only, unless ``times`` says more).
    times: how many calls are hit at most; 0 is without end.
    every: hit only every so many matching calls.
    """

    fault: str
    service: str = ""
    operation: str = ""
    account: str = ""
    region: str = ""
    nth: int = 0
    times: int = 0
    every: int = 0
    seen: int = 0
    hits: int = 0

    def matches(self, call: Call) -> bool:
        wanted = (self.service, self.operation, self.account, self.region)
        found = (call.service, call.operation, call.account, call.region)
        if any(want and want != have for want, have in zip(wanted, found, strict=True)):
            return False
        self.seen += 1
        if self.seen < self.nth or (self.every and self.seen % self.every):
            return False
        limit = self.times or (1 if self.nth else 0)
        if limit and self.hits >= limit:
            return False
        self.hits += 1
        return True


class Faults:
    """The rules in force. The first rule that matches a call decides."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self.lock = Lock()

    def replace(self, rules: list[dict[str, Any]]) -> None:
        """Take new rules instead of the old ones. Raises ValueError for an unknown field or fault."""
        parsed = [parse_rule(rule) for rule in rules]
        with self.lock:
            self.rules = parsed

    def for_call(self, call: Call) -> str | None:
        with self.lock:
            return next((rule.fault for rule in self.rules if rule.matches(call)), None)


def parse_rule(rule: dict[str, Any]) -> Rule:
    types = {field.name: type(field.default) for field in fields(Rule) if field.name not in ("seen", "hits")}
    types["fault"] = str
    if unknown := set(rule) - set(types):
        raise ValueError(f"A fault rule has the fields {sorted(types)}, found {sorted(unknown)}.")
    for name, value in rule.items():
        if not isinstance(value, types[name]):
            raise ValueError(f"The field {name} of a fault rule is a {types[name].__name__}, found {value!r}.")
    fault = rule.get("fault", "")
    if fault not in KINDS and not fault.startswith("code:"):
        raise ValueError(f"A fault is one of {', '.join(KINDS)} or code:NAME, found {fault!r}.")
    return Rule(**rule)


def error_for(fault: str, call: Call) -> LabError:
    """The AWS error that a fault answers with (not for those of the network)."""
    if fault == "throttle":
        status = 503 if call.service == "s3" else 400
        return LabError(THROTTLE_CODE.get(call.service, "ThrottlingException"), "Rate exceeded", status)
    if fault == "http500":
        return LabError("InternalFailure", "An internal error occurred.", 500)
    if fault == "http503":
        return LabError("ServiceUnavailable", "The service is unavailable. Please try again.", 503)
    code = fault.removeprefix("code:")
    denied = code.startswith("AccessDenied") and call.protocol != "json"
    return LabError(code, "Fault asked for with /lab/faults.", 403 if denied else None)
