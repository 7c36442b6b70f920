# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events: what CloudTrail makes of the journal, and LookupEvents (aws-facts 4.7); `records` has their content."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from lab.kernel.call import Call, LabError
from lab.kernel.journal import Entry
from lab.kernel.service import answers
from lab.kernel.world import World
from lab.services.cloudtrail.records import Event, record

AGE_OF_HISTORY = timedelta(days=90)
PAGE = 50

GLOBAL_SERVICES = {"cloudfront", "iam", "organizations", "route53"}
"""Their events are left out where IncludeGlobalServiceEvents is false (STS only at its global endpoint)."""

DATA_EVENTS = {
    "s3": {
        "AbortMultipartUpload",
        "CompleteMultipartUpload",
        "CopyObject",
        "CreateMultipartUpload",
        "DeleteObject",
        "DeleteObjects",
        "DeleteObjectTagging",
        "GetObject",
        "GetObjectAcl",
        "GetObjectAttributes",
        "GetObjectLegalHold",
        "GetObjectRetention",
        "GetObjectTagging",
        "HeadBucket",
        "HeadObject",
        "ListMultipartUploads",
        "ListObjectVersions",
        "ListObjects",
        "ListObjectsV2",
        "ListParts",
        "PutObject",
        "PutObjectAcl",
        "PutObjectLegalHold",
        "PutObjectRetention",
        "PutObjectTagging",
        "RestoreObject",
        "SelectObjectContent",
        "UploadPart",
        "UploadPartCopy",
    },
    "sqs": {"SendMessage", "SendMessageBatch", "ReceiveMessage", "DeleteMessage", "DeleteMessageBatch"},
    "sns": {"Publish", "PublishBatch"},
    "logs": {"PutLogEvents"},
    "events": {"PutEvents"},
}
"""Data events, which neither LookupEvents nor a trail's management events contain."""

NEVER_SEEN = {"fault:reset", "fault:timeout"}
"""Outcomes of calls that did not reach AWS."""

ATTRIBUTES = (
    "AccessKeyId",
    "EventId",
    "EventName",
    "EventSource",
    "ReadOnly",
    "ResourceName",
    "ResourceType",
    "Username",
)
"""What LookupEvents looks up by."""

RESOURCE_TYPES = {
    "S3BucketName": "AWS::S3::Bucket",
    "Bucket": "AWS::S3::Bucket",
    "RoleArn": "AWS::IAM::Role",
    "RoleName": "AWS::IAM::Role",
    "KeyId": "AWS::KMS::Key",
    "KmsKeyId": "AWS::KMS::Key",
    "TrailName": "AWS::CloudTrail::Trail",
}


def events_of(entry: Entry) -> Iterator[Event]:
    """The management events of a call; AssumeRole is also one of the account that owns the role."""
    if entry.outcome in NEVER_SEEN or entry.operation in DATA_EVENTS.get(entry.service, ()):
        return
    owner = ""
    if entry.service == "sts" and entry.operation == "AssumeRole" and entry.outcome == "ok":
        owner = entry.parameters["RoleArn"].split(":")[4]
    if owner in ("", entry.account):
        yield Event(entry, entry.account)
        return
    yield Event(entry, entry.account, shared=True)
    yield Event(entry, owner, shared=True)


def user_name(entry: Entry) -> str:
    """What LookupEvents calls Username: the name of the user, of the role's session, or of the service; or root."""
    return entry.principal.rpartition(":")[2].rpartition("/")[2]


# --- LookupEvents -----------------------------------------------------------------------------------


