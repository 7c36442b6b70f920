# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which inventories are refused, and in which words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._work.inventory import Inventory, inventory_problem

GOOD = Inventory(
    groups={"management": ["m"], "log_archive": ["a"], "members": ["a", "b"]},
    hosts=["localhost", "m", "a"],
    limit="",
    sources=["/etc/inventory.yml"],
    error="",
    playbook_folder="/playbooks",
)
HELP = (
    "Pass an inventory with -i, and no --limit; /playbooks/inventory/static.yml is an example. A dynamic one is a file "
    'with the line "plugin: cloudsec.org_trail.organizations_accounts" and a name that ends in .yml. Read was '
    "/etc/inventory.yml; when that could not be parsed, the first warning says why."
)
HEAD = "The inventory's groups management and log_archive hold"


def test_one_host_in_each_group_is_right() -> None:
    assert inventory_problem(GOOD) == ""
    assert inventory_problem(replace(GOOD, limit="m:a", error="Unread.", sources=[])) == ""


BAD: list[tuple[dict[str, Any], str]] = [
    ({"groups": {}}, f"{HEAD} 0 and 0 hosts, expected one each. {HELP}"),
    ({"groups": {"management": ["m"]}}, f"{HEAD} 1 and 0 hosts, expected one each. {HELP}"),
    ({"groups": {"management": ["m"], "log_archive": []}}, f"{HEAD} 1 and 0 hosts, expected one each. {HELP}"),
    (
        {"groups": {"management": ["m"], "log_archive": ["a", "b"]}, "hosts": ["m", "a", "b"]},
        f"{HEAD} 1 and 2 hosts, expected one each. {HELP}",
    ),
    (
        {"hosts": ["localhost", "m"], "limit": "m"},
        f"{HEAD} 1 and 1 hosts, of which --limit m leaves some out, expected one each. {HELP}",
    ),
    (
        {"groups": {}, "error": "There are no credentials."},
        f"{HEAD} 0 and 0 hosts, expected one each. The inventory could not be read: There are no credentials.",
    ),
    (
        {"groups": {}, "sources": []},
        f"{HEAD} 0 and 0 hosts, expected one each. {HELP.replace('/etc/inventory.yml', 'none')}",
    ),
]


@pytest.mark.parametrize(("given", "sentence"), BAD)
def test_others_are_refused(given: dict[str, Any], sentence: str) -> None:
    assert inventory_problem(replace(GOOD, **given)) == sentence
