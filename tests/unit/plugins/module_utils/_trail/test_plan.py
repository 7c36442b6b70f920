# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of plans: from what is and what the options say to the calls that are made."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.plan import (
    Call,
    Plan,
    plan_changes,
    plan_deletion,
    plan_for,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.selectors import (
    ALL_MANAGEMENT_EVENTS,
    AdvancedEventSelector,
    EventSelector,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.settings import (
    NEW_TRAIL,
    READ_ON_DEMAND,
    Settings,
    names,
    pick,
    wanted_settings,
)

from tests.trail_options import ARN, GROUP, HOME, KEY, ROLE, TOPIC, options

GOOD: Settings = {
    **pick(NEW_TRAIL, [name for name in names(NEW_TRAIL) if name not in READ_ON_DEMAND]),
    "is_organization_trail": True,
    "is_multi_region_trail": True,
    "include_global_service_events": True,
    "enable_log_file_validation": True,
    "logging": True,
    "s3_bucket_name": "bucket",
    "kms_key_id": KEY,
    "sns_topic_name": TOPIC,
    "cloud_watch_logs_log_group_arn": f"{GROUP}:*",
    "cloud_watch_logs_role_arn": ROLE,
    "s3_key_prefix": "prefix",
}
"""An organization trail with everything set."""

ACCOUNT_TRAIL: Settings = {**GOOD, "is_organization_trail": False}
READ_ONLY: EventSelector = {**ALL_MANAGEMENT_EVENTS, "read_write_type": "ReadOnly"}
ADVANCED: AdvancedEventSelector = {
    "name": "",
    "field_selectors": [{"field": "eventCategory", "equals": ["Management"]}],
}


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

CHANGES: list[tuple[str, Settings, dict[str, object], list[Call]]] = [
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


@pytest.mark.parametrize(("case", "before", "given", "calls"), CHANGES, ids=[row[0] for row in CHANGES])
def test_plan_changes(case: str, before: Settings, given: dict[str, object], calls: list[Call]) -> None:
    wanted = wanted_settings(options(**given), HOME, before)
    plan = plan_changes(HOME, before, wanted)
    assert list(plan.calls) == calls
    assert bool(plan.changed_fields) == bool(calls)
    assert plan.after is not None
    assert {name for name in names(before) if before[name] != plan.after[name]} == set(plan.changed_fields)
    assert plan_changes(HOME, plan.after, wanted_settings(options(**given), HOME, plan.after)).calls == ()


FLAGS = {
    "IncludeGlobalServiceEvents": True,
    "IsMultiRegionTrail": True,
    "IsOrganizationTrail": True,
    "EnableLogFileValidation": True,
}
NEW = {"Name": "default", "S3BucketName": "bucket"}
CREATIONS: list[tuple[str, dict[str, object], list[Call]]] = [
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


@pytest.mark.parametrize(("case", "given", "calls"), CREATIONS, ids=[row[0] for row in CREATIONS])
def test_plan_changes_creates(case: str, given: dict[str, object], calls: list[Call]) -> None:
    wanted = wanted_settings(options(s3_bucket_name="bucket", **given), HOME, None)
    plan = plan_changes(HOME, None, wanted)
    assert list(plan.calls) == calls
    assert set(plan.changed_fields) == set(wanted) == plan.managed


def test_plan_deletion() -> None:
    assert plan_deletion(HOME, None) == Plan((), (), None)
    assert plan_deletion(HOME, GOOD) == Plan(("state",), (Call("DeleteTrail", {"Name": ARN}),), None)


TAGS: list[tuple[str, dict[str, str] | None, dict[str, object], dict[str, str] | None]] = [
    ("none asked for", {"old": "1"}, {}, None),
    ("others go", {"old": "1", "same": "2"}, {"tags": {"same": "2", "new": "3"}}, {"same": "2", "new": "3"}),
    ("others stay", {"old": "1"}, {"tags": {"new": "3"}, "purge_tags": False}, {"old": "1", "new": "3"}),
    ("numbers are text", {"cost": "12"}, {"tags": {"cost": 12}}, {"cost": "12"}),
    ("of a new trail", None, {"tags": {"new": "3"}, "purge_tags": False}, {"new": "3"}),
]


@pytest.mark.parametrize(("case", "before", "given", "after"), TAGS, ids=[row[0] for row in TAGS])
def test_plan_for_has_all_tags(
    case: str, before: dict[str, str] | None, given: dict[str, object], after: dict[str, str] | None
) -> None:
    found: Settings | None = None if before is None else {**GOOD, "tags": before}
    plan = plan_for(HOME, options(s3_bucket_name="bucket", **given), found)
    assert plan.after is not None
    assert plan.after.get("tags") == after
    assert ("tags" in plan.changed_fields) == (after is not None and after != before)


def test_plan_for_deletes() -> None:
    assert plan_for(HOME, options(state="absent"), GOOD) == plan_deletion(HOME, GOOD)
