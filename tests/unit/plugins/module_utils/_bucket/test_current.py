# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which bucket the organization trail has, as a member sees it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import TrailArn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.candidate import SoughtTrail
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.current import (
    CurrentBucket,
    current_bucket,
    read_trails,
)

from tests.canned_aws import CannedSession, client_error

HOME = TrailArn("aws", "us-east-1", "111122223333", "default")
BY_NAME = SoughtTrail(HOME, "o-abc1234567", regions=("eu-west-1", "us-east-1"))
BY_ARN = SoughtTrail(HOME, "o-abc1234567")


def trail(bucket: str, region: str = "us-east-1", **changes: Any) -> dict[str, Any]:
    arn = f"arn:aws:cloudtrail:{region}:111122223333:trail/default"
    return {"TrailARN": arn, "S3BucketName": bucket, "IsOrganizationTrail": True, **changes}


OWN = trail("own", TrailARN="arn:aws:cloudtrail:us-east-1:444455556666:trail/default")
OTHER = trail("other", TrailARN="arn:aws:cloudtrail:us-east-1:111122223333:trail/other")
ODD = trail("odd", TrailARN="arn:aws:cloudtrail:us-east-1:111122223333:channel/default")


@pytest.mark.parametrize(
    ("trails", "sought", "name"),
    [
        ([], BY_NAME, ""),
        ([OWN, OTHER, ODD, trail("logs")], BY_NAME, "logs"),
        ([trail("logs", "eu-west-1")], BY_NAME, "logs"),
        ([trail("logs", "eu-west-1")], BY_ARN, ""),
        ([trail("logs"), trail("theirs", "eu-west-1")], BY_ARN, "logs"),
        ([trail("logs"), trail("logs", "eu-west-1")], BY_NAME, "logs"),
        ([trail("logs", IsOrganizationTrail=False)], BY_NAME, ""),
        ([{"TrailARN": str(HOME), "S3BucketName": "logs"}], BY_NAME, ""),
    ],
)
def test_the_trail_that_is_sought_is_the_only_one_that_counts(trails: Any, sought: SoughtTrail, name: str) -> None:
    assert current_bucket(trails, sought) == CurrentBucket(name)


def test_a_namesake_is_to_be_deleted_and_never_admitted() -> None:
    with pytest.raises(
        ValueError, match=r"eu-west-1.* with the bucket theirs.* delete it; never let a bucket admit it"
    ):
        current_bucket([trail("logs"), trail("theirs", "eu-west-1")], BY_NAME)


def test_what_may_not_be_read_is_no_answer() -> None:
    session = CannedSession("444455556666", "us-east-1", {"describe_trails": client_error("AccessDeniedException")})
    answer = read_trails(session.client("cloudtrail"))
    found = current_bucket(answer, BY_NAME)
    assert found.name == ""
    assert "cloudtrail:" in found.unread or "lacks a permission" in found.unread
