# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start the canned server, and coverage and inventory measured on it."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
import urllib.request
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any

from benchmarks.canned_server import MANAGEMENT, REGIONS, TRAIL_ARN
from benchmarks.main_job import OURS, PLAYBOOK, RIVALS
from benchmarks.measure import ROOT, Sample, Table, run
from benchmarks.old_release import OLD, old_release
from tests.ansible_run import BIN, SETTINGS

COVERAGE = "Coverage"
GROWTH = "Coverage by latency, processes and calls at once"
INVENTORY = "Inventory"
PLAIN_FILE = "a plain YAML file"
INVENTORY_COMMAND = str(BIN / "ansible-inventory")


class Canned:
    """``with Canned(1000) as server:`` is an organization of 1,000 accounts that answers at once.

    arguments: more of the server's, such as ``--latency``.
    """

    def __init__(self, accounts: int, *arguments: str) -> None:
        command = [sys.executable, "-m", "benchmarks.canned_server", str(accounts), "--processes", "2", *arguments]
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        port, *self.ports = map(int, self.process.stdout.readline().split())
        self.endpoint = f"http://127.0.0.1:{port}"

    def __enter__(self) -> Canned:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=30)

    def counts(self, method: str = "GET") -> tuple[Counter[str], int]:
        """The calls of each operation and the number of places that were asked, in all processes."""
        calls, places = Counter[str](), 0
        for port in self.ports:
            request = urllib.request.Request(f"http://127.0.0.1:{port}/counts", method=method)
            with urllib.request.urlopen(request) as response:
                answer: dict[str, Any] = json.loads(response.read())
            calls.update(answer["calls"])
            places += answer["places"]
        return calls, places

    def environment(self, home: str) -> dict[str, str]:
        return {
            **SETTINGS,
            "PATH": f"{BIN}:/usr/bin:/bin",
            "HOME": home,
            "ANSIBLE_HOME": f"{home}/.ansible",
            "ANSIBLE_STDOUT_CALLBACK": "default",
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "AKIACANNED",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
        }


def measure_coverage(table: Table, repetitions: int, sizes: tuple[int, ...]) -> None:
    """GetTrailStatus in each member account and region."""
    with tempfile.TemporaryDirectory() as folder:
        old = old_release(Path(folder))
        for accounts in sizes:
            for _ in range(repetitions):
                measure_contenders(table, accounts, old)


def measure_contenders(table: Table, accounts: int, old: dict[str, str]) -> None:
    """Each contender once. old: the environment of the old release, empty where it is not there."""
    case = f"{accounts:,} accounts x {len(REGIONS)} regions"
    with Canned(accounts) as server, tempfile.TemporaryDirectory() as home:
        ours = coverage_command(Path(home), accounts)
        threads = [sys.executable, str(RIVALS / "threads.py"), TRAIL_ARN, str(accounts), *REGIONS]
        cove = [sys.executable, str(RIVALS / "cove.py"), TRAIL_ARN, *REGIONS]
        table.add(COVERAGE, case, OURS, *measure_looks(server, ours, home, accounts))
        has_cove = importlib.util.find_spec("botocove") is not None
        for contender, command, is_here, environment, most in (
            (f"release {OLD}", ours, bool(old), old, 10_000),
            ("boto3, a thread per account", threads, True, {}, 100),
            ("botocove", cove, has_cove, {}, 100),
        ):
            if not is_here:
                table.row(COVERAGE, case, contender).note = "not installed"
            elif accounts > most:
                table.row(COVERAGE, case, contender).note = "left out, takes too long"
            else:
                table.add(COVERAGE, case, contender, *measure_looks(server, command, home, accounts, environment))


def measure_growth(
    table: Table, accounts: int, latencies: tuple[int, ...], at_once: tuple[int, ...] = (64, 512)
) -> None:
    """How our coverage grows with latency, processes and calls at the same time."""
    for latency in latencies:
        for processes in (1, 2):
            for calls in at_once:
                options = {"max_processes": processes, "max_concurrency": calls}
                contender = f"{processes} process{'es' * (processes > 1)}, at most {calls} calls at once"
                case = f"{accounts:,} accounts, {latency} ms per call"
                with Canned(accounts, "--latency", str(latency)) as server, tempfile.TemporaryDirectory() as home:
                    command = coverage_command(Path(home), accounts, **options)
                    table.add(GROWTH, case, contender, *measure_looks(server, command, home, accounts))


