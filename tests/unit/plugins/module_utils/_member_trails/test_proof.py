# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What proves that an account is covered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.log_place import LogPlace
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.proof import (
    Place,
    Seen,
    coverage_problem,
    files_problem,
)

from tests.canned_aws import CannedSession
from tests.member_trails import MEMBER, member, organization

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
HOME, AWAY = Place("us-east-1", ""), Place("eu-west-1", "")
BLIND = Place("eu-west-1", "Logging is stopped.")
ONE_REGION = {"IsMultiRegionTrail": False, "IncludeGlobalServiceEvents": False}


@pytest.mark.parametrize(
    ("settings", "places", "unknown", "says"),
    [
        ({}, [HOME, AWAY], "", ""),
        ({}, [HOME, BLIND], "", "is not covered in eu-west-1: Logging is stopped."),
        ({}, [HOME, BLIND, BLIND], "", "So are 1 more regions."),
        ({"IsMultiRegionTrail": False}, [HOME, BLIND], "", "is not covered in eu-west-1"),
        (ONE_REGION, [HOME, BLIND], "", ""),
        (ONE_REGION, [AWAY], "", "is not known to be covered in us-east-1, where arn:"),
        ({}, [AWAY], "", "is not known to be covered in us-east-1, where arn:"),
        ({}, [], "", "is not known to be covered in us-east-1, where arn:"),
        ({}, [HOME], "Denied.", "is not known to be covered in every region: Denied."),
    ],
)
def test_every_region_of_the_trail_must_be_covered(
    settings: dict[str, Any], places: list[Place], unknown: str, says: str
) -> None:
    problem = coverage_problem(member(**settings), Seen(places, unknown))
    assert bool(problem) == bool(says)
    assert says in problem


def file_of(age: timedelta, region: str = "us-east-1") -> str:
    time = NOW - age
    folder = f"AWSLogs/o-1/{MEMBER}/CloudTrail/{region}/{time:%Y/%m/%d}"
    return f"{folder}/{MEMBER}_CloudTrail_{region}_{time:%Y%m%dT%H%M}Z_abc.json.gz"


RECENT, OLD = "within 24 hours", "between 30 days and 24 hours ago"
NEW = file_of(timedelta(hours=1))


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ([file_of(timedelta(days=2)), NEW], ""),
        ([file_of(timedelta(hours=24, minutes=1)), NEW], ""),
        ([file_of(timedelta(days=2), "eu-west-1"), NEW], ""),
        ([file_of(timedelta(days=2)), file_of(timedelta(hours=1), "eu-west-1")], ""),
        ([file_of(timedelta(days=40)), file_of(timedelta(days=2)), NEW], ""),
        ([file_of(timedelta(hours=24)), NEW], OLD),
        ([file_of(timedelta(days=40)), NEW], OLD),
        ([NEW], OLD),
        ([file_of(timedelta(days=2))], RECENT),
        ([file_of(timedelta(days=2)), file_of(timedelta(hours=1), "eu-west-2")], RECENT),
        ([], RECENT),
    ],
)
def test_files_must_arrive_for_a_day_and_go_on(files: list[str], says: str) -> None:
    def first(Prefix: str, StartAfter: str, **_other: Any) -> dict[str, Any]:
        found = sorted(key for key in files if key.startswith(Prefix) and key > StartAfter)
        return {"Contents": [{"Key": key} for key in found[:1]]}

    s3 = CannedSession("333333333333", "us-east-1", {"list_objects_v2": first})
    place = LogPlace("logs", organization().arn, "o-1")
    regions = ["us-east-1", "eu-west-1"]
    problem = files_problem(s3.client("s3"), place, "333333333333", MEMBER, regions, NOW)
    assert bool(problem) == bool(says)
    assert says in problem
