# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which variables are taken for misspelt ones of ours, and which are left alone."""

from __future__ import annotations

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._work.variables import variables_problem

KNOWN = (
    "coverage_regions",
    "coverage_role_name",
    "log_bucket_lookup_name",
    "organization_trail_cloud_watch_logs_log_group_arn",
    "organization_trail_name",
)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("organization_trail_nam", "organization_trail_name"),
        ("organization_trail_names", "organization_trail_name"),
        ("organisation_trail_name", "organization_trail_name"),
        ("organization_trial_name", "organization_trail_name"),
        ("covrage_role_name", "coverage_role_name"),
        ("log_bucket_lookupname", "log_bucket_lookup_name"),
        ("coverage_team", ""),
        ("trusted_access_granted_by", ""),
    ],
)
def test_told(name: str, meant: str) -> None:
    told = variables_problem([name, *KNOWN], KNOWN, [])
    hint = f"{name} (did you mean {meant}?)" if meant else name
    assert told.startswith(f"Unknown variables of cloudsec.org_trail: {hint}. Nothing reads them.")


@pytest.mark.parametrize(
    "name",
    [
        *("coverage", "organization_trail", "log_bucket", "trusted_access"),  # what the roles report in
        *("organization_trails", "log_buckets", "organization_id", "region", "coverage_regions"),
        "trail_organization_cloud_watch_logs_log_group_arn",  # the same letters in another order
        *("ansible_run_tags", "__coverage_folder", "average_role_name", "organizations_accounts"),
    ],
)
def test_not_told(name: str) -> None:
    assert variables_problem([name], KNOWN, []) == ""


@pytest.mark.parametrize("own", [["coverage_team"], ["coverage_t*"], ["x", "*_team"]])
def test_the_users_own_are_let_through(own: list[str]) -> None:
    assert variables_problem(["coverage_team"], KNOWN, own) == ""
    assert "coverage_teams" in variables_problem(["coverage_team", "coverage_teams"], KNOWN, ["coverage_team"])


def test_all_are_told_at_once() -> None:
    told = variables_problem(["coverage_b", "coverage_a", "coverage_a"], KNOWN, [])
    assert "org_trail: coverage_a, coverage_b. Nothing" in told
