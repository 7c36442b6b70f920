# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory that the playbooks about the trail need: one management account, and one log archive account."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

GROUPS = ("management", "log_archive")


@dataclass(frozen=True)
class Inventory:
    """What Ansible read. groups: names of hosts by group. hosts: those of the play, before any failed.

    limit: the text of ``--limit``, "" without. sources: files and plugins that were read. error: why a source could not
    be, "" if all could. playbook_folder: where the playbook lies.
    """

    groups: Mapping[str, Sequence[str]]
    hosts: Collection[str]
    limit: str
    sources: Sequence[str]
    error: str
    playbook_folder: str


def inventory_problem(inventory: Inventory) -> str:
    """Why an inventory is not one with exactly one host in each of ``GROUPS``, in a few sentences; "" when it is."""
    members = [inventory.groups.get(group, ()) for group in GROUPS]
    if all(len(hosts) == 1 and hosts[0] in inventory.hosts for hosts in members):
        return ""
    left_out = f", of which --limit {inventory.limit} leaves some out" if inventory.limit else ""
    return (
        f"The inventory's groups management and log_archive hold {len(members[0])} and {len(members[1])} hosts"
        f"{left_out}, expected one each. {_remedy(inventory)}"
    )


def _remedy(inventory: Inventory) -> str:
    if inventory.error:
        return f"The inventory could not be read: {inventory.error}"
    return (
        f"Pass an inventory with -i, and no --limit; {inventory.playbook_folder}/inventory/static.yml is an example. "
        'A dynamic one is a file with the line "plugin: cloudsec.org_trail.organizations_accounts" and a name that '
        f"ends in .yml. Read was {', '.join(inventory.sources) or 'none'}; when that could not be parsed, the first "
        "warning says why."
    )
