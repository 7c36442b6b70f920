# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A coverage document as the web page needs it: a few facts for people, and the matrix in as few bytes as possible."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from .._coverage.statuses import QUIET, STATUSES
from .._work.options import Result
from .._work.times import NEVER, time_of
from .document import Document, Row, cells, checked_between, management_of, template, trail_arn
from .evidence import describe_look
from .facts import BUCKET_FACTS, TRAIL_FACTS, describe_settings, describe_weaknesses, facts
from .guardrails import describe_guardrails
from .member_trails import describe_member_trails
from .verdict import Verdict, remedy_of

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def page_matrix(document: Document, verdict: Verdict) -> Result:
    """The matrix for the page's script: one letter for each account and region, columns instead of objects.

    ids is all account ids in one string (12 digits each) and cells one letter per account and region, account by
    account. ou, state and why point into ous, states and reasons. seen is how many minutes before ``until`` the last
    delivery was. why and seen hold one text per account: base-36 numbers in the regions' order with commas between
    them, or a single number that stands for all regions.
    """
    accounts, rows = document["accounts"], _rows(document)
    arn = trail_arn(document)
    reasons = _numbers(template(row, arn) for row in document["coverage"] if row["status"] != "covered")
    ous, states = _numbers(map(unit, accounts)), _numbers(account["state"] for account in accounts)
    until = max([minute(checked_between(document)[1]), *(minute(_delivered(row)) for row in document["coverage"])])
    return {
        "statuses": _legend(document, verdict),
        "regions": document["regions"],
        "ids": "".join(account["id"] for account in accounts),
        "names": [account["name"] for account in accounts],
        "ous": list(ous),
        "ou": [ous[unit(account)] for account in accounts],
        "states": list(states),
        "state": [states[account["state"]] for account in accounts],
        "cells": "".join(STATUSES[status].letter for _account, _region, status in cells(document)),
        "reasons": list(reasons),
        "why": [_line(_why(row, arn, reasons) for row in line) for line in rows],
        "until": until,
        "seen": [_line(_seen(row, until) for row in line) for line in rows],
    }


def page_facts(document: Document, verdict: Verdict) -> Result:
    """What the page says in words: the verdict, numbers, the trail, the bucket, what changed."""
    first, last = map(readable_time, checked_between(document))
    return {
        "verdict": verdict._asdict(),
        "legend": _legend(document, verdict),
        "checked": first if first == last else f"{first} to {last}",
        "accounts": len(document["accounts"]),
        "regions": len(document["regions"]),
        "trail": [*facts(document["trail"], TRAIL_FACTS), ("Logs", _events(document["management_events"]))],
        "log_bucket": facts(document["log_bucket"], BUCKET_FACTS),
        "settings": describe_settings(document["log_bucket"]),
        "weaknesses": describe_weaknesses(document["log_bucket"]),
        "changes": document["changes"],
        "look": describe_look(document),
        "member_trails": describe_member_trails(document["accounts"]),
        "guardrails": describe_guardrails(document["accounts"], management_of(document["trail"])),
    }


def _events(events: Result) -> str:
    return str(events.get("logged") or events.get("error") or "not told")


def unit(account: Mapping[str, str]) -> str:
    """An account's organizational unit as a path: names where they were read, else ids without the organization's."""
    ids = [id_ for id_ in account["ou_path"].split("/") if id_ and not id_.startswith("o-")]
    return account.get("ou_names") or "/".join(ids)


def script_json(value: Any) -> str:
    """JSON that can stand in a ``script`` element: no character in it can end the element or begin a comment."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def readable_time(time: str) -> str:
    """``2026-08-01T14:03:27Z`` as ``2026-08-01 14:03 UTC``; "" stays ""."""
    return f"{time[:10]} {time[11:16]} UTC" if time else ""


def minute(time: str) -> int:
    """Minutes since 1970 of an ISO 8601 time, in UTC unless it says otherwise; 0 for ""."""
    moment = time_of(time)
    return 0 if moment == NEVER else int(moment.timestamp()) // 60


def base36(number: int) -> str:
    """A number of at least 0 in base 36, as JavaScript's parseInt(text, 36) reads it."""
    text = DIGITS[number % 36]
    while number := number // 36:
        text = DIGITS[number % 36] + text
    return text


def _legend(document: Document, verdict: Verdict) -> list[Result]:
    failing = {one["status"] for one in verdict.exceptions if one["fails"]}
    return [
        {
            "name": name,
            "letter": status.letter,
            "title": status.title,
            "remedy": remedy_of(name, document),
            "count": verdict.statuses.get(name, 0),
            "exception": name in failing or name not in QUIET,
        }
        for name, status in STATUSES.items()
    ]


def _rows(document: Document) -> list[list[Row]]:
    known = {(row["account_id"], row["region"]): row for row in document["coverage"]}
    return [
        [known.get((account["id"], region), {}) for region in document["regions"]] for account in document["accounts"]
    ]


def _delivered(row: Row) -> str:
    return str(row.get("latest_delivery_time") or row.get("latest_file_time") or "")


def _why(row: Row, arn: str, reasons: Mapping[str, int]) -> str:
    return base36(reasons[template(row, arn)]) if row and row["status"] != "covered" else ""


def _seen(row: Row, until: int) -> str:
    return base36(until - minute(_delivered(row))) if _delivered(row) else ""


def _line(texts: Iterable[str]) -> str:
    texts = list(texts)
    return texts[0] if len(set(texts)) == 1 else ",".join(texts)


def _numbers(texts: Iterable[str]) -> dict[str, int]:
    return {text: number for number, text in enumerate(sorted(set(texts)))}
