# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lookup plugin: what is wrong with how a run was started."""

from __future__ import annotations

DOCUMENTATION = r"""
name: run_problems
version_added: 1.2.0
short_description: Tells variables that the collection does not know
description:
  - The collection's playbooks ask this before anything else. A misspelt variable would be passed over in silence, and
    the run would do something else than asked for.
  - Variables are known when they are an input of one of the collection's roles or playbooks. Unknown is one that
    begins like those, with C(coverage_), C(delegated_administrator_), C(detect_drift_), C(drift_events_),
    C(guard_org_trail_), C(guardrails_), C(log_bucket_), C(member_trails_), C(organization_trail_),
    C(revert_org_trail_) or C(trusted_access_), or that nearly has the name of one.
  - Looked at are the variables of the task, and of the hosts in the groups C(management) and C(log_archive).
  - Variables of your own with such a name are let through by the variable C(org_trail_other_variables), a list of names
    and of patterns such as V(coverage_team*).
author:
  - The cloudsec.org_trail maintainers (@cloudsec)
options:
  started:
    description:
      - Whether the tasks of the play run. With V(false), the tags of the command line left them out, and a warning says
        so in place of all else.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: No variable is misspelt
  ansible.builtin.assert:
    that: problems | length == 0
    fail_msg: "{{ problems | join(' ') }}"
  vars:
    problems: "{{ query('cloudsec.org_trail.run_problems') }}"
"""

RETURN = r"""
_raw:
  description: A sentence for each problem.
  type: list
  elements: str
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display
from ansible_collections.cloudsec.org_trail.plugins.module_utils._work.variables import (
    OWN,
    PREFIXES,
    variables_problem,
)

COLLECTION = Path(__file__).resolve().parents[2]
GROUPS = ("management", "log_archive")
ROLE_VARIABLE = re.compile(r"^ {6}(\w+):$", re.MULTILINE)  # reading YAML would take longer than all the rest here
# Not the name of a role, a playbook, an internal variable or a module's option.
PLAYBOOK_VARIABLE = re.compile(rf"(?<![\w.])(?:{'|'.join(PREFIXES)})\w+\b(?!:|\.yml)")

display = Display()


class LookupModule(LookupBase):  # type: ignore[misc, unused-ignore]
    """Answers sentences; no connection, no module."""

    def run(self, terms: Any, variables: Mapping[str, Any] | None = None, **options: Any) -> list[str]:
        """The problems. Warns where the tags leave out everything."""
        self.set_options(var_options=variables, direct=options)
        given = variables or {}
        if not self.get_option("started"):
            display.warning(tags_warning(given))
            return []
        own = self._templar.template(given.get(OWN))
        scopes = [given, *(given["hostvars"][host] for group in GROUPS for host in given["groups"].get(group, ()))]
        own = [*names_in(own), *(name for scope in scopes[1:] for name in names_in(scope.get(OWN)))]
        names = {str(name) for scope in scopes for name in scope}
        problem = variables_problem(names, known_variables(), own)
        return [problem] if problem else []


def tags_warning(variables: Mapping[str, Any]) -> str:
    """What a run says whose tags match no task of the play."""
    chosen = {"--tags": variables.get("ansible_run_tags"), "--skip-tags": variables.get("ansible_skip_tags")}
    told = " ".join(f"{option} {','.join(sorted(tags))}" for option, tags in chosen.items() if tags)
    return f"No task of this playbook of cloudsec.org_trail runs with {told}, so nothing is looked at or changed by it."


def names_in(value: Any) -> list[str]:
    """The names in a list, or in a text with commas, as -e NAME=TEXT gives it."""
    found = value.split(",") if isinstance(value, str) else value or ()
    return [str(name).strip() for name in found]


@cache
def known_variables() -> frozenset[str]:
    """The inputs of the roles, by their specifications, and what the playbooks read."""
    return frozenset((*role_inputs(), *playbook_variables()))


def role_inputs() -> Iterator[str]:
    for path in (COLLECTION / "roles").glob("*/meta/argument_specs.yml"):
        yield from ROLE_VARIABLE.findall(path.read_text(encoding="utf-8"))


def playbook_variables() -> Iterator[str]:
    for path in (COLLECTION / "playbooks").glob("*.yml"):
        yield from PLAYBOOK_VARIABLE.findall(path.read_text(encoding="utf-8"))
