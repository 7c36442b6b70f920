# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules that take log files away before anybody notices; test_health.py has the rest of the table."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.lifecycle import plain_rules, weak_lifecycle
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.weakness import ExpectedHealth

WANTED = ExpectedHealth(transition_days=1, transition_storage_class="DEEP_ARCHIVE")


def rule(**more: Any) -> dict[str, Any]:
    return {"ID": "tidy", "Status": "Enabled", "Filter": {"Prefix": ""}, **more}


def noncurrent(days: int) -> dict[str, Any]:
    return rule(NoncurrentVersionExpiration={"NoncurrentDays": days})


def move(storage_class: str, **when: Any) -> dict[str, Any]:
    return rule(Transitions=[{"StorageClass": storage_class, **when}])


@pytest.mark.parametrize(
    ("raw", "expected", "found"),
    [
        (noncurrent(1), ExpectedHealth(), ["rule tidy deletes noncurrent versions after 1 days"]),
        (noncurrent(6), ExpectedHealth(), ["rule tidy deletes noncurrent versions after 6 days"]),
        (noncurrent(7), ExpectedHealth(), []),
        (move("DEEP_ARCHIVE", Days=0), ExpectedHealth(), ["rule tidy moves log files to DEEP_ARCHIVE after 0 days"]),
        (move("GLACIER", Days=6), ExpectedHealth(), ["rule tidy moves log files to GLACIER after 6 days"]),
        (move("GLACIER", Date="2026-01-01"), ExpectedHealth(), ["rule tidy moves log files to GLACIER on a date"]),
        (move("GLACIER", Days=7), ExpectedHealth(), []),
        (move("GLACIER_IR", Days=0), ExpectedHealth(), []),
        (move("INTELLIGENT_TIERING", Days=0), ExpectedHealth(), []),
        (move("DEEP_ARCHIVE", Days=1), WANTED, []),
        ({**noncurrent(1), "Status": "Disabled"}, ExpectedHealth(), []),
        ({**noncurrent(1), "Filter": {"Prefix": "tmp/"}}, ExpectedHealth(), []),
        ({**noncurrent(1), "Filter": {"Prefix": "AWSLogs/o-1/"}}, ExpectedHealth(), ["rule tidy deletes noncurrent"]),
    ],
)
def test_what_a_rule_does_too_early_is_told(raw: dict[str, Any], expected: ExpectedHealth, found: list[str]) -> None:
    weak = list(weak_lifecycle(plain_rules([raw]), expected, "AWSLogs/"))
    assert len(weak) == len(found)
    assert all(one.found.startswith(text) for one, text in zip(weak, found, strict=True))
    assert all(one.setting == "lifecycle" and one.weakened for one in weak)
