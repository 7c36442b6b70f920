# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What copies of management events cost: an estimate by what Cost Explorer tells of the last full month.

An account's first copy of its management events is free, and as large as any other copy of all of them. So what a copy
costs is that number of events at AWS's list price (aws-facts 14.1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from .._aws.errors import AnsibleOrgTrailError
from .._aws.untyped import Structure
from .._work.options import Result
from .judgement import Judgement

SERVICE = "AWS CloudTrail"
PARTITION = "aws"
"""Where the price is known. China's is in another currency, and GovCloud has no Cost Explorer."""
FREE, PAID = "FreeEventsRecorded", "PaidEventsRecorded"
USD_PER_100000 = 2.0


@dataclass(frozen=True)
class Usage:
    """Management events of an account in a month: of first copies, of further ones, and what AWS took for those."""

    free_events: float = 0
    paid_events: float = 0
    paid_usd: float = 0


@dataclass(frozen=True)
class Costs:
    """What Cost Explorer tells. month: such as 2026-10. estimated: whether AWS may still correct it.

    problem: why nothing is known, in one sentence; "" where it is.
    """

    month: str
    usage: Mapping[str, Usage] = field(default_factory=dict)
    estimated: bool = False
    problem: str = ""


def month_before(now: datetime) -> tuple[str, str]:
    """The first day of the last full month and the day after it, as Cost Explorer takes them."""
    end = now.date().replace(day=1)
    return (end - timedelta(days=1)).replace(day=1).isoformat(), end.isoformat()


def read_costs(read_page: Callable[[str], Structure], month: str) -> Costs:
    """All that Cost Explorer tells. read_page: the page that follows a token, "" for the first.

    Raises AnsibleOrgTrailError for an amount that is no number of US dollars.
    """
    groups: list[Structure] = []
    token, estimated = "", False
    while True:
        page = read_page(token)
        for result in page["ResultsByTime"]:
            estimated = estimated or bool(result.get("Estimated"))
            groups += result["Groups"]
        token = page.get("NextPageToken") or ""
        if not token:
            return Costs(month, usage_of(groups), estimated)


def usage_of(groups: Iterable[Structure]) -> dict[str, Usage]:
    """The usage of each account, over all regions; usage types begin with a region's code."""
    found: dict[str, Usage] = {}
    for one in groups:
        account, usage_type = one["Keys"]
        kind, before = usage_type.rpartition("-")[2], found.get(account, Usage())
        events = _number(one["Metrics"]["UsageQuantity"]["Amount"])
        if kind == FREE:
            found[account] = replace(before, free_events=before.free_events + events)
        elif kind == PAID:
            usd = before.paid_usd + _usd(account, one["Metrics"]["UnblendedCost"])
            found[account] = replace(before, paid_events=before.paid_events + events, paid_usd=usd)
    return found


def _usd(account: str, cost: Structure) -> float:
    if cost.get("Unit", "USD") != "USD":
        raise AnsibleOrgTrailError(f"Cost Explorer tells costs of account {account} in {cost['Unit']}, expected USD.")
    return _number(cost["Amount"])


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise AnsibleOrgTrailError(f"Cost Explorer answered {text!r}, expected a number.") from None


def copy_events(judgement: Judgement, costs: Costs) -> int | None:
    """How many events a month a trail logs a second time, at most; None where nobody knows.

    At most, because a trail of one region, or of some events, logs fewer than there are in the account. One that does
    not log, or no such events, logs none.
    """
    if not judgement.second_copy or not judgement.trail.logging:
        return 0
    usage = costs.usage.get(judgement.trail.arn.account_id)
    return round(usage.free_events) if usage and usage.free_events else None


def price(events: float) -> float:
    """What a paid copy of events costs, in USD."""
    return round(events * USD_PER_100000 / 100_000, 2)


def trail_costs(judgement: Judgement, costs: Costs | None) -> Result:
    """What is told of a trail."""
    events = copy_events(judgement, costs) if costs and not costs.problem else None
    return {} if events is None else {"monthly_events": events, "monthly_usd": price(events)}


def result_of(judgements: Iterable[Judgement], costs: Costs | None) -> Result:
    """What is told of all trails together and of each account that has some, with the inputs."""
    if costs is None:
        return {}
    if costs.problem:
        return {"costs": {"month": costs.month, "problem": costs.problem}}
    trails: dict[str, list[tuple[Judgement, int | None]]] = {}
    for one in judgements:
        trails.setdefault(one.trail.arn.account_id, []).append((one, copy_events(one, costs)))
    everywhere = [copy for copies in trails.values() for copy in copies]
    return {
        "costs": {
            "month": costs.month,
            "estimated": costs.estimated,
            "usd_per_100000_events": USD_PER_100000,
            **_sums(everywhere, [costs.usage.get(account, Usage()) for account in trails]),
            "accounts": [
                {"account_id": account, **_sums(copies, [costs.usage.get(account, Usage())])}
                for account, copies in trails.items()
            ],
        }
    }


def _sums(copies: list[tuple[Judgement, int | None]], usage: list[Usage]) -> Result:
    events = sum(found or 0 for _one, found in copies)
    return {
        "paid_events": round(sum(one.paid_events for one in usage)),
        "paid_usd": round(sum(one.paid_usd for one in usage), 2),
        "monthly_events": events,
        "monthly_usd": price(events),
        "redundant_monthly_usd": price(sum(found or 0 for one, found in copies if one.redundant)),
        "trails_without_figures": sum(found is None for _one, found in copies),
    }
