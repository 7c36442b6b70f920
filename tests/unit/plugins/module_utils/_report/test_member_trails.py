# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Members' own trails in the report."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._report.document import Document, merge, new_document
from ansible_collections.cloudsec.org_trail.plugins.module_utils._report.member_trails import (
    ROWS,
    describe_member_trails,
    trails_by_account,
)

OWNER, ONE, TWO = "1" * 12, "2" * 12, "3" * 12


def trail(account: str, **more: Any) -> dict[str, Any]:
    arn = f"arn:aws:cloudtrail:us-east-1:{account}:trail/team"
    values = {"account_id": account, "account_name": "x", "arn": arn, "s3_bucket_name": "b", "keeps": []}
    return {**values, "redundant": True, "second_copy": True, "is_logging": True, **more}


def found(*trails: dict[str, Any], **unread: str) -> dict[str, Any]:
    return {
        "organization_trail": {"arn": f"arn:aws:cloudtrail:us-east-1:{OWNER}:trail/default"},
        "member_trails": list(trails),
        "unread": [{"account_id": account.removeprefix("a"), "reason": reason} for account, reason in unread.items()],
        "summary": {},
    }


def document(result: dict[str, Any] | None, checked_at: str = "2026-11-01T00:00:00Z") -> Document:
    accounts = [{"id": account, "name": f"n{account[0]}"} for account in (OWNER, ONE, TWO)]
    return new_document({"accounts": accounts, "regions": ["us-east-1"]}, checked_at, member_trails=result)


def sums(result: dict[str, Any] | None) -> dict[str, str]:
    return dict(describe_member_trails(document(result)["accounts"])["sums"])


def test_where_nobody_asked_nothing_is_told() -> None:
    assert describe_member_trails(document(None)["accounts"]) == describe_member_trails(document({})["accounts"]) == {}
    assert not [one for one in document({})["accounts"] if "member_trails" in one]


def test_accounts_without_trails_were_asked_and_the_owner_was_not() -> None:
    noted = trails_by_account(found(trail(ONE)), [OWNER, ONE, TWO])
    assert noted.keys() == {ONE, TWO}
    assert noted[TWO] == {"member_trails": []}
    assert sums(found(trail(ONE)))["Accounts asked"] == "2"


def test_who_could_not_be_looked_at_is_not_counted_as_asked_in_silence() -> None:
    told = sums(found(trail(ONE), **{f"a{TWO}": "Denied."}))
    assert told["Accounts asked"] == "2, 1 of them in vain: Denied."
    assert sums({"failed": True, "msg": "No keys."})["Accounts asked"] == "3, 3 of them in vain: No keys."


def test_sums_and_rows() -> None:
    keeps = [{"kind": "data_events", "text": "data events of S3"}]
    page = describe_member_trails(
        document(
            found(
                trail(ONE, redundant=False, keeps=keeps, monthly_events=100_000, monthly_usd=2.0),
                trail(TWO, owner={"kind": "tool", "name": "AFT"}, monthly_events=5_000_000, monthly_usd=100.0),
                trail(TWO, second_copy=False, is_logging=False, redundant=False),
            )
        )["accounts"]
    )
    assert dict(page["sums"]) == {
        "Accounts asked": "2",
        "Trails of their own": "3",
        "Second copies of events": "2",
        "Redundant": "1, 1 of them a stack's or a tool's",
        "Cost of second copies": "at most 102.00 USD a month",
        "Of it for redundant ones": "at most 100.00 USD a month",
        "Trails without figures": "1",
    }
    assert [row["text"] for row in page["rows"]] == [
        "redundant, made by AFT, at most 100.00 USD a month",
        "would lose data events of S3, at most 2.00 USD a month",
        "not redundant yet, stopped",
    ]
    assert (page["rows"][0]["name"], page["rows"][0]["trail"], page["more"]) == ("n3", "team", 0)


def test_no_page_is_too_long() -> None:
    page = describe_member_trails(document(found(*[trail(ONE)] * (ROWS + 3)))["accounts"])
    assert (len(page["rows"]), page["more"]) == (ROWS, 3)


@pytest.mark.parametrize("turn", [1, -1])
def test_of_an_account_in_two_reports_the_newer_look_counts(turn: int) -> None:
    old = document(found(trail(ONE), trail(TWO)), "2026-11-01T00:00:00Z")
    new = document(found(trail(TWO)), "2026-11-02T00:00:00Z")
    merged = merge([old, new][::turn])
    assert [len(one.get("member_trails", ())) for one in merged["accounts"]] == [0, 0, 1]
