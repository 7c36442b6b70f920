# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host's account_id is a promise: nothing is done with keys of another account, nor counted as its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.inventory import write_inventory
from tests.ansible_run import PlaybookResult, member_role, run_module, run_playbook
from tests.lab_process import Lab

OTHER = "123456789012"
STS = {"AssumeRole", "GetCallerIdentity"}


@pytest.fixture(scope="module")
def lesson() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


@pytest.fixture
def lab(lesson: Lab) -> Lab:
    lesson.clear_journal()
    return lesson


def run(lab: Lab, folder: Path, playbook: Any, host: str, changes: dict[str, Any], *arguments: str) -> PlaybookResult:
    """Run a playbook with an inventory of which one host has other variables."""
    inventory = write_inventory(folder / "inventory.yml", lab.ready)
    (folder / "host_vars").mkdir(exist_ok=True)
    (folder / "host_vars" / f"{host}.yml").write_text(json.dumps(changes))
    environment = {"ORG_TRAIL_DIRECT": "0"} if "--check" in arguments else {}
    return run_playbook(lab, playbook, "-i", str(inventory), *arguments, environment=environment)


def called(lab: Lab) -> set[str]:
    return {entry["operation"] for entry in lab.journal(account=lab.management)}


@pytest.mark.parametrize("arguments", [(), ("--check",)])
def test_keys_of_another_account_than_managements_change_nothing(
    lab: Lab, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    result = run(
        lab, tmp_path, "playbooks/enable_org_trail.yml", "management_account", {"account_id": OTHER}, *arguments
    )
    assert result.task("Check the trail before the first write").failed
    assert f"The credentials belong to account {lab.management} (" in result.msg
    assert f"expected account {OTHER}, which account_id names" in result.msg
    assert called(lab) == STS


def test_a_role_that_was_left_out_is_told(lab: Lab, tmp_path: Path) -> None:
    """Not that management's own bucket needs another policy."""
    result = run(lab, tmp_path, "playbooks/enable_org_trail.yml", "security_audit", {"assume_role_arn": "{{ omit }}"})
    assert result.task("Find the log bucket").failed
    assert f"Set assume_role_arn to a role in {lab.log_archive}" in result.msg
    assert [entry["operation"] for entry in lab.journal()] == ["GetCallerIdentity"]


def test_a_role_of_another_account_is_not_assumed(lab: Lab, tmp_path: Path) -> None:
    role = {"assume_role_arn": f"arn:aws:iam::{OTHER}:role/OrganizationAccountAccessRole"}
    result = run(lab, tmp_path, "playbooks/enable_org_trail.yml", "security_audit", role)
    assert f"belongs to account {OTHER}, expected a role in account {lab.log_archive}" in result.msg
    assert lab.journal() == []


def test_an_account_id_without_quotes_is_told(lab: Lab, tmp_path: Path) -> None:
    number = yaml.safe_load("011122223333")
    result = run(lab, tmp_path, "playbooks/enable_org_trail.yml", "security_audit", {"account_id": number})
    assert "account_id is '1229530843', expected 12 digits. Quote the id in YAML." in result.msg
    assert lab.journal() == []


def test_each_module_and_role_refuses_keys_of_another_account(lab: Lab, tmp_path: Path) -> None:
    """In tasks of users' own plays, too, and in those that a loop delegates."""
    role, arn = "ansible.builtin.include_role", lab.trail_arn
    bucket = {"log_bucket_name": "logs", "log_bucket_trail_arn": arn}
    lookup = {"log_bucket_lookup_trail_arn": arn}
    coverage = {"coverage_trail_arn": arn, "coverage_report_dir": str(tmp_path)}
    drift = {"organization": {"id": "o-1"}, "diff": {"before": {}, "after": {"trusted_services": []}}}
    tasks: list[dict[str, Any]] = [
        {"cloudsec.org_trail.organizations_service_access": {}},
        {"cloudsec.org_trail.cloudtrail_organization_trail": {"name": "default"}},
        {"cloudsec.org_trail.cloudtrail_log_bucket_info": {"trail_arn": arn}},
        {"cloudsec.org_trail.cloudtrail_log_bucket_policy": {"bucket": "logs", "trail_arn": arn}},
        {"cloudsec.org_trail.cloudtrail_coverage_info": {"trail_arn": arn}},
        {
            "cloudsec.org_trail.cloudtrail_drift_info": {
                "trusted_access": drift,
                "organization_trail": {},
                "log_bucket": {},
            }
        },
        {role: {"name": "cloudsec.org_trail.log_bucket"}, "vars": bucket},
        {role: {"name": "cloudsec.org_trail.log_bucket_lookup"}, "vars": lookup},
        {role: {"name": "cloudsec.org_trail.trusted_access"}},
        {role: {"name": "cloudsec.org_trail.coverage"}, "vars": coverage},
    ]
    delegated = {
        "cloudsec.org_trail.organizations_service_access": {},
        "delegate_to": "{{ item }}",
        "loop": ["management_account"],
    }
    blocks = [{"block": [{"name": f"Try {number}", **task}], "rescue": []} for number, task in enumerate(tasks)]
    for block in blocks:
        block["rescue"] = [{"name": "Go on", "ansible.builtin.meta": "clear_host_errors"}]
    playbook = tmp_path / "play.yml"
    plays = [
        {"hosts": "management", "gather_facts": False, "tasks": blocks},
        {"hosts": "localhost", "gather_facts": False, "tasks": [delegated]},
    ]
    playbook.write_text(json.dumps(plays))
    result = run(lab, tmp_path, playbook, "management_account", {"account_id": OTHER})
    assert len(result.failures) == len(tasks) + 1, result.failures
    for one in result.failures:
        says = one.items[0].msg if one.items else one.msg
        assert f"The credentials belong to account {lab.management} (" in says, (one.task, one.msg)
    assert {entry["operation"] for entry in lab.journal()} == {"GetCallerIdentity"}


def test_another_accounts_answer_is_not_counted(lab: Lab, tmp_path: Path) -> None:
    listed = lab.client("organizations").list_accounts()["Accounts"]
    one, other = [each["Id"] for each in listed if each["Id"] not in (lab.management, lab.log_archive)][:2]
    accounts = [{"id": one, "assume_role_arn": member_role(lab, other)["assume_role_arn"]}]
    lab.clear_journal()
    result = run_module(lab, "cloudtrail_coverage_info", {"trail_arn": lab.trail_arn, "accounts": accounts})
    assert result.failed
    assert f"Account {one} in accounts has assume_role_arn" in result.msg
    assert lab.journal() == []
