# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages of npm, for tests that run a program of node."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def install_packages(folder: Path) -> None:
    """Install what a folder's lock file names, unless it is there. Skips the test where that is not possible."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip(f"node and npm are not installed, which {folder.name} needs")
    installed = folder / "node_modules" / ".package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= (folder / "package-lock.json").stat().st_mtime:
        return
    done = subprocess.run(["npm", "ci"], cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode and not os.environ.get("CI"):
        pytest.skip(f"npm ci could not install what {folder.name} needs: {done.stderr[-300:]}")
    assert done.returncode == 0, done.stderr
