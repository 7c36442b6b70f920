# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is done to the trail's settings, one run repairs exactly that, and check mode says so beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.lab_process import Lab
from tests.trail_run import make_key, make_log_group, make_topic, run_trail, trust, writes

DATA = {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::customers/"]}


class World:
    """A lab with an organization trail that has every setting, and the options that describe it."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.cloudtrail = lab.client("cloudtrail")
        self.arn = lab.trail_arn
        trust(lab)
        make_key(lab)
        self.other_key = make_key(lab, "alias/other")
        make_topic(lab)
        streams = (f"{lab.management}_*", f"{lab.organization_id}_*")
        self.options: dict[str, Any] = {
            "s3_bucket_name": lab.bucket,
            "s3_key_prefix": "",
            "kms_key_id": "alias/trail",
            "sns_topic_name": "trail",
            **make_log_group(lab, *streams),
            "insight_selectors": [
                {"insight_type": "ApiErrorRateInsight", "event_categories": ["Management"]},
                {"insight_type": "ApiCallRateInsight", "event_categories": ["Management"]},
            ],
            "recursive_logging": True,
            "aggregation_configurations": [{"event_category": "Data", "templates": ["USER_ACTIONS", "API_ACTIVITY"]}],
            "tags": {"Owner": "security"},
        }
        self.good = run_trail(lab, self.options)["trail"]

    def update(self, **parameters: Any) -> None:
        self.cloudtrail.update_trail(Name=self.arn, **parameters)

    def select(self, **selector: Any) -> None:
        self.cloudtrail.put_event_selectors(TrailName=self.arn, EventSelectors=[selector])

    def own_bucket(self) -> str:
        """The bucket that the lesson's account trail had."""
        [bucket] = self.lab.client("s3").list_buckets()["Buckets"]
        return str(bucket["Name"])


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with Lab() as lab:
        yield World(lab)


ALL = {
    "ReadWriteType": "All",
    "IncludeManagementEvents": True,
    "DataResources": [],
    "ExcludeManagementEventSources": [],
}
INSIGHTS = [{"InsightType": "ApiCallRateInsight"}, {"InsightType": "ApiErrorRateInsight"}]
Writes = list[tuple[str, dict[str, Any]]]
DRIFTS: list[tuple[str, Callable[[World], Any], Callable[[World], Writes], set[str]]] = [
    (
        "stopped",
        lambda world: world.cloudtrail.stop_logging(Name=world.arn),
        lambda world: [("StartLogging", {})],
        {"logging"},
    ),
    (
        "account trail with another bucket",
        lambda world: world.update(IsOrganizationTrail=False, S3BucketName=world.own_bucket(), KmsKeyId=""),
        lambda world: [
            (
                "UpdateTrail",
                {"S3BucketName": world.lab.bucket, "IsOrganizationTrail": True, "KmsKeyId": world.good["kms_key_id"]},
            )
        ],
        {"is_organization_trail", "s3_bucket_name", "kms_key_id"},
    ),
    (
        "single region",
        lambda world: world.update(IsMultiRegionTrail=False),
        lambda world: [("UpdateTrail", {"IsMultiRegionTrail": True})],
        {"is_multi_region_trail"},
    ),
    (
        "no global service events",
        lambda world: world.update(IsMultiRegionTrail=False, IncludeGlobalServiceEvents=False),
        lambda world: [("UpdateTrail", {"IsMultiRegionTrail": True, "IncludeGlobalServiceEvents": True})],
        {"is_multi_region_trail", "include_global_service_events"},
    ),
    (
        "no validation",
        lambda world: world.update(EnableLogFileValidation=False),
        lambda world: [("UpdateTrail", {"EnableLogFileValidation": True})],
        {"enable_log_file_validation"},
    ),
    (
        "another key",
        lambda world: world.update(KmsKeyId=world.other_key),
        lambda world: [("UpdateTrail", {"KmsKeyId": world.good["kms_key_id"]})],
        {"kms_key_id"},
    ),
    (
        "no topic",
        lambda world: world.update(SnsTopicName=""),
        lambda world: [("UpdateTrail", {"SnsTopicName": world.good["sns_topic_name"]})],
        {"sns_topic_name"},
    ),
    (
        "no log group",
        lambda world: world.update(CloudWatchLogsLogGroupArn="", CloudWatchLogsRoleArn=""),
        lambda world: [
            (
                "UpdateTrail",
                {
                    "CloudWatchLogsLogGroupArn": world.good["cloud_watch_logs_log_group_arn"],
                    "CloudWatchLogsRoleArn": world.good["cloud_watch_logs_role_arn"],
                },
            )
        ],
        {"cloud_watch_logs_log_group_arn", "cloud_watch_logs_role_arn"},
    ),
    (
        "no recursive logging",
        lambda world: world.update(RecursiveLogging=False),
        lambda world: [("UpdateTrail", {"RecursiveLogging": True})],
        {"recursive_logging"},
    ),
    (
        "no management events",
        lambda world: world.select(ReadWriteType="All", IncludeManagementEvents=False, DataResources=[DATA]),
        lambda world: [("PutEventSelectors", {"EventSelectors": [{**ALL, "DataResources": [DATA]}]})],
        {"event_selectors"},
    ),
    (
        "read-only",
        lambda world: world.select(ReadWriteType="ReadOnly"),
        lambda world: [("PutEventSelectors", {"EventSelectors": [ALL]})],
        {"event_selectors"},
    ),
    (
        "write-only",
        lambda world: world.select(ReadWriteType="WriteOnly"),
        lambda world: [("PutEventSelectors", {"EventSelectors": [ALL]})],
        {"event_selectors"},
    ),
    (
        "KMS left out",
        lambda world: world.select(ReadWriteType="All", ExcludeManagementEventSources=["kms.amazonaws.com"]),
        lambda world: [("PutEventSelectors", {"EventSelectors": [ALL]})],
        {"event_selectors"},
    ),
    (
        "insights off",
        lambda world: world.cloudtrail.put_insight_selectors(TrailName=world.arn, InsightSelectors=[]),
        lambda world: [("PutInsightSelectors", {"InsightSelectors": INSIGHTS})],
        {"insight_selectors"},
    ),
    (
        "aggregation off",
        lambda world: world.cloudtrail.put_event_configuration(TrailName=world.arn, AggregationConfigurations=[]),
        lambda world: [
            (
                "PutEventConfiguration",
                {
                    "AggregationConfigurations": [
                        {"EventCategory": "Data", "Templates": ["API_ACTIVITY", "USER_ACTIONS"]}
                    ]
                },
            )
        ],
        {"aggregation_configurations"},
    ),
    (
        "tags changed",
        lambda world: world.cloudtrail.add_tags(
            ResourceId=world.arn, TagsList=[{"Key": "Owner", "Value": "me"}, {"Key": "x", "Value": "y"}]
        ),
        lambda world: [
            ("RemoveTags", {"TagsList": [{"Key": "x", "Value": "y"}]}),
            ("AddTags", {"TagsList": [{"Key": "Owner", "Value": "security"}]}),
        ],
        {"tags"},
    ),
    (
        "deleted",
        lambda world: world.cloudtrail.delete_trail(Name=world.arn),
        lambda world: [
            (
                "CreateTrail",
                {
                    "S3BucketName": world.lab.bucket,
                    "IncludeGlobalServiceEvents": True,
                    "IsMultiRegionTrail": True,
                    "IsOrganizationTrail": True,
                    "EnableLogFileValidation": True,
                    "KmsKeyId": world.good["kms_key_id"],
                    "SnsTopicName": world.good["sns_topic_name"],
                    "CloudWatchLogsLogGroupArn": world.good["cloud_watch_logs_log_group_arn"],
                    "CloudWatchLogsRoleArn": world.good["cloud_watch_logs_role_arn"],
                    "TagsList": [{"Key": "Owner", "Value": "security"}],
                },
            ),
            ("StartLogging", {}),
            ("PutInsightSelectors", {"InsightSelectors": INSIGHTS}),
            (
                "PutEventConfiguration",
                {
                    "AggregationConfigurations": [
                        {"EventCategory": "Data", "Templates": ["API_ACTIVITY", "USER_ACTIONS"]}
                    ]
                },
            ),
        ],
        {"*"},
    ),
]


@pytest.mark.parametrize(("case", "drift", "expected", "fields"), DRIFTS, ids=[row[0] for row in DRIFTS])
def test_a_run_repairs_exactly_what_drifted(
    world: World,
    case: str,
    drift: Callable[[World], Any],
    expected: Callable[[World], Writes],
    fields: set[str],
) -> None:
    lab = world.lab
    drift(world)
    stopped = case in ("stopped", "deleted")
    lab.clear_journal()
    predicted = run_trail(lab, world.options, check_mode=True)
    assert writes(lab) == []
    done = run_trail(lab, world.options)
    assert writes(lab) == expected(world)
    assert fields in ({"*"}, set(done["changed_fields"]))
    assert predicted == done
    assert done["before"].get("logging", False) is not stopped
    assert {name: value for name, value in done["trail"].items() if name != "event_selectors"} == {
        name: value for name, value in world.good.items() if name != "event_selectors"
    }
    lab.clear_journal()
    again = run_trail(lab, world.options)
    assert not again["changed"]
    assert lab.journal(writes=True) == []
    assert again["trail"] == again["before"] == done["trail"]
    assert world.cloudtrail.get_trail_status(Name=world.arn)["IsLogging"]


SPELLINGS: list[tuple[str, Callable[[World], dict[str, Any]]]] = [
    ("key by ARN", lambda world: {"kms_key_id": world.good["kms_key_id"]}),
    ("key by id", lambda world: {"kms_key_id": world.good["kms_key_id"].rpartition("/")[2]}),
    (
        "key by alias ARN",
        lambda world: {"kms_key_id": f"arn:aws:kms:{world.lab.home_region}:{world.lab.management}:alias/trail"},
    ),
    ("topic by ARN", lambda world: {"sns_topic_name": world.good["sns_topic_name"]}),
    (
        "log group with its end",
        lambda world: {"cloud_watch_logs_log_group_arn": world.good["cloud_watch_logs_log_group_arn"]},
    ),
    ("name by ARN", lambda world: {"name": world.arn}),
    ("nothing but the defaults", lambda world: dict.fromkeys(world.options)),
    ("tags that need not be all", lambda world: {"tags": {}, "purge_tags": False}),
]


@pytest.mark.parametrize(("case", "options"), SPELLINGS, ids=[row[0] for row in SPELLINGS])
def test_what_means_the_same_is_no_change(world: World, case: str, options: Callable[[World], dict[str, Any]]) -> None:
    assert not run_trail(world.lab, {**world.options, **options(world)})["changed"]


CLEARED: list[tuple[str, dict[str, Any], Writes]] = [
    ("kms_key_id", {"kms_key_id": ""}, [("UpdateTrail", {"KmsKeyId": ""})]),
    ("sns_topic_name", {"sns_topic_name": ""}, [("UpdateTrail", {"SnsTopicName": ""})]),
    (
        "log group",
        {"cloud_watch_logs_log_group_arn": "", "cloud_watch_logs_role_arn": None},
        [("UpdateTrail", {"CloudWatchLogsLogGroupArn": "", "CloudWatchLogsRoleArn": ""})],
    ),
    ("insight_selectors", {"insight_selectors": []}, [("PutInsightSelectors", {"InsightSelectors": []})]),
    (
        "aggregation_configurations",
        {"aggregation_configurations": []},
        [("PutEventConfiguration", {"AggregationConfigurations": []})],
    ),
    ("tags", {"tags": {}}, [("RemoveTags", {"TagsList": [{"Key": "Owner", "Value": "security"}]})]),
]


@pytest.mark.parametrize(("case", "options", "expected"), CLEARED, ids=[row[0] for row in CLEARED])
def test_empty_clears(world: World, case: str, options: dict[str, Any], expected: Writes) -> None:
    world.lab.clear_journal()
    cleared = {**world.options, **options}
    assert run_trail(world.lab, cleared)["changed"]
    assert writes(world.lab) == expected
    assert not run_trail(world.lab, cleared)["changed"]
    run_trail(world.lab, world.options)


def test_logging_stops_and_the_trail_goes_only_when_asked(world: World) -> None:
    lab, stopped = world.lab, {**world.options, "logging": False}
    lab.clear_journal()
    assert run_trail(lab, stopped)["trail"]["logging"] is False
    assert run_trail(lab, stopped)["changed"] is False
    assert run_trail(lab, {**world.options, "state": "absent"}, check_mode=True)["trail"] == {}
    assert writes(lab) == [("StopLogging", {})]
    gone = run_trail(lab, {**world.options, "state": "absent"})
    assert (gone["changed_fields"], gone["trail"], gone["before"]["logging"]) == (["state"], {}, False)
    assert writes(lab) == [("StopLogging", {}), ("DeleteTrail", {})]
    assert not run_trail(lab, {**world.options, "state": "absent"})["changed"]
    run_trail(lab, world.options)


def test_fact_2_9_back_to_an_account_trail(world: World) -> None:
    lab = world.lab
    options = {"is_organization_trail": False, "s3_bucket_name": world.own_bucket(), "kms_key_id": ""}
    lab.clear_journal()
    done = run_trail(lab, options)
    expected = {"S3BucketName": world.own_bucket(), "IsOrganizationTrail": False, "KmsKeyId": ""}
    assert writes(lab) == [("UpdateTrail", expected)]
    assert done["trail"]["logging"]
    assert done["before"]["is_organization_trail"]
    run_trail(lab, world.options)
