# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A trail's settings, keyed by the module's options: as AWS answers them, and as the user wants them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypedDict, cast

from .._aws.arn import TrailArn
from .._aws.untyped import Structure
from .._work.reads import Answers
from .options import TrailOptions
from .selectors import (
    ALL_MANAGEMENT_EVENTS,
    AdvancedEventSelector,
    Aggregation,
    EventSelector,
    InsightSelector,
    aggregation,
    aggregations,
    insight_selector,
    insight_selectors,
    logged_management_events,
    same_advanced_event_selectors,
    same_event_selectors,
    selectors_of,
    with_all_management_events,
)


class Settings(TypedDict, total=False):
    """Settings of a trail by the names of the options; "" or an empty list where one is not set.

    What is not in it is not known, or stays as it is.
    """

    s3_bucket_name: str
    s3_key_prefix: str
    sns_topic_name: str
    include_global_service_events: bool
    is_multi_region_trail: bool
    is_organization_trail: bool
    enable_log_file_validation: bool
    cloud_watch_logs_log_group_arn: str
    cloud_watch_logs_role_arn: str
    kms_key_id: str
    recursive_logging: bool
    event_selectors: list[EventSelector]
    advanced_event_selectors: list[AdvancedEventSelector]
    insight_selectors: list[InsightSelector]
    aggregation_configurations: list[Aggregation]
    tags: dict[str, str]
    logging: bool


Setting = Literal[
    "s3_bucket_name",
    "s3_key_prefix",
    "sns_topic_name",
    "include_global_service_events",
    "is_multi_region_trail",
    "is_organization_trail",
    "enable_log_file_validation",
    "cloud_watch_logs_log_group_arn",
    "cloud_watch_logs_role_arn",
    "kms_key_id",
    "recursive_logging",
    "event_selectors",
    "advanced_event_selectors",
    "insight_selectors",
    "aggregation_configurations",
    "tags",
    "logging",
]
"""The names in ``Settings``, for what is done with each of them alike."""

REQUEST_FIELDS: dict[Setting, str] = {
    "s3_bucket_name": "S3BucketName",
    "s3_key_prefix": "S3KeyPrefix",
    "sns_topic_name": "SnsTopicName",
    "include_global_service_events": "IncludeGlobalServiceEvents",
    "is_multi_region_trail": "IsMultiRegionTrail",
    "is_organization_trail": "IsOrganizationTrail",
    "enable_log_file_validation": "EnableLogFileValidation",
    "cloud_watch_logs_log_group_arn": "CloudWatchLogsLogGroupArn",
    "cloud_watch_logs_role_arn": "CloudWatchLogsRoleArn",
    "kms_key_id": "KmsKeyId",
    "recursive_logging": "RecursiveLogging",
}
"""Options that CreateTrail and UpdateTrail take, and their names there."""

ANSWER_FIELDS: dict[Setting, str] = REQUEST_FIELDS | {
    "sns_topic_name": "SnsTopicARN",
    "enable_log_file_validation": "LogFileValidationEnabled",
}
"""The same options in the answers of DescribeTrails and GetTrail (aws-facts 2.11)."""

NEW_TRAIL: Settings = {
    "s3_bucket_name": "",
    "s3_key_prefix": "",
    "sns_topic_name": "",
    "include_global_service_events": True,
    "is_multi_region_trail": False,
    "is_organization_trail": False,
    "enable_log_file_validation": False,
    "cloud_watch_logs_log_group_arn": "",
    "cloud_watch_logs_role_arn": "",
    "kms_key_id": "",
    "recursive_logging": True,
    "event_selectors": [ALL_MANAGEMENT_EVENTS],
    "advanced_event_selectors": [],
    "insight_selectors": [],
    "aggregation_configurations": [],
    "tags": {},
    "logging": False,
}
"""AWS's defaults for what CreateTrail is not told (aws-facts 2.6, 2.10)."""

READ_ON_DEMAND: tuple[Setting, ...] = ("insight_selectors", "aggregation_configurations", "tags")
"""Options whose settings are read, and therefore known, only when they are set."""


def names(settings: Settings) -> tuple[Setting, ...]:
    """The names of the settings that are in it."""
    return tuple(cast(Iterable[Setting], settings))


def pick(settings: Settings, wanted: Iterable[Setting]) -> Settings:
    """The settings of these names."""
    return cast(Settings, {name: settings[name] for name in wanted})


def trail_settings(trail: Structure, status: Structure, selectors: Structure) -> Settings:
    """The settings in the answers of DescribeTrails, GetTrailStatus and GetEventSelectors."""
    settings = cast(Settings, {option: trail.get(name, NEW_TRAIL[option]) for option, name in ANSWER_FIELDS.items()})
    basic, advanced = selectors_of(selectors)
    if not basic and not advanced and not trail.get("HasCustomEventSelectors"):
        basic = [ALL_MANAGEMENT_EVENTS]
    return {
        **settings,
        "cloud_watch_logs_log_group_arn": log_group(settings["cloud_watch_logs_log_group_arn"]),
        "event_selectors": basic,
        "advanced_event_selectors": advanced,
        "logging": bool(status.get("IsLogging")),
    }


