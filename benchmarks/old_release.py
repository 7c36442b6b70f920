# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's first release, which ours is measured against."""

from __future__ import annotations

import subprocess
from pathlib import Path

from benchmarks.measure import ROOT

OLD = "1.0.0"


def old_release(folder: Path) -> dict[str, str]:
    """Lay the release OLD into a folder; answers the environment for it, which is empty where git does not have it."""
    log = ["git", "log", "--format=%H", f"--grep=^Release {OLD}$", "-1"]
    commit = subprocess.run(log, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    if not commit:
        return {}
    home = folder / "ansible_collections" / "cloudsec" / "org_trail"
    home.mkdir(parents=True)
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True)
    subprocess.run(["tar", "x", "-C", str(home)], input=archive.stdout, check=True)
    return {"ANSIBLE_COLLECTIONS_PATH": str(folder)}
