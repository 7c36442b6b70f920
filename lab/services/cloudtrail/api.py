# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS CloudTrail: trails, their settings and what each account is told of them (aws-facts 1 to 5).

The lab owns this state whole; moto's CloudTrail is never asked. Neighbours: `access` (which trail, and may the
caller), `linked_roles`, `administrators` (delegated ones), `admission` (bucket, key, topic, log group), `selectors`,
`tags`, `event_data_stores`, `event_history`, `digests` (ListPublicKeys), `delivery`, and `members` (``/lab/members``).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from lab.kernel.call import Call, LabError
from lab.kernel.service import answers
from lab.kernel.world import World
from lab.services import kms
from lab.services.cloudtrail import (
    administrators,
    admission,
    digests,
    event_data_stores,
    event_history,
    members,
    selectors,
)
from lab.services.cloudtrail import tags as trail_tags
from lab.services.cloudtrail.access import (
    check_name,
    expand,
    find_trail,
    find_trail_to_change,
    may_read,
    require_management_role,
    require_organization,
    sends,
    stands_in,
)
from lab.services.cloudtrail.linked_roles import require_service_linked_role
from lab.services.cloudtrail.trails import Chain, Settings, Trail, new_trail
from lab.services.s3 import find_bucket

__all__ = ["administrators", "digests", "event_data_stores", "event_history", "selectors", "trail_tags"]

TRAILS_PER_REGION = 5

FIELDS = {
    "S3BucketName": "s3_bucket_name",
    "S3KeyPrefix": "s3_key_prefix",
    "IncludeGlobalServiceEvents": "include_global_service_events",
    "IsMultiRegionTrail": "is_multi_region_trail",
    "IsOrganizationTrail": "is_organization_trail",
    "EnableLogFileValidation": "log_file_validation_enabled",
    "CloudWatchLogsLogGroupArn": "cloud_watch_logs_log_group_arn",
    "CloudWatchLogsRoleArn": "cloud_watch_logs_role_arn",
    "RecursiveLogging": "recursive_logging",
}
"""Request members that are taken over as they are; SnsTopicName and KmsKeyId are resolved first (aws-facts 2.11)."""


# --- create, update, delete -------------------------------------------------------------------------


@answers("cloudtrail", "CreateTrail")
def create_trail(world: World, call: Call) -> dict[str, Any]:
    name = call.parameters["Name"]
    if name.startswith("arn:"):
        raise LabError("InvalidTrailNameException", "A new trail needs a name, not an ARN.")
    check_name(name)
    owner = call.account
    if call.parameters.get("IsOrganizationTrail"):
        owner = require_organization(world, call, conversion=False)
        require_service_linked_role(world, call, owner)
    arn = f"arn:{world.partition}:cloudtrail:{call.region}:{owner}:trail/{name}"
    here = [trail for trail in world.trails.owned(owner) if stands_in(world, trail, owner, call.region)]
    if any(trail.name == name for trail in here):
        raise LabError("TrailAlreadyExistsException", f"Trail {name} already exists for customer: {owner}")
    if len(here) >= TRAILS_PER_REGION:
        raise LabError(
            "MaximumNumberOfTrailsExceededException",
            f"User: {owner} already has {TRAILS_PER_REGION} trails in {call.region}.",
        )
    settings = merged(world, call, arn, Settings(""))
    tags = trail_tags.checked(call.parameters.get("TagsList", []))
    trail = new_trail(world, call.time, owner, call.region, name, settings)
    trail.tags = tags
    return answer_of_change(trail)


@answers("cloudtrail", "UpdateTrail")
def update_trail(world: World, call: Call) -> dict[str, Any]:
    """Merge what is given into the trail; flag and bucket may come in one call (aws-facts 2.3, 2.4)."""
    trail = find_trail_to_change(world, call, call.parameters["Name"])
    before = trail.settings.is_organization_trail
    if call.parameters.get("IsOrganizationTrail", before) != before:
        owner = require_organization(world, call, conversion=True)
        require_service_linked_role(world, call, owner)
    trail.change(call.time, **difference(trail.settings, merged(world, call, trail.arn, trail.settings)))
    return answer_of_change(trail)


