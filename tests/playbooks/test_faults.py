# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every AWS call of the main job with every fault, and the process killed at each of them.

The calls are those in the journal of a clean run. After each fault: the run succeeded, or said in one sentence which
permission is missing; logging never stopped; the next run ends where a clean one does, and the one after writes
nothing. No write was made twice: those of both runs together are exactly those of a clean run.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from lab.inventory import write_inventory
from lab.kernel.call import Call
from lab.kernel.faults import DONE
from lab.services.iam.requested import action_of
from tests.ansible_run import BIN, ROOT, ansible_environment, descendants, run_playbook
from tests.lab_process import Lab
from tests.main_job import TRAIL, MainJob, steps_of
from tests.trail_run import CLOUDTRAIL

PLAYBOOK = "playbooks/enable_org_trail.yml"
BRIEF = ("lost_reply",)
REST = (
    *("http500", "code:AccessDeniedException", "throttle", "http503", "reset", "timeout", "late_reply"),
    *("code:ConflictException", "code:ConcurrentModificationException"),
)
KILLS = {"before AWS did it": "timeout", "after AWS did it": "late_reply"}
FAULTS = [
    *(pytest.param(fault, id=fault) for fault in BRIEF),
    *(pytest.param(fault, id=fault, marks=pytest.mark.full) for fault in REST),
]
COVERAGE = "cloudtrail_coverage_info"
DENIED = "code:AccessDeniedException"
READ_TIMEOUT = 1.0
"""Seconds, where no answer comes; users wait for 30."""

PATIENCE = 300.0
"""Seconds after which a call that does not come is a failure, not a slow machine."""

SELECTORS = [{"read_write_type": "All", "data_resources": [{"type": "AWS::S3::Object", "values": ["arn:aws:s3"]}]}]


@dataclass(frozen=True)
class Place:
    """One call of a run: the fields of the lab's rule that meets it and no other."""

    service: str
    operation: str
    account: str
    region: str
    nth: int

    def rule(self, fault: str) -> dict[str, Any]:
        return {**vars(self), "fault": fault}

    def __str__(self) -> str:
        return f"{self.operation} {self.nth} of {self.account} in {self.region}"


class World:
    """A lab, and the steps of the main job as a real run made them."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.arguments = ("-i", str(write_inventory(folder / "inventory.yml", lab.ready)))
        self.cloudtrail = lab.client("cloudtrail")
        before = self.cloudtrail.get_trail(Name=lab.trail_arn)["Trail"]
        self.account_trail = {name: before[name] for name in ("Name", "S3BucketName", "IsMultiRegionTrail")}
        lab.clear_journal()
        result = run_playbook(lab, PLAYBOOK, *self.arguments).ok()
        self.calls = lab.journal()
        steps = steps_of(result)
        self.job = MainJob(lab, steps)
        few = {"regions": [lab.home_region, "eu-west-1"]}
        self.next_job = MainJob(
            lab,
            [
                {**step, "arguments": {**step["arguments"], **(few if step["module"] == COVERAGE else {})}}
                for step in steps
            ],
        )

    def stop(self) -> None:
        self.job.stop()
        self.next_job.stop()

    def lesson(self) -> None:
        """The lesson's start: an account trail that logs into its old bucket, trusted access off."""
        self.lab.control("POST", "faults", [])
        self.lab.client("organizations").disable_aws_service_access(ServicePrincipal=CLOUDTRAIL)
        iam = self.lab.client("iam")
        with contextlib.suppress(iam.exceptions.NoSuchEntityException):
            iam.delete_role(RoleName="AWSServiceRoleForCloudTrail")
        self.cloudtrail.delete_trail(Name=self.lab.trail_arn)
        self.cloudtrail.create_trail(**self.account_trail, EnableLogFileValidation=True)
        self.cloudtrail.start_logging(Name=self.lab.trail_arn)
        self.lab.clear_journal()

    def nothing(self) -> None:
        """Trusted access, but no trail."""
        self.lab.control("POST", "faults", [])
        self.lab.client("organizations").enable_aws_service_access(ServicePrincipal=CLOUDTRAIL)
        if self.cloudtrail.describe_trails()["trailList"]:
            self.cloudtrail.delete_trail(Name=self.lab.trail_arn)
        self.lab.clear_journal()


