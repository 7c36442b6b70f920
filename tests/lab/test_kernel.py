# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's kernel: faults, journal, options, clock, concurrency, command line."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError, ReadTimeoutError
from werkzeug.test import EnvironBuilder

from lab.__main__ import main
from lab.kernel import server
from lab.kernel.world import World
from tests.lab.organization_trail import refusal, refused
from tests.lab_process import Lab


@pytest.fixture(scope="module")
def shared() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


@pytest.fixture
def lab(shared: Lab) -> Iterator[Lab]:
    shared.clear_journal()
    yield shared
    shared.control("POST", "faults", [])


def outcome(method: Any, **parameters: Any) -> str:
    """``ok``, the error code, or the name of botocore's exception."""
    try:
        method(**parameters)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    except BotoCoreError as error:
        return type(error).__name__
    return "ok"


# --- faults -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("service", "operation", "fault", "code", "status"),
    [
        ("cloudtrail", "describe_trails", "throttle", "ThrottlingException", 400),
        ("organizations", "list_roots", "throttle", "TooManyRequestsException", 400),
        ("sts", "get_caller_identity", "throttle", "Throttling", 400),
        ("s3", "list_buckets", "throttle", "SlowDown", 503),
        ("cloudtrail", "describe_trails", "http500", "InternalFailure", 500),
        ("s3", "list_buckets", "http503", "ServiceUnavailable", 503),
        ("cloudtrail", "describe_trails", "code:ConflictException", "ConflictException", 400),
        ("organizations", "list_roots", "code:ConcurrentModificationException", "ConcurrentModificationException", 400),
        ("iam", "list_roles", "code:AccessDenied", "AccessDenied", 403),
    ],
)
def test_faults_that_are_answers(lab: Lab, service: str, operation: str, fault: str, code: str, status: int) -> None:
    lab.control("POST", "faults", [{"service": service, "fault": fault, "times": 1}])
    method = getattr(lab.client(service), operation)
    with pytest.raises(ClientError) as caught:
        method()
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert outcome(method) == "ok"
    assert [entry["outcome"] for entry in lab.journal(service=service)] == [f"fault:{fault}", "ok"]


def test_reset_drops_the_call_and_nothing_happens(lab: Lab) -> None:
    lab.control("POST", "faults", [{"operation": "CreateBucket", "fault": "reset"}])
    s3 = lab.client("s3")
    assert outcome(s3.create_bucket, Bucket="never-made") in ("ConnectionClosedError", "EndpointConnectionError")
    assert refusal(s3.head_bucket, Bucket="never-made") == "404"


def test_lost_reply_drops_the_answer_of_what_happened(lab: Lab) -> None:
    lab.control("POST", "faults", [{"operation": "CreateBucket", "fault": "lost_reply", "times": 1}])
    s3 = lab.client("s3")
    with pytest.raises(ConnectionClosedError):
        s3.create_bucket(Bucket="made-without-a-word")
    assert not refusal(s3.head_bucket, Bucket="made-without-a-word")
    assert lab.journal(operation="CreateBucket")[0]["outcome"] == "fault:lost_reply"


@pytest.mark.parametrize(("fault", "done"), [("timeout", False), ("late_reply", True)])
def test_a_timeout_does_nothing_and_a_late_reply_comes_after_all_was_done(lab: Lab, fault: str, done: bool) -> None:
    lab.control("POST", "faults", [{"operation": "CreateUser", "fault": fault}])
    hasty = Config(read_timeout=0.3, retries={"total_max_attempts": 1})
    client = lab.client_with(lab.client("sts").get_session_token()["Credentials"], "iam", config=hasty)
    with pytest.raises(ReadTimeoutError):
        client.create_user(UserName=fault)
    assert [user["UserName"] for user in client.list_users()["Users"] if user["UserName"] == fault] == [fault] * done


