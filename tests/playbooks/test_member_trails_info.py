# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module cloudtrail_member_trails_info against the lab: twelve kinds of trails, each in an account of its own."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lab.inventory import write_inventory
from tests.ansible_run import TaskResult, run_module, run_playbook
from tests.coverage_world import calls, turn_on, without_role
from tests.iam_files import filled
from tests.lab_process import Lab

ALL = {"ReadWriteType": "All", "IncludeManagementEvents": True}
S3 = [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]
ROLE = "OrgTrailMemberTrails"
OPERATIONS = {"ListTrails", "GetTrail", "GetTrailStatus", "GetEventSelectors", "ListTags"}


class Member:
    """A member with a trail ``team`` that logs all management events into a bucket of its own."""

    def __init__(self, lab: Lab, account: str) -> None:
        self.lab, self.account = lab, account
        self.bucket = f"team-logs-{account}"
        self.arn = f"arn:aws:cloudtrail:{lab.home_region}:{account}:trail/team"
        self.trails = lab.client("cloudtrail", account)
        self.s3 = lab.client("s3", account)
        self.s3.create_bucket(Bucket=self.bucket)
        self.allow()
        self.trails.create_trail(Name="team", S3BucketName=self.bucket, IsMultiRegionTrail=True)
        self.trails.start_logging(Name="team")

    def allow(self, *more: dict[str, Any]) -> None:
        service = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}}
        arn = f"arn:aws:s3:::{self.bucket}"
        owner = {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}
        admitted = [
            {**service, "Action": "s3:GetBucketAcl", "Resource": arn},
            {**service, "Action": "s3:PutObject", "Resource": f"{arn}/AWSLogs/{self.account}/*", "Condition": owner},
        ]
        policy = {"Version": "2012-10-17", "Statement": [*admitted, *more]}
        self.s3.put_bucket_policy(Bucket=self.bucket, Policy=json.dumps(policy))

    def select(self, **selector: Any) -> None:
        self.trails.put_event_selectors(TrailName="team", EventSelectors=[{**ALL, **selector}])

    def select_advanced(self, *selectors: dict[str, str]) -> None:
        chosen = [
            {"FieldSelectors": [{"Field": name, "Equals": [value]} for name, value in one.items()]} for one in selectors
        ]
        self.trails.put_event_selectors(TrailName="team", AdvancedEventSelectors=chosen)

    def tag(self, key: str, value: str) -> None:
        self.trails.add_tags(ResourceId=self.arn, TagsList=[{"Key": key, "Value": value}])

    def let_another_read(self) -> None:
        reader = {"AWS": f"arn:aws:iam::{self.lab.log_archive}:root"}
        files = f"arn:aws:s3:::{self.bucket}/*"
        self.allow({"Effect": "Allow", "Principal": reader, "Action": "s3:GetObject", "Resource": files})

    def publish(self) -> None:
        topic = self.lab.client("sns", self.account).create_topic(Name="team")["TopicArn"]
        service = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}}
        policy = {"Version": "2012-10-17", "Statement": [{**service, "Action": "SNS:Publish", "Resource": topic}]}
        sns = self.lab.client("sns", self.account)
        sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(policy))
        self.trails.update_trail(Name="team", SnsTopicName=topic)


MANAGEMENT = {"eventCategory": "Management"}
KINDS: list[tuple[str, Callable[[Member], object], list[str], str]] = [
    ("the same", lambda _one: None, [], ""),
    ("writes", lambda one: one.select(ReadWriteType="WriteOnly"), [], ""),
    ("without KMS", lambda one: one.select(ExcludeManagementEventSources=["kms.amazonaws.com"]), [], ""),
    ("one region", lambda one: one.trails.update_trail(Name="team", IsMultiRegionTrail=False), [], ""),
    ("stopped", lambda one: one.trails.stop_logging(Name="team"), [], ""),
    ("data", lambda one: one.select(DataResources=S3), ["data_events"], ""),
    (
        "network",
        lambda one: one.select_advanced(
            MANAGEMENT, {"eventCategory": "NetworkActivity", "eventSource": "ec2.amazonaws.com"}
        ),
        ["network_activity_events"],
        "",
    ),
    (
        "insights",
        lambda one: one.trails.put_insight_selectors(
            TrailName="team", InsightSelectors=[{"InsightType": "ApiCallRateInsight"}]
        ),
        ["insights"],
        "",
    ),
    ("topic", Member.publish, ["topic"], ""),
    ("read", Member.let_another_read, ["bucket_readers"], ""),
    ("Terraform's", lambda one: one.tag("ManagedBy", "terraform"), [], "terraform"),
    ("the factory's", lambda one: one.tag("managed_by", "AFT"), [], "tool"),
]


