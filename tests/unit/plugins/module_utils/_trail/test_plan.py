# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of plans: from what is and what the options say to the calls that are made."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import TrailArn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.plan import (
    Call,
    Plan,
    plan_changes,
    plan_deletion,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.selectors import ALL_MANAGEMENT_EVENTS
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.settings import (
    NEW_TRAIL,
    READ_ON_DEMAND,
    is_key_alias,
    more_settings,
    trail_settings,
    wanted_settings,
)

HOME = TrailArn("aws", "eu-central-1", "111122223333", "default")
ARN = str(HOME)
KEY = "arn:aws:kms:eu-central-1:111122223333:key/0a1b"
TOPIC = "arn:aws:sns:eu-central-1:111122223333:topic"
GROUP = "arn:aws:logs:eu-central-1:111122223333:log-group:trail"
ROLE = "arn:aws:iam::111122223333:role/logs"

DEFAULTS: dict[str, Any] = {
    "is_organization_trail": True,
    "is_multi_region_trail": True,
    "include_global_service_events": True,
    "enable_log_file_validation": True,
    "logging": True,
}
"""The module's defaults."""

GOOD: dict[str, Any] = {
    **{name: value for name, value in NEW_TRAIL.items() if name not in READ_ON_DEMAND},
    **DEFAULTS,
    "s3_bucket_name": "bucket",
    "kms_key_id": KEY,
    "sns_topic_name": TOPIC,
    "cloud_watch_logs_log_group_arn": f"{GROUP}:*",
    "cloud_watch_logs_role_arn": ROLE,
    "s3_key_prefix": "prefix",
}
"""An organization trail with everything set."""

ACCOUNT_TRAIL = {**GOOD, "is_organization_trail": False}
READ_ONLY = {**ALL_MANAGEMENT_EVENTS, "read_write_type": "ReadOnly"}
ADVANCED = {"name": "", "field_selectors": [{"field": "eventCategory", "equals": ["Management"]}]}


def update(**parameters: Any) -> Call:
    return Call("UpdateTrail", {"Name": ARN, **parameters})


def selectors(**parameters: Any) -> Call:
    return Call("PutEventSelectors", {"TrailName": ARN, **parameters})


ALL_EVENTS = {
    "ReadWriteType": "All",
    "IncludeManagementEvents": True,
    "DataResources": [],
    "ExcludeManagementEventSources": [],
}
ADVANCED_REQUEST = {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}
START = Call("StartLogging", {"Name": ARN})