@answers("cloudtrail", "DeleteTrail")
def delete_trail(world: World, call: Call) -> dict[str, Any]:
    trail = find_trail_to_change(world, call, call.parameters["Name"])
    del world.trails.by_arn[trail.arn]
    return {}


def merged(world: World, call: Call, arn: str, old: Settings) -> Settings:
    """The settings after a request, checked and admitted. Raises LabError and changes nothing."""
    given = call.parameters
    new = replace(old, **{field: given[member] for member, field in FIELDS.items() if member in given})
    owner, region = arn.split(":")[4], arn.split(":")[3]
    if "SnsTopicName" in given:
        topic = given["SnsTopicName"]
        new = replace(new, sns_topic_arn=admission.topic_arn(world, owner, region, topic) if topic else "")
    if given.get("CloudWatchLogsLogGroupArn") == "" and "CloudWatchLogsRoleArn" not in given:
        new = replace(new, cloud_watch_logs_role_arn="")
    check_settings(new)
    if "KmsKeyId" in given:
        new = replace(new, kms_key_id=key_arn(world, owner, new.s3_bucket_name, given["KmsKeyId"]))
    admission.admit(world, arn, new)
    if new.sns_topic_arn:
        admission.check_topic(world, arn, new.sns_topic_arn)
    if {"CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn"} & set(given):
        admission.check_log_group(world, new, call.account, region)
    return new


def check_settings(settings: Settings) -> None:
    """Raise for what CloudTrail refuses without looking at anything else (aws-facts 2.5)."""
    if not admission.BUCKET_NAME.fullmatch(settings.s3_bucket_name):
        raise LabError("InvalidS3BucketNameException", f"Bucket name {settings.s3_bucket_name!r} is not valid.")
    if len(settings.s3_key_prefix) > 200:
        raise LabError("InvalidS3PrefixException", "The S3 key prefix must have at most 200 characters.")
    if settings.is_multi_region_trail and not settings.include_global_service_events:
        raise LabError("InvalidParameterCombinationException", "Multi-Region trail must include global service events.")


def key_arn(world: World, owner: str, bucket_name: str, text: str) -> str:
    """The ARN of the KMS key that a request names; "" switches encryption with KMS off."""
    bucket = find_bucket(bucket_name)
    if not text or bucket is None:
        return ""
    return str(kms.find_key(world, text, owner, bucket.region_name).arn)


def difference(old: Settings, new: Settings) -> dict[str, Any]:
    return {name: value for name, value in vars(new).items() if value != getattr(old, name)}


# --- logging ----------------------------------------------------------------------------------------


@answers("cloudtrail", "StartLogging")
def start_logging(world: World, call: Call) -> dict[str, Any]:
    find_trail_to_change(world, call, call.parameters["Name"]).change(call.time, logging=True)
    return {}


@answers("cloudtrail", "StopLogging")
def stop_logging(world: World, call: Call) -> dict[str, Any]:
    find_trail_to_change(world, call, call.parameters["Name"]).change(call.time, logging=False)
    return {}


@answers("cloudtrail", "GetTrailStatus")
def get_trail_status(world: World, call: Call) -> dict[str, Any]:
    """One account's and region's word on the trail; it costs no more in a large organization."""
    trail = find_trail(world, call, call.parameters["Name"])
    return members.overridden(world, call.account, call.region, status_of(world, trail, call.account, call.region))


