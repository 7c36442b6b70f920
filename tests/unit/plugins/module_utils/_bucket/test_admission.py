# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a bucket keeps out an organization trail, or an account trail."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import TrailArn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.log_place import LogPlace
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.admission import admission_problems
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.statements import required_statements

PLACE = LogPlace("logs", TrailArn("aws", "us-east-1", "111122223333", "default"), "o-exampleorgid")
ACL, WRITE, ORGANIZATION_WRITE = required_statements(PLACE)
DENY = {
    "Sid": "NoService",
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:PutObject",
    "Resource": "arn:aws:s3:::logs/*",
}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


CASES: list[tuple[str, str | None, str, str]] = [
    ("all statements", document(ACL, WRITE, ORGANIZATION_WRITE), "", ""),
    ("none for the organization", document(ACL, WRITE), "absent: found no such statement as AWSCloudTrailOrg", ""),
    ("no policy", None, "absent: found no such statement", "found no policy, expected one that allows"),
    (
        "no write",
        document(ACL),
        "absent: found no such statement",
        "found no statement for s3:PutObject on arn:aws:s3:::logs/AWSLogs/111122223333/",
    ),
    (
        "no ACL",
        document(WRITE),
        "absent: found no such statement",
        "found no statement for s3:GetBucketAcl on arn:aws:s3:::logs by",
    ),
    (
        "a Deny",
        document(ACL, WRITE, ORGANIZATION_WRITE, DENY),
        "NoService: found Deny",
        "found the Deny NoService for s3:PutObject",
    ),
    ("malformed", "{", "policy: found The policy is not JSON", "The policy is not JSON"),
]


@pytest.mark.parametrize(("case", "policy", "organization", "account"), CASES, ids=[row[0] for row in CASES])
def test_admission_problems(case: str, policy: str | None, organization: str, account: str) -> None:
    for begins, found in (
        (organization, admission_problems(policy, PLACE, True)),
        (account, admission_problems(policy, PLACE, False)),
    ):
        assert bool(found) is bool(begins)
        assert any(one.startswith(begins) for one in found) or not begins
        assert all("expected" in one and not one.endswith(".") for one in found)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("trail/default", "trail/other"),
        lambda text: text.replace("AWSLogs/111122223333", "audit/AWSLogs/111122223333"),
        lambda text: text.replace("cloudtrail.amazonaws.com", "config.amazonaws.com"),
    ],
)
def test_an_account_trail_needs_what_is_its_own(change: Callable[[str], str]) -> None:
    assert admission_problems(change(document(ACL, WRITE)), PLACE, False)
