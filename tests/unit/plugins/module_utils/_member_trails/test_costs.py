# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What copies of management events cost."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import AnsibleOrgTrailError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.costs import (
    Costs,
    Usage,
    copy_events,
    month_before,
    read_costs,
    result_of,
    trail_costs,
    usage_of,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.judgement import judge

from tests.member_trails import MEMBER, advanced, basic, data, member, organization, trail_of

OTHER = "3" * 12


def group(account: str, usage_type: str, events: str, usd: str = "0", **unit: str) -> dict[str, Any]:
    cost = {"Amount": usd, "Unit": "USD", **unit}
    return {"Keys": [account, usage_type], "Metrics": {"UsageQuantity": {"Amount": events}, "UnblendedCost": cost}}


def costs(free_events: float = 1_250_000, account: str = MEMBER, **more: Any) -> Costs:
    return Costs("2026-10", {account: Usage(free_events, **more)})


@pytest.mark.parametrize(
    ("day", "start", "end"),
    [
        ("2026-11-26", "2026-10-01", "2026-11-01"),
        ("2026-03-31", "2026-02-01", "2026-03-01"),
        ("2027-01-01", "2026-12-01", "2027-01-01"),
    ],
)
def test_month_before(day: str, start: str, end: str) -> None:
    assert month_before(datetime.fromisoformat(day).replace(tzinfo=UTC)) == (start, end)


def test_usage_is_added_up_over_regions_and_other_usage_is_left_out() -> None:
    found = usage_of(
        [
            group(MEMBER, "USE1-FreeEventsRecorded", "100"),
            group(MEMBER, "EUW1-FreeEventsRecorded", "20.0"),
            group(MEMBER, "USE1-PaidEventsRecorded", "100000", "2"),
            group(MEMBER, "EUW1-PaidEventsRecorded", "50000", "1"),
            group(MEMBER, "USE1-DataEventsRecorded", "7", "7"),
            group(OTHER, "PaidEventsRecorded", "1", "0.00002"),
        ]
    )
    assert found == {MEMBER: Usage(120, 150_000, 3), OTHER: Usage(0, 1, 0.00002)}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (group(MEMBER, "CNN1-PaidEventsRecorded", "1", Unit="CNY"), f"account {MEMBER} in CNY, expected USD"),
        (group(MEMBER, "USE1-FreeEventsRecorded", "many"), "'many', expected a number"),
    ],
)
def test_amounts_that_are_no_dollars_are_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(AnsibleOrgTrailError, match=says):
        usage_of([wrong])


def test_all_pages_are_read() -> None:
    pages: dict[str, dict[str, Any]] = {
        "": {"ResultsByTime": [{"Groups": [group(MEMBER, "A-FreeEventsRecorded", "1")]}], "NextPageToken": "x"},
        "x": {"ResultsByTime": [{"Groups": [group(MEMBER, "B-FreeEventsRecorded", "2")], "Estimated": True}]},
    }
    assert read_costs(pages.__getitem__, "2026-10") == Costs("2026-10", {MEMBER: Usage(3)}, estimated=True)


@pytest.mark.parametrize(
    ("trail", "known", "events"),
    [
        (member(), costs(), 1_250_000),
        (member(basic(ReadWriteType="ReadOnly")), costs(), 1_250_000),
        (member(logging=False), costs(), 0),
        (member(advanced(data())), costs(), 0),
        (member(), costs(account=OTHER), None),
        (member(), costs(0, paid_events=5), None),
        (member(logging=False), costs(account=OTHER), 0),
    ],
)
def test_copy_events(trail: Any, known: Costs, events: int | None) -> None:
    assert copy_events(judge(trail, organization()), known) == events


def test_trail_costs() -> None:
    judgement = judge(member(), organization())
    assert trail_costs(judgement, costs()) == {"monthly_events": 1_250_000, "monthly_usd": 25.0}
    for unknown in (None, Costs("2026-10", problem="Denied."), costs(account=OTHER)):
        assert trail_costs(judgement, unknown) == {}


def test_result_of() -> None:
    topic = "arn:aws:sns:us-east-1:222222222222:t"
    trails = (member(), member(name="two", SnsTopicARN=topic), trail_of(OTHER))
    judgements = [judge(one, organization()) for one in trails]
    first = {
        "paid_events": 7,
        "paid_usd": 0.5,
        "monthly_events": 2_500_000,
        "monthly_usd": 50.0,
        "redundant_monthly_usd": 25.0,
        "trails_without_figures": 0,
    }
    unknown = dict.fromkeys(first, 0) | {"trails_without_figures": 1}
    assert result_of(judgements, costs(paid_events=7, paid_usd=0.5)) == {
        "costs": {
            "month": "2026-10",
            "estimated": False,
            "usd_per_100000_events": 2.0,
            **first,
            "trails_without_figures": 1,
            "accounts": [{"account_id": MEMBER, **first}, {"account_id": OTHER, **unknown}],
        }
    }
    assert result_of(judgements, None) == {}
    failed = Costs("2026-10", problem="Denied.")
    assert result_of(judgements, failed) == {"costs": {"month": "2026-10", "problem": "Denied."}}
