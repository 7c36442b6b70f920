# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts of a lab made wrong in every way that coverage has a status for, and what must be found."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.lab_process import MEMBER_ROLE, Lab

REGIONS = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
]
ONE = "eu-west-1"
"""The region in which accounts are wrong that are wrong in one region only."""

Expected = dict[tuple[str, str], str]


def turn_on(lab: Lab) -> None:
    """Make the lab's trail an organization trail, a day and an hour ago."""
    lab.control("POST", "time", {"to": (datetime.now(UTC) - timedelta(hours=25)).isoformat()})
    lab.client("organizations").enable_aws_service_access(ServicePrincipal="cloudtrail.amazonaws.com")
    lab.client("cloudtrail").update_trail(Name=lab.trail_arn, IsOrganizationTrail=True, S3BucketName=lab.bucket)
    lab.control("POST", "time", {"to": datetime.now(UTC).isoformat()})


def told(region: str = "", **members: Any) -> Callable[[Lab, str], None]:
    """The account is told this of the trail, whatever is true."""

    def make(lab: Lab, account: str) -> None:
        lab.control("POST", "members", [{"account": account, **({"region": region} if region else {}), **members}])

    return make


def fails(fault: str, region: str = "") -> Callable[[Lab, str], None]:
    """GetTrailStatus fails in the account; the network fails the way ``fault`` says."""

    def make(lab: Lab, account: str) -> None:
        rule = {"service": "cloudtrail", "account": account, "region": region, "fault": fault}
        lab.control("POST", "faults", [{name: value for name, value in rule.items() if value}, *rules(lab)])

    return make


def rules(lab: Lab) -> list[dict[str, Any]]:
    """The faults in force, as they were asked for."""
    names = ("service", "operation", "account", "region", "fault")
    return [{name: rule[name] for name in names if rule[name]} for rule in lab.control("GET", "faults")]


def without_role(lab: Lab, account: str) -> None:
    iam = lab.client("iam", account)
    for policy in iam.list_attached_role_policies(RoleName=MEMBER_ROLE)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=MEMBER_ROLE, PolicyArn=policy["PolicyArn"])
    iam.delete_role(RoleName=MEMBER_ROLE)


def with_foreign_role(lab: Lab, account: str) -> None:
    trust = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999999999999:root"}, "Action": "sts:AssumeRole"}
    lab.client("iam", account).update_assume_role_policy(
        RoleName=MEMBER_ROLE, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )


def under_scp(lab: Lab, account: str, *allowed_regions: str) -> str:
    """A service control policy denies the account the question, everywhere or but in some regions; its ARN."""
    organizations = lab.client("organizations")
    deny: dict[str, Any] = {"Effect": "Deny", "Action": "cloudtrail:GetTrailStatus", "Resource": "*"}
    if allowed_regions:
        deny["Condition"] = {"StringNotEquals": {"aws:RequestedRegion": allowed_regions}}
    policy = organizations.create_policy(
        Name=f"deny-{account}",
        Description="no reading",
        Type="SERVICE_CONTROL_POLICY",
        Content=json.dumps({"Version": "2012-10-17", "Statement": [deny]}),
    )["Policy"]["PolicySummary"]
    organizations.attach_policy(PolicyId=policy["Id"], TargetId=account)
    return str(policy["Arn"])


def closed(lab: Lab, account: str) -> None:
    lab.client("organizations").close_account(AccountId=account)


WRONGS: list[tuple[Callable[[Lab, str], object], str, bool]] = [
    (told(missing=True), "missing", False),
    (told(ONE, missing=True), "missing", True),
    (told(IsLogging=False), "not_logging", False),
    (told(ONE, IsLogging=False, StopLoggingTime=3), "not_logging", True),
    (told(LatestDeliveryError="AccessDenied", LatestDeliveryTime=30), "delivery_error", False),
    (told(ONE, LatestDigestDeliveryError="NoSuchBucket"), "delivery_error", True),
    (told(ONE, LatestCloudWatchLogsDeliveryError="AccessDenied"), "delivery_error", True),
    (told(ONE, LatestNotificationError="AuthorizationError"), "delivery_error", True),
    (without_role, "denied", False),
    (with_foreign_role, "denied", False),
    (under_scp, "denied_by_scp", False),
    (fails("code:AccessDeniedException", ONE), "denied", True),
    (fails("code:UnrecognizedClientException", ONE), "unreachable", True),
    (fails("code:AuthFailure", ONE), "unreachable", True),
    (fails("code:UnrecognizedClientException"), "unreachable", False),
    (fails("reset", ONE), "unreachable", True),
    (fails("reset"), "unreachable", False),
    (fails("http503", ONE), "unreachable", True),
    (closed, "account_closed", False),
    (told(ONE, LatestDeliveryTime=None, LatestDigestDeliveryTime=None), "silent", True),
    (told(ONE, LatestDeliveryTime=None), "covered", True),
]
"""How an account is made wrong, the status that must be found, and whether in one region only."""


def make_wrong(lab: Lab, accounts: list[str]) -> Expected:
    """Make each account wrong in the next way of the list; answers the statuses that are not ``covered``."""
    expected: Expected = {}
    for number, account in enumerate(accounts):
        make, status, one_region = WRONGS[number % len(WRONGS)]
        make(lab, account)
        expected |= {(account, region): status for region in ([ONE] if one_region else REGIONS)}
    return {place: status for place, status in expected.items() if status != "covered"}


def found(coverage: list[dict[str, Any]]) -> Expected:
    """The statuses of a result that are not ``covered``, by account and region."""
    return {(row["account_id"], row["region"]): row["status"] for row in coverage if row["status"] != "covered"}


def calls(lab: Lab) -> Counter[str]:
    """How often each operation was called since the journal was last emptied."""
    return Counter(entry["operation"] for entry in lab.journal())
