# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What CloudTrail asks of a bucket: statements and requests."""

from __future__ import annotations

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import TrailArn, parse_trail_arn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.log_place import LogPlace
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.verdict import (
    admission_requests,
    required_statements,
)

from tests.broken_policies import (
    ACL,
    ORGANIZATION_WRITE,
    WRITE,
)

BUCKET = "aws-cloudtrail-logs-222233334444-abcd"
ARN = "arn:aws:cloudtrail:us-east-1:111122223333:trail/default"
ORGANIZATION = "o-abc1234567"
PLACE = LogPlace(BUCKET, parse_trail_arn(ARN), ORGANIZATION)


@pytest.mark.parametrize(
    ("region", "prefix", "resource"),
    [
        ("us-east-1", "", "arn:aws:s3:::b/AWSLogs/o-1/*"),
        ("us-east-1", "audit", "arn:aws:s3:::b/audit/AWSLogs/o-1/*"),
        ("us-east-1", "a/b", "arn:aws:s3:::b/a/b/AWSLogs/o-1/*"),
        ("cn-north-1", "", "arn:aws-cn:s3:::b/AWSLogs/o-1/*"),
        ("us-gov-west-1", "x", "arn:aws-us-gov:s3:::b/x/AWSLogs/o-1/*"),
    ],
)
def test_required_statements_names_the_paths(region: str, prefix: str, resource: str) -> None:
    partition = resource.split(":")[1]
    trail = TrailArn(partition, region, "111122223333", "default")
    acl, management, organization = required_statements(LogPlace("b", trail, "o-1", prefix))
    assert organization["Resource"] == resource
    assert management["Resource"] == resource.replace("o-1", "111122223333")
    assert acl["Resource"] == f"arn:{partition}:s3:::b"
    assert [one["Condition"]["StringEquals"]["aws:SourceArn"] for one in (acl, management, organization)] == [
        str(trail)
    ] * 3


def test_required_statements_is_what_aws_documents() -> None:
    assert required_statements(PLACE)[2] == {
        "Sid": "AWSCloudTrailOrganizationWrite20150319",
        "Effect": "Allow",
        "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{BUCKET}/AWSLogs/{ORGANIZATION}/*",
        "Condition": {"StringEquals": {"aws:SourceArn": ARN, "s3:x-amz-acl": "bucket-owner-full-control"}},
    }


def test_admission_requests_belong_to_the_required_statements() -> None:
    sids = [one.sid for one in admission_requests(PLACE)]
    assert list(dict.fromkeys(sids)) == [ACL, WRITE, ORGANIZATION_WRITE]
