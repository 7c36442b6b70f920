# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWS's answers say about a trail in one account and region."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from .._aws.caller import Failure
from .._aws.errors import DENIED
from .._aws.remedies import is_scp_denial
from .._aws.selectors import ManagementEvents
from .._aws.trail_status import DELIVERY_WORDS, delivery_errors
from .._work.options import Result
from .._work.times import time_of
from .statuses import ANSWERED

PROPAGATION = timedelta(hours=24)
"""A new trail, or a new account, may take so long (aws-facts 4.4)."""

REGION_DISABLED = frozenset({"UnrecognizedClientException", "InvalidClientTokenId", "AuthFailure", "OptInRequired"})
DISABLED = "The account has not enabled this region."
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
    logging_since: str = ""

    @property
    def delivered(self) -> bool:
        """Whether anything ever arrived, by AWS's word or by what lies in the bucket."""
        return any(
            (
                self.latest_delivery_time,
                self.latest_digest_delivery_time,
                self.latest_file_time,
                self.latest_digest_time,
            )
        )

    def to_dict(self) -> Result:
        """The row without what is not known; account_name is always there."""
        found = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in found.items() if value not in ("", None) or name == "account_name"}


def judge_status(answer: Mapping[str, object]) -> tuple[str, str]:
    """Status and reason for an answer of GetTrailStatus.

    A trail that logs without an error is covered even when nothing was delivered: ``settle`` knows how long it may.
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
        return "denied_by_scp" if is_scp_denial(failure.message) else "denied", str(failure)
    if failure.code in REGION_DISABLED and failure.call != "sts:AssumeRole":
        return "region_disabled", DISABLED
    return "unreachable", str(failure)


@dataclass(frozen=True)
class Known:
    """What is known beside the answers of the accounts' regions.

    changed_at: when the trail became an organization trail, "" when unknown. joined_at: since when an account is in the
    organization. own: the regions that an account has enabled by its own word. events: what the trail's event selectors
    log, None when they could not be read.
    """

    home_region: str
    changed_at: str = ""
    joined_at: Mapping[str, str] = field(default_factory=dict)
    own: Mapping[str, frozenset[str]] = field(default_factory=dict)
    events: ManagementEvents | None = None

    def youngest(self, account: str) -> datetime:
        """The later of the trail's change and the account's joining."""
        return max(time_of(self.changed_at), time_of(self.joined_at.get(account, "")))


def settle(rows: Iterable[Row], now: datetime, known: Known) -> list[Row]:
    """Rows in the order of account and region, after what only all of them together tell.

    A missing trail is pending while the trail or the account is younger than 24 hours. Keys that no region accepts are
    wrong keys, not disabled regions. An account whose home region is disabled sends nothing from anywhere (aws-facts
    4.6). A trail that has logged for more than a day and never delivered anything is silent.
    """
    rows = sorted(rows, key=lambda row: (row.account_id, row.region))
    accepted = {row.account_id for row in rows if row.status != "region_disabled"}
    asked = Counter(row.account_id for row in rows)
    rows = [
        _keys_judged(row, known, wrong=row.account_id not in accepted and asked[row.account_id] > 1) for row in rows
    ]
    shut_out = {row.account_id for row in rows if (row.region, row.status) == (known.home_region, "region_disabled")}
    return [_settled(row, now, known, shut_out) for row in rows]


def _keys_judged(row: Row, known: Known, wrong: bool) -> Row:
    """A region that does not accept keys is disabled, unless that cannot be."""
    if row.status != "region_disabled":
        return row
    if wrong:
        reason = f"No region accepts the account's credentials ({row.error_code})."
        return replace(row, status="unreachable", reason=reason)
    if row.region in known.own.get(row.account_id, ()):
        reason = (
            f"The account has enabled this region, but it does not accept the credentials ({row.error_code}). "
            "Those of the global STS endpoint do not work in opt-in regions: set AWS_STS_REGIONAL_ENDPOINTS=regional "
            "and sign in again."
        )
        return replace(row, status="unreachable", reason=reason)
    return row


def _settled(row: Row, now: datetime, known: Known, shut_out: set[str]) -> Row:
    if row.account_id in shut_out and row.status in ("covered", "missing"):
        reason = f"The account has not enabled the trail's home region {known.home_region}."
        return replace(row, status="home_region_disabled", reason=reason)
    youngest = known.youngest(row.account_id)
    if row.status == "missing" and now - youngest < PROPAGATION:
        until = (youngest + PROPAGATION).strftime("%Y-%m-%d %H:%M UTC")
        return replace(row, status="pending", reason=f"The trail has not arrived yet; AWS may take until {until}.")
    if row.status == "covered" and known.events and not known.events.both_kinds:
        reason = f"The trail's event selectors log {known.events}."
        return replace(row, status="management_events_missing", reason=reason)
    if is_silent(row, now, youngest):
        since = f" since {row.logging_since}" if row.logging_since else ""
        return replace(row, status="silent", reason=f"Logging is on{since}, but CloudTrail never delivered anything.")
    return row


def is_silent(row: Row, now: datetime, youngest: datetime) -> bool:
    """Whether nothing ever arrived although trail and account had more time than AWS takes (aws-facts 4.4).

    A call of coverage is an event itself, so that a region is quiet only until it is asked for the first time.
    """
    return (
        row.status == "covered" and not row.delivered and now - max(time_of(row.logging_since), youngest) >= PROPAGATION
    )


def region_disabled_by_own_word(account_id: str, account_name: str, region: str) -> Row:
    """The row of a region that an account has not enabled, as the account itself tells."""
    return Row(account_id, account_name, region, "region_disabled", DISABLED)


def without_files(rows: Iterable[Row]) -> set[str]:
    """Accounts that log somewhere without an error, but of which no file was found, although one could look."""
    rows = list(rows)
    seen = {row.account_id for row in rows if row.latest_file_time or row.log_delivery_error}
    return {row.account_id for row in rows if row.status in ("covered", "silent")} - seen


def judge_delivery(rows: Iterable[Row], accounts: Iterable[str]) -> list[Row]:
    """Rows after the bucket was searched: it has the last word on what is silent.

    accounts: those from which nothing arrives, so that they are not covered.
    """
    silent = frozenset(accounts)
    reason = "CloudTrail reports no error, but no log file of this account came into the bucket within 30 days."
    return [
        replace(row, status="delivery_error", reason=reason)
        if row.account_id in silent and row.status in ("covered", "silent")
        else replace(row, status="covered", reason="")
        if row.status == "silent" and row.delivered
        else row
        for row in rows
    ]


def count(rows: Iterable[Row]) -> dict[str, int]:
    """Number of rows of each status, also of those that no row has."""
    counts = dict.fromkeys(ANSWERED, 0)
    for row in rows:
        counts[row.status] += 1
    return counts
