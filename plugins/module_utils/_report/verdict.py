# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict on a coverage document: is everything covered, what is not, and what to do about it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from .._aws.text import printable
from .._coverage.statuses import FAIL_ON, NOT_COUNTED, NOT_KNOWN, QUIET, STATUSES, UNCHECKED, failing_statuses
from .._work.options import Result
from .document import Document, cells, template, trail_arn
from .limits import Limits, limits


class Verdict(NamedTuple):
    """The answer to "is everything covered", with the numbers behind it."""

    name: str
    headline: str
    sentence: str
    failed: int
    statuses: dict[str, int]
    exceptions: list[Result]


UNREAD = "Which events the trail logs could not be read"
"""The headline where everything else is as wanted."""


def judge(document: Document, fail_on: Iterable[str] = FAIL_ON, *, part: bool = False) -> Verdict:
    """The verdict on a document. Whatever was not checked fails, too: silence is no proof. Nothing covered is none.

    Where it could not be read which events the trail logs, everything may be there and log nothing.

    fail_on: statuses that fail. Exceptions are those and all that are not quiet, grouped by status and reason.
    part: a part of a report need not prove anything by itself; its accounts may all be closed.
    """
    failing = failing_statuses(fail_on)
    places = list(cells(document))
    counts = Counter(status for _account, _region, status in places)
    statuses = {status: counts[status] for status in STATUSES if counts[status]}
    failed = sum(count for status, count in statuses.items() if status in failing)
    blind = len({account for account, _region, status in places if status in failing})
    unread = not part and "error" in document["management_events"]
    proven = (counts["covered"] or counts["pending"] or (part and counts)) and not unread
    name = "failed" if failed or not proven else "pending" if counts["pending"] else "passed"
    headline, sentence = _say(len(document["accounts"]), blind, statuses, failing, limits(document))
    if unread and not failed:
        headline = UNREAD
    exceptional = [place for place in places if place[2] in failing or place[2] not in QUIET]
    return Verdict(name, headline, sentence, failed, statuses, _group(document, exceptional, failing))


def remedy_of(status: str, document: Document) -> str:
    """What to do about a status; where policies deny regions, with the line that asks only the others."""
    remedy = STATUSES[status].remedy
    regions = allowed_regions(document) if status == "denied_by_scp" else []
    return f"{remedy} Those that answered: coverage_regions: [{', '.join(regions)}]" if regions else remedy


def allowed_regions(document: Document) -> list[str]:
    """The regions that answered and that no policy denies, sorted; none where policies deny no region in particular."""
    no_answer = {"region_disabled", "account_closed", "denied", "unreachable", UNCHECKED}
    denied: dict[str, set[str]] = {}
    answered: dict[str, set[str]] = {}
    for account, region, status in cells(document):
        if status == "denied_by_scp":
            denied.setdefault(account, set()).add(region)
        elif status not in no_answer:
            answered.setdefault(account, set()).add(region)
    in_some = denied.keys() & answered.keys()  # an account that is denied everywhere cannot be entered
    left_out = set().union(*(denied[account] for account in in_some))
    return sorted(set().union(*answered.values()) - left_out) if left_out else []


def _group(document: Document, places: list[tuple[str, str, str]], failing: frozenset[str]) -> list[Result]:
    """Exceptions with the same status and reason as one group each, the worst first, then the largest."""
    names = {account["id"]: account["name"] for account in document["accounts"]}
    arn = trail_arn(document)
    rows = {(row["account_id"], row["region"]): row for row in document["coverage"] if row["status"] != "covered"}
    groups: dict[tuple[str, str], dict[str, list[str]]] = {}
    for account, region, status in places:
        row = rows.get((account, region))
        group = groups.setdefault((status, template(row, arn) if row else ""), {})
        group.setdefault(account, []).append(region)
    order = list(STATUSES)
    described = [
        {
            "status": status,
            "title": STATUSES[status].title,
            "reason": _readable(reason, where),
            "remedy": remedy_of(status, document),
            "fails": status in failing,
            "account_regions": sum(map(len, where.values())),
            "accounts": [{"id": id_, "name": names[id_], "regions": regions} for id_, regions in where.items()],
        }
        for (status, reason), where in groups.items()
    ]
    return sorted(described, key=lambda one: (order.index(one["status"]), -one["account_regions"], one["reason"]))


def _readable(reason: str, where: dict[str, list[str]]) -> str:
    """A reason with its account and region, or with words for them where they are several."""
    regions = {region for places in where.values() for region in places}
    account = next(iter(where)) if len(where) == 1 else "<account>"
    region = next(iter(regions)) if len(regions) == 1 else "<region>"
    return reason.replace("{account}", account).replace("{region}", region)


def _say(
    all_accounts: int, blind: int, statuses: dict[str, int], failing: frozenset[str], limited: Limits
) -> tuple[str, str]:
    """Headline and sentence of the verdict; blind: how many accounts have a failure."""
    if not statuses:
        return "Nothing was checked", "No account or no region was given, so nothing is proved."
    headline, sentence = _judged(all_accounts, blind, statuses, failing, "asked " if limited.asked else "")
    return f"{headline}{limited.words}", f"{sentence}{limited.sentences}"


