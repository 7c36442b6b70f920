# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What plugins, roles and playbooks say when they fail, read from their sources; ``…`` stands for what is filled in."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.unit.documented import ROOT, load_yaml, tasks_of

FOLDERS = ("action", "inventory", "lookup", "module_utils", "modules")
A_SENTENCE = re.compile(r"\bexpected\b|\.\s*$")
IN_THE_TEXT = re.compile(r"[,;.:] (?:expected|found|[A-Z…])")
"""Where the part of a message ends that names what was found, and so the message."""


def messages() -> dict[str, str]:
    """Every message's beginning, as the documentation quotes it, and the path of the file that it comes from."""
    files = [path for folder in FOLDERS for path in sorted((ROOT / "plugins" / folder).rglob("*.py"))]
    found = {beginning(text): str(path.relative_to(ROOT)) for path in files for text in messages_of(path)}
    tasks = [
        *(ROOT / "roles").glob("*/tasks/*.yml"),
        *(ROOT / "playbooks").glob("*.yml"),
        *(ROOT / "playbooks" / "tasks").glob("*.yml"),
    ]
    found |= {beginning(text): str(path.relative_to(ROOT)) for path in tasks for text in failures_of(path)}
    values = [*tasks, *(ROOT / "roles").glob("*/defaults/*.yml"), *(ROOT / "roles").glob("*/vars/*.yml")]
    return found | {beginning(text): str(path.relative_to(ROOT)) for path in values for text in demands_of(path)}


def beginning(text: str) -> str:
    """A message up to what was expected, or to what to do."""
    text = re.sub(r"\s+", " ", text).strip()
    cut = IN_THE_TEXT.search(text, 12)
    return (text[: cut.start()] if cut else text).strip(" .:,;…")


def messages_of(path: Path) -> Iterator[str]:
    """Texts that are raised, and all others that read like a message: a sentence with something filled in."""
    for text, is_raised in texts(ast.parse(path.read_text(encoding="utf-8"))):
        words = len(text.replace("…", "").split())
        if words >= 4 and (is_raised or ("…" in text and A_SENTENCE.search(text))):
            yield text


def texts(node: ast.AST, is_raised: bool = False) -> Iterator[tuple[str, bool]]:
    """Every text in the code but docstrings and documentation, and whether it is part of a ``raise``."""
    if isinstance(node, ast.JoinedStr):
        parts = [str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values]
        yield re.sub("…+", "…", "".join(parts)), is_raised
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value, is_raised
    elif not is_documentation(node):
        for child in ast.iter_child_nodes(node):
            yield from texts(child, is_raised or isinstance(node, ast.Raise))


def is_documentation(node: ast.AST) -> bool:
    if isinstance(node, ast.Assign):
        return any(getattr(target, "id", "") in ("DOCUMENTATION", "EXAMPLES", "RETURN") for target in node.targets)
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def failures_of(path: Path) -> Iterator[str]:
    """What the tasks of a file fail with."""
    for task in tasks_of(load_yaml(path)):
        told = (task.get("ansible.builtin.assert") or {}).get("fail_msg")
        told = told or (task.get("ansible.builtin.fail") or {}).get("msg")
        if told:
            yield re.sub(r"{{.*?}}", "…", told, flags=re.DOTALL)


def demands_of(path: Path) -> list[str]:
    """What a file says of variables that must be set."""
    return re.findall(r"mandatory\('([^']+)'\)", path.read_text(encoding="utf-8"))


def arguments(function: str, place: int, *files: str) -> list[str]:
    """The texts that stand at one place in the calls of a function in some files of module_utils."""
    trees = [ast.parse((ROOT / "plugins" / "module_utils" / name).read_text(encoding="utf-8")) for name in files]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = [call.args[place] for call in calls if getattr(call.func, "id", "") == function and len(call.args) > place]
    return [text for argument in named for text, _is_raised in texts(argument)]