CHANGES: list[tuple[str, dict[str, Any], dict[str, Any], list[Call]]] = [
    ("right already", GOOD, {}, []),
    ("conversion", ACCOUNT_TRAIL, {}, [update(IsOrganizationTrail=True)]),
    (
        "flag and bucket in one call, and nothing else",
        ACCOUNT_TRAIL,
        {"s3_bucket_name": "new"},
        [update(S3BucketName="new", IsOrganizationTrail=True)],
    ),
    ("the same bucket", GOOD, {"s3_bucket_name": "bucket"}, []),
    ("back to an account trail", GOOD, {"is_organization_trail": False}, [update(IsOrganizationTrail=False)]),
    ("single region", {**GOOD, "is_multi_region_trail": False}, {}, [update(IsMultiRegionTrail=True)]),
    (
        "no global events",
        {**GOOD, "is_multi_region_trail": False, "include_global_service_events": False},
        {},
        [update(IsMultiRegionTrail=True, IncludeGlobalServiceEvents=True)],
    ),
    ("no validation", {**GOOD, "enable_log_file_validation": False}, {}, [update(EnableLogFileValidation=True)]),
    ("stopped", {**GOOD, "logging": False}, {}, [START]),
    (
        "stopped and pointed elsewhere: first right, then started",
        {**GOOD, "logging": False, "s3_bucket_name": "evil"},
        {"s3_bucket_name": "bucket"},
        [update(S3BucketName="bucket"), START],
    ),
    ("stop when asked", GOOD, {"logging": False}, [Call("StopLogging", {"Name": ARN})]),
    ("stay stopped when asked", {**GOOD, "logging": False}, {"logging": False}, []),
    ("key by ARN", GOOD, {"kms_key_id": KEY}, []),
    ("key by id", GOOD, {"kms_key_id": "0a1b"}, []),
    (
        "key by id in the bucket's region",
        GOOD,
        {"kms_key_id": "0a1b", "bucket_region": "us-east-1"},
        [update(KmsKeyId=KEY.replace("eu-central-1", "us-east-1"))],
    ),
    ("another key", GOOD, {"kms_key_id": "ffff"}, [update(KmsKeyId=KEY.replace("0a1b", "ffff"))]),
    ("no key", GOOD, {"kms_key_id": ""}, [update(KmsKeyId="")]),
    ("topic by name", GOOD, {"sns_topic_name": "topic"}, []),
    ("topic by ARN", GOOD, {"sns_topic_name": TOPIC}, []),
    (
        "topic of the same name elsewhere",
        {**GOOD, "sns_topic_name": TOPIC.replace("1111", "9999")},
        {"sns_topic_name": "topic"},
        [update(SnsTopicName=TOPIC)],
    ),
    ("no topic", GOOD, {"sns_topic_name": ""}, [update(SnsTopicName="")]),
    ("no topic already", {**GOOD, "sns_topic_name": ""}, {"sns_topic_name": ""}, []),
    ("prefix with slash", GOOD, {"s3_key_prefix": "prefix/"}, []),
    ("no prefix", GOOD, {"s3_key_prefix": ""}, [update(S3KeyPrefix="")]),
    ("log group without its end", GOOD, {"cloud_watch_logs_log_group_arn": GROUP}, []),
    ("log group with its end", GOOD, {"cloud_watch_logs_log_group_arn": f"{GROUP}:*"}, []),
    (
        "no log group takes the role away, too",
        GOOD,
        {"cloud_watch_logs_log_group_arn": ""},
        [update(CloudWatchLogsLogGroupArn="", CloudWatchLogsRoleArn="")],
    ),
    (
        "another role is sent with the log group",
        GOOD,
        {"cloud_watch_logs_role_arn": f"{ROLE}2"},
        [update(CloudWatchLogsLogGroupArn=f"{GROUP}:*", CloudWatchLogsRoleArn=f"{ROLE}2")],
    ),
    ("recursive logging unset", {**GOOD, "recursive_logging": False}, {}, []),
    ("recursive logging", GOOD, {"recursive_logging": False}, [update(RecursiveLogging=False)]),
    (
        "selectors that blind are repaired",
        {**GOOD, "event_selectors": [READ_ONLY]},
        {},
        [selectors(EventSelectors=[ALL_EVENTS])],
    ),
    ("unless they are asked for", {**GOOD, "event_selectors": [READ_ONLY]}, {"event_selectors": [READ_ONLY]}, []),
    (
        "an empty list is AWS's default",
        {**GOOD, "event_selectors": [READ_ONLY]},
        {"event_selectors": []},
        [selectors(EventSelectors=[ALL_EVENTS])],
    ),
    ("which it may be already", GOOD, {"advanced_event_selectors": []}, []),
    (
        "advanced for basic",
        GOOD,
        {"advanced_event_selectors": [ADVANCED]},
        [selectors(AdvancedEventSelectors=[ADVANCED_REQUEST])],
    ),
    (
        "advanced of another name",
        {**GOOD, "event_selectors": [], "advanced_event_selectors": [{**ADVANCED, "name": "x"}]},
        {"advanced_event_selectors": [ADVANCED]},
        [],
    ),
    (
        "basic for advanced",
        {**GOOD, "event_selectors": [], "advanced_event_selectors": [ADVANCED]},
        {"event_selectors": [ALL_MANAGEMENT_EVENTS]},
        [selectors(EventSelectors=[ALL_EVENTS])],
    ),
    (
        "insights on",
        {**GOOD, "insight_selectors": []},
        {"insight_selectors": [{"insight_type": "ApiCallRateInsight"}]},
        [Call("PutInsightSelectors", {"TrailName": ARN, "InsightSelectors": [{"InsightType": "ApiCallRateInsight"}]})],
    ),
    (
        "insights off",
        {**GOOD, "insight_selectors": [{"insight_type": "A", "event_categories": ["Management"]}]},
        {"insight_selectors": []},
        [Call("PutInsightSelectors", {"TrailName": ARN, "InsightSelectors": []})],
    ),
    (
        "aggregation",
        {**GOOD, "aggregation_configurations": []},
        {"aggregation_configurations": [{"event_category": "Data", "templates": ["USER_ACTIONS", "API_ACTIVITY"]}]},
        [
            Call(
                "PutEventConfiguration",
                {
                    "TrailName": ARN,
                    "AggregationConfigurations": [
                        {"EventCategory": "Data", "Templates": ["API_ACTIVITY", "USER_ACTIONS"]}
                    ],
                },
            )
        ],
    ),
    (
        "tags",
        {**GOOD, "tags": {"old": "1", "same": "2", "new": "3"}},
        {"tags": {"same": "2", "new": "4"}},
        [
            Call("RemoveTags", {"ResourceId": ARN, "TagsList": [{"Key": "old", "Value": "1"}]}),
            Call("AddTags", {"ResourceId": ARN, "TagsList": [{"Key": "new", "Value": "4"}]}),
        ],
    ),
]


