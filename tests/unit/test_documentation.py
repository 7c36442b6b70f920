# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module tells what a user needs. That options fit the argument spec is what ansible-test compares."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from tests.unit.documented import (
    COLLECTION,
    MODULES,
    PACKAGE,
    ROLES,
    ROOT,
    documentation,
    load_yaml,
    module_text,
    role_specs,
    tasks_of,
)

TASK_KEYWORDS = {
    "name",
    "register",
    "run_once",
    "tags",
    "when",
    "loop",
    "vars",
    "delegate_to",
    "check_mode",
    "diff",
    "until",
    "retries",
    "delay",
}
GROUPS = load_yaml(ROOT / "meta" / "runtime.yml")["action_groups"]
ASSUMING = sorted(module for module in MODULES if "assume_role_arn" in documentation(module)["options"])


def test_action_groups_hold_the_modules_that_assume_roles() -> None:
    members = [one for one in GROUPS["assume_role"] if isinstance(one, str)]
    assert members == ASSUMING
    extended = [one["metadata"]["extend_group"] for one in GROUPS["aws"] if isinstance(one, dict)]
    assert extended == [["amazon.aws.aws", f"{COLLECTION}.assume_role"]]


@pytest.mark.parametrize("module", ASSUMING)
def test_an_option_that_is_called_a_key_says_whether_it_is_secret(module: str) -> None:
    """ansible-test refuses the others minutes later, by a wider rule: test-full asks it."""

    def silent(spec: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
        for name, option in spec.items():
            if "key" in name.split("_") and not {"choices", "no_log"} & set(option):
                yield name
            yield from silent(option.get("options", {}))

    own = importlib.import_module(f"{PACKAGE}.modules.{module}").ARGUMENTS
    assert list(silent(own)) == []


@pytest.mark.parametrize("module", ASSUMING)
def test_requirements_are_named_once(module: str) -> None:
    """amazon.aws's fragment boto3 names older versions of the same."""
    named = [re.split(r"[\s>]", one)[0] for one in documentation(module)["requirements"]]
    assert sorted(named) == ["boto3", "botocore", "python"]


@pytest.mark.parametrize("module", MODULES)
def test_documentation_is_complete(module: str) -> None:
    document = documentation(module)
    assert document["module"] == module
    assert re.fullmatch(r"\d+\.\d+\.\d+", str(document["version_added"]))
    assert document["seealso"]
    assert {"check_mode", "diff_mode"} <= set(document["attributes"])
    assert not document["short_description"].endswith(".")
    missing = [name for name, option in document["options"].items() if not option.get("description")]
    assert missing == []


@pytest.mark.parametrize("module", ASSUMING)
def test_notes_name_the_iam_actions(module: str) -> None:
    notes = " ".join(documentation(module)["notes"])
    assert re.search(r"IAM actions[^:]*: .*C\([a-z0-9]+:[A-Z]\w+\)", notes), f"{module} names no IAM actions: {notes}"


@pytest.mark.parametrize("module", MODULES)
def test_examples_are_tasks_with_known_options(module: str) -> None:
    tasks = tasks_of(module_text(module, "EXAMPLES"))
    options = documentation(module)["options"]
    known = set(options) | {alias for option in options.values() for alias in option.get("aliases", [])}
    used = [task for task in tasks if f"{COLLECTION}.{module}" in task]
    assert used, f"no example of {module}"
    for task in tasks:
        actions = [name for name in task if "." in name]
        assert len(actions) == 1, f"{task} names {actions}, expected one action with its collection"
        assert set(task) - set(actions) <= TASK_KEYWORDS
        assert task["name"]
    for task in used:
        assert set(task[f"{COLLECTION}.{module}"] or {}) <= known


@pytest.mark.parametrize("module", MODULES)
def test_examples_have_values_that_the_module_takes(module: str) -> None:
    options = documentation(module)["options"]
    for task in tasks_of(module_text(module, "EXAMPLES")):
        if f"{COLLECTION}.{module}" in task:
            assert problems(options, task[f"{COLLECTION}.{module}"] or {}) == [], task["name"]


def test_examples_of_the_inventory_have_values_that_it_takes() -> None:
    plugin = importlib.import_module(f"{PACKAGE}.inventory.organizations_accounts")
    options = yaml.safe_load(plugin.DOCUMENTATION)["options"]
    examples = list(yaml.safe_load_all(plugin.EXAMPLES))
    assert len(examples) > 1
    of_fragments = {"cache", "cache_plugin", "cache_timeout", "cache_connection", "keyed_groups"}
    for example in examples:
        own = {name: value for name, value in example.items() if name not in of_fragments}
        assert problems(options, own) == [], example


def problems(options: Mapping[str, Any], values: Mapping[str, Any]) -> list[str]:
    """What Ansible's own check of arguments says against values; templates count as of the right type."""
    plain = {
        name: EMPTY.get(options[name].get("type"), "text") if is_template(value) else value
        for name, value in values.items()
        if name in options
    }
    unknown = [f"{name} is no option" for name in values if name not in options and not is_alias(name, options)]
    return unknown + list(ArgumentSpecValidator(specification(options)).validate(plain).error_messages)


EMPTY: dict[Any, Any] = {"bool": False, "dict": {}, "float": 1.0, "int": 1, "list": []}


def is_template(value: Any) -> bool:
    return isinstance(value, str) and "{{" in value


def is_alias(name: str, options: Mapping[str, Any]) -> bool:
    return any(name in option.get("aliases", []) for option in options.values())


def specification(options: Mapping[str, Any]) -> dict[str, Any]:
    """An argument spec from documented options."""
    kept = ("type", "elements", "choices", "required", "aliases")
    return {
        name: {key: option[key] for key in kept if key in option}
        | ({"options": specification(option["suboptions"])} if "suboptions" in option else {})
        for name, option in options.items()
    }


def documented_options() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every option of modules and roles, with the options in it."""
    for module in MODULES:
        yield from flattened(module_text(module, "DOCUMENTATION")["options"], f"{module} ")
    for role in ROLES:
        for spec in role_specs(role).values():
            yield from flattened(spec["options"], f"{role} ")


def flattened(options: Mapping[str, Any], path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, option in options.items():
        yield f"{path}{name}", option
        yield from flattened(option.get("suboptions") or option.get("options") or {}, f"{path}{name}.")


def test_options_have_a_type_and_numbers_a_unit() -> None:
    options = list(documented_options())
    assert [name for name, option in options if not option.get("type")] == []
    units = re.compile(r"seconds|minutes|days|number of|at most so many|fewer", re.I)
    numbers = [(name, str(option["description"])) for name, option in options if option["type"] in ("int", "float")]
    assert numbers
    assert [name for name, text in numbers if not units.search(text)] == []


@pytest.mark.parametrize("module", MODULES)
def test_return_values_have_samples(module: str) -> None:
    values = module_text(module, "RETURN")
    assert [name for name, value in values.items() if not value.get("returned")] == []
    bare = list(without_sample(values))
    assert bare == [], f"{module} lacks sample, type or description of {', '.join(bare)}"


def without_sample(values: dict[str, Any], path: str = "") -> Any:
    for name, value in values.items():
        if "contains" in value:
            yield from without_sample(value["contains"], f"{path}{name}.")
        elif not {"sample", "type", "description"} <= set(value):
            yield f"{path}{name}"