def ask(lab: Lab, **options: Any) -> TaskResult:
    lab.clear_journal()
    result = run_module(lab, "cloudtrail_member_trails_info", {"trail_arn": lab.trail_arn, **options})
    assert not result.failed, result.msg
    return result


def members(lab: Lab) -> list[str]:
    pages = lab.client("organizations").get_paginator("list_accounts").paginate().build_full_result()
    return sorted(one["Id"] for one in pages["Accounts"] if one["Id"] not in (lab.management, lab.log_archive))


def test_twelve_kinds_of_trails() -> None:
    with Lab("--accounts", "20") as lab:
        chosen = dict(zip(members(lab), KINDS, strict=False))
        for account, (_name, make, _keeps, _owner) in chosen.items():
            make(Member(lab, account))
        before = ask(lab)
        assert before["organization_trail"]["is_organization_trail"] is False
        assert (before["summary"]["redundant"], before["summary"]["second_copies"]) == (0, 12)

        turn_on(lab)
        blind = members(lab)[-1]
        without_role(lab, blind)
        lab.control("POST", "faults", [{"service": "cloudtrail", "fault": "throttle", "every": 5}])
        result = ask(lab)
        lab.control("POST", "faults", [])
        assert "ce" not in {one["service"] for one in lab.journal()}
        found = {one["account_id"]: one for one in result["member_trails"]}
        assert list(found) == list(chosen)
        for account, (name, _make, keeps, owner) in chosen.items():
            one = found[account]
            assert [keep["kind"] for keep in one["keeps"]] == keeps, name
            assert (one["redundant"], one.get("owner", {}).get("kind", "")) == (not keeps, owner), name
            assert one["is_logging"] is (name != "stopped")
        assert [one["account_id"] for one in result["unread"]] == [blind]
        assert "sts:AssumeRole" in result["unread"][0]["reason"]
        summary = {"trails": 12, "accounts_with_trails": 12, "redundant": 7, "redundant_of_others": 2, "unread": 1}
        assert {name: result["summary"][name] for name in summary} == summary
        assert result["summary"]["complete"]

        lab.control("POST", "faults", [{"service": "s3", "fault": "code:AccessDenied"}])
        denied = ask(lab, accounts=[{"id": next(iter(chosen))}])
        [one] = denied["member_trails"]
        assert ([keep["kind"] for keep in one["keeps"]], one["redundant"]) == (["bucket_unread"], False)
        known = ask(lab, accounts=[{"id": next(iter(chosen))}], unread_buckets=[one["s3_bucket_name"]])
        assert known["member_trails"][0]["redundant"]
        lab.control("POST", "faults", [])


def test_costs_are_read_once_from_management() -> None:
    with Lab("--accounts", "6", "--enforce-iam") as lab:
        first, second, *_ = members(lab)
        for account in (first, second):
            Member(lab, account)
        billed = {"USE1-FreeEventsRecorded": 1e6, "EUW1-FreeEventsRecorded": 250_000, "USE1-PaidEventsRecorded": 50_000}
        lab.control("POST", "usage", {first: billed})
        turn_on(lab)
        result = ask(lab, costs=True)
        assert [one.get("monthly_usd") for one in result["member_trails"]] == [25.0, None]
        expected = {"monthly_usd": 25.0, "redundant_monthly_usd": 25.0, "paid_usd": 1.0, "trails_without_figures": 1}
        assert {name: result["costs"][name] for name in expected} == expected
        assert calls(lab)["GetCostAndUsage"] == 1
        lab.control("POST", "faults", [{"service": "ce", "fault": "code:AccessDeniedException"}])
        denied = ask(lab, costs=True)
        assert "ce:GetCostAndUsage" in denied["costs"]["problem"]
        assert denied["summary"]["redundant"] == 2
        assert "What the trails cost is not known" in str(denied["warnings"])


