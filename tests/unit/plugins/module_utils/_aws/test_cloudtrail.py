# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudTrail's calls: what each sends, and what it makes of the answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws import cloudtrail
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.cloudtrail import (
    WRITES,
    AnsibleCloudTrailError,
    deregister_delegated_admin,
    register_delegated_admin,
)
from botocore.stub import Stubber

from tests.canned_aws import KNOWS_AGGREGATIONS, CannedSession, client_error

ARN = "arn:aws:cloudtrail:eu-central-1:111122223333:trail/default"
SHADOW = ARN.replace("1111", "9999")
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
CALLS: list[tuple[str, tuple[Any, ...], str, Any, Any]] = [
    ("list_trails", (), "list_trails", {"Trails": [{"TrailARN": ARN}]}, [{"TrailARN": ARN}]),
    ("describe_own_trail", (ARN,), "describe_trails", {"trailList": [{"TrailARN": ARN}]}, {"TrailARN": ARN}),
    ("describe_own_trail", (ARN,), "describe_trails", {"trailList": [{"TrailARN": SHADOW}]}, None),
    ("describe_own_trail", (ARN,), "describe_trails", {"trailList": []}, None),
    ("describe_trails", (), "describe_trails", {"trailList": [{"Name": "x"}]}, [{"Name": "x"}]),
    ("get_trail", (ARN,), "get_trail", {"Trail": {"Name": "x"}}, {"Name": "x"}),
    ("get_trail_status", (ARN,), "get_trail_status", {"IsLogging": True}, {"IsLogging": True}),
    (
        "get_event_selectors",
        (ARN,),
        "get_event_selectors",
        {"TrailARN": ARN, "EventSelectors": []},
        {"TrailARN": ARN, "EventSelectors": []},
    ),
    (
        "get_insight_selectors",
        (ARN,),
        "get_insight_selectors",
        {"TrailARN": ARN, "InsightSelectors": [{"InsightType": "A"}]},
        [{"InsightType": "A"}],
    ),
    ("get_insight_selectors", (ARN,), "get_insight_selectors", {"TrailARN": ARN}, []),
    ("get_insight_selectors", (ARN,), "get_insight_selectors", client_error("InsightNotEnabledException"), []),
    (
        "get_aggregations",
        (ARN,),
        "get_event_configuration",
        {"TrailARN": ARN, "AggregationConfigurations": [{"Templates": ["A"]}]},
        [{"Templates": ["A"]}],
    ),
    (
        "get_aggregations",
        (ARN,),
        "get_event_configuration",
        {"TrailARN": ARN, "AggregationConfigurations": None},
        [],
    ),
    ("get_aggregations", (ARN,), "get_event_configuration", {"TrailARN": ARN}, []),
    (
        "list_tags",
        (ARN,),
        "list_tags",
        {"ResourceTagList": [{"ResourceId": ARN, "TagsList": [{"Key": "a", "Value": "b"}]}, {"ResourceId": ARN}]},
        {"a": "b"},
    ),
    ("get_event_data_store", (ARN,), "get_event_data_store", {"Name": "x"}, {"Name": "x"}),
    ("lookup_events", ("StopLogging", SINCE), "lookup_events", {"Events": [{"EventId": "1"}]}, [{"EventId": "1"}]),
    ("lookup_events_page", ("EventName", "A", SINCE, ""), "lookup_events", {"Events": []}, {"Events": []}),
    (
        "list_public_keys",
        (SINCE, SINCE),
        "list_public_keys",
        {"PublicKeyList": [{"Fingerprint": "f", "Value": b"v"}]},
        {"f": b"v"},
    ),
]
SENT: dict[str, dict[str, Any]] = {
    "list_trails": {},
    "describe_own_trail": {"trailNameList": [ARN], "includeShadowTrails": False},
    "describe_trails": {},
    "get_trail": {"Name": ARN},
    "get_trail_status": {"Name": ARN},
    "get_event_selectors": {"TrailName": ARN},
    "get_insight_selectors": {"TrailName": ARN},
    "get_aggregations": {"TrailName": ARN},
    "list_tags": {"ResourceIdList": [ARN]},
    "get_event_data_store": {"EventDataStore": ARN},
    "lookup_events": {
        "LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "StopLogging"}],
        "StartTime": SINCE,
    },
    "lookup_events_page": {
        "LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "A"}],
        "StartTime": SINCE,
    },
    "list_public_keys": {"StartTime": SINCE, "EndTime": SINCE},
}


