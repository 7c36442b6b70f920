# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the Python interpreters of this machine, by running each candidate: some that are on PATH do not start."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path


@cache
def find_interpreter(version: str) -> Path | None:
    """An interpreter of a version such as 3.12 that starts and can make virtual environments; None without one."""
    return next((path for path in candidates(version) if works(path, version)), None)


def candidates(version: str) -> Iterator[Path]:
    """Where an interpreter may be: the one that runs this, PATH, and the versions of pyenv."""
    yield Path(sys.base_prefix) / "bin" / f"python{version}"
    for folder in os.get_exec_path():
        yield Path(folder) / f"python{version}"
    if root := pyenv_root():
        yield from sorted(root.glob(f"versions/{version}.*/bin/python{version}"), reverse=True)


def pyenv_root() -> Path | None:
    """The folder in which pyenv keeps interpreters, if there is a pyenv."""
    if root := os.environ.get("PYENV_ROOT"):
        return Path(root)
    if not shutil.which("pyenv"):
        return None
    answer = subprocess.run(["pyenv", "root"], capture_output=True, text=True, check=False)
    return Path(answer.stdout.strip()) if answer.returncode == 0 else None


def works(path: Path, version: str) -> bool:
    """Whether a candidate runs, is of that version, and can make virtual environments with pip."""
    code = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"
    try:
        answer = subprocess.run([path, "-c", code], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return answer.returncode == 0 and answer.stdout.strip() == version
