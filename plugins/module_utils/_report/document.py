# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what was found in each account and region to one document, whatever number of parts it came in.

A document is what ``coverage.json`` holds. The part of one slice and the whole report have the same form, so parts
merge in any order, and merged parts merge again. An account is the unit: where two documents hold the same account,
the newer look at it counts, with all its regions.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._coverage.statuses import ANSWERED, UNCHECKED
from .._work.options import Result, read_result
from .guardrails import guardrails_by_account
from .limits import merge_events, merge_scopes
from .member_trails import trails_by_account

Document = Result
Row = Mapping[str, Any]

FORMAT = 1


ACCOUNT_FIELDS = ("id", "name", "state", "ou_path")


class ReportError(ValueError):
    """What was found cannot be reported; the text is the whole sentence."""


def new_document(
    found: Result,
    checked_at: str,
    *,
    trail: Result | None = None,
    log_bucket: Result | None = None,
    changes: Iterable[str] = (),
    version: str = "",
    member_trails: Result | None = None,
    guardrails: Result | None = None,
) -> Document:
    """The document of one look at the accounts: what cloudtrail_coverage_info found, and where the logs go.

    checked_at: when the look ended, ISO 8601 in UTC. changes: what the run changed in AWS, one line each.
    version: the collection's. member_trails: what cloudtrail_member_trails_info found, where it was asked.
    guardrails: the fact of the role guardrails, where it ran before.
    Raises ReportError when a row names a status that this report does not know, and when a result is another one.
    """
    ids = [one["id"] for one in found.get("accounts") or []]
    own_trails = read_result("member_trails", lambda: trails_by_account(member_trails or {}, ids), ReportError)
    management = management_of(trail or {})
    proved = read_result("guardrails", lambda: guardrails_by_account(guardrails or {}, ids, management), ReportError)
    accounts = [
        {
            **{field: account.get(field) or "" for field in ACCOUNT_FIELDS},
            "checked_at": checked_at,
            **_unit(account),
            **{field: account[field] for field in ("regions_error",) if account.get(field)},
            **own_trails.get(account["id"], {}),
            **proved.get(account["id"], {}),
        }
        for account in found.get("accounts") or []
    ]
    return _normal(
        {
            "trail": {name: value for name, value in (trail or {}).items() if value not in (None, "", [], {})},
            "log_bucket": {name: value for name, value in (log_bucket or {}).items() if value not in (None, "")},
            "changes": changes,
            "checked_by": [found["checked_by"]] if found.get("checked_by") else [],
            "versions": [version] if version else [],
            "scope": found.get("scope") or {},
            "management_events": found.get("management_events") or {},
            "regions": found.get("regions") or [],
            "accounts": accounts,
            "coverage": found.get("coverage") or [],
        }
    )


def merge(documents: Iterable[Document]) -> Document:
    """One document of many. The order does not matter, and merging a document twice changes nothing.

    Raises ReportError when the documents speak of different trails.
    """
    documents = list(documents)
    trails = sorted({arn for arn in (trail_arn(document) for document in documents) if arn})
    if len(trails) > 1:
        raise ReportError(
            f"The parts speak of different trails, {' and '.join(trails)}; expected parts of one trail. Empty the "
            "directory of parts and run the slices again."
        )
    newest: dict[str, tuple[str, str, Result, list[Row]]] = {}
    for document in documents:
        rows = _rows_by_account(document)
        for account in document["accounts"]:
            own = rows.get(account["id"], [])
            block = (account["checked_at"], _text([account, own]), account, own)
            newest[account["id"]] = max(block, newest.get(account["id"], block), key=lambda one: one[:2])
    return _normal(
        {
            "trail": _fullest(document["trail"] for document in documents),
            "log_bucket": _fullest(document["log_bucket"] for document in documents),
            "changes": [change for document in documents for change in document["changes"]],
            **{
                name: [one for document in documents for one in document.get(name) or ()]
                for name in ("checked_by", "versions")
            },
            "scope": merge_scopes(document.get("scope") or {} for document in documents),
            "management_events": merge_events(document.get("management_events") or {} for document in documents),
            "regions": [region for document in documents for region in document["regions"]],
            "accounts": [row[2] for row in newest.values()],
            "coverage": [place for row in newest.values() for place in row[3]],
        }
    )


