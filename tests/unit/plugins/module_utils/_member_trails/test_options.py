# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of cloudtrail_member_trails_info and cloudtrail_member_trail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import AnsibleOrgTrailError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.options import (
    retire_options,
    trails_options,
)

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


MEMBERS = [f"arn:aws:cloudtrail:us-east-1:{account}:trail/team" for account in ("2" * 12, "3" * 12)]


def retire_params(folder: Path, **changes: Any) -> dict[str, Any]:
    own = {"organization_trail_arn": ARN, "trail_arns": MEMBERS, "all_recorded": False, "state": "absent"}
    roles = {"log_archive_role_arn": None, "log_archive_role_external_id": None}
    return {**PARAMS, **own, **roles, "record_dir": str(folder / "records"), "stopped_days": 7.0, **changes}


def test_trails_are_named_once_and_in_their_order(tmp_path: Path) -> None:
    options = retire_options(retire_params(tmp_path, trail_arns=[*reversed(MEMBERS), *MEMBERS]))
    assert [str(arn) for arn in options.trail_arns or ()] == [*reversed(MEMBERS)]
    assert options.record_dir == tmp_path / "records"
    assert retire_options(retire_params(tmp_path, trail_arns=None, all_recorded=True)).trail_arns is None
    assert retire_options(retire_params(tmp_path, trail_arns=[])).trail_arns == []
    back = retire_options(retire_params(tmp_path, state="present", organization_trail_arn=None))
    assert back.organization_trail_arn is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"trail_arns": ["team"]}, "'team' is not a trail ARN"),
        ({"trail_arns": [ARN]}, "a trail of account 111111111111, which owns the organization trail"),
        ({"trail_arns": None}, "neither is, expected one of them"),
        ({"all_recorded": True}, "both trail_arns and all_recorded are set"),
        ({"all_recorded": True, "trail_arns": None, "state": "stopped"}, "only trails that are named are stopped"),
        ({"stopped_days": 0.5}, "stopped_days is 0.5, expected at least 1"),
        ({"stopped_days": float("nan")}, "stopped_days is nan, expected at least 1"),
        ({"record_dir": "/proc/version/records"}, "Failed to write record_dir /proc/version/records"),
        ({"max_concurrency": 0}, "max_concurrency is 0, expected at least 1"),
        ({"organization_trail_arn": ""}, "No organization trail is named with state=absent"),
        ({"organization_trail_arn": "default"}, "'default' is not a trail ARN"),
    ],
)
def test_what_cannot_be_retired_is_refused_at_once(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(AnsibleOrgTrailError, match=says):
        retire_options(retire_params(tmp_path, **changes))
