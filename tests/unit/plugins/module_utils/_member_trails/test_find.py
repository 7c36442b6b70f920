# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is found in all members, as a result; who reads a bucket is asked last."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import AnsibleOrgTrailError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails import find
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.costs import Costs, Usage
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.find import (
    MemberTrails,
    counts,
    find_costs,
    judge_with_bucket,
    lines_of,
    read_readers,
    summarize,
    warnings_of,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.judgement import judge
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.keeps import Keep
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.accounts import Account
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.entry import Target

from tests.canned_aws import CannedSession, client_error
from tests.member_trails import MEMBER, advanced, data, member, organization

TARGETS = {MEMBER: Target(MEMBER, "Team", "ACTIVE", "arn:role")}
READER = Keep("bucket_readers", "files")


def judged(trail: Any, monkeypatch: pytest.MonkeyPatch, *unread: str) -> tuple[list[str], bool]:
    """The kinds of what is kept, and whether the bucket was searched."""
    searched: list[Any] = []

    def read(*asked: Any) -> tuple[Keep, ...]:
        searched.append(asked)
        return (READER,)

    monkeypatch.setattr(find, "read_readers", read)
    session: Any = None
    found = judge_with_bucket(session, TARGETS, trail, organization(S3BucketName="central"), unread)
    return [keep.kind for keep in found.kept], bool(searched)


def test_a_bucket_is_searched_only_where_nothing_else_would_be_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    assert judged(member(), monkeypatch) == (["bucket_readers"], True)
    assert judged(member(advanced(data())), monkeypatch) == (["data_events"], False)
    assert judged(member(), monkeypatch, f"logs-{MEMBER}") == ([], False)
    assert judged(member(S3BucketName="central"), monkeypatch) == ([], False)


def test_a_bucket_that_may_not_be_read_may_be_read_by_somebody() -> None:
    def refuse(*_: Any) -> None:
        raise AnsibleOrgTrailError("Not allowed.")

    session: Any = SimpleNamespace(assume=refuse)
    [keep] = read_readers(session, TARGETS[MEMBER], member())
    assert (keep.kind, keep.text.endswith("nobody knows who reads them: Not allowed.")) == ("bucket_unread", True)


def found(**changes: Any) -> MemberTrails:
    values: dict[str, Any] = {
        "organization": organization(),
        "accounts": [Account(MEMBER, "Team", "ACTIVE"), Account("3" * 12, "Other", "ACTIVE")],
        "judgements": [
            judge(member(), organization()),
            judge(member(tags={"Terraform": "yes"}), organization()),
            judge(member(advanced(data())), organization()),
        ],
        "unread": {"3" * 12: "Denied."},
        "calls": 7,
        "seconds": 0.1,
        "complete": True,
    }
    return MemberTrails(**{**values, **changes})


def test_summarize() -> None:
    result = summarize(found())
    assert [one["account_name"] for one in result["member_trails"]] == ["Team"] * 3
    assert result["unread"] == [{"account_id": "3" * 12, "account_name": "Other", "reason": "Denied."}]
    assert result["organization_trail"]["is_organization_trail"]
    assert result["summary"] == {
        "trails": 3,
        "accounts_with_trails": 1,
        "second_copies": 2,
        "redundant": 2,
        "redundant_of_others": 1,
        "accounts": 2,
        "unread": 1,
        "calls": 7,
        "seconds": 0.1,
        "complete": True,
    }
    assert counts([])["trails"] == 0


def test_costs_stand_beside_each_trail_and_all() -> None:
    result = summarize(found(costs=Costs("2026-10", {MEMBER: Usage(100_000)})))
    assert [one["monthly_usd"] for one in result["member_trails"]] == [2.0, 2.0, 0.0]
    assert result["costs"]["monthly_usd"] == 4.0
    assert "costs" not in summarize(found())


def test_a_failure_of_cost_explorer_fails_nothing_else() -> None:
    canned = CannedSession("1" * 12, "us-east-1", {"get_cost_and_usage": client_error("DataUnavailableException")})
    session: Any = SimpleNamespace(partition="aws", client=canned.client)
    costs = find_costs(session)
    assert "Failed to get cost and usage" in costs.problem
    assert warnings_of(found(unread={}, costs=costs)) == [f"What the trails cost is not known: {costs.problem}"]


def test_costs_of_another_partition_are_not_known() -> None:
    session: Any = SimpleNamespace(partition="aws-cn")
    assert find_costs(session).problem == "No price is known for the partition aws-cn, only for aws."


def test_lines() -> None:
    costs = (
        "Second copies cost at most 4.00 USD a month, 4.00 of it for redundant trails, by the figures of 2026-10; "
        "0 trails are without figures."
    )
    assert lines_of(found(costs=Costs("2026-10", {MEMBER: Usage(100_000)}))) == [
        "3 trails of members' own in 1 accounts (2 members asked, 1 of them in vain).",
        "2 of them log events twice; 2 are redundant, 1 of which belong to a stack or a tool.",
        costs,
    ]
    before = lines_of(found(organization=organization(IsOrganizationTrail=False), unread={}, judgements=[]))
    assert before == [
        "0 trails of members' own in 0 accounts (2 members asked).",
        "0 of them would log events twice; 0 are redundant, 0 of which belong to a stack or a tool.",
    ]


def test_warnings() -> None:
    assert warnings_of(found(unread={})) == []
    said = warnings_of(found(complete=False))
    assert said[0].endswith("could not be looked at: Denied.")
    assert "more deadline_minutes" in said[1]
