# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The objects that a trail writes into its bucket, for every account, region and day (aws-facts section 6).

Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
"""

from __future__ import annotations

import string
from datetime import date

from .._aws.log_place import LogPlace
from .._policy.names import Form, Run, Texts

# The same for every home region, so that a name is searched for once, whichever is tried.
_USUAL_REGIONS = {"aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
_YEARS = 10  # so many years ahead a policy is looked at: logs are to arrive then, too


def log_objects(place: LogPlace, today: date) -> tuple[Form, ...]:
    """ARNs of the log files and digests of all accounts below the organization's path, and of management below its own.

    A policy has to allow all of them. today: files of this year and of the next ones are still to come.
    """
    return tuple(
        _objects(place, owner, kind, today)
        for owner in (_management(place), _any_account(place))
        for kind in ("CloudTrail", "CloudTrail-Digest")
    )


def insight_objects(place: LogPlace, today: date) -> tuple[Form, ...]:
    """ARNs of the files of Insights events, which only some trails have: a policy must not deny them."""
    return (_objects(place, _any_account(place), "CloudTrail-Insight", today),)


def _management(place: LogPlace) -> tuple[str, Texts | Run]:
    return place.logs, Texts((place.trail.account_id,), "account")


def _any_account(place: LogPlace) -> tuple[str, Texts | Run]:
    return place.organization_logs, Run(string.digits, 12, 12, place.trail.account_id, "account")


def _objects(place: LogPlace, owner: tuple[str, Texts | Run], kind: str, today: date) -> Form:
    """The form of the ARNs of one kind of files; ``owner``: what stands before the account, and the account."""
    start, account = owner
    region = _region(_USUAL_REGIONS.get(place.trail.partition, "us-east-1"))
    day = (
        Texts(tuple(str(today.year + ahead) for ahead in range(_YEARS)), "year"),
        Texts(_from(today.month, 12), "month"),
        Texts(_from(today.day, 31), "day"),
    )
    folders = tuple(part for one in day for part in (Texts(("/",)), one))
    clock: Form = (Texts(("T",)), Run(string.digits, 4, 4, "0900"))
    if kind == "CloudTrail-Digest":
        clock += (Run(string.digits, 2, 2, "00"),)
        home = tuple(_unnamed(part) for part in region)
        end: Form = (Texts((f"_{place.trail.name}_",)), *home, Texts(("_",)), *day, *clock, Texts(("Z",)))
        end += (Texts(("", "_backfill")),)  # aws-facts 6.1
    else:
        end = (Texts(("_",)), *day, *clock, Texts(("Z_",)), Run(string.ascii_letters + string.digits, 16, 16, "0" * 16))
    return (
        *(Texts((place.object_arn(start),)), account, Texts((f"/{kind}/",)), *region, *folders),
        *(Texts(("/",)), account, Texts((f"_{kind}_",)), *region, *end, Texts((".json.gz",))),
    )


def _region(usual: str) -> Form:
    """Any region, a new one too."""
    area, side, number = (usual.partition("-")[0], *usual.partition("-")[2].rsplit("-", 1))
    letters = string.ascii_lowercase
    return (
        Run(letters, 2, 4, area, "area"),
        Texts(("-",)),
        Run(f"{letters}-", 4, 14, side, "side"),
        Texts(("-",)),
        Run("123456789", 1, 1, number, "number"),
    )


def _unnamed(part: Texts | Run) -> Texts | Run:
    """The same part where it does not have to read as the others of its field."""
    return Texts(part.texts) if isinstance(part, Texts) else Run(part.characters, part.low, part.high, part.usual)


def _from(first: int, last: int) -> tuple[str, ...]:
    """Two digits each, beginning with ``first`` and then from 1 on."""
    return tuple(f"{number:02}" for number in (*range(first, last + 1), *range(1, first)))
