# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""LookupEvents in the lab: the journal as CloudTrail's event history (aws-facts 4.7)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.lab.organization_trail import member_of, refusal
from tests.lab_process import Lab


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab("--scenario", "lesson") as lab:
        yield lab


def lookup(client: Any, **parameters: Any) -> list[dict[str, Any]]:
    """All events, through all pages."""
    pages = client.get_paginator("lookup_events").paginate(**parameters)
    return [event for page in pages for event in page["Events"]]


def names(events: list[dict[str, Any]]) -> list[str]:
    return [event["EventName"] for event in events]


def test_fact_4_7_this_account_and_region_only(lab: Lab) -> None:
    first, second = member_of(lab, 0), member_of(lab, 1)
    lab.client("kms", first, "eu-west-1").list_keys()
    lab.client("kms", second, "eu-west-1").list_aliases()
    lab.client("kms", first, "eu-west-2").create_key()
    found = lookup(lab.client("cloudtrail", first, "eu-west-1"))
    assert names(found) == ["ListKeys"]
    event = json.loads(found[0]["CloudTrailEvent"])
    assert (event["recipientAccountId"], event["awsRegion"], event["eventCategory"]) == (
        first,
        "eu-west-1",
        "Management",
    )
    assert event["eventID"] == found[0]["EventId"]


def test_fact_4_7_pages_of_at_most_50_newest_first(lab: Lab) -> None:
    region = "eu-west-3"
    kms, cloudtrail = lab.client("kms", region=region), lab.client("cloudtrail", region=region)
    for number in range(60):
        (kms.list_keys if number % 2 else kms.list_aliases)()
    first = cloudtrail.lookup_events()
    assert len(first["Events"]) == 50
    second = cloudtrail.lookup_events(NextToken=first["NextToken"])
    assert "NextToken" not in second
    events = first["Events"] + second["Events"]
    assert names(events) == ["ListKeys", "ListAliases"] * 30
    assert len({event["EventId"] for event in events}) == 60
    assert [len(page["Events"]) for page in pages_of(cloudtrail, 25)][:2] == [25, 25]
    assert refusal(cloudtrail.lookup_events, NextToken="nonsense!") == "InvalidNextTokenException"


def pages_of(client: Any, size: int) -> Iterator[dict[str, Any]]:
    yield from client.get_paginator("lookup_events").paginate(PaginationConfig={"PageSize": size})


@pytest.mark.parametrize("size", [0, 51])
def test_fact_4_7_max_results(lab: Lab, size: int) -> None:
    client = lab.client("cloudtrail")
    client.meta.events.register(
        "before-call.cloudtrail.LookupEvents",
        lambda params, **_: params.update(body=json.dumps({"MaxResults": size}).encode()),
    )
    assert refusal(client.lookup_events) == "InvalidMaxResultsException"


def test_fact_4_7_ninety_days(lab: Lab) -> None:
    region = "ap-southeast-2"
    lab.client("kms", region=region).list_keys()
    for hours, expected in ((89 * 24, ["ListKeys"]), (2 * 24, [])):
        lab.control("POST", "time", {"hours": hours})
        found = names(lookup(lab.client("cloudtrail", region=region)))
        assert [name for name in found if name != "LookupEvents"] == expected
    lab.control("POST", "time", {"hours": -91 * 24})


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("EventName", "CreateKey", {"CreateKey"}),
        ("ReadOnly", "false", {"CreateKey", "StopLogging"}),
        ("EventSource", "kms.amazonaws.com", {"CreateKey", "ListKeys"}),
        ("Username", "admin", {"CreateKey", "ListKeys", "StopLogging"}),
        ("Username", "nobody", set()),
        ("ResourceName", "default", {"StopLogging"}),
        ("ResourceType", "AWS::CloudTrail::Trail", {"StopLogging"}),
        ("AccessKeyId", "own", {"CreateKey", "ListKeys", "StopLogging"}),
        ("AccessKeyId", "AKIAOTHER", set()),
    ],
)
def test_lookup_attributes(lab: Lab, key: str, value: str, expected: set[str]) -> None:
    region = "ca-central-1"
    cloudtrail = lab.client("cloudtrail", region=region)
    if not names(lookup(cloudtrail)):
        kms = lab.client("kms", region=region)
        kms.create_key()
        kms.list_keys()
        refusal(cloudtrail.stop_logging, Name="default")
    own = lab.environment["AWS_ACCESS_KEY_ID"]
    attribute = {"AttributeKey": key, "AttributeValue": own if value == "own" else value}
    assert set(names(lookup(cloudtrail, LookupAttributes=[attribute]))) - {"LookupEvents"} == expected
    two = [attribute, {"AttributeKey": "EventName", "AttributeValue": "CreateKey"}]
    assert refusal(cloudtrail.lookup_events, LookupAttributes=two) == "InvalidLookupAttributesException"


