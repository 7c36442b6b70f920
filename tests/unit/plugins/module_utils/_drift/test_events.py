# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an event tells: what it caused, and who called."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._drift.drift import (
    BUCKET,
    ORGANIZATION,
    TRAIL,
    WATCH,
    Drift,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._drift.events import caller_of, causes

ARN = "arn:aws:cloudtrail:us-east-1:111111111111:trail/default"


@pytest.mark.parametrize(
    ("name", "asked", "what", "blamed"),
    [
        ("UpdateTrail", {"name": "default", "s3BucketName": "mine"}, "s3_bucket_name", True),
        ("UpdateTrail", {"name": "default", "isMultiRegionTrail": False}, "s3_bucket_name", False),
        ("StopLogging", {"name": "default"}, "is_logging", True),
        ("StopLogging", {"name": ARN}, "is_logging", True),
        ("StopLogging", {"name": "other"}, "is_logging", False),
        ("PutEventSelectors", {"trailName": ARN}, "event_selectors", True),
        ("AddTags", {"resourceId": ARN}, "tags", True),
        ("StopLogging", {}, "is_logging", False),
    ],
)
def test_an_update_is_blamed_for_the_settings_that_it_names(
    name: str, asked: dict[str, object], what: str, blamed: bool
) -> None:
    drift = Drift(TRAIL, ARN, what, "", "", "", (name,))
    event = {"EventName": name, "CloudTrailEvent": json.dumps({"requestParameters": asked})}
    assert causes(event, drift) is blamed
    assert causes({**event, "EventName": "GetTrail"}, drift) is False
    failed = {"requestParameters": asked, "errorCode": "AccessDenied"}
    assert causes({**event, "CloudTrailEvent": json.dumps(failed)}, drift) is False


POLICY = Drift(BUCKET, "logs", "policy, AWSCloudTrailWrite", "", "", "", ("PutBucketPolicy", "DeleteBucketPolicy"))
ACCESS = Drift(ORGANIZATION, "organization o-1", "trusted access", "", "", "", ("DisableAWSServiceAccess",))
MADE = ("RegisterDelegatedAdministrator", "RegisterOrganizationDelegatedAdmin")
ADMINISTRATOR = Drift(ORGANIZATION, "account 222222222222", "delegated administrator", "", "", "", MADE)
TARGETS = Drift(ORGANIZATION, "policy org-trail-members p-1", "targets", "", "", "", ("DetachPolicy", "AttachPolicy"))
TYPE = Drift(ORGANIZATION, "policies of the type a_type", "policy type", "", "", "", ("DisablePolicyType",))
OUTSIDE = Drift(ORGANIZATION, "account Sand Box 1", "guardrails", "", "", "", ("MoveAccount",))
RULE = Drift(WATCH, "arn:aws:events:us-east-1:1:rule/org-trail", "state", "", "", "", ("DisableRule", "RemoveTargets"))
QUEUE = Drift(WATCH, "arn:aws:sqs:us-east-1:1:org-trail", "policy", "", "", "", ("SetQueueAttributes",))


