# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One event of event history: what it did, whether it explains a drift, and who called.

Records differ by service and age, and some lack what most have. What an event does not tell is empty here: a strange
record costs a row its cause, never the list. https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

import json
from typing import Any

from .._aws.untyped import Structure
from .drift import BUCKET, ORGANIZATION, WATCH, Drift

Event = Structure
"""An event as LookupEvents lists it; CloudTrailEvent is the record's JSON text."""

ACCESS_EVENT = "DisableAWSServiceAccess"
ORGANIZATIONS_EVENTS = frozenset(
    {
        ACCESS_EVENT,
        "AttachPolicy",
        "DeregisterDelegatedAdministrator",
        "DetachPolicy",
        "DisablePolicyType",
        "MoveAccount",
        "RegisterDelegatedAdministrator",
        "UpdatePolicy",
    }
)
"""Events of Organizations; where they name a service, another one's are about something else."""
OBJECTS = ("accountId", "memberAccountId", "delegatedAdminAccountId", "policyId", "policyType", "resourceId")
"""What an event of Organizations is about: the first of these request parameters that it has."""


def causes(event: Event, drift: Drift) -> bool:
    """Whether an event worked, is about the drift's object, and, for UpdateTrail, names the setting."""
    name, asked = event.get("EventName"), request_of(event)
    if asked is None or name not in drift.events:
        return False
    if name in ORGANIZATIONS_EVENTS and not str(asked.get("servicePrincipal", "cloudtrail")).startswith("cloudtrail"):
        return False
    if name == ACCESS_EVENT:
        return True
    if drift.kind == ORGANIZATION:
        about = next((str(asked[one]) for one in OBJECTS if asked.get(one)), "")
        return about.lower() == drift.object.rpartition(" ")[2].lower()
    if drift.kind == BUCKET:
        return bool(asked.get("bucketName") == drift.object)
    if drift.kind == WATCH:
        about = str(asked.get("name") or asked.get("rule") or asked.get("queueUrl") or "")
        return about.rpartition("/")[2] == drift.object.rpartition(":")[2].rpartition("/")[2]
    trail = asked.get("name") or asked.get("trailName") or asked.get("resourceId")
    if trail not in (drift.object, drift.object.rpartition("/")[2]):
        return False
    return name != "UpdateTrail" or _parameter(drift.what) in asked


def caller_of(event: Event) -> str:
    """Who called: the ARN, or where the record has none, as of an AWS service or a federated user, what names them."""
    identity = _mapping(record_of(event).get("userIdentity"))
    issuer = _mapping(_mapping(identity.get("sessionContext")).get("sessionIssuer"))
    names = (
        identity.get("arn"),
        issuer.get("arn"),
        identity.get("invokedBy"),
        identity.get("userName"),
        identity.get("principalId"),
        _mapping(identity.get("onBehalfOf")).get("userId"),
        identity.get("accountId"),
        event.get("Username"),
    )
    return next((name for name in names if name and isinstance(name, str)), "unknown")


def request_of(event: Event) -> dict[str, Any] | None:
    """The request parameters of a call that worked, empty where the record has none; None for a call in vain."""
    record = record_of(event)
    return _mapping(record.get("requestParameters")) if record and not record.get("errorCode") else None


def record_of(event: Event) -> dict[str, Any]:
    """The event's record; empty when there is none that can be read."""
    try:
        return _mapping(json.loads(event.get("CloudTrailEvent") or ""))
    except (TypeError, ValueError):
        return {}


def _mapping(value: object) -> dict[str, Any]:
    """A structure of a record; empty where the record has something else, such as text, in its place."""
    return value if isinstance(value, dict) else {}


def _parameter(field: str) -> str:
    """A setting's name among an event's request parameters, for example s3BucketName."""
    first, *rest = field.split("_")
    return first + "".join(word.capitalize() for word in rest)
