# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report says in words about the trail, the bucket and the run."""

from __future__ import annotations

from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import parse_trail_arn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._report.facts import (
    BUCKET_FACTS,
    describe_changes,
    describe_settings,
    describe_trail,
    describe_weaknesses,
    facts,
    settings_warning,
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


BUCKET = {
    "name": "logs",
    "health": {
        "versioning": "Disabled",
        "tls_only": False,
        "access_logging": None,
        "object_lock": {"enabled": True, "mode": "", "days": 0},
        "lifecycle": [],
        "something_new": [{"id": "a", "transitions": []}, "b"],
        "problems": [
            {"setting": "versioning", "found": "Disabled", "expected": "Enabled", "fix": "Turn versioning on."},
            {"setting": "access_logging", "found": "not readable: No.", "expected": "a setting", "fix": "Allow it."},
        ],
    },
}


def test_every_setting_of_the_bucket_is_told_whatever_it_is_called() -> None:
    assert describe_settings(BUCKET) == [
        ("Versioning", "Disabled"),
        ("Tls only", "no"),
        ("Access logging", "not read"),
        ("Object lock", "enabled: yes, days: 0"),
        ("Lifecycle", "none"),
        ("Something new", "id: a; b"),
    ]


def test_weak_settings_and_those_not_read_are_told_with_what_to_do() -> None:
    assert describe_weaknesses(BUCKET) == [
        ("Versioning", "Disabled; expected Enabled. Turn versioning on."),
        ("Access logging", "not readable: No; expected a setting. Allow it."),
    ]
    assert settings_warning(BUCKET) == (
        "Settings of the log bucket logs are weaker than expected, or not read: versioning (Disabled; expected "
        "Enabled), access logging (not readable: No; expected a setting)."
    )


def test_a_bucket_that_nobody_looked_at_has_no_settings() -> None:
    for bucket in ({}, {"name": "logs"}, {"name": "logs", "health": None}):
        assert (describe_settings(bucket), describe_weaknesses(bucket), settings_warning(bucket)) == ([], [], None)
    assert settings_warning({"name": "logs", "health": {"versioning": "Enabled", "problems": []}}) is None
