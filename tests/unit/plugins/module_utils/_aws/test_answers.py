# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every operation that is called, with every spoilt answer."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.answers import (
    DOCUMENTS,
    NEEDED,
    NOT_AWS,
    NoAnswerError,
    flat_reader,
    protocol_of,
    read_answer,
    with_checked_answers,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.caller import iso_time
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.cloudtrail import (
    AnsibleCloudTrailError,
    get_trail_status,
    start_logging,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import outcome_unknown, sentence
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.parsers import ResponseParserFactory, create_parser

from tests.aws_answers import BODIES, MUTATIONS, UNPARSED, body_of, sample
from tests.canned_aws import KNOWS_AGGREGATIONS
from tests.unit.test_house import HOUSE

SERVICES = (
    *("account", "cloudtrail", "organizations", "iam", "kms", "s3", "sns", "sts", "ce"),
    *("events", "sqs", "cloudwatch"),
)
"""Organizations before IAM and Cost Explorer, which have operations of the same names that nothing here calls."""
KEYS = {"region_name": "eu-west-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}
ARN = "arn:aws:cloudtrail:eu-west-1:111111111111:trail/org"
NEW: set[str] = set() if KNOWS_AGGREGATIONS else {"GetEventConfiguration", "PutEventConfiguration"}
"""What old botocore does not know."""
WHOLE = {name: needed for name, needed in NEEDED.items() if name not in UNPARSED | NEW}


@cache
def client(service: str) -> Any:
    make: Any = boto3.client
    return with_checked_answers(make(service, **KEYS))


@cache
def operation(name: str) -> Any:
    models = (client(service).meta.service_model for service in SERVICES)
    return next(model.operation_model(name) for model in models if name in model.operation_names)


def good(name: str) -> Any:
    """An answer of AWS with every member."""

    def mend(value: Any) -> Any:
        if isinstance(value, list):
            return [mend(one) for one in value]
        if not isinstance(value, dict):
            return value
        return {key: mended(key, one) for key, one in value.items()}

    def mended(key: str, value: Any) -> Any:
        if isinstance(value, str) and key.lower().endswith("arn"):
            return ARN
        return "{}" if isinstance(value, str) and key in DOCUMENTS else mend(value)

    shape = operation(name).output_shape
    return None if shape is None else mend(sample(shape))


def read(name: str, body: bytes, status: int = 200) -> Any:
    model = operation(name)
    response = {"status_code": status, "headers": HTTPHeaders(), "body": body}
    return read_answer(create_parser(protocol_of(model.service_model)), model, response)


@pytest.mark.parametrize("name", WHOLE)
def test_answers_of_aws_come_in(name: str) -> None:
    answer = good(name) or {}
    members = {key for key in answer if operation(name).output_shape.members[key].serialization.get("location") is None}
    assert read(name, body_of(operation(name), answer)).keys() - {"ResponseMetadata"} == members


@pytest.mark.parametrize("spoil", BODIES)
@pytest.mark.parametrize("name", WHOLE)
def test_spoilt_bodies_stay_outside(name: str, spoil: str) -> None:
    model = operation(name)
    body = body_of(model, good(name))
    spoilt = BODIES[spoil](body)
    members = {} if model.output_shape is None else model.output_shape.members
    answers_nothing = all("location" in member.serialization for member in members.values())
    is_json = "json" in protocol_of(model.service_model)
    may_be_empty = answers_nothing or all("?" in path.partition(".")[0] for path in NEEDED[name])
    if spoilt == body or (answers_nothing and not spoilt) or (may_be_empty and is_json and spoilt == b"{}"):
        read(name, spoilt)  # that is all that AWS says itself
        return
    with pytest.raises(NoAnswerError) as caught:
        read(name, spoilt)
    assert caught.value.sentence.startswith(f"{name} answered ")
    assert caught.value.sentence.endswith(NOT_AWS)
    assert "Sign in" not in caught.value.sentence


def parts(path: str) -> list[str]:
    return [part.removesuffix("[]").removesuffix("?") for part in path.split(".")]


def places(value: Any, names: list[str]) -> Iterator[dict[str, Any]]:
    """The structures that have the last member of a path."""
    for one in value if isinstance(value, list) else [value]:
        if len(names) == 1:
            yield one
        else:
            yield from places(one[names[0]], names[1:])


NEEDS = [(name, path) for name, paths in WHOLE.items() for path in paths]


@pytest.mark.parametrize(("name", "path"), NEEDS)
def test_a_missing_member_is_named(name: str, path: str) -> None:
    value, names = copy.deepcopy(good(name)), parts(path)
    for place in places(value, names):
        del place[names[-1]]
    if "?" in path.rpartition(".")[2]:
        read(name, body_of(operation(name), value))
        return
    body = body_of(operation(name), value) if value else b""
    with pytest.raises(NoAnswerError, match=f"^.*{name} answered (without {names[-1]}|.* no JSON object|nothing)"):
        read(name, body)


@pytest.mark.parametrize(("name", "path"), [need for need in NEEDS if need[1].lower().endswith("arn")])
def test_an_arn_that_is_none(name: str, path: str) -> None:
    value, names = copy.deepcopy(good(name)), parts(path)
    for place in places(value, names):
        place[names[-1]] = "odd"
    with pytest.raises(NoAnswerError, match=f"answered {names[-1]} that is no ARN"):
        read(name, body_of(operation(name), value))


@pytest.mark.parametrize("document", ["", "no", "[]", "null", "<html></html>"])
def test_a_document_that_is_none(document: str) -> None:
    with pytest.raises(NoAnswerError, match="GetKeyPolicy answered Policy that is no JSON object"):
        read("GetKeyPolicy", json.dumps({"Policy": document}).encode())
    rule = {"Name": "n", "Arn": "arn:aws:events:us-east-1:1:rule/n", "State": "ENABLED", "EventPattern": document}
    with pytest.raises(NoAnswerError, match="DescribeRule answered EventPattern that is no JSON object"):
        read("DescribeRule", json.dumps(rule).encode())


@pytest.mark.parametrize(
    ("name", "answer", "problem"),
    [
        ("GetTrailStatus", {"IsLogging": "yes"}, "IsLogging in another form"),
        ("GetTrailStatus", {"IsLogging": True, "LatestDeliveryTime": "yesterday"}, "what cannot be read"),
        ("ListTrails", {"Trails": None}, "without Trails"),
        ("ListTrails", {"Trails": [None]}, "Trails in another form"),
        ("ListTrails", {"Trails": ["one"]}, "what cannot be read"),
        ("GetEventSelectors", {"TrailARN": ARN, "AdvancedEventSelectors": [{}]}, "without FieldSelectors"),
        (
            "GetEventSelectors",
            {"TrailARN": ARN, "EventSelectors": [{"ReadWriteType": "New"}]},
            "ReadWriteType of an unknown kind",
        ),
        (
            "GetEventSelectors",
            {"TrailARN": ARN, "AdvancedEventSelectors": [{"FieldSelectors": [{}]}]},
            "without Field",
        ),
    ],
)
def test_values_of_another_form(name: str, answer: Any, problem: str) -> None:
    with pytest.raises(NoAnswerError, match=f"{name} answered {problem}"):
        read(name, json.dumps(answer).encode())


@pytest.mark.parametrize("name", sorted(WHOLE))
def test_the_quick_reader_answers_what_the_whole_one_does_or_nothing(name: str) -> None:
    """It has its say only for the operation that is called most."""
    model = operation(name)
    factory = ResponseParserFactory()
    factory.set_parser_defaults(timestamp_parser=iso_time)
    parser = factory.create_parser(protocol_of(model.service_model))
    quick = flat_reader(model, iso_time)
    good_body = body_of(model, good(name))
    for body in (good_body, *(spoil(good_body) for spoil in MUTATIONS.values())):
        if (found := quick(body)) is not None:
            whole = read_answer(parser, model, {"status_code": 200, "headers": {}, "body": body})
            assert found == {member: value for member, value in whole.items() if member != "ResponseMetadata"}
    assert (quick(good_body) is not None) == (name == "GetTrailStatus")


def test_errors_of_aws_come_in() -> None:
    refused = read("GetTrailStatus", b'{"__type": "TrailNotFoundException", "message": "no"}', 400)
    assert refused["Error"]["Code"] == "TrailNotFoundException"


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("GetTrailStatus", b"[]"),
        ("GetBucketLocation", b""),
        ("GetBucketLocation", b"<html><br></html>"),
        ("GetRole", b"no"),
    ],
)
def test_an_error_that_cannot_be_read_is_none_of_aws(name: str, body: bytes) -> None:
    with pytest.raises(NoAnswerError, match=f"{name} answered what cannot be read"):
        read(name, body, 503)


