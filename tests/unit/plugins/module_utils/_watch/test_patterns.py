# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the patterns read. Which events they match is asked of moto in tests/differential/test_watch_patterns.py."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._watch.patterns import (
    BUCKET,
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

KEY_ARN = "arn:aws:kms:us-east-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def of_calls(service: str, names: tuple[str, ...], **narrower: Any) -> Pattern:
    detail = {"eventSource": [f"{service}.amazonaws.com"], "eventName": [*names], "errorCode": [{"exists": False}]}
    return {
        "source": [f"aws.{service}"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {**detail, **narrower},
    }


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (trail_pattern(), of_calls("cloudtrail", TRAIL)),
        (organization_pattern(), of_calls("organizations", ORGANIZATION)),
        (bucket_pattern("logs"), of_calls("s3", BUCKET, requestParameters={"bucketName": ["logs"]})),
        (key_pattern(KEY_ARN), of_calls("kms", KEY, resources={"ARN": [KEY_ARN]})),
        (
            finding_pattern(),
            {
                "source": ["aws.guardduty"],
                "detail-type": ["GuardDuty Finding"],
                "detail": {"type": ["Stealth:IAMUser/CloudTrailLoggingDisabled"]},
            },
        ),
    ],
    ids=["trail", "organization", "bucket", "key", "finding"],
)
def test_a_pattern_is_of_its_calls_and_no_longer_than_eventbridge_takes(pattern: Pattern, expected: Pattern) -> None:
    assert pattern == expected
    assert len(json.dumps(pattern)) <= 4096  # aws-facts 12.4
