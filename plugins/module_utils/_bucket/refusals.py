# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why S3 would refuse a bucket's policy from the caller, as far as that can be seen before the write."""

from __future__ import annotations

import json

from .._aws.log_place import LogPlace
from .._policy.document import Document
from .._policy.evaluation import Policy, Request, evaluate, parse_policy

SIZE_LIMIT = 20 * 1024
"""Bytes (aws-facts 3.11)."""


def text_of(policy: Document) -> str:
    """The policy as it is sent: without white space and with every character as itself.

    However S3 counts it against its limit, that is the smallest form (aws-facts 3.11).
    """
    return json.dumps(policy, separators=(",", ":"), ensure_ascii=False)


def size_problem(policy: Document) -> str | None:
    """Say in one sentence that the policy is larger than S3 takes (20 KiB), or None."""
    size = len(text_of(policy).encode())
    if size <= SIZE_LIMIT:
        return None
    return (
        f"The bucket policy would have {size} bytes; S3 takes {SIZE_LIMIT} at most. "
        "Remove statements that nobody needs or merge some, then run again."
    )


def denial_problem(policy: Document | None, place: LogPlace, caller: str, action: str) -> str | None:
    """Say in one sentence that the bucket's own policy denies the caller (an ARN) the change, or None.

    action: s3:PutBucketPolicy or s3:DeleteBucketPolicy. Only what is certain counts; S3 judges the rest.
    """
    if not policy or not caller:
        return None
    parsed = parse_policy(policy, "resource")
    for statement in parsed.statements:
        alone = Policy(parsed.version, (statement,))
        if all(evaluate(alone, request).effect == "Deny" for request in _requests(place, caller, action)):
            return (
                f"Statement {statement.label} of the policy of bucket {place.bucket} denies {caller} {action}, so the "
                "policy cannot be repaired with these credentials. Run as a principal that the statement spares; the "
                f"root user of account {place.owner} may change the policy whatever it says."
            )
    return None


def _requests(place: LogPlace, caller: str, action: str) -> list[Request]:
    """The caller's request. A session's ARN does not tell the path of its role, so with one and without."""
    _arn, partition, _service, _region, account, name = caller.split(":", 5)
    kind, _slash, rest = name.partition("/")
    role = rest.partition("/")[0]
    names = [f"role/{role}", f"role/any/path/{role}"] if kind == "assumed-role" else [name]
    known: dict[str, str | None] = {
        "aws:PrincipalAccount": account,
        "aws:PrincipalIsAWSService": "false",
        "aws:PrincipalOrgID": place.organization_id or None,
        "aws:SecureTransport": "true",
        "aws:SourceAccount": None,
        "aws:SourceArn": None,
        "aws:SourceOrgID": None,
    }
    arns = [f"arn:{partition}:iam::{account}:{one}" for one in names]
    return [
        Request(action, place.bucket_arn, {"AWS": caller}, {**known, "aws:PrincipalArn": arn}, complete=False)
        for arn in arns
    ]


def public_statements(policy: Document) -> list[str]:
    """The labels of statements that allow everybody without any condition, for which S3 calls a policy public.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
    """
    return [
        statement.label
        for statement in parse_policy(policy, "resource").statements
        if statement.effect == "Allow" and ("AWS", "*") in (statement.principal or ()) and not statement.conditions
    ]


def public_problem(policy: Document, place: LogPlace) -> str:
    """Say in one sentence why a bucket that blocks public policies will not take this one."""
    return (
        f"Bucket {place.bucket} blocks public policies (BlockPublicPolicy), and its own policy is public: "
        f"{', '.join(public_statements(policy))} allow everybody without a condition, so S3 would refuse any change. "
        "Let their owner narrow their Principal or give them a Condition, then run again; the trail's statements are "
        "not public."
    )