def cells(document: Document) -> Iterator[tuple[str, str, str]]:
    """Account id, region and status of every account in every region; ``unchecked`` where no row tells."""
    known = {(row["account_id"], row["region"]): row["status"] for row in document["coverage"]}
    for account in document["accounts"]:
        for region in document["regions"]:
            yield account["id"], region, known.get((account["id"], region), UNCHECKED)


def template(row: Row, arn: str) -> str:
    """A row's reason with account and region left open, so that equal reasons are equal; the trail's ARN stays."""
    reason = str(row.get("reason") or "")
    if not reason:
        return ""
    parts = reason.split(arn) if arn else [reason]
    return arn.join(part.replace(row["account_id"], "{account}").replace(row["region"], "{region}") for part in parts)


def trail_arn(document: Document) -> str:
    """ARN of the trail that a document speaks of, "" when it names none."""
    return str(document["trail"].get("arn") or "")


def management_of(trail: Result) -> str:
    """The account that a trail belongs to, the organization's management account; "" where no ARN tells."""
    return str(trail.get("arn") or "::::").split(":")[4]


def checked_between(document: Document) -> tuple[str, str]:
    """When the first and the last account was looked at, ISO 8601 in UTC; two "" without accounts."""
    times = sorted(account["checked_at"] for account in document["accounts"]) or [""]
    return times[0], times[-1]


def _unit(account: Result) -> dict[str, str]:
    names = account.get("ou_names")
    return {"ou_names": names if isinstance(names, str) else "/".join(names)} if names else {}


def _normal(document: Document) -> Document:
    """The same document in the one order in which it is written, so that equal content is equal bytes."""
    unknown = {row["status"] for row in document["coverage"]} - {*ANSWERED, UNCHECKED}
    if unknown:
        raise ReportError(
            f"Coverage holds the status {', '.join(sorted(unknown))}; expected one of {', '.join(ANSWERED)}. Write the "
            "report with the version of the collection that checked the accounts."
        )
    regions = {*document["regions"], *(row["region"] for row in document["coverage"])}
    rows = ({name: value for name, value in row.items() if _kept(name, value)} for row in document["coverage"])
    return {
        "format": FORMAT,
        "trail": dict(document["trail"]),
        "log_bucket": dict(document["log_bucket"]),
        "changes": sorted(set(document["changes"])),
        "checked_by": sorted(set(document["checked_by"])),
        "versions": sorted(set(document["versions"])),
        "scope": dict(document["scope"]),
        "management_events": dict(document["management_events"]),
        "regions": sorted(regions),
        "accounts": sorted(document["accounts"], key=lambda account: str(account["id"])),
        "coverage": sorted(rows, key=lambda row: (row["account_id"], row["region"])),
    }


def _kept(name: str, value: object) -> bool:
    return name != "account_name" and value not in (None, "")  # the name stands with the account


def _rows_by_account(document: Document) -> dict[str, list[Row]]:
    rows: dict[str, list[Row]] = {}
    for row in document["coverage"]:
        rows.setdefault(row["account_id"], []).append(row)
    return rows


def _fullest(descriptions: Iterable[Result]) -> Result:
    return max(descriptions, key=lambda one: (len(one), _text(one)), default={})


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def part_name(document: Document) -> str:
    """File name of a part: the same accounts give the same name, so that a slice run again replaces its part."""
    accounts = " ".join(account["id"] for account in document["accounts"])
    return f"{hashlib.sha256(accounts.encode()).hexdigest()[:20]}.json"
