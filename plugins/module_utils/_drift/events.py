# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Since when and by whom: the newest event in event history that explains a drift."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .._aws.cloudtrail import lookup_events
from .._aws.session import DEFAULT_REGION, Session
from .._aws.untyped import Structure
from .._work.times import time_text
from .drifts import BUCKET, Drift, DriftOptions, collect_drift

ORGANIZATIONS_EVENT = "DisableAWSServiceAccess"
ORGANIZATIONS_REGIONS = {
    "aws": DEFAULT_REGION,
    "aws-cn": "cn-northwest-1",
    "aws-iso": "us-iso-east-1",
    "aws-iso-b": "us-isob-east-1",
    "aws-us-gov": "us-gov-west-1",
}
"""Where each partition's Organizations, which has one endpoint, records its events (aws-facts 1.7, 4.7)."""

HISTORY = timedelta(days=90)
NEWEST = 100
"""How many events of a name are looked through; LookupEvents answers 50 a page, twice a second (aws-facts 4.7)."""

Event = Structure


def find_drift(session: Session, options: DriftOptions) -> list[Drift]:
    """What drifted, by the results in the module's options, with the changes that caused it.

    Raises AnsibleSTSError when the log archive's role cannot be assumed, and AnsibleOrgTrailError when it leads into
    another account than the bucket's.
    """
    drifts = collect_drift(options)
    if not drifts or not options.event_history:
        return drifts
    role = options.log_archive_role_arn
    owner = str(options.log_bucket.get("account_id") or "")
    log_archive = session.assume(role, options.log_archive_role_external_id, owner) if role else None
    return attribute(drifts, session, log_archive, options.log_bucket.get("region") or session.region)


def attribute(
    drifts: Iterable[Drift], session: Session, log_archive: Session | None, bucket_region: str
) -> list[Drift]:
    """The drifts with ``since`` and ``by`` where event history knows them.

    session: of the management account. log_archive: of the bucket's account, None to leave its drifts as they are.
    A caller who may not read event history learns nothing; that is no error.
    """
    since = datetime.now(UTC) - HISTORY

    @cache
    def history(kind: str, region: str, name: str) -> list[Event]:
        owner = log_archive if kind == BUCKET else session
        try:
            return lookup_events(owner.client("cloudtrail", region), name, since, NEWEST) if owner else []
        except AnsibleAWSError:
            return []

    def explained(drift: Drift) -> Drift:
        return explain(drift, lambda name: history(drift.kind, _region(drift, name, session, bucket_region), name))

    return [explained(drift) for drift in drifts]


def _region(drift: Drift, event: str, session: Session, bucket_region: str) -> str:
    """Where the event is recorded: in the trail's home region, the bucket's region, or the one of Organizations."""
    if drift.kind == BUCKET:
        return bucket_region
    if event == ORGANIZATIONS_EVENT:
        return ORGANIZATIONS_REGIONS.get(session.partition, session.region)
    return drift.object.split(":")[3]


def explain(drift: Drift, events_of: Callable[[str], Iterable[Event]]) -> Drift:
    """One drift with the newest event that may have caused it. ``events_of`` gives the events of a name."""
    events = [event for name in drift.events for event in events_of(name) if causes(event, drift)]
    if not events:
        return drift
    newest = max(events, key=lambda event: event["EventTime"])
    return replace(drift, since=time_text(newest["EventTime"]), by=_caller(newest))


def causes(event: Event, drift: Drift) -> bool:
    """Whether an event worked, is about the drift's object, and, for UpdateTrail, names the setting."""
    record = json.loads(event["CloudTrailEvent"])
    asked = record.get("requestParameters") or {}
    if record.get("errorCode"):
        return False
    if event["EventName"] == ORGANIZATIONS_EVENT:
        return str(asked.get("servicePrincipal", "cloudtrail")).startswith("cloudtrail")
    if drift.kind == BUCKET:
        return bool(asked.get("bucketName") == drift.object)
    name = asked.get("name") or asked.get("trailName") or asked.get("resourceId")
    if name not in (drift.object, drift.object.rpartition("/")[2]):
        return False
    return event["EventName"] != "UpdateTrail" or _parameter(drift.what) in asked


def _parameter(field: str) -> str:
    """A setting's name among an event's request parameters, for example s3BucketName."""
    first, *rest = field.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _caller(event: Event) -> str:
    identity = json.loads(event["CloudTrailEvent"]).get("userIdentity") or {}
    return str(identity.get("arn") or identity.get("invokedBy") or event.get("Username") or "unknown")
