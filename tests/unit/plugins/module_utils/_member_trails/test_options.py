# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of cloudtrail_member_trails_info."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import AnsibleOrgTrailError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.options import trails_options

ARN = "arn:aws:cloudtrail:us-east-1:111111111111:trail/default"
PARAMS: dict[str, Any] = {
    "trail_arn": ARN,
    "accounts": None,
    "role_name": "R",
    "role_arn_pattern": "arn:{partition}:iam::{account_id}:role/{role_name}",
    "role_external_id": None,
    "assume_role_session_name": "tests",
    "unread_buckets": [],
    "costs": False,
    "deadline_minutes": 1.0,
    "max_concurrency": 4,
    "progress_path": None,
}


def test_options() -> None:
    options = trails_options({**PARAMS, "accounts": [{"id": "2" * 12}]})
    assert (str(options.trail_arn), [one.account.id for one in options.accounts or ()]) == (ARN, ["2" * 12])
    assert trails_options(PARAMS).accounts is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"trail_arn": "default"}, "'default' is not a trail ARN"),
        ({"trail_arn": "arn:aws:cloudtrail:us-gov-west-1:111111111111:trail/default"}, "expected aws-us-gov"),
        ({"accounts": [{"id": "2"}]}, "expected 12 digits"),
        ({"max_concurrency": 0}, "max_concurrency is 0, expected at least 1"),
    ],
)
def test_what_cannot_lead_to_a_result_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(AnsibleOrgTrailError, match=says):
        trails_options({**PARAMS, **changes})
