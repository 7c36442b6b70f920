# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cloud Custodian's policies for trails run against the lab."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ansible_run import BIN
from tests.lab_process import ROOT, Lab

POLICIES = Path(__file__).parent / "custodian.yml"
CUSTODIAN = "c7n==0.9.53"
ENVIRONMENT = ROOT / ".cache" / CUSTODIAN
"""Custodian wants a boto3 of its own, so it gets a virtual environment, which is kept."""


@pytest.fixture(scope="module")
def custodian() -> Path:
    program = ENVIRONMENT / "bin" / "custodian"
    if not program.exists():
        for command in (
            ["venv", "--quiet", "--clear", "--python", sys.executable, str(ENVIRONMENT)],
            ["pip", "install", "--quiet", "--python", str(ENVIRONMENT / "bin" / "python"), CUSTODIAN],
        ):
            subprocess.run([str(BIN / "uv"), *command], check=True)
    return program


@pytest.mark.full
def test_policies_of_trails(custodian: Path, tmp_path: Path) -> None:
    with Lab("--scenario", "lesson") as lab:
        cloudtrail = lab.client("cloudtrail")
        cloudtrail.stop_logging(Name=lab.trail_arn)
        cloudtrail.update_trail(Name=lab.trail_arn, EnableLogFileValidation=False)
        options = ["--output-dir", str(tmp_path), "--cache-period", "0", "--region", "us-east-1"]
        command = [str(custodian), "run", *options, str(POLICIES)]
        settings = {**os.environ, **lab.environment, "HOME": str(tmp_path)}
        done = subprocess.run(command, env=settings, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        found = {path.parent.name: json.loads(path.read_text()) for path in tmp_path.glob("*/resources.json")}
        trails = {name: [one.get("TrailARN") for one in resources] for name, resources in found.items()}
        assert trails == {
            "not-logging": [lab.trail_arn],
            "not-validated": [lab.trail_arn],
            "management-events": [lab.trail_arn],
            "tagged": [lab.trail_arn],
            "account-without-trail": [],
        }
        assert cloudtrail.get_trail_status(Name=lab.trail_arn)["IsLogging"]
        assert cloudtrail.get_trail(Name=lab.trail_arn)["Trail"]["LogFileValidationEnabled"]