def status_of(world: World, trail: Trail, account: str, region: str) -> dict[str, Any]:
    """What GetTrailStatus answers before any override; what is not known is absent, texts are empty."""
    chain = trail.chains.get((account, region)) or Chain()
    since = None if account == trail.account else trail.organization_since
    started = latest(trail.started, since) if trail.started else None
    everywhere = trail.marked_delivered if sends(world, trail, account) else None
    if everywhere and since and everywhere < since:
        everywhere = None
    log_time = latest(chain.log_time, everywhere)
    validated = trail.settings.log_file_validation_enabled
    has_log_group = bool(trail.settings.cloud_watch_logs_log_group_arn)
    notified = iso(log_time if trail.settings.sns_topic_arn else None)
    attempt = latest(chain.attempt_time, everywhere)
    return without_none(
        {
            "IsLogging": trail.settings.logging,
            "LatestDeliveryError": chain.log_error or None,
            "LatestDeliveryTime": log_time,
            "LatestDigestDeliveryTime": latest(chain.digest_time, everywhere) if validated else None,
            "LatestDigestDeliveryError": chain.digest_error or None,
            "LatestCloudWatchLogsDeliveryError": chain.stream_error or None,
            "LatestCloudWatchLogsDeliveryTime": latest(chain.stream_time, everywhere) if has_log_group else None,
            "LatestNotificationError": chain.notification_error or None,
            "LatestNotificationTime": log_time if trail.settings.sns_topic_arn else None,
            "StartLoggingTime": started,
            "StopLoggingTime": trail.stopped,
            "LatestDeliveryAttemptTime": iso(attempt),
            "LatestDeliveryAttemptSucceeded": iso(log_time),
            "LatestNotificationAttemptTime": notified,
            "LatestNotificationAttemptSucceeded": notified,
            "TimeLoggingStarted": iso(started),
            "TimeLoggingStopped": iso(trail.stopped),
        }
    )


def latest(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(one, other) if one and other else one or other


def iso(time: datetime | None) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ") if time else ""


# --- reading ----------------------------------------------------------------------------------------


@answers("cloudtrail", "DescribeTrails")
def describe_trails(world: World, call: Call) -> dict[str, Any]:
    """Trails of this region, or those named: bare names mean this account and region only (aws-facts 2.1, 4.1)."""
    require_management_role(world, call.account)
    names = call.parameters.get("trailNameList") or []
    arns = [expand(world, call, name) for name in names]
    found = [trail for arn in arns if (trail := world.trails.by_arn.get(arn)) and may_read(world, call, trail)]
    if not names:
        found = [trail for trail in world.trails.by_arn.values() if stands_in(world, trail, call.account, call.region)]
    if not call.parameters.get("includeShadowTrails", True):
        found = [trail for trail in found if (trail.account, trail.region) == (call.account, call.region)]
    return {"trailList": [description(trail) for trail in found]}


@answers("cloudtrail", "GetTrail")
def get_trail(world: World, call: Call) -> dict[str, Any]:
    return {"Trail": description(find_trail(world, call, call.parameters["Name"]))}


@answers("cloudtrail", "ListTrails")
def list_trails(world: World, call: Call) -> dict[str, Any]:
    """The account's trails of every region, organization trails that reached it included."""
    require_management_role(world, call.account)
    found = [trail for trail in world.trails.by_arn.values() if stands_in(world, trail, call.account, trail.region)]
    return {
        "Trails": [{"TrailARN": trail.arn, "Name": trail.name, "HomeRegion": trail.region} for trail in found],
    }


def answer_of_change(trail: Trail) -> dict[str, Any]:
    """What CreateTrail and UpdateTrail answer: no HomeRegion and no Has…Selectors (aws-facts 2.13)."""
    settings = trail.settings
    return without_none(
        {
            "Name": trail.name,
            "S3BucketName": settings.s3_bucket_name,
            "S3KeyPrefix": settings.s3_key_prefix or None,
            "SnsTopicName": settings.sns_topic_arn.rpartition(":")[2] or None,
            "SnsTopicARN": settings.sns_topic_arn or None,
            "IncludeGlobalServiceEvents": settings.include_global_service_events,
            "IsMultiRegionTrail": settings.is_multi_region_trail,
            "TrailARN": trail.arn,
            "LogFileValidationEnabled": settings.log_file_validation_enabled,
            "CloudWatchLogsLogGroupArn": settings.cloud_watch_logs_log_group_arn or None,
            "CloudWatchLogsRoleArn": settings.cloud_watch_logs_role_arn or None,
            "KmsKeyId": settings.kms_key_id or None,
            "IsOrganizationTrail": settings.is_organization_trail,
            "RecursiveLogging": settings.recursive_logging,
        }
    )


def description(trail: Trail) -> dict[str, Any]:
    """What DescribeTrails and GetTrail answer."""
    return {
        **answer_of_change(trail),
        "HomeRegion": trail.region,
        "HasCustomEventSelectors": selectors.are_custom(trail.settings),
        "HasInsightSelectors": bool(trail.insight_selectors),
    }


def without_none(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if value is not None}
