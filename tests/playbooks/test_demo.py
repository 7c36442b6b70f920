# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo, as ``make demo`` runs it, with settings of AWS in the user's environment."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from lab.demo import excerpt
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
    assert "Calls that changed something: EnableAWSServiceAccess, UpdateTrail\n" in done.stdout
    assert "(NotOrganizationMasterAccountException)" in done.stdout
    assert ":user/admin\n" in done.stdout  # who stopped it
    assert done.stdout.endswith("Calls that changed something: StartLogging\n")
    assert done.stdout.count("Coverage: 85 of 85 account regions in 5 accounts log to the organization trail.") == 2
    reports = re.findall(r"^Report: (.*)$", done.stdout, re.MULTILINE)
    assert [Path(report).name for report in reports] == ["coverage.html", "drift.json", "coverage.html"]
    assert all(Path(report).is_file() for report in reports)
    trails = re.findall(r"^\d{12}  \S+ +(\S+)$", done.stdout, re.MULTILINE)
    assert trails == ["default", *["nothing"] * 4]
    assert len(done.stdout.splitlines()) < 60


OUTPUT = r"""
TASK [Ensure the trail is as wanted] ***
--- before: trail arn
+++ after: trail arn
@@ -8,6 +8,6 @@
     "is_organization_trail": true,
-    "logging": false,
+    "logging": true,

changed: [management_account]

TASK [Show the verdict] ***
ok: [management_account] => {
    "msg": [
        "not the last"
    ]
}

TASK [Nothing drifted] ***
[ERROR]: Task failed: 1 drifted:
- no diff
fatal: [management_account]: FAILED! => {
    "changed": false,
    "msg": "1 drifted:\n- \"logging\""
}
"""


def test_excerpt() -> None:
    assert list(excerpt(OUTPUT.splitlines(keepends=True))) == [
        "--- before: trail arn",
        "+++ after: trail arn",
        '-    "logging": false,',
        '+    "logging": true,',
        "1 drifted:",
        '- "logging"',
    ]
