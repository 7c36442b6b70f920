# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of a trail: a file that holds all that AWS told of it before it was stopped, to bring it back.

A record is a JSON object: what AWS answered, by its own names, and when and by whom it was asked. It holds no
credentials. A file is never followed through a symbolic link, and one that is another trail's is left alone.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from .._aws.arn import TrailArn, possible_trail_arn
from .._aws.errors import AnsibleOrgTrailError
from .._work.files import write_whole
from .._work.options import Result
from .._work.times import time_of
from .trail import Trail

FORMAT = 1
SUFFIX = ".json"


@dataclass(frozen=True)
class Record:
    """A trail as it was; when it was recorded, ISO 8601 in UTC, and by whom, the caller's ARN.

    The trail's ``logging`` is whether it logs when it is brought back.
    """

    trail: Trail
    recorded_at: str
    recorded_by: str

    def to_document(self) -> Result:
        trail = self.trail
        return {
            "format": FORMAT,
            "recorded_at": self.recorded_at,
            "recorded_by": self.recorded_by,
            "trail_arn": str(trail.arn),
            "account_id": trail.arn.account_id,
            "region": trail.arn.region,
            "is_logging": trail.logging,
            "trail": trail.settings,
            "status": trail.status,
            "event_selectors": trail.selectors,
            "insight_selectors": list(trail.insights),
            "aggregation_configurations": list(trail.aggregations),
            "tags": dict(trail.tags),
        }


def record_of(document: Result, arn: TrailArn) -> Record:
    """The record in a document. Raises ValueError, KeyError or TypeError for what is none of that trail."""
    if document["format"] != FORMAT:
        raise ValueError(f"format {document['format']}, expected {FORMAT}")
    settings, selectors = dict(document["trail"]), dict(document["event_selectors"])
    for found in (document["trail_arn"], settings["TrailARN"], selectors["TrailARN"]):
        if found != str(arn):
            raise ValueError(f"the trail {found}")
    time_of(document["recorded_at"])
    trail = Trail(
        arn,
        settings,
        selectors,
        list(document["insight_selectors"]),
        list(document["aggregation_configurations"]),
        bool(document["is_logging"]),
        dict(document["tags"]),
        dict(document["status"]),
    )
    return Record(trail, str(document["recorded_at"]), str(document["recorded_by"]))


def record_path(folder: Path, arn: TrailArn) -> Path:
    """Where the record of a trail lies."""
    return folder / f"{arn.account_id}_{arn.region}_{arn.name}{SUFFIX}"


def read_record(folder: Path, arn: TrailArn) -> Record | None:
    """The record of a trail; None where there is no file. Raises AnsibleOrgTrailError for a file that is no record."""
    path = record_path(folder, arn)
    try:
        text = _read(path)
        return None if text is None else record_of(json.loads(text), arn)
    except OSError as error:
        raise AnsibleOrgTrailError(
            f"Failed to read the record {path}: {error.strerror}. Make it readable, or name another record_dir."
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise AnsibleOrgTrailError(
            f"The file {path} is not the record of {arn}, found {error}, expected what this module wrote there. Look "
            "at it, and move it away or name another record_dir."
        ) from error


def _read(path: Path) -> str | None:
    """A file's text, None where there is none. Raises ValueError for what is no plain file, OSError for the rest."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError:
        if path.is_symlink():
            raise ValueError("a symbolic link") from None
        raise
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise ValueError("no plain file")
    with os.fdopen(handle, encoding="utf-8") as file:
        return file.read()


def write_record(folder: Path, record: Record) -> None:
    """Write a record, and prove it by reading it.

    Raises AnsibleOrgTrailError where that fails, or where a file lies that is no record of that trail: it stays there.
    """
    arn = record.trail.arn
    path = record_path(folder, arn)
    read_record(folder, arn)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, [json.dumps(record.to_document(), indent=2, ensure_ascii=False) + "\n"])
    except OSError as error:
        raise AnsibleOrgTrailError(
            f"Failed to write the record {path}: {error.strerror}. The trail was left as it is."
        ) from error
    written = read_record(folder, arn)
    if written is None or written.to_document() != record.to_document():
        raise AnsibleOrgTrailError(
            f"The record {path} does not hold what was written to it. The trail {arn} was left as it is. Look whether "
            "another run writes to the same record_dir."
        )


def recorded_trails(folder: Path) -> Iterator[TrailArn]:
    """The trails that have a record in a folder, in the order of its files.

    Raises AnsibleOrgTrailError for a file that has a record's name and is none.
    """
    paths = sorted(folder.glob(f"[0-9]*_*_*{SUFFIX}")) if folder.is_dir() else []
    for path in paths:
        try:
            text = _read(path)
            arn = possible_trail_arn(str(json.loads(text or "{}").get("trail_arn")))
            if path != record_path(folder, arn):
                raise ValueError(f"the trail {arn}")
        except (OSError, ValueError, AttributeError) as error:
            raise AnsibleOrgTrailError(
                f"The file {path} is not the record of a trail, found {error}, expected what this module wrote there. "
                "Look at it, and move it away or name another record_dir."
            ) from error
        yield arn


def stopped_since(record: Record, now: Trail) -> datetime:
    """Since when a stopped trail is known to be stopped: the later of its record and of what AWS tells."""
    return max(time_of(record.recorded_at), time_of(str(now.status.get("StopLoggingTime") or "")))
