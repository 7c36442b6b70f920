# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The script of the guide about drift, taken from it: it is silent, or tells who did it and what was repaired."""

from __future__ import annotations

import re
import subprocess
import textwrap
from pathlib import Path

import pytest

from lab.inventory import write_inventory
from tests.ansible_run import BIN, ROOT, ansible_environment
from tests.lab_process import Lab

GUIDE = ROOT / "docs" / "docsite" / "rst" / "drift.rst"


def script() -> str:
    (found,) = re.findall(r"\.\. code-block:: sh\n\n((?: +.*\n|\n)+)", GUIDE.read_text(encoding="utf-8"))
    return textwrap.dedent(found)


@pytest.mark.full
def test_it_tells_of_repairs_and_else_is_silent(tmp_path: Path) -> None:
    with Lab() as lab:
        write_inventory(tmp_path / "inventory.yml", lab.ready)
        environment = ansible_environment(lab, str(tmp_path)) | {"ANSIBLE_STDOUT_CALLBACK": "default"}

        def run() -> subprocess.CompletedProcess[str]:
            text = script().replace("/srv/org_trail", str(tmp_path)).replace(".venv/bin", str(BIN))
            return subprocess.run(["/bin/sh", "-c", text], env=environment, capture_output=True, text=True, check=False)

        lab.client("cloudtrail").stop_logging(Name=lab.trail_arn)
        told = run()
        assert told.returncode == 1
        assert re.search(r"since +\S+, by \S+:user/admin", told.stdout)
        assert "Changed: trusted access of cloudtrail.amazonaws.com: off → on; " in told.stdout
        assert "logging: false → true" in told.stdout
        assert "Coverage: 85 of 85 account regions" in told.stdout

        silent = run()
        assert (silent.returncode, silent.stdout, silent.stderr) == (0, "", "")
