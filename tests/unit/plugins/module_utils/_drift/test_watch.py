# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cloudtrail_watch_info found, as rows of drift and as what is as wanted."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._drift.watch import watch_drift, watched

WANTED = {"state": "ENABLED", "targets": ["t"]}
RULE: dict[str, Any] = {"arn": "rule", "wanted": WANTED, "found": WANTED, "differences": [], "refusals": []}
QUEUE: dict[str, Any] = {**RULE, "arn": "queue", "wanted": {"policy": {}}, "oldest_message_seconds": 5}
AS_WANTED = [("queue", "watch", "policy as wanted"), ("queue", "age of the oldest message", "5 seconds")]


@pytest.mark.parametrize(
    ("rule", "queue", "rows", "passed"),
    [
        (RULE, QUEUE, [], [*AS_WANTED, ("rule", "watch", "state, targets as wanted")]),
        (
            {**RULE, "found": {}, "differences": ["missing"]},
            QUEUE,
            [("rule", "watch", "present", "absent")],
            AS_WANTED,
        ),
        (
            {**RULE, "found": {"state": "DISABLED"}, "differences": ["state", "targets"]},
            QUEUE,
            [("rule", "state", "ENABLED", "DISABLED"), ("rule", "targets", ["t"], "none")],
            AS_WANTED,
        ),
        (
            RULE,
            {**QUEUE, "differences": ["policy"], "oldest_message_seconds": None},
            [("queue", "policy", {}, "none")],
            [("rule", "watch", "state, targets as wanted")],
        ),
        (
            {**RULE, "refusals": ["It is another's."]},
            QUEUE,
            [("rule", "watch", "of this collection, and able to hand on events", "not so")],
            AS_WANTED,
        ),
        (
            RULE,
            {**QUEUE, "oldest_message_seconds": 901},
            [("queue", "age of the oldest message", "at most 900 seconds", "901 seconds")],
            [AS_WANTED[0], ("rule", "watch", "state, targets as wanted")],
        ),
    ],
)
def test_watch_drift(rule: Any, queue: Any, rows: list[Any], passed: list[Any]) -> None:
    looked_at = [{"queues": [{**queue, "found": {}}], "rules": []}, {"queues": [], "rules": [rule]}]
    found = watch_drift(looked_at)
    assert sorted((one.object, one.what, one.expected, one.found) for one in found) == sorted(rows)
    assert list(watched(looked_at)) == passed


def test_the_remedy_is_the_playbook_or_what_hinders_it() -> None:
    missing = {**RULE, "differences": ["missing"]}
    results = [{"queues": [], "rules": [missing, {**missing, "refusals": ["It is another's."]}]}]
    assert [one.remedy for one in watch_drift(results)] == [
        "Run ansible-playbook cloudsec.org_trail.watch_org_trail.",
        "It is another's.",
    ]
