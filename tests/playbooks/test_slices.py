# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Coverage in slices of the inventory, on two workers of ansible-runner, as AWX's job slicing does it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ansible_run import BIN, PlaybookResult, ansible_environment, run_playbook
from tests.coverage_reports import cover, list_accounts, report
from tests.lab_process import MEMBER_ROLE, Lab

REGIONS = ["eu-west-1", "us-east-1", "us-west-2"]
RUNNER = str(BIN / "ansible-runner")
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab("--accounts", "8") as lab:
        cover(lab)
        blind = [account["Id"] for account in list_accounts(lab) if account["Id"] != lab.management]
        denied = {"service": "cloudtrail", "region": "eu-west-1", "fault": "code:AccessDeniedException"}
        lab.control("POST", "faults", [denied | {"account": blind[0]}, denied | {"account": blind[5]}])
        yield lab


def host(lab: Lab, account: dict[str, Any]) -> dict[str, str]:
    """The variables that the inventory plugin gives an account."""
    found = {"account_id": account["Id"], "account_name": account["Name"], "account_state": "ACTIVE"}
    if account["Id"] == lab.management:
        return found
    return found | {"assume_role_arn": f"arn:aws:iam::{account['Id']}:role/{MEMBER_ROLE}"}


def inventory(lab: Lab, accounts: list[dict[str, Any]]) -> str:
    """An inventory of some accounts, as AWX hands a slice of an inventory to a job. JSON is YAML."""
    hosts = {account["Id"]: host(lab, account) for account in accounts}
    return json.dumps({"all": {"vars": LOCAL, "hosts": hosts}})


def variables(lab: Lab, folder: Path) -> dict[str, Any]:
    return {"coverage_trail_arn": lab.trail_arn, "coverage_regions": REGIONS, "coverage_report_dir": str(folder)}


def run(lab: Lab, folder: Path, playbook: str, *arguments: str, **more: Any) -> PlaybookResult:
    return run_playbook(lab, f"playbooks/{playbook}", "-e", json.dumps(variables(lab, folder) | more), *arguments)


class Slice:
    """One slice: transmit on the controller, work on a worker of its own, process on the controller again."""

    def __init__(self, lab: Lab, folder: Path, number: int, accounts: list[dict[str, Any]], reports: Path) -> None:
        self.controller = folder / f"controller{number}"
        self.worker = folder / f"worker{number}"
        environment = ansible_environment(lab, str(folder))
        # What a worker needs to know travels in env/envvars; its own environment has nothing of the lab.
        names = [*lab.environment, "ANSIBLE_COLLECTIONS_PATH", "ANSIBLE_HOME"]
        files = {
            "env/envvars": {name: environment[name] for name in names},
            "env/extravars": variables(lab, reports),
            "inventory/hosts.json": json.loads(inventory(lab, accounts)),
        }
        for name, content in files.items():
            (self.controller / name).parent.mkdir(parents=True, exist_ok=True)
            (self.controller / name).write_text(json.dumps(content), encoding="utf-8")
        (self.controller / "project").mkdir()
        self.path = environment["PATH"]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Hand the job to the worker; it runs on its own from here."""
        playbook = "cloudsec.org_trail.coverage_slice"
        command = [RUNNER, "transmit", str(self.controller), "--playbook", playbook, "--ident", "job"]
        job = subprocess.run(command, capture_output=True, check=True, env=self.environment)
        (self.controller / "stream").write_bytes(job.stdout)
        self.worker.mkdir()
        with (self.controller / "stream").open("rb") as sent, (self.controller / "answer").open("wb") as answer:
            command = [RUNNER, "worker", "--private-data-dir", str(self.worker)]
            self.process = subprocess.Popen(command, stdin=sent, stdout=answer, env=self.environment, cwd=self.worker)

    def finish(self) -> str:
        """Wait for the worker and read its answer on the controller; the job's status."""
        assert self.process is not None
        assert self.process.wait() == 0
        with (self.controller / "answer").open("rb") as answer:
            command = [RUNNER, "process", str(self.controller), "--ident", "job"]
            subprocess.run(command, stdin=answer, capture_output=True, check=True, env=self.environment)
        return (self.controller / "artifacts" / "job" / "status").read_text(encoding="utf-8")

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": self.path, "HOME": str(self.controller.parent), "LC_ALL": "C.UTF-8"}


def test_two_workers_make_the_same_report_as_one_run(lab: Lab, tmp_path: Path) -> None:
    accounts = list_accounts(lab)
    whole, sliced = tmp_path / "whole", tmp_path / "sliced"
    slices = [Slice(lab, tmp_path, number, accounts[number::2], sliced) for number in range(2)]
    for one in slices:
        one.start()
    assert [one.finish() for one in slices] == ["successful", "successful"]
    assert len(list((sliced / "parts").iterdir())) == 2

    merged = run(lab, sliced, "coverage_merge.yml", coverage_expected_parts=2)
    assert merged.rc == 2
    assert merged.msg.startswith("2 of 24 account regions in 2 of 8 accounts cannot be relied on: access denied 2.")

    path = tmp_path / "inventory.json"
    path.write_text(inventory(lab, accounts), encoding="utf-8")
    run(lab, whole, "coverage_slice.yml", "-i", str(path)).ok()
    assert run(lab, whole, "coverage_merge.yml").rc == 2
    assert report(whole) == report(sliced)


def test_limit_makes_a_slice_and_a_slice_run_again_replaces_its_part(lab: Lab, tmp_path: Path) -> None:
    accounts = list_accounts(lab)[:3]
    path = tmp_path / "inventory.json"
    path.write_text(inventory(lab, accounts), encoding="utf-8")
    first, rest = accounts[0]["Id"], ",".join(account["Id"] for account in accounts[1:])
    for limit in (first, rest, first):
        run(lab, tmp_path, "coverage_slice.yml", "-i", str(path), "--limit", limit).ok()
    assert len(list((tmp_path / "parts").iterdir())) == 2
    stale = run(lab, tmp_path, "coverage_merge.yml", coverage_expected_parts=1)
    assert "Found 2 parts of the coverage, expected 1: some are of an earlier run." in stale.msg
    run(lab, tmp_path, "coverage_merge.yml", coverage_fail_on=[]).ok()
    page = (tmp_path / "coverage.html").read_bytes()
    assert {account["id"] for account in report(tmp_path)["accounts"]} == {account["Id"] for account in accounts}

    run(lab, tmp_path, "coverage_merge.yml", coverage_fail_on=[]).ok()
    assert (tmp_path / "coverage.html").read_bytes() == page


@pytest.mark.parametrize(
    ("content", "expected", "text"),
    [
        (None, 1, "Found 0 of 1 parts of the coverage. Run the missing slices, then merge again."),
        ("{}", 2, "Found 1 of 2 parts of the coverage. Run the missing slices, then merge again."),
        ("{", 1, "Expected a file with the field verdict; run the coverage that wrote it again."),
        ('{"accounts": []}', 1, "Expected a file with the field verdict; run the coverage that wrote it again."),
    ],
)
def test_merge_refuses(lab: Lab, tmp_path: Path, content: str | None, expected: int, text: str) -> None:
    (tmp_path / "parts").mkdir()
    if content:
        (tmp_path / "parts" / "part.json").write_text(content, encoding="utf-8")
    result = run(lab, tmp_path, "coverage_merge.yml", coverage_expected_parts=expected)
    assert text in result.msg
    assert not (tmp_path / "coverage.html").exists()