def answering(*bodies: bytes) -> tuple[Any, list[bytes]]:
    """A client that is answered these bodies, one after the other, and those that are left."""
    left = list(bodies)

    def answer(**_call: Any) -> AWSResponse:
        response = AWSResponse("", 200, HTTPHeaders(), None)
        response._content = left.pop(0)  # type: ignore[attr-defined, unused-ignore]
        return response

    make: Any = boto3.client
    made = with_checked_answers(make("cloudtrail", **KEYS))
    made.meta.events.register("before-send", answer)
    return made, left


@pytest.fixture(autouse=True)
def no_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)


def test_a_read_is_made_again() -> None:
    made, left = answering(b"{}", b'{"IsLogging": true}')
    assert get_trail_status(made, ARN)["IsLogging"]
    assert left == []


def test_a_read_that_stays_spoilt_ends_in_a_sentence() -> None:
    made, left = answering(*[b"{}"] * 9)
    with pytest.raises(AnsibleCloudTrailError) as caught:
        get_trail_status(made, ARN)
    assert sentence(caught.value) == (
        f"Failed to get the status of the trail: GetTrailStatus answered without IsLogging. {NOT_AWS}"
    )
    assert len(left) == 9 - 3


def test_a_write_is_made_once_and_its_outcome_is_unknown() -> None:
    made, left = answering(b"<html></html>", b"{}")
    with pytest.raises(AnsibleCloudTrailError) as caught:
        start_logging(made, {"Name": ARN})
    assert outcome_unknown(caught.value)
    assert left == [b"{}"]


CALLED = r'client\.get_paginator\("([a-z0-9_]+)"|client\.([a-z0-9_]+)\('
ASKED = r'ask\(client, "(\w+)"'


def called() -> Iterator[str]:
    """The operations that the API files call."""
    names = {
        method: name for service in SERVICES for method, name in client(service).meta.method_to_api_mapping.items()
    }
    for path in sorted(Path(HOUSE / "_aws").glob("*.py")):
        text = path.read_text()
        yield from set(re.findall(ASKED, text)) - NEW
        for paginated, method in re.findall(CALLED, text):
            if name := names.get(paginated or method):
                yield name


def test_every_operation_that_is_called_has_its_needs() -> None:
    found = set(called())
    assert {"ListTrails", "GetObject", "AssumeRole"} <= found
    assert found == set(NEEDED) - NEW
