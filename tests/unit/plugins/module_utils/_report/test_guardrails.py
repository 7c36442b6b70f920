# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What members cannot do, in the report."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._report.document import (
    Document,
    ReportError,
    merge,
    new_document,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._report.guardrails import (
    MANAGEMENT,
    ROWS,
    describe_guardrails,
    guardrails_by_account,
)

OWNER, ONE, TWO, THREE = "1" * 12, "2" * 12, "3" * 12, "4" * 12
TRAIL = {"arn": f"arn:aws:cloudtrail:us-east-1:{OWNER}:trail/default"}
STOP, PUT = "cloudtrail:StopLogging", "s3:PutBucketPolicy"
OTHER = "arn:aws:organizations::1:policy/o-1/service_control_policy/p-other"


def call(account: str, status: str, action: str = STOP, reason: str = "", policy_arn: str = "") -> dict[str, str]:
    told = {"account_id": account, "statement": "OrgTrailKeepTrail", "action": action, "status": status}
    return {**told, "policy_arn": policy_arn, "reason": reason}


def found(*proof: dict[str, str], outside: tuple[str, ...] = (), **summary: list[str]) -> dict[str, Any]:
    """The fact of the role guardrails. Its policies stand on all accounts, which proves nothing."""
    lists: dict[str, list[str]] = {"bound": [], "denied": [], "not_bound": [], "unknown": [], **summary}
    results = [{"changed": False, "targets": ["r-root"]}]
    rows = [{"id": account, "name": "x"} for account in outside]
    policies = [{"name": "org-trail-members"}]
    return {"policies": policies, "results": results, "proof": list(proof), "summary": lists, "outside": rows}


def document(fact: dict[str, Any] | None, checked_at: str = "2026-11-01T00:00:00Z") -> Document:
    accounts = [{"id": account, "name": f"n{account[0]}"} for account in (OWNER, ONE, TWO, THREE)]
    seen = {"accounts": accounts, "regions": ["us-east-1"]}
    return new_document(seen, checked_at, trail=TRAIL, guardrails=fact)


def page(fact: dict[str, Any] | None) -> dict[str, Any]:
    return describe_guardrails(document(fact)["accounts"], OWNER)


def test_where_nobody_asked_nothing_is_told() -> None:
    assert page(None) == page({}) == page({**found(call(ONE, "bound"), bound=[ONE]), "policies": []}) == {}
    assert not [one for one in document({})["accounts"] if "guardrails" in one]


def test_what_was_not_looked_at_is_never_bound() -> None:
    """Policies that are attached above an account prove nothing in it, and management is bound by none."""
    told = page(found())
    assert dict(told["sums"]) == {
        "Bound": "0 of 3 accounts",
        "Not bound": "0",
        "Not looked at": "3",
        "Outside the guarded units": "0",
        "Management": MANAGEMENT,
    }
    assert (told["calls"], told["rows"]) == ([], [])
    noted = guardrails_by_account(found(call(ONE, "bound"), bound=[ONE]), [OWNER, ONE, TWO], OWNER)
    assert {account: one["guardrails"]["status"] for account, one in noted.items()} == {
        ONE: "bound",
        TWO: "not_looked_at",
    }


def test_sums_calls_and_rows() -> None:
    told = page(
        found(
            call(ONE, "bound"),
            call(ONE, "bound_by_other", PUT, policy_arn=OTHER),
            call(TWO, "not_bound", reason="Unknown trail."),
            outside=(THREE,),
            denied=[ONE],
            not_bound=[TWO],
        )
    )
    assert dict(told["sums"]) == {
        "Bound": "0 of 3 accounts",
        "Not bound": "1",
        "Denied otherwise": "1",
        "Not looked at": "1",
        "Outside the guarded units": "1",
        "Management": MANAGEMENT,
    }
    assert told["calls"] == [
        (STOP, "denied by these guardrails in 1, not denied in 1"),
        (PUT, "denied by another policy in 1"),
    ]
    assert [(row["name"], row["status"], row["text"]) for row in told["rows"]] == [
        ("n3", "not bound", f"{STOP} not denied (Unknown trail.)"),
        ("n4", "not looked at", "below none of the guarded units"),
        ("n2", "denied otherwise", f"{STOP} denied by these guardrails; {PUT} denied by another policy, {OTHER}"),
    ]


def test_no_page_is_too_long_and_the_worst_comes_first() -> None:
    many = [f"{number:012}" for number in range(5_000)]
    fact = found(*(call(one, "bound") for one in many[:-1]), call(many[-1], "not_bound"))
    fact["summary"] |= {"bound": many[:-1], "not_bound": many[-1:]}
    noted = guardrails_by_account(fact, many, OWNER)
    told = describe_guardrails([{"id": one, "name": "", **noted[one]} for one in many], OWNER)
    assert (len(told["rows"]), told["more"], told["rows"][0]["id"]) == (ROWS, 5_000 - ROWS, many[-1])


@pytest.mark.parametrize("turn", [1, -1])
def test_of_an_account_in_two_reports_the_newer_look_counts(turn: int) -> None:
    old = document(found(call(ONE, "bound"), bound=[ONE]), "2026-11-01T00:00:00Z")
    new = document(found(call(ONE, "not_bound"), not_bound=[ONE]), "2026-11-02T00:00:00Z")
    merged = merge([old, new][::turn])
    assert [one["guardrails"]["status"] for one in merged["accounts"][1:]] == [
        "not_bound",
        "not_looked_at",
        "not_looked_at",
    ]


@pytest.mark.parametrize("other", [{"policies": [{}]}, {"name": "somebody's own variable"}, {**found(), "proof": [1]}])
def test_what_is_not_the_roles_fact_is_refused(other: dict[str, Any]) -> None:
    with pytest.raises(ReportError, match="The option guardrails is not what the role of that name reports"):
        new_document({"accounts": [{"id": ONE}]}, "2026-11-01T00:00:00Z", guardrails=other)
