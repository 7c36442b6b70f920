# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run real Ansible against a lab and read what came of it.

``run_playbook(lab, "playbooks/enable_org_trail.yml", "--check", "-i", inventory)`` runs a playbook file;
``run_playbook(lab, [{"name": …, "some.module": {…}}])`` runs tasks on localhost;
``run_module(lab, "cloudtrail_log_bucket_info", {"name": …}, account=lab.log_archive)`` runs one module.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.lab_process import MEMBER_ROLE, Lab

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
COLLECTION = "cloudsec.org_trail"
SETTINGS = {
    "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
    "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
    "ANSIBLE_INJECT_INVOCATION": "True",  # a result says with which arguments; the default before ansible-core 2.21
    "ANSIBLE_LOCALHOST_WARNING": "False",
    "ANSIBLE_NOCOLOR": "1",
    "ANSIBLE_RETRY_FILES_ENABLED": "False",
    "LC_ALL": "C.UTF-8",
}


@dataclass(frozen=True)
class TaskResult:
    """What one task (or one item of its loop) did on one host; ``result["name"]`` reads a returned value."""

    task: str
    host: str
    result: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.result[name]

    @property
    def changed(self) -> bool:
        return bool(self.result.get("changed"))

    @property
    def failed(self) -> bool:
        return bool(self.result.get("failed") or self.result.get("unreachable"))

    @property
    def skipped(self) -> bool:
        return bool(self.result.get("skipped"))

    @property
    def msg(self) -> str:
        return str(self.result.get("msg", ""))

    @property
    def diff(self) -> list[dict[str, Any]]:
        """The diffs shown with --diff, always as a list."""
        diff = self.result.get("diff") or []
        return list(diff) if isinstance(diff, list) else [diff]

    @property
    def items(self) -> list[TaskResult]:
        """The results of a loop, one per item."""
        return [TaskResult(self.task, self.host, one) for one in self.result.get("results", [])]


@dataclass(frozen=True)
class PlaybookResult:
    """What a run of ansible-playbook did: its return code, its output, and each task's result on each host."""

    rc: int
    stdout: str
    stderr: str

    @cached_property
    def report(self) -> dict[str, Any]:
        """The json callback's document."""
        start = self.stdout.find("{")
        assert start >= 0, f"ansible-playbook ended with {self.rc} and no report:\n{self.stdout}\n{self.stderr}"
        document: dict[str, Any] = json.loads(self.stdout[start:])
        return document

    @property
    def stats(self) -> dict[str, dict[str, int]]:
        """Counters per host: ok, changed, failures, skipped, unreachable, rescued, ignored."""
        stats: dict[str, dict[str, int]] = self.report["stats"]
        return stats

    @property
    def changed(self) -> int:
        """How many tasks changed something, over all hosts."""
        return sum(counters["changed"] for counters in self.stats.values())

    @cached_property
    def results(self) -> list[TaskResult]:
        """Every task's result on every host, in order."""
        return list(_results(self.report))

    def task(self, name: str, host: str = "") -> TaskResult:
        """The result of the one task whose name ends with ``name`` (roles put "role : " before it)."""
        found = [one for one in self.results if one.task.endswith(name) and host in ("", one.host)]
        assert len(found) == 1, f"{len(found)} results of task {name!r} among {[one.task for one in self.results]}"
        return found[0]

    @property
    def warnings(self) -> list[str]:
        """The warnings of all tasks."""
        return [str(warning) for one in self.results for warning in one.result.get("warnings", [])]

    @property
    def failures(self) -> list[TaskResult]:
        return [one for one in self.results if one.failed]

    @property
    def msg(self) -> str:
        """The messages of all failed tasks, or what ansible-playbook wrote when it ran none."""
        return "\n".join(one.msg for one in self.failures) if "{" in self.stdout else self.stdout + self.stderr

    def ok(self) -> PlaybookResult:
        """This result, after asserting that the run succeeded."""
        assert self.rc == 0, f"ansible-playbook ended with {self.rc}: {self.msg}\n{self.stderr}"
        return self


