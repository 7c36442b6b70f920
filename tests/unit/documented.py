# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the collection says about itself: documentation of modules and specifications of roles, as plain data."""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
COLLECTION = "cloudsec.org_trail"
PACKAGE = f"ansible_collections.{COLLECTION}.plugins"
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py"))
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir() if path.is_dir())


def load_yaml(path: Path) -> Any:
    """What a YAML file holds."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@cache
def module_text(module: str, name: str) -> Any:
    """DOCUMENTATION, EXAMPLES or RETURN of a module, parsed."""
    plugin = importlib.import_module(f"{PACKAGE}.modules.{module}")
    return yaml.safe_load(getattr(plugin, name))


@cache
def documentation(module: str) -> dict[str, Any]:
    """The documentation of a module, with the options and the requirements of its fragments."""
    document: dict[str, Any] = dict(module_text(module, "DOCUMENTATION"))
    options, requirements = dict(document["options"]), list(document.get("requirements", []))
    for fragment in document.get("extends_documentation_fragment", []):
        namespace, collection, plugin, *part = fragment.split(".")
        code = importlib.import_module(f"ansible_collections.{namespace}.{collection}.plugins.doc_fragments.{plugin}")
        text = getattr(code.ModuleDocFragment(), part[0].upper() if part else "DOCUMENTATION", "{}")
        given = yaml.safe_load(text)
        options |= given.get("options", {})
        requirements += given.get("requirements", [])
    return {**document, "options": options, "requirements": requirements}


def role_files(role: str) -> list[Path]:
    """The files of a role in which its variables are used."""
    return [
        path
        for folder in ("tasks", "vars", "defaults", "handlers")
        for path in (ROOT / "roles" / role / folder).glob("*.yml")
    ]


def role_specs(role: str) -> dict[str, Any]:
    """The entry points of a role: name -> specification."""
    return dict(load_yaml(ROOT / "roles" / role / "meta" / "argument_specs.yml")["argument_specs"])


def tasks_of(content: Any) -> list[dict[str, Any]]:
    """Every task in a list of tasks or plays, blocks opened."""
    found = []
    for item in content or []:
        inner = [name for name in ("block", "rescue", "always", "tasks", "pre_tasks", "post_tasks") if name in item]
        found += [task for name in inner for task in tasks_of(item[name])] if inner else [item]
    return found
