# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a log bucket sends what arrives in it: replication and event notifications."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .._aws.arn import arn_owner
from .._aws.untyped import Structure
from .weakness import ExpectedHealth, Weakness

TARGETS = (
    ("TopicConfigurations", "TopicArn"),
    ("QueueConfigurations", "QueueArn"),
    ("LambdaFunctionConfigurations", "LambdaFunctionArn"),
)
EVENT_BRIDGE = "EventBridge"


def plain_replication(raw: Structure | None) -> list[dict[str, str]]:
    """The buckets that enabled rules copy to; the account "" where the rule does not name it."""
    found = []
    for rule in (raw or {}).get("Rules") or []:
        if rule.get("Status") == "Enabled":
            target = rule.get("Destination") or {}
            bucket = str(target.get("Bucket", "")).rpartition(":")[2]
            found.append({"bucket": bucket, "account_id": str(target.get("Account", ""))})
    return found


def plain_notifications(raw: Structure | None) -> list[str]:
    """ARNs of the topics, queues and functions that are notified, and ``EventBridge``, sorted."""
    given = raw or {}
    arns = {str(one[arn]) for kind, arn in TARGETS for one in given.get(kind) or []}
    return sorted(arns | ({EVENT_BRIDGE} if given.get("EventBridgeConfiguration") is not None else set()))


def weak_replication(
    found: Sequence[dict[str, str]], expected: ExpectedHealth, known: frozenset[str]
) -> Iterator[Weakness]:
    """Copies that are asked for and not made, copies to buckets that are not asked for, and to accounts not known."""
    buckets, wanted = {one["bucket"] for one in found}, set(expected.replication_buckets)
    if wanted and buckets != wanted:
        fix = "Set replication up again, or correct replication_buckets."
        yield Weakness("replication", _listed(buckets), f"copies to {_listed(wanted)}", fix)
    for one in found:
        if one["account_id"] and one["account_id"] not in known:
            copies = f"copies to {one['bucket']} of account {one['account_id']}"
            fix = "Remove the replication rule, unless that account is yours."
            yield Weakness("replication", copies, "copies within the organization", fix, account_id=one["account_id"])


def weak_notifications(found: Sequence[str], expected: ExpectedHealth, known: frozenset[str]) -> Iterator[Weakness]:
    """Notifications that are asked for and not sent, and those that are sent to accounts not known."""
    missing = set(expected.notification_targets) - set(found)
    if missing:
        fix = "Set the notification up again, or correct notification_targets."
        yield Weakness("notifications", _listed(found), f"notifications of {_listed(missing)}", fix)
    for arn in found:
        account = arn_owner(arn)
        if account and account not in known:
            fix = "Remove the notification, unless that account is yours."
            expectation = "notifications within the organization"
            yield Weakness("notifications", f"notifications of {arn}", expectation, fix, account_id=account)


def _listed(names: Sequence[str] | set[str]) -> str:
    return ", ".join(sorted(names)) or "none"
