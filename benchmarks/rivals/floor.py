# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job with the fewest calls, one Python and no checks beyond the rivals': what nothing can beat by much."""

from __future__ import annotations

import sys

import boto3
from botocore.session import Session

SERVICE = "cloudtrail.amazonaws.com"


def main(log_archive: str, check_mode: bool) -> None:
    session = boto3.session.Session(botocore_session=Session())
    role = f"arn:aws:iam::{log_archive}:role/OrganizationAccountAccessRole"
    keys = session.client("sts").assume_role(RoleArn=role, RoleSessionName="bench")["Credentials"]
    s3 = session.client(
        "s3",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    (bucket,) = [one["Name"] for one in s3.list_buckets()["Buckets"] if one["Name"].startswith("aws-cloudtrail-logs-")]
    policy = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    organizations = session.client("organizations")
    organization = organizations.describe_organization()["Organization"]["Id"]
    assert f"AWSLogs/{organization}/" in policy
    cloudtrail = session.client("cloudtrail")
    (trail,) = cloudtrail.describe_trails(trailNameList=["default"])["trailList"]
    trusted = organizations.list_aws_service_access_for_organization()["EnabledServicePrincipals"]
    if SERVICE not in [one["ServicePrincipal"] for one in trusted] and not check_mode:
        organizations.enable_aws_service_access(ServicePrincipal=SERVICE)
    if (not trail["IsOrganizationTrail"] or trail["S3BucketName"] != bucket) and not check_mode:
        cloudtrail.update_trail(Name=trail["TrailARN"], IsOrganizationTrail=True, S3BucketName=bucket)
    assert cloudtrail.get_trail_status(Name=trail["TrailARN"])["IsLogging"]


if __name__ == "__main__":
    main(sys.argv[1], "--check" in sys.argv)
