# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Large organizations. The largest are marked ``scale``: ``make test-full`` runs them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.ansible_run import BIN, ROOT, ansible_environment, run_module, run_playbook
from tests.coverage_world import REGIONS, calls, found, make_wrong, rules, turn_on
from tests.lab_process import Lab

WRONG = 40
MODULE = "cloudsec.org_trail.cloudtrail_coverage_info"
GROWTH = """
import sys, time
import boto3
from botocore.config import Config
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage.run import CoverageRun
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.entry import Target
from tests.coverage_world import REGIONS

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

def run(number):
    session = boto3.session.Session()
    config = Config(max_pool_connections=32)
    clients = {region: session.client("cloudtrail", region_name=region, config=config) for region in REGIONS}
    sts = session.client("sts", region_name="us-east-1", config=config)
    run = CoverageRun(sts, clients.__getitem__, sys.argv[1], "scale", threads=32)
    accounts = sys.argv[2].split(",")[:number]
    role = "arn:aws:iam::{}:role/OrganizationAccountAccessRole"
    before, processor = resident(), time.process_time()
    run.ask({Target(one, one, "ACTIVE", role.format(one)): REGIONS for one in accounts}, time.monotonic() + 900, bool)
    assert {row.status for row in run.rows.values()} == {"covered"}, run.rows
    return run, resident() - before, (time.process_time() - processor) / run.calls

few, many = int(sys.argv[3]), int(sys.argv[4])
first, small, _ = run(few)
second, large, processor = run(many)
print((large - small) / ((many - few) * len(REGIONS)), processor)
"""


def members(lab: Lab) -> list[str]:
    pages = lab.client("organizations").get_paginator("list_accounts").paginate().build_full_result()
    return [one["Id"] for one in pages["Accounts"] if one["Id"] not in (lab.management, lab.log_archive)]


def check(lab: Lab, folder: Path, accounts: int, faults: list[dict[str, Any]]) -> dict[str, Any]:
    """Make accounts wrong, ask everybody, and compare what was found with what was made."""
    turn_on(lab)
    expected = make_wrong(lab, members(lab)[: WRONG * 7 : 7])
    lab.control("POST", "faults", [*rules(lab), *faults])
    lab.clear_journal()
    path = folder / "coverage.json"
    options = {"trail_arn": lab.trail_arn, "output_path": str(path)}
    run_playbook(lab, [{"name": "ask", MODULE: options}]).ok()
    document: dict[str, Any] = json.loads(path.read_text())
    assert found(document["coverage"]) == expected
    assert len(document["coverage"]) == accounts * len(REGIONS)
    assert document["summary"]["complete"]
    return document


def test_coverage_of_300_accounts(tmp_path: Path) -> None:
    with Lab("--accounts", "300") as lab:
        document = check(lab, tmp_path, 300, [])
    assert document["summary"]["accounts"] == 300


@pytest.mark.scale
def test_coverage_of_1000_accounts(tmp_path: Path) -> None:
    with Lab("--accounts", "1000") as lab:
        check(lab, tmp_path, 1000, [])
        made = calls(lab)
        assert made["AssumeRole"] == 999 - 2  # management needs no role, and two accounts are closed
        assert made["ListAccounts"] == 50


@pytest.mark.scale
def test_coverage_of_1000_accounts_with_a_third_throttled(tmp_path: Path) -> None:
    throttle = {"service": "cloudtrail", "operation": "GetTrailStatus", "fault": "throttle", "every": 3}
    with Lab("--accounts", "1000") as lab:
        document = check(lab, tmp_path, 1000, [throttle])
    assert document["summary"]["calls"] > 22_000


@pytest.mark.scale
def test_memory_grows_by_less_than_2_kib_per_account_and_region() -> None:
    with Lab("--accounts", "600") as lab:
        turn_on(lab)
        arguments = [lab.trail_arn, ",".join(members(lab)), "100", "500"]
        path = os.pathsep.join((str(ROOT), str(ROOT / ".collections")))
        environment = lab.child_environment() | {"PYTHONPATH": path}
        command = [str(BIN / "python"), "-c", GROWTH, *arguments]
        completed = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert completed.returncode == 0, completed.stderr
    growth, _ = map(float, completed.stdout.split())
    assert growth < 2048


@pytest.mark.scale
def test_log_bucket_among_1000() -> None:
    with Lab() as lab:
        s3 = lab.client("s3", lab.log_archive)
        for number in range(999):
            s3.create_bucket(Bucket=f"team-{number}")
        lab.clear_journal()
        result = run_module(lab, "cloudtrail_log_bucket_info", {"select": "admitted"}, account=lab.log_archive)
        made = calls(lab)
    assert [bucket["name"] for bucket in result["buckets"]] == [lab.bucket]
    assert made == {"AssumeRole": 1, "DescribeOrganization": 1, "ListBuckets": 1, "GetBucketPolicy": 1000}


@pytest.mark.scale
def test_inventory_of_10000_accounts(tmp_path: Path) -> None:
    source = tmp_path / "organizations_accounts.yml"
    cache = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / "cache")}
    source.write_text(json.dumps({"plugin": "cloudsec.org_trail.organizations_accounts", **cache}))
    command = [str(BIN / "ansible-inventory"), "-i", str(source), "--list", "--output", str(tmp_path / "list.json")]
    with Lab("--accounts", "10000") as lab:
        environment = ansible_environment(lab, str(tmp_path))
        subprocess.run(command, cwd=ROOT, env=environment, check=True)
        assert calls(lab) == {"ListAccounts": 500, "DescribeOrganization": 1}
        cold = json.loads((tmp_path / "list.json").read_text())
        lab.clear_journal()
        subprocess.run(command, cwd=ROOT, env=environment, check=True)
        assert calls(lab) == {}
    assert json.loads((tmp_path / "list.json").read_text()) == cold
    assert len(cold["_meta"]["hostvars"]) == 10_000
    assert len(cold["members"]["hosts"]) == 9_998
