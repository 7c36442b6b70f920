# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles' specifications agree with what their tasks use, with their defaults, and with the modules behind them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.documented import (
    COLLECTION,
    MODULES,
    ROLES,
    ROOT,
    documentation,
    load_yaml,
    role_files,
    role_specs,
    tasks_of,
)

HAND_OVER = re.compile(r"\{\{ (\w+)(?: \| default\(omit(?:, true)?\))? \}\}")
COMPARED = ("type", "elements", "choices", "required", "default")
OWN_TEXTS = {
    "coverage_accounts": "the module lists the fields of an account as suboptions",
    "coverage_expected_parts": "the role has no option for the parts",
    "coverage_fail_on": "the module lists the statuses as choices",
    "coverage_part": "the role has an entry point that merges",
    "guardrails_canary": "the module attaches one policy, the role several, and these first",
    "guardrails_targets": "the module attaches one policy, the role several",
    "log_bucket_name": "the role makes the bucket that the module looks for",
    "member_trails_accounts": "the module lists the fields of an account as suboptions",
    "member_trails_delete_stopped": "the module brings all recorded trails back, too, the role only deletes them",
    "organization_trail_bucket": "the role takes the fact log_bucket",
    "organization_trail_purge_tags": "the module's text is that of amazon.aws's fragment",
    "organization_trail_tags": "the module's text is that of amazon.aws's fragment",
}
"""Inputs whose text is not the module's, and why."""


def options_of(role: str) -> dict[str, Any]:
    """The options of all entry points of a role."""
    return {name: option for spec in role_specs(role).values() for name, option in spec["options"].items()}


def hand_overs() -> Iterator[tuple[str, str, str, str]]:
    """Role, input, module and option wherever a task hands an input as it is to a module of this collection."""
    for role in ROLES:
        inputs = options_of(role)
        for path in (ROOT / "roles" / role / "tasks").glob("*.yml"):
            for task in tasks_of(load_yaml(path)):
                for module in MODULES:
                    for option, value in (task.get(f"{COLLECTION}.{module}") or {}).items():
                        found = HAND_OVER.fullmatch(str(value).strip())
                        if found and found[1] in inputs:
                            yield role, found[1], module, option


HANDED_OVER = sorted(set(hand_overs()))


@pytest.mark.parametrize("role", ROLES)
def test_inputs_are_those_that_the_role_uses(role: str) -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in role_files(role))
    used = set(re.findall(rf"(?<![\w.]){role}_\w+", text))
    assert used == set(options_of(role))


@pytest.mark.parametrize("role", ROLES)
def test_inputs_are_described(role: str) -> None:
    for name, spec in role_specs(role).items():
        assert spec["version_added"], name
        assert spec["short_description"].endswith("."), name
        assert [option for option, value in spec["options"].items() if not value["description"]] == []


@pytest.mark.parametrize("role", ROLES)
def test_defaults_are_those_of_the_specification(role: str) -> None:
    defaults = load_yaml(ROOT / "roles" / role / "defaults" / "main.yml")
    plain = {name: value for name, value in defaults.items() if "{{" not in str(value)}
    specified = {name: option.get("default") for name, option in options_of(role).items()}
    assert plain == {name: specified[name] for name in plain}


def test_inputs_are_handed_over() -> None:
    assert {role for role, *_rest in HANDED_OVER} == set(ROLES)


@pytest.mark.parametrize(("role", "name", "module", "option"), HANDED_OVER)
def test_inputs_agree_with_the_module(role: str, name: str, module: str, option: str) -> None:
    ours, theirs = options_of(role)[name], documentation(module)["options"][option]
    has_own_default = name in load_yaml(ROOT / "roles" / role / "defaults" / "main.yml")
    assert list(differences(ours, theirs, skip=("required", "default") if has_own_default else ("required",))) == []


@pytest.mark.parametrize(("role", "name"), sorted({row[:2] for row in HANDED_OVER if row[1] not in OWN_TEXTS}))
def test_texts_are_the_modules(role: str, name: str) -> None:
    """A role may add paragraphs to the text of a module that it hands an input to, but tells it no other way."""
    behind = [row[2:] for row in HANDED_OVER if row[:2] == (role, name)]
    found = [list(other_texts(role, module, name, option)) for module, option in behind]
    assert [] in found, found


def test_own_texts_are_of_inputs_that_are_handed_over() -> None:
    assert set(OWN_TEXTS) <= {name for _role, name, *_rest in HANDED_OVER}


def other_texts(role: str, module: str, name: str, option: str) -> Iterator[str]:
    """The paragraphs of a module's option that its role's input lacks, suboptions included."""
    inputs = {theirs: ours for where, ours, of, theirs in HANDED_OVER if (where, of) == (role, module)}

    def in_the_role(match: re.Match[str]) -> str:
        kind, about = match.groups()
        known = inputs.get(about) if kind == "O" else None
        return f"O({known}" if known else f"{kind}({COLLECTION}.{module}#module:{about}"

    def lacking(ours: dict[str, Any], theirs: dict[str, Any], path: str) -> Iterator[str]:
        has = paragraphs(ours)
        wants = [re.sub(r"\b(O|RV)\(([\w.]+)", in_the_role, text) for text in paragraphs(theirs)]
        yield from (f"{path}: {text}" for text in wants if text not in has)
        for inner in set(ours.get("options", {})) & set(theirs.get("suboptions", {})):
            yield from lacking(ours["options"][inner], theirs["suboptions"][inner], f"{path}.{inner}")

    yield from lacking(options_of(role)[name], documentation(module)["options"][option], name)


def paragraphs(option: dict[str, Any]) -> list[str]:
    text = option["description"]
    return [re.sub(r"\s+", " ", one) for one in ([text] if isinstance(text, str) else text)]


def differences(
    ours: dict[str, Any], theirs: dict[str, Any], path: str = "", skip: tuple[str, ...] = ()
) -> Iterator[str]:
    """What a role's option says otherwise than the module's, suboptions included."""
    for key in COMPARED:
        if key not in skip and ours.get(key) != theirs.get(key):
            yield f"{path}{key}: {ours.get(key)!r} in the role, {theirs.get(key)!r} in the module"
    inner, outer = ours.get("options", {}), theirs.get("suboptions", {})
    if inner and set(inner) != set(outer):
        yield f"{path}options: {sorted(inner)} in the role, {sorted(outer)} in the module"
    for name in set(inner) & set(outer):
        yield from differences(inner[name], outer[name], f"{path}{name}.")
