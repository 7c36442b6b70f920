# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof that the organization trail does a member's trail's work: what must hold before that one is touched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from .._aws.log_place import LogPlace
from .._aws.s3 import first_object
from .._aws.untyped import Client
from .._work.times import time_of
from .trail import Trail

DAY = timedelta(hours=24)
"""AWS says to keep both trails so long (aws-facts 14.2); nothing that arrives is older than that."""

WINDOW = timedelta(days=30)
"""How far back the first file is looked for: what arrived before may be of an older organization trail."""


@dataclass(frozen=True)
class Place:
    """A region of an account, as the coverage sees it.

    problem: why it is not covered, "" where it is. latest_file_time: when the newest file from there arrived in the log
    bucket, ISO 8601, "" for none.
    """

    region: str
    problem: str
    latest_file_time: str = ""


@dataclass(frozen=True)
class Seen:
    """What was seen of an account: its regions, and why some may be unknown, "" when all are known."""

    places: Sequence[Place] = ()
    unknown: str = ""


def coverage_problem(trail: Trail, seen: Seen) -> str:
    """Why the organization trail does not cover all regions of a member's trail, in one sentence; "" when it does.

    Events of global services are not bound to the trail's own region, so that with them all regions count.
    """
    account = trail.arn.account_id
    if seen.unknown:
        return f"Account {account} is not known to be covered in every region: {seen.unknown}"
    everywhere = trail.has_global_events
    places = [one for one in seen.places if everywhere or one.region == trail.arn.region]
    if trail.arn.region not in {one.region for one in places}:
        return f"Account {account} is not known to be covered in {trail.arn.region}, where {trail.arn} is."
    blind = [one for one in places if one.problem]
    if not blind:
        return ""
    more = f" So are {len(blind) - 1} more regions." if len(blind) > 1 else ""
    return f"Account {account} is not covered in {blind[0].region}: {blind[0].problem}{more}"


def delivery_problem(account: str, seen: Seen, now: datetime) -> str:
    """Why files of an account are not known to go on arriving, in one sentence; "" when they do."""
    newest = max((time_of(one.latest_file_time) for one in seen.places if one.latest_file_time), default=None)
    if newest and now - newest < DAY:
        return ""
    found = f"the newest one arrived {newest:%Y-%m-%d %H:%M UTC}" if newest else "none arrived within 30 days"
    return (
        f"No log file of account {account} arrived in the log bucket within 24 hours, {found}. The calls of this run "
        "are events themselves: run again in half an hour."
    )


def age_problem(s3: Client, place: LogPlace, owner: str, account: str, regions: Iterable[str], now: datetime) -> str:
    """Why no file of an account is known to have arrived at least 24 hours ago, in one sentence; "" when one has.

    s3: a client that may list the place's bucket, which is of the account ``owner``. regions: where files came from,
    the likeliest first. A file's name holds the time.
    """
    for region in regions:
        prefix = f"{place.organization_logs}{account}/CloudTrail/{region}/"
        found = first_object(s3, place.bucket, owner, prefix, _key(prefix, account, region, now - WINDOW))
        if found and found < _key(prefix, account, region, now - DAY):
            return ""
    return (
        f"No log file of account {account} arrived in the log bucket {place.bucket} between 30 days and 24 hours ago, "
        "expected one: AWS says to keep both trails for a day. Run again when the organization trail is a day old "
        "there."
    )


def _key(prefix: str, account: str, region: str, time: datetime) -> str:
    """Where the keys of files of a time and after it begin."""
    return f"{prefix}{time:%Y/%m/%d}/{account}_CloudTrail_{region}_{time:%Y%m%dT%H%M}"
