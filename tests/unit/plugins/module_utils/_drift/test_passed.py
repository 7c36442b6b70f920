# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is counted as wanted was looked at; what drifted, is advised or was not read is never among it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._drift.administrators import ALL, WHAT
from ansible_collections.cloudsec.org_trail.plugins.module_utils._drift.drift import (
    BUCKET,
    ORGANIZATION,
    Drift,
    not_judged,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._drift.drifts import DriftOptions, collect_drift
from ansible_collections.cloudsec.org_trail.plugins.module_utils._drift.passed import collect_passed

ARN = "arn:aws:cloudtrail:us-east-1:111111111111:trail/default"
NOTHING = DriftOptions(
    organization_trail={},
    trusted_access={},
    service_principal="cloudtrail.amazonaws.com",
    log_bucket={},
    coverage_exceptions=[],
    coverage_exceptions_total=0,
    refusals=[],
    checks=[],
    delegated_administrators=None,
    trusted_accounts=[],
    guardrails={},
    watch=[],
    event_history=True,
    log_archive_role_arn=None,
    log_archive_role_external_id=None,
    json_path=None,
    junit_path=None,
    findings_path=None,
)
RULE = {"arn": "rule", "wanted": {"state": "ENABLED"}, "differences": [], "refusals": []}
ON = {"trusted_services": ["cloudtrail.amazonaws.com"]}
STATEMENTS: dict[str, Any] = {"statements": {}, "targets": [], "description": "", "tags": {}}
KEPT = {
    "changed": False,
    "type_enabled": False,
    "targets": ["r-1", "ou-1"],
    "item": {"name": "org-trail-members", "type": "service_control_policy"},
    "policy": {"id": "p-1"},
    "diff": {"before": STATEMENTS, "after": STATEMENTS},
}


def access(before: Any) -> dict[str, Any]:
    return {"organization": {"id": "o-1"}, "diff": {"before": before, "after": ON}}


def trail(**changed: Any) -> dict[str, Any]:
    wanted = {"logging": True, "kms_key_id": ""}
    before = wanted | changed
    return {
        "actions": [{}] * len(changed),
        "trail": {"arn": ARN},
        "before": before,
        "diff": {"before": before, "after": wanted},
        "changed_fields": list(changed),
    }


def bucket(*problems: dict[str, Any], **more: Any) -> dict[str, Any]:
    health = {"versioning": "Enabled", "lifecycle": [], "acl": None, "tls_only": True, "problems": list(problems)}
    return {"name": "logs", "admits": True, "trail_arn": ARN, "problems": [], "health": health, **more}


def problem(setting: str, **more: Any) -> dict[str, Any]:
    told = {"setting": setting, "found": "weak", "expected": "strong", "fix": "Mend it.", "readable": True}
    return {**told, "weakened": True, "severity": "warning", **more}


POLICY = {"statement": "Write", "expected": "it", "found": "nothing", "fix": "Add it."}


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, {}),
        ({"trusted_access": access(ON)}, {"trusted access of cloudtrail.amazonaws.com": "on"}),
        ({"trusted_access": access({"trusted_services": []})}, {}),
        ({"organization_trail": trail()}, {"logging": True, "kms_key_id": ""}),
        ({"organization_trail": trail(logging=False)}, {"kms_key_id": ""}),
        ({"organization_trail": {**trail(logging=False), "before": {}}}, {}),
        (
            {"log_bucket": bucket()},
            {"policy": f"admits {ARN}", "versioning": "Enabled", "lifecycle": [], "tls_only": True},
        ),
        ({"log_bucket": bucket(admits=False, problems=[POLICY], health=None)}, {}),
        (
            {"log_bucket": bucket(problem("versioning"), problem("lifecycle_rule"), admits=False)},
            {"tls_only": True},
        ),
        (
            {"log_bucket": bucket(problem("tls_only", weakened=False, severity="advice"), admits=False)},
            {"versioning": "Enabled", "lifecycle": []},
        ),
        (
            {"log_bucket": bucket(problem("versioning", readable=False), admits=False)},
            {"lifecycle": [], "tls_only": True},
        ),
        ({"delegated_administrators": []}, {ALL: "none"}),
        ({"delegated_administrators": ["222222222222"]}, {ALL: ["222222222222"]}),
        ({"guardrails": {"results": [KEPT]}}, {"policy": "attached to r-1, ou-1"}),
        ({"guardrails": {"results": [{**KEPT, "changed": True}]}}, {}),
        ({"watch": [{"queues": [], "rules": [RULE]}]}, {"watch": "state as wanted"}),
        ({"checks": [{"object": "coverage", "reason": "", "value": "85 of 85"}]}, {"judged": "85 of 85"}),
        ({"checks": [{"object": "coverage", "reason": "It failed.", "value": "85 of 85"}]}, {}),
        ({"checks": [{"object": "trail", "reason": "", "value": ""}]}, {}),
    ],
)
def test_what_is_as_wanted(given: dict[str, Any], found: dict[str, Any]) -> None:
    options = replace(NOTHING, **given)
    assert {one.what: one.found for one in collect_passed(options, collect_drift(options))} == found


OUTSIDER = Drift(BUCKET, "logs", "encryption", "a key of the organization", "another", "Mend it.")


@pytest.mark.parametrize(
    ("drifts", "passes"),
    [([], True), ([OUTSIDER], False), ([not_judged("logs, encryption, account 2", "Nobody comes in.")], False)],
)
def test_an_account_of_the_organization_is_no_fault(drifts: list[Drift], passes: bool) -> None:
    health = {"encryption": {"key_owner": "2"}, "problems": [problem("encryption", weakened=False, account_id="2")]}
    options = replace(NOTHING, log_bucket=bucket(admits=False, health=health))
    assert [one.what for one in collect_passed(options, drifts)] == (["encryption"] if passes else [])


@pytest.mark.parametrize(
    "drift",
    [Drift(ORGANIZATION, "account 2", WHAT, "none", "account 2", ""), not_judged(ALL, "Nobody comes in.")],
)
def test_administrators_are_as_wanted_only_when_all_are(drift: Drift) -> None:
    assert collect_passed(replace(NOTHING, delegated_administrators=[]), [drift]) == []
