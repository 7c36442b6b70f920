# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a member's trail whole."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import AnsibleOrgTrailError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.reader import read_trail

from tests.canned_aws import KNOWS_AGGREGATIONS, CannedClient, CannedSession, client_error, without_operation
from tests.member_trails import MEMBER, advanced, basic, data, member

ARN = member().arn
SETTINGS = {**member().settings, "HasInsightSelectors": False}
STOPPED = datetime(2026, 11, 20, 8, tzinfo=UTC)
ANSWERS: dict[str, Any] = {
    "get_trail": {"Trail": SETTINGS},
    "get_trail_status": {"IsLogging": False, "StopLoggingTime": STOPPED, "ResponseMetadata": {}},
    "get_event_selectors": {"TrailARN": str(ARN), **basic(), "ResponseMetadata": {}},
    "list_tags": {"ResourceTagList": [{"ResourceId": str(ARN), "TagsList": [{"Key": "a", "Value": "b"}]}]},
}


def read(**answers: Any) -> tuple[Any, list[str]]:
    session = CannedSession(MEMBER, "us-east-1", {**ANSWERS, **answers})
    trail = read_trail(session.client("cloudtrail"), ARN)
    return trail, session.called()


def test_a_trail_is_read_with_the_calls_that_it_needs() -> None:
    trail, called = read()
    assert called == sorted(ANSWERS)
    assert trail.status == {"IsLogging": False, "StopLoggingTime": "2026-11-20T08:00:00Z"}
    assert trail.selectors == {"TrailARN": str(ARN), **basic()}
    assert (trail.settings, trail.logging, trail.tags) == (SETTINGS, False, {"a": "b"})


@pytest.mark.skipif(not KNOWS_AGGREGATIONS, reason="such a trail is refused there, see below")
def test_insights_and_aggregations_are_read_where_there_are_some() -> None:
    insights = [{"InsightType": "ApiCallRateInsight"}]
    aggregations = [{"EventCategory": "Data", "Templates": ["API_ACTIVITY"]}]
    trail, _called = read(
        get_trail={"Trail": {**SETTINGS, "HasInsightSelectors": True}},
        get_event_selectors={"TrailARN": str(ARN), **advanced(data())},
        get_insight_selectors={"TrailARN": str(ARN), "InsightSelectors": insights},
        get_event_configuration={"TrailARN": str(ARN), "AggregationConfigurations": aggregations},
    )
    assert (trail.insights, trail.aggregations) == (insights, aggregations)


def test_fact_2_14_aggregations_that_botocore_does_not_know_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    session = CannedSession(MEMBER, "us-east-1", {**ANSWERS, "get_event_selectors": advanced(data())})
    monkeypatch.setattr(CannedClient, "meta", without_operation("GetEventConfiguration"))
    with pytest.raises(AnsibleOrgTrailError, match=r"knows no GetEventConfiguration, which arn.* needs\. Update boto3"):
        read_trail(session.client("cloudtrail"), ARN)


def test_a_trail_that_is_not_there_is_none_and_another_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    assert read(get_trail=client_error("TrailNotFoundException"))[0] is None
    with pytest.raises(AnsibleOrgTrailError, match=r"GetTrail of .* answered about arn:other, expected"):
        read(get_trail={"Trail": {**SETTINGS, "TrailARN": "arn:other"}})
