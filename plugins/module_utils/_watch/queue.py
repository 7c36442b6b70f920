# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The queue that the events come to and its dead-letter queue, and what is wrong with one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from .._organization.policies import OWNER
from .._policy.document import Document
from .._work.options import Result
from .rules import Rule, Watched

NUMBERS = {"visibility_timeout": 300, "message_retention_period": 345_600}
DEAD_LETTER_NUMBERS = {"visibility_timeout": 30, "message_retention_period": 1_209_600}
"""Seconds: a message comes again when a run has not ended after five minutes, and is kept for four days; what failed
five times for fourteen, the most that SQS offers."""
RECEIPTS = 5
NAMES = {
    "visibility_timeout": "VisibilityTimeout",
    "message_retention_period": "MessageRetentionPeriod",
    "policy": "Policy",
    "redrive_policy": "RedrivePolicy",
    "sqs_managed_sse_enabled": "SqsManagedSseEnabled",
}
"""SQS's names of attributes whose texts are JSON, by those of community.aws.sqs_queue."""


def queue_policy(watched: Watched, rules: Iterable[Rule], senders: Iterable[str]) -> Document:
    """Who may put events into the queue: the management account's rules, and the roles of other accounts' rules.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-sqs-permissions
    """
    allow = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": watched.queue_arn}
    arns = sorted(rule.arn for rule in rules if rule.target == watched.queue_arn)
    statements: list[Document] = [
        {
            "Sid": "OrgTrailRules",
            "Principal": {"Service": "events.amazonaws.com"},
            **allow,
            "Condition": {"ArnEquals": {"aws:SourceArn": arns}},
        }
    ]
    if roles := sorted(senders):
        statements.append({"Sid": "OrgTrailSenders", "Principal": {"AWS": roles}, **allow})
    return {"Version": "2012-10-17", "Statement": statements}


def redrive_policy(watched: Watched) -> dict[str, Any]:
    """Where a message goes that was received too often."""
    return {"deadLetterTargetArn": watched.dead_letter_queue_arn, "maxReceiveCount": RECEIPTS}


def wanted_queue(numbers: Mapping[str, int], key: str, policies: Mapping[str, Any], found: Result) -> Result:
    """A queue's settings, by the names of community.aws.sqs_queue.

    key: the KMS key that was asked for; "" for encryption by SQS, where a key that somebody set will do as well.
    policies: those of its settings that are JSON. found: as ``found_queue`` answers it.
    """
    by_sqs = not found or "kms_master_key_id" not in found
    encryption: Result = {"kms_master_key_id": key} if key else {"sqs_managed_sse_enabled": True} if by_sqs else {}
    return {**numbers, **policies, **encryption}


def found_queue(attributes: Mapping[str, str] | None) -> Result:
    """The same settings of a queue that there is, from its attributes; {} where there is none."""
    if attributes is None:
        return {}
    found = {name: _value(attributes[sqs]) for name, sqs in NAMES.items() if attributes.get(sqs)}
    return found | ({"kms_master_key_id": attributes["KmsMasterKeyId"]} if attributes.get("KmsMasterKeyId") else {})


def _value(text: str) -> Any:
    """What an attribute's text stands for; a number that is none stays a text, which differs from what is wanted."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def queue_differences(wanted: Result, found: Result) -> list[str]:
    """What has to change of a queue: ``missing``, or some of its settings."""
    if not found:
        return ["missing"]
    return [name for name, value in wanted.items() if name not in found or plain(found[name]) != plain(value)]


def plain(value: Any) -> Any:
    """JSON in a form that is the same for what means the same: lists in order, a list of one as its value, texts."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if not isinstance(value, list):
        return str(value)
    values = sorted((plain(one) for one in value), key=str)
    return values[0] if len(values) == 1 else values


def foreign_queue_refusal(arn: str, tags: Mapping[str, str] | None) -> str | None:
    """Why a queue of this name is left alone: it lacks our tag. tags: None where there is no queue."""
    if tags is None or OWNER.items() <= tags.items():
        return None
    return (
        f"The queue {arn} lacks the tag ManagedBy=cloudsec.org_trail, expected it on a queue of this collection. It is "
        "left alone: choose another name_prefix, or add the tag where it may be changed."
    )


def encryption_refusal(arn: str, found: Result, differences: Iterable[str]) -> str | None:
    """Why a queue's encryption cannot be repaired: community.aws turns none on. found: {} for a new queue."""
    off = {"kms_master_key_id", "sqs_managed_sse_enabled"} & {*differences}
    if not found or "kms_master_key_id" in found or not off:
        return None
    return (
        f"The queue {arn} is not encrypted as asked for, expected that it is. Set KmsMasterKeyId, or "
        "SqsManagedSseEnabled=true, with aws sqs set-queue-attributes: the module community.aws.sqs_queue does so only "
        "for a new queue."
    )