def more_settings(answers: Answers) -> Settings:
    """The settings in the answers of the reads that are made only for options that are set."""
    known: Settings = {}
    if "insight_selectors" in answers:
        known["insight_selectors"] = insight_selectors(map(insight_selector, answers["insight_selectors"]))
    if "aggregation_configurations" in answers:
        known["aggregation_configurations"] = aggregations(map(aggregation, answers["aggregation_configurations"]))
    if "tags" in answers:
        known["tags"] = dict(answers["tags"])
    return known


def wanted_settings(options: TrailOptions, home: TrailArn, found: Settings | None) -> Settings:
    """The settings that the options ask for; what is not in it stays as it is.

    Where an option means the same as what was found, the value found is the value wanted, so that the two compare
    equal: a topic's name and its ARN, a log group with and without ``:*``, selectors in another order.
    The option kms_key_id is a key's id or ARN (an alias was looked up before), tags are all tags.
    """
    now = NEW_TRAIL if found is None else found
    wanted = _sent_settings(options, home)
    basic, advanced = _wanted_selectors(options, now["event_selectors"], now["advanced_event_selectors"])
    wanted |= {"event_selectors": basic, "advanced_event_selectors": advanced}
    if options.insight_selectors is not None:
        wanted["insight_selectors"] = options.insight_selectors
    if options.aggregation_configurations is not None:
        wanted["aggregation_configurations"] = options.aggregation_configurations
    if options.tags is not None:
        wanted["tags"] = dict(options.tags)
    return {**wanted, "logging": options.logging}


def _sent_settings(options: TrailOptions, home: TrailArn) -> Settings:
    """Those that CreateTrail and UpdateTrail take, in the form of their answers."""
    given = {name: getattr(options, name) for name in REQUEST_FIELDS}
    wanted = cast(Settings, {name: value for name, value in given.items() if value is not None})
    if "s3_key_prefix" in wanted:
        wanted["s3_key_prefix"] = wanted["s3_key_prefix"].strip("/")
    if "sns_topic_name" in wanted:
        wanted["sns_topic_name"] = topic_arn(wanted["sns_topic_name"], home)
    if "kms_key_id" in wanted:
        wanted["kms_key_id"] = key_arn(wanted["kms_key_id"], home, options.bucket_region or home.region)
    if "cloud_watch_logs_log_group_arn" in wanted:
        wanted["cloud_watch_logs_log_group_arn"] = log_group(wanted["cloud_watch_logs_log_group_arn"])
        if not wanted["cloud_watch_logs_log_group_arn"]:
            wanted.setdefault("cloud_watch_logs_role_arn", "")
    return wanted


def _wanted_selectors(
    options: TrailOptions, basic: list[EventSelector], advanced: list[AdvancedEventSelector]
) -> tuple[list[EventSelector], list[AdvancedEventSelector]]:
    """Basic and advanced selectors, one of them empty. Unset options guarantee all management events."""
    if options.event_selectors is not None or options.advanced_event_selectors == []:
        wanted = options.event_selectors or [ALL_MANAGEMENT_EVENTS]
        return (basic, []) if not advanced and same_event_selectors(wanted, basic) else (wanted, [])
    if options.advanced_event_selectors:
        asked = options.advanced_event_selectors
        return ([], advanced) if same_advanced_event_selectors(asked, advanced) else ([], asked)
    if logged_management_events(basic, advanced).all:
        return basic, advanced
    return with_all_management_events(basic, advanced)


def topic_arn(topic: str, home: TrailArn) -> str:
    """ARN of an SNS topic given by name or ARN; a bare name is one in the trail's account and home region."""
    if not topic or topic.startswith("arn:"):
        return topic
    return f"arn:{home.partition}:sns:{home.region}:{home.account_id}:{topic}"


def key_arn(key: str, home: TrailArn, region: str) -> str:
    """ARN of a KMS key given by id or ARN; a bare id is one in the trail's account and the bucket's region."""
    if not key or key.startswith("arn:"):
        return key
    return f"arn:{home.partition}:kms:{region}:{home.account_id}:key/{key}"


def is_key_alias(key: str) -> bool:
    """Whether a KMS key is given by alias, which only KMS can resolve."""
    return key.startswith("alias/") or ":alias/" in key


def log_group(arn: str) -> str:
    """ARN of a log group with the final ``:*`` that CloudTrail expects."""
    return f"{arn}:*" if arn and not arn.endswith(":*") else arn
