# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which variables are known, whose are looked at, and what is said of tags."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.lookup import run_problems

from tests.unit.documented import ROLES, role_specs


def ask(variables: dict[str, Any], *, started: bool = True) -> list[str]:
    lookup = run_problems.LookupModule()
    lookup._templar = SimpleNamespace(template=lambda value: value)
    lookup.set_options = lambda **_: None
    lookup.get_option = {"started": started}.get
    return lookup.run([], {"hostvars": {}, "groups": {}, **variables})


def test_known_are_the_inputs_of_roles_and_playbooks_and_no_other_names() -> None:
    inputs = {name for role in ROLES for spec in role_specs(role).values() for name in spec["options"]}
    own = {"coverage_enabled", "detect_drift_coverage", "detect_drift_findings", "detect_drift_report_dir"}
    own |= {"detect_drift_delegated_administrators", "detect_drift_guardrails", "detect_drift_trusted_accounts"}
    own |= {"guard_org_trail_report"}
    own |= {"detect_drift_watch"}
    own |= {"coverage_member_trails", "organization_trail_caller"}
    own |= {"revert_org_trail_bucket", "revert_org_trail_record"}
    assert own < run_problems.known_variables()
    assert run_problems.known_variables() - own == inputs


@pytest.mark.parametrize("where", ["task", "management", "log_archive"])
def test_variables_of_each_host_are_looked_at(where: str) -> None:
    hosts: dict[str, dict[str, Any]] = {"m": {}, "a": {}, "member": {"coverage_of_its_own": 1}}
    groups = {"management": ["m"], "log_archive": ["a"], "members": ["member"]}
    variables = {"hostvars": hosts, "groups": groups}
    assert ask(variables) == []
    {"task": variables, "management": hosts["m"], "log_archive": hosts["a"]}[where]["coverage_rolename"] = "x"
    [told] = ask(variables)
    assert "coverage_rolename (did you mean coverage_role_name?)" in told
    for own in ("coverage_rolename", "x, coverage_*", ["coverage_role*"]):
        assert ask({**variables, "org_trail_other_variables": own}) == []
    hosts["m"]["org_trail_other_variables"] = ["coverage_rolename"]
    assert ask(variables) == []


def test_a_run_whose_tags_match_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(run_problems, "display", SimpleNamespace(warning=told.append))
    tags = {"ansible_run_tags": ["network", "dns"], "ansible_skip_tags": []}
    assert ask({**tags, "coverage_nonsense": 1}, started=False) == []
    [warning] = told
    assert "runs with --tags dns,network, so nothing is looked at or changed" in warning