def _judged(
    all_accounts: int, blind: int, statuses: dict[str, int], failing: frozenset[str], asked: str
) -> tuple[str, str]:
    """Headline and sentence about the accounts and regions that were asked."""
    bad = {status: count for status, count in statuses.items() if status in failing}
    tolerated = sum(count for status, count in statuses.items() if status not in failing | QUIET)
    counted = sum(count for status, count in statuses.items() if status in failing or status not in NOT_COUNTED)
    covered, waiting = statuses.get("covered", 0), statuses.get("pending", 0)
    of_all, accounts = _count(counted, "account region"), _count(all_accounts, "account")
    also = f" Told not to fail: {_count(tolerated, 'exception')}." if tolerated else ""
    if not counted:
        why = "each closed or with its regions disabled, so nothing is proved"
        return "There is nothing to cover", f"{accounts.capitalize()}, {why}."
    if bad:
        kinds = ", ".join(f"{STATUSES[status].title.lower()} {count:,}" for status, count in bad.items())
        total = sum(bad.values())
        return (
            _bad_headline(total, sum(count for status, count in bad.items() if status in NOT_KNOWN)),
            f"{total:,} of {of_all} in {blind:,} of {accounts} cannot be relied on: {kinds}.{also}",
        )
    if waiting:
        are = "is" if covered == 1 else "are"
        return (
            f"{_count(waiting, 'account region')} still {'waits' if waiting == 1 else 'wait'} for the trail",
            f"{covered:,} of {of_all} in {accounts} {are} covered; AWS may take up to 24 hours for the rest.{also}",
        )
    if not covered:
        return "Nothing is covered", f"0 of {of_all} in {accounts} log to the organization trail.{also}"
    return (
        f"Every account and region {asked}is covered" if not tolerated else "Nothing fails, with exceptions",
        f"{covered:,} of {of_all} in {accounts} {'logs' if covered == 1 else 'log'} to the organization trail.{also}",
    )


def _bad_headline(total: int, unknown: int) -> str:
    """What is known to be bad, apart from what nobody knows, because nobody could look."""
    known = total - unknown
    if not unknown:
        return f"{_count(known, 'account region')} {'is' if known == 1 else 'are'} not covered"
    if not known:
        return f"{_count(unknown, 'account region')} {'is' if unknown == 1 else 'are'} not known"
    return f"{_count(known, 'account region')} {'is' if known == 1 else 'are'} not covered, {unknown:,} not known"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


LINES = 20
FAILURES = 50
PLACES = 3


def summarize(document: Document, verdict: Verdict) -> Result:
    """What a run returns and prints: numbers, and a bounded number of exceptions."""
    return {
        "verdict": verdict.name,
        "headline": verdict.headline,
        "sentence": verdict.sentence,
        "failed_account_regions": verdict.failed,
        "statuses": verdict.statuses,
        "accounts": len(document["accounts"]),
        "regions": len(document["regions"]),
        "exceptions": [describe_exception(group) for group in verdict.exceptions[:LINES]],
        "more_exceptions": max(0, len(verdict.exceptions) - LINES),
        "failures": list(islice(list_failures(verdict), FAILURES)),
    }


def list_failures(verdict: Verdict) -> Iterator[dict[str, str]]:
    """Each account and region that fails, in the order of the exceptions."""
    for group in verdict.exceptions:
        for account in group["accounts"] if group["fails"] else ():
            for region in account["regions"]:
                place = {"account_id": account["id"], "region": region}
                yield {**place, "status": group["status"], "reason": group["reason"] or group["remedy"]}


def describe_exception(group: Result) -> str:
    """One group of exceptions in a line for the terminal, without characters that a terminal obeys."""
    places = ", ".join(
        f"{account['name'] or 'account'} ({account['id']}) {', '.join(account['regions'][:PLACES])}"
        + (f" and {len(account['regions']) - PLACES} more regions" if len(account["regions"]) > PLACES else "")
        for account in group["accounts"][:PLACES]
    )
    more = len(group["accounts"]) - PLACES
    text = f"{group['title']}: {places}{f', and {more:,} more accounts' if more > 0 else ''}."
    return printable(f"{text} {group['reason']}".strip())


def report_json(document: Document, verdict: Verdict) -> str:
    """The text of coverage.json: the document with its verdict first, one account and one row a line."""
    report = {
        "verdict": verdict.name,
        "headline": verdict.headline,
        "sentence": verdict.sentence,
        "statuses": verdict.statuses,
        "remedies": {name: remedy_of(name, document) for name in verdict.statuses if STATUSES[name].remedy},
        **document,
    }
    return "{\n" + ",\n".join(f"{_json(name)}: {_lines(value)}" for name, value in report.items()) + "\n}\n"


def _lines(value: object) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(map(_json, value)) + "\n]"
    return _json(value)


_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ": "), sort_keys=True).encode
