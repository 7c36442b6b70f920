# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job, converting, with nothing to do, and in check mode, beside what users would write instead."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import ROOT, Sample, Table, run
from benchmarks.old_release import OLD, old_release
from lab.inventory import write_inventory
from tests.ansible_run import BIN, ansible_environment
from tests.lab_process import Lab

OURS = "this collection"
ORDINARY = "this collection, direct execution off"
EMPTY = "an empty play"
RIVALS = ROOT / "benchmarks" / "rivals"
PLAYBOOK = str(BIN / "ansible-playbook")


@dataclass(frozen=True)
class Contender:
    """A way to do the job. ``command`` makes its command from the lab and the inventory's path."""

    name: str
    command: Callable[[Lab, str], list[str]]
    environment: Mapping[str, str]
    checks: bool = True
    """Whether it has a check mode, turned on by ``--check``."""


def our_playbook(inventory: str, **variables: object) -> list[str]:
    return [PLAYBOOK, "-i", inventory, "cloudsec.org_trail.enable_org_trail", "-e", json.dumps(variables)]


def without_coverage(_lab: Lab, inventory: str) -> list[str]:
    return our_playbook(inventory, coverage_enabled=False)


def with_coverage(_lab: Lab, inventory: str) -> list[str]:
    return our_playbook(inventory, coverage_report_dir=str(Path(inventory).parent / "coverage"))


CONTENDERS = (
    Contender(OURS, without_coverage, {}),
    Contender(ORDINARY, without_coverage, {"ORG_TRAIL_DIRECT": "0"}),
    Contender(f"{OURS}, with the coverage report", with_coverage, {}, checks=False),
    Contender(
        "amazon.aws modules and AWS CLI tasks",
        lambda lab, inventory: [PLAYBOOK, str(RIVALS / "amazon_aws.yml"), "-e", f"log_archive='{lab.log_archive}'"],
        {},
    ),
    Contender(
        "AWS CLI shell script", lambda lab, inventory: [str(RIVALS / "aws_cli.sh"), lab.log_archive], {}, checks=False
    ),
    Contender(
        "boto3 script, fewest calls",
        lambda lab, inventory: [sys.executable, str(RIVALS / "floor.py"), lab.log_archive],
        {},
    ),
)


def measure(table: Table, repetitions: int, latencies: tuple[int, ...]) -> None:
    """Run each contender so many times on fresh labs, in turns."""
    with tempfile.TemporaryDirectory() as folder:
        old = old_release(Path(folder))
        contenders = [*CONTENDERS, *([Contender(f"release {OLD}", without_coverage, old)] if old else [])]
        for _ in range(repetitions):
            for latency in latencies:
                measure_contenders(table, contenders, latency)


def measure_contenders(table: Table, contenders: Sequence[Contender], latency: int) -> None:
    """Each contender once, and an empty play."""
    for contender in contenders:
        with Lab("--scenario", "lesson", "--latency", str(latency)) as lab:
            measure_one(table, contender, lab, f"{latency} ms per call")
    with Lab("--scenario", "empty") as lab, tempfile.TemporaryDirectory() as home:
        sample = run([PLAYBOOK, str(RIVALS / "empty.yml")], environment(lab, home))
    for case in ("converting", "unchanged", "check mode"):
        table.add(f"Main job, {latency} ms per call", case, EMPTY, sample, 0)


def measure_one(table: Table, contender: Contender, lab: Lab, where: str) -> None:
    """Check mode, conversion and a second run in one lab. Raises AssertionError when the job is not done."""
    with tempfile.TemporaryDirectory(prefix="org_trail_") as home:
        inventory = str(write_inventory(Path(home) / "inventory.yml", lab.ready))
        command = contender.command(lab, inventory)
        variables = environment(lab, home) | dict(contender.environment)

        def measured(*arguments: str) -> tuple[Sample, int, bool]:
            lab.clear_journal()
            sample = run([*command, *arguments], variables)
            journal = lab.journal()
            return sample, len(journal), any(entry["writes"] for entry in journal)

        section = f"Main job, {where}"
        run_first(variables)
        if contender.checks:
            sample, calls, wrote = measured("--check")
            assert not wrote, f"{contender.name} wrote in check mode"
            assert not is_converted(lab)
            table.add(section, "check mode", contender.name, sample, calls)
        sample, calls, wrote = measured()
        assert wrote, f"{contender.name} changed nothing"
        assert is_converted(lab), f"{contender.name} did not convert the trail"
        table.add(section, "converting", contender.name, sample, calls)
        sample, calls, wrote = measured()
        assert not wrote, f"{contender.name} changed a converted trail"
        table.add(section, "unchanged", contender.name, sample, calls)


def run_first(variables: Mapping[str, str]) -> None:
    """Bring Ansible's files into the cache of the file system, for the first contender as for the rest."""
    run([PLAYBOOK, "--version"], variables)


def is_converted(lab: Lab) -> bool:
    """Whether the lab is as the job shall leave it."""
    trail = lab.client("cloudtrail").get_trail(Name=lab.trail_arn)["Trail"]
    services = lab.client("organizations").list_aws_service_access_for_organization()["EnabledServicePrincipals"]
    return (
        trail["IsOrganizationTrail"]
        and trail["S3BucketName"] == lab.bucket
        and "cloudtrail.amazonaws.com" in [one["ServicePrincipal"] for one in services]
    )


def environment(lab: Lab, home: str) -> dict[str, str]:
    return ansible_environment(lab, home) | {"ANSIBLE_STDOUT_CALLBACK": "default"}