def _results(report: dict[str, Any]) -> Iterator[TaskResult]:
    for play in report["plays"]:
        for task in play["tasks"]:
            for host, result in task["hosts"].items():
                yield TaskResult(task["task"]["name"], host, result)


def run_playbook(
    lab: Lab,
    playbook: str | Path | Sequence[Mapping[str, Any]],
    *arguments: str,
    environment: Mapping[str, str | None] | None = None,
    play: Mapping[str, Any] | None = None,
    cwd: Path = ROOT,
) -> PlaybookResult:
    """Run a playbook file, or a list of tasks on localhost, against the lab.

    arguments: further command-line arguments such as "--check", "--diff", "-i", path, "-e", text.
    environment: variables to set on top of the lab's; those that are None are taken out.
    play: further keywords of the play made of tasks, such as vars or module_defaults.
    cwd: where to start Ansible.
    """
    with tempfile.TemporaryDirectory(prefix="org_trail_") as home:
        path = playbook if isinstance(playbook, str | Path) else _write_play(Path(home), playbook, play or {})
        settings = ansible_environment(lab, home) | dict(environment or {})
        completed = subprocess.run(
            [str(BIN / "ansible-playbook"), str(path), *arguments],
            cwd=cwd,
            env={name: value for name, value in settings.items() if value is not None},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    return PlaybookResult(completed.returncode, completed.stdout, completed.stderr)


def ansible_environment(lab: Lab, home: str) -> dict[str, str]:
    """The environment for an Ansible command that talks to the lab and keeps its files below ``home``."""
    environment = lab.child_environment(home)
    path = f"{BIN}{os.pathsep}{environment.get('PATH', os.defpath)}"
    return {**environment, **SETTINGS, "ANSIBLE_HOME": f"{home}/.ansible", "PATH": path}


def descendants(process: int) -> list[int]:
    """The processes that a process started, and those that they did."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [one for child in map(int, children) for one in (child, *descendants(child))]


def _write_play(folder: Path, tasks: Sequence[Mapping[str, Any]], play: Mapping[str, Any]) -> Path:
    variables = {"ansible_python_interpreter": "{{ ansible_playbook_python }}", **play.get("vars", {})}
    document = [{"hosts": "localhost", "gather_facts": False, **play, "vars": variables, "tasks": list(tasks)}]
    path = folder / "playbook.yml"
    path.write_text(json.dumps(document))  # JSON is YAML
    return path


def member_role(lab: Lab, account: str) -> dict[str, str]:
    """The options that make a module work in an account of the lab: none for management."""
    if account in ("", lab.management):
        return {}
    return {"assume_role_arn": f"arn:aws:iam::{account}:role/{MEMBER_ROLE}"}


def run_module(
    lab: Lab, module: str, options: Mapping[str, Any], *arguments: str, account: str = "", region: str = ""
) -> TaskResult:
    """Run one module of this collection in an account of the lab, by default management.

    The module runs as a process of its own, the way Ansible starts it but without ansible-playbook's start-up time.
    arguments: "--check" and "--diff" at most.
    """
    everything = {
        **member_role(lab, account),
        "region": region or lab.home_region,
        "_ansible_check_mode": "--check" in arguments,
        "_ansible_diff": "--diff" in arguments,
        **options,
    }
    with tempfile.TemporaryDirectory(prefix="org_trail_") as home:
        completed = subprocess.run(
            [sys.executable, "-m", f"ansible_collections.{COLLECTION}.plugins.modules.{module}"],
            cwd=ROOT,
            env={**ansible_environment(lab, home), "PYTHONPATH": str(ROOT / ".collections")},
            input=json.dumps({"ANSIBLE_MODULE_ARGS": everything}),
            capture_output=True,
            text=True,
            check=False,
        )
    assert "Traceback" not in completed.stderr, completed.stderr
    return TaskResult(module, "localhost", json.loads(completed.stdout))
