# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events: what CloudTrail makes of the journal, for log files and for LookupEvents (aws-facts 4.7)."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from lab.kernel.call import READ_VERBS, Call, LabError
from lab.kernel.faults import DONE
from lab.kernel.journal import Entry
from lab.kernel.service import answers
from lab.kernel.world import World

AGE_OF_HISTORY = timedelta(days=90)
PAGE = 50

SOURCES = {"cloudwatch": "monitoring", "resourcegroupstaggingapi": "tagging", "ses": "email"}
"""Services whose event source is not their name."""

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

RESOURCE_TYPES = {
    "S3BucketName": "AWS::S3::Bucket",
    "Bucket": "AWS::S3::Bucket",
    "RoleArn": "AWS::IAM::Role",
    "RoleName": "AWS::IAM::Role",
    "KeyId": "AWS::KMS::Key",
    "KmsKeyId": "AWS::KMS::Key",
    "TrailName": "AWS::CloudTrail::Trail",
}


@dataclass(frozen=True)
class Event:
    """A management event in the account that receives it."""

    entry: Entry
    account: str

    @property
    def source(self) -> str:
        return f"{SOURCES.get(self.entry.service, self.entry.service)}.amazonaws.com"

    @property
    def reads(self) -> bool:
        return self.entry.operation.startswith(READ_VERBS)


def events_of(entry: Entry) -> Iterator[Event]:
    """The management events of a call; AssumeRole is also one of the account that owns the role."""
    if entry.outcome in NEVER_SEEN or entry.operation in DATA_EVENTS.get(entry.service, ()):
        return
    yield Event(entry, entry.account)
    if entry.service == "sts" and entry.operation == "AssumeRole" and entry.outcome == "ok":
        owner = entry.parameters.get("RoleArn", "").split(":")[4:5]
        if owner and owner[0] != entry.account:
            copy = replace(entry, id=str(uuid.uuid5(uuid.NAMESPACE_OID, entry.id)))
            yield Event(copy, owner[0])


def record(event: Event) -> dict[str, Any]:
    """The event as log files and LookupEvents show it (CloudTrail record contents, version 1.11)."""
    entry = event.entry
    failed = entry.outcome.removeprefix("fault:") not in ("ok", *DONE)
    made = {
        "eventVersion": "1.11",
        "userIdentity": identity(entry),
        "eventTime": entry.time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": event.source,
        "eventName": entry.operation,
        "awsRegion": entry.region,
        "sourceIPAddress": entry.source_ip,
        "userAgent": entry.user_agent,
        "requestParameters": lower_camel(entry.parameters) or None,
        "responseElements": None,
        "requestID": str(uuid.uuid5(uuid.NAMESPACE_URL, entry.id)),
        "eventID": entry.id,
        "readOnly": event.reads,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": event.account,
        "eventCategory": "Management",
    }
    if failed:
        made["errorCode"] = error_code(entry)
        made["errorMessage"] = entry.error_message
    return made


def error_code(entry: Entry) -> str:
    """The error code of a failed call; a fault's name where it was one."""
    fault = entry.outcome.removeprefix("fault:")
    named = {"throttle": "ThrottlingException", "http500": "InternalFailure", "http503": "ServiceUnavailable"}
    return named.get(fault, fault.removeprefix("code:"))


def identity(entry: Entry) -> dict[str, Any]:
    """The userIdentity of a caller."""
    kind, _slash, name = entry.principal.split(":", 5)[5].partition("/")
    if kind == "assumed-role":
        role, _slash, session = name.partition("/")
        return {
            "type": "AssumedRole",
            "principalId": f"AROALAB{role.upper()[:13]}:{session}",
            "arn": entry.principal,
            "accountId": entry.account,
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "arn": f"{':'.join(entry.principal.split(':')[:2])}:iam::{entry.account}:role/{role}",
                    "accountId": entry.account,
                    "userName": role,
                }
            },
        }
    made = {"type": "Root" if kind == "root" else "IAMUser", "arn": entry.principal, "accountId": entry.account}
    return {**made, "userName": name} if name else made


def user_name(entry: Entry) -> str:
    """What LookupEvents calls Username: the user's name or the role session's name."""
    return entry.principal.rpartition("/")[2]


def lower_camel(value: Any) -> Any:
    """Parameters with the first letter of each name in lower case, as CloudTrail writes them."""
    if isinstance(value, dict):
        return {key[:1].lower() + key[1:]: lower_camel(item) for key, item in value.items()}
    if isinstance(value, list):
        return [lower_camel(item) for item in value]
    return value


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
    return (attributes[0]["AttributeKey"], attributes[0]["AttributeValue"]) if attributes else None


def describe(event: Event) -> dict[str, Any]:
    """An event as LookupEvents lists it."""
    entry = event.entry
    return {
        "EventId": entry.id,
        "EventName": entry.operation,
        "ReadOnly": str(event.reads).lower(),
        "EventTime": entry.time,
        "EventSource": event.source,
        "Username": user_name(entry),
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
