# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.playbook_pages`` writes the guide's page of the playbooks, which ansible-doc cannot show.

It is made of the comment at a playbook's head, of the roles that it runs, and of their specifications. The comment
holds sentences, then lists headed ``Variables:`` and ``Files:`` with lines ``name: text``, then a line ``Fails: when``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.unit.documented import COLLECTION, ROOT, load_yaml, role_specs, tasks_of

PAGE = ROOT / "docs" / "docsite" / "rst" / "playbooks.rst"
ORDER = (
    "enable_org_trail",
    "detect_drift",
    "delegate_org_trail",
    "guard_org_trail",
    "watch_org_trail",
    "retire_member_trails",
    "revert_org_trail",
    "coverage_slice",
    "coverage_merge",
    "check_inventory",
)
"""As a reader comes to them."""
REQUIRED = "required"
"""Stands in place of the default of what has to be given."""

INTRODUCTION = """\
..
  Copyright: Contributors to the cloudsec.org_trail collection
  GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
  SPDX-License-Identifier: GPL-3.0-or-later

.. Written by python -m tests.playbook_pages. Change the playbooks' heads and the roles' specifications.

.. _ansible_collections.cloudsec.org_trail.docsite.playbooks:

Playbooks
=========

Each is run by its name, with an inventory: ``ansible-playbook -i inventory.yml cloudsec.org_trail.enable_org_trail``.
Variables come from the inventory or from ``-e``. A variable that is misspelt is refused. Relative paths begin where
Ansible was started.

**Exit codes** are Ansible's own: 0 when all tasks passed, 2 when one failed, and another when Ansible itself could not
go on, such as 1 for a playbook that is not installed. Anything but 0 means that not everything is as wanted, or that it
could not be asked.
"""


@dataclass(frozen=True)
class Entry:
    """A variable or a file: its name, what it is, and a variable's default."""

    name: str
    text: str
    default: str = ""


@dataclass
class Head:
    """What the comment at a playbook's head says."""

    text: str = ""
    variables: list[Entry] = field(default_factory=list)
    files: list[Entry] = field(default_factory=list)
    fails: str = ""


def read_head(playbook: str) -> Head:
    """The comment directly after the ``---`` of a playbook file."""
    head, entries, sentences = Head(), None, []
    for line in logical_lines(playbook):
        kind, _colon, rest = line.partition(":")
        if line in ("Variables:", "Files:"):
            entries = head.variables if line == "Variables:" else head.files
        elif kind == "Fails":
            head.fails = rest.strip()
        elif line.startswith("  ") and entries is not None:
            text, _semicolon, default = rest.strip().partition("; default: ")
            entries.append(Entry(kind.strip(), text, default))
        else:
            sentences.append(line)
    head.text = " ".join(sentences)
    return head


def logical_lines(playbook: str) -> Iterator[str]:
    """The comment's lines, without the number sign; a line that is indented by four goes on with the one before."""
    comment = re.search(r"^---\n((?:#.*\n)+)", playbook, re.MULTILINE)
    assert comment, playbook[:300]
    last = ""
    for line in (line.removeprefix("#").removeprefix(" ") for line in comment[1].splitlines()):
        if line.startswith("    "):
            last += f" {line.strip()}"
            continue
        if last:
            yield last
        last = line
    yield last


def roles_of(playbook: Any) -> list[tuple[str, str]]:
    """The roles that a playbook runs, in order, each with the entry point whose variables count."""
    found: dict[tuple[str, str], None] = {}
    for play in playbook:
        named = [{"name": role} for role in play.get("roles", [])]
        for task in every_task(play):
            named += [task[f"ansible.builtin.{verb}_role"] for verb in ("import", "include") if is_role(task, verb)]
        for role in named:
            name = role["name"].removeprefix(f"{COLLECTION}.")
            found[name, "merge" if role.get("tasks_from") == "merge" else "main"] = None
    return list(found)


def every_task(play: dict[str, Any]) -> list[dict[str, Any]]:
    """The tasks of a play, and those of files that it includes."""
    tasks = list(tasks_of([play]))
    files = [task["ansible.builtin.include_tasks"] for task in tasks if "ansible.builtin.include_tasks" in task]
    return tasks + [task for file in files for task in tasks_of(load_yaml(ROOT / "playbooks" / file))]