@dataclass
class Run:
    """One kind of run: what it starts from, its steps, and what a clean one does.

    next_job: the runs that follow an accident; their coverage asks fewer regions, which saves time.
    """

    lab: Lab
    job: MainJob
    next_job: MainJob
    prepare: Callable[[], None]
    calls: list[dict[str, Any]]
    wanted: dict[str, Any]

    @classmethod
    def of(cls, world: World, prepare: Callable[[], None], job: MainJob, next_job: MainJob) -> Run:
        prepare()
        assert job.run() == ""
        calls = world.lab.journal()
        assert job.run() == ""
        assert world.lab.journal(writes=True) == [call for call in calls if call["writes"]]
        return cls(world.lab, job, next_job, prepare, calls, state(world.lab))

    @property
    def places(self) -> list[Place]:
        """Each call once; of the many regions that the coverage asks alike, one beside the home region."""
        counts: Counter[tuple[str, ...]] = Counter()
        elsewhere = sorted({call["region"] for call in self.calls} - {self.lab.home_region})[:1]
        places = []
        for call in self.calls:
            if call["region"] in (self.lab.home_region, *elsewhere):
                key = (call["service"], call["operation"], call["account"], call["region"])
                counts[key] += 1
                places.append(Place(*key, counts[key]))
        return places

    def converges(self, case: str) -> None:
        """What must hold after any accident: the next run finishes the work, and the one after has none."""
        self.lab.control("POST", "faults", [])
        before = len(effective(self.lab))
        assert self.next_job.run() == "", case
        if len(effective(self.lab)) > before:
            assert self.next_job.run() == "", case
        assert effective(self.lab) == effective_of(self.calls), case
        assert state(self.lab) == self.wanted, case


def state(lab: Lab) -> dict[str, Any]:
    """The trail and trusted access, as AWS answers them."""
    trails, organizations = lab.client("cloudtrail"), lab.client("organizations")
    services = organizations.list_aws_service_access_for_organization()["EnabledServicePrincipals"]
    return {
        "trail": trails.get_trail(Name=lab.trail_arn)["Trail"],
        "logging": trails.get_trail_status(Name=lab.trail_arn)["IsLogging"],
        "selectors": trails.get_event_selectors(TrailName=lab.trail_arn)["EventSelectors"],
        "tags": trails.list_tags(ResourceIdList=[lab.trail_arn])["ResourceTagList"],
        "access": [service["ServicePrincipal"] for service in services],
    }


def effective(lab: Lab) -> list[tuple[str, Any]]:
    return effective_of(lab.journal(writes=True))


def effective_of(calls: list[dict[str, Any]]) -> list[tuple[str, Any]]:
    """The writes that AWS did, also those whose answer never came."""
    return [
        (call["operation"], call["parameters"])
        for call in calls
        if call["writes"] and call["outcome"].removeprefix("fault:") in ("ok", *DONE)
    ]


def permission(place: Place) -> str:
    """The IAM action of a call, by the lab's own table of names."""
    return action_of(cast(Call, SimpleNamespace(service=place.service, operation=place.operation)))


def judge(place: Place, fault: str, said: str) -> None:
    """A fault that passes is survived; a missing permission is named, unless the run can do without it."""
    case = f"{place} {fault}: {said}"
    if not said:
        return
    assert fault == DENIED, case
    assert permission(place) in said, case
    assert "\n" not in said, case


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with tempfile.TemporaryDirectory(prefix="org_trail_") as folder, Lab() as lab:
        world = World(lab, Path(folder))
        yield world
        world.stop()


@pytest.fixture(scope="module")
def convert(world: World) -> Run:
    """The main job as it is."""
    return Run.of(world, world.lesson, world.job, world.next_job)


