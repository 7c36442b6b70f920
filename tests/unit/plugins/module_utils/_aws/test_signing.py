# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The signature that is prepared, beside botocore's."""

from __future__ import annotations

import base64
import random
import string
from typing import Any

import boto3
import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.caller import Caller
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.signing import are_plain
from botocore.auth import SigV4Auth
from botocore.credentials import ReadOnlyCredentials

ARN = "arn:aws:cloudtrail:us-east-1:111111111111:trail/default"
REGIONS = ("us-east-1", "eu-central-2", "ap-southeast-7", "us-gov-west-1", "cn-north-1")
TIMES = 1000


def callers() -> list[Caller]:
    """One of each operation of the coverage in each region."""
    session: Any = boto3.session.Session("a", "b")
    made = []
    for region in REGIONS:
        cloudtrail = session.client("cloudtrail", region_name=region)
        made += [Caller(cloudtrail, "GetTrailStatus", Name=ARN), Caller(cloudtrail, "LookupEvents", MaxResults=1)]
        made += [Caller(session.client("sts", region_name=region), "AssumeRole")]
        made += [Caller(session.client("account", region_name=region), "ListRegions", MaxResults=50)]
    lab = session.client("cloudtrail", region_name="eu-west-1", endpoint_url="http://127.0.0.1:8080/path/")
    return [*made, Caller(lab, "GetTrailStatus", Name=ARN)]


def random_keys(chance: random.Random) -> ReadOnlyCredentials:
    secret = "".join(chance.choices(string.printable.strip() + "äß", k=chance.randint(1, 60)))
    key = "".join(chance.choices(string.ascii_uppercase + string.digits, k=20))
    token = base64.b64encode(chance.randbytes(chance.randint(1, 700))).decode()
    return ReadOnlyCredentials(key, secret, chance.choice([token, token, None]))


def by_botocore(caller: Any, keys: ReadOnlyCredentials, time: str, **more: str) -> tuple[dict[str, str], bytes]:
    """The headers that botocore adds to sign a request at a time, and the request's body."""
    request = caller._new_request(**more)
    request.context["timestamp"] = time
    auth: Any = SigV4Auth(keys, *caller._signing)
    auth._modify_request_before_signing(request)
    canonical = auth.canonical_request(request)
    auth._inject_signature_to_request(request, auth.signature(auth.string_to_sign(request, canonical), request))
    names = ("X-Amz-Date", "X-Amz-Security-Token", "Authorization")
    return {name: request.headers[name] for name in names if name in request.headers}, request.body


def test_the_headers_are_botocores() -> None:
    chance = random.Random(20261124)
    made: Any = callers()
    for number in range(TIMES):
        caller, keys = made[number % len(made)], random_keys(chance)
        time = (
            f"{chance.randint(2000, 2099)}{chance.randint(1, 12):02}{chance.randint(1, 28):02}"
            f"T{chance.randint(0, 23):02}{chance.randint(0, 59):02}{chance.randint(0, 59):02}Z"
        )
        role = {"RoleArn": f"arn:aws:iam::{chance.randint(10**11, 10**12 - 1)}:role/räuber", "RoleSessionName": "tests"}
        more = role if caller._operation.name == "AssumeRole" else {}
        expected, body = by_botocore(caller, keys, time, **more)
        assert caller._signature.headers(keys, time, body) == expected


def test_each_service_has_its_region_for_signatures() -> None:
    """ListRegions has one endpoint in a partition."""
    account: Any = boto3.client("account", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    caller: Any = Caller(account, "ListRegions")
    keys = ReadOnlyCredentials("AKIA", "secret", None)
    headers = caller._signature.headers(keys, "20261124T030000Z", b"")
    assert "/20261124/us-east-1/account/aws4_request, " in headers["Authorization"]


@pytest.mark.parametrize(
    ("key", "token", "plain"),
    [
        ("AKIA", "IQoJb3/+=", True),
        ("AKIA", None, True),
        ("AKIA", "", True),
        ("AKIA", "a b", False),
        ("AKIA", "a\r\nHost: b", False),
        ("AK IA", "a", False),
        ("AKIA", "ä", False),
        ("", "a", False),
    ],
)
def test_only_plain_keys_are_taken(key: str, token: str | None, plain: bool) -> None:
    assert are_plain(ReadOnlyCredentials(key, "any", token)) is plain
