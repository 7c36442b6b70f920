# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bucket policy an organization trail needs, and the verdict on the one a bucket has (aws-facts section 3)."""

from __future__ import annotations

from typing import Any

from ._trail_arn import parse_trail_arn

CLOUDTRAIL = "cloudtrail.amazonaws.com"


def required_statements(bucket: str, trail_arn: str, organization_id: str, prefix: str = "") -> list[dict[str, Any]]:
    """Return the three statements AWS itself writes for an organization trail, with AWS's Sids.

    prefix: the trail's S3KeyPrefix, with or without a final slash; "" for none.
    Raises ValueError for an ARN that is not a trail's. Source: aws-facts section 3,
    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
    """
    trail = parse_trail_arn(trail_arn)
    bucket_arn = f"arn:{trail.partition}:s3:::{bucket}"
    logs = f"{bucket_arn}/{prefix.rstrip('/')}/AWSLogs" if prefix.rstrip("/") else f"{bucket_arn}/AWSLogs"
    statements: list[dict[str, Any]] = [
        _statement("AWSCloudTrailAclCheck20150319", "s3:GetBucketAcl", bucket_arn, trail_arn),
        _statement("AWSCloudTrailWrite20150319", "s3:PutObject", f"{logs}/{trail.account_id}/*", trail_arn),
        _statement("AWSCloudTrailOrganizationWrite20150319", "s3:PutObject", f"{logs}/{organization_id}/*", trail_arn),
    ]
    for statement in statements[1:]:
        statement["Condition"]["StringEquals"]["s3:x-amz-acl"] = "bucket-owner-full-control"
    return statements


def _statement(sid: str, action: str, resource: str, trail_arn: str) -> dict[str, Any]:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": CLOUDTRAIL},
        "Action": action,
        "Resource": resource,
        "Condition": {"StringEquals": {"aws:SourceArn": trail_arn}},
    }
