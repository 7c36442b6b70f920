# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings as AWS answers them and as the options ask for them."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, get_args

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.options import TrailOptions
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.selectors import (
    ALL_MANAGEMENT_EVENTS,
    ALL_MANAGEMENT_EVENTS_ADVANCED,
    EventSelector,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.settings import (
    ANSWER_FIELDS,
    NEW_TRAIL,
    READ_ON_DEMAND,
    REQUEST_FIELDS,
    Setting,
    Settings,
    is_key_alias,
    key_arn,
    log_group,
    more_settings,
    names,
    pick,
    topic_arn,
    trail_settings,
    wanted_settings,
)

from tests.trail_options import ARN, GROUP, HOME, KEY, TOPIC, options


def test_every_setting_has_a_name_and_a_default_and_is_an_option() -> None:
    settings = set(Settings.__annotations__)
    assert settings == set(get_args(Setting)) == set(NEW_TRAIL)
    assert settings <= {field.name for field in fields(TrailOptions)}
    assert set(REQUEST_FIELDS) == set(ANSWER_FIELDS) < settings
    assert set(READ_ON_DEMAND) < settings


def test_names_and_pick() -> None:
    settings: Settings = {"s3_bucket_name": "b", "logging": True}
    assert names(settings) == ("s3_bucket_name", "logging")
    assert pick(settings, ["logging"]) == {"logging": True}


def test_trail_settings_of_the_shortest_answer() -> None:
    settings = trail_settings({"TrailARN": ARN, "S3BucketName": "bucket"}, {}, {})
    known = {name: NEW_TRAIL[name] for name in names(settings)}
    assert settings == {**known, "s3_bucket_name": "bucket"}


def test_trail_settings_without_selectors_although_some_were_set() -> None:
    settings = trail_settings({"HasCustomEventSelectors": True}, {"IsLogging": True}, {"EventSelectors": []})
    assert settings["event_selectors"] == []
    assert settings["advanced_event_selectors"] == []
    assert settings["logging"] is True


def test_more_settings() -> None:
    answers = {
        "insight_selectors": [{"InsightType": "B"}, {"InsightType": "A", "EventCategories": ["Management", "Data"]}],
        "aggregation_configurations": [{"EventCategory": "Data", "Templates": ["B", "A"]}],
        "tags": {"a": "b"},
    }
    assert more_settings(answers) == {
        "insight_selectors": [
            {"insight_type": "A", "event_categories": ["Data", "Management"]},
            {"insight_type": "B", "event_categories": ["Management"]},
        ],
        "aggregation_configurations": [{"event_category": "Data", "templates": ["A", "B"]}],
        "tags": {"a": "b"},
    }
    assert more_settings({"trail": {}}) == {}


@pytest.mark.parametrize(
    ("key", "alias"),
    [("alias/trail", True), (KEY.replace("key/", "alias/"), True), (KEY, False), ("0a1b", False), ("", False)],
)
def test_is_key_alias(key: str, alias: bool) -> None:
    assert is_key_alias(key) is alias


ANSWERS: list[tuple[str, dict[str, Any], dict[str, Any], Settings]] = [
    (
        "nobody set any",
        {"HasCustomEventSelectors": False},
        {},
        {"event_selectors": [ALL_MANAGEMENT_EVENTS], "advanced_event_selectors": []},
    ),
    (
        "basic ones",
        {"HasCustomEventSelectors": True},
        {"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": True}]},
        {"event_selectors": [ALL_MANAGEMENT_EVENTS], "advanced_event_selectors": []},
    ),
    (
        "advanced ones",
        {"HasCustomEventSelectors": True},
        {
            "AdvancedEventSelectors": [
                {
                    "Name": "Management events selector",
                    "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}],
                }
            ]
        },
        {"event_selectors": [], "advanced_event_selectors": [ALL_MANAGEMENT_EVENTS_ADVANCED]},
    ),
]


