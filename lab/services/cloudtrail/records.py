# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An event as log files and LookupEvents show it: CloudTrail's record (aws-facts section 15).

Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

import json
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lab.kernel.call import READ_VERBS
from lab.kernel.faults import DONE
from lab.kernel.journal import Entry

SOURCES = {"cloudwatch": "monitoring", "resourcegroupstaggingapi": "tagging", "ses": "email"}
"""Services whose event source is not their name."""

S3_EVENTS = {
    "DeletePublicAccessBlock": "DeleteBucketPublicAccessBlock",
    "GetBucketLifecycleConfiguration": "GetBucketLifecycle",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutBucketLifecycleConfiguration": "PutBucketLifecycle",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
}
"""S3's events that are not called like the operation (aws-facts 15.1).

https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html
"""

FAULT_CODES = {"throttle": "ThrottlingException", "http500": "InternalFailure", "http503": "ServiceUnavailable"}


@dataclass(frozen=True)
class Event:
    """A management event in the account that receives it. One that is ``shared`` has a twin in another account."""

    entry: Entry
    account: str
    shared: bool = False

    @property
    def id(self) -> str:
        """The twin of the caller's event has an id of its own."""
        is_twin = self.shared and self.account != self.entry.account
        return str(uuid.uuid5(uuid.NAMESPACE_OID, self.entry.id)) if is_twin else self.entry.id

    @property
    def source(self) -> str:
        return f"{SOURCES.get(self.entry.service, self.entry.service)}.amazonaws.com"

    @property
    def name(self) -> str:
        operation = self.entry.operation
        return S3_EVENTS.get(operation, operation) if self.entry.service == "s3" else operation

    @property
    def reads(self) -> bool:
        return self.entry.operation.startswith(READ_VERBS)


def record(event: Event) -> dict[str, Any]:
    """CloudTrail's record of an event, version 1.11."""
    entry = event.entry
    made = {
        "eventVersion": "1.11",
        "userIdentity": identity(event),
        "eventTime": iso(entry.time),
        "eventSource": event.source,
        "eventName": event.name,
        "awsRegion": entry.region,
        "sourceIPAddress": entry.source_ip,
        "userAgent": entry.user_agent,
        "requestParameters": request_parameters(entry),
        "responseElements": as_elements(entry.answer) or None,
        "requestID": str(uuid.uuid5(uuid.NAMESPACE_URL, entry.id)),
        "eventID": event.id,
        "readOnly": event.reads,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": event.account,
        "eventCategory": "Management",
    }
    if entry.service == "sts" and entry.operation == "AssumeRole" and entry.outcome == "ok":
        arn = entry.parameters["RoleArn"]
        made["resources"] = [{"accountId": arn.split(":")[4], "type": "AWS::IAM::Role", "ARN": arn}]
    if event.shared:
        made["sharedEventID"] = str(uuid.uuid5(uuid.NAMESPACE_DNS, entry.id))
    if entry.host:
        made["tlsDetails"] = {
            "tlsVersion": "TLSv1.3",
            "cipherSuite": "TLS_AES_128_GCM_SHA256",
            "clientProvidedHostHeader": entry.host,
        }
    if entry.outcome.removeprefix("fault:") not in ("ok", *DONE):
        made["errorCode"] = error_code(entry)
        made["errorMessage"] = entry.error_message
    return made


def error_code(entry: Entry) -> str:
    """The error code of a failed call; a refusal by IAM has one name, whatever the service's answer calls it (15.2)."""
    code = entry.outcome.removeprefix("fault:").removeprefix("code:")
    return "AccessDenied" if code == "AccessDeniedException" else FAULT_CODES.get(code, code)


def identity(event: Event) -> dict[str, Any]:
    """The userIdentity of a caller (aws-facts 15.5)."""
    caller, entry = event.entry.caller, event.entry
    if not caller.arn.startswith("arn:"):
        return {"type": "AWSService", "invokedBy": caller.arn}
    user_id = caller.user_id or caller.access_key
    if event.account != entry.account:
        return {"type": "AWSAccount", "principalId": user_id, "accountId": entry.account}
    kind, _slash, name = caller.arn.split(":", 5)[5].partition("/")
    made: dict[str, Any] = {
        "type": {"assumed-role": "AssumedRole", "root": "Root"}.get(kind, "IAMUser"),
        "principalId": user_id,
        "arn": caller.arn,
        "accountId": entry.account,
        "accessKeyId": caller.access_key,
    }
    if kind == "user":
        made["userName"] = name.rpartition("/")[2]
    if caller.since:
        attributes = {"creationDate": iso(caller.since), "mfaAuthenticated": "false"}
        issuer = {"sessionIssuer": role_of(event)} if caller.role else {}
        made["sessionContext"] = {**issuer, "attributes": attributes}
    return made


def role_of(event: Event) -> dict[str, str]:
    """The role behind a session."""
    caller = event.entry.caller
    return {
        "type": "Role",
        "principalId": caller.user_id.partition(":")[0],
        "arn": f"{':'.join(caller.arn.split(':')[:2])}:iam::{caller.account}:role/{caller.role}",
        "accountId": caller.account,
        "userName": str(caller.role),
    }


def request_parameters(entry: Entry) -> dict[str, Any] | None:
    """What was asked for. S3's have the bucket's name, its host, and policies that are no text (aws-facts 15.1)."""
    made: dict[str, Any] = lower_camel(entry.parameters)
    if entry.service != "s3":
        return made or None
    if "bucket" in made:
        made = {"bucketName": made.pop("bucket"), **made}
    if "policy" in made:
        with suppress(ValueError):
            made["bucketPolicy"] = json.loads(made["policy"])
        made["policy"] = ""
    return {**made, **({"Host": entry.host} if entry.host else {})}


def as_elements(value: Any) -> Any:
    """An answer as CloudTrail shows it: without secret keys, times as Java writes them (aws-facts 15.3)."""
    if isinstance(value, dict):
        kept = {key: item for key, item in value.items() if item is not None and key not in LEFT_OUT}
        return {key[:1].lower() + key[1:]: as_elements(item) for key, item in kept.items()}
    if isinstance(value, list | tuple):
        return [as_elements(item) for item in value]
    if isinstance(value, datetime):
        return f"{value:%b} {value.day}, {value.year}, {value.hour % 12 or 12}:{value:%M:%S %p}"
    return value if isinstance(value, str | int | float) else None


LEFT_OUT = ("SecretAccessKey", "ResponseMetadata")


def lower_camel(value: Any) -> Any:
    """Parameters with the first letter of each name in lower case, as CloudTrail writes them."""
    if isinstance(value, dict):
        return {key[:1].lower() + key[1:]: lower_camel(item) for key, item in value.items()}
    if isinstance(value, list):
        return [lower_camel(item) for item in value]
    return value


def iso(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
