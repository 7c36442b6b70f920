# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What CloudTrail asks of a log bucket: three policy statements, and the requests it makes (aws-facts section 3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

from .._aws.arn import CLOUDTRAIL
from .._aws.log_place import LogPlace
from .._policy.document import Document
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


def required_statements(place: LogPlace) -> list[Document]:
    """Return the three statements AWS itself writes for an organization trail, with AWS's Sids.

    Source: aws-facts section 3,
    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
    """
    writable = place.object_arn(f"{place.logs}{place.trail.account_id}/*")
    statements: list[Document] = [
        {
            "Sid": sid,
            "Effect": "Allow",
            "Principal": {"Service": CLOUDTRAIL},
            "Action": action,
            "Resource": resource,
            "Condition": {"StringEquals": {"aws:SourceArn": str(place.trail)}},
        }
        for sid, action, resource in (
            ("AWSCloudTrailAclCheck20150319", "s3:GetBucketAcl", place.bucket_arn),
            ("AWSCloudTrailWrite20150319", "s3:PutObject", writable),
            (
                "AWSCloudTrailOrganizationWrite20150319",
                "s3:PutObject",
                place.object_arn(f"{place.organization_logs}*"),
            ),
        )
    ]
    for statement in statements[1:]:
        statement["Condition"]["StringEquals"]["s3:x-amz-acl"] = "bucket-owner-full-control"
    return statements


def admission_requests(place: LogPlace) -> tuple[AdmissionRequest, ...]:
    """Return the requests a policy must allow before CloudTrail takes the bucket, in the order of the statements.

    The writes stand for every account: "<member>" is no account id, so that only a wildcard covers it.
    Source: aws-facts 3.1, 3.6 and section 6.
    """
    account_id = place.trail.account_id
    context: dict[str, str | None] = dict.fromkeys(_ABSENT) | {
        "aws:SourceArn": str(place.trail),
        "aws:SourceAccount": account_id,
        "aws:SourceOrgID": place.organization_id,
        "aws:PrincipalIsAWSService": "true",
        "aws:PrincipalServiceName": CLOUDTRAIL,
        "aws:SecureTransport": "true",
        "aws:ViaAWSService": "false",
    }
    acl, write, organization_write = (statement["Sid"] for statement in required_statements(place))
    writes = (
        (write, f"{place.logs}{account_id}/CloudTrail/"),
        (organization_write, f"{place.organization_logs}{account_id}/CloudTrail/"),
        (organization_write, f"{place.organization_logs}<member>/CloudTrail/"),
        (organization_write, f"{place.organization_logs}<member>/CloudTrail-Digest/"),
    )
    principal = {"Service": CLOUDTRAIL}
    acl_context = context | {"s3:x-amz-acl": None, "s3:x-amz-server-side-encryption": None}
    put_context = context | {"s3:x-amz-acl": "bucket-owner-full-control"}
    return (
        AdmissionRequest(acl, Request("s3:GetBucketAcl", place.bucket_arn, principal, acl_context, complete=False)),
        *(
            AdmissionRequest(
                sid, Request("s3:PutObject", place.object_arn(key), principal, put_context, complete=False)
            )
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