@pytest.mark.parametrize(("case", "trail", "selectors", "expected"), ANSWERS, ids=[row[0] for row in ANSWERS])
def test_trail_settings_of_selectors(
    case: str, trail: dict[str, Any], selectors: dict[str, Any], expected: Settings
) -> None:
    assert pick(trail_settings(trail, {}, selectors), names(expected)) == expected


def test_fact_2_11_trail_settings_reads_the_names_of_answers() -> None:
    trail = {"SnsTopicARN": TOPIC, "LogFileValidationEnabled": True, "CloudWatchLogsLogGroupArn": GROUP}
    settings = trail_settings(trail, {}, {})
    assert settings["sns_topic_name"] == TOPIC
    assert settings["enable_log_file_validation"] is True
    assert settings["cloud_watch_logs_log_group_arn"] == f"{GROUP}:*"
    assert settings["logging"] is False


WANTED: list[tuple[dict[str, object], Settings]] = [
    ({"s3_key_prefix": "/a/b/"}, {"s3_key_prefix": "a/b"}),
    ({"sns_topic_name": "topic"}, {"sns_topic_name": TOPIC}),
    ({"kms_key_id": "0a1b"}, {"kms_key_id": KEY}),
    (
        {"kms_key_id": "0a1b", "bucket_region": "us-east-1"},
        {"kms_key_id": KEY.replace("eu-central-1", "us-east-1")},
    ),
    (
        {"cloud_watch_logs_log_group_arn": ""},
        {"cloud_watch_logs_log_group_arn": "", "cloud_watch_logs_role_arn": ""},
    ),
    ({"recursive_logging": False}, {"recursive_logging": False}),
    ({"tags": {"a": 1}}, {"tags": {"a": "1"}}),
    ({"logging": False}, {"logging": False}),
    ({"insight_selectors": []}, {"insight_selectors": []}),
    ({"aggregation_configurations": []}, {"aggregation_configurations": []}),
]


@pytest.mark.parametrize(("given", "expected"), WANTED)
def test_wanted_settings(given: dict[str, object], expected: Settings) -> None:
    plain = wanted_settings(options(), HOME, None)
    wanted = wanted_settings(options(**given), HOME, None)
    assert pick(wanted, names(expected)) == expected
    assert {name for name in wanted if name not in expected} == set(plain) - set(expected)


def test_wanted_settings_of_the_defaults() -> None:
    """What an option does not say stays as it is."""
    assert wanted_settings(options(), HOME, None) == {
        "is_organization_trail": True,
        "is_multi_region_trail": True,
        "include_global_service_events": True,
        "enable_log_file_validation": True,
        "logging": True,
        "event_selectors": [ALL_MANAGEMENT_EVENTS],
        "advanced_event_selectors": [],
    }


@pytest.mark.parametrize(("topic", "expected"), [("topic", TOPIC), (TOPIC, TOPIC), ("", "")])
def test_topic_arn(topic: str, expected: str) -> None:
    assert topic_arn(topic, HOME) == expected


@pytest.mark.parametrize(("key", "expected"), [("0a1b", KEY), (KEY, KEY), ("", "")])
def test_key_arn(key: str, expected: str) -> None:
    assert key_arn(key, HOME, "eu-central-1") == expected


@pytest.mark.parametrize(("arn", "expected"), [(GROUP, f"{GROUP}:*"), (f"{GROUP}:*", f"{GROUP}:*"), ("", "")])
def test_log_group(arn: str, expected: str) -> None:
    assert log_group(arn) == expected


def test_selectors_that_log_all_management_events_stay_as_they_are() -> None:
    halves: list[EventSelector] = [
        {**ALL_MANAGEMENT_EVENTS, "read_write_type": kind} for kind in ("ReadOnly", "WriteOnly")
    ]
    now: Settings = {**NEW_TRAIL, "event_selectors": halves}
    assert wanted_settings(options(), HOME, now)["event_selectors"] == halves
    reads: Settings = {**NEW_TRAIL, "event_selectors": halves[:1]}
    assert wanted_settings(options(), HOME, reads)["event_selectors"] == [ALL_MANAGEMENT_EVENTS]
