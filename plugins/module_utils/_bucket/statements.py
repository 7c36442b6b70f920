# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What CloudTrail asks of a log bucket: three policy statements, and the requests it makes (aws-facts section 3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from .._aws.arn import CLOUDTRAIL, parse_trail_arn
from .._policy.evaluation import Decision, Policy, Request, evaluate

# Keys that a request by a service principal does not carry: they describe users, roles and their sessions, or
# headers CloudTrail has no use for without a KMS key.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
_ABSENT = (
    "aws:FederatedProvider",
    "aws:MultiFactorAuthAge",
    "aws:MultiFactorAuthPresent",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:PrincipalTag/*",
    "aws:SourceIdentity",
    "aws:username",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "s3:x-amz-server-side-encryption-customer-algorithm",
)
# What AWS leaves open. Digest files are sent with AES256; whether log files carry the header is said nowhere.
# https://docs.aws.amazon.com/awscloudtrail/latest/userguide/best-practices-security.html
_OPEN: dict[str, tuple[str | None, ...]] = {
    "s3:x-amz-server-side-encryption": (None, "AES256"),
    "s3:TlsVersion": ("1.2", "1.3"),
}


@dataclass(frozen=True)
class AdmissionRequest:
    """One request that must be allowed; `sid` is AWS's Sid of the required statement that allows it."""

    sid: str
    request: Request


def required_statements(bucket: str, trail_arn: str, organization_id: str, prefix: str = "") -> list[dict[str, Any]]:
    """Return the three statements AWS itself writes for an organization trail, with AWS's Sids.

    prefix: the trail's S3KeyPrefix, "" for none. Raises ValueError for an ARN that is not a trail's.
    Source: aws-facts section 3,
    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
    """
    account_id = parse_trail_arn(trail_arn).account_id
    bucket_arn, logs = _bucket_arn(bucket, trail_arn), _logs_arn(bucket, trail_arn, prefix)
    statements: list[dict[str, Any]] = [
        {
            "Sid": sid,
            "Effect": "Allow",
            "Principal": {"Service": CLOUDTRAIL},
            "Action": action,
            "Resource": resource,
            "Condition": {"StringEquals": {"aws:SourceArn": trail_arn}},
        }
        for sid, action, resource in (
            ("AWSCloudTrailAclCheck20150319", "s3:GetBucketAcl", bucket_arn),
            ("AWSCloudTrailWrite20150319", "s3:PutObject", f"{logs}/{account_id}/*"),
            ("AWSCloudTrailOrganizationWrite20150319", "s3:PutObject", f"{logs}/{organization_id}/*"),
        )
    ]
    for statement in statements[1:]:
        statement["Condition"]["StringEquals"]["s3:x-amz-acl"] = "bucket-owner-full-control"
    return statements


def admission_requests(
    bucket: str, trail_arn: str, organization_id: str, prefix: str = ""
) -> tuple[AdmissionRequest, ...]:
    """Return the requests a policy must allow before CloudTrail takes the bucket, in the order of the statements.

    The writes stand for every account: "<member>" is no account id, so that only a wildcard covers it.
    Source: aws-facts 3.1, 3.6 and section 6.
    """
    account_id = parse_trail_arn(trail_arn).account_id
    context: dict[str, str | None] = dict.fromkeys(_ABSENT) | {
        "aws:SourceArn": trail_arn,
        "aws:SourceAccount": account_id,
        "aws:SourceOrgID": organization_id,
        "aws:PrincipalIsAWSService": "true",
        "aws:PrincipalServiceName": CLOUDTRAIL,
        "aws:SecureTransport": "true",
        "aws:ViaAWSService": "false",
    }
    logs = _logs_arn(bucket, trail_arn, prefix)
    acl, write, organization_write = (
        statement["Sid"] for statement in required_statements(bucket, trail_arn, organization_id, prefix)
    )
    writes = (
        (write, f"{logs}/{account_id}/CloudTrail/"),
        (organization_write, f"{logs}/{organization_id}/{account_id}/CloudTrail/"),
        (organization_write, f"{logs}/{organization_id}/<member>/CloudTrail/"),
        (organization_write, f"{logs}/{organization_id}/<member>/CloudTrail-Digest/"),
    )
    principal = {"Service": CLOUDTRAIL}
    acl_context = context | {"s3:x-amz-acl": None, "s3:x-amz-server-side-encryption": None}
    put_context = context | {"s3:x-amz-acl": "bucket-owner-full-control"}
    bucket_arn = _bucket_arn(bucket, trail_arn)
    return (
        AdmissionRequest(acl, Request("s3:GetBucketAcl", bucket_arn, principal, acl_context, complete=False)),
        *(
            AdmissionRequest(sid, Request("s3:PutObject", key, principal, put_context, complete=False))
            for sid, key in writes
        ),
    )


def decide(policy: Policy, request: Request) -> Decision:
    """Evaluate an admission request; where AWS leaves a header open, in each of the possible worlds.

    The answer is Unknown unless every world gives the same one.
    """
    decision = evaluate(policy, request)
    if decision.effect != "Unknown":
        return decision
    worlds = [evaluate(policy, world) for world in _worlds(request)]
    return worlds[0] if len({world.effect for world in worlds}) == 1 else decision


def _worlds(request: Request) -> Iterator[Request]:
    still_open = {key: values for key, values in _OPEN.items() if request.values(key) is None}
    for choice in product(*still_open.values()):
        yield replace(request, context={**request.context, **dict(zip(still_open, choice, strict=True))})


def _bucket_arn(bucket: str, trail_arn: str) -> str:
    return f"arn:{parse_trail_arn(trail_arn).partition}:s3:::{bucket}"


def _logs_arn(bucket: str, trail_arn: str, prefix: str) -> str:
    return "/".join(part for part in (_bucket_arn(bucket, trail_arn), prefix.strip("/"), "AWSLogs") if part)
