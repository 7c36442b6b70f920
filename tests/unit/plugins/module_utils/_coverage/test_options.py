# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the coverage, as they are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import AnsibleOrgTrailError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage.options import coverage_options

ARN = "arn:aws:cloudtrail:us-east-1:111122223333:trail/default"
ROLE = f"arn:aws:iam::{'2' * 12}:role/R"
ONE = ("1" * 12, "one", "ACTIVE", "o/r/", "2026-01-01")
PARAMS: dict[str, Any] = {
    "trail_arn": ARN,
    "accounts": None,
    "regions": [],
    "role_name": "R",
    "role_arn_pattern": "arn:{partition}:iam::{account_id}:role/{role_name}",
    "role_external_id": None,
    "assume_role_session_name": "tests",
    "trail_changed_at": None,
    "wait_minutes": 0,
    "wait_interval": 60,
    "deadline_minutes": 120,
    "max_concurrency": 512,
    "max_processes": 0,
    "ou_names": False,
    "event_history": False,
    "log_delivery": "none",
    "log_archive_role_arn": None,
    "log_archive_role_external_id": None,
    "output_path": None,
    "max_exceptions": 1000,
    "preflight": None,
    "progress_path": None,
}


def test_what_is_not_given_is_not_set() -> None:
    options = coverage_options(PARAMS)
    assert (str(options.trail_arn), options.accounts, options.trail_changed_at, options.output_path) == (
        ARN,
        None,
        "",
        None,
    )


def test_accounts_are_read() -> None:
    found = coverage_options({**PARAMS, "accounts": [{"id": "1" * 12}]}).accounts
    assert [one.account.id for one in found or ()] == ["1" * 12]


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"trail_arn": "default"}, "'default' is not a trail ARN"),
    ({"accounts": [{"id": "123"}]}, "'123' in accounts is no account id, expected 12 digits"),
    ({"max_concurrency": 0}, "max_concurrency is 0, expected at least 1"),
    ({"max_processes": -1}, "max_processes is -1, expected at least 1, or 0 for as many as there are processors"),
    ({"trail_changed_at": "yesterday"}, "trail_changed_at is 'yesterday', expected ISO 8601"),
    ({"accounts": [{"id": "1" * 12, "joined_at": "soon"}]}, f"joined_at of account {'1' * 12} is 'soon'"),
    ({"output_path": f"{__file__}/found.json"}, f"Failed to write output_path {__file__}/found.json"),
]


@pytest.mark.parametrize(("changes", "says"), REFUSED)
def test_what_cannot_lead_to_a_result_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(AnsibleOrgTrailError, match=says):
        coverage_options({**PARAMS, **changes})


def test_a_folder_is_no_output_file(tmp_path: Path) -> None:
    assert coverage_options({**PARAMS, "output_path": str(tmp_path / "a.json")}).output_path == tmp_path / "a.json"
    with pytest.raises(AnsibleOrgTrailError, match="expected a file in a directory that is there or can be made"):
        coverage_options({**PARAMS, "output_path": str(tmp_path)})
