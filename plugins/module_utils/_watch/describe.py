# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module cloudtrail_watch_info takes, reads and answers. It writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .._aws.arn import is_key_arn, is_region, possible_trail_arn
from .._aws.cloudwatch import oldest_message_age
from .._aws.errors import AnsibleOrgTrailError, parsed, refuse
from .._aws.eventbridge import describe_rule, list_targets
from .._aws.log_place import place_refusal
from .._aws.session import Session
from .._aws.sqs import get_queue_attributes, get_queue_url, list_queue_tags
from .._organization.policies import OWNER
from .._work.options import Result, options_of, prefix_refusal
from .queue import (
    DEAD_LETTER_NUMBERS,
    NUMBERS,
    encryption_refusal,
    foreign_queue_refusal,
    found_queue,
    queue_differences,
    queue_policy,
    redrive_policy,
    wanted_queue,
)
from .rules import (
    OURS,
    Rule,
    Watched,
    foreign_rule_refusal,
    found_rule,
    other_targets_refusal,
    role_refusal,
    rule_differences,
    rules_of,
    unwatched_key,
)


@dataclass(frozen=True)
class WatchOptions:
    """The module's options. forward_role_arn: of the session's account. sender_role_arns: of other accounts."""

    watched: Watched
    state: str
    forward_role_arn: str
    sender_role_arns: tuple[str, ...]
    queue_kms_key_id: str
    message_age: bool


def watch_options(params: Mapping[str, Any]) -> WatchOptions:
    """The module's parameters as a typed value. Raises AnsibleOrgTrailError for what cannot be right."""
    trail = parsed(possible_trail_arn, params["trail_arn"])
    key, account = params["kms_key_arn"], params["log_bucket_account_id"]
    refuse(place_refusal(params["log_bucket"], account))
    refuse(prefix_refusal(params["name_prefix"]))
    if key and not is_key_arn(key):
        raise AnsibleOrgTrailError(f"kms_key_arn is {key!r}, expected the ARN of a KMS key, not an alias. Correct it.")
    if not is_region(params["log_bucket_region"]):
        raise AnsibleOrgTrailError(
            f"log_bucket_region is {params['log_bucket_region']!r}, expected a region such as us-east-1. Correct it."
        )
    watched = Watched(
        trail,
        params["log_bucket"],
        account,
        params["log_bucket_region"],
        key,
        params["name_prefix"],
        params["guardduty"],
    )
    return options_of(WatchOptions, params, watched=watched, sender_role_arns=tuple(params["sender_role_arns"]))


def describe_watch(session: Session, options: WatchOptions) -> Result:
    """The module's result: rules and queues of the session's account, each with what has to change."""
    watched, account = options.watched, session.account_id
    if account not in (watched.trail.account_id, watched.bucket_account):
        raise AnsibleOrgTrailError(
            f"The credentials belong to account {account}, expected the trail's, {watched.trail.account_id}, or the "
            f"log bucket's, {watched.bucket_account}. Set assume_role_arn to a role in one of them."
        )
    rules = rules_of(watched, account, options.forward_role_arn)
    queues = _queues(session, options, rules) if account == watched.trail.account_id else []
    shown_rules = [_shown_rule(session, options, rule) for rule in rules]
    different = [one for one in (*queues, *shown_rules) if one["differences"]]
    return {
        "account_id": account,
        "rules": shown_rules,
        "queues": queues,
        "refusals": sorted({one for item in (*shown_rules, *queues) for one in item["refusals"]}),
        "not_watched": [watched.key_arn] if unwatched_key(watched) else [],
        "diff": {
            "before": {one["arn"]: _compared(one) for one in different if one["found"]},
            "after": {one["arn"]: one["wanted"] for one in different if one["wanted"]},
        },
    }


def _compared(one: Result) -> Result:
    """The settings that were found, without those about which nothing is wanted; all of what is to go."""
    return {name: value for name, value in one["found"].items() if not one["wanted"] or name in one["wanted"]}


def _shown_rule(session: Session, options: WatchOptions, rule: Rule) -> Result:
    client = session.client("events", rule.region)
    answer = describe_rule(client, rule.name)
    found = found_rule(answer, list_targets(client, rule.name) if answer else [])
    foreign = foreign_rule_refusal(rule, answer)
    if options.state == "absent":
        wanted, refusals = {}, []
        differences = ["present"] if found and not foreign else []
    else:
        wanted, refusals = rule.wanted, [foreign, role_refusal(options.watched, rule)]
        differences = rule_differences(wanted, found)
    if differences and not foreign:
        refusals.append(other_targets_refusal(rule, found))
    return {
        "name": rule.name,
        "region": rule.region,
        "arn": rule.arn,
        "description": OURS,
        "wanted": wanted,
        "found": found,
        "differences": differences,
        "refusals": [one for one in refusals if one],
    }


def _queues(session: Session, options: WatchOptions, rules: Sequence[Rule]) -> list[Result]:
    """The dead-letter queue, which the other one needs, then the queue."""
    watched = options.watched
    policies = {
        "policy": queue_policy(watched, rules, options.sender_role_arns),
        "redrive_policy": redrive_policy(watched),
    }
    return [
        _shown_queue(session, options, watched.dead_letter_queue_arn, DEAD_LETTER_NUMBERS, {}),
        _shown_queue(session, options, watched.queue_arn, NUMBERS, policies),
    ]


def _shown_queue(
    session: Session, options: WatchOptions, arn: str, numbers: Mapping[str, int], policies: Mapping[str, Any]
) -> Result:
    region, name = arn.split(":")[3], arn.rpartition(":")[2]
    client = session.client("sqs", region)
    url = get_queue_url(client, name)
    attributes = get_queue_attributes(client, url) if url else None
    found = found_queue(attributes)
    foreign = foreign_queue_refusal(arn, list_queue_tags(client, url) if url else None)
    if options.state == "absent":
        wanted, refusals = {}, []
        differences = ["present"] if found and not foreign else []
    else:
        wanted = wanted_queue(numbers, options.queue_kms_key_id, policies, found)
        differences = queue_differences(wanted, found)
        refusals = [foreign, encryption_refusal(arn, found, differences)]
    return {
        "name": name,
        "region": region,
        "arn": arn,
        "url": url,
        "tags": OWNER,
        "oldest_message_seconds": _age(session, region, name, attributes) if options.message_age else None,
        "wanted": wanted,
        "found": found,
        "differences": differences,
        "refusals": [one for one in refusals if one],
    }


def _age(session: Session, region: str, name: str, attributes: Mapping[str, str] | None) -> int | None:
    """Seconds that the oldest message waits, 0 for an empty queue; None where there is no queue, or no figure yet."""
    if attributes is None:
        return None
    counts = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    if all(attributes.get(count) == "0" for count in counts):
        return 0
    return oldest_message_age(session.client("cloudwatch", region), name, datetime.now(UTC))
