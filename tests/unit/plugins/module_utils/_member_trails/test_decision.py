# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done to a trail, by what it is, its record and the time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import AnsibleOrgTrailError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails import decision
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.decision import (
    calls_left,
    decide_bringing_back,
    decide_deletion,
    decide_stopping,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.judgement import judge
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.look import Look, There
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.record import Record

from tests.canned_aws import meta_of, without_operation
from tests.member_trails import advanced, data, member, organization

ME: Any = SimpleNamespace(arn="arn:me")
THERE = There(ME, SimpleNamespace(meta=meta_of("cloudtrail")), None)
NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)
LOGS, STOPPED, CHANGED = member(), member(logging=False), member(logging=False, tags={"a": "b"})
KEEPS = advanced(data())
OLD, YOUNG = Record(LOGS, "2026-11-20T08:00:00Z", "arn:me"), Record(LOGS, "2026-11-27T08:00:00Z", "arn:me")


@pytest.fixture(autouse=True)
def _without_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    def judged(_session: Any, _targets: Any, trail: Any, other: Any, _unread: Any) -> Any:
        return judge(trail, other)

    monkeypatch.setattr(decision, "judge_with_bucket", judged)


def options(**changes: Any) -> Any:
    values = {"record_dir": Path("/r"), "stopped_days": 7.0, "unread_buckets": [], "all_recorded": False}
    return SimpleNamespace(**{**values, **changes})


def look(now: Any, record: Record | None) -> Look:
    return Look(LOGS.arn, THERE, now, record)


@pytest.mark.parametrize(
    ("now", "record", "action", "says"),
    [
        (LOGS, None, "none", "There is no record /r/"),
        (LOGS, OLD, "none", ""),
        (STOPPED, OLD, "started", ""),
        (CHANGED, OLD, "changed", ""),
        (None, OLD, "created", ""),
        (LOGS, Record(STOPPED, OLD.recorded_at, ""), "none", ""),
    ],
)
def test_bringing_back(now: Any, record: Record | None, action: str, says: str) -> None:
    found = decide_bringing_back(look(now, record), options())
    assert (found.action, found.new_record, bool(found.problem)) == (action, None, bool(says))
    assert says in found.problem


def test_fact_2_14_what_botocore_does_not_know_is_not_brought_back() -> None:
    aggregates = member(aggregations=[{"EventCategory": "Data", "Templates": ["API_ACTIVITY"]}])
    there = There(ME, SimpleNamespace(meta=without_operation("PutEventConfiguration")), None)
    found = decide_bringing_back(Look(LOGS.arn, there, None, Record(aggregates, OLD.recorded_at, "")), options())
    assert (found.action, "knows no PutEventConfiguration" in found.problem) == ("none", True)


@pytest.mark.parametrize(
    ("now", "record", "action", "recorded_logging", "says"),
    [
        (LOGS, None, "stopped", True, ""),
        (LOGS, OLD, "stopped", True, ""),
        (STOPPED, None, "recorded", False, ""),
        (STOPPED, OLD, "none", None, ""),
        (CHANGED, OLD, "recorded", True, ""),
        (None, OLD, "none", None, "There is no trail"),
        (member(KEEPS), None, "none", None, "is not redundant"),
        (member(KEEPS, logging=False), None, "none", None, "is not redundant"),
        (member(tags={"ManagedBy": "terraform"}), None, "none", None, "belongs to Terraform"),
    ],
)
def test_stopping(now: Any, record: Record | None, action: str, recorded_logging: bool | None, says: str) -> None:
    found = decide_stopping(look(now, record), THERE, organization(), options(), NOW)
    assert (found.action, bool(found.problem)) == (action, bool(says))
    assert says in found.problem
    if recorded_logging is None:
        assert found.new_record is None
    else:
        expected = Record(replace(now, logging=recorded_logging), "2026-11-28T09:00:00Z", "arn:me")
        assert found.new_record == expected


@pytest.mark.parametrize(
    ("now", "record", "action", "says", "of_all"),
    [
        (STOPPED, OLD, "deleted", "", ""),
        (STOPPED, YOUNG, "none", "expected at least 7 days", "waits"),
        (STOPPED, None, "none", "There is no record", "There is no record"),
        (CHANGED, OLD, "none", "is not what its record", "is not what its record"),
        (LOGS, OLD, "none", "logs, expected a trail that is stopped", ""),
        (None, OLD, "none", "", ""),
        (None, None, "none", "", ""),
        (member(KEEPS, logging=False), Record(member(KEEPS), OLD.recorded_at, ""), "none", "lose", "lose"),
    ],
)
def test_deletion(now: Any, record: Record | None, action: str, says: str, of_all: str) -> None:
    found = decide_deletion(look(now, record), THERE, organization(), options(), NOW)
    assert (found.action, bool(found.problem), found.wait) == (action, bool(says), "")
    assert says in found.problem
    meant = decide_deletion(look(now, record), THERE, organization(), options(all_recorded=True), NOW)
    assert meant.action == action
    assert bool(meant.wait) is (of_all == "waits")
    assert of_all in (meant.problem, "waits") or of_all in meant.problem


def test_calls_that_are_left() -> None:
    def left(state: str, now: Any) -> list[str]:
        return [call.operation for call in calls_left(look(now, OLD), options(state=state), now)]

    assert [left("stopped", one) for one in (LOGS, STOPPED, None)] == [["StopLogging"], [], []]
    assert [left("absent", one) for one in (STOPPED, None)] == [["DeleteTrail"], []]
    assert [left("present", one) for one in (STOPPED, LOGS)] == [["StartLogging"], []]
    for changed_meanwhile in (LOGS, CHANGED):
        with pytest.raises(AnsibleOrgTrailError):
            left("absent", changed_meanwhile)
