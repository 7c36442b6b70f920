# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of groups as Ansible takes them: a test of Ansible's own code, which module_utils may not import."""

from __future__ import annotations

import pytest
from ansible.inventory.group import to_safe_group_name

from tests.unit.plugins.module_utils._organization.test_groups import NAMES


@pytest.mark.parametrize("name", [name for _parts, name in NAMES])
def test_ansible_leaves_the_names_of_groups_as_they_are(name: str) -> None:
    assert to_safe_group_name(name, force=True, silent=True) == name
