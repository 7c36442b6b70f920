# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a bucket sends what arrives in it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.forwarding import (
    plain_notifications,
    plain_replication,
    weak_notifications,
    weak_replication,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.weakness import ExpectedHealth

KNOWN = frozenset({"222233334444", "111122223333"})
OTHER = "999999999999"
TOPIC = "arn:aws:sns:us-east-1:222233334444:logs"
QUEUE = f"arn:aws:sqs:us-east-1:{OTHER}:logs"


def copies(bucket: str, status: str = "Enabled", **more: Any) -> dict[str, Any]:
    return {"Status": status, "Destination": {"Bucket": f"arn:aws:s3:::{bucket}", **more}}


@pytest.mark.parametrize(
    ("rules", "wanted", "expected"),
    [
        ([], (), []),
        ([copies("copy")], (), []),
        ([copies("copy")], ("copy",), []),
        ([], ("copy",), [("none", "copies to copy", "")]),
        ([copies("copy", "Disabled")], ("copy",), [("none", "copies to copy", "")]),
        ([copies("theirs")], ("copy",), [("theirs", "copies to copy", "")]),
        ([copies("copy"), copies("theirs")], ("copy",), [("copy, theirs", "copies to copy", "")]),
        ([copies("copy", Account="222233334444")], (), []),
        (
            [copies("x", Account=OTHER)],
            (),
            [(f"copies to x of account {OTHER}", "copies within the organization", OTHER)],
        ),
    ],
)
def test_replication(rules: list[Any], wanted: tuple[str, ...], expected: list[tuple[str, str, str]]) -> None:
    found = plain_replication({"Rules": rules} if rules else None)
    weak = weak_replication(found, ExpectedHealth(replication_buckets=wanted), KNOWN)
    assert [(one.found, one.expected, one.account_id) for one in weak] == expected


@pytest.mark.parametrize(
    ("raw", "wanted", "found", "expected"),
    [
        (None, (), [], []),
        ({"ResponseMetadata": {}}, (), [], []),
        ({"TopicConfigurations": [{"TopicArn": TOPIC}]}, (TOPIC,), [TOPIC], []),
        ({"EventBridgeConfiguration": {}}, ("EventBridge",), ["EventBridge"], []),
        ({"EventBridgeConfiguration": {}}, (TOPIC,), ["EventBridge"], [("EventBridge", "")]),
        ({}, (TOPIC,), [], [("none", "")]),
        ({"QueueConfigurations": [{"QueueArn": QUEUE}]}, (), [QUEUE], [(f"notifications of {QUEUE}", OTHER)]),
    ],
)
def test_notifications(
    raw: dict[str, Any] | None, wanted: tuple[str, ...], found: list[str], expected: list[tuple[str, str]]
) -> None:
    assert plain_notifications(raw) == found
    weak = weak_notifications(found, ExpectedHealth(notification_targets=wanted), KNOWN)
    assert [(one.found, one.account_id) for one in weak] == expected
