# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWS's answers say about a trail in one account and region."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from .._aws.errors import DENIED
from .._aws.trail_status import DELIVERY_WORDS, delivery_errors
from .._work.options import Result
from .._work.times import time_of
from .statuses import ANSWERED

PROPAGATION = timedelta(hours=24)
"""A new trail, or a new account, may take so long (aws-facts 4.4)."""

REGION_DISABLED = frozenset({"UnrecognizedClientException", "InvalidClientTokenId", "AuthFailure", "OptInRequired"})
MISSING = frozenset({"TrailNotFoundException"})


@dataclass(slots=True)
class Row:
    """One account and region. Times are ISO 8601 in UTC; "" means: not known."""

    account_id: str
    account_name: str
    region: str
    status: str
    reason: str = ""
    error_code: str = ""
    latest_delivery_time: str = ""
    latest_delivery_error: str = ""
    latest_digest_delivery_time: str = ""
    latest_digest_delivery_error: str = ""
    latest_event_time: str = ""
    latest_file_time: str = ""
    latest_digest_time: str = ""
    digest_valid: bool | None = None
    log_delivery_error: str = ""

    def to_dict(self) -> Result:
        """The row without what is not known; account_name is always there."""
        found = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in found.items() if value not in ("", None) or name == "account_name"}


@dataclass(frozen=True, slots=True)
class Failure:
    """A call that AWS did not do: what was called, on what, AWS's error code and text; code "" for no answer."""

    call: str
    target: str
    code: str
    message: str

    def __str__(self) -> str:
        code = f" ({self.code})" if self.code else ""
        return f"{self.call} {self.target}: {self.message.strip().rstrip('.')}{code}."


def judge_status(answer: Mapping[str, object]) -> tuple[str, str]:
    """Status and reason for an answer of GetTrailStatus.

    A trail that logs without an error is covered even when nothing was delivered yet: a quiet region has nothing.
    """
    if not answer.get("IsLogging"):
        stopped = answer.get("StopLoggingTime")
        return "not_logging", f"Logging is stopped{f' since {stopped}' if stopped else ''}."
    errors = [f"{DELIVERY_WORDS[one.kind]}: {one.text}" for one in delivery_errors(answer)]
    if errors:
        return "delivery_error", f"CloudTrail cannot deliver {'; '.join(errors)}."
    return "covered", ""


def judge_failure(failure: Failure) -> tuple[str, str]:
    """Status and reason for a call that failed for good.

    Keys that STS just issued and that a region does not accept mean that the region is disabled (aws-facts 4.6).
    """
    if failure.code in MISSING:
        return "missing", str(failure)
    if failure.code in DENIED:
        return "denied", str(failure)
    if failure.code in REGION_DISABLED and failure.call != "sts:AssumeRole":
        return "region_disabled", "The account has not enabled this region."
    return "unreachable", str(failure)


CLOSED_STATES = frozenset({"PENDING_ACTIVATION", "SUSPENDED", "PENDING_CLOSURE", "CLOSED"})
"""States of an account that nobody can enter (aws-facts 4.8, 7.2). In a state that is not known, asking tells."""


def judge_state(state: str) -> str:
    """Why nothing can be called in an account in this state; empty when something can, or perhaps can."""
    if state not in CLOSED_STATES:
        return ""
    return f"The account is in the state {state}, so nobody can sign in to it."


def settle(
    rows: Iterable[Row], now: datetime, changed_at: str, joined_at: Mapping[str, str], enabled: str = ""
) -> list[Row]:
    """Rows in the order of account and region, after what only all of them together tell.

    A missing trail is pending while the trail or the account is younger than 24 hours. Keys that no region accepts are
    wrong keys, not disabled regions. changed_at: when the trail became an organization trail, "" when unknown.
    enabled: an account that has enabled all the regions, so that keys which one does not accept are wrong there.
    """
    rows = sorted(rows, key=lambda row: (row.account_id, row.region))
    accepted = {row.account_id for row in rows if row.status != "region_disabled"}
    asked: dict[str, int] = {}
    for row in rows:
        asked[row.account_id] = asked.get(row.account_id, 0) + 1
    return [
        _settled(
            row,
            youngest=max(time_of(changed_at), time_of(joined_at.get(row.account_id, ""))),
            now=now,
            wrong_keys=row.account_id not in accepted and asked[row.account_id] > 1,
            enabled=row.account_id == enabled,
        )
        for row in rows
    ]


def _settled(row: Row, youngest: datetime, now: datetime, wrong_keys: bool, enabled: bool) -> Row:
    if row.status == "missing" and now - youngest < PROPAGATION:
        until = (youngest + PROPAGATION).strftime("%Y-%m-%d %H:%M UTC")
        return replace(row, status="pending", reason=f"The trail has not arrived yet; AWS may take until {until}.")
    if row.status == "region_disabled" and wrong_keys:
        return replace(
            row, status="unreachable", reason=f"No region accepts the account's credentials ({row.error_code})."
        )
    if row.status == "region_disabled" and enabled:
        return replace(
            row,
            status="unreachable",
            reason=f"The account has enabled this region, but it does not accept the credentials ({row.error_code}). "
            "Those of the global STS endpoint do not work in opt-in regions: set AWS_STS_REGIONAL_ENDPOINTS=regional "
            "and sign in again.",
        )
    return row


def without_files(rows: Iterable[Row]) -> set[str]:
    """Accounts that are covered somewhere, but of which no file was found anywhere, although one could look."""
    rows = list(rows)
    seen = {row.account_id for row in rows if row.latest_file_time or row.log_delivery_error}
    return {row.account_id for row in rows if row.status == "covered"} - seen


def judge_delivery(rows: Iterable[Row], accounts: Iterable[str]) -> list[Row]:
    """Rows after the bucket was searched: nothing arrives from these accounts, so that they are not covered."""
    silent = frozenset(accounts)
    reason = "CloudTrail reports no error, but no log file of this account came into the bucket within 30 days."
    return [
        replace(row, status="delivery_error", reason=reason)
        if row.account_id in silent and row.status == "covered"
        else row
        for row in rows
    ]


def is_young(now: datetime, changed_at: str, joined_at: str) -> bool:
    """Whether the trail or the account is younger than AWS's longest time for a new trail (aws-facts 4.4)."""
    return now - max(time_of(changed_at), time_of(joined_at)) < PROPAGATION


def count(rows: Iterable[Row]) -> dict[str, int]:
    """Number of rows of each status, also of those that no row has."""
    counts = dict.fromkeys(ANSWERED, 0)
    for row in rows:
        counts[row.status] += 1
    return counts
