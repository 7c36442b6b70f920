# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What CloudTrail asks of a log bucket: three policy statements, and the requests it makes (aws-facts section 3)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

from .._aws.arn import CLOUDTRAIL, is_key_arn
from .._aws.log_place import LogPlace
from .._policy.document import Document
from .._policy.evaluation import Decision, Policy, Request, evaluate, resource_patterns
from .._policy.names import Element, Form, find_name, usual_name
from .objects import insight_objects, log_objects

Context = dict[str, Any]

# Keys that a request by a service principal does not carry: they describe users, roles and their sessions, or a header
# for keys that the writer brings along.
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
    "s3:x-amz-server-side-encryption-customer-algorithm",
)
SSE = "s3:x-amz-server-side-encryption"
SSE_KEY = f"{SSE}-aws-kms-key-id"


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


def admission_requests(place: LogPlace, policy: Policy | None = None) -> tuple[AdmissionRequest, ...]:
    """Return the requests a policy must allow for the trail to be taken and its files to arrive.

    The markers that admission writes (aws-facts 3.1, 3.6), and of each kind of objects (section 6) the usual one. With
    a policy, also an object of every kind that its statements tell from the others: one that a Deny is for, and one
    that no Allow is for. So a Deny of one account, region, month or ending is seen, and an Allow of only some.
    """
    now = datetime.now(UTC)
    acl, write, organization_write = (statement["Sid"] for statement in required_statements(place))
    read = Request("s3:GetBucketAcl", place.bucket_arn, {"Service": CLOUDTRAIL}, _acl_context(place), complete=False)
    put = Request("s3:PutObject", "", {"Service": CLOUDTRAIL}, _put_context(place), complete=False)
    written = log_objects(place, now.date())
    arns = [
        place.object_arn(f"{start}{place.trail.account_id}/{kind}/")
        for start in (place.logs, place.organization_logs)
        for kind in ("CloudTrail", "CloudTrail-Digest")
    ]
    arns += [usual_name(form) for form in written]
    if policy is not None:
        arns += _told_apart(policy, put, written, insight_objects(place, now.date()))
    below = place.object_arn(place.organization_logs)
    writes = [
        AdmissionRequest(organization_write if arn.startswith(below) else write, replace(put, resource=arn))
        for arn in dict.fromkeys(arns)
    ]
    return (AdmissionRequest(acl, read), *sorted(writes, key=lambda one: one.sid != write))


def _told_apart(policy: Policy, put: Request, written: tuple[Form, ...], others: tuple[Form, ...]) -> Iterator[str]:
    """ARNs of objects that the policy treats in a way of their own."""
    certain: list[Element] = []
    possible: list[Element] = []
    for statement in policy.statements:
        anywhere = Policy(policy.version, (replace(statement, resource=None),))
        if (effect := decide(anywhere, put).effect) == "ImplicitDeny":
            continue
        element = resource_patterns(statement, put), "Resource" in statement.negated
        if statement.effect == "Deny":
            yield from filter(None, (find_name(form, (element,), True) for form in (*written, *others)))
            continue
        possible.append(element)
        if effect == "Allow":
            certain.append(element)
    for allowed in (certain, possible):
        yield from filter(None, (find_name(form, tuple(allowed), False) for form in written))


def _acl_context(place: LogPlace) -> Context:
    """What is known of a request for the bucket's ACL; whether it carries aws:SourceOrgID is not (aws-facts 3.8)."""
    return _context(place) | dict.fromkeys(("s3:x-amz-acl", SSE, SSE_KEY))


def _put_context(place: LogPlace) -> Context:
    """What is known of a request that writes an object: log files and digests are encrypted with the trail's key."""
    key = place.kms_key_arn
    context = _context(place) | {"aws:SourceOrgID": place.organization_id, "s3:x-amz-acl": "bucket-owner-full-control"}
    if key:
        context[SSE] = "aws:kms"
    if key is not None and (not key or is_key_arn(key)):
        context[SSE_KEY] = key or None
    return context


def _context(place: LogPlace) -> Context:
    context: Context = dict.fromkeys(_ABSENT) | {
        "aws:SourceArn": str(place.trail),
        "aws:SourceAccount": place.trail.account_id,
        "aws:PrincipalIsAWSService": "true",
        "aws:PrincipalServiceName": CLOUDTRAIL,
        "aws:PrincipalServiceNamesList": [CLOUDTRAIL],
        "aws:ResourceOrgID": place.organization_id,
        "aws:SecureTransport": "true",
        "aws:ViaAWSService": "false",
    }
    if place.owner:
        context |= {"aws:ResourceAccount": place.owner, "s3:ResourceAccount": place.owner}
    return context


def decide(policy: Policy, request: Request) -> Decision:
    """Evaluate an admission request; what AWS leaves open, and the time, in each of the possible worlds.

    The answer is Unknown unless every world gives the same one.
    """
    decision = evaluate(policy, request)
    if decision.effect != "Unknown":
        return decision
    worlds = [evaluate(policy, world) for world in _worlds(policy, request)]
    return worlds[0] if len({world.effect for world in worlds}) == 1 else decision


def _worlds(policy: Policy, request: Request) -> Iterator[Request]:
    text = json.dumps([statement.raw for statement in policy.statements]).lower()
    still_open = {
        key: values for key, values in _open(request).items() if request.values(key) is None and key.lower() in text
    }
    for choice in product(*still_open.values()):
        yield replace(request, context={**request.context, **dict(zip(still_open, choice, strict=True))})


def _open(request: Request) -> dict[str, tuple[str | None, ...]]:
    """What is not known of a request, with every value that it may have.

    Whether files carry a header for encryption when the trail has no KMS key is said nowhere. Logs are to arrive today
    and in a year.
    """
    moments = [datetime.now(UTC) + timedelta(days=days) for days in (0, 365)]
    key_may_be = request.values(SSE_KEY) is None
    return {
        SSE: (None, "AES256", "aws:kms") if key_may_be else (None, "AES256"),
        "s3:TlsVersion": ("1.2", "1.3"),
        "aws:CurrentTime": tuple(one.strftime("%Y-%m-%dT%H:%M:%SZ") for one in moments),
        "aws:EpochTime": tuple(str(int(one.timestamp())) for one in moments),
    }