@pytest.mark.parametrize(
    ("rule", "hits"),
    [
        ({}, "xxxxxx"),
        ({"nth": 3}, "..x..."),
        ({"nth": 3, "times": 2}, "..xx.."),
        ({"times": 2}, "xx...."),
        ({"every": 2}, ".x.x.x"),
        ({"region": "eu-west-1"}, "......"),
        ({"account": "MANAGEMENT"}, "xxxxxx"),
        ({"account": "ARCHIVE"}, "......"),
        ({"operation": "GetTrail"}, "......"),
    ],
    ids=str,
)
def test_rules_say_which_calls_are_hit(lab: Lab, rule: dict[str, Any], hits: str) -> None:
    names = {"MANAGEMENT": lab.management, "ARCHIVE": lab.log_archive}
    filled = {key: names.get(value, value) for key, value in rule.items()}
    client = lab.client("cloudtrail")
    lab.control("POST", "faults", [{"service": "cloudtrail", "fault": "throttle", **filled}])
    assert "".join("." if outcome(client.describe_trails) == "ok" else "x" for _ in range(6)) == hits


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        ([{"fault": "explode"}], "A fault is one of"),
        ([{"fault": "reset", "when": 1}], "found ['when']"),
        ([{"fault": "reset", "nth": "3"}], "The field nth of a fault rule is a int, found '3'."),
    ],
)
def test_wrong_rules_are_refused(lab: Lab, rules: list[dict[str, Any]], text: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        lab.control("POST", "faults", rules)
    assert text in str(caught.value)
    assert lab.control("GET", "faults") == []


# --- journal, options, clock ------------------------------------------------------------------------


def test_journal_tells_who_called_what_without_secrets(lab: Lab) -> None:
    role = f"arn:aws:iam::{lab.log_archive}:role/OrganizationAccountAccessRole"
    lab.client("sts").assume_role(RoleArn=role, RoleSessionName="me", ExternalId="very-secret")
    lab.client("cloudtrail", region="eu-west-1").describe_trails(trailNameList=["default"])
    refusal(lab.client("s3").get_bucket_policy, Bucket="absent")
    assumed, described, refused_one = lab.journal(account=lab.management)
    assert assumed["operation"] == "AssumeRole"
    assert assumed["parameters"]["RoleArn"] == role
    assert "very-secret" not in json.dumps(assumed)
    assert (described["service"], described["operation"], described["region"]) == (
        "cloudtrail",
        "DescribeTrails",
        "eu-west-1",
    )
    assert described["principal"] == f"arn:aws:iam::{lab.management}:user/admin"
    assert described["parameters"] == {"trailNameList": ["default"]}
    assert (refused_one["outcome"], refused_one["service"]) == ("NoSuchBucket", "s3")
    assert lab.journal(writes=True) == []
    lab.clear_journal()
    assert lab.journal() == []


def test_journal_tells_writes(lab: Lab) -> None:
    lab.client("organizations").tag_resource(ResourceId=lab.log_archive, Tags=[{"Key": "a", "Value": "b"}])
    assert [entry["operation"] for entry in lab.journal(writes=True)] == ["TagResource"]


@pytest.mark.parametrize(
    ("method", "path", "body", "text"),
    [
        ("POST", "options", {"nonsense": 1}, "The lab has no option 'nonsense'"),
        ("POST", "options", {"admission_markers": "yes"}, "is a bool, found 'yes'"),
        ("POST", "time", {}, "needs the field 'hours'"),
        ("POST", "time", {"to": "tomorrow"}, "Invalid isoformat"),
        ("GET", "journal?color=red", None, "found ['color']"),
        ("GET", "nonsense", None, "The lab has no GET /lab/nonsense."),
    ],
)
def test_wrong_control_requests_are_refused_in_one_sentence(
    lab: Lab, method: str, path: str, body: Any, text: str
) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        lab.control(method, path, body)
    assert text in str(caught.value)


def test_options_are_changed_and_told(lab: Lab) -> None:
    before = lab.control("GET", "options")
    assert lab.control("POST", "options", {"member_propagation_hours": 3})["member_propagation_hours"] == 3
    assert lab.control("POST", "options", before) == before


def test_clock_moves(lab: Lab) -> None:
    before = datetime.fromisoformat(lab.control("GET", "time")["time"])
    after = datetime.fromisoformat(lab.control("POST", "time", {"hours": 5})["time"])
    assert timedelta(hours=5) <= after - before < timedelta(hours=5, minutes=5)
    there = "2030-01-01T00:00:00+00:00"
    assert lab.control("POST", "time", {"to": there})["time"].startswith("2030-01-01T00:00:0")
    lab.control("POST", "time", {"to": before.isoformat()})


# --- HTTP -------------------------------------------------------------------------------------------


def test_one_connection_carries_many_requests(lab: Lab) -> None:
    connection = http.client.HTTPConnection(lab.endpoint.removeprefix("http://"))
    connection.request("GET", "/lab/options")
    assert connection.getresponse().read()
    first = connection.sock
    connection.request("POST", "/lab/faults", json.dumps([{"fault": "wrong"}]))
    assert connection.getresponse().read()
    assert connection.sock is first
    connection.close()


def test_objects_survive_the_way_through(lab: Lab) -> None:
    s3 = lab.client("s3", lab.log_archive)
    body = bytes(range(256)) * 4096
    s3.create_bucket(Bucket="way-through")
    s3.put_object(Bucket="way-through", Key="a b/ü&c", Body=body, Metadata={"one_two": "x"})
    got = s3.get_object(Bucket="way-through", Key="a b/ü&c")
    assert got["Body"].read() == body
    assert got["Metadata"] == {"one_two": "x"}
    assert s3.head_object(Bucket="way-through", Key="a b/ü&c")["ContentLength"] == len(body)
    s3.delete_object(Bucket="way-through", Key="a b/ü&c")


def test_what_the_lab_cannot_read_is_not_a_crash(lab: Lab) -> None:
    connection = http.client.HTTPConnection(lab.endpoint.removeprefix("http://"))
    scope = f"{lab.environment['AWS_ACCESS_KEY_ID']}/20300101/us-east-1/cloudtrail/aws4_request"
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
        "X-Amz-Target": "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.DescribeTrails",
        "Content-Type": "application/x-amz-json-1.1",
    }
    connection.request("POST", "/", b"{not json", headers)
    assert connection.getresponse().status == 400
    connection.close()


