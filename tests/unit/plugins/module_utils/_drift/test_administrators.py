# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delegated administrators of CloudTrail: who is one and should not be, and the other way round."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._drift.administrators import administrator_drift

from tests.canned_aws import CannedSession, client_error

SECURITY, ATTACKER = "222222222222", "333333333333"


def session_with(*accounts: str, error: Exception | None = None) -> Any:
    answer = {"DelegatedAdministrators": [{"Id": account, "Name": f"name of {account}"} for account in accounts]}
    return CannedSession("111111111111", "us-east-1", {"list_delegated_administrators": error or answer})


@pytest.mark.parametrize(
    ("registered", "expected", "rows"),
    [
        ([], [], []),
        ([SECURITY], [SECURITY], []),
        ([ATTACKER], [], [(ATTACKER, "none", f"account {ATTACKER} name of {ATTACKER}")]),
        ([SECURITY, ATTACKER], [SECURITY], [(ATTACKER, SECURITY, f"account {ATTACKER} name of {ATTACKER}")]),
        ([], [SECURITY], [(SECURITY, "registered", "not registered")]),
    ],
)
def test_fact_11_1_whoever_is_not_named_is_a_drift(
    registered: list[str], expected: list[str], rows: list[tuple[str, str, str]]
) -> None:
    session = session_with(*registered)
    found = administrator_drift(session, expected)
    assert [(one.object, one.expected, one.found) for one in found] == [
        (f"account {account}", wanted, seen) for account, wanted, seen in rows
    ]
    assert all(account in one.remedy for one, (account, *_) in zip(found, rows, strict=True))
    assert all("detect_drift_delegated_administrators" in one.remedy for one in found)
    assert session.calls == [
        ("us-east-1", "list_delegated_administrators", {"ServicePrincipal": "cloudtrail.amazonaws.com"})
    ]


@pytest.mark.parametrize(
    ("session", "reason"),
    [("Nobody comes in.", "Nobody comes in."), (session_with(error=client_error("AccessDeniedException")), "needs")],
)
def test_what_may_not_be_read_is_not_called_good(session: Any, reason: str) -> None:
    [row] = administrator_drift(session, [])
    assert row.what == "could not be judged"
    assert reason in row.found
