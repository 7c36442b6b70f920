# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls without boto3's client: the same request, and botocore's decision about another try."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.answers import NOT_AWS, with_checked_answers
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.caller import (
    FAILED_ATTEMPTS,
    THROTTLED_ATTEMPTS,
    Caller,
    ClientCaller,
    iso_time,
)
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber

ARN = "arn:aws:cloudtrail:us-east-1:111111111111:trail/default"
KEYS = ReadOnlyCredentials("AKIA", "secret", "token")


class Http:
    """The HTTP session: remembers the request and gives one answer."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.request: Any = None

    def send(self, request: Any) -> AWSResponse:
        self.request = request
        if isinstance(self.answer, Exception):
            raise self.answer
        status, body = self.answer
        headers = HTTPHeaders.from_dict({"Content-Type": "application/x-amz-json-1.1"})
        response = AWSResponse(request.url, status, headers, None)
        response._content = json.dumps(body).encode()  # type: ignore[attr-defined, unused-ignore]
        return response


def new_client() -> Any:
    return boto3.client("cloudtrail", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")


def call(answer: Any, attempt: int = 1) -> tuple[Any, Any]:
    caller = Caller(new_client(), "GetTrailStatus", Name=ARN)
    caller._http = Http(answer)
    return caller(KEYS, attempt), caller._http.request


def test_request_is_signed_with_the_given_keys() -> None:
    _, request = call((200, {"IsLogging": True}))
    assert request.url == "https://cloudtrail.eu-west-1.amazonaws.com/"
    assert json.loads(request.body) == {"Name": ARN}
    assert request.headers["X-Amz-Target"].endswith(".GetTrailStatus")
    assert b"/eu-west-1/cloudtrail/aws4_request" in request.headers["Authorization"].encode()
    assert request.headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIA/")
    assert request.headers["X-Amz-Security-Token"] == "token"


def test_answer_has_times_as_text() -> None:
    answer, _ = call((200, {"IsLogging": True, "LatestDeliveryTime": 1767355200}))
    assert answer.ok
    assert answer.parsed["LatestDeliveryTime"] == "2026-01-02T12:00:00Z"


@pytest.mark.parametrize(
    ("answer", "attempt", "code", "again"),
    [
        ((400, {"__type": "ThrottlingException", "message": "slow"}), 1, "ThrottlingException", True),
        ((400, {"__type": "ThrottlingException"}), THROTTLED_ATTEMPTS - 1, "ThrottlingException", True),
        ((400, {"__type": "ThrottlingException"}), THROTTLED_ATTEMPTS, "ThrottlingException", False),
        ((400, {"__type": "ConflictException"}), 1, "ConflictException", True),
        ((400, {"__type": "ConcurrentModificationException"}), 1, "ConcurrentModificationException", True),
        ((503, {"__type": "ServiceUnavailable"}), 1, "ServiceUnavailable", True),
        ((500, {}), FAILED_ATTEMPTS, "500", False),
        ((400, {"__type": "AccessDeniedException", "Message": "no"}), 1, "AccessDeniedException", False),
        ((400, {"__type": "TrailNotFoundException"}), 1, "TrailNotFoundException", False),
        (EndpointConnectionError(endpoint_url="https://x"), 1, "", True),
        (EndpointConnectionError(endpoint_url="https://x"), FAILED_ATTEMPTS, "", False),
    ],
)
def test_failures(answer: Any, attempt: int, code: str, again: bool) -> None:
    found, _ = call(answer, attempt)
    assert not found.ok
    assert (found.code, found.again_after is not None) == (code, again)


def test_a_page_in_place_of_json_does_not_become_the_reason() -> None:
    client, page = new_client(), "<!DOCTYPE html><html>no</html>"
    with Stubber(client) as stubber:
        stubber.add_client_error("get_trail_status", "403", page, 403)
        answer = Caller(client, "GetTrailStatus", Name=ARN)(None, 1)
    assert (answer.code, answer.message) == ("403", NOT_AWS)


def test_own_keys_go_through_the_client() -> None:
    client, time = new_client(), datetime(2026, 1, 2, 12, tzinfo=UTC)
    caller = Caller(client, "GetTrailStatus", Name=ARN)
    with Stubber(client) as stubber:
        stubber.add_response("get_trail_status", {"IsLogging": True, "LatestDeliveryTime": time}, {"Name": ARN})
        stubber.add_client_error("get_trail_status", "AccessDeniedException", "no", 400)
        assert caller(None, 1).parsed["LatestDeliveryTime"] == "2026-01-02T12:00:00Z"
        stubber.add_client_error("get_trail_status", "ThrottlingException", "slow", 400)
        assert caller(None, 1).code == "AccessDeniedException"
        assert caller(None, 1).again_after is not None


def test_own_keys_give_times_as_text_in_lists_too() -> None:
    client, time = new_client(), datetime(2026, 1, 2, 12, tzinfo=UTC)
    with Stubber(client) as stubber:
        stubber.add_response("lookup_events", {"Events": [{"EventTime": time}]}, {"MaxResults": 1})
        answer = Caller(client, "LookupEvents", MaxResults=1)(None, 1)
    assert answer.parsed["Events"] == [{"EventTime": "2026-01-02T12:00:00Z"}]


def test_a_page_of_a_proxy_is_no_answer() -> None:
    """STS answers in XML, which botocore fails to read in HTML that has no end tags."""
    sts: Any = boto3.client("sts", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    page = AWSResponse("", 503, HTTPHeaders.from_dict({"Content-Type": "text/html"}), None)
    page._content = b"<!DOCTYPE html><html><br></html>"  # type: ignore[attr-defined, unused-ignore]
    sts.meta.events.register("before-send.sts", lambda **_: page)
    ask = ClientCaller(with_checked_answers(sts), "GetCallerIdentity")
    first, last = ask(1), ask(FAILED_ATTEMPTS)
    assert (first.ok, first.code) == (False, "")
    assert first.message in (f"GetCallerIdentity answered what cannot be read. {NOT_AWS}", NOT_AWS)  # old botocore's
    assert first.again_after is not None
    assert last.again_after is None


@pytest.mark.parametrize("value", [1767355200, 1767355200.4, "2026-01-02T12:00:00Z", "2026-01-02T13:00:00+01:00"])
def test_iso_time(value: Any) -> None:
    assert iso_time(value) == "2026-01-02T12:00:00Z"
