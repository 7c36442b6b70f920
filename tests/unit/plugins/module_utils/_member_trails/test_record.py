# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records: whole files that hold a trail, and nothing else in their place."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import AnsibleOrgTrailError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails import record as record_file
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.record import (
    Record,
    read_record,
    record_path,
    recorded_trails,
    stopped_since,
    write_record,
)

from tests.member_trails import MEMBER, advanced, basic, data, member

INSIGHTS = [{"InsightType": "ApiCallRateInsight"}]
AGGREGATIONS = [{"EventCategory": "Data", "Templates": ["API_ACTIVITY"]}]


def record_of(selectors: dict[str, Any] | None = None, **more: Any) -> Record:
    trail = member({"TrailARN": str(member().arn), **(selectors or basic())}, **more)
    return Record(trail, "2026-11-20T08:00:00Z", "arn:aws:sts::222222222222:assumed-role/R/s")


@pytest.mark.parametrize(
    "written",
    [record_of(), record_of(advanced(data()), insights=INSIGHTS, aggregations=AGGREGATIONS, tags={"ä": "\u2028"})],
)
def test_a_record_holds_the_trail(tmp_path: Path, written: Record) -> None:
    folder = tmp_path / "records"
    assert read_record(folder, written.trail.arn) is None
    write_record(folder, written)
    read = read_record(folder, written.trail.arn)
    assert read == written
    assert [path.name for path in folder.iterdir()] == [f"{MEMBER}_us-east-1_default.json"]
    assert list(recorded_trails(folder)) == [written.trail.arn]


def test_a_record_is_written_anew(tmp_path: Path) -> None:
    write_record(tmp_path, record_of())
    later = replace(record_of(tags={"a": "b"}), recorded_at="2026-11-21T08:00:00Z")
    write_record(tmp_path, later)
    assert read_record(tmp_path, later.trail.arn) == later


def other_trail(path: Path) -> None:
    document = record_of().to_document()
    path.write_text(json.dumps({**document, "trail_arn": f"arn:aws:cloudtrail:us-east-1:{MEMBER}:trail/other"}))


def newer_format(path: Path) -> None:
    path.write_text(json.dumps({**record_of().to_document(), "format": 2}))


def link(path: Path) -> None:
    target = path.parent / "target"
    target.write_text(json.dumps(record_of().to_document()))
    path.symlink_to(target)


WRONG: list[tuple[Callable[[Path], object], str]] = [
    (other_trail, "found the trail .*trail/other"),
    (newer_format, "found format 2, expected 1"),
    (link, "found a symbolic link"),
    (lambda path: path.write_text("[]"), "is not the record of"),
    (lambda path: path.write_text("{"), "is not the record of"),
    (lambda path: path.write_text("{}"), "is not the record of"),
    (Path.mkdir, "found no plain file"),
]


@pytest.mark.parametrize(("make", "says"), WRONG)
def test_what_lies_there_and_is_no_record_stays(tmp_path: Path, make: Callable[[Path], object], says: str) -> None:
    path = record_path(tmp_path, member().arn)
    make(path)
    before = path.is_symlink(), path.is_dir() or path.read_text()
    with pytest.raises(AnsibleOrgTrailError, match=says):
        read_record(tmp_path, member().arn)
    with pytest.raises(AnsibleOrgTrailError, match=says):
        write_record(tmp_path, record_of())
    assert (path.is_symlink(), path.is_dir() or path.read_text()) == before


@pytest.mark.parametrize("make", [link, lambda path: path.write_text("[]"), lambda path: path.write_text("{}")])
def test_a_folder_with_something_else_is_not_taken_as_a_whole(tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(record_path(tmp_path, member().arn))
    with pytest.raises(AnsibleOrgTrailError, match="is not the record of a trail"):
        list(recorded_trails(tmp_path))
    assert list(recorded_trails(tmp_path / "missing")) == []


def test_what_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AnsibleOrgTrailError, match=r"Failed to (read|write) the record .*Not a directory"):
        write_record(tmp_path / "file", record_of())
    monkeypatch.setattr(record_file, "write_whole", lambda _path, _parts: None)
    with pytest.raises(AnsibleOrgTrailError, match="does not hold what was written to it"):
        write_record(tmp_path, record_of())


@pytest.mark.parametrize(
    ("told", "since"),
    [
        ("", datetime(2026, 11, 20, 8, tzinfo=UTC)),
        ("2026-11-01T00:00:00Z", datetime(2026, 11, 20, 8, tzinfo=UTC)),
        ("2026-11-22T00:00:00Z", datetime(2026, 11, 22, tzinfo=UTC)),
    ],
)
def test_the_later_of_record_and_stop_counts(told: str, since: datetime) -> None:
    now = replace(member(logging=False), status={"StopLoggingTime": told})
    assert stopped_since(record_of(), now) == since
