# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trusted access: the module organizations_service_access and the role trusted_access, against the lab."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.ansible_run import run_module, run_playbook
from tests.lab_process import Lab

MODULE = "organizations_service_access"
CLOUDTRAIL = "cloudtrail.amazonaws.com"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


def writes(lab: Lab) -> list[str]:
    return [entry["operation"] for entry in lab.journal(writes=True)]


def enable(lab: Lab) -> None:
    lab.client("organizations").enable_aws_service_access(ServicePrincipal=CLOUDTRAIL)


def disable(lab: Lab) -> None:
    lab.client("organizations").disable_aws_service_access(ServicePrincipal=CLOUDTRAIL)


def test_check_mode_predicts_what_the_run_does(lab: Lab) -> None:
    disable(lab)
    lab.clear_journal()
    predicted = run_module(lab, MODULE, {}, "--check", "--diff")
    assert writes(lab) == []
    done = run_module(lab, MODULE, {}, "--diff")
    assert writes(lab) == ["EnableAWSServiceAccess"]
    assert (predicted.changed, predicted.diff) == (done.changed, done.diff)
    assert predicted["trusted_services"] == done["trusted_services"]
    assert CLOUDTRAIL in done["trusted_services"]
    assert done["organization"]["management_account_id"] == lab.management
    again = run_module(lab, MODULE, {})
    assert not again.changed
    assert writes(lab) == ["EnableAWSServiceAccess"]


def test_fact_7_4_management_only(lab: Lab) -> None:
    refused = run_module(lab, MODULE, {}, account=lab.log_archive)
    assert refused.failed
    assert refused.msg.startswith(f"Account {lab.log_archive} is a member of the organization {lab.organization_id}")
    assert f"management account {lab.management}" in refused.msg


def test_section_5_absent_refuses_while_an_organization_trail_exists(lab: Lab) -> None:
    enable(lab)
    trail = lab.client("cloudtrail")
    trail.update_trail(Name=lab.trail_arn, IsOrganizationTrail=True, S3BucketName=lab.bucket)
    lab.clear_journal()
    refused = run_module(lab, MODULE, {"state": "absent"})
    assert refused.failed
    assert lab.trail_arn in refused.msg
    assert "allow_trail_downgrade=true" in refused.msg
    assert run_module(lab, MODULE, {"state": "absent"}, "--check").failed
    assert writes(lab) == []
    done = run_module(lab, MODULE, {"state": "absent", "allow_trail_downgrade": True})
    assert done.changed
    assert writes(lab) == ["DisableAWSServiceAccess"]
    assert trail.get_trail(Name=lab.trail_arn)["Trail"]["IsOrganizationTrail"] is False
    assert not run_module(lab, MODULE, {"state": "absent"}).changed


def test_section_5_absent_refuses_while_an_organization_event_data_store_exists(lab: Lab) -> None:
    enable(lab)
    lab.control("POST", "options", {"lake_customer": True})
    stores = lab.client("cloudtrail", region="eu-west-1")
    arn = stores.create_event_data_store(Name="organization", OrganizationEnabled=True)["EventDataStoreArn"]
    refused = run_module(lab, MODULE, {"state": "absent"})
    assert refused.failed
    assert arn in refused.msg


def test_other_services_go_without_that_check(lab: Lab) -> None:
    service: dict[str, Any] = {"service_principal": "config.amazonaws.com"}
    assert run_module(lab, MODULE, service).changed
    assert run_module(lab, MODULE, {**service, "state": "absent"}).changed


DENIALS = [
    ("EnableAWSServiceAccess", "organizations:EnableAWSServiceAccess"),
    ("ListAWSServiceAccessForOrganization", "organizations:ListAWSServiceAccessForOrganization"),
    ("DescribeOrganization", "organizations:DescribeOrganization"),
]


@pytest.mark.parametrize(("operation", "action"), DENIALS)
def test_denial_names_the_missing_action(lab: Lab, operation: str, action: str) -> None:
    disable(lab)
    lab.control("POST", "faults", [{"operation": operation, "fault": "code:AccessDeniedException"}])
    try:
        refused = run_module(lab, MODULE, {})
    finally:
        lab.control("POST", "faults", [])
    assert refused.failed
    assert action in refused.msg
    assert "Traceback" not in refused.msg


def test_no_organization() -> None:
    with Lab("--scenario", "empty") as empty:
        refused = run_module(empty, MODULE, {})
    assert refused.failed
    assert "belongs to no organization" in refused.msg


def test_role_reports_in_its_variable(lab: Lab) -> None:
    disable(lab)
    result = run_playbook(
        lab,
        [
            {"name": "role", "ansible.builtin.import_role": {"name": "cloudsec.org_trail.trusted_access"}},
            {"name": "show", "ansible.builtin.debug": {"var": "trusted_access.trusted_services"}},
        ],
    ).ok()
    assert CLOUDTRAIL in result.task("show")["trusted_access.trusted_services"]


def test_the_deprecated_variable_is_accepted_and_warns_and_is_not_believed(lab: Lab) -> None:
    lab.clear_journal()
    known = {"id": "o-another123", "feature_set": "CONSOLIDATED_BILLING", "management_account_id": "1"}
    role = {"name": "cloudsec.org_trail.trusted_access"}
    tasks: list[dict[str, Any]] = [
        {"name": "plain", "ansible.builtin.include_role": role},
        {"name": "given", "ansible.builtin.include_role": role, "vars": {"trusted_access_organization": known}},
    ]
    result = run_playbook(lab, tasks, environment={"ANSIBLE_DEPRECATION_WARNINGS": "1"}).ok()
    plain, given = (one for one in result.results if one.task.endswith("Turn on trusted access"))
    assert "deprecations" not in plain.result
    [deprecation] = given.result["deprecations"]
    assert "'organization' is deprecated" in deprecation["msg"]
    assert deprecation["version"] == "2.0.0"
    assert given.result["organization"]["id"] == lab.organization_id
    assert len(lab.journal(operation="DescribeOrganization")) == 2
