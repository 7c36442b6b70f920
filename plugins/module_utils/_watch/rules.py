# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules that watch the trail, where each stands and whom it hands its events to, and what is wrong with one.

All events come to one queue in the management account, in the trail's home region. AWS documents two ways: a rule hands
events to a queue of its own region, in another account with a role
(https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-cross-account.html), and to a bus of another region
with a role (eb-cross-region.html). So a rule in another region hands its events to the home region's bus of its own
account, where a rule of the same name takes them to the queue. No bus needs a policy for that.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .._aws.arn import TrailArn
from .._aws.untyped import Structure
from .._drift.history import ORGANIZATIONS_REGIONS
from .._work.options import Result
from .patterns import Pattern, bucket_pattern, finding_pattern, key_pattern, organization_pattern, trail_pattern

OURS = "Managed by cloudsec.org_trail."
"""A rule's description, by which it is known as ours."""
TARGET = "org-trail"
"""Id of a rule's only target."""
NAMES = {"Id": "id", "Arn": "arn", "RoleArn": "role_arn"}
"""The names of amazon.aws.cloudwatchevent_rule for a target's settings. With any other, such as Input, the event would
not come whole."""


@dataclass(frozen=True)
class Watched:
    """What is watched. bucket_account, bucket_region: where the log bucket is. key_arn: "" for none.

    prefix: begins the names of rules and queues. findings: whether GuardDuty's findings are watched, too.
    """

    trail: TrailArn
    bucket: str
    bucket_account: str
    bucket_region: str
    key_arn: str = ""
    prefix: str = "org-trail"
    findings: bool = False

    @property
    def queue_arn(self) -> str:
        return self.arn_of("sqs", self.trail.account_id, self.trail.region, f"{self.prefix}-events")

    @property
    def dead_letter_queue_arn(self) -> str:
        return f"{self.queue_arn}-failed"

    def bus_arn(self, account: str) -> str:
        return self.arn_of("events", account, self.trail.region, "event-bus/default")

    def rule_arn(self, account: str, region: str, name: str) -> str:
        return self.arn_of("events", account, region, f"rule/{name}")

    def arn_of(self, service: str, account: str, region: str, name: str) -> str:
        return f"arn:{self.trail.partition}:{service}:{region}:{account}:{name}"


@dataclass(frozen=True)
class Rule:
    """A rule as it is wanted. target: ARN of the queue or bus. role: ARN of the role to send with; "" for none."""

    name: str
    region: str
    arn: str
    pattern: Pattern
    target: str
    role: str

    @property
    def wanted(self) -> Result:
        """Its settings, by the names of amazon.aws.cloudwatchevent_rule."""
        target = {"id": TARGET, "arn": self.target, **({"role_arn": self.role} if self.role else {})}
        return {"state": "ENABLED", "event_pattern": self.pattern, "targets": [target]}


def sources(watched: Watched) -> Iterator[tuple[str, str, str, Pattern]]:
    """Subject, account, region and pattern of all that is watched: where AWS shows the events (aws-facts 12.2)."""
    trail = watched.trail
    organizations_region = ORGANIZATIONS_REGIONS.get(trail.partition, trail.region)
    yield "trail", trail.account_id, trail.region, trail_pattern()
    yield "organization", trail.account_id, organizations_region, organization_pattern()
    yield "bucket", watched.bucket_account, watched.bucket_region, bucket_pattern(watched.bucket)
    if watched.key_arn:
        _arn, _partition, _kms, region, account, _key = watched.key_arn.split(":", 5)
        yield "key", account, region, key_pattern(watched.key_arn)
    if watched.findings:
        yield "finding", trail.account_id, trail.region, finding_pattern()


def rules_of(watched: Watched, account: str, role: str) -> list[Rule]:
    """The rules of one account. role: ARN of the role by which its rules reach other accounts and regions.

    A rule that needs the role has ``role`` even where that is "".
    """
    return [
        rule
        for subject, owner, region, pattern in sources(watched)
        if owner == account
        for rule in _chain(watched, f"{watched.prefix}-{subject}", owner, region, pattern, role)
    ]


def _chain(watched: Watched, name: str, account: str, region: str, pattern: Pattern, role: str) -> Iterator[Rule]:
    """The rule in the home region, and the one that hands it the events of another region."""
    home, own = watched.trail.region, account == watched.trail.account_id
    home_arn = watched.rule_arn(account, home, name)
    yield Rule(name, home, home_arn, pattern, watched.queue_arn, "" if own else role)
    if region != home:
        arn = watched.rule_arn(account, region, name)
        yield Rule(name, region, arn, pattern, watched.bus_arn(account), role)


def needs_role(watched: Watched, rule: Rule) -> bool:
    """Whether a rule reaches its target only with a role. To a queue of its own account none may be given."""
    _arn, _partition, _service, region, account, _name = rule.arn.split(":", 5)
    return (region, account) != (watched.trail.region, watched.trail.account_id)


def unwatched_key(watched: Watched) -> str:
    """Id of the key's account where that is neither the trail's nor the bucket's, so that no rule stands there."""
    owner = watched.key_arn.split(":")[4] if watched.key_arn else ""
    return "" if owner in ("", watched.trail.account_id, watched.bucket_account) else owner


def found_rule(found: Structure | None, targets: Iterable[Mapping[str, Any]]) -> Result:
    """The settings of a rule that there is, by the names of ``Rule.wanted``; {} where there is none."""
    if found is None:
        return {}
    return {
        "state": found["State"],
        "event_pattern": json.loads(found.get("EventPattern") or "{}"),
        "targets": [{NAMES.get(name, name): value for name, value in one.items()} for one in targets],
    }


def rule_differences(wanted: Result, found: Result) -> list[str]:
    """What has to change of a rule: ``missing``, or some of its settings. Targets of others are left out."""
    if not found:
        return ["missing"]
    ours = {**found, "targets": [one for one in found["targets"] if one["id"] == TARGET]}
    return [name for name, value in wanted.items() if ours[name] != value]


def foreign_rule_refusal(rule: Rule, found: Structure | None) -> str | None:
    """Why a rule of this name is left alone: it is not ours by its description."""
    if found is None or found.get("Description") == OURS:
        return None
    return (
        f"The rule {rule.arn} has the description {found.get('Description') or ''!r}, expected {OURS!r}, by which "
        "rules of cloudsec.org_trail are known. It is left alone: choose another name_prefix, or remove it yourself."
    )


def other_targets_refusal(rule: Rule, found: Result) -> str | None:
    """Why a rule of ours cannot be written or removed: amazon.aws's module would remove others' targets with that."""
    others = [one["id"] for one in found.get("targets", []) if one["id"] != TARGET]
    if not others:
        return None
    return (
        f"The rule {rule.arn} has targets that are not of cloudsec.org_trail ({', '.join(others)}), expected only "
        f"{TARGET}. Writing or removing the rule would remove them: give them a rule of their own, and take them away "
        "from this one."
    )


def role_refusal(watched: Watched, rule: Rule) -> str | None:
    """Why a rule could not hand on its events: it has no role, or one of another account."""
    if not needs_role(watched, rule):
        return None
    account = rule.arn.split(":")[4]
    if rule.role.startswith(f"arn:{watched.trail.partition}:iam::{account}:role/"):
        return None
    return (
        f"The rule {rule.arn} hands its events to {rule.target} with the role {rule.role!r}, expected the ARN of a "
        f"role in account {account} that events.amazonaws.com may assume. Set forward_role_arn; "
        "docs/iam/events_forward.json is the role's policy."
    )
