# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which events tell that somebody weakens the trail, its log bucket or their key: event patterns for EventBridge.

Calls that failed are left out. An event is only a hint: whoever gets it looks at what there is.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
"""

from __future__ import annotations

from typing import Any

Pattern = dict[str, Any]
"""An event pattern, as JSON holds it."""

BY_CALL = "AWS API Call via CloudTrail"

TRAIL = (
    "AddTags",
    "CreateTrail",
    "DeleteTrail",
    "DeregisterOrganizationDelegatedAdmin",
    "PutEventConfiguration",
    "PutEventSelectors",
    "PutInsightSelectors",
    "RegisterOrganizationDelegatedAdmin",
    "RemoveTags",
    "StopLogging",
    "UpdateTrail",
)
ORGANIZATION = (
    "AttachPolicy",
    "DeletePolicy",
    "DeregisterDelegatedAdministrator",
    "DetachPolicy",
    "DisableAWSServiceAccess",
    "DisablePolicyType",
    "RegisterDelegatedAdministrator",
    "UpdatePolicy",
)
BUCKET = (
    "DeleteBucket",
    "DeleteBucketEncryption",
    "DeleteBucketLifecycle",
    "DeleteBucketOwnershipControls",
    "DeleteBucketPolicy",
    "DeleteBucketPublicAccessBlock",
    "PutBucketAcl",
    "PutBucketEncryption",
    "PutBucketLifecycle",
    "PutBucketLogging",
    "PutBucketNotification",
    "PutBucketObjectLockConfiguration",
    "PutBucketOwnershipControls",
    "PutBucketPolicy",
    "PutBucketPublicAccessBlock",
    "PutBucketReplication",
    "PutBucketRequestPayment",
    "PutBucketVersioning",
)
"""As S3's events name the calls: https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html"""
KEY = ("CreateGrant", "DisableKey", "PutKeyPolicy", "RetireGrant", "RevokeGrant", "ScheduleKeyDeletion")

FINDINGS = ("Stealth:IAMUser/CloudTrailLoggingDisabled",)
"""GuardDuty's, which needs no trail: https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-iam.html"""


def calls(service: str, names: tuple[str, ...], detail: Pattern | None = None) -> Pattern:
    """Calls of a service that did not fail, by their names; ``detail`` narrows them further."""
    return {
        "source": [f"aws.{service}"],
        "detail-type": [BY_CALL],
        "detail": {
            "eventSource": [f"{service}.amazonaws.com"],
            "eventName": list(names),
            "errorCode": [{"exists": False}],
            **(detail or {}),
        },
    }


def trail_pattern() -> Pattern:
    return calls("cloudtrail", TRAIL)


def organization_pattern() -> Pattern:
    return calls("organizations", ORGANIZATION)


def bucket_pattern(bucket: str) -> Pattern:
    return calls("s3", BUCKET, {"requestParameters": {"bucketName": [bucket]}})


def key_pattern(arn: str) -> Pattern:
    """Calls about a key. Parameters may name it by its id or an alias; the event's resources have its ARN."""
    return calls("kms", KEY, {"resources": {"ARN": [arn]}})


def finding_pattern() -> Pattern:
    return {"source": ["aws.guardduty"], "detail-type": ["GuardDuty Finding"], "detail": {"type": list(FINDINGS)}}
