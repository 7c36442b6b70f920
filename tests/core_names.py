# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Has ansible-core the names that direct execution uses? python -m tests.core_names

Direct execution builds on names that ansible-core does not promise to keep. They are read from the source of the
action plugins, so no list can fall behind: what is imported from ansible-core, which attributes of it are used, with
which arguments it is called, and what ``ActionModule`` takes from Ansible's own class.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.plugins.action.normal import ActionModule
from ansible.release import __version__

ACTION = Path(__file__).resolve().parent.parent / "plugins" / "action"
SOURCES = tuple(sorted(ACTION.glob("_*.py")))
"""The files that know ansible-core's insides; the other action plugins consist of what is in them."""


def missing_names(source: str) -> list[str]:
    """What the source of an action plugin uses and the installed ansible-core lacks, sorted."""
    tree = ast.parse(source)
    imports = imported_from_core(tree)
    uses = [*missing_imports(imports), *missing_uses(tree, imports), *missing_in_action(tree)]
    return sorted(set(uses))


def imported_from_core(tree: ast.AST) -> dict[str, str]:
    """Each name that is imported from ansible-core, and what it stands for: basic → ansible.module_utils.basic."""
    return {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] == "ansible"
        for alias in node.names
    }


def find(path: str) -> Any:
    """The module, class or function of a dotted path. LookupError where there is none."""
    parent, _dot, name = path.rpartition(".")
    try:
        return importlib.import_module(path) if not parent else getattr(find(parent), name)
    except AttributeError:
        try:
            return importlib.import_module(path)
        except ImportError as error:
            raise LookupError(path) from error


def lacks(path: str) -> bool:
    """Whether there is nothing of that dotted path."""
    try:
        find(path)
    except LookupError:
        return True
    return False


def missing_imports(imports: dict[str, str]) -> Iterator[str]:
    """The imports that would fail."""
    yield from filter(lacks, imports.values())


def missing_uses(tree: ast.AST, imports: dict[str, str]) -> Iterator[str]:
    """Attributes of imported names that do not exist, read or set, and calls that would be refused."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (path := dotted(node, imports)) and lacks(path):
            yield path
        if isinstance(node, ast.Call) and (path := dotted(node.func, imports)) and not lacks(path):
            yield from refused_arguments(node, path)


def dotted(node: ast.AST, imports: dict[str, str]) -> str:
    """What an expression such as ``basic._ANSIBLE_ARGS`` stands for; empty unless it begins with an imported name."""
    if isinstance(node, ast.Name):
        return imports.get(node.id, "")
    if isinstance(node, ast.Attribute) and (before := dotted(node.value, imports)):
        return f"{before}.{node.attr}"
    return ""


def refused_arguments(call: ast.Call, path: str) -> Iterator[str]:
    """Says how a call does not fit the function or class that it calls; a call with ``*`` or ``**`` is not judged."""
    names = [keyword.arg for keyword in call.keywords]
    if None in names or any(isinstance(one, ast.Starred) for one in call.args):
        return
    try:
        inspect.signature(find(path)).bind(*call.args, **dict.fromkeys(map(str, names)))
    except TypeError as error:
        yield f"{path}: {error}"


def missing_in_action(tree: ast.AST) -> Iterator[str]:
    """What ``self`` and ``super()`` are asked for in our class and Ansible's class has not."""
    for ours in (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
        own = set(defined_in(ours))
        for node in ast.walk(ours):
            if isinstance(node, ast.Attribute) and asks_ansible(node, own) and not in_action(node.attr):
                yield f"{ActionModule.__module__}.ActionModule.{node.attr}"


def defined_in(ours: ast.ClassDef) -> Iterator[str]:
    """The names that a class defines in its body."""
    for node in ours.body:
        targets = [node.target] if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [])
        yield from (target.id for target in targets if isinstance(target, ast.Name))
        yield from [node.name] if isinstance(node, ast.FunctionDef) else []


def asks_ansible(node: ast.Attribute, own: set[str]) -> bool:
    """Whether an attribute is one of ``super()``, or one of ``self`` that our class does not define."""
    asked = ast.unparse(node.value)
    return asked == "super()" or (asked == "self" and node.attr not in own)


def in_action(name: str) -> bool:
    """Whether Ansible's class has a name, as a method or as an attribute that it sets when it is made."""
    return hasattr(ActionModule, name) or name in ActionBase.__init__.__code__.co_names


def main() -> int:
    """Say what is missing; 1 if anything is."""
    missing = [name for path in SOURCES for name in missing_names(path.read_text(encoding="utf-8"))]
    answer = "lacks:" if missing else "has every name that direct execution uses."
    sys.stdout.write("\n".join([f"ansible-core {__version__} {answer}", *missing, ""]))
    return int(bool(missing))


if __name__ == "__main__":
    sys.exit(main())
