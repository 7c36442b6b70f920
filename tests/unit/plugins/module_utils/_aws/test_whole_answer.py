# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that are cut, of somebody else, or hold what botocore does not know: real botocore, canned bodies."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws import cloudtrail
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import AnsibleOrgTrailError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.whole_answer import PAUSES, unknown_call
from botocore.awsrequest import AWSResponse

from tests.canned_aws import KNOWS_AGGREGATIONS, without_operation

ARN = "arn:aws:cloudtrail:eu-central-1:111122223333:trail/default"
DATA = {"Name": "data", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]}
GOOD = json.dumps({"TrailARN": ARN, "AdvancedEventSelectors": [DATA]})
PAGE = "<html>Sign in</html>"


class Raw:
    """A body as urllib3 hands it to botocore."""

    def __init__(self, body: str) -> None:
        self.body = body.encode()

    def stream(self, *_arguments: Any, **_options: Any) -> Any:
        yield self.body


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    return pauses


def client_of(bodies: list[str], status: int = 200) -> Any:
    """A client whose calls are answered with these bodies, one after the other."""
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
    client = boto3.client("cloudtrail", region_name="eu-central-1", **keys)
    answers = iter(bodies)

    def answer(request: Any, **_other: Any) -> Any:
        return AWSResponse(request.url, status, {}, Raw(next(answers)))

    client.meta.events.register("before-send.cloudtrail", answer)
    return client


CUT = [PAGE, "{}", "", json.dumps({"TrailARN": ARN.replace("default", "other")})]
READS: list[tuple[Callable[..., Any], str, Any]] = [
    (cloudtrail.get_event_selectors, GOOD, [DATA]),
    (
        cloudtrail.get_insight_selectors,
        json.dumps({"TrailARN": ARN, "InsightSelectors": [{"InsightType": "A"}]}),
        [{"InsightType": "A"}],
    ),
    (
        cloudtrail.get_aggregations,
        json.dumps({"TrailARN": ARN, "AggregationConfigurations": [{"Templates": ["A"]}]}),
        [{"Templates": ["A"]}],
    ),
    (
        cloudtrail.list_tags,
        json.dumps({"ResourceTagList": [{"ResourceId": ARN, "TagsList": [{"Key": "a", "Value": "b"}]}]}),
        {"a": "b"},
    ),
]


def told(answer: Any) -> Any:
    return answer["AdvancedEventSelectors"] if isinstance(answer, dict) and "TrailARN" in answer else answer


if not KNOWS_AGGREGATIONS:
    READS = [row for row in READS if row[0] != cloudtrail.get_aggregations]


@pytest.mark.parametrize("bad", CUT)
@pytest.mark.parametrize(("read", "good", "expected"), READS, ids=[row[0].__name__ for row in READS])
def test_what_is_cut_is_read_again(
    read: Callable[..., Any], good: str, expected: Any, bad: str, slept: list[float]
) -> None:
    assert told(read(client_of([bad, bad, good]), ARN)) == expected
    assert slept == list(PAUSES)


@pytest.mark.parametrize("bad", CUT)
@pytest.mark.parametrize("read", [row[0] for row in READS])
def test_what_stays_cut_is_refused(read: Callable[..., Any], bad: str, slept: list[float]) -> None:
    with pytest.raises(AnsibleOrgTrailError) as error:
        read(client_of([bad] * 3), ARN)
    assert ARN in str(error.value)
    assert "Asked 3 times" in str(error.value)


UNKNOWN = [
    ({"FutureEventSelectors": [{"Kind": "x"}]}, "FutureEventSelectors"),
    ({"AdvancedEventSelectors": [{**DATA, "Sampling": 5}]}, "AdvancedEventSelectors.Sampling"),
    (
        {"AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "readOnly", "Matches": ["x"]}]}]},
        "AdvancedEventSelectors.FieldSelectors.Matches",
    ),
    ({"EventSelectors": [{"ReadWriteType": "All", "Regions": ["us-east-1"]}]}, "EventSelectors.Regions"),
]


@pytest.mark.parametrize(("members", "named"), UNKNOWN)
def test_fact_2_14_what_botocore_does_not_know_is_refused(
    members: dict[str, Any], named: str, slept: list[float]
) -> None:
    with pytest.raises(AnsibleOrgTrailError) as error:
        cloudtrail.get_event_selectors(client_of([json.dumps({"TrailARN": ARN, **members})]), ARN)
    assert str(error.value) == (
        f"GetEventSelectors of {ARN} answered {named}, which the installed botocore does not know, expected only what "
        "it knows. Update boto3."
    )
    assert slept == []


def test_a_trail_with_a_setting_of_later_is_refused() -> None:
    client = client_of([json.dumps({"Trail": {"TrailARN": ARN, "Future": 1}})] * 2)
    assert cloudtrail.get_trail(client, ARN) == {"TrailARN": ARN}
    with pytest.raises(AnsibleOrgTrailError, match=r"GetTrail of .* answered Trail\.Future, which the installed"):
        cloudtrail.get_whole_trail(client, ARN)
    client = client_of([json.dumps({"Trail": {"TrailARN": ARN, "Future": 1}})])
    assert cloudtrail.get_whole_trail(client, ARN, also_unknown=True) == {"TrailARN": ARN}


@pytest.mark.parametrize(
    ("operation", "parameters", "unknown"),
    [
        ("UpdateTrail", {"S3BucketName": "b"}, ""),
        ("PutInsightSelectors", {"InsightSelectors": [{"InsightType": "A"}]}, ""),
        ("UpdateTrail", {"S3BucketName": "b", "Future": 1}, "Future of UpdateTrail"),
        (
            "PutInsightSelectors",
            {"InsightSelectors": [{"Future": []}]},
            "InsightSelectors.Future of PutInsightSelectors",
        ),
        ("FutureCall", {}, "FutureCall"),
    ],
)
def test_fact_2_14_a_call_that_botocore_does_not_know(operation: str, parameters: dict[str, Any], unknown: str) -> None:
    told = unknown_call(client_of([]), operation, parameters, ARN)
    assert told == (f"The installed botocore knows no {unknown}, which {ARN} needs. Update boto3." if unknown else "")


def test_a_read_that_botocore_does_not_know_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_of([])
    monkeypatch.setattr(client, "meta", without_operation("GetEventConfiguration"))
    with pytest.raises(AnsibleOrgTrailError, match=r"knows no GetEventConfiguration, which arn.* needs\. Update boto3"):
        cloudtrail.get_aggregations(client, ARN)


def test_each_operation_of_a_client_is_looked_into() -> None:
    insights = {"TrailARN": ARN, "InsightSelectors": [{"InsightType": "A", "Future": 1}]}
    client = client_of([GOOD, GOOD, json.dumps(insights)])
    for _time in range(2):
        assert cloudtrail.get_event_selectors(client, ARN)["AdvancedEventSelectors"] == [DATA]
    with pytest.raises(AnsibleOrgTrailError, match=r"answered InsightSelectors\.Future"):
        cloudtrail.get_insight_selectors(client, ARN)


def test_an_error_is_no_answer_to_look_into() -> None:
    body = json.dumps({"__type": "TrailNotFoundException", "Message": "x", "Future": 1})
    with pytest.raises(cloudtrail.AnsibleCloudTrailError) as error:
        cloudtrail.get_event_selectors(client_of([body], 400), ARN)
    assert "TrailNotFoundException" in str(error.value.exception)
