# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each playbook in playbooks/examples does what it says, and a second run changes nothing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ansible_run import BIN, ROOT, PlaybookResult, run_playbook
from tests.lab_process import MEMBER_ROLE, Lab

EXAMPLES = ROOT / "playbooks" / "examples"
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab("--scenario", "lesson") as lab:
        yield lab


def test_every_example_is_tested() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.yml")} == {"delegated_host", "landing_zone", "sso_profiles"}


def run_twice(
    lab: Lab, example: str, variables: dict[str, Any], *arguments: str, environment: dict[str, str | None] | None = None
) -> PlaybookResult:
    """Run an example until nothing is left to do; the first run's result."""
    command = ["-e", json.dumps(variables), *arguments]
    playbook = EXAMPLES / f"{example}.yml"
    first = run_playbook(lab, playbook, *command, environment=environment).ok()
    trail = lab.client("cloudtrail").get_trail(Name=lab.trail_arn)["Trail"]
    assert trail["IsOrganizationTrail"] is True
    lab.clear_journal()
    second = run_playbook(lab, playbook, *command, environment=environment).ok()
    assert second.changed == 0
    assert lab.journal(writes=True) == []
    return first


def test_landing_zone(lab: Lab, tmp_path: Path) -> None:
    variables = {
        "home_region": lab.home_region,
        "log_archive_account_id": lab.log_archive,
        "logs_bucket": "landing-zone-logs",
        "coverage_report_dir": str(tmp_path),
    }
    run_twice(lab, "landing_zone", variables)
    trail = lab.client("cloudtrail").get_trail(Name=lab.trail_arn)["Trail"]
    assert trail["S3BucketName"] == "landing-zone-logs"
    assert ":log-group:org-trail:" in trail["CloudWatchLogsLogGroupArn"]
    assert lab.client("cloudwatch").describe_alarms()["MetricAlarms"][0]["AlarmName"] == "OrgTrailTouched"
    assert "85 of 85 account regions" in (tmp_path / "coverage.json").read_text()


def test_sso_profiles(lab: Lab, tmp_path: Path) -> None:
    """A program that prints keys stands in for single sign-on; no key is in Ansible's environment."""
    keys = tmp_path / "keys.json"
    given = {name: lab.environment[f"AWS_{text}"] for name, text in KEY_NAMES.items()}
    keys.write_text(json.dumps({"Version": 1, **given}))
    config = tmp_path / "config"
    config.write_text(
        f"[profile management]\ncredential_process = cat {keys}\n"
        f"[profile log-archive]\nsource_profile = management\n"
        f"role_arn = arn:aws:iam::{lab.log_archive}:role/{MEMBER_ROLE}\n"
    )
    environment = {**dict.fromkeys(KEYS), "AWS_CONFIG_FILE": str(config)}
    run_twice(lab, "sso_profiles", {"coverage_report_dir": str(tmp_path)}, environment=environment)
    assert (tmp_path / "coverage.html").is_file()


KEY_NAMES = {"AccessKeyId": "ACCESS_KEY_ID", "SecretAccessKey": "SECRET_ACCESS_KEY"}


def test_delegated_host(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another interpreter, which has boto3 and no Ansible, stands in for another machine."""
    monkeypatch.delenv("ORG_TRAIL_DIRECT", raising=False)
    bastion = tmp_path / "bastion" / "bin" / "python"
    uv("venv", "--python", sys.executable, str(bastion.parent.parent))
    uv("pip", "install", "--python", str(bastion), "boto3")
    inventory = tmp_path / "inventory.yml"
    host = {"ansible_connection": "local", "ansible_python_interpreter": str(bastion)}
    inventory.write_text(json.dumps({"all": {"hosts": {"bastion": host}}}))
    variables = {"log_archive_account_id": lab.log_archive, "report_dir": str(tmp_path / "report")}
    first = run_twice(lab, "delegated_host", variables, "-i", str(inventory), "-vvv")
    asked = re.findall(r"Direct execution of cloudsec\.org_trail\.(\w+): (.*)", first.stdout)
    assert len(asked) == 4
    assert {reason.strip() for _module, reason in asked} == {f"interpreter {bastion}"}
    assert "85 of 85 account regions" in first.task("Every account is covered").msg
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == [
        "coverage.csv",
        "coverage.html",
        "coverage.json",
    ]


def uv(*arguments: str) -> None:
    subprocess.run([BIN / "uv", *arguments, "--quiet"], check=True)