@pytest.fixture(scope="module")
def create(world: World) -> Iterator[Run]:
    """The trail's module alone makes a trail with selectors and tags: four writes, which may be torn apart."""
    step = next(step for step in world.job.steps if step["module"] == TRAIL)
    more = {"event_selectors": SELECTORS, "tags": {"Owner": "security"}}
    steps = [{**step, "arguments": {**step["arguments"], **more}, "check_mode": False}]
    job = MainJob(world.lab, steps)
    yield Run.of(world, world.nothing, job, job)
    job.stop()


def test_the_forks_make_the_calls_of_the_playbook(world: World, convert: Run) -> None:
    """Which is why what they show holds for ansible-playbook, too."""

    def told(calls: list[dict[str, Any]]) -> list[str]:
        names = ("service", "operation", "account", "region", "parameters", "outcome")
        return sorted(json.dumps([call[name] for name in names], sort_keys=True) for call in calls)

    assert told(convert.calls) == told(world.calls)
    assert [write for write, _ in effective_of(convert.calls)] == ["EnableAWSServiceAccess", "UpdateTrail"]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", ["convert", "create"])
def test_every_call_with_a_fault(
    request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str], kind: str, fault: str
) -> None:
    run: Run = request.getfixturevalue(kind)
    ended = 0
    for place in run.places:
        run.prepare()
        run.lab.control("POST", "faults", [place.rule(fault)])
        said = run.job.run(READ_TIMEOUT if fault in KILLS.values() else 0)
        assert run.lab.control("GET", "faults")[0]["hits"] == 1, place
        judge(place, fault, said)
        run.converges(f"{place} {fault}")
        ended += bool(said)
    with capsys.disabled():
        calls = len(run.places)
        sys.stdout.write(f" {kind}, {fault}: {calls} calls, {calls - ended} succeeded, {ended} ended in a sentence ")


@pytest.mark.full
@pytest.mark.parametrize("when", KILLS)
@pytest.mark.parametrize("kind", ["convert", "create"])
def test_killed_at_every_call(
    request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str], kind: str, when: str
) -> None:
    run: Run = request.getfixturevalue(kind)
    for place in run.places:
        run.prepare()
        run.lab.control("POST", "faults", [place.rule(KILLS[when])])
        process = run.job.start()
        wait_for_fault(run.lab, KILLS[when])
        os.kill(process, signal.SIGKILL)
        assert run.job.end() == "killed", place
        run.converges(f"{place} {when}")
    with capsys.disabled():
        sys.stdout.write(f" {kind}, killed {when}: {len(run.places)} calls, all ended well in the next run ")


@pytest.mark.parametrize("when", KILLS)
@pytest.mark.parametrize("operation", ["EnableAWSServiceAccess", "UpdateTrail"])
def test_ansible_playbook_killed_at_every_write(
    world: World, convert: Run, tmp_path: Path, operation: str, when: str
) -> None:
    lab = world.lab
    world.lesson()
    lab.control("POST", "faults", [{"operation": operation, "nth": 1, "fault": KILLS[when]}])
    process = subprocess.Popen(
        [str(BIN / "ansible-playbook"), PLAYBOOK, *world.arguments],
        cwd=ROOT,
        env=ansible_environment(lab, str(tmp_path)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for_fault(lab, KILLS[when])
    for victim in (process.pid, *descendants(process.pid)):
        with contextlib.suppress(ProcessLookupError):  # it ended by itself
            os.kill(victim, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    lab.control("POST", "faults", [])
    run_playbook(lab, PLAYBOOK, *world.arguments).ok()
    convert.converges(f"{operation} {when}")


def wait_for_fault(lab: Lab, fault: str) -> None:
    """Until a call hangs in it."""
    deadline = time.monotonic() + PATIENCE
    while not lab.journal(outcome=f"fault:{fault}"):
        assert time.monotonic() < deadline, "the call was never made"
        time.sleep(0.01)
