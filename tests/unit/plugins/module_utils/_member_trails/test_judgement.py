# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of a member's trail beside the organization trail."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.judgement import judge
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.keeps import Keep
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.trail import Trail

from tests.member_trails import advanced, basic, data, management, member, organization

READ, WRITE = basic(ReadWriteType="ReadOnly"), basic(ReadWriteType="WriteOnly")


@pytest.mark.parametrize(
    ("own", "other", "expected"),
    [
        (None, None, True),
        (READ, WRITE, False),
        (READ, READ, True),
        (advanced(data()), None, False),
        (advanced(management(eventName="X")), WRITE, True),
        (None, advanced(data()), False),
    ],
)
def test_second_copy(own: Any, other: Any, expected: bool) -> None:
    assert judge(member(own), organization(other)).second_copy is expected


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (organization(), True),
        (organization(logging=False), False),
        (organization(IsOrganizationTrail=False), False),
        (organization(WRITE), False),
    ],
)
def test_nothing_is_redundant_beside_a_trail_that_does_not_log_for_members(other: Trail, expected: bool) -> None:
    assert judge(member(), other).redundant is expected


def test_readers_of_the_bucket_keep_a_trail() -> None:
    judgement = judge(member(), organization(), (Keep("bucket_readers", "files"),))
    assert not judgement.redundant
    assert judgement.to_dict() == {
        "account_id": "222222222222",
        "arn": "arn:aws:cloudtrail:us-east-1:222222222222:trail/default",
        "home_region": "us-east-1",
        "is_multi_region_trail": True,
        "is_logging": True,
        "s3_bucket_name": "logs-222222222222",
        "management_events": "all management events",
        "second_copy": True,
        "redundant": False,
        "keeps": [{"kind": "bucket_readers", "text": "files"}],
    }
    owned = judge(member(tags={"Terraform": "true"}), organization()).to_dict()
    assert (owned["redundant"], owned["owner"]) == (True, {"kind": "terraform", "name": "Terraform"})
