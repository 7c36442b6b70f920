# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A drift is told whatever becomes of the question who caused it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import (
    AnsibleOrgTrailError,
    AnsibleSTSError,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.session import Connection
from ansible_collections.cloudsec.org_trail.plugins.module_utils._drift import find
from ansible_collections.cloudsec.org_trail.plugins.module_utils._drift.drifts import DriftOptions
from ansible_collections.cloudsec.org_trail.plugins.module_utils._drift.judged import Judged

ARN = "arn:aws:cloudtrail:us-east-1:111111111111:trail/default"
STOPPED = {
    "actions": [{"operation": "StartLogging"}],
    "diff": {"before": {"logging": False}, "after": {"logging": True}},
    "trail": {"arn": ARN},
    "before": {"arn": ARN},
    "changed_fields": ["logging"],
}
SUSPENDED = {
    "name": "logs",
    "region": "eu-west-1",
    "health": {
        "problems": [
            {"setting": "versioning", "found": "Suspended", "expected": "Enabled", "fix": "", "weakened": True},
        ],
    },
}
OPTIONS = DriftOptions(
    organization_trail=STOPPED,
    trusted_access={},
    service_principal="cloudtrail.amazonaws.com",
    log_bucket={**SUSPENDED, "account_id": "444455556666"},
    coverage_exceptions=[],
    coverage_exceptions_total=0,
    refusals=[],
    checks=[],
    delegated_administrators=None,
    trusted_accounts=[],
    guardrails={},
    watch=[],
    event_history=True,
    log_archive_role_arn="arn:aws:iam::222222222222:role/gone",
    log_archive_role_external_id=None,
    json_path=None,
    junit_path=None,
    findings_path=None,
)


class Account:
    """A session whose event history is empty, and whose roles may be gone."""

    region, partition = "us-east-1", "aws"
    account_id = "111122223333"
    arn = "arn:aws:iam::111122223333:user/auditor"

    def __init__(self, _connection: Connection) -> None:
        """Whoever asks comes in."""

    def assume(self, role: str, _external_id: str | None, _account_id: str) -> Account:
        if role.endswith("gone"):
            raise AnsibleSTSError(message=f"The role {role} is gone.")
        return self

    def client(self, _service: str, _region: str = "") -> Any:
        raise AnsibleSTSError(message="Event history is closed.")


class LogArchive(Account):
    """A session in the bucket's own account, as a delegated administrator has it."""

    account_id = "444455556666"


def judge(**changes: Any) -> Judged:
    return find.judge_drift(Connection(), replace(OPTIONS, **changes), "2026-01-02T12:00:00Z")


def refuse(_connection: Connection) -> Account:
    raise AnsibleSTSError(message="Nobody comes in.")


@pytest.mark.parametrize(
    ("session", "role", "trail", "bucket"),
    [
        (Account, OPTIONS.log_archive_role_arn, "Event history is closed.", "is gone."),
        (Account, "arn:aws:iam::222222222222:role/there", "Event history is closed.", "Event history is closed."),
        (Account, None, "Event history is closed.", "without log_archive_role_arn"),
        (LogArchive, None, "Event history is closed.", "Event history is closed."),
        (refuse, OPTIONS.log_archive_role_arn, "Nobody comes in.", "Nobody comes in."),
    ],
)
def test_an_account_that_cannot_be_entered_hides_no_drift(
    monkeypatch: pytest.MonkeyPatch, session: Any, role: str | None, trail: str, bucket: str
) -> None:
    monkeypatch.setattr(find, "Session", session)
    drifts = judge(log_archive_role_arn=role).drifts
    assert [one.what for one in drifts] == ["logging", "versioning"]
    assert [one.since for one in drifts] == ["", ""]
    assert trail in drifts[0].unattributed
    assert bucket in drifts[1].unattributed


@pytest.mark.parametrize(("management", "told"), [(Account.account_id, False), ("222222222222", True)])
def test_whose_event_history_was_not_read_is_told(monkeypatch: pytest.MonkeyPatch, management: str, told: bool) -> None:
    monkeypatch.setattr(find, "Session", Account)
    same: dict[str, Any] = {"before": {}, "after": {}}
    access = {"diff": same, "organization": {"id": "o-1", "management_account_id": management}}
    trail, bucket = judge(trusted_access=access).drifts
    assert (f"management account {management}" in trail.unattributed) == told
    assert "management account" not in bucket.unattributed


@pytest.mark.parametrize(
    ("changes", "entered"),
    [
        ({}, 1),
        ({"event_history": False}, 0),
        ({"organization_trail": {}, "log_bucket": {}}, 0),
        ({"organization_trail": {}, "log_bucket": {}, "delegated_administrators": []}, 1),
    ],
)
def test_no_account_is_entered_in_vain(monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], entered: int) -> None:
    seen: list[Connection] = []

    def enter(connection: Connection) -> Account:
        seen.append(connection)
        return Account(connection)

    monkeypatch.setattr(find, "Session", enter)
    judge(**changes)
    assert len(seen) == entered


def test_delegated_administrators_are_looked_at_where_nothing_else_drifted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find, "Session", refuse)
    changes: dict[str, Any] = {"organization_trail": {}, "log_bucket": {}, "delegated_administrators": []}
    [row] = judge(**changes).drifts
    assert (row.what, row.found) == ("could not be judged", "Nobody comes in.")


def test_an_account_that_the_bucket_lets_in_is_asked_for_in_management(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find, "Session", refuse)
    problem = {"setting": "outside_access", "account_id": "999999999999", "weakened": False}
    bucket = {"name": "logs", "health": {"problems": [problem]}}
    changes: dict[str, Any] = {"organization_trail": {}, "log_bucket": bucket}
    [row] = judge(**changes).drifts
    assert (row.what, row.found) == ("could not be judged", "Nobody comes in.")
    assert judge(**changes, trusted_accounts=["999999999999"]).drifts == []


def test_with_keys_of_another_account_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def another(_connection: Connection) -> Account:
        raise AnsibleOrgTrailError("The credentials belong to another account.")

    monkeypatch.setattr(find, "Session", another)
    with pytest.raises(AnsibleOrgTrailError, match="belong to another"):
        judge()


@pytest.mark.parametrize(("session", "who"), [(Account, Account.arn), (refuse, "")])
def test_it_is_told_who_looked_at_what(monkeypatch: pytest.MonkeyPatch, session: Any, who: str) -> None:
    monkeypatch.setattr(find, "Session", session)
    judged = judge(log_bucket={**SUSPENDED, "organization_id": "o-1"})
    assert (judged.checked_by, judged.checked_at) == (who, "2026-01-02T12:00:00Z")
    assert (judged.organization_id, judged.trail_arn) == ("o-1", ARN)


@pytest.mark.parametrize("wrong", [{"results": [{}]}, {"results": ["x"]}, {"outside": [{}]}])
def test_guardrails_are_what_the_role_reports(wrong: dict[str, Any]) -> None:
    with pytest.raises(AnsibleOrgTrailError, match="The option guardrails is not what the role of that name reports"):
        judge(guardrails=wrong)
