# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of check_run: compares Ansible's variables with the names in the collection's files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible.playbook.task import Task
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.cloudsec.org_trail.plugins.module_utils._work.inventory import (
    GROUPS,
    Inventory,
    inventory_problem,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._work.variables import (
    OWN,
    PREFIXES,
    variables_problem,
)

ARGUMENTS: dict[str, dict[str, Any]] = {"inventory": {"type": "bool", "default": False}}
COLLECTION = Path(__file__).resolve().parents[2]
# An option of an entry point; reading YAML would take longer than all the rest here.
ROLE_VARIABLE = re.compile(r"^ {6}(\w+):$", re.MULTILINE)
# Not the name of a role, a playbook, an internal variable or a module's option.
PLAYBOOK_VARIABLE = re.compile(rf"(?<![\w.])(?:{'|'.join(PREFIXES)})\w+\b(?!:|\.yml)")

display = Display()


class ActionModule(ActionBase):  # type: ignore[misc, unused-ignore]
    """Runs on the controller only: no connection, no module."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _validated, given = self.validate_argument_spec(ARGUMENTS)
        variables = task_vars or {}
        if not self._others_run(variables):
            display.warning(tags_warning(variables))
            return {"changed": False}
        problem = inventory_problem(self._inventory(variables)) if given["inventory"] else ""
        problem = problem or self._variables_problem(variables)
        return {"failed": True, "msg": problem} if problem else {"changed": False}

    def _others_run(self, variables: Mapping[str, Any]) -> bool:
        """Whether a task beside this one would run that has no tags of its own; this one has ``always``."""
        chosen, skipped = variables.get("ansible_run_tags", ["all"]), variables.get("ansible_skip_tags", [])
        return bool(Task(block=self._task._parent).evaluate_tags(chosen, skipped, variables))

    def _inventory(self, variables: Mapping[str, Any]) -> Inventory:
        return Inventory(
            groups=variables["groups"],
            hosts=variables["ansible_play_hosts_all"],
            limit=variables.get("ansible_limit") or "",
            sources=variables.get("ansible_inventory_sources") or (),
            error=self._templar.template(variables.get("organizations_accounts_error")) or "",
            playbook_folder=variables["playbook_dir"],
        )

    def _variables_problem(self, variables: Mapping[str, Any]) -> str:
        own = names_in(self._templar.template(variables.get(OWN)))
        hosts = [variables["hostvars"][host] for group in GROUPS for host in variables["groups"].get(group, ())]
        own += [name for scope in hosts for name in names_in(scope.get(OWN))]
        names = {str(name) for scope in (variables, *hosts) for name in scope}
        return variables_problem(names, known_variables(), own)


def tags_warning(variables: Mapping[str, Any]) -> str:
    """What a run says whose tags match no task of the play."""
    chosen = {"--tags": variables.get("ansible_run_tags"), "--skip-tags": variables.get("ansible_skip_tags")}
    told = " ".join(f"{option} {','.join(sorted(tags))}" for option, tags in chosen.items() if tags)
    return f"No task of this playbook of cloudsec.org_trail runs with {told}, so nothing is looked at or changed by it."


def names_in(value: Any) -> list[str]:
    """The names in a list, or in a text with commas, as -e NAME=TEXT gives it."""
    found = value.split(",") if isinstance(value, str) else value or ()
    return [str(name).strip() for name in found]


def known_variables() -> set[str]:
    """The inputs of the roles, by their specifications, and what the playbooks read."""
    return {*role_inputs(), *playbook_variables()}


def role_inputs() -> Iterator[str]:
    for path in (COLLECTION / "roles").glob("*/meta/argument_specs.yml"):
        yield from ROLE_VARIABLE.findall(path.read_text(encoding="utf-8"))


def playbook_variables() -> Iterator[str]:
    for path in (COLLECTION / "playbooks").glob("*.yml"):
        yield from PLAYBOOK_VARIABLE.findall(path.read_text(encoding="utf-8"))
