# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who reads a bucket, as far as the bucket tells."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.log_place import LogPlace
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.statements import required_statements
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.readers import bucket_readers

from tests.member_trails import MEMBER, member

OTHER = "arn:aws:iam::333333333333:root"
NO_STATEMENT = "The policy has no Statement; expected a list of at least one."
WRITES = required_statements(LogPlace("b", member().arn, "o-exampleorgid"))[:2]


def policy(**changes: Any) -> str:
    given = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*", "Principal": {"AWS": OTHER}}
    statement = {name: value for name, value in {**given, **changes}.items() if value is not None}
    return json.dumps({"Version": "2012-10-17", "Statement": [*WRITES, statement]})


def readers(text: str | None, notifications: Any = None, replication: Any = None) -> list[str]:
    found = [keep.to_dict() for keep in bucket_readers("b", text, notifications or {}, replication)]
    assert {keep["kind"] for keep in found} <= {"bucket_readers"}
    return [keep["text"].removeprefix("files in the bucket b for ") for keep in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, []),
        (json.dumps({"Version": "2012-10-17", "Statement": WRITES}), []),
        (policy(), [OTHER]),
        (policy(Action="s3:*"), [OTHER]),
        (policy(Action=["S3:Get*", "s3:ListBucket"]), [OTHER]),
        (policy(Action=None, NotAction="s3:PutObject"), [OTHER]),
        (policy(Action="s3:PutObject"), []),
        (policy(Effect="Deny", Principal="*"), []),
        (policy(Principal="*"), ["everybody that the policy admits"]),
        (policy(Principal={"Service": "athena.amazonaws.com"}), ["athena.amazonaws.com"]),
        (policy(Principal=None, NotPrincipal={"AWS": OTHER}), ["principals that the policy does not name", OTHER]),
        (
            '{"Statement": []}',
            [f"whom a policy names that cannot be understood ({NO_STATEMENT})"],
        ),
    ],
)
def test_readers_by_the_policy(text: str | None, expected: list[str]) -> None:
    assert readers(text) == expected


def test_readers_by_notifications_and_copies() -> None:
    queue = f"arn:aws:sqs:us-east-1:{MEMBER}:q"
    notifications = {"QueueConfigurations": [{"QueueArn": queue}], "EventBridgeConfiguration": {}}
    assert readers(None, notifications) == [queue, "EventBridge"]
    rules = [
        {"Status": "Enabled", "Destination": {"Bucket": "arn:aws:s3:::copy"}},
        {"Status": "Disabled", "Destination": {"Bucket": "arn:aws:s3:::old"}},
    ]
    assert readers(None, None, {"Rules": rules}) == ["the copy in copy"]
