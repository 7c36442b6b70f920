# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does a bucket policy refuse requests without TLS, and the statement that makes it do so."""

from __future__ import annotations

import copy

from .._policy.document import Document
from .._policy.evaluation import PolicyError, Request, evaluate, parse_policy

SID = "DenyInsecureTransport"
_ANYONE = {"AWS": "arn:aws:iam::000000000000:root"}


def is_tls_only(policy: str | Document | None, bucket_arn: str) -> bool:
    """Tell whether the policy denies everybody reading, writing and listing without TLS; False when in doubt."""
    if not policy:
        return False
    try:
        parsed = parse_policy(policy, "resource")
    except PolicyError:
        return False
    requests = (
        Request(action, resource, _ANYONE, {"aws:SecureTransport": "false"}, complete=False)
        for action, resource in (
            ("s3:GetObject", f"{bucket_arn}/AWSLogs/any"),
            ("s3:PutObject", f"{bucket_arn}/AWSLogs/any"),
            ("s3:ListBucket", bucket_arn),
        )
    )
    return all(evaluate(parsed, request).effect == "Deny" for request in requests)


def require_tls(policy: Document, bucket_arn: str) -> Document:
    """Return the policy with a statement that denies requests without TLS, unless it has one; nothing else changes.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html
    """
    result: Document = copy.deepcopy(dict(policy))
    if is_tls_only(result, bucket_arn):
        return result
    statements = result["Statement"] if isinstance(result["Statement"], list) else [result["Statement"]]
    taken = {statement.get("Sid") for statement in statements}
    sid = SID if SID not in taken else next(f"{SID}{n}" for n in range(2, len(taken) + 3) if f"{SID}{n}" not in taken)
    deny = {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket_arn, f"{bucket_arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    result["Statement"] = [*statements, deny]
    return result
