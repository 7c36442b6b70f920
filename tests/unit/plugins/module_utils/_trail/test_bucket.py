# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who reads a bucket's policy, and why an organization trail stays with its bucket."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.log_place import LogPlace
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.session import Session
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.bucket import (
    BucketReader,
    NoSuchBucket,
    missing_bucket,
    move_refusal,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.settings import Settings
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.situation import Unread

from tests.canned_aws import CannedSession, client_error
from tests.trail_options import AFTER, HOME, ME, options

OTHER = "444455556666"
DENIED, GONE = client_error("AccessDenied", 403), client_error("NoSuchBucket", 404)
NOT_FOUND, FORBIDDEN = client_error("404", 404), client_error("403", 403)
NONE = client_error("NoSuchBucketPolicy", 404)


def judge(policy: str | None, place: LogPlace, organization_trail: bool) -> Sequence[str]:
    """A judge that says what it was asked."""
    assert place == LogPlace("bucket", HOME, "o-exampleorgid", "", kms_key_arn="")
    return [f"{policy} {organization_trail}"]


def reader(archive: dict[str, Any] | None = None, **answers: Any) -> BucketReader:
    own = CannedSession(ME, "us-east-1", answers)
    other = CannedSession(OTHER, "us-east-1", archive or {})
    return BucketReader(
        cast(Session, own), ME, HOME, "o-exampleorgid", judge, None if archive is None else lambda: cast(Session, other)
    )


READS: list[tuple[str, BucketReader, Any]] = [
    ("its own", reader(get_bucket_policy={"Policy": "own"}), ["own True"]),
    ("its own without a policy", reader(get_bucket_policy=NONE), ["None True"]),
    (
        "the log archive's",
        reader({"get_bucket_policy": {"Policy": "theirs"}}, get_bucket_policy=DENIED, head_bucket=FORBIDDEN),
        ["theirs True"],
    ),
    ("another account's", reader(get_bucket_policy=DENIED, head_bucket=FORBIDDEN), Unread),
    (
        "one that the log archive may not read either",
        reader({"get_bucket_policy": DENIED}, get_bucket_policy=DENIED, head_bucket={}),
        Unread,
    ),
    ("none", reader(get_bucket_policy=GONE), NoSuchBucket),
    ("none, of which S3 tells only the name", reader(get_bucket_policy=DENIED, head_bucket=NOT_FOUND), NoSuchBucket),
]


@pytest.mark.parametrize(("case", "bucket", "expected"), READS, ids=[row[0] for row in READS])
def test_problems(case: str, bucket: BucketReader, expected: Any) -> None:
    if expected is NoSuchBucket:
        with pytest.raises(NoSuchBucket):
            bucket.problems(AFTER)
        return
    found = bucket.problems(AFTER)
    assert found == expected if isinstance(expected, list) else isinstance(found, expected)


def test_the_kind_of_trail_is_told_to_the_judge() -> None:
    assert reader(get_bucket_policy={"Policy": "p"}).problems({**AFTER, "is_organization_trail": False}) == ["p False"]


def test_a_missing_bucket_is_named() -> None:
    assert missing_bucket(AFTER).startswith("Bucket bucket does not exist, expected")


NEW: Settings = {**AFTER, "s3_bucket_name": "look-alike"}
FOUND = options(bucket_is_named=False)
MOVES: list[tuple[str, Settings | None, Any, bool]] = [
    ("found by a look-up", AFTER, FOUND, True),
    ("named", AFTER, options(s3_bucket_name="look-alike"), False),
    ("a new trail", None, FOUND, False),
    ("a trail that becomes an organization trail", {**AFTER, "is_organization_trail": False}, FOUND, False),
    ("the same bucket", NEW, FOUND, False),
]


@pytest.mark.parametrize(("case", "before", "given", "refused"), MOVES, ids=[row[0] for row in MOVES])
def test_an_organization_trail_is_moved_only_by_name(
    case: str, before: Settings | None, given: Any, refused: bool
) -> None:
    refusal = move_refusal(reader(get_bucket_policy={"Policy": "p"}), before, NEW, given)
    assert bool(refusal) is refused
    if refusal:
        assert (
            "writes to the bucket bucket, of which is known: p True. A look-up found the bucket look-alike" in refusal
        )
        assert "set organization_trail_bucket=look-alike" in refusal


@pytest.mark.parametrize(
    ("answers", "known"),
    [
        ({"get_bucket_policy": GONE}, "it does not exist"),
        (
            {"get_bucket_policy": DENIED, "head_bucket": FORBIDDEN},
            "its policy could not be read (Failed to get the policy",
        ),
    ],
)
def test_what_is_known_of_the_bucket_that_it_has(answers: dict[str, Any], known: str) -> None:
    assert f"of which is known: {known}" in str(move_refusal(reader(**answers), AFTER, NEW, FOUND))
