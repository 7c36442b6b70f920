# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls without boto3's client: the same request, and botocore's decision about another try."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from http.client import IncompleteRead
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
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.deadline import SlowAnswerError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.transport import Response
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.whole_answer import UNKNOWN
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber

from tests.aws_answers import MUTATIONS

ARN = "arn:aws:cloudtrail:us-east-1:111111111111:trail/default"
KEYS = ReadOnlyCredentials("AKIA", "secret", "token")


HEADERS = HTTPHeaders.from_dict({"Content-Type": "application/x-amz-json-1.1"})


class Http:
    """botocore's HTTP session: remembers the request and gives one answer."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.request: Any = None

    def send(self, request: Any) -> AWSResponse:
        self.request = request
        if isinstance(self.answer, Exception):
            raise self.answer
        status, body = self.answer
        response = AWSResponse(request.url, status, HEADERS, None)
        response._content = as_body(body)  # type: ignore[attr-defined, unused-ignore]
        return response


class Plain:
    """The plain connections: the same."""

    def __init__(self, answer: Any, ready: bool = True) -> None:
        self.answer = answer
        self.ready = ready
        self.sent: tuple[str, str, dict[str, str], bytes] | None = None

    def send(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Response:
        self.sent = (method, target, headers, body)
        if isinstance(self.answer, Exception):
            raise self.answer
        status, answered = self.answer
        return Response(status, HEADERS, as_body(answered))


def as_body(answer: Any) -> bytes:
    return answer if isinstance(answer, bytes) else json.dumps(answer).encode()


def new_client() -> Any:
    return boto3.client("cloudtrail", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")


CLIENT = new_client()


def call(answer: Any, attempt: int = 1, plain: bool = False) -> tuple[Any, Any]:
    """The answer of a caller that gets one by botocore or over plain connections, and what it sent."""
    caller: Any = Caller(CLIENT, "GetTrailStatus", Name=ARN)
    caller._transport = transport = Plain(answer, plain)
    CLIENT._endpoint.http_session = session = Http(answer)
    return caller(KEYS, attempt), transport.sent or session.request


def test_request_is_signed_with_the_given_keys() -> None:
    _, request = call((200, {"IsLogging": True}))
    assert request.url == "https://cloudtrail.eu-west-1.amazonaws.com/"
    assert json.loads(request.body) == {"Name": ARN}
    assert request.headers["X-Amz-Target"].endswith(".GetTrailStatus")
    assert b"/eu-west-1/cloudtrail/aws4_request" in request.headers["Authorization"].encode()
    assert request.headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIA/")
    assert request.headers["X-Amz-Security-Token"] == "token"


def test_the_first_attempt_goes_over_a_plain_connection() -> None:
    _, (method, target, headers, body) = call((200, {"IsLogging": True}), plain=True)
    _, request = call((200, {"IsLogging": True}))
    assert (method, target, body) == ("POST", "/", request.body)
    changing = ("Authorization", "X-Amz-Date")
    assert {name: value for name, value in headers.items() if name not in changing} == {
        name: value if isinstance(value, str) else value.decode()
        for name, value in request.headers.items()
        if name not in changing
    }
    credential = headers["Authorization"].partition(", SignedHeaders")[0]
    assert credential == request.headers["Authorization"].partition(", SignedHeaders")[0]


def test_further_attempts_are_botocores() -> None:
    _, sent = call((200, {"IsLogging": True}), attempt=2, plain=True)
    assert sent.url == "https://cloudtrail.eu-west-1.amazonaws.com/"


def test_keys_that_are_not_plain_are_signed_by_botocore() -> None:
    caller: Any = Caller(CLIENT, "GetTrailStatus", Name=ARN)
    caller._transport = transport = Plain((200, {"IsLogging": True}))
    CLIENT._endpoint.http_session = Http((200, {"IsLogging": True}))
    assert caller(KEYS._replace(token="to  ken"), 1).ok
    assert transport.sent is None


STATUSES = (200, 201, 204, 301, 400, 403, 404, 429, 500, 503)
GOOD = json.dumps({"IsLogging": True, "LatestDeliveryTime": 1767355200, "LatestDeliveryError": "AccessDenied"}).encode()
ERROR = json.dumps({"__type": "ThrottlingException", "message": "Rate exceeded"}).encode()
ANSWERS = [
    *(spoil(body) for body in (GOOD, ERROR) for spoil in MUTATIONS.values()),
    *(
        GOOD,
        ERROR,
        b'{"IsLogging": 1}',
        b'{"IsLogging": true, "LatestDeliveryTime": 1e99}',
        b"\xff",
        b'{"IsLogging": NaN}',
    ),
    *(b'{"IsLogging": true, "Brand": {"new": []}}', b'\xef\xbb\xbf{"IsLogging": true}', b'{"IsLogging": true}}'),
    b'{"IsLogging": true, "LatestDeliveryTime": "2026-01-02T12:00:00Z", "StopLoggingTime": null}',
]


@pytest.mark.parametrize("status", STATUSES)
def test_an_answer_means_the_same_on_both_ways(status: int) -> None:
    for body in ANSWERS:
        plain, botocores = (call((status, body), plain=way)[0] for way in (True, False))
        assert plain.parsed == {k: v for k, v in botocores.parsed.items() if k != "ResponseMetadata"} or (
            plain.parsed == botocores.parsed
        )
        assert (plain.ok, plain.code, plain.message) == (botocores.ok, botocores.code, botocores.message)
        assert (plain.again_after is None) == (botocores.again_after is None)


@pytest.mark.parametrize("error", [ConnectionResetError(), TimeoutError(), IncompleteRead(b""), OSError("TLS")])
def test_a_plain_connection_that_breaks_leads_to_an_attempt_of_botocores(error: Exception) -> None:
    answer, _ = call(error, plain=True)
    assert (answer.ok, answer.code) == (False, "")
    assert answer.again_after is not None


def test_an_answer_that_drips_is_not_waited_for_again() -> None:
    answer, _ = call(SlowAnswerError(endpoint_url="https://x", seconds=40.0), plain=True)
    assert (answer.ok, answer.message) == (
        False,
        "The answer of https://x was not there as a whole within 40 seconds",
    )
    assert answer.again_after is None


def test_further_parameters_are_checked_before_they_are_sent() -> None:
    sts: Any = boto3.client("sts", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    caller: Any = Caller(sts, "AssumeRole")
    caller._transport = Plain((200, b""))
    answer = caller(None, 1, RoleArn="short", RoleSessionName="tests")
    assert (answer.ok, answer.again_after, caller._transport.sent) == (False, None, None)
    assert "Invalid length for parameter RoleArn" in answer.message


def test_own_keys_sign_the_first_attempt() -> None:
    sts: Any = boto3.client("sts", region_name="eu-west-1", aws_access_key_id="AKIAOWN", aws_secret_access_key="b")
    caller: Any = Caller(sts, "AssumeRole")
    caller._transport = Plain(OSError())
    caller(None, 1, RoleArn="arn:aws:iam::111111111111:role/x", RoleSessionName="tests")
    _method, _target, headers, body = caller._transport.sent
    assert headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIAOWN/")
    assert "X-Amz-Security-Token" not in headers
    assert headers["Content-Length"] == str(len(body))
    assert b"RoleSessionName=tests" in body


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
        answer = Caller(client, "GetTrailStatus", Name=ARN)(None, 2)
    assert (answer.code, answer.message) == ("403", NOT_AWS)


def test_own_keys_go_through_the_client_after_the_first_attempt() -> None:
    client, time = new_client(), datetime(2026, 1, 2, 12, tzinfo=UTC)
    caller = Caller(client, "GetTrailStatus", Name=ARN)
    with Stubber(client) as stubber:
        stubber.add_response("get_trail_status", {"IsLogging": True, "LatestDeliveryTime": time}, {"Name": ARN})
        stubber.add_client_error("get_trail_status", "AccessDeniedException", "no", 400)
        assert caller(None, 2).parsed["LatestDeliveryTime"] == "2026-01-02T12:00:00Z"
        stubber.add_client_error("get_trail_status", "ThrottlingException", "slow", 400)
        assert caller(None, 2).code == "AccessDeniedException"
        assert caller(None, 2).again_after is not None


@pytest.mark.parametrize(
    ("keys", "attempt", "plain"),
    [(KEYS, 1, True), (KEYS, 2, False), (None, 2, False)],
    ids=["plain", "botocore", "own"],
)
def test_what_botocore_does_not_know_is_noted(keys: Any, attempt: int, plain: bool) -> None:
    client, answer = new_client(), (200, {"TrailARN": ARN, "EventSelectors": [{"Future": 1}], "OtherSelectors": []})
    caller: Any = Caller(client, "GetEventSelectors", notes_unknown=True, TrailName=ARN)
    caller._transport = Plain(answer, plain)
    client._endpoint.http_session = Http(answer)
    assert caller(keys, attempt).parsed[UNKNOWN] == ["EventSelectors.Future", "OtherSelectors"]
    assert UNKNOWN not in call(answer)[0].parsed


def test_own_keys_give_times_as_text_in_lists_too() -> None:
    client, time = new_client(), datetime(2026, 1, 2, 12, tzinfo=UTC)
    with Stubber(client) as stubber:
        stubber.add_response("lookup_events", {"Events": [{"EventTime": time}]}, {"MaxResults": 1})
        answer = Caller(client, "LookupEvents", MaxResults=1)(None, 2)
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
