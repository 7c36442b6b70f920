# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which events the patterns match, by EventBridge's own rules as moto and the lab have them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._watch.patterns import (
    BUCKET,
    BY_CALL,
    KEY,
    ORGANIZATION,
    TRAIL,
    Pattern,
    bucket_pattern,
    finding_pattern,
    key_pattern,
    organization_pattern,
    trail_pattern,
)
from moto.events.models import EventPattern

from lab.services.events.pattern import matches

KEY_ARN = "arn:aws:kms:us-east-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab"
PATTERNS: dict[str, Pattern] = {
    "trail": trail_pattern(),
    "organization": organization_pattern(),
    "bucket": bucket_pattern("logs"),
    "key": key_pattern(KEY_ARN),
    "finding": finding_pattern(),
}


def event(service: str, name: str, **detail: Any) -> dict[str, Any]:
    source = f"{service}.amazonaws.com"
    return {
        "source": f"aws.{service}",
        "detail-type": BY_CALL,
        "detail": {"eventSource": source, "eventName": name, "resources": [], **detail},
    }


def about(bucket: str) -> dict[str, Any]:
    return {"requestParameters": {"bucketName": bucket}}


def finding(kind: str) -> dict[str, Any]:
    return {"source": "aws.guardduty", "detail-type": "GuardDuty Finding", "detail": {"type": kind}}


@pytest.mark.parametrize(
    ("happened", "expected"),
    [
        *((event("cloudtrail", name), "trail") for name in TRAIL),
        *((event("organizations", name), "organization") for name in ORGANIZATION),
        *((event("s3", name, **about("logs")), "bucket") for name in BUCKET),
        *((event("kms", name, resources=[{"ARN": "other"}, {"ARN": KEY_ARN}]), "key") for name in KEY),
        (finding("Stealth:IAMUser/CloudTrailLoggingDisabled"), "finding"),
        (event("cloudtrail", "StopLogging", errorCode="AccessDenied"), ""),
        (event("cloudtrail", "StartLogging"), ""),
        (event("cloudtrail", "DescribeTrails"), ""),
        (event("organizations", "CreateAccount"), ""),
        (event("s3", "DeleteBucketPolicy", **about("others")), ""),
        (event("s3", "PutObject", **about("logs")), ""),
        (event("kms", "DisableKey", resources=[{"ARN": "other"}]), ""),
        (event("kms", "DisableKey"), ""),
        (event("kms", "Decrypt", resources=[{"ARN": KEY_ARN}]), ""),
        (finding("Recon:IAMUser/UserPermissions"), ""),
    ],
)
def test_each_event_matches_the_pattern_that_it_is_for(happened: dict[str, Any], expected: str) -> None:
    found = [name for name, pattern in PATTERNS.items() if matches(EventPattern.load(json.dumps(pattern)), happened)]
    assert found == ([expected] if expected else [])
