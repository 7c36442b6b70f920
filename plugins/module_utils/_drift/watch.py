# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drift of what watches the trail: rules and queues that are missing, off or changed, and events that nobody takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .._work.options import Result
from .drift import WATCH, Drift

EVENTS = {
    "rule": ("DeleteRule", "DisableRule", "PutRule", "RemoveTargets", "PutTargets"),
    "queue": ("DeleteQueue", "SetQueueAttributes"),
}
"""Events that change a rule or a queue."""
REPAIR = "Run ansible-playbook cloudsec.org_trail.watch_org_trail."
TAKE = "Start ansible-rulebook with keep_org_trail.yml again, and read its log."
LONGEST_WAIT = 900
"""Seconds. An event is taken at once where a rulebook runs; one that waits longer than three receipts, nobody takes."""
WHAT, AGE = "watch", "age of the oldest message"


def watch_drift(looked_at: Sequence[Result]) -> list[Drift]:
    """From the results of cloudtrail_watch_info, one for each account."""
    return [drift for one in _items(looked_at) for drift in (*_changed(one), *_waiting(one))]


def _items(looked_at: Sequence[Result]) -> Iterator[Result]:
    for result in looked_at:
        yield from (*result["queues"], *result["rules"])


def _changed(one: Result) -> Iterator[Drift]:
    remedy = " ".join(one["refusals"]) or REPAIR
    events = EVENTS["queue" if ":sqs:" in one["arn"] else "rule"]
    if one["refusals"] and not one["differences"]:  # such as a rule that is somebody else's by now
        yield Drift(WATCH, one["arn"], WHAT, "of this collection, and able to hand on events", "not so", remedy, events)
    for name in one["differences"]:
        if name == "missing":
            yield Drift(WATCH, one["arn"], WHAT, "present", "absent", remedy, events)
        else:
            yield Drift(WATCH, one["arn"], name, one["wanted"][name], one["found"].get(name, "none"), remedy, events)


def _waiting(one: Result) -> Iterator[Drift]:
    age = one.get("oldest_message_seconds")
    if age is not None and age > LONGEST_WAIT:
        yield Drift(WATCH, one["arn"], AGE, f"at most {LONGEST_WAIT} seconds", f"{age} seconds", TAKE)


def watched(looked_at: Sequence[Result]) -> Iterator[tuple[str, str, str]]:
    """Of what is as wanted: its ARN, what was looked at, and what was found."""
    for one in _items(looked_at):
        age = one.get("oldest_message_seconds")
        if not one["differences"] and not one["refusals"]:
            yield one["arn"], WHAT, f"{', '.join(one['wanted'])} as wanted"
        if age is not None and age <= LONGEST_WAIT:
            yield one["arn"], AGE, f"{age} seconds"
