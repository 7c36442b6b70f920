# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof that the organization trail does a member's trail's work: what must hold before that one is touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from .._aws.log_place import LogPlace
from .._aws.s3 import first_object
from .._aws.untyped import Client
from .trail import Trail

DAY = timedelta(hours=24)
"""AWS says to keep both trails so long (aws-facts 14.2); nothing that arrives is older than that."""

WINDOW = timedelta(days=30)
"""How far back the first file is looked for: what arrived before may be of an older organization trail."""


@dataclass(frozen=True)
class Place:
    """A region of an account, as the coverage sees it. problem: why it is not covered, "" where it is."""

    region: str
    problem: str = ""


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


def files_problem(s3: Client, place: LogPlace, owner: str, account: str, regions: Sequence[str], now: datetime) -> str:
    """Why files of an account are not known to arrive, since a day or longer, in one sentence; "" when they are.

    s3: a client that may list the place's bucket, which is of the account ``owner``. regions: where files may come
    from, the likeliest first; as a rule the first one decides. A file's name holds the time.
    """

    def arrived(region: str, since: datetime, until: datetime) -> bool:
        prefix = f"{place.organization_logs}{account}/CloudTrail/{region}/"
        after, before = (
            f"{prefix}{time:%Y/%m/%d}/{account}_CloudTrail_{region}_{time:%Y%m%dT%H%M}" for time in (since, until)
        )
        return "" < first_object(s3, place.bucket, owner, prefix, after) < before

    if not any(arrived(region, now - DAY, now + DAY) for region in regions):
        return (
            f"No log file of account {account} arrived in the log bucket {place.bucket} within 24 hours. The calls of "
            "this run are events themselves: run again in half an hour."
        )
    if not any(arrived(region, now - WINDOW, now - DAY) for region in regions):
        return (
            f"No log file of account {account} arrived in the log bucket {place.bucket} between 30 days and 24 hours "
            "ago, expected one: AWS says to keep both trails for a day. Run again when the organization trail is a day "
            "old there."
        )
    return ""
