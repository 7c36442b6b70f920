# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab whose organization trail has covered all members for a day, and members with trails that it made redundant."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.lab_process import MEMBER_ROLE, Lab

ALL = {"ReadWriteType": "All", "IncludeManagementEvents": True}
S3 = "AWS::S3::Object"
INSIGHTS = [{"InsightType": "ApiCallRateInsight"}]
AGGREGATIONS = [{"EventCategory": "Data", "Templates": ["API_ACTIVITY"]}]
LONG_AGO = 30 * 24
"""Hours."""


def at(lab: Lab, hours: float) -> None:
    """Move the lab's clock to so many hours ago."""
    lab.control("POST", "time", {"to": (datetime.now(UTC) - timedelta(hours=hours)).isoformat()})


def members(lab: Lab) -> list[str]:
    """Ids of the members but the log archive, sorted."""
    pages = lab.client("organizations").get_paginator("list_accounts").paginate().build_full_result()
    return sorted(one["Id"] for one in pages["Accounts"] if one["Id"] not in (lab.management, lab.log_archive))


def cover(lab: Lab, accounts: list[str]) -> None:
    """Turn the organization trail on, 28 hours ago, with data events and insights; files come then and now."""
    at(lab, 28)
    trails, arn = lab.client("cloudtrail"), lab.trail_arn
    lab.client("organizations").enable_aws_service_access(ServicePrincipal="cloudtrail.amazonaws.com")
    trails.update_trail(Name=arn, IsOrganizationTrail=True, S3BucketName=lab.bucket)
    trails.put_event_selectors(TrailName=arn, AdvancedEventSelectors=advanced("Management", S3))
    trails.put_insight_selectors(TrailName=arn, InsightSelectors=INSIGHTS)
    trails.put_event_configuration(TrailName=arn, AggregationConfigurations=AGGREGATIONS)
    for hours in (26, 0):
        at(lab, hours)
        for account in accounts:
            lab.client("cloudtrail", account).list_trails()
    lab.control("POST", "deliver", {"hours": 30})


def advanced(*chosen: str) -> list[dict[str, Any]]:
    """Advanced selectors of management events, or of a type of data events."""
    field = {"Management": [{"Field": "eventCategory", "Equals": ["Management"]}]}
    return [
        {
            "Name": one,
            "FieldSelectors": field.get(one)
            or [{"Field": "eventCategory", "Equals": ["Data"]}, {"Field": "resources.type", "Equals": [one]}],
        }
        for one in chosen
    ]


class MemberTrail:
    """A member's own trail, which logs all management events into a bucket of its own."""

    def __init__(self, lab: Lab, account: str, name: str = "team", **settings: Any) -> None:
        self.lab, self.account, self.name = lab, account, name
        self.bucket = f"{name}-logs-{account}"
        self.arn = f"arn:aws:cloudtrail:{lab.home_region}:{account}:trail/{name}"
        self.client = lab.client("cloudtrail", account)
        self._make_bucket()
        self.settings = {"Name": name, "S3BucketName": self.bucket, "IsMultiRegionTrail": True, **settings}
        self.client.create_trail(**self.settings)
        self.client.start_logging(Name=name)

    def _make_bucket(self) -> None:
        s3 = self.lab.client("s3", self.account)
        s3.create_bucket(Bucket=self.bucket)
        service = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}}
        bucket = f"arn:aws:s3:::{self.bucket}"
        owner = {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}
        statements = [
            {**service, "Action": "s3:GetBucketAcl", "Resource": bucket},
            {**service, "Action": "s3:PutObject", "Resource": f"{bucket}/*", "Condition": owner},
        ]
        s3.put_bucket_policy(Bucket=self.bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))

    def state(self) -> dict[str, Any] | None:
        """All that AWS tells of it but times; None where it is gone."""
        name = {"TrailName": self.arn}
        with contextlib.suppress(self.client.exceptions.TrailNotFoundException):
            found = {
                "trail": self.client.get_trail(Name=self.arn)["Trail"],
                "logging": self.client.get_trail_status(Name=self.arn)["IsLogging"],
                "selectors": self.client.get_event_selectors(**name),
                "aggregations": self.client.get_event_configuration(**name)["AggregationConfigurations"],
                "tags": self.client.list_tags(ResourceIdList=[self.arn])["ResourceTagList"],
                "insights": [],
            }
            found["selectors"].pop("ResponseMetadata")
            with contextlib.suppress(self.client.exceptions.InsightNotEnabledException):
                found["insights"] = self.client.get_insight_selectors(**name)["InsightSelectors"]
            return found
        return None


