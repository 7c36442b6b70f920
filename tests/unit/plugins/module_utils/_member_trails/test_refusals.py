# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is refused of a trail, each in one sentence that names it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.judgement import judge
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.record import Record
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.refusals import (
    deletion_refusal,
    retirement_refusal,
    waiting,
)

from tests.member_trails import MEMBER, advanced, data, member, organization

STACK = {
    "aws:cloudformation:stack-name": "StackSet-baseline-0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f",
    "aws:cloudformation:stack-id": f"arn:aws:cloudformation:us-east-1:{MEMBER}:stack/StackSet-baseline/1",
}
FOLDER = Path("/records")


@pytest.mark.parametrize(
    ("trail", "says"),
    [
        (member(), []),
        (member(logging=False), []),
        (member(IsOrganizationTrail=True), ["is an organization trail"]),
        (member(tags=STACK), ["the CloudFormation StackSet baseline", STACK["aws:cloudformation:stack-id"], MEMBER]),
        (member(tags={"managed_by": "AFT"}), ["Account Factory for Terraform", MEMBER]),
        (member(tags={"ManagedBy": "terraform"}), ["belongs to Terraform", MEMBER]),
        (member(name="aws-controltower-BaselineCloudTrail"), ["belongs to AWS Control Tower"]),
        (member(advanced(data())), ["without it you would lose", "AWS::S3::Object"]),
        (member(SnsTopicARN="arn:topic"), ["notifications to the topic arn:topic"]),
    ],
)
def test_what_is_neither_stopped_nor_deleted(trail: Any, says: list[str]) -> None:
    refused = retirement_refusal(judge(trail, organization()))
    assert bool(refused) == bool(says)
    assert all(part in refused for part in says)


STOPPED = replace(member(logging=False), status={"StopLoggingTime": "2026-11-20T08:00:00Z"})
RECORD = Record(member(), "2026-11-20T08:00:01Z", "arn:me")


@pytest.mark.parametrize(
    ("now", "record", "says"),
    [
        (STOPPED, RECORD, ""),
        (member(), RECORD, "logs, expected a trail that is stopped"),
        (STOPPED, None, "There is no record /records/"),
        (replace(STOPPED, tags={"a": "b"}), RECORD, "tags changed since 2026-11-20T08:00:01Z"),
    ],
)
def test_what_is_not_deleted(now: Any, record: Record | None, says: str) -> None:
    refused = deletion_refusal(now, record, FOLDER)
    assert bool(refused) == bool(says)
    assert says in refused


@pytest.mark.parametrize(
    ("day", "hour", "early"), [(27, 7, True), (27, 8, True), (27, 9, False), (20, 9, True), (30, 0, False)]
)
def test_a_trail_is_kept_for_days(day: int, hour: int, early: bool) -> None:
    told = waiting(STOPPED, RECORD, 7, datetime(2026, 11, day, hour, tzinfo=UTC))
    assert bool(told) is early
    assert not early or "stopped since 2026-11-20 08:00 UTC, expected at least 7 days" in told
