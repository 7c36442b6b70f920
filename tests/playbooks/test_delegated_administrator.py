# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A delegated administrator of CloudTrail: how it is made, and what it does instead of the management account."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lab.inventory import write_inventory
from tests.ansible_run import PlaybookResult, TaskResult, run_module, run_playbook
from tests.lab.organization_trail import SERVICE, member_of, organization_trail
from tests.lab_process import Lab

MODULE, TRAIL = "cloudtrail_delegated_administrator", "cloudtrail_organization_trail"
READ_ONLY = {"ReadWriteType": "ReadOnly", "IncludeManagementEvents": True}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


def writes(lab: Lab) -> list[str]:
    return [entry["operation"] for entry in lab.journal(writes=True)]


def test_the_module_does_what_check_mode_said_and_never_touches_the_trail(lab: Lab) -> None:
    wanted = {"member_account_id": lab.log_archive}
    with organization_trail(lab):
        lab.clear_journal()
        predicted = run_module(lab, MODULE, wanted, "--check", "--diff")
        done = run_module(lab, MODULE, wanted, "--diff")
        assert (predicted.changed, predicted.diff) == (done.changed, done.diff)
        assert done["delegated_administrators"] == [{"account_id": lab.log_archive, "name": "SecurityAudit"}]
        assert [role["exists"] for role in done["service_linked_roles"]] == [True, True]
        assert not run_module(lab, MODULE, wanted).changed
        assert run_module(lab, MODULE, {**wanted, "state": "absent"}).changed
        assert not run_module(lab, MODULE, {**wanted, "state": "absent"}).changed
        assert writes(lab) == ["RegisterOrganizationDelegatedAdmin", "DeregisterOrganizationDelegatedAdmin"]


def test_what_aws_would_refuse_is_refused_before_the_call(lab: Lab) -> None:
    member = member_of(lab)
    off = run_module(lab, MODULE, {"member_account_id": member}, "--check")
    assert f"Trusted access for {SERVICE} is off" in off.msg
    with organization_trail(lab):
        lab.clear_journal()
        for account, found in (
            (lab.management, "is the management account"),
            ("999999999999", "is not in the organization"),
        ):
            assert found in run_module(lab, MODULE, {"member_account_id": account}).msg
        refused = run_module(lab, MODULE, {"member_account_id": member}, account=lab.log_archive)
        assert f"needs the management account {lab.management}" in refused.msg
        assert "Run delegate_org_trail.yml" in refused.msg
        assert [one for one in writes(lab) if "Delegated" in one] == []


@pytest.fixture
def trail(lab: Lab) -> Iterator[str]:
    """The ARN of the organization trail while the log archive's account is CloudTrail's delegated administrator."""
    with organization_trail(lab) as arn:
        run_module(lab, TRAIL, {"s3_bucket_name": lab.bucket})
        management = lab.client("cloudtrail")
        management.register_organization_delegated_admin(MemberAccountId=lab.log_archive)
        yield arn
        management.deregister_organization_delegated_admin(DelegatedAdminAccountId=lab.log_archive)


def as_administrator(lab: Lab, *arguments: str, **options: Any) -> TaskResult:
    return run_module(lab, TRAIL, {"s3_bucket_name": lab.bucket, **options}, *arguments, account=lab.log_archive)


ATTACKS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("stop_logging", {"Name": "ARN"}, ["StartLogging"]),
    ("put_event_selectors", {"TrailName": "ARN", "EventSelectors": [READ_ONLY]}, ["PutEventSelectors"]),
    ("update_trail", {"Name": "ARN", "IsMultiRegionTrail": False}, ["UpdateTrail"]),
    ("delete_trail", {"Name": "ARN"}, ["CreateTrail", "StartLogging"]),
]


def test_the_administrator_repairs_what_is_done_to_the_trail(lab: Lab, trail: str) -> None:
    assert not as_administrator(lab).changed
    for attack, parameters, repair in ATTACKS:
        given = {name: trail if value == "ARN" else value for name, value in parameters.items()}
        getattr(lab.client("cloudtrail"), attack)(**given)
        lab.clear_journal()
        predicted = as_administrator(lab, "--check")
        done = as_administrator(lab)
        assert (predicted.changed, predicted["changed_fields"]) == (True, done["changed_fields"]), attack
        assert [one for one in writes(lab) if one != "AssumeRole"] == repair
        assert done["trail"]["arn"] == trail
        assert not as_administrator(lab).changed


def test_what_only_management_may_do_is_told_before_anything_is_written(lab: Lab, trail: str) -> None:
    needs = f"needs the management account {lab.management}"
    lab.clear_journal()
    converted = as_administrator(lab, is_organization_trail=False)
    assert (converted.failed, needs in converted.msg, "Run revert_org_trail.yml" in converted.msg) == (True, True, True)
    off = run_module(
        lab, "organizations_service_access", {"state": "absent", "allow_trail_downgrade": True}, account=lab.log_archive
    )
    assert (off.failed, needs in off.msg) == (True, True)
    assert set(writes(lab)) <= {"AssumeRole"}
    lab.client("cloudtrail").update_trail(Name=trail, IsOrganizationTrail=False)
    hidden = as_administrator(lab)
    assert (hidden.failed, needs in hidden.msg, "Run enable_org_trail.yml" in hidden.msg) == (True, True, True)


