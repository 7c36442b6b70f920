# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between a trail and its record, and the calls that bring it back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.restore import (
    calls_to,
    differences,
)

from tests.member_trails import MEMBER, advanced, basic, data, management, member

ARN = f"arn:aws:cloudtrail:us-east-1:{MEMBER}:trail/default"
INSIGHTS = [{"InsightType": "ApiCallRateInsight", "EventCategories": ["Management"]}]
AGGREGATIONS = [{"EventCategory": "Data", "Templates": ["API_ACTIVITY"]}]
ADVANCED = advanced(management(readOnly="true"), data())
FULL = member(
    ADVANCED,
    insights=INSIGHTS,
    aggregations=AGGREGATIONS,
    tags={"team": "blue", "empty": "", "aws:cloudformation:stack-name": "s"},
    S3KeyPrefix="p",
    KmsKeyId="arn:key",
    SnsTopicARN="arn:topic",
    LogFileValidationEnabled=True,
)
CHANGES: list[tuple[Any, str, str, dict[str, Any]]] = [
    (member(S3KeyPrefix="x"), "S3KeyPrefix", "UpdateTrail", {"Name": ARN, "S3KeyPrefix": ""}),
    (member(SnsTopicARN="t"), "SnsTopicARN", "UpdateTrail", {"Name": ARN, "SnsTopicName": ""}),
    (
        member(IsMultiRegionTrail=False),
        "IsMultiRegionTrail",
        "UpdateTrail",
        {"Name": ARN, "IsMultiRegionTrail": True},
    ),
    (
        member(CloudWatchLogsRoleArn="r"),
        "CloudWatchLogsRoleArn",
        "UpdateTrail",
        {"Name": ARN, "CloudWatchLogsRoleArn": "", "CloudWatchLogsLogGroupArn": ""},
    ),
    (
        member(ADVANCED),
        "event selectors",
        "PutEventSelectors",
        {"TrailName": ARN, "EventSelectors": basic()["EventSelectors"]},
    ),
    (
        member(insights=INSIGHTS),
        "insight selectors",
        "PutInsightSelectors",
        {"TrailName": ARN, "InsightSelectors": []},
    ),
    (
        member(aggregations=AGGREGATIONS),
        "aggregations",
        "PutEventConfiguration",
        {"TrailName": ARN, "AggregationConfigurations": []},
    ),
    (member(tags={"a": "b"}), "tags", "RemoveTags", {"ResourceId": ARN, "TagsList": [{"Key": "a", "Value": "b"}]}),
]


@pytest.mark.parametrize(("now", "part", "operation", "parameters"), CHANGES)
def test_each_part_is_brought_back_alone(now: Any, part: str, operation: str, parameters: dict[str, Any]) -> None:
    assert differences(member(), now) == [part]
    [call] = calls_to(member(), now)
    assert (call.operation, call.parameters) == (operation, parameters)


@pytest.mark.parametrize(
    "now",
    [
        member(basic(DataResources=[], ExcludeManagementEventSources=[])),
        member(S3KeyPrefix=None),
        member(logging=False),
        member(tags={"aws:cloudformation:stack-name": "s"}),
        member(HasInsightSelectors=False),
    ],
)
def test_what_means_the_same_does_not_differ(now: Any) -> None:
    assert differences(member(), now) == []


def test_a_stopped_trail_is_only_started_and_none_is_ever_stopped() -> None:
    assert [call.operation for call in calls_to(member(), member(logging=False))] == ["StartLogging"]
    assert calls_to(member(logging=False), member()) == []


def test_a_deleted_trail_is_made_whole_and_started_last() -> None:
    calls = calls_to(FULL, None)
    assert [call.operation for call in calls] == [
        "CreateTrail",
        "PutEventSelectors",
        "PutInsightSelectors",
        "PutEventConfiguration",
        "StartLogging",
    ]
    assert calls[0].parameters == {
        "Name": "default",
        "S3BucketName": f"logs-{MEMBER}",
        "S3KeyPrefix": "p",
        "SnsTopicName": "arn:topic",
        "KmsKeyId": "arn:key",
        "IncludeGlobalServiceEvents": True,
        "IsMultiRegionTrail": True,
        "EnableLogFileValidation": True,
        "TagsList": [{"Key": "team", "Value": "blue"}, {"Key": "empty"}],
    }
    assert calls[1].parameters == {"TrailName": ARN, **ADVANCED}
    assert [call.operation for call in calls_to(member(logging=False), None)] == ["CreateTrail"]


def test_changed_tags_are_set_again() -> None:
    calls = calls_to(FULL, replace(FULL, tags={"team": "red", "empty": ""}))
    assert [(call.operation, call.parameters["TagsList"]) for call in calls] == [
        ("AddTags", [{"Key": "team", "Value": "blue"}])
    ]