@answers("cloudtrail", "LookupEvents")
def lookup_events(world: World, call: Call) -> dict[str, Any]:
    """Management events of this account and region only, newest first, of 90 days, in pages of at most 50."""
    given = call.parameters
    size = given.get("MaxResults", PAGE)
    if not 1 <= size <= PAGE:
        raise LabError("InvalidMaxResultsException", f"A max results value of {size} is not valid: 1 to {PAGE}.")
    start, end = as_time(given.get("StartTime")), as_time(given.get("EndTime"))
    if start and end and start > end:
        raise LabError("InvalidTimeRangeException", "The start time is after the end time.")
    wanted = lookup_attribute(given.get("LookupAttributes", []))
    if given.get("EventCategory") == "insight":
        return {"Events": []}
    earliest = max(start or call.time - AGE_OF_HISTORY, call.time - AGE_OF_HISTORY)
    skip = read_token(given.get("NextToken"))
    found: list[dict[str, Any]] = []
    for place, event in history(world, skip, earliest, end or call.time):
        if (event.account, event.entry.region) != (call.account, call.region):
            continue
        described = describe(event)
        if wanted is None or has(described, *wanted):
            if len(found) == size:
                return {"Events": found, "NextToken": write_token(place)}
            found.append(described)
    return {"Events": found}


def history(world: World, skip: str, earliest: datetime, latest: datetime) -> Iterator[tuple[str, Event]]:
    """Events with their places, newest first, from the place ``skip`` on; places do not move when calls come in."""
    entries = world.journal.history
    start = int(skip.split(".")[0]) if skip else len(entries) - 1
    for index in range(start, -1, -1):
        if entries[index].time < earliest:
            continue
        if entries[index].time > latest:
            continue
        for number, event in enumerate(events_of(entries[index])):
            place = f"{index}.{number}"
            if index == start and skip and number < int(skip.split(".")[1]):
                continue
            yield place, event


def lookup_attribute(attributes: list[dict[str, str]]) -> tuple[str, str] | None:
    """The one attribute that LookupEvents takes."""
    if len(attributes) > 1:
        raise LabError("InvalidLookupAttributesException", "Only one lookup attribute is allowed.")
    if not attributes:
        return None
    key = attributes[0]["AttributeKey"]
    if key not in ATTRIBUTES:
        raise LabError("InvalidLookupAttributesException", f"{key} is no lookup attribute.")
    return key, attributes[0]["AttributeValue"]


def describe(event: Event) -> dict[str, Any]:
    """An event as LookupEvents lists it."""
    entry = event.entry
    caller = {"AccessKeyId": entry.caller.access_key or None, "Username": user_name(entry)}
    return {
        "EventId": event.id,
        "EventName": event.name,
        "ReadOnly": str(event.reads).lower(),
        "EventTime": entry.time,
        "EventSource": event.source,
        **(caller if event.account == entry.account else {}),
        "Resources": list(resources(entry)),
        "CloudTrailEvent": json.dumps(record(event)),
    }


def resources(entry: Entry) -> Iterator[dict[str, str]]:
    for name, kind in RESOURCE_TYPES.items():
        if isinstance(entry.parameters.get(name), str):
            yield {"ResourceType": kind, "ResourceName": entry.parameters[name]}
    if entry.service == "cloudtrail" and isinstance(entry.parameters.get("Name"), str):
        yield {"ResourceType": "AWS::CloudTrail::Trail", "ResourceName": entry.parameters["Name"]}


def has(described: dict[str, Any], key: str, value: str) -> bool:
    """Whether a listed event has a lookup attribute."""
    if key in ("ResourceType", "ResourceName"):
        return any(resource[key] == value for resource in described["Resources"])
    return bool(described.get(key) == value)


def as_time(value: Any) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)
    return datetime.fromtimestamp(float(value), UTC)


def write_token(place: str) -> str:
    return base64.urlsafe_b64encode(f"event:{place}".encode()).decode()


def read_token(token: str | None) -> str:
    """The place in a page token; "" without one. Raises InvalidNextTokenException."""
    if token is None:
        return ""
    try:
        kind, _colon, place = base64.b64decode(token, altchars=b"-_", validate=True).decode().partition(":")
        [int(part) for part in place.split(".")]
    except ValueError:
        kind = ""
    if kind != "event":
        raise LabError("InvalidNextTokenException", "The token is not valid.")
    return place
