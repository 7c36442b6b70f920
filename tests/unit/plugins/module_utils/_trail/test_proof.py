# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, cast

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import TrailArn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.session import Session
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.proof import prove

from tests.canned_aws import CannedSession, client_error

MEMBER = "444455556666"
HOME = TrailArn("aws", "us-east-1", "111122223333", "default")
GOOD: dict[str, Any] = {
    "list_delegated_administrators": {"DelegatedAdministrators": [{"Id": MEMBER}]},
    "describe_trails": {"trailList": [{"TrailARN": str(HOME), "IsOrganizationTrail": True}]},
    "get_trail_status": {"IsLogging": True},
    "start_logging": {},
}
NOT_ORGANIZATION = {"trailList": [{"TrailARN": str(HOME), "IsOrganizationTrail": False}]}
EARLY = client_error("NotOrganizationMasterAccountException")


def run(timeout: float = 120, check_mode: bool = False, **answers: Any) -> tuple[CannedSession, list[float], Any]:
    session = CannedSession(MEMBER, "us-east-1", {**GOOD, **answers})
    slept: list[float] = []
    try:
        return session, slept, prove(cast(Session, session), HOME, timeout, check_mode, slept.append)
    except AnsibleAWSError as error:
        return session, slept, error


def test_a_trail_that_logs_is_started_and_nothing_else_is_written() -> None:
    session, _slept, told = run()
    assert told == {"caller_account_id": MEMBER, "sees_trail": True, "may_change": True}
    assert session.called() == sorted(GOOD)
    session, _slept, told = run(check_mode=True)
    assert told == {"caller_account_id": MEMBER, "sees_trail": True}
    assert "start_logging" not in session.called()


@pytest.mark.parametrize(
    ("answers", "part"),
    [
        ({"list_delegated_administrators": {"DelegatedAdministrators": []}}, "is no delegated administrator"),
        ({"describe_trails": {"trailList": []}}, "does not see the trail"),
        ({"describe_trails": NOT_ORGANIZATION}, "does not see the trail"),
        ({"get_trail_status": {"IsLogging": False}}, "does not log"),
    ],
)
def test_what_is_not_so_is_told_and_nothing_is_started(answers: Any, part: str) -> None:
    session, _slept, told = run(**answers)
    assert part in str(told.message)
    assert "start_logging" not in session.called()


def test_cloudtrail_has_time_to_know_a_new_administrator() -> None:
    early: list[Any] = [EARLY, EARLY, {}]
    _session, slept, told = run(start_logging=lambda **_given: early.pop(0))
    assert (slept, told["may_change"]) == ([5.0, 5.0], True)
    _session, slept, told = run(timeout=7, start_logging=EARLY)
    assert (slept, isinstance(told, AnsibleAWSError)) == ([5.0, 2.0], True)
    _session, slept, told = run(start_logging=client_error("AccessDeniedException"))
    assert (slept, isinstance(told, AnsibleAWSError)) == ([], True)
