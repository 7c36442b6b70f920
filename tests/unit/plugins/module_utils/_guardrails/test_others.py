# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which policies of others guard the log bucket: only what certainly denies an ordinary role there."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._guardrails.others import (
    Guard,
    Other,
    guards,
    read_others,
)

from tests.canned_aws import CannedSession

from .guarded import ARCHIVE, GUARDED, MANAGEMENT

BUCKET = "arn:aws:s3:::org-logs"
TOWER = {"ArnNotLike": {"aws:PrincipalARN": "arn:*:iam::*:role/AWSControlTowerExecution"}}


def deny(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        (deny("s3:PutBucketPolicy", BUCKET, Condition=TOWER), [("OrgTrailKeepBucket", ("s3:PutBucketPolicy",))]),
        (
            deny(["s3:DeleteBucket", "s3:DeleteObject"]),
            [("OrgTrailKeepBucket", ("s3:DeleteBucket",)), ("OrgTrailKeepFiles", ("s3:DeleteObject",))],
        ),
        (deny("s3:PutBucketPolicy", "arn:aws:s3:::aws-controltower*"), []),
        (deny("s3:PutBucketPolicy", Condition={"StringEquals": {"aws:PrincipalTag/team": "a"}}), []),
        (deny("s3:PutBucketPolicy", Condition={"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/Other"}}), []),
        ({**deny("s3:PutBucketPolicy"), "Effect": "Allow"}, []),
        ({**deny("cloudtrail:*"), "Effect": "Deny"}, []),
    ],
)
def test_what_another_policy_denies(statement: dict[str, Any], found: list[tuple[str, tuple[str, ...]]]) -> None:
    content = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    told = guards([Other("p-1", "aws-guardrails-AbCdEf", "ou-1", content)], GUARDED)
    assert told == [Guard("p-1", "aws-guardrails-AbCdEf", "ou-1", *one) for one in found]


def test_a_policy_that_cannot_be_read_guards_nothing() -> None:
    assert guards([Other("p-1", "x", "r-1", "{}"), Other("p-2", "y", "r-1", "no JSON")], GUARDED) == []


def test_ours_and_those_of_aws_are_no_others() -> None:
    attached = {
        "r-1": [{"Id": "p-FullAWSAccess", "Name": "FullAWSAccess", "AwsManaged": True}],
        ARCHIVE: [{"Id": "p-1", "Name": "org-trail-log-archive"}, {"Id": "p-2", "Name": "aws-guardrails-x"}],
    }
    content = json.dumps({"Version": "2012-10-17", "Statement": [deny("s3:DeleteBucket")]})
    answers = {
        "list_policies_for_target": lambda TargetId, Filter: {"Policies": attached[TargetId]},
        "describe_policy": lambda PolicyId: {"Policy": {"Content": content, "PolicySummary": {"Id": PolicyId}}},
    }
    session = CannedSession(MANAGEMENT, "us-east-1", answers)
    others = read_others(session.client("organizations"), ["r-1", ARCHIVE], ["org-trail-log-archive"])
    assert guards(others, GUARDED) == [
        Guard("p-2", "aws-guardrails-x", ARCHIVE, "OrgTrailKeepBucket", ("s3:DeleteBucket",))
    ]
