# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What would be lost without a member's trail."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.keeps import keeps
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.trail import Trail

from tests.member_trails import MEMBER, advanced, basic, data, management, member, organization

GROUP = f"arn:aws:logs:us-east-1:{MEMBER}:log-group:trail:*"
TOPIC = f"arn:aws:sns:us-east-1:{MEMBER}:trail"
RATE: list[dict[str, Any]] = [{"InsightType": "ApiCallRateInsight"}]
ONE_REGION: dict[str, Any] = {"IsMultiRegionTrail": False}
LOSSES: list[tuple[Trail, Trail, list[tuple[str, str]]]] = [
    (member(), organization(), []),
    (member(basic(ReadWriteType="WriteOnly")), organization(), []),
    (member(logging=False), organization(), []),
    (member(**ONE_REGION, region="eu-west-1"), organization(), []),
    (member(LogFileValidationEnabled=True), organization(LogFileValidationEnabled=True), []),
    (member(KmsKeyId="arn:aws:kms:us-east-1:1:key/k"), organization(), []),
    (member(insights=RATE), organization(insights=[{**RATE[0], "EventCategories": ["Management", "Data"]}]), []),
    (member(advanced(management(), data())), organization(advanced(management(), data())), []),
    (
        member(advanced(management(), data())),
        organization(),
        [("data_events", "data events of AWS::S3::Object")],
    ),
    (
        member(advanced({"eventCategory": "NetworkActivity", "eventSource": "ec2.amazonaws.com"})),
        organization(),
        [("network_activity_events", "network activity events of ec2.amazonaws.com")],
    ),
    (
        member(),
        organization(basic(ExcludeManagementEventSources=["kms.amazonaws.com"])),
        [("management_events", "management events of kms.amazonaws.com")],
    ),
    (
        member(advanced({"eventCategory": "ToCome"})),
        organization(),
        [("other_events", "ToCome")],
    ),
    (member(insights=RATE), organization(), [("insights", "ApiCallRateInsight of Management events")]),
    (
        member(aggregations=[{"EventCategory": "Data", "Templates": ["API_ACTIVITY"]}]),
        organization(),
        [("aggregations", "API_ACTIVITY of Data events")],
    ),
    (
        member(LogFileValidationEnabled=True),
        organization(),
        [("log_file_validation", "digest files, which the organization trail does not write")],
    ),
    (member(CloudWatchLogsLogGroupArn=GROUP), organization(), [("log_group", f"events in the log group {GROUP}")]),
    (member(SnsTopicARN=TOPIC), organization(), [("topic", f"notifications to the topic {TOPIC}")]),
    (member(), organization(**ONE_REGION), [("regions", "events of regions other than us-east-1")]),
    (
        member(**ONE_REGION, region="eu-west-1"),
        organization(**ONE_REGION),
        [("regions", "events of regions other than us-east-1")],
    ),
    (member(**ONE_REGION), organization(**ONE_REGION), []),
    (
        member(**ONE_REGION),
        organization(**ONE_REGION, IncludeGlobalServiceEvents=False),
        [("global_service_events", "events of global services")],
    ),
]


@pytest.mark.parametrize(("own", "other", "losses"), LOSSES)
def test_keeps(own: Trail, other: Trail, losses: list[tuple[str, str]]) -> None:
    found: list[dict[str, Any]] = [keep.to_dict() for keep in keeps(own, other)]
    assert found == [{"kind": kind, "text": text} for kind, text in losses]
