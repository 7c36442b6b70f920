# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The version is ahead, the lock file fits, and the workflows run what exists, pinned and with few rights."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.release import State, look, number, stale, unlike, unready
from tests.unit.documented import ROOT, load_yaml

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
SETTINGS = [*sorted((ROOT / ".github").rglob("*.yml")), ROOT / ".pre-commit-config.yaml"]
PINNED = re.compile(r"uses: [\w-]+/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")

workflows = pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)


def waiting(version: str, *fragments: str, **more: tuple[str, ...]) -> State:
    return State(version, ("1.0.0", "1.10.0", "1.9.1"), fragments, **more)


def test_no_change_waits_for_a_version_that_is_released() -> None:
    assert stale(look()) == []


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (waiting("1.11.0", "trail.yml"), ""),
        (waiting("1.11.0"), ""),
        (waiting("1.10.0"), ""),  # the release's commit
        (waiting("1.10.0", "trail.yml"), "1.10.0 is released, and changes wait (trail.yml)"),
        (waiting("1.9.2"), "galaxy.yml says 1.9.2, and the change log has 1.10.0 already."),
    ],
)
def test_stale(state: State, reason: str) -> None:
    reasons = stale(state)
    assert reasons[0].startswith(reason) if reason else reasons == []


@pytest.mark.parametrize(
    ("state", "reasons"),
    [
        (waiting("1.11.0", "trail.yml"), []),
        (waiting("1.10.0"), ["1.10.0 is released, and nothing waits in changelogs/fragments."]),
        (
            waiting("1.11.0", "a.yml", changes=("M README.md",)),
            ["The work tree differs from the last commit: M README.md."],
        ),
        (waiting("1.11.0", "a.yml", tags=("1.10.0", "1.11.0")), ["There is a tag 1.11.0 already."]),
    ],
)
def test_unready(state: State, reasons: list[str]) -> None:
    assert unready(state) == reasons


@pytest.mark.parametrize(
    ("state", "tag", "reasons"),
    [
        (waiting("1.10.0", tags=("1.9.1",)), "1.10.0", []),
        (waiting("1.10.0", tags=("1.10.0",)), "1.10.0", ["There is a tag 1.10.0 already."]),
        (waiting("1.10.0", "a.yml"), "1.10.0", ["Changes wait that the change log lacks: a.yml."]),
        (waiting("1.11.0"), "1.10.0", ["The tag would be 1.10.0, and galaxy.yml says 1.11.0."]),
        (waiting("1.11.0"), "1.11.0", ["The tag would be 1.11.0, and the change log's newest entry says 1.10.0."]),
        (
            waiting("1.10.0"),
            "v1.10.0",
            [
                "The tag would be v1.10.0, and galaxy.yml says 1.10.0.",
                "The tag would be v1.10.0, and the change log's newest entry says 1.10.0.",
            ],
        ),
    ],
)
def test_unlike(state: State, tag: str, reasons: list[str]) -> None:
    assert unlike(state, tag) == reasons


@pytest.mark.parametrize(("arguments", "code"), [(["next"], 0), (["tag", "0.0.1"], 1)])
def test_the_answer_is_the_exit_code(arguments: list[str], code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.release", *arguments], cwd=ROOT, capture_output=True, check=False
    )
    assert done.returncode == code


@pytest.mark.parametrize("version", ["1.2", "v1.2.0", "1.2.0-dev0", "1.2.0.1"])
def test_a_release_has_three_numbers(version: str) -> None:
    with pytest.raises(ValueError, match=r"unpack|invalid literal"):
        number(version)


def requirements(name: str) -> Iterator[Requirement]:
    """The lines of a requirements file."""
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        if text := line.partition("#")[0].strip():
            yield Requirement(text)


def locked(python: str) -> dict[str, str]:
    """The version of each package that the lock file gives to a Python on Linux."""
    machine = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux"}
    return {
        canonicalize_name(one.name): str(one.specifier).removeprefix("==")
        for one in requirements("requirements-dev.lock")
        if one.marker is None or one.marker.evaluate(machine)
    }


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_the_lock_file_has_what_development_needs(python: str) -> None:
    versions = locked(python)
    for one in requirements("requirements-dev.txt"):
        assert one.specifier.contains(versions[canonicalize_name(one.name)]), f"{one}: make lock"


def test_the_lock_file_names_no_registry() -> None:
    assert "://" not in (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", SETTINGS, ids=lambda path: path.name)
def test_settings_are_yaml(path: Any) -> None:
    assert isinstance(load_yaml(path), dict)


@workflows
def test_actions_are_pinned(workflow: Any) -> None:
    used = [line.strip() for line in workflow.read_text(encoding="utf-8").splitlines() if "uses:" in line]
    assert [line for line in used if not PINNED.search(line)] == []


@workflows
def test_a_workflow_can_write_only_where_a_job_says_so(workflow: Any) -> None:
    assert load_yaml(workflow)["permissions"] in ({}, {"contents": "read"})


@workflows
def test_a_job_needs_jobs_that_exist_and_ends(workflow: Any) -> None:
    jobs = load_yaml(workflow)["jobs"]
    for job in jobs.values():
        assert "timeout-minutes" in job
        assert job.get("needs", next(iter(jobs))) in jobs


def commands(workflow: Any) -> Iterator[str]:
    """The shell commands of a workflow, a line each, for each value of a matrix."""
    for job in load_yaml(workflow)["jobs"].values():
        targets = job.get("strategy", {}).get("matrix", {}).get("target", [""])
        for step in job["steps"]:
            for target in targets:
                yield from step.get("run", "").replace("${{ matrix.target }}", target).splitlines()


@workflows
def test_a_workflow_makes_what_the_makefile_has(workflow: Any) -> None:
    targets = set(re.findall(r"^([\w-]+):(?!=)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    made = [shlex.split(command)[1:] for command in commands(workflow) if command.startswith("make ")]
    assert made
    assert {word for words in made for word in words if "=" not in word} <= targets


@workflows
def test_no_command_holds_an_expression(workflow: Any) -> None:
    """A value that others choose reaches a shell through its environment alone."""
    assert [command for command in commands(workflow) if "${{" in command] == []
