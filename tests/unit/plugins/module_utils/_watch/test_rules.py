# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where each rule stands, whom it hands its events to, and what is wrong with one."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import parse_trail_arn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._watch.rules import (
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

MANAGEMENT, ARCHIVE, THIRD = "111122223333", "444455556666", "777788889999"
TRAIL = parse_trail_arn(f"arn:aws:cloudtrail:us-west-2:{MANAGEMENT}:trail/default")
WATCHED = Watched(TRAIL, "logs", ARCHIVE, "eu-central-1")
QUEUE = f"arn:aws:sqs:us-west-2:{MANAGEMENT}:org-trail-events"
ROLE = "arn:aws:iam::{}:role/OrgTrailEvents"


def bus(account: str) -> str:
    return f"arn:aws:events:us-west-2:{account}:event-bus/default"


def placed(watched: Watched, account: str) -> list[tuple[str, str, str, str]]:
    """Name, region, target and role of each rule."""
    rules = rules_of(watched, account, ROLE.format(account))
    return [(rule.name, rule.region, rule.target, rule.role) for rule in rules]


def test_management_sees_the_trail_at_home_and_the_organization_in_its_own_region() -> None:
    assert placed(WATCHED, MANAGEMENT) == [
        ("org-trail-trail", "us-west-2", QUEUE, ""),
        ("org-trail-organization", "us-west-2", QUEUE, ""),
        ("org-trail-organization", "us-east-1", bus(MANAGEMENT), ROLE.format(MANAGEMENT)),
    ]


def test_the_log_archive_sees_the_bucket_and_sends_from_its_home_region() -> None:
    role = ROLE.format(ARCHIVE)
    assert placed(WATCHED, ARCHIVE) == [
        ("org-trail-bucket", "us-west-2", QUEUE, role),
        ("org-trail-bucket", "eu-central-1", bus(ARCHIVE), role),
    ]
    assert placed(replace(WATCHED, bucket_region="us-west-2"), ARCHIVE) == [
        ("org-trail-bucket", "us-west-2", QUEUE, role)
    ]


def test_where_all_is_in_one_region_nothing_needs_a_role_in_management() -> None:
    home = replace(TRAIL, region="us-east-1")
    rules = rules_of(replace(WATCHED, trail=home, findings=True), MANAGEMENT, "")
    assert [(rule.name, rule.region, rule.role) for rule in rules] == [
        ("org-trail-trail", "us-east-1", ""),
        ("org-trail-organization", "us-east-1", ""),
        ("org-trail-finding", "us-east-1", ""),
    ]


@pytest.mark.parametrize(
    ("partition", "home", "regions"),
    [("aws-cn", "cn-north-1", ["cn-north-1", "cn-northwest-1"]), ("aws-us-gov", "us-gov-west-1", ["us-gov-west-1"])],
)
def test_organizations_events_are_where_the_partition_has_them(partition: str, home: str, regions: list[str]) -> None:
    trail = replace(TRAIL, partition=partition, region=home)
    rules = rules_of(replace(WATCHED, trail=trail), MANAGEMENT, "")
    assert [rule.region for rule in rules if rule.name == "org-trail-organization"] == regions


@pytest.mark.parametrize(("owner", "unwatched"), [(MANAGEMENT, ""), (ARCHIVE, ""), (THIRD, THIRD)])
def test_a_key_is_watched_in_its_account_unless_that_is_a_third_one(owner: str, unwatched: str) -> None:
    watched = replace(WATCHED, key_arn=f"arn:aws:kms:us-west-2:{owner}:key/k")
    names = [name for account in (MANAGEMENT, ARCHIVE) for name, *_rest in placed(watched, account)]
    assert (unwatched_key(watched), "org-trail-key" in names) == (unwatched, not unwatched)
    assert unwatched_key(WATCHED) == ""


RULE = rules_of(WATCHED, ARCHIVE, ROLE.format(ARCHIVE))[0]
FOUND = {"State": "ENABLED", "EventPattern": json.dumps(RULE.pattern, indent=1), "Description": OURS}
TARGETS = [{"Id": "org-trail", "Arn": QUEUE, "RoleArn": ROLE.format(ARCHIVE)}]
OTHER = {"Id": "other", "Arn": QUEUE}


@pytest.mark.parametrize(
    ("found", "targets", "differences"),
    [
        (None, [], ["missing"]),
        (FOUND, TARGETS, []),
        ({**FOUND, "State": "DISABLED"}, TARGETS, ["state"]),
        ({**FOUND, "State": "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"}, TARGETS, ["state"]),
        ({**FOUND, "EventPattern": '{"source": ["aws.s3"]}'}, TARGETS, ["event_pattern"]),
        ({"State": "ENABLED", "ScheduleExpression": "rate(1 day)"}, TARGETS, ["event_pattern"]),
        (FOUND, [], ["targets"]),
        (FOUND, [{**TARGETS[0], "RoleArn": ROLE.format(THIRD)}], ["targets"]),
        (FOUND, [{**TARGETS[0], "Input": "{}"}], ["targets"]),
        (FOUND, [*TARGETS, OTHER], []),
    ],
)
def test_differences(found: Any, targets: Any, differences: list[str]) -> None:
    assert rule_differences(RULE.wanted, found_rule(found, targets)) == differences


def test_a_rule_of_somebody_else_is_refused() -> None:
    assert foreign_rule_refusal(RULE, None) is foreign_rule_refusal(RULE, FOUND) is None
    for description in ({}, {"Description": "ours"}):
        found = {"State": "ENABLED", **description}
        assert "by which rules of cloudsec.org_trail are known" in str(foreign_rule_refusal(RULE, found))


@pytest.mark.parametrize(
    ("account", "role", "refused"),
    [
        (ARCHIVE, ROLE.format(ARCHIVE), False),
        (ARCHIVE, ROLE.format(MANAGEMENT), True),
        (ARCHIVE, "", True),
        (MANAGEMENT, ROLE.format(MANAGEMENT), False),
        (MANAGEMENT, "", True),
    ],
)
def test_a_role_is_needed_between_accounts_and_regions(account: str, role: str, refused: bool) -> None:
    reasons = [role_refusal(WATCHED, rule) for rule in rules_of(WATCHED, account, role)]
    assert any(reasons) == refused
    assert all(reason is None or "Set forward_role_arn" in reason for reason in reasons)


def test_targets_are_named_as_amazon_aws_names_them() -> None:
    assert RULE.wanted["targets"] == [{"id": "org-trail", "arn": QUEUE, "role_arn": ROLE.format(ARCHIVE)}]
    assert "role_arn" not in Rule("n", "r", "a", {}, QUEUE, "").wanted["targets"][0]


def test_targets_of_others_are_not_removed() -> None:
    assert other_targets_refusal(RULE, found_rule(FOUND, TARGETS)) is other_targets_refusal(RULE, {}) is None
    assert "not of cloudsec.org_trail (other)" in str(other_targets_refusal(RULE, found_rule(FOUND, [*TARGETS, OTHER])))