KNOWN_CALLS = [call for call in CALLS if KNOWS_AGGREGATIONS or call[2] != "get_event_configuration"]


@pytest.mark.parametrize(("function", "arguments", "method", "answer", "expected"), KNOWN_CALLS)
def test_reads(function: str, arguments: tuple[Any, ...], method: str, answer: Any, expected: Any) -> None:
    session = CannedSession("111122223333", "eu-central-1", {method: answer})
    assert getattr(cloudtrail, function)(session.client("cloudtrail"), *arguments) == expected
    assert session.calls == [("eu-central-1", method, SENT[function])]


def test_event_data_stores_are_read_page_by_page() -> None:
    pages = iter(
        [
            {"EventDataStores": [{"EventDataStoreArn": "a"}], "NextToken": "more"},
            {"EventDataStores": [{"EventDataStoreArn": "b"}]},
        ]
    )
    session = CannedSession("111122223333", "eu-central-1", {"list_event_data_stores": lambda **_: next(pages)})
    assert cloudtrail.list_event_data_stores(session.client("cloudtrail")) == ["a", "b"]
    assert [parameters for _region, _method, parameters in session.calls] == [{}, {"NextToken": "more"}]


WRITTEN: dict[str, dict[str, Any]] = {
    "AddTags": {"ResourceId": ARN, "TagsList": [{"Key": "a", "Value": "b"}]},
    "CreateTrail": {"Name": "default", "S3BucketName": "bucket"},
    "DeleteTrail": {"Name": ARN},
    "PutEventSelectors": {"TrailName": ARN, "EventSelectors": []},
    "PutInsightSelectors": {"TrailName": ARN, "InsightSelectors": []},
    "RemoveTags": {"ResourceId": ARN, "TagsList": [{"Key": "a"}]},
    "StartLogging": {"Name": ARN},
    "StopLogging": {"Name": ARN},
    "UpdateTrail": {"Name": ARN, "IsOrganizationTrail": True},
}
METHODS = {
    "AddTags": "add_tags",
    "CreateTrail": "create_trail",
    "DeleteTrail": "delete_trail",
    "PutEventSelectors": "put_event_selectors",
    "PutInsightSelectors": "put_insight_selectors",
    "RemoveTags": "remove_tags",
    "StartLogging": "start_logging",
    "StopLogging": "stop_logging",
    "UpdateTrail": "update_trail",
}


@pytest.mark.parametrize("operation", WRITTEN)
def test_writes(operation: str) -> None:
    client = boto3.client("cloudtrail", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="s")
    with Stubber(client) as stub:
        stub.add_response(METHODS[operation], {}, WRITTEN[operation])
        WRITES[operation](client, WRITTEN[operation])
        stub.assert_no_pending_responses()


def test_every_write_is_tested() -> None:
    assert set(WRITES) == {*WRITTEN, "PutEventConfiguration"}  # which old botocore does not know


def test_put_event_configuration() -> None:
    session = CannedSession("111122223333", "eu-central-1", {"put_event_configuration": {}})
    WRITES["PutEventConfiguration"](session.client("cloudtrail"), {"TrailName": ARN})
    assert session.calls == [("eu-central-1", "put_event_configuration", {"TrailName": ARN})]


def test_an_error_says_what_failed() -> None:
    session = CannedSession("111122223333", "eu-central-1", {"get_trail": client_error("TrailNotFoundException")})
    with pytest.raises(AnsibleCloudTrailError, match=r"Failed to get the trail: .*TrailNotFoundException"):
        cloudtrail.get_trail(session.client("cloudtrail"), ARN)


def test_delegated_administrators_are_named_as_aws_names_them() -> None:
    done: dict[str, Any] = {"register_organization_delegated_admin": {}, "deregister_organization_delegated_admin": {}}
    session = CannedSession("111122223333", "us-east-1", done)
    register_delegated_admin(session.client("cloudtrail"), "444455556666")
    deregister_delegated_admin(session.client("cloudtrail"), "444455556666")
    assert [parameters for _region, _method, parameters in session.calls] == [
        {"MemberAccountId": "444455556666"},
        {"DelegatedAdminAccountId": "444455556666"},
    ]
