# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Members' own trails in the report: what cloudtrail_member_trails_info found, account by account, and in all.

An account is the unit of a document, so its trails stand with it as ``member_trails``, and why they are not known, or
not all, as ``member_trails_error``. An account with neither was not asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .._work.options import Result

ROWS = 100
"""So many trails stand on the page; coverage.json holds all."""

KEPT = ("arn", "redundant", "second_copy", "is_logging", "keeps", "owner", "monthly_events", "monthly_usd")
"""What a document holds of a trail."""


def trails_by_account(found: Result, accounts: Iterable[str]) -> dict[str, Result]:
    """What a document holds of each account.

    found: a result of cloudtrail_member_trails_info, a failed one too; {} where nobody asked.
    """
    if not found:
        return {}
    if "summary" not in found:
        return {account: {"member_trails_error": str(found.get("msg") or "nobody told why")} for account in accounts}
    owner = str(found["organization_trail"]["arn"]).split(":")[4]
    trails: dict[str, list[Result]] = {}
    for one in found["member_trails"]:
        trails.setdefault(one["account_id"], []).append({name: one[name] for name in KEPT if name in one})
    unread = {one["account_id"]: one["reason"] for one in found["unread"]}
    return {
        account: {
            "member_trails": trails.get(account, []),
            **({"member_trails_error": unread[account]} if account in unread else {}),
        }
        for account in accounts
        if account != owner
    }


def describe_member_trails(accounts: Iterable[Mapping[str, Any]]) -> Result:
    """What the page says of the accounts of a document: sums as labels and texts, rows, how many more there are.

    {} where nobody asked. The dearest come first, then the redundant ones.
    """
    asked = [one for one in accounts if "member_trails" in one or "member_trails_error" in one]
    if not asked:
        return {}
    trails = [(account, trail) for account in asked for trail in account.get("member_trails", ())]
    trails.sort(key=lambda one: (-one[1].get("monthly_usd", 0), not one[1]["redundant"], one[1]["arn"]))
    return {
        "sums": list(_sums(asked, [trail for _account, trail in trails])),
        "rows": [_row(account, trail) for account, trail in trails[:ROWS]],
        "more": max(0, len(trails) - ROWS),
    }


def _sums(asked: list[Mapping[str, Any]], trails: list[Result]) -> Iterable[tuple[str, str]]:
    redundant = [one for one in trails if one["redundant"]]
    owned = sum("owner" in one for one in redundant)
    errors = sorted(one["member_trails_error"] for one in asked if "member_trails_error" in one)
    yield "Accounts asked", f"{len(asked):,}" + (f", {len(errors):,} of them in vain: {errors[0]}" if errors else "")
    yield "Trails of their own", f"{len(trails):,}"
    yield "Second copies of events", f"{sum(one['second_copy'] for one in trails):,}"
    yield "Redundant", f"{len(redundant):,}" + (f", {owned:,} of them a stack's or a tool's" if owned else "")
    known = [one for one in trails if "monthly_usd" in one]
    if known:
        yield "Cost of second copies", f"at most {_usd(known)} a month"
        yield "Of it for redundant ones", f"at most {_usd(one for one in known if one['redundant'])} a month"
        yield "Trails without figures", f"{len(trails) - len(known):,}"


def _usd(trails: Iterable[Result]) -> str:
    return f"{sum(one['monthly_usd'] for one in trails):,.2f} USD"


def _row(account: Mapping[str, Any], trail: Result) -> Result:
    keeps = "; ".join(one["text"] for one in trail["keeps"])
    owner = f"made by {trail['owner']['name']}" if "owner" in trail else ""
    stopped = "" if trail["is_logging"] else "stopped"
    cost = f"at most {_usd([trail])} a month" if trail.get("monthly_usd") else ""
    judged = "redundant" if trail["redundant"] else f"would lose {keeps}" if keeps else "not redundant yet"
    return {
        "name": account["name"] or account["id"],
        "id": account["id"],
        "trail": trail["arn"].rpartition("/")[2],
        "region": trail["arn"].split(":")[3],
        "text": ", ".join(filter(None, (judged, owner, stopped, cost))),
    }
