# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module cloudtrail_organization_trail as Ansible runs it: options, check mode, diff, results, failures."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ansible_run import run_module
from tests.lab_process import MEMBER_ROLE, Lab
from tests.trail_run import trust, writes

MODULE = "cloudtrail_organization_trail"


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab("--home-region", "eu-central-1") as lab:
        trust(lab)
        lab.clear_journal()
        yield lab


def test_convert_check_repeat_and_fail(lab: Lab) -> None:
    """One lab for all: each start of Ansible takes its time."""
    role = f"arn:aws:iam::{lab.log_archive}:role/{MEMBER_ROLE}"
    options = {"s3_bucket_name": lab.bucket, "log_archive_role_arn": role}
    predicted = run_module(lab, MODULE, options, "--check", "--diff", region="us-east-1")
    assert lab.journal(writes=True) == []
    done = run_module(lab, MODULE, options, "--diff", region="us-east-1")
    assert writes(lab) == [("UpdateTrail", {"S3BucketName": lab.bucket, "IsOrganizationTrail": True})]
    assert [entry["region"] for entry in lab.journal(writes=True)] == [lab.home_region]
    for name in ("trail", "before", "changed_fields", "actions", "problems", "changed", "diff"):
        assert predicted[name] == done[name], name
    assert done["changed_fields"] == ["s3_bucket_name", "is_organization_trail"]
    assert done["problems"] == []
    [diff] = done.diff
    differing = {name for name in diff["after"] if diff["before"][name] != diff["after"][name]}
    assert differing == set(done["changed_fields"])
    assert set(diff["after"]) == {
        *("s3_bucket_name", "is_organization_trail", "is_multi_region_trail", "include_global_service_events"),
        *("enable_log_file_validation", "event_selectors", "advanced_event_selectors", "logging"),
    }
    assert lab.client("cloudtrail").get_trail_status(Name=lab.trail_arn)["IsLogging"]

    lab.clear_journal()
    selectors = [
        {"field_selectors": [{"field": "eventCategory", "equals": ["Management"]}]},
        {
            "name": "Buckets",
            "field_selectors": [
                {"field": "eventCategory", "equals": ["Data"]},
                {"field": "resources.type", "equals": ["AWS::S3::Object"]},
            ],
        },
    ]
    more = {"advanced_event_selectors": selectors, "tags": {"Count": 1}, "insight_selectors": []}
    again = run_module(lab, MODULE, more)
    assert [name for name, _ in writes(lab)] == ["PutEventSelectors", "AddTags"]
    assert again["changed_fields"] == ["event_selectors", "advanced_event_selectors", "tags"]
    assert again["trail"]["tags"] == {"Count": "1"}
    lab.clear_journal()
    assert not run_module(lab, MODULE, {**more, "advanced_event_selectors": selectors[::-1]}).changed
    assert lab.journal(writes=True) == []

    outside = run_module(lab, MODULE, {"bucket_organization_id": "o-another123"})
    assert outside.failed
    assert outside.msg.startswith(f"Bucket {lab.bucket}: found in an account of the organization o-another123")
    assert [problem["name"] for problem in outside["problems"]] == ["bucket_outside_organization"]
    warned = {"bucket_organization_id": "o-another123", "on_problem": {"bucket_outside_organization": "warn"}}
    tolerated = run_module(lab, MODULE, warned)
    assert not tolerated.failed
    assert "o-another123" in str(tolerated["warnings"])
    wrong = run_module(lab, MODULE, {"on_problem": {"bucket": "warn"}})
    assert wrong.failed
    assert "bucket_outside_organization" in wrong.msg  # the names that it has
    member = run_module(lab, MODULE, options, account=lab.log_archive)
    assert member.failed
    assert member.msg.startswith(f"Account {lab.log_archive} is a member of the organization {lab.organization_id}")
    assert lab.journal(writes=True) == []
