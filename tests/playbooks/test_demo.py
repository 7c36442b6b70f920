# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo, as ``make demo`` runs it, with settings of AWS in the user's environment."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.ansible_run import ROOT
from tests.lab_process import Lab


def test_demo_in_another_home_region(tmp_path: Path) -> None:
    with Lab("--home-region", "eu-central-1") as other:
        own = {
            "AWS_PROFILE": "work",
            "AWS_ENDPOINT_URL_S3": other.endpoint,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        }
        done = subprocess.run(
            [sys.executable, "-m", "lab", "demo", "--home-region", "eu-central-1"],
            cwd=ROOT,
            env={**other.child_environment(str(tmp_path)), **own},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert other.journal() == []
    assert not (tmp_path / ".aws").exists()  # keys of this lab would fail in the next
    changed = re.findall(r"^(\w+) .*changed=(\d+) ", done.stdout, re.MULTILINE)
    management = [int(count) for host, count in changed if host.startswith("management")]
    assert management == [2, 0]
    assert '"trail": "arn:aws:cloudtrail:eu-central-1:' in done.stdout
    assert '"organization": true' in done.stdout
