# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which variables are known, whose are looked at, and what is said of tags and of the inventory."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from ansible.plugins.action import ActionBase
from ansible_collections.cloudsec.org_trail.plugins.action import check_run

from tests.unit.documented import ROLES, role_specs


@pytest.fixture(autouse=True)
def plain_action(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ActionBase, "__init__", lambda self: None)
    monkeypatch.setattr(ActionBase, "run", lambda *_: {})


def ask(variables: dict[str, Any], *, runs: bool = True, inventory: bool = False) -> str:
    """What the action fails with; "" when it does not."""
    action = cast(Any, check_run.ActionModule)()
    action._templar = SimpleNamespace(template=lambda value: value)
    action._others_run = lambda _variables: runs
    action.validate_argument_spec = lambda _spec: (None, {"inventory": inventory})
    result = action.run(task_vars={"hostvars": {}, "groups": {}, **variables})
    assert result.get("changed", False) is False
    return str(result.get("msg", "")) if result.get("failed") else ""


def test_known_are_the_inputs_of_roles_and_playbooks_and_no_other_names() -> None:
    inputs = {name for role in ROLES for spec in role_specs(role).values() for name in spec["options"]}
    own = {"coverage_enabled", "detect_drift_coverage", "detect_drift_findings", "detect_drift_report_dir"}
    own |= {"detect_drift_delegated_administrators", "detect_drift_guardrails", "detect_drift_trusted_accounts"}
    own |= {"guard_org_trail_report"}
    own |= {"detect_drift_watch"}
    own |= {"coverage_member_trails", "organization_trail_caller"}
    own |= {"revert_org_trail_bucket", "revert_org_trail_record"}
    assert own < check_run.known_variables()
    assert check_run.known_variables() - own == inputs


@pytest.mark.parametrize("where", ["task", "management", "log_archive"])
def test_variables_of_each_host_are_looked_at(where: str) -> None:
    hosts: dict[str, dict[str, Any]] = {"m": {}, "a": {}, "member": {"coverage_of_its_own": 1}}
    groups = {"management": ["m"], "log_archive": ["a"], "members": ["member"]}
    variables = {"hostvars": hosts, "groups": groups}
    assert ask(variables) == ""
    {"task": variables, "management": hosts["m"], "log_archive": hosts["a"]}[where]["coverage_rolename"] = "x"
    assert "coverage_rolename (did you mean coverage_role_name?)" in ask(variables)
    for own in ("coverage_rolename", "x, coverage_*", ["coverage_role*"]):
        assert ask({**variables, "org_trail_other_variables": own}) == ""
    hosts["m"]["org_trail_other_variables"] = ["coverage_rolename"]
    assert ask(variables) == ""


def test_a_run_whose_tags_match_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(check_run, "display", SimpleNamespace(warning=told.append))
    tags = {"ansible_run_tags": ["network", "dns"], "ansible_skip_tags": []}
    assert ask({**tags, "coverage_nonsense": 1}, runs=False, inventory=True) == ""
    [warning] = told
    assert "runs with --tags dns,network, so nothing is looked at or changed" in warning


def test_an_inventory_is_refused_before_a_variable() -> None:
    variables = {
        "groups": {"management": ["m"], "log_archive": ["a"]},
        "hostvars": {"m": {}, "a": {}},
        "ansible_play_hosts_all": ["localhost", "m", "a"],
        "playbook_dir": "/playbooks",
    }
    assert ask(variables, inventory=True) == ""
    assert "Unknown variables" in ask({**variables, "coverage_nonsense": 1}, inventory=True)
    limited = {**variables, "ansible_play_hosts_all": ["localhost", "m"], "ansible_limit": "m", "coverage_nonsense": 1}
    assert "of which --limit m leaves some out" in ask(limited, inventory=True)
    assert "Unknown variables" in ask(limited)
    unread = {**limited, "organizations_accounts_error": "No credentials."}
    assert ask(unread, inventory=True).endswith("could not be read: No credentials.")
