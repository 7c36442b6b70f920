# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tests run in one process when several do: those of a file, and all of tests/lab."""

from __future__ import annotations

import pytest


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the marks
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Group for pytest-xdist's ``--dist loadgroup``: test_shapes.py judges what the other files of tests/lab saw."""
    for item in items if config.pluginmanager.hasplugin("xdist") else []:
        name = "lab" if item.path.parent.name == "lab" else str(item.path)
        item.add_marker(pytest.mark.xdist_group(name))
