# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks into the log bucket: did every account's files arrive, how old is the newest, does the newest digest verify."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache, partial

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .._aws.cloudtrail import list_public_keys
from .._aws.errors import refuse, sentence
from .._aws.log_place import LogPlace
from .._aws.s3 import get_object, list_folders, list_objects
from .._aws.untyped import Client, Structure
from .._work.fanout import Fanout, Task
from .._work.times import time_text
from .digest import BACKFILL, digest_problem, missing_cryptography
from .rows import Row

WINDOWS = (timedelta(hours=2), timedelta(days=1), timedelta(days=30))
"""How far back the newest file is looked for. S3 lists keys forwards only, so the least is listed first. Digests are so
few that their day is."""


class DeliveryProbe:
    """Notes in rows what the bucket holds of their account and region.

    s3: a client that may list and read the bucket of the place, which is of the account ``owner``. keys: answers a
    client of CloudTrail for a region, to fetch the public keys that digests are verified with; without it they are not.
    """

    def __init__(
        self, s3: Client, place: LogPlace, owner: str, now: datetime, keys: Callable[[str], Client] | None = None
    ) -> None:
        self._s3 = s3
        self._place = place
        self._owner = owner
        self._now = now
        self._public_keys = cache(partial(fetch_keys, keys, now)) if keys else None
        self.looked = 0
        """How many rows were done, for progress: threads may miscount it by a few."""

    def check_access(self) -> None:
        """Raises AnsibleS3Error when the bucket cannot be listed, before a long run begins.

        Raises AnsibleOrgTrailError when digests are to be verified and the package for it is missing.
        """
        if self._public_keys:
            refuse(missing_cryptography())
        list_folders(self._s3, self._place.bucket, self._owner, self._place.organization_logs)

    def look(self, rows: Iterable[Row], threads: int, deadline: float, tick: Callable[[], None]) -> bool:
        """Look for the files of every row by time.monotonic's ``deadline``; answers whether all were looked for."""
        return Fanout(self._tasks(rows), threads, deadline).run(tick, every=1.0)

    def _tasks(self, rows: Iterable[Row]) -> Iterator[Task]:
        return (partial(self._note, row) for row in rows)

    def _note(self, row: Row) -> None:
        try:
            logs = self._newest(row, "CloudTrail", "", WINDOWS)
            row.latest_file_time = time_text(logs[-1]["LastModified"]) if logs else ""
            if self._public_keys:
                self._note_digests(row, self._public_keys)
        except AnsibleAWSError as error:
            row.log_delivery_error = sentence(error)
        self.looked += 1

    def _note_digests(self, row: Row, public_keys: Callable[[str], Mapping[str, bytes]]) -> None:
        """Verify the newest hourly digest and the newest backfill digest of its day."""
        trail = self._place.trail
        found = self._newest(row, "CloudTrail-Digest", f"_{trail.name}_{trail.region}", WINDOWS[1:])
        hourly = [one for one in found if not one["Key"].endswith(BACKFILL)]
        backfills = [one for one in found if one["Key"].endswith(BACKFILL)]
        row.latest_digest_time = time_text(hourly[-1]["LastModified"]) if hourly else ""
        for newest in (*backfills[-1:], *hourly[-1:]):
            key = newest["Key"]
            data, metadata = get_object(self._s3, self._place.bucket, self._owner, key)
            problem = digest_problem(self._place.bucket, key, data, metadata, public_keys(row.region))
            row.digest_valid = row.digest_valid is not False and not problem
            if problem and row.status in ("covered", "silent"):
                row.status = "delivery_error"
                row.reason = f"The newest digest file {key} does not verify: {problem}."

    def _newest(self, row: Row, kind: str, suffix: str, windows: Iterable[timedelta]) -> list[Structure]:
        """The files of a kind in the first window that has some, by their names, which hold the time."""
        prefix = f"{self._place.organization_logs}{row.account_id}/{kind}/{row.region}/"
        name = f"{row.account_id}_{kind}_{row.region}{suffix}_"
        for window in windows:
            since = self._now - window
            after = f"{prefix}{since:%Y/%m/%d}/{name}{since:%Y%m%dT%H}"
            found = list_objects(self._s3, self._place.bucket, self._owner, prefix, after)
            if named := [one for one in found if one["Key"].rpartition("/")[2].startswith(name)]:
                return named
        return []


def fetch_keys(client: Callable[[str], Client], now: datetime, region: str) -> Mapping[str, bytes]:
    """The public keys of a region that digests of the time until ``now`` are verified with."""
    keys: dict[str, bytes] = list_public_keys(client(region), now - WINDOWS[-1], now)
    return keys
