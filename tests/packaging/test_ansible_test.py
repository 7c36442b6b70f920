# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-test, as Ansible's own reviewers run it, with the ansible-core of this environment."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.packaging.ansible_test import run_ansible_test

pytestmark = pytest.mark.full

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.mark.parametrize("command", ["sanity", "units"])
def test_ansible_test(command: str, tmp_path: Path) -> None:
    done = run_ansible_test(tmp_path, command, "--venv", "--requirements", "--python", PYTHON)
    assert done.returncode == 0, done.stdout
