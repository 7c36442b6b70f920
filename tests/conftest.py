# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the tests are spread over processes: a file stays together, and those that take longest begin first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("org_trail", deadline=None)  # a busy machine is no fault
settings.load_profile("org_trail")

LONGEST = (
    "test_faults.py",
    "test_iam.py",
    "test_attacks.py",
    "test_delegated_attacks.py",
    "test_delegated_administrator.py",
    "test_guardrails.py",
    "test_role_log_bucket.py",
    "test_watch_org_trail.py",
    "test_matrix.py",
    "test_enable_org_trail.py",
    "test_member_trail.py",
    "test_member_trail_iam.py",
    "test_retire_member_trails.py",
    "test_ansible_test.py",
    "test_integration.py",
    "lab",
    "test_tools.py",
)
"""Files, or folders whose tests stay together, that take half a minute or more, the longest first."""


def group_of(path: Path) -> str:
    """What a test stays together with: its file, or all tests of the lab, the last of which judges what others saw."""
    return "lab" if path.parent.name == "lab" else path.name


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(group_of(item.path), len(LONGEST)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from xdist.scheduler import LoadScopeScheduling

    class Spread(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            path = Path(nodeid.partition("::")[0])
            return str(path.parent / group_of(path))

    return Spread(config, log)
