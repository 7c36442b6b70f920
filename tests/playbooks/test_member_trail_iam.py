# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Least privilege in retiring: with exactly the policies of docs/iam all works; without one action its name is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.iam_files import Policy, actions_of, filled, values_of, without
from tests.lab_process import Lab
from tests.main_job import MainJob
from tests.retired_world import (
    AGGREGATIONS,
    INSIGHTS,
    S3,
    MemberTrail,
    advanced,
    cover,
    let_days_pass,
    members,
    options,
)

MODULE = "cloudtrail_member_trail"
MEMBER, MANAGEMENT, ARCHIVE = "OrgTrailRetireMemberTrails", "OrgTrailManagement", "OrgTrailLogArchiveLookup"
POLICIES = {MEMBER: "member_retire_trails", MANAGEMENT: "management_retire_trails", ARCHIVE: "log_archive_lookup"}
LIST_BUCKET = "s3:ListBucket"


class World:
    """A lab that asks for permissions, the three roles, and a member's trail of which each part must be read."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab, self.folder = lab, folder
        account = members(lab)[0]
        self.accounts = {MEMBER: account, MANAGEMENT: lab.management, ARCHIVE: lab.log_archive}
        self.trail = one = MemberTrail(lab, account)
        one.client.put_event_selectors(TrailName=one.name, AdvancedEventSelectors=advanced("Management", S3))
        one.client.put_insight_selectors(TrailName=one.name, InsightSelectors=INSIGHTS)
        one.client.put_event_configuration(TrailName=one.name, AggregationConfigurations=AGGREGATIONS)
        one.client.add_tags(ResourceId=one.arn, TagsList=[{"Key": "team", "Value": "blue"}])
        cover(lab, members(lab))
        self.before = one.state()
        self.job = MainJob(lab, [])
        administrator = f"arn:aws:iam::{lab.management}:root"
        trusts = {
            MANAGEMENT: trust_of(administrator),
            MEMBER: filled("trust_member", values_of(self.lab)),
            ARCHIVE: trust_of(f"arn:aws:iam::{lab.management}:role/{MANAGEMENT}"),
        }
        for name in (MANAGEMENT, MEMBER, ARCHIVE):
            lab.client("iam", self.accounts[name]).create_role(
                RoleName=name, AssumeRolePolicyDocument=json.dumps(trusts[name])
            )
            self.grant(name)

    def policy(self, role: str) -> Policy:
        """What docs/iam allows a role, and what its README adds for the log archive."""
        policy = filled(POLICIES[role], values_of(self.lab))
        if role == ARCHIVE:
            bucket = f"arn:aws:s3:::{self.lab.bucket}"
            policy["Statement"].append({"Effect": "Allow", "Action": LIST_BUCKET, "Resource": bucket})
        return policy

    def grant(self, role: str, removed: str = "") -> None:
        iam = self.lab.client("iam", self.accounts[role])
        text = json.dumps(without(self.policy(role), removed))
        iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=text)

    def run(self, state: str, check_mode: bool = False) -> str:
        """What the module failed with, "" when it did not."""
        roles = {
            "assume_role_arn": f"arn:aws:iam::{self.lab.management}:role/{MANAGEMENT}",
            "log_archive_role_arn": f"arn:aws:iam::{self.lab.log_archive}:role/{ARCHIVE}",
            "role_name": MEMBER,
            "region": self.lab.home_region,
        }
        arguments = {**options(self.lab, self.folder, state, self.trail.arn), **roles}
        self.job.steps = [{"module": MODULE, "arguments": arguments, "check_mode": check_mode}]
        return self.job.run()

    def take(self, state: str) -> None:
        """The trail in a state: logging, stopped for long, absent, changed."""
        if list(self.folder.iterdir()):
            assert self.run("present") == ""
        if state in ("stopped", "absent", "changed"):
            assert self.run("stopped") == ""
            let_days_pass(self.lab, self.folder, self.trail)
        if state == "absent":
            assert self.run("absent") == ""
        if state == "changed":
            one = self.trail
            one.client.update_trail(Name=one.arn, EnableLogFileValidation=True)
            for change, tag in ((one.client.remove_tags, "team"), (one.client.add_tags, "new")):
                change(ResourceId=one.arn, TagsList=[{"Key": tag, "Value": "blue"}])


def trust_of(principal: str) -> dict[str, Any]:
    trusted = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [trusted]}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with Lab("--accounts", "4", "--enforce-iam") as lab:
        world = World(lab, tmp_path_factory.mktemp("records"))
        yield world
        world.job.stop()


def test_the_policies_are_enough_for_all_three_states(world: World) -> None:
    assert world.run("stopped") == ""
    let_days_pass(world.lab, world.folder, world.trail)
    assert world.run("absent") == ""
    assert world.trail.state() is None
    assert world.run("present") == ""
    assert world.trail.state() == world.before
    world.take("changed")
    assert world.run("present") == ""
    assert world.trail.state() == world.before


OF_INFO = {"cloudtrail:ListTrails", "organizations:ListAccounts"}
"""What only cloudtrail_member_trails_info needs, which the playbook runs first."""

READS = {
    MANAGEMENT: [
        "account:ListRegions",
        "cloudtrail:GetEventConfiguration",
        "cloudtrail:GetEventSelectors",
        "cloudtrail:GetInsightSelectors",
        "cloudtrail:GetTrail",
        "cloudtrail:GetTrailStatus",
        "organizations:DescribeOrganization",
        "sts:AssumeRole",
    ],
    MEMBER: [
        "account:ListRegions",
        "cloudtrail:GetEventConfiguration",
        "cloudtrail:GetEventSelectors",
        "cloudtrail:GetInsightSelectors",
        "cloudtrail:GetTrail",
        "cloudtrail:GetTrailStatus",
        "cloudtrail:ListTags",
        "s3:GetBucketNotification",
        "s3:GetBucketPolicy",
        "s3:GetReplicationConfiguration",
    ],
    ARCHIVE: [LIST_BUCKET],
}
WRITES = [
    ("cloudtrail:StopLogging", "logging", "stopped"),
    ("cloudtrail:DeleteTrail", "stopped", "absent"),
    ("cloudtrail:CreateTrail", "absent", "present"),
    ("cloudtrail:PutEventSelectors", "absent", "present"),
    ("cloudtrail:PutInsightSelectors", "absent", "present"),
    ("cloudtrail:PutEventConfiguration", "absent", "present"),
    ("cloudtrail:StartLogging", "absent", "present"),
    ("cloudtrail:UpdateTrail", "changed", "present"),
    ("cloudtrail:AddTags", "changed", "present"),
    ("cloudtrail:RemoveTags", "changed", "present"),
]


def test_every_action_is_in_the_tables(world: World) -> None:
    writes = {action for action, _before, _state in WRITES}
    assert {*READS[MEMBER], *writes} == actions_of(world.policy(MEMBER)) - OF_INFO
    assert set(READS[MANAGEMENT]) == actions_of(world.policy(MANAGEMENT)) - OF_INFO


@pytest.mark.full
@pytest.mark.parametrize(("role", "action"), [(role, action) for role, actions in READS.items() for action in actions])
def test_without_one_read_nothing_is_touched(world: World, role: str, action: str) -> None:
    world.take("logging")
    world.grant(role, action)
    world.lab.clear_journal()
    said = world.run("stopped", check_mode=True)
    world.grant(role)
    assert action in said, said
    assert world.lab.journal(service="cloudtrail", writes=True) == []
    assert world.run("stopped", check_mode=True) == ""


@pytest.mark.full
@pytest.mark.parametrize(("action", "before", "state"), WRITES)
def test_without_one_write_its_name_is_told_and_the_next_run_goes_on(
    world: World, action: str, before: str, state: str
) -> None:
    world.take(before)
    world.grant(MEMBER, action)
    said = world.run(state)
    world.grant(MEMBER)
    assert action in said, said
    assert world.run(state) == ""
    assert world.run("present") == ""
    assert world.trail.state() == world.before
