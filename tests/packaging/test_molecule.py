# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each role on its own: its molecule scenario, against one lab."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.packaging.collection_tree import BIN, ROOT, run_tool, tool_environment
from tests.unit.documented import ROLES

pytestmark = pytest.mark.full


def test_every_role_passes_its_scenario(tmp_path: Path) -> None:
    done = run_tool([BIN / "molecule", "test", "--all"], ROOT, tool_environment(tmp_path))
    assert done.returncode == 0, done.stdout
    verified = re.findall(r"\[(\w+) > verify\] Executed: Successful", done.stdout)
    assert sorted(verified) == ROLES
