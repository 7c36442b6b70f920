# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trails one by one: what fails of one is told, and the others are done."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import AnsibleOrgTrailError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails import retire
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.look import Look, There
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.record import Record, read_record
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.retire import (
    Outcome,
    carry_out,
    change_trails,
    failure_of,
    predict,
    summarize,
)

from tests.member_trails import MEMBER, member

THERE = There(None, None, None)  # type: ignore[arg-type]
RECORDED = member({"TrailARN": str(member().arn), "EventSelectors": []})
RECORD = Record(RECORDED, "2026-11-20T08:00:00Z", "arn:me")


def options(folder: Path = Path("/r"), **changes: Any) -> Any:
    values = {"record_dir": folder, "state": "stopped", "all_recorded": False, "max_concurrency": 4}
    return SimpleNamespace(**{**values, **changes})


def look(**changes: Any) -> Look:
    return Look(**{"arn": member().arn, "there": THERE, "now": member(), "action": "stopped", **changes})


@pytest.mark.parametrize(
    ("seen", "after"),
    [
        (look(), "stopped"),
        (look(now=member(logging=False), action="deleted"), "absent"),
        (look(now=None, action="created", record=RECORD), "logging"),
        (look(now=None, action="created", record=Record(member(logging=False), "", "")), "stopped"),
        (look(action="none"), "logging"),
        (look(there=None, now=None, action="none", problem="No."), "unknown"),
    ],
)
def test_what_would_become_of_a_trail(seen: Look, after: str) -> None:
    found = predict(seen)
    assert (found.action, found.after, found.problem) == (seen.action, after, seen.problem)


def test_the_record_is_written_before_anything_is_called(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def write(_there: Any, arn: Any, _now: Any, _plan: Any, _made: Any) -> Any:
        assert read_record(tmp_path, arn) == RECORD
        return member(logging=False)

    monkeypatch.setattr(retire, "write_trail", write)
    found = carry_out(options(tmp_path), look(new_record=RECORD))
    assert (found.action, found.after, found.problem) == ("stopped", "stopped", "")


def test_without_its_record_nothing_is_called(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(retire, "write_trail", None)
    (tmp_path / f"{MEMBER}_us-east-1_default.json").mkdir()
    found = carry_out(options(tmp_path), look(new_record=RECORD))
    assert (found.action, found.after) == ("none", "logging")
    assert "is not the record of" in found.problem


@pytest.mark.parametrize(("made", "action", "after"), [([], "none", "logging"), (["call"], "stopped", "unknown")])
def test_what_was_called_in_vain_is_told(
    monkeypatch: pytest.MonkeyPatch, made: list[Any], action: str, after: str
) -> None:
    def write(_there: Any, _arn: Any, _now: Any, _plan: Any, calls: Any) -> None:
        calls += made
        raise AnsibleOrgTrailError("Denied.")

    monkeypatch.setattr(retire, "write_trail", write)
    found = carry_out(options(), look())
    assert (found.action, found.after, found.problem) == (action, after, "Denied.")


def test_trails_are_proved_in_batches_and_one_failure_is_only_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    arns = [member(name=f"trail-{number}").arn for number in range(retire.BATCH + 1)]
    proved: list[int] = []

    def prove(looks: Any, _threads: int) -> Any:
        proved.append(len(looks))
        return looks

    def evidence(*_: Any) -> Any:
        if proved:
            raise AnsibleOrgTrailError("The bucket is gone.")
        return SimpleNamespace(prove=prove, organization=None)

    def decide(_session: Any, _options: Any, _evidence: Any, arn: Any) -> Look:
        return look(arn=arn, now=member(), problem="No." if arn.name == "trail-7" else "")

    monkeypatch.setattr(retire, "evidence_of", evidence)
    monkeypatch.setattr(retire, "decide", decide)
    session: Any = None
    found = change_trails(session, options(trail_arns=arns), lambda _trail, _accounts: {}, check_mode=True)
    assert proved == [retire.BATCH]
    assert [one.arn for one in found] == arns
    problems = {one.arn.name: one.problem for one in found if one.problem}
    assert problems == {"trail-7": "No.", f"trail-{retire.BATCH}": "The bucket is gone."}
    proved.append(0)
    with pytest.raises(AnsibleOrgTrailError, match="bucket is gone"):
        change_trails(session, options(trail_arns=arns), lambda _trail, _accounts: {}, check_mode=True)
    assert change_trails(session, options(trail_arns=[]), lambda _trail, _accounts: {}, check_mode=True) == []


def test_a_look_that_fails_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_at(*_: Any) -> Any:
        raise AnsibleOrgTrailError("No role.")

    monkeypatch.setattr(retire, "look_at", look_at)
    session: Any = None
    found = retire.decide(session, options(), None, member().arn)
    assert (found.problem, found.before) == ("No role.", "unknown")


def test_the_result() -> None:
    waits = look(now=member(logging=False), action="none", wait="Too early.")
    failed = look(action="none")
    outcomes = [
        Outcome.of(look(), "stopped", "stopped"),
        Outcome.of(waits, "none", "stopped"),
        *[Outcome.of(failed, "none", "logging", f"Problem {number}.") for number in range(retire.NAMED + 2)],
    ]
    result = summarize(outcomes, options())
    assert result["changed"]
    assert result["summary"] == {
        "trails": 14,
        "recorded": 0,
        "stopped": 1,
        "deleted": 0,
        "created": 0,
        "changed": 0,
        "started": 0,
        "waiting": 1,
        "failed": 12,
    }
    assert result["lines"][:3] == ["14 trails of members: 1 stopped, 1 waiting.", "Too early.", "Problem 0."]
    assert result["trails"][1]["waiting"] == "Too early."
    arn = str(member().arn)
    assert result["diff"] == {"before": {arn: "logging"}, "after": {arn: "stopped"}}
    failure = failure_of(outcomes, options())
    assert failure.startswith("12 of 14 trails of members could not be brought to state=stopped. Problem 0. Problem 1.")
    assert failure.endswith("Problem 9. 2 more stand in trails, each with its problem.")
    assert failure_of(outcomes[:2], options()) == ""
    assert not summarize([], options())["changed"]
