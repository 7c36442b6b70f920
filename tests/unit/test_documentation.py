# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module tells what a user needs. That options fit the argument spec is what ansible-test compares."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.unit.documented import COLLECTION, MODULES, ROOT, documentation, load_yaml, module_text, tasks_of

TASK_KEYWORDS = {
    "name",
    "register",
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
def test_return_values_have_samples(module: str) -> None:
    bare = list(without_sample(module_text(module, "RETURN")))
    assert bare == [], f"{module} shows no sample of {', '.join(bare)}"


def without_sample(values: dict[str, Any], path: str = "") -> Any:
    for name, value in values.items():
        if "contains" in value:
            yield from without_sample(value["contains"], f"{path}{name}.")
        elif "sample" not in value:
            yield f"{path}{name}"