@pytest.mark.parametrize(("case", "before", "options", "calls"), CHANGES, ids=[row[0] for row in CHANGES])
def test_plan_changes(case: str, before: dict[str, Any], options: dict[str, Any], calls: list[Call]) -> None:
    wanted = wanted_settings({**DEFAULTS, **options}, HOME, before)
    plan = plan_changes(ARN, before, wanted)
    assert list(plan.calls) == calls
    assert bool(plan.changed_fields) == bool(calls)
    assert plan.after is not None
    assert {name for name in before if before[name] != plan.after[name]} == set(plan.changed_fields)
    assert plan_changes(ARN, plan.after, wanted_settings({**DEFAULTS, **options}, HOME, plan.after)).calls == ()


FLAGS = {
    "IncludeGlobalServiceEvents": True,
    "IsMultiRegionTrail": True,
    "IsOrganizationTrail": True,
    "EnableLogFileValidation": True,
}
NEW = {"Name": "default", "S3BucketName": "bucket"}
CREATIONS: list[tuple[str, dict[str, Any], list[Call]]] = [
    ("plain", {}, [Call("CreateTrail", {**NEW, **FLAGS}), START]),
    (
        "with key, topic and prefix",
        {"kms_key_id": KEY, "sns_topic_name": "topic", "s3_key_prefix": "p"},
        [Call("CreateTrail", {**NEW, **FLAGS, "KmsKeyId": KEY, "SnsTopicName": TOPIC, "S3KeyPrefix": "p"}), START],
    ),
    ("not logging", {"logging": False}, [Call("CreateTrail", {**NEW, **FLAGS})]),
    (
        "tags in the same call",
        {"tags": {"a": "b"}},
        [Call("CreateTrail", {**NEW, **FLAGS, "TagsList": [{"Key": "a", "Value": "b"}]}), START],
    ),
    (
        "empty means not set",
        {"kms_key_id": "", "tags": {}, "insight_selectors": []},
        [Call("CreateTrail", {**NEW, **FLAGS}), START],
    ),
    (
        "all management events are AWS's default",
        {"event_selectors": []},
        [Call("CreateTrail", {**NEW, **FLAGS}), START],
    ),
    (
        "selectors after logging has started",
        {"advanced_event_selectors": [ADVANCED]},
        [Call("CreateTrail", {**NEW, **FLAGS}), START, selectors(AdvancedEventSelectors=[ADVANCED_REQUEST])],
    ),
    (
        "an account trail of one region",
        {"is_organization_trail": False, "is_multi_region_trail": False},
        [Call("CreateTrail", {**NEW, **FLAGS, "IsOrganizationTrail": False, "IsMultiRegionTrail": False}), START],
    ),
]


@pytest.mark.parametrize(("case", "options", "calls"), CREATIONS, ids=[row[0] for row in CREATIONS])
def test_plan_changes_creates(case: str, options: dict[str, Any], calls: list[Call]) -> None:
    wanted = wanted_settings({**DEFAULTS, "s3_bucket_name": "bucket", **options}, HOME, None)
    plan = plan_changes(ARN, None, wanted)
    assert list(plan.calls) == calls
    assert set(plan.changed_fields) == set(wanted) == plan.managed


def test_plan_deletion() -> None:
    assert plan_deletion(ARN, None) == Plan((), (), None)
    assert plan_deletion(ARN, GOOD) == Plan(("state",), (Call("DeleteTrail", {"Name": ARN}),), None)


def test_trail_settings_of_the_shortest_answer() -> None:
    settings = trail_settings({"TrailARN": ARN, "S3BucketName": "bucket"}, {}, {})
    known = {name: value for name, value in NEW_TRAIL.items() if name in settings}
    assert settings == {**known, "s3_bucket_name": "bucket"}


def test_trail_settings_without_selectors_although_some_were_set() -> None:
    settings = trail_settings({"HasCustomEventSelectors": True}, {"IsLogging": True}, {"EventSelectors": []})
    assert settings["event_selectors"] == []
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