@pytest.mark.parametrize("target", ["com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101", "CloudTrail_20131101"])
def test_clients_in_other_languages_name_operations_by_the_model(lab: Lab, target: str) -> None:
    connection = http.client.HTTPConnection(lab.endpoint.removeprefix("http://"))
    scope = f"{lab.environment['AWS_ACCESS_KEY_ID']}/20300101/us-east-1/cloudtrail/aws4_request"
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
        "X-Amz-Target": f"{target}.DescribeTrails",
        "Content-Type": "application/x-amz-json-1.1",
    }
    connection.request("POST", "/", b"{}", headers)
    assert "trailList" in json.loads(connection.getresponse().read())
    connection.close()


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("accessanalyzer", "list_analyzers", "UnknownOperationException"),  # moto has no such service
        ("account", "get_account_information", "UnknownOperationException"),  # moto has no such operation
        ("amp", "get_default_scraper_configuration", "UnknownOperationException"),  # signed with another name
        ("mailmanager", "list_addon_instances", "UnknownOperationException"),  # a protocol that moto cannot read
        ("eventbridgev2", "list_event_buses", "UnknownOperationException"),  # CBOR
        ("elbv2", "describe_account_limits", "InvalidAction"),
        ("cloudsearch", "describe_domains", "InvalidAction"),
    ],
)
def test_what_the_lab_does_not_know_is_answered_as_by_aws(lab: Lab, service: str, operation: str, code: str) -> None:
    if service not in boto3.session.Session().get_available_services():
        pytest.skip(f"an older botocore has no {service}")
    assert outcome(getattr(lab.client(service), operation)) == code


