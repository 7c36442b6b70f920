# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the lab's CloudTrail share: bucket policies, refusals, an organization trail for a while."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from tests.lab_process import Lab

SERVICE = "cloudtrail.amazonaws.com"


def refusal(method: Any, **parameters: Any) -> str:
    """The error code of a call that must be refused; "" when it is not."""
    return refused(method, **parameters)[0]


def refused(method: Any, **parameters: Any) -> tuple[str, str]:
    """Code and message of a call that must be refused; two empty texts when it is not."""
    try:
        method(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    return "", ""


def statements(bucket: str, trail_arn: str, organization_id: str = "", prefix: str = "") -> list[dict[str, Any]]:
    """The statements that AWS puts into a log bucket's policy (aws-facts section 3), by way of the test."""
    partition, management = trail_arn.split(":")[1], trail_arn.split(":")[4]
    root = f"arn:{partition}:s3:::{bucket}"
    logs = f"{root}/{prefix}/AWSLogs" if prefix else f"{root}/AWSLogs"
    source = {"aws:SourceArn": trail_arn}
    write = {"StringEquals": {**source, "s3:x-amz-acl": "bucket-owner-full-control"}}
    made = [
        allow("AWSCloudTrailAclCheck20150319", "s3:GetBucketAcl", root, {"StringEquals": source}),
        allow("AWSCloudTrailWrite20150319", "s3:PutObject", f"{logs}/{management}/*", write),
    ]
    if organization_id:
        made.append(
            allow("AWSCloudTrailOrganizationWrite20150319", "s3:PutObject", f"{logs}/{organization_id}/*", write)
        )
    return made


def allow(sid: str, action: str, resource: str, condition: dict[str, Any]) -> dict[str, Any]:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": SERVICE},
        "Action": action,
        "Resource": resource,
        "Condition": condition,
    }


def put_policy(lab: Lab, bucket: str, policy: list[dict[str, Any]], account: str = "") -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": policy})
    lab.client("s3", account or lab.log_archive).put_bucket_policy(Bucket=bucket, Policy=document)


def make_bucket(lab: Lab, name: str, policy: list[dict[str, Any]], account: str = "", region: str = "") -> str:
    """A bucket with a policy in an account (the log archive when none is given)."""
    s3 = lab.client("s3", account or lab.log_archive, region)
    place = region or lab.home_region
    location = {} if place == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": place}}
    s3.create_bucket(Bucket=name, **location)
    if policy:
        put_policy(lab, name, policy, account)
    return name


@contextmanager
def organization_trail(lab: Lab) -> Iterator[str]:
    """The lesson's trail as an organization trail, and an account trail again in its old bucket afterwards."""
    cloudtrail, organizations = lab.client("cloudtrail"), lab.client("organizations")
    before = cloudtrail.get_trail(Name=lab.trail_arn)["Trail"]
    organizations.enable_aws_service_access(ServicePrincipal=SERVICE)
    cloudtrail.update_trail(Name=lab.trail_arn, IsOrganizationTrail=True, S3BucketName=lab.bucket)
    try:
        yield lab.trail_arn
    finally:
        cloudtrail.update_trail(
            Name=lab.trail_arn, IsOrganizationTrail=False, S3BucketName=before["S3BucketName"], S3KeyPrefix=""
        )
        organizations.disable_aws_service_access(ServicePrincipal=SERVICE)


@contextmanager
def options(lab: Lab, **values: Any) -> Iterator[None]:
    """The lab with other options for a while."""
    before = lab.control("GET", "options")
    lab.control("POST", "options", values)
    try:
        yield
    finally:
        lab.control("POST", "options", {name: before[name] for name in values})


def member_of(lab: Lab, number: int = 0) -> str:
    """The id of a member that is neither management nor the log archive."""
    accounts = lab.client("organizations").list_accounts()["Accounts"]
    return str([a["Id"] for a in accounts if a["Id"] not in (lab.management, lab.log_archive)][number])