def test_the_main_job_lists_them_in_check_mode_and_in_the_report(tmp_path: Path) -> None:
    with Lab("--accounts", "5") as lab:
        first, second, *_ = members(lab)
        for account in (first, second):
            Member(lab, account)
        without_role(lab, second)
        lab.control("POST", "usage", {first: {"USE1-FreeEventsRecorded": 5e6}})
        lab.clear_journal()
        inventory = write_inventory(tmp_path / "inventory.yml", lab.ready)
        wanted = {
            "coverage_member_trails": True,
            "coverage_member_trails_costs": True,
            "coverage_report_dir": str(tmp_path),
        }
        arguments = ("playbooks/enable_org_trail.yml", "-i", str(inventory), "-e", json.dumps(wanted))
        predicted = run_playbook(lab, *arguments, "--check").ok()
        show = "Show the trails that duplicate the organization trail"
        would = predicted.task(show)["msg"]
        assert would[:2] == [
            "1 trails of members' own in 1 accounts (4 members asked, 1 of them in vain).",
            "1 of them would log events twice; 0 are redundant, 0 of which belong to a stack or a tool.",
        ]
        assert would[2].startswith("Second copies cost at most 100.00 USD a month, 0.00 of it for redundant trails")
        assert lab.journal(writes=True) == []

        done = run_playbook(lab, *arguments)
        assert "1 are redundant" in done.task(show)["msg"][1]
        found = {one["id"]: one for one in json.loads((tmp_path / "coverage.json").read_text())["accounts"]}
        assert [one["redundant"] for one in found[first]["member_trails"]] == [True]
        assert "sts:AssumeRole" in found[second]["member_trails_error"]
        assert "member_trails" not in found[lab.management]
        page = (tmp_path / "coverage.html").read_text()
        assert "Trails that duplicate this one" in page
        assert "at most 100.00 USD a month" in page

        lab.control(
            "POST",
            "faults",
            [{"service": "cloudtrail", "operation": "GetInsightSelectors", "fault": "code:AccessDenied"}],
        )
        failed = run_playbook(lab, *arguments, "-e", json.dumps({"coverage_fail_on": []})).ok()
        assert "GetInsightSelectors" in str(failed.task(show)["msg"])
        assert "GetInsightSelectors" in (tmp_path / "coverage.html").read_text()


def test_few_calls_and_no_write_with_exactly_the_policy_of_docs_iam() -> None:
    with Lab("--accounts", "8", "--enforce-iam") as lab:
        turn_on(lab)
        own, *others = members(lab)
        Member(lab, own)
        trusted = {"Effect": "Allow", "Principal": {"AWS": lab.management}, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [trusted]})
        policy = json.dumps(filled("member_trails", {"Partition": "aws"}))
        for account in (own, *others, lab.log_archive):
            iam = lab.client("iam", account)
            iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=trust)
            iam.put_role_policy(RoleName=ROLE, PolicyName="p", PolicyDocument=policy)
        result = ask(lab, role_name=ROLE)
        assert (result["unread"], result["summary"]["redundant"]) == ([], 1)
        assert result["summary"]["calls"] == 7 + 7 + 4
        made = Counter(one["operation"] for one in lab.journal(account=own, service="cloudtrail"))
        assert made == dict.fromkeys(OPERATIONS, 1)
        assert calls(lab)["ListTrails"] == 7
        assert lab.journal(writes=True) == []
        iam = lab.client("iam", own)
        iam.put_role_policy(
            RoleName=ROLE, PolicyName="p", PolicyDocument=policy.replace("s3:GetBucketNotification", "s3:ListBucket")
        )
        [kept] = ask(lab, role_name=ROLE)["member_trails"][0]["keeps"]
        assert kept["kind"] == "bucket_unread"
        assert "s3:GetBucketNotification" in kept["text"]


@pytest.mark.parametrize(
    ("options", "says"),
    [({"trail_arn": "default"}, "is not a trail ARN"), ({"max_concurrency": 0}, "expected at least 1")],
)
def test_refused(options: dict[str, Any], says: str) -> None:
    with Lab() as lab:
        result = run_module(lab, "cloudtrail_member_trails_info", {"trail_arn": lab.trail_arn, **options})
        assert result.failed
        assert says in result.msg
        assert lab.journal() == []


@pytest.mark.scale
def test_300_of_1000_accounts_have_trails_of_their_own() -> None:
    with Lab("--accounts", "1000") as lab:
        kinds = {account: KINDS[number % 12] for number, account in enumerate(members(lab)[:300])}
        for account, (_name, make, _keeps, _owner) in kinds.items():
            make(Member(lab, account))
        turn_on(lab)
        result = ask(lab)
        found = {one["account_id"]: one for one in result["member_trails"]}
        assert list(found) == list(kinds)
        for account, (name, _make, keeps, owner) in kinds.items():
            one = found[account]
            assert [keep["kind"] for keep in one["keeps"]] == keeps, name
            assert (one["redundant"], one.get("owner", {}).get("kind", "")) == (not keeps, owner), name
        summary = result["summary"]
        assert (summary["redundant"], summary["redundant_of_others"], summary["unread"]) == (175, 50, 0)
        assert (
            summary["calls"] == 2 * 999 + 4 * 300 + 25 + 25
        )  # insights are asked for once, and data events' aggregation