def test_latency_is_waited_for_without_holding_up_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a call waits, another one can have the lab's lock."""
    world = World(latency_ms=5)
    waits: list[tuple[float, bool]] = []

    def wait(seconds: float) -> None:
        other = threading.Thread(target=lambda: waits.append((seconds, world.lock.acquire(timeout=10))))
        other.start()
        other.join()

    monkeypatch.setattr("lab.kernel.server.time.sleep", wait)
    scope = "AKIANOBODY0000000000/20300101/us-east-1/sts/aws4_request"
    headers = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}
    form = {"Action": "GetCallerIdentity", "Version": "2011-06-15"}
    environ = EnvironBuilder(method="POST", headers=list(headers.items()), data=form).get_environ()
    status, _headers, body = server.LabApplication(world).handle(environ)
    assert (status, b"InvalidClientTokenId" in body) == (403, True)
    assert waits == [(0.005, True)]


def test_changes_at_the_same_time_are_all_kept(lab: Lab) -> None:
    client = lab.client("organizations")
    root = client.list_roots()["Roots"][0]["Id"]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: client.create_organizational_unit(ParentId=root, Name=f"U{n % 20}"), range(20)))
        twins = list(pool.map(lambda _: refusal(client.create_organizational_unit, ParentId=root, Name="T"), range(8)))
    assert sorted(twins) == ["", *["DuplicateOrganizationalUnitException"] * 7]
    found = client.get_paginator("list_organizational_units_for_parent").paginate(ParentId=root).build_full_result()
    assert {f"U{n}" for n in range(20)} <= {unit["Name"] for unit in found["OrganizationalUnits"]}


# --- command line -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--accounts", "10001"], "lab: an organization has at most 10000 accounts, found --accounts 10001."),
        (["--home-region", "mars-1"], "lab: The lab knows no region 'mars-1'; it knows af-south-1, "),
        (["--port", "BUSY"], "lab: cannot listen on 127.0.0.1:BUSY, address already in use; choose another --port."),
    ],
)
def test_wrong_arguments_end_in_one_sentence(arguments: list[str], text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        busy = str(taken.getsockname()[1])
        words = [word.replace("BUSY", busy) for word in arguments]
        monkeypatch.setattr(sys, "argv", ["lab", "serve", *words])
        with pytest.raises(SystemExit) as ended:
            main()
    assert str(ended.value.code).startswith(text.replace("BUSY", busy))


def test_the_line_that_says_it_is_ready(lab: Lab) -> None:
    assert set(lab.ready) == {
        *("endpoint", "env", "organization_id", "management_account_id", "log_archive_account_id", "bucket"),
        *("trail_arn", "pid"),
    }
    assert lab.ready["pid"] == lab.process.pid
    assert lab.environment["AWS_ENDPOINT_URL"] == lab.endpoint


def test_it_ends_at_sigterm() -> None:
    lab = Lab()
    lab.process.terminate()
    assert lab.process.wait(timeout=30) == 0
    assert lab.process.stdin is not None
    lab.process.stdin.close()


def test_no_profile_of_the_user_interferes(lab: Lab) -> None:
    environment = lab.child_environment()
    assert environment["AWS_CONFIG_FILE"] == environment["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"
    assert environment["AWS_DEFAULT_REGION"] == "us-east-1"
    script = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
    finished = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert finished.stdout.strip() == f"arn:aws:iam::{lab.management}:user/admin"


def test_a_profile_that_is_not_there_does_not_reach_the_lab(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto asks botocore's configuration when it writes an error, and answered it with a server error."""
    monkeypatch.setenv("AWS_PROFILE", "absent")
    with Lab() as lab:
        monkeypatch.delenv("AWS_PROFILE")
        s3 = lab.client("s3", lab.log_archive)
        code, _ = refused(s3.get_bucket_lifecycle_configuration, Bucket=lab.bucket)
    assert code == "NoSuchLifecycleConfiguration"


def test_a_stopped_client_does_not_hold_the_lab(lab: Lab) -> None:
    half = socket.create_connection(("127.0.0.1", int(lab.endpoint.rpartition(":")[2])))
    half.sendall(b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf")
    assert refused(lab.client("sts").get_caller_identity) == ("", "")
    half.close()
