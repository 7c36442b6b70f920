# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who reads the bucket that a trail writes to, as far as the bucket itself tells."""

from __future__ import annotations

from collections.abc import Iterator

from .._aws.untyped import Structure
from .._policy.document import PolicyError, Statement, parse_policy
from .._policy.operators import like
from .keeps import Keep

READS = ("s3:GetObject", "s3:GetObjectVersion")
WRITER = ("Service", "cloudtrail.amazonaws.com")
EVENTS = {
    "TopicConfigurations": "TopicArn",
    "QueueConfigurations": "QueueArn",
    "LambdaFunctionConfigurations": "LambdaFunctionArn",
}


def bucket_readers(
    bucket: str, policy: str | None, notifications: Structure, replication: Structure | None
) -> Iterator[Keep]:
    """Everybody that a bucket itself names as a reader of its files.

    policy: its text, None where there is none. Who reads by a policy of an identity of the same account is not told by
    the bucket.
    """
    for reader in (*_policy_readers(policy), *_listeners(notifications), *_copies(replication)):
        yield Keep("bucket_readers", f"files in the bucket {bucket} for {reader}")


def _policy_readers(text: str | None) -> Iterator[str]:
    if text is None:
        return
    try:
        statements = parse_policy(text).statements
    except PolicyError as error:
        yield f"whom a policy names that cannot be understood ({error})"
        return
    for statement in statements:
        if statement.effect == "Allow" and _allows_reading(statement):
            if "Principal" in statement.negated:
                yield "principals that the policy does not name"
            for kind, principal in statement.principal or ():
                if (kind, principal) != WRITER:
                    yield principal if kind != "AWS" or principal != "*" else "everybody that the policy admits"


def _allows_reading(statement: Statement) -> bool:
    named = any(like(pattern.lower(), action.lower()) for pattern in statement.action for action in READS)
    return named or "Action" in statement.negated


def _listeners(notifications: Structure) -> Iterator[str]:
    for kind, arn in EVENTS.items():
        yield from (str(one[arn]) for one in notifications.get(kind) or [])
    if notifications.get("EventBridgeConfiguration") is not None:
        yield "EventBridge"


def _copies(replication: Structure | None) -> Iterator[str]:
    for rule in (replication or {}).get("Rules") or []:
        if rule.get("Status") == "Enabled":
            yield f"the copy in {str(rule.get('Destination', {}).get('Bucket', '')).rpartition(':')[2]}"