def test_a_member_that_is_no_administrator_is_refused_as_ever(lab: Lab, trail: str) -> None:
    refused = run_module(lab, TRAIL, {"s3_bucket_name": lab.bucket}, account=member_of(lab))
    assert refused.msg.startswith(f"Account {member_of(lab)} is a member of the organization")


# --- the playbooks ----------------------------------------------------------------------------------------------------


INVENTORY = """\
all:
  vars:
    ansible_connection: local
    ansible_python_interpreter: "{{{{ ansible_playbook_python }}}}"
    organization_trail_caller: security_audit
    coverage_role_name: OrgTrailCoverage
    coverage_report_dir: "{{{{ inventory_dir }}}}/report"
    detect_drift_report_dir: "{{{{ inventory_dir }}}}/drift"
    detect_drift_delegated_administrators: ["{administrator}"]
  children:
    management:
      hosts:
        management_account:
          account_id: "{management}"
    log_archive:
      hosts:
        security_audit:
          account_id: "{administrator}"
"""


def administrators_keys(lab: Lab) -> dict[str, str]:
    """The environment of somebody who has keys of the administrator's account and none of management."""
    iam = lab.client("iam", lab.log_archive)
    iam.create_user(UserName="security")
    keys = iam.create_access_key(UserName="security")["AccessKey"]
    return {"AWS_ACCESS_KEY_ID": keys["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"]}


def let_administrator_in(lab: Lab) -> None:
    """The role of docs/iam in every other account, which trusts the administrator's account."""
    trust = {"Effect": "Allow", "Principal": {"AWS": lab.log_archive}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    for account in lab.client("organizations").list_accounts()["Accounts"]:
        if account["Id"] != lab.log_archive:
            lab.client("iam", account["Id"]).create_role(RoleName="OrgTrailCoverage", AssumeRolePolicyDocument=document)


def test_all_that_comes_after_needs_no_key_of_management(lab: Lab, trail: str, tmp_path: Path) -> None:
    inventory = tmp_path / "inventory.yml"
    inventory.write_text(INVENTORY.format(management=lab.management, administrator=lab.log_archive))
    let_administrator_in(lab)
    run = partial(run_playbook, lab, environment=administrators_keys(lab))
    command = ("-i", str(inventory))
    lab.client("cloudtrail").stop_logging(Name=trail)
    lab.clear_journal()
    drifted = run("playbooks/detect_drift.yml", *command)
    assert "logging" in drifted.msg
    assert drifted.rc != 0
    repaired = run("playbooks/enable_org_trail.yml", *command).ok()
    assert repaired.changed == 1
    assert run("playbooks/enable_org_trail.yml", *command).ok().changed == 0
    run("playbooks/detect_drift.yml", *command).ok()
    callers = {entry["principal"] for entry in lab.journal() if entry["account"] == lab.management}
    assert {arn.split("/")[1] for arn in callers} == {"OrgTrailCoverage"}  # which only reads
    assert [one for one in writes(lab) if one != "AssumeRole"] == ["StartLogging"]


def delegate(lab: Lab, folder: Path, *arguments: str) -> PlaybookResult:
    inventory = write_inventory(folder / "inventory.yml", lab.ready)
    command = ("-i", str(inventory), "-e", "coverage_enabled=false")
    return run_playbook(lab, "playbooks/delegate_org_trail.yml", *command, *arguments)


def test_management_once_then_never_again(tmp_path: Path) -> None:
    with Lab() as lab:
        unknown = delegate(lab, tmp_path, "-e", '{"delegated_administrator_account_id": "999999999999"}')
        assert "Account 999999999999 is not in the organization" in unknown.msg
        assert set(writes(lab)) <= {"AssumeRole"}, "refused before the first write"
        predicted = delegate(lab, tmp_path, "--check").ok()
        assert set(writes(lab)) <= {"AssumeRole"}
        done = delegate(lab, tmp_path).ok()
        assert predicted.changed == done.changed == 3
        assert [one for one in writes(lab) if one != "AssumeRole"] == [
            "EnableAWSServiceAccess",
            "UpdateTrail",
            "RegisterOrganizationDelegatedAdmin",
            "StartLogging",
        ]
        registered = f"delegated administrator {lab.log_archive}: not registered → registered"
        foretold, told = predicted.results[-1]["msg"], done.results[-1]["msg"]
        assert f"{registered}. Not proven what {lab.log_archive} may do, in check mode" in foretold[0]
        assert f"{registered}. Proven: {lab.log_archive} sees and may change the trail" in told[0]
        assert (len(foretold), len(told)) == (3, 3)
        proof = done.task("Prove that the administrator sees and may change the trail")
        assert (proof["caller_account_id"], proof["may_change"]) == (lab.log_archive, True)
        assert delegate(lab, tmp_path).ok().changed == 0
        lab.client("cloudtrail").register_organization_delegated_admin(MemberAccountId=member_of(lab))
        assert delegate(lab, tmp_path).ok().changed == 0
        assert delegate(lab, tmp_path, "-e", "delegated_administrator_exclusive=true").ok().changed == 1
        left = lab.client("organizations").list_delegated_administrators()["DelegatedAdministrators"]
        assert [one["Id"] for one in left] == [lab.log_archive]