def measure_looks(
    server: Canned, command: list[str], home: str, accounts: int, environment: Mapping[str, str] = MappingProxyType({})
) -> tuple[Sample, int]:
    """Run a command and see that it asked every member account in every region. environment: in place of its own."""
    server.counts("DELETE")
    sample = run(command, {**server.environment(home), **environment})
    calls, asked = server.counts()
    places = (accounts - 1) * len(REGIONS)
    assert asked == places, f"{command[0]} asked {asked} places, expected {places}"
    found = Path(home) / "coverage.json"
    if found.exists():
        report = json.loads(found.read_text())
        covered = sum(row["status"] == "covered" for row in report["coverage"])
        found.unlink()
    else:
        covered = int(sample.stdout.split()[-1])
    assert covered == places, f"{command[0]} found {covered} covered, expected {places}"
    return sample, calls.total()


def coverage_command(home: Path, accounts: int, **options: object) -> list[str]:
    """The coverage module alone, with the accounts handed in as an inventory would; options: more of the module's."""
    task = {
        "trail_arn": TRAIL_ARN,
        "accounts": "{{ members }}",
        "regions": list(REGIONS),
        "output_path": str(home / "coverage.json"),
        "region": "us-east-1",
        **options,
    }
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
        "tasks": [{"name": "Look", "cloudsec.org_trail.cloudtrail_coverage_info": task}],
    }
    members = [{"id": str(MANAGEMENT + number), "state": "ACTIVE"} for number in range(1, accounts)]
    (home / "play.yml").write_text(json.dumps([play]))
    (home / "members.json").write_text(json.dumps({"members": members}))
    return [PLAYBOOK, str(home / "play.yml"), "-e", f"@{home / 'members.json'}"]


def measure_inventory(table: Table, repetitions: int, sizes: tuple[int, ...]) -> None:
    """``ansible-inventory --list``: cold, from its cache, and a plain file with the same hosts and variables."""
    for accounts in sizes:
        case = f"{accounts:,} accounts"
        with Canned(accounts) as server, tempfile.TemporaryDirectory() as folder:
            home = Path(folder)
            source = home / "organizations_accounts.yml"
            source.write_text(json.dumps(inventory_source(home)))
            environment = server.environment(folder)
            plain = home / "hosts.yml"
            reference = run([INVENTORY_COMMAND, "-i", str(source), "--list", "--yaml"], environment).stdout
            plain.write_text(reference)
            hosts = len(json.loads(run(list_command(plain), environment).stdout)["_meta"]["hostvars"])
            assert hosts >= accounts, f"the inventory has {hosts} hosts, expected {accounts}"
            for _ in range(repetitions):
                for contender, path, cold in (
                    (f"{OURS}, cold", source, True),
                    (f"{OURS}, from its cache", source, False),
                    (PLAIN_FILE, plain, False),
                ):
                    server.counts("DELETE")
                    sample = run([*list_command(path), *(["--flush-cache"] if cold else [])], environment)
                    calls = server.counts()[0].total()
                    assert bool(calls) is cold, f"{contender} made {calls} calls"
                    assert len(json.loads(sample.stdout)["_meta"]["hostvars"]) == hosts
                    table.add(INVENTORY, case, contender, sample, calls)


def list_command(path: Path) -> list[str]:
    return [INVENTORY_COMMAND, "-i", str(path), "--list"]


def inventory_source(home: Path) -> dict[str, Any]:
    """The plugin's file; without a limit of its own, so that its own work is measured and not AWS's rate."""
    return {
        "plugin": "cloudsec.org_trail.organizations_accounts",
        "log_archive": [str(MANAGEMENT + 1)],
        "rate_share": 0,
        "cache": True,
        "cache_plugin": "ansible.builtin.jsonfile",
        "cache_connection": str(home / "cache"),
    }
