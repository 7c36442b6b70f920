# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What members cannot do, in the report: what the role guardrails proved, account by account, and in all.

An account is the unit of a document, so what was proved stands with it as ``guardrails``. An account without it was
not asked about: nobody ran the role, or it is the management account, which no policy of the organization binds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._work.options import Result
from .limits import accounts_in_words

ROWS = 100
"""So many accounts stand on the page; coverage.json holds all."""

NOT_LOOKED_AT = "not_looked_at"
STATUSES = {
    "not_bound": "Not bound",
    "unknown": "Could not be asked",
    "denied": "Denied otherwise",
    "bound": "Bound",
    NOT_LOOKED_AT: "Not looked at",
}
"""What an account can be, the worst first. The first four are the lists of the fact's ``summary``."""

KEPT = ("statement", "action", "status", "policy_arn", "reason")
"""What a document holds of a call of the proof."""

ANSWERS = {
    "bound": "denied by these guardrails",
    "bound_by_other": "denied by another policy",
    "bound_unnamed": "denied by a policy that AWS does not name",
    "not_bound": "not denied",
    "exempt": "not tried, because the role is exempt",
    "unknown": "without an answer",
}
MANAGEMENT = "No policy of the organization binds it"


def guardrails_by_account(found: Result, accounts: Iterable[str], management: str) -> dict[str, Result]:
    """What a document holds of each member.

    found: the fact ``guardrails``; {} where nobody asked, without policies where they were removed: neither is told. An
    account in which nothing was tried is not looked at, wherever the policies are attached.
    """
    if not found or not found["policies"]:
        return {}
    known = {account: kind for kind in STATUSES for account in found["summary"].get(kind, ())}
    calls: dict[str, list[Result]] = {}
    for one in found["proof"]:
        calls.setdefault(one["account_id"], []).append({name: one[name] for name in KEPT if one[name]})
    outside = {one["id"] for one in found["outside"]}
    return {
        account: {
            "guardrails": {
                "status": known.get(account, NOT_LOOKED_AT),
                "outside": account in outside,
                "calls": calls.get(account, []),
            }
        }
        for account in accounts
        if account != management
    }


def describe_guardrails(accounts: Iterable[Mapping[str, Any]], management: str) -> Result:
    """What the page says of the accounts of a document: sums and calls as labels and texts, rows, how many more.

    {} where nobody asked. The worst come first; accounts that were not looked at are counted, and listed where they
    are outside.
    """
    accounts = list(accounts)
    asked = [one for one in accounts if "guardrails" in one]
    if not asked:
        return {}
    order = list(STATUSES)
    listed = [one for one in asked if one["guardrails"]["status"] != NOT_LOOKED_AT or one["guardrails"]["outside"]]
    listed.sort(
        key=lambda one: (
            one["guardrails"]["status"] != order[0],
            not one["guardrails"]["outside"],
            order.index(one["guardrails"]["status"]),
            one["id"],
        )
    )
    return {
        "sums": [*_sums(asked), *(("Management", MANAGEMENT) for one in accounts if one["id"] == management)],
        "calls": list(_calls(asked)),
        "rows": [_row(one) for one in listed[:ROWS]],
        "more": max(0, len(listed) - ROWS),
    }


def _sums(asked: list[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    found = Counter(one["guardrails"]["status"] for one in asked)
    yield "Bound", f"{found['bound']:,} of {accounts_in_words(len(asked))}"
    for status, label in STATUSES.items():
        if status != "bound" and (found[status] or status == "not_bound"):
            yield label, f"{found[status]:,}"
    yield "Outside the guarded units", f"{sum(one['guardrails']['outside'] for one in asked):,}"


def _calls(asked: list[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Each action that was tried: in how many accounts it had which answer."""
    found: dict[str, Counter[str]] = {}
    for account in asked:
        for call in account["guardrails"]["calls"]:
            found.setdefault(call["action"], Counter())[call["status"]] += 1
    for action, answers in sorted(found.items()):
        yield action, ", ".join(f"{text} in {answers[name]:,}" for name, text in ANSWERS.items() if answers[name])


def _row(account: Mapping[str, Any]) -> Result:
    proved = account["guardrails"]
    texts = [f"{call['action']} {_answer(call)}" for call in proved["calls"]]
    where = ["below none of the guarded units"] if proved["outside"] else []
    return {
        "name": account["name"] or account["id"],
        "id": account["id"],
        "status": STATUSES[proved["status"]].lower(),
        "text": "; ".join([*where, *texts]),
    }


def _answer(call: Mapping[str, Any]) -> str:
    """A call's answer in words, with AWS's own where it tells why."""
    if call["status"] == "bound_by_other":
        return f"denied by another policy, {call['policy_arn']}"
    reason = call.get("reason", "") if call["status"] in ("not_bound", "unknown") else ""
    return ANSWERS[call["status"]] + (f" ({reason})" if reason else "")