def selects(**selector: Any) -> Callable[[MemberTrail], object]:
    return lambda one: one.client.put_event_selectors(TrailName=one.name, EventSelectors=[{**ALL, **selector}])


def logs_data(one: MemberTrail) -> None:
    one.client.put_event_selectors(TrailName=one.name, AdvancedEventSelectors=advanced("Management", S3))


def has_insights(one: MemberTrail) -> None:
    one.client.put_insight_selectors(TrailName=one.name, InsightSelectors=INSIGHTS)


def aggregates(one: MemberTrail) -> None:
    logs_data(one)
    one.client.put_event_configuration(TrailName=one.name, AggregationConfigurations=AGGREGATIONS)


def is_tagged(one: MemberTrail) -> None:
    tags = [{"Key": "team", "Value": "blue"}, {"Key": "without"}]
    one.client.add_tags(ResourceId=one.arn, TagsList=tags)


KINDS: dict[str, tuple[dict[str, Any], Callable[[MemberTrail], object]]] = {
    "as it is made": ({}, lambda _one: None),
    "basic selectors": ({}, selects(ReadWriteType="WriteOnly", ExcludeManagementEventSources=["kms.amazonaws.com"])),
    "advanced selectors with data events": ({}, logs_data),
    "insights": ({}, has_insights),
    "aggregations": ({}, aggregates),
    "tags": ({"S3KeyPrefix": "own", "EnableLogFileValidation": True}, is_tagged),
    "one region": ({"IsMultiRegionTrail": False, "IncludeGlobalServiceEvents": False}, lambda _one: None),
    "stopped": ({}, lambda one: one.client.stop_logging(Name=one.name)),
}
"""Redundant trails of each kind beside the organization trail of ``cover``: what CreateTrail gets, and what follows."""


def make(lab: Lab, accounts: list[str]) -> dict[str, MemberTrail]:
    """A trail of each kind, each in an account of its own."""
    made = {}
    for account, (kind, (settings, change)) in zip(accounts, KINDS.items(), strict=False):
        made[kind] = MemberTrail(lab, account, **settings)
        change(made[kind])
    return made


def options(lab: Lab, folder: Path, state: str, *arns: str, **more: Any) -> dict[str, Any]:
    """Options of cloudtrail_member_trail."""
    role = {"log_archive_role_arn": f"arn:aws:iam::{lab.log_archive}:role/{MEMBER_ROLE}"}
    return {
        "organization_trail_arn": lab.trail_arn,
        "trail_arns": list(arns),
        "state": state,
        "record_dir": str(folder),
        **role,
        **more,
    }


def let_days_pass(lab: Lab, folder: Path, *trails: MemberTrail) -> None:
    """Stopped trails were stopped and recorded long ago."""
    at(lab, LONG_AGO)
    for one in trails:
        client = lab.client("cloudtrail", one.account)  # whose keys are as old
        client.start_logging(Name=one.arn)
        client.stop_logging(Name=one.arn)
    at(lab, 0)
    for path in folder.glob("*.json"):
        record = json.loads(path.read_text())
        path.write_text(json.dumps({**record, "recorded_at": "2026-01-01T00:00:00Z"}))
