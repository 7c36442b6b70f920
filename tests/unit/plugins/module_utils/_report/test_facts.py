# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report says in words about the trail, the bucket and the run."""

from __future__ import annotations

from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import parse_trail_arn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._report.facts import (
    BUCKET_FACTS,
    describe_changes,
    describe_trail,
    facts,
)


def test_facts_leaves_out_what_is_not_known() -> None:
    found = facts({"name": "logs", "account_id": "", "admits": True}, BUCKET_FACTS)
    assert found == [("Name", "logs")]


def test_facts_says_yes_and_no() -> None:
    labels = {"on": "On", "off": "Off", "count": "Count"}
    found = facts({"on": True, "off": False, "count": 1}, labels)
    assert found == [("On", "yes"), ("Off", "no"), ("Count", "1")]


def test_describe_trail() -> None:
    arn = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/default"
    assert describe_trail(parse_trail_arn(arn)) == {"arn": arn, "name": "default", "home_region": "eu-west-1"}


def test_describe_changes() -> None:
    update = {
        "operation": "UpdateTrail",
        "region": "us-east-1",
        "parameters": {"Name": "arn", "S3BucketName": "b", "IsOrganizationTrail": True},
    }
    assert describe_changes({"changed": True}, {"actions": [update]}) == [
        "Allowed CloudTrail in the organization (EnableAWSServiceAccess)",
        "Changed the trail in us-east-1 (UpdateTrail: S3BucketName, IsOrganizationTrail)",
    ]
    assert describe_changes({"changed": False}, {}) == []
