# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module cloudtrail_member_trail against the lab: nothing is lost that cannot be brought back."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ansible_run import TaskResult
from tests.lab_process import Lab
from tests.main_job import MainJob, without_none
from tests.playbooks.test_faults import KILLS, Place, wait_for_fault
from tests.retired_world import (
    KINDS,
    S3,
    MemberTrail,
    advanced,
    cover,
    let_days_pass,
    make,
    members,
    options,
)

MODULE = "cloudtrail_member_trail"


class World:
    """A lab with a redundant trail of each kind."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.trails = make(lab, members(lab))
        cover(lab, members(lab))
        self.before = {kind: one.state() for kind, one in self.trails.items()}
        self.job = MainJob(lab, [])

    @property
    def arns(self) -> list[str]:
        return [one.arn for one in self.trails.values()]

    def states(self) -> dict[str, Any]:
        return {kind: one.state() for kind, one in self.trails.items()}

    def aim(self, folder: Path, state: str, *arns: str, check_mode: bool = False, **more: Any) -> MainJob:
        """The job that takes trails to a state."""
        arguments = {"region": self.lab.home_region, **options(self.lab, folder, state, *arns), **more}
        self.job.steps = [{"module": MODULE, "arguments": without_none(arguments), "check_mode": check_mode}]
        return self.job

    def run(self, folder: Path, state: str, *arns: str, **more: Any) -> TaskResult:
        """Take trails to a state, by default all of them."""
        self.lab.clear_journal()
        self.aim(folder, state, *(arns or self.arns), **more).run()
        return TaskResult(MODULE, "localhost", self.job.result)

    @property
    def writes(self) -> Counter[str]:
        return Counter(one["operation"] for one in self.lab.journal(service="cloudtrail", writes=True))


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with Lab("--accounts", str(len(KINDS) + 5)) as lab:
        world = World(lab)
        yield world
        world.job.stop()


def actions(result: TaskResult) -> Counter[str]:
    return Counter(one["action"] for one in result["trails"])


def test_every_kind_is_stopped_deleted_and_comes_back_identical(world: World, tmp_path: Path) -> None:
    many = len(KINDS)
    predicted = world.run(tmp_path, "stopped", check_mode=True)
    assert (predicted.failed, actions(predicted)) == (False, Counter(stopped=many - 1, recorded=1))
    assert (list(tmp_path.iterdir()), world.writes, world.states()) == ([], Counter(), world.before)

    stopped = world.run(tmp_path, "stopped")
    assert (stopped["trails"], stopped.diff) == (predicted["trails"], predicted.diff)
    assert world.writes == Counter(StopLogging=many - 1)
    assert not any(one["logging"] for one in world.states().values())
    assert not world.run(tmp_path, "stopped").changed

    early = world.run(tmp_path, "absent")
    assert early.msg.count("expected at least 7 days") == many
    waiting = world.run(tmp_path, "absent", trail_arns=None, all_recorded=True)
    assert (waiting.failed, waiting["summary"]["waiting"]) == (False, many)
    assert world.writes == Counter()

    let_days_pass(world.lab, tmp_path, *world.trails.values())
    gone = world.run(tmp_path, "absent", trail_arns=None, all_recorded=True)
    assert (gone.failed, world.writes) == (False, Counter(DeleteTrail=many)), gone.msg
    assert set(world.states().values()) == {None}
    assert not world.run(tmp_path, "absent").changed

    back = world.run(tmp_path, "present", check_mode=True)
    assert (back["summary"]["created"], world.writes) == (many, Counter())
    done = world.run(tmp_path, "present")
    assert (done["trails"], done.failed) == (back["trails"], False)
    assert world.states() == world.before
    assert not world.run(tmp_path, "present").changed
    assert world.writes == Counter()


def test_what_is_not_proved_is_not_touched_and_can_be_started_again(world: World, tmp_path: Path) -> None:
    one, other = world.trails["as it is made"], world.trails["tags"]
    lab = world.lab
    assert world.run(tmp_path, "stopped", one.arn, other.arn).changed
    let_days_pass(lab, tmp_path, one, other)
    lab.control("POST", "members", [{"account": one.account, "region": "eu-west-1", "IsLogging": False}])
    blind = world.run(tmp_path, "absent", one.arn, other.arn)
    assert [row["action"] for row in blind["trails"]] == ["none", "deleted"]
    assert blind.failed
    assert f"Account {one.account} is not covered in eu-west-1: Logging is stopped." in blind.msg
    assert "stays stopped. Run with state=present to start it again." in blind.msg
    assert world.writes == Counter(DeleteTrail=1)
    assert world.run(tmp_path, "present", one.arn, other.arn).changed
    assert world.writes == Counter(StartLogging=2, CreateTrail=1)
    assert world.states() == world.before
    not_stopped = world.run(tmp_path, "stopped", one.arn)
    assert not_stopped.msg.endswith(f"{one.arn} goes on logging.")
    lab.control("DELETE", "members")


def test_what_is_refused_is_told_and_the_others_are_done(world: World, tmp_path: Path) -> None:
    lab = world.lab
    account, empty = members(lab)[len(KINDS) : len(KINDS) + 2]
    keeps = MemberTrail(lab, account, "keeps")
    keeps.client.put_event_selectors(
        TrailName="keeps", AdvancedEventSelectors=advanced("Management", S3, "AWS::Lambda::Function")
    )
    owned = MemberTrail(lab, account, "owned")
    owned.client.add_tags(ResourceId=owned.arn, TagsList=[{"Key": "ManagedBy", "Value": "terraform"}])
    missing = f"arn:aws:cloudtrail:{lab.home_region}:{empty}:trail/nothing"
    good = world.trails["insights"]
    found = world.run(tmp_path, "stopped", keeps.arn, owned.arn, missing, good.arn)
    assert found.failed
    told = {row["arn"]: row.get("problem", "") for row in found["trails"]}
    assert "without it you would lose data events of AWS::Lambda::Function" in told[keeps.arn]
    assert f"belongs to Terraform in account {account}" in told[owned.arn]
    assert "There is no trail" in told[missing]
    assert (told[good.arn], world.writes) == ("", Counter(StopLogging=1))
    assert all(problem in found.msg for problem in told.values())
    assert world.run(tmp_path, "present", good.arn).changed
    assert "which owns the organization trail" in world.run(tmp_path, "stopped", lab.trail_arn).msg
    assert "'team' is not a trail ARN" in world.run(tmp_path, "stopped", "team").msg
    without_record = world.run(tmp_path / "other", "absent", good.arn)
    assert "logs, expected a trail that is stopped" in without_record.msg
    assert "There is no record" in world.run(tmp_path / "other", "present", good.arn).msg
    assert world.states() == world.before


def test_young_accounts_and_silent_ones_keep_their_trails(world: World, tmp_path: Path) -> None:
    lab, account = world.lab, members(world.lab)[-1]
    one = MemberTrail(lab, account, "young")
    s3 = lab.client("s3", lab.log_archive)
    prefix = f"AWSLogs/{lab.organization_id}/{account}/CloudTrail/"
    keys = [found["Key"] for found in s3.list_objects_v2(Bucket=lab.bucket, Prefix=prefix)["Contents"]]
    s3.delete_object(Bucket=lab.bucket, Key=keys[0])
    assert "between 30 days and 24 hours ago" in world.run(tmp_path, "stopped", one.arn).msg
    for key in keys[1:]:
        s3.delete_object(Bucket=lab.bucket, Key=key)
    silent = world.run(tmp_path, "stopped", one.arn)
    assert "within 24 hours" in silent.msg
    assert (world.writes, list(tmp_path.iterdir())) == (Counter(), [])


# --- killed -------------------------------------------------------------------------------------------


class Killed:
    """One trail, taken to a state by a run that is killed at a call; what must hold then, and after the next run."""

    def __init__(self, world: World, folder: Path, state: str) -> None:
        self.world, self.folder, self.state = world, folder, state
        self.trail = world.trails["aggregations"]
        self.before = world.before["aggregations"]

    def aim(self, state: str) -> MainJob:
        return self.world.aim(self.folder, state, self.trail.arn)

    def prepare(self) -> None:
        """The state that the run begins with."""
        self.world.lab.control("POST", "faults", [])
        for path in self.folder.iterdir():
            path.unlink()
        assert self.trail.state() == self.before
        if self.state != "stopped":
            assert self.aim("stopped").run() == ""
            let_days_pass(self.world.lab, self.folder, self.trail)
        if self.state == "present":
            assert self.aim("absent").run() == ""
        self.world.lab.clear_journal()

    def places(self) -> list[Place]:
        """The calls of a run that nothing happens to, in the home region and one other."""
        self.prepare()
        assert self.aim(self.state).run() == ""
        calls = self.world.lab.journal()
        assert self.aim("present").run() == ""
        counts: Counter[tuple[str, ...]] = Counter()
        places = []
        for call in calls:
            if call["region"] in (self.world.lab.home_region, "eu-west-1"):
                key = (call["service"], call["operation"], call["account"], call["region"])
                counts[key] += 1
                places.append(Place(*key, counts[key]))
        return places

    def kill(self, place: Place, when: str) -> None:
        """Kill a run at a call: nothing is gone without its record, and the next run ends where it should."""
        self.prepare()
        self.world.lab.control("POST", "faults", [place.rule(KILLS[when])])
        job = self.aim(self.state)
        process = job.start()
        wait_for_fault(self.world.lab, KILLS[when])
        os.kill(process, signal.SIGKILL)
        assert job.end() == "killed", place
        self.world.lab.control("POST", "faults", [])
        found, [*records] = self.trail.state(), self.folder.glob("*.json")
        if found != self.before:
            [record] = records
            kept = json.loads(record.read_text())
            assert (kept["trail_arn"], kept["is_logging"]) == (self.trail.arn, True), place
        assert job.run() == "", place
        after = self.trail.state()
        if self.state == "present":
            assert after == self.before, place
        else:
            assert after == (None if self.state == "absent" else {**(self.before or {}), "logging": False}), place
        assert self.aim("present").run() == "", place
        assert self.trail.state() == self.before, place


WRITES = {
    "stopped": ["StopLogging"],
    "absent": ["DeleteTrail"],
    "present": ["CreateTrail", "PutEventSelectors", "PutEventConfiguration", "StartLogging"],
}
CORE = [("stopped", "StopLogging"), ("absent", "DeleteTrail"), ("present", "PutEventSelectors")]


@pytest.mark.parametrize("when", KILLS)
@pytest.mark.parametrize(("state", "operation"), CORE)
def test_killed_at_a_write(world: World, tmp_path: Path, state: str, operation: str, when: str) -> None:
    run = Killed(world, tmp_path, state)
    run.kill(Place("cloudtrail", operation, run.trail.account, world.lab.home_region, 1), when)


@pytest.mark.scale
@pytest.mark.parametrize("when", KILLS)
@pytest.mark.parametrize("state", WRITES)
def test_killed_at_every_call(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str], state: str, when: str
) -> None:
    run = Killed(world, tmp_path, state)
    places = run.places()
    assert set(WRITES[state]) <= {place.operation for place in places}
    for place in places:
        run.kill(place, when)
    with capsys.disabled():
        sys.stdout.write(f" {state}, killed {when}: {len(places)} calls, all ended well in the next run ")
