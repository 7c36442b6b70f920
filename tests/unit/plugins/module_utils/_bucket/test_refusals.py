# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What S3 would refuse of a policy, seen before the write."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.refusals import (
    denial_problem,
    public_problem,
    public_statements,
    size_problem,
    text_of,
)

from tests.broken_policies import PLACE, Scene

OWNER = "222233334444"
OWNED = replace(PLACE, owner=OWNER)
SCENE = Scene(OWNED)
SESSION = f"arn:aws:sts::{OWNER}:assumed-role/Repair/ann"
USER = f"arn:aws:iam::{OWNER}:user/ops/bob"
PUT, DELETE = "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"


@pytest.mark.parametrize(("length", "too_large"), [(20480, False), (20481, True)])
@pytest.mark.parametrize("character", ["x", "ä", "語"])
def test_size_problem_counts_bytes_without_blanks_and_escapes(length: int, too_large: bool, character: str) -> None:
    """A word of another alphabet counts as the bytes that it has, not as its escapes (aws-facts 3.11)."""
    left = length - len('{"Id":""}')
    word = character * (left // len(character.encode()))
    policy = {"Id": word + "x" * (left - len(word.encode()))}
    problem = size_problem(policy)
    assert bool(problem) is too_large
    assert not too_large or f"{length} bytes" in str(problem)
    assert len(text_of(policy).encode()) == length


def deny(**changes: Any) -> dict[str, Any]:
    return SCENE.with_deny("Locked", {}, **{"Action": "s3:*", "Resource": PLACE.bucket_arn, **changes})


def spare(operator: str, arn: str) -> dict[str, Any]:
    return deny(Condition={operator: {"aws:PrincipalArn": arn}})


@pytest.mark.parametrize(
    ("policy", "caller", "action", "denied"),
    [
        (deny(), SESSION, PUT, True),
        (deny(Action=PUT), SESSION, PUT, True),
        (deny(Action=PUT), SESSION, DELETE, False),
        (deny(Action=DELETE), USER, DELETE, True),
        (deny(Resource=PLACE.object_arn("*")), SESSION, PUT, False),
        (spare("ArnNotLike", f"arn:aws:iam::{OWNER}:role/Admin"), SESSION, PUT, True),
        (
            spare("ArnNotLike", f"arn:aws:iam::{OWNER}:role/Repair"),
            SESSION,
            PUT,
            False,
        ),
        (spare("ArnNotLike", "arn:aws:iam::*:role/*/Repair"), SESSION, PUT, False),
        (spare("ArnNotEquals", USER), USER, PUT, False),
        (deny(Condition={"Bool": {"aws:SecureTransport": "false"}}), SESSION, PUT, False),
        (deny(Condition={"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}), SESSION, PUT, False),  # not known from here
        (deny(Principal=None, NotPrincipal={"AWS": f"arn:aws:iam::{OWNER}:role/Admin"}), SESSION, PUT, True),
        (deny(Principal={"AWS": f"arn:aws:iam::{OWNER}:role/Repair"}), SESSION, PUT, True),
        (SCENE.good(), SESSION, PUT, False),
        (deny(), "", PUT, False),
        (None, SESSION, PUT, False),
    ],
)
def test_denial_problem(policy: dict[str, Any] | None, caller: str, action: str, denied: bool) -> None:
    problem = denial_problem(policy, OWNED, caller, action)
    if not denied:
        assert problem is None
        return
    assert f"Statement Locked of the policy of bucket {PLACE.bucket} denies {caller} {action}" in str(problem)
    assert f"root user of account {OWNER}" in str(problem)


@pytest.mark.parametrize(
    ("changes", "public"),
    [
        ({"Principal": "*"}, True),
        ({"Principal": {"AWS": [OWNER, "*"]}}, True),
        ({"Principal": "*", "Condition": {"StringEquals": {"aws:SourceAccount": OWNER}}}, False),
        ({"Principal": "*", "Effect": "Deny"}, False),
        ({"Principal": {"AWS": OWNER}}, False),
        ({"Principal": {"Service": "cloudtrail.amazonaws.com"}}, False),
    ],
)
def test_public_statements(changes: dict[str, Any], public: bool) -> None:
    statement = {"Sid": "Open", "Effect": "Allow", "Action": "s3:GetObject", "Resource": PLACE.object_arn("*")}
    policy = {"Version": "2012-10-17", "Statement": [*SCENE.good()["Statement"], {**statement, **changes}]}
    assert public_statements(policy) == (["Open"] if public else [])
    assert ("Open allow everybody" in public_problem(policy, OWNED)) is public
