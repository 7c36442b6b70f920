# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a trail as it is to the trail as it was recorded: what differs, and the calls that bring it back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .._aws.selectors import SELECTOR_KINDS
from .._aws.untyped import Structure
from .trail import Trail

REQUESTED = {
    "S3BucketName": "S3BucketName",
    "S3KeyPrefix": "S3KeyPrefix",
    "SnsTopicARN": "SnsTopicName",
    "IncludeGlobalServiceEvents": "IncludeGlobalServiceEvents",
    "IsMultiRegionTrail": "IsMultiRegionTrail",
    "LogFileValidationEnabled": "EnableLogFileValidation",
    "CloudWatchLogsLogGroupArn": "CloudWatchLogsLogGroupArn",
    "CloudWatchLogsRoleArn": "CloudWatchLogsRoleArn",
    "KmsKeyId": "KmsKeyId",
    "RecursiveLogging": "RecursiveLogging",
}
"""Members of GetTrail's answer, and their names in CreateTrail and UpdateTrail (aws-facts 2.11)."""

FLAGS = ("IncludeGlobalServiceEvents", "IsMultiRegionTrail", "LogFileValidationEnabled", "RecursiveLogging")
SELECTORS, INSIGHTS, AGGREGATIONS, TAGS = ("event selectors", "insight selectors", "aggregations", "tags")
OF_AWS = "aws:"
"""How keys of tags begin that only AWS sets."""

BASIC: Structure = {
    "ReadWriteType": "All",
    "IncludeManagementEvents": True,
    "DataResources": [],
    "ExcludeManagementEventSources": [],
}
"""What a basic selector that says nothing means; the only one of a new trail (aws-facts 2.10)."""


@dataclass(frozen=True)
class Call:
    """One call to CloudTrail that changes something: AWS's name of the operation, and its parameters."""

    operation: str
    parameters: Structure


def differences(recorded: Trail, now: Trail) -> list[str]:
    """What of a trail is not as it was recorded, by AWS's names; whether it logs is not compared."""
    found = [name for name in REQUESTED if _value(recorded, name) != _value(now, name)]
    parts = {
        SELECTORS: _selectors(recorded) != _selectors(now),
        INSIGHTS: recorded.insight_kinds != now.insight_kinds,
        AGGREGATIONS: recorded.aggregation_kinds != now.aggregation_kinds,
        TAGS: _tags(recorded) != _tags(now),
    }
    return [*found, *(name for name, differs in parts.items() if differs)]


def calls_to(recorded: Trail, now: Trail | None) -> list[Call]:
    """The calls that make a trail what was recorded, in this order; now: None where there is none.

    It is started last, when all else is right. Nothing here stops a trail: one that was recorded as stopped and logs
    goes on logging.
    """
    if now is None:
        return [_creation(recorded), *_changes(recorded, new_trail(recorded))]
    return list(_changes(recorded, now))


def new_trail(recorded: Trail) -> Trail:
    """The trail as CreateTrail leaves it: the settings and tags that were recorded, and nothing else."""
    return replace(recorded, selectors={"EventSelectors": [BASIC]}, insights=(), aggregations=(), logging=False)


def _creation(recorded: Trail) -> Call:
    sent = {parameter: value for name, parameter in REQUESTED.items() if (value := recorded.settings.get(name))}
    flags = {REQUESTED[name]: recorded.settings[name] for name in FLAGS if name in recorded.settings}
    tags = {"TagsList": _tag_list(_tags(recorded))} if _tags(recorded) else {}
    return Call("CreateTrail", {"Name": recorded.arn.name, **sent, **flags, **tags})


def _changes(recorded: Trail, now: Trail) -> Iterator[Call]:
    arn, differing = str(recorded.arn), differences(recorded, now)
    if sent := {REQUESTED[name]: _value(recorded, name) for name in differing if name in REQUESTED}:
        if "CloudWatchLogsRoleArn" in sent:  # a role goes with its group: API_UpdateTrail.html
            sent["CloudWatchLogsLogGroupArn"] = _value(recorded, "CloudWatchLogsLogGroupArn")
        yield Call("UpdateTrail", {"Name": arn, **sent})
    if SELECTORS in differing:
        chosen = {kind: recorded.selectors[kind] for kind in SELECTOR_KINDS if recorded.selectors.get(kind)}
        yield Call("PutEventSelectors", {"TrailName": arn, **chosen})
    if INSIGHTS in differing:
        yield Call("PutInsightSelectors", {"TrailName": arn, "InsightSelectors": list(recorded.insights)})
    if AGGREGATIONS in differing:
        chosen = {"AggregationConfigurations": list(recorded.aggregations)}
        yield Call("PutEventConfiguration", {"TrailName": arn, **chosen})
    wanted, found = _tags(recorded), _tags(now)
    if removed := {key: value for key, value in found.items() if key not in wanted}:
        yield Call("RemoveTags", {"ResourceId": arn, "TagsList": _tag_list(removed)})
    if added := {key: value for key, value in wanted.items() if found.get(key) != value}:
        yield Call("AddTags", {"ResourceId": arn, "TagsList": _tag_list(added)})
    if recorded.logging and not now.logging:
        yield Call("StartLogging", {"Name": arn})


def _value(trail: Trail, name: str) -> Any:
    """A setting; what AWS leaves out is "" or false."""
    return trail.settings.get(name) or (False if name in FLAGS else "")


def _selectors(trail: Trail) -> dict[str, list[Structure]]:
    """The selectors of both kinds, with what a selector leaves out said."""
    basic = [{**BASIC, **_without_empty(one)} for one in trail.selectors.get("EventSelectors") or []]
    advanced = [
        {"Name": one.get("Name") or "", "FieldSelectors": [_without_empty(part) for part in one["FieldSelectors"]]}
        for one in trail.selectors.get("AdvancedEventSelectors") or []
    ]
    return {"basic": basic, "advanced": advanced}


def _without_empty(structure: Structure) -> Structure:
    return {name: value for name, value in structure.items() if value not in (None, [])}


def _tags(trail: Trail) -> dict[str, str]:
    return {key: value for key, value in trail.tags.items() if not key.startswith(OF_AWS)}


def _tag_list(tags: Mapping[str, str]) -> list[Structure]:
    """Tags as AWS takes them: one without a value has none, an empty one is refused."""
    return [{"Key": key, **({"Value": value} if value else {})} for key, value in tags.items()]