def test_fact_15_6_an_unknown_attribute_is_refused(lab: Lab) -> None:
    client = lab.client("cloudtrail", region="eu-north-1")
    attribute = [{"AttributeKey": "UserName", "AttributeValue": "admin"}]
    assert refusal(client.lookup_events, LookupAttributes=attribute) == "InvalidLookupAttributesException"


def test_lookup_by_time(lab: Lab) -> None:
    region = "us-west-2"
    kms, cloudtrail = lab.client("kms", region=region), lab.client("cloudtrail", region=region)
    kms.list_keys()
    lab.control("POST", "time", {"hours": 1})
    kms.list_aliases()
    now = datetime.fromisoformat(lab.control("GET", "time")["time"])
    half_past = now - timedelta(minutes=30)
    assert names(lookup(cloudtrail, EndTime=half_past)) == ["ListKeys"]
    assert "ListKeys" not in names(lookup(cloudtrail, StartTime=half_past))
    assert refusal(cloudtrail.lookup_events, StartTime=now, EndTime=half_past) == "InvalidTimeRangeException"
    lab.control("POST", "time", {"hours": -1})


def test_secrets_and_refused_calls_in_the_history(lab: Lab) -> None:
    region = "eu-central-1"
    member = member_of(lab, 2)
    sts = lab.client("sts", region=region)
    role = f"arn:aws:iam::{member}:role/unknown"
    assert refusal(sts.assume_role, RoleArn=role, RoleSessionName="test", ExternalId="very-secret") == "AccessDenied"
    [event] = [event for event in lookup(lab.client("cloudtrail", region=region)) if event["EventName"] == "AssumeRole"]
    assert "very-secret" not in event["CloudTrailEvent"]
    assert json.loads(event["CloudTrailEvent"])["errorCode"] == "AccessDenied"


@pytest.mark.parametrize(
    ("fault", "code"),
    [("throttle", "ThrottlingException"), ("code:ConflictException", "ConflictException"), ("lost_reply", None)],
)
def test_faults_are_history_unless_the_call_never_arrived(lab: Lab, fault: str, code: str | None) -> None:
    region = "sa-east-1"
    cloudtrail = lab.client("cloudtrail", region=region)
    for kind in (fault, "reset"):
        lab.control("POST", "faults", [{"fault": kind, "operation": "ListTrails", "region": region}])
        with pytest.raises(Exception, match=r".+"):
            cloudtrail.list_trails()
    lab.control("POST", "faults", [])
    newest = next(event for event in lookup(cloudtrail) if event["EventName"] == "ListTrails")
    assert json.loads(newest["CloudTrailEvent"]).get("errorCode") == code


def test_data_events_are_not_in_the_history(lab: Lab) -> None:
    s3 = lab.client("s3", region="us-east-2")
    s3.create_bucket(Bucket="history", CreateBucketConfiguration={"LocationConstraint": "us-east-2"})
    s3.put_object(Bucket="history", Key="a", Body=b"b")
    assert names(lookup(lab.client("cloudtrail", region="us-east-2"))) == ["CreateBucket"]


def test_clearing_the_journal_leaves_the_history(lab: Lab) -> None:
    region = "ap-northeast-1"
    lab.client("kms", region=region).list_keys()
    lab.clear_journal()
    assert names(lookup(lab.client("cloudtrail", region=region))) == ["ListKeys"]