@pytest.mark.parametrize(
    ("drift", "name", "asked", "blamed"),
    [
        (TARGETS, "DetachPolicy", {"policyId": "p-1", "targetId": "r-1"}, True),
        (TARGETS, "DetachPolicy", {"policyId": "p-2", "targetId": "r-1"}, False),
        (TYPE, "DisablePolicyType", {"rootId": "r-1", "policyType": "A_TYPE"}, True),
        (TYPE, "DisablePolicyType", {"rootId": "r-1", "policyType": "TAG_POLICY"}, False),
        (OUTSIDE, "MoveAccount", {"accountId": "1", "sourceParentId": "ou-1"}, True),
        (OUTSIDE, "MoveAccount", {"accountId": "2", "sourceParentId": "ou-1"}, False),
        (RULE, "DisableRule", {"name": "org-trail"}, True),
        (RULE, "RemoveTargets", {"rule": "org-trail"}, True),
        (RULE, "RemoveTargets", {"rule": "other"}, False),
        (RULE, "RemoveTargets", {}, False),
        (QUEUE, "SetQueueAttributes", {"queueUrl": "https://sqs.us-east-1.amazonaws.com/1/org-trail"}, True),
        (QUEUE, "SetQueueAttributes", {"queueUrl": "https://sqs.us-east-1.amazonaws.com/1/other"}, False),
        (POLICY, "PutBucketPolicy", {"bucketName": "logs", "bucketPolicy": {}, "policy": ""}, True),
        (POLICY, "DeleteBucketPolicy", {"bucketName": "logs", "Host": "logs.s3.amazonaws.com", "policy": ""}, True),
        (POLICY, "PutBucketPolicy", {"bucketName": "other"}, False),
        (ACCESS, "DisableAWSServiceAccess", {"servicePrincipal": "cloudtrail.amazonaws.com"}, True),
        (ACCESS, "DisableAWSServiceAccess", {"servicePrincipal": "config.amazonaws.com"}, False),
        (ADMINISTRATOR, MADE[0], {"accountId": "222222222222", "servicePrincipal": "cloudtrail.amazonaws.com"}, True),
        (ADMINISTRATOR, MADE[0], {"accountId": "222222222222", "servicePrincipal": "config.amazonaws.com"}, False),
        (ADMINISTRATOR, MADE[0], {"accountId": "333333333333", "servicePrincipal": "cloudtrail.amazonaws.com"}, False),
        (ADMINISTRATOR, MADE[1], {"memberAccountId": "222222222222"}, True),
        (ADMINISTRATOR, MADE[1], {}, False),
    ],
)
def test_an_event_is_about_one_object(drift: Drift, name: str, asked: dict[str, object], blamed: bool) -> None:
    event = {"EventName": name, "CloudTrailEvent": json.dumps({"requestParameters": asked})}
    assert causes(event, drift) is blamed


ISSUER = {"sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111111111111:role/Admin"}}
IDENTITIES: list[tuple[Any, str]] = [
    ({"type": "Root", "arn": "arn:aws:iam::111111111111:root"}, "arn:aws:iam::111111111111:root"),
    (
        {"type": "IAMUser", "arn": "arn:aws:iam::111111111111:user/a", "userName": "a"},
        "arn:aws:iam::111111111111:user/a",
    ),
    ({"type": "AssumedRole", "sessionContext": ISSUER}, "arn:aws:iam::111111111111:role/Admin"),
    ({"type": "AssumedRole", "sessionContext": "none", "principalId": "AROA:me"}, "AROA:me"),
    ({"type": "AWSService", "invokedBy": "cloudtrail.amazonaws.com"}, "cloudtrail.amazonaws.com"),
    ({"type": "AWSAccount", "accountId": "222222222222", "principalId": "AIDA"}, "AIDA"),
    ({"type": "AWSAccount", "accountId": "222222222222"}, "222222222222"),
    ({"type": "WebIdentityUser", "userName": "sub", "identityProvider": "accounts.google.com"}, "sub"),
    ({"type": "SAMLUser", "principalId": "x:y", "userName": "y"}, "y"),
    ({"type": "IdentityCenterUser", "accountId": "111111111111", "onBehalfOf": {"userId": "u"}}, "u"),
    (
        {"type": "FederatedUser", "arn": "arn:aws:sts::111111111111:federated-user/f"},
        "arn:aws:sts::111111111111:federated-user/f",
    ),
    ({"arn": ["odd"], "userName": "named"}, "named"),
    ({}, "Listed"),
    (None, "Listed"),
    ("text", "Listed"),
]


@pytest.mark.parametrize(("identity", "named"), IDENTITIES)
def test_whoever_called_is_named(identity: Any, named: str) -> None:
    event = {"CloudTrailEvent": json.dumps({"userIdentity": identity}), "Username": "Listed"}
    assert caller_of(event) == named


@pytest.mark.parametrize("text", [None, "", "{", "[1]", "null", 7])
def test_a_record_that_cannot_be_read_tells_nothing(text: Any) -> None:
    event = {"EventName": "PutBucketPolicy", "CloudTrailEvent": text}
    assert causes(event, POLICY) is False
    assert caller_of(event) == "unknown"