def is_role(task: dict[str, Any], verb: str) -> bool:
    return f"ansible.builtin.{verb}_role" in task


# --- as reStructuredText ------------------------------------------------------------------------------


def page() -> str:
    """The whole page."""
    parts = [INTRODUCTION]
    roles: dict[tuple[str, str], None] = {}
    for name in ORDER:
        path = ROOT / "playbooks" / f"{name}.yml"
        used = roles_of(load_yaml(path))
        roles |= dict.fromkeys(used)
        parts.append("\n".join(section(name, read_head(path.read_text(encoding="utf-8")), used)))
    parts.append(heading("Variables of the roles", "-") + "\nWhat each means in full stands on the role's page.\n")
    parts += ["\n".join(role_section(*one)) for one in roles]
    return "\n".join(parts)


def section(name: str, head: Head, roles: list[tuple[str, str]]) -> Iterator[str]:
    """The part of one playbook."""
    yield f".. _ansible_collections.cloudsec.org_trail.docsite.playbooks.{name}:\n"
    yield heading(name, "-")
    yield f"{literals(head.text)}\n"
    if head.variables:
        yield from table(("Variable", "Default", "What it is"), variables(head.variables))
    if roles:
        links = ", ".join(f":ref:`{title(*one)} <{label(*one)}>`" for one in roles)
        yield f"Takes the variables of the roles {links}, too.\n"
    if head.files:
        yield from table(("File", "What is in it"), [(f"``{one.name}``", literals(one.text)) for one in head.files])
    yield f"Fails {head.fails}.\n"


def role_section(role: str, entry: str) -> Iterator[str]:
    """The variables of one role, in short."""
    yield f".. _{label(role, entry)}:\n"
    yield heading(title(role, entry), "~")
    yield f":ansplugin:`{COLLECTION}.{role}#role`\n"
    options = role_specs(role)[entry]["options"]
    rows = [Entry(name, first_sentence(one["description"]), default_of(one)) for name, one in options.items()]
    yield from table(("Variable", "Default", "What it is"), variables(rows))


def title(role: str, entry: str) -> str:
    return role if entry == "main" else f"{role}, {entry}"


def label(role: str, entry: str) -> str:
    return f"ansible_collections.cloudsec.org_trail.docsite.playbooks.role.{role}.{entry}"


def heading(text: str, line: str) -> str:
    return f"{text}\n{line * len(text)}\n"


def variables(entries: Iterable[Entry]) -> list[tuple[str, ...]]:
    plain = {"-": "", REQUIRED: REQUIRED}
    return [(f"``{one.name}``", plain.get(one.default, f"``{one.default}``"), literals(one.text)) for one in entries]


def table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """A list-table."""
    yield ".. list-table::\n   :header-rows: 1\n"
    for row in (header, *rows):
        yield "\n".join(f"   {'* -' if place == 0 else '  -'} {cell}".rstrip() for place, cell in enumerate(row))
    yield ""


def default_of(option: dict[str, Any]) -> str:
    """The default as it is typed; a hyphen for an option that may be left out and has none."""
    if "default" not in option:
        return REQUIRED if option.get("required") else "-"
    value = option["default"]
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(str, value))}]"
    return str(value) if value != "" else '""'


def first_sentence(description: list[str] | str) -> str:
    """The first sentence of a description, with its markup as literals."""
    text = description if isinstance(description, str) else description[0]
    return re.split(r"(?<=\.)\s", text, maxsplit=1)[0]


MARKUP = re.compile(r"\b(?:[OVCPEIBM]|RV)\((?:ignore:)?([^)#]*)(?:#\w+:?([^)]*))?\)|\bR\(([^,]*),[^)]*\)")


def literals(text: str) -> str:
    """Ansible's markup, and names with an underline or of YAML files, as literals."""
    text = MARKUP.sub(lambda match: f"``{match[3] or match[2] or match[1]}``", text)
    return re.sub(r"(?<![`\w./])((?:\w+_)+\w+(?:\.\w+)?|\w+\.(?:yml|json|html))(?![`\w])", r"``\1``", text)


if __name__ == "__main__":
    Path(PAGE).write_text(page(), encoding="utf-8")
