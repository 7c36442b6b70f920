# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts that the bucket lets in: members are welcome, others a drift, and what cannot be asked is told."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._drift.accounts import account_drift, accounts_in

from tests.canned_aws import CannedSession, client_error

MEMBER, OTHER = "222222222222", "999999999999"


def problem(account: str, setting: str = "outside_access") -> dict[str, Any]:
    told = {"found": f"Odd allows s3:* to account {account}", "expected": "the organization alone", "fix": "Remove it."}
    return {"setting": setting, "account_id": account, "weakened": False, **told}


def bucket(*problems: dict[str, Any]) -> dict[str, Any]:
    return {"name": "logs", "health": {"problems": list(problems)}}


def session(answer: Any) -> Any:
    return CannedSession("111111111111", "us-east-1", {"describe_account": answer})


def organization(**asked: str) -> Any:
    if asked["AccountId"] == OTHER:
        return client_error("AccountNotFoundException")
    return {"Account": {"Id": asked["AccountId"]}}


@pytest.mark.parametrize(
    ("given", "trusted", "named"),
    [
        ({}, [], []),
        ({"health": None}, [], []),
        (bucket(problem("")), [], []),
        (bucket(problem(OTHER), problem(MEMBER)), [], [OTHER, MEMBER]),
        (bucket(problem(OTHER), problem(MEMBER)), [OTHER], [MEMBER]),
    ],
)
def test_those_that_nobody_trusts_are_asked_for(given: dict[str, Any], trusted: list[str], named: list[str]) -> None:
    assert [one["account_id"] for one in accounts_in(given, trusted)] == named


def test_an_outsider_is_a_drift_and_a_member_none() -> None:
    asked = session(organization)
    problems = [problem(MEMBER), problem(OTHER), problem(OTHER, "encryption")]
    rows = account_drift(asked, "logs", problems)
    assert [(one.object, one.what) for one in rows] == [("logs", "outside_access"), ("logs", "encryption")]
    assert [one.events[0] for one in rows] == ["PutBucketPolicy", "PutBucketEncryption"]
    assert "which is not in the organization" in rows[0].found
    assert f"name {OTHER} in detect_drift_trusted_accounts" in rows[0].remedy
    assert [parameters["AccountId"] for _region, _method, parameters in asked.calls] == [MEMBER, OTHER]


@pytest.mark.parametrize("asked", ["Nobody comes in.", session(client_error("AccessDeniedException"))])
def test_what_cannot_be_asked_is_told(asked: Any) -> None:
    [row] = account_drift(asked, "logs", [problem(OTHER)])
    assert (row.what, row.object) == ("could not be judged", f"logs, outside_access, account {OTHER}")
    assert row.found
