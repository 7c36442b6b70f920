# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may put events into the queue, and what is wrong with a queue."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._policy.document import parse_policy
from ansible_collections.cloudsec.org_trail.plugins.module_utils._policy.evaluation import Request, evaluate
from ansible_collections.cloudsec.org_trail.plugins.module_utils._watch.queue import (
    NUMBERS,
    encryption_refusal,
    foreign_queue_refusal,
    found_queue,
    plain,
    queue_differences,
    queue_policy,
    redrive_policy,
    wanted_queue,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._watch.rules import rules_of

from .test_rules import MANAGEMENT, QUEUE, ROLE, WATCHED

SENDER = ROLE.format("444455556666")
RULES = rules_of(WATCHED, MANAGEMENT, ROLE.format(MANAGEMENT))
POLICY = queue_policy(WATCHED, RULES, [SENDER])
SERVICE = {"Service": "events.amazonaws.com"}


@pytest.mark.parametrize(
    ("principal", "rule", "allowed"),
    [
        (SERVICE, f"arn:aws:events:us-west-2:{MANAGEMENT}:rule/org-trail-trail", True),
        (SERVICE, f"arn:aws:events:us-west-2:{MANAGEMENT}:rule/org-trail-organization", True),
        (SERVICE, f"arn:aws:events:us-east-1:{MANAGEMENT}:rule/org-trail-organization", False),
        (SERVICE, f"arn:aws:events:us-west-2:{MANAGEMENT}:rule/other", False),
        (SERVICE, "arn:aws:events:us-west-2:999999999999:rule/org-trail-trail", False),
        ({"AWS": SENDER}, "", True),
        ({"AWS": ROLE.format("999999999999")}, "", False),
    ],
)
def test_only_these_rules_and_roles_may_send(principal: dict[str, str], rule: str, allowed: bool) -> None:
    context = {"aws:SourceArn": rule} if rule else {}
    request = Request("sqs:SendMessage", QUEUE, principal, context)
    assert (evaluate(parse_policy(POLICY, "resource"), request).effect == "Allow") == allowed


def test_without_roles_of_other_accounts_the_policy_names_none() -> None:
    assert [one["Sid"] for one in queue_policy(WATCHED, RULES, [])["Statement"]] == ["OrgTrailRules"]


POLICIES = {"policy": POLICY, "redrive_policy": redrive_policy(WATCHED)}
FOUND = {
    "QueueArn": QUEUE,
    "SqsManagedSseEnabled": "true",
    "VisibilityTimeout": "300",
    "MessageRetentionPeriod": "345600",
    "Policy": json.dumps(POLICY),
    "RedrivePolicy": json.dumps(redrive_policy(WATCHED)),
}


@pytest.mark.parametrize(
    ("found", "key", "differences"),
    [
        (None, "", ["missing"]),
        (FOUND, "", []),
        ({**FOUND, "RedrivePolicy": json.dumps({**POLICIES["redrive_policy"], "maxReceiveCount": "5"})}, "", []),
        ({**FOUND, "VisibilityTimeout": "30"}, "", ["visibility_timeout"]),
        ({**FOUND, "VisibilityTimeout": "odd"}, "", ["visibility_timeout"]),
        ({name: value for name, value in FOUND.items() if name != "Policy"}, "", ["policy"]),
        ({**FOUND, "Policy": json.dumps(queue_policy(WATCHED, RULES, []))}, "", ["policy"]),
        ({**FOUND, "SqsManagedSseEnabled": "false"}, "", ["sqs_managed_sse_enabled"]),
        ({**FOUND, "SqsManagedSseEnabled": "false", "KmsMasterKeyId": "alias/k"}, "", []),
        ({**FOUND, "KmsMasterKeyId": "alias/k"}, "alias/k", []),
        (FOUND, "alias/k", ["kms_master_key_id"]),
    ],
)
def test_differences(found: Any, key: str, differences: list[str]) -> None:
    settings = found_queue(found)
    assert queue_differences(wanted_queue(NUMBERS, key, POLICIES, settings), settings) == differences


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (["a", "b"], ["b", "a"], True),
        (["a"], "a", True),
        ({"n": 5}, {"n": "5"}, True),
        ([], "", False),
        (["a"], ["a", "b"], False),
        ({"a": "b"}, {"a": "c"}, False),
    ],
)
def test_json_is_compared_by_its_meaning(one: Any, other: Any, same: bool) -> None:
    assert (plain(one) == plain(other)) == same


def test_a_queue_of_somebody_else_is_refused() -> None:
    assert foreign_queue_refusal(QUEUE, None) is None
    assert foreign_queue_refusal(QUEUE, {"ManagedBy": "cloudsec.org_trail", "use": "x"}) is None
    assert "lacks the tag" in str(foreign_queue_refusal(QUEUE, {"ManagedBy": "terraform"}))


def test_encryption_that_no_module_can_turn_on_is_refused() -> None:
    assert encryption_refusal(QUEUE, {}, ["missing"]) is None
    assert encryption_refusal(QUEUE, found_queue(FOUND), ["policy"]) is None
    assert encryption_refusal(QUEUE, {"kms_master_key_id": "alias/other"}, ["kms_master_key_id"]) is None
    for different in ("kms_master_key_id", "sqs_managed_sse_enabled"):
        assert "is not encrypted as asked for" in str(encryption_refusal(QUEUE, found_queue(FOUND), [different]))
