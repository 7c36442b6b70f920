# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where, and how far, event history is searched for the cause of a drift."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.cloudtrail import AnsibleCloudTrailError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._drift import history
from ansible_collections.cloudsec.org_trail.plugins.module_utils._drift.drift import BUCKET, TRAIL, Drift
from ansible_collections.cloudsec.org_trail.plugins.module_utils._drift.drifts import (
    access_drift,
    health_drift,
    policy_drift,
    trail_drift,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._drift.history import PAGES

ARN = "arn:aws:cloudtrail:us-east-1:111111111111:trail/default"
TIME = datetime(2026, 1, 2, tzinfo=UTC)
STOPPED = Drift(TRAIL, ARN, "logging", True, False, "", ("StopLogging",))


def event(name: str, asked: dict[str, Any], by: str = "somebody", minutes: int = 0, **record: Any) -> dict[str, Any]:
    made = {"requestParameters": asked, "userIdentity": {"arn": by}, **record}
    time = TIME - timedelta(minutes=minutes)
    return {"EventName": name, "EventTime": time, "CloudTrailEvent": json.dumps(made)}


@pytest.mark.parametrize(
    ("partition", "home", "organizations"),
    [
        ("aws", "us-east-1", "us-east-1"),
        ("aws", "eu-west-1", "us-east-1"),
        ("aws-us-gov", "us-gov-east-1", "us-gov-west-1"),
        ("aws-cn", "cn-north-1", "cn-northwest-1"),
        ("aws-eusc", "eusc-de-east-1", "eusc-de-east-1"),
    ],
)
def test_history_is_read_where_the_event_is_recorded(
    monkeypatch: pytest.MonkeyPatch, partition: str, home: str, organizations: str
) -> None:
    places = {
        (organizations, "DisableAWSServiceAccess"),
        ("bucket", "PutBucketVersioning"),
        ("bucket", "DeleteBucketPolicy"),
    }

    def page(client: str, _key: str, name: str, *_: Any) -> dict[str, Any]:
        known = (client, name) in places
        return {"Events": [event(name, {"bucketName": "logs"}, f"somebody in {client}")] if known else []}

    monkeypatch.setattr(history, "lookup_events_page", page)
    session: Any = SimpleNamespace(client=lambda _service, region: region, partition=partition, region=home)
    arn, field = f"arn:{partition}:cloudtrail:{home}:111111111111:trail/default", "is_organization_trail"
    diff = {"before": {field: False}, "after": {field: True}}
    weak = {"setting": "versioning", "found": "Suspended", "expected": "", "fix": "", "weakened": True}
    lacking = {"statement": "policy", "found": "no policy", "expected": "one", "fix": ""}
    drifts = [
        *access_drift({"diff": {"before": 0, "after": 1}, "organization": {"id": "o-1"}}, "cloudtrail.amazonaws.com"),
        *trail_drift(
            {"actions": [{}], "diff": diff, "trail": {"arn": arn}, "before": {"arn": arn}, "changed_fields": [field]}
        ),
        *policy_drift({"name": "logs", "problems": [lacking]}),
        *health_drift({"name": "logs", "health": {"problems": [weak]}}),
    ]
    found = history.attribute(drifts, session, session, "bucket")
    assert [one.by for one in found] == [f"somebody in {organizations}"] * 2 + ["somebody in bucket"] * 2


class History:
    """Event history in pages of 50; counts what is read of it."""

    def __init__(self, by_name: list[dict[str, Any]], by_resource: list[dict[str, Any]]) -> None:
        self.events = {"EventName": by_name, "ResourceName": by_resource}
        self.read: list[str] = []

    def page(self, _client: object, key: str, _value: str, _since: datetime, token: str) -> dict[str, Any]:
        self.read.append(key)
        start = int(token or 0)
        more = {"NextToken": str(start + 50)} if len(self.events[key]) > start + 50 else {}
        return {"Events": self.events[key][start : start + 50], **more}


NOISE = [event("StopLogging", {"name": "default"}, minutes=n, errorCode="AccessDenied") for n in range(50 * PAGES + 5)]
CAUSE = event("StopLogging", {"name": ARN}, "attacker", 9000)
OTHER = event("StopLogging", {"name": "another"}, "somebody", 0)


@pytest.mark.parametrize(
    ("by_name", "by_resource", "by", "unattributed", "pages"),
    [
        ([CAUSE, *NOISE[:105]], [], "attacker", "", 1),
        ([*NOISE[:105], OTHER, CAUSE], [], "attacker", "", 3),
        ([*NOISE, CAUSE], [CAUSE], "attacker", "", PAGES + 1),
        ([*NOISE, CAUSE], [*NOISE, CAUSE], "", "not among the newest 1000", 3 * PAGES),
        ([*NOISE[:105]], [CAUSE], "", "Event history of 90 days has no StopLogging of it.", 3),
    ],
    ids=["newest", "behind 105 failing calls", "by resource", "behind too many", "none"],
)
def test_failing_calls_do_not_hide_the_one_that_worked(
    monkeypatch: pytest.MonkeyPatch,
    by_name: list[dict[str, Any]],
    by_resource: list[dict[str, Any]],
    by: str,
    unattributed: str,
    pages: int,
) -> None:
    known = History(by_name, by_resource)
    monkeypatch.setattr(history, "lookup_events_page", known.page)
    session: Any = SimpleNamespace(client=lambda *_: object(), partition="aws", region="us-east-1")
    [found] = history.attribute([STOPPED], session, "", "bucket")
    assert (found.by, bool(found.since)) == (by, bool(by))
    assert unattributed in found.unattributed
    assert len(known.read) == pages


@pytest.mark.parametrize(("unseen", "told"), [("", False), ("111111111111", True)])
@pytest.mark.parametrize("known", [[], [CAUSE]])
def test_what_an_administrator_cannot_see_is_not_called_absent(
    monkeypatch: pytest.MonkeyPatch, known: list[dict[str, Any]], unseen: str, told: bool
) -> None:
    monkeypatch.setattr(history, "lookup_events_page", History(known, []).page)
    session: Any = SimpleNamespace(client=lambda *_: object(), partition="aws", region="us-east-1")
    [found] = history.attribute([STOPPED], session, "", "bucket", unseen)
    assert ("management account 111111111111" in found.unattributed) == (told and not known)
    assert found.by == ("attacker" if known else "")


def test_an_event_is_read_once_for_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    known = History([event("UpdateTrail", {"name": ARN, "s3BucketName": "x", "kmsKeyId": ""})], [])
    monkeypatch.setattr(history, "lookup_events_page", known.page)
    session: Any = SimpleNamespace(client=lambda *_: object(), partition="aws", region="us-east-1")
    drifts = [Drift(TRAIL, ARN, what, "", "", "", ("UpdateTrail",)) for what in ("s3_bucket_name", "kms_key_id")]
    assert [one.by for one in history.attribute(drifts, session, "", "bucket")] == ["somebody"] * 2
    assert known.read == ["EventName"]


def test_what_may_not_be_read_costs_the_cause_and_not_the_row(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> dict[str, Any]:
        raise AnsibleCloudTrailError(message="Event history may not be read.")

    monkeypatch.setattr(history, "lookup_events_page", refuse)
    session: Any = SimpleNamespace(client=lambda *_: object(), partition="aws", region="us-east-1")
    suspended = Drift(BUCKET, "logs", "versioning", "", "", "", ("PutBucketVersioning",))
    found = history.attribute([STOPPED, suspended], session, "No role is given.", "bucket")
    assert [one.unattributed for one in found] == ["Event history may not be read.", "No role is given."]


def test_what_no_event_causes_is_not_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "lookup_events_page", lambda *_: pytest.fail("looked for"))
    session: Any = SimpleNamespace(client=lambda *_: object(), partition="aws", region="us-east-1")
    drift = Drift(TRAIL, ARN, "what", "", "", "", ())
    assert history.attribute([drift], session, "", "bucket") == [drift]


STRANGE: list[dict[str, Any]] = [
    {},
    {"EventName": "StopLogging"},
    {"EventName": "StopLogging", "EventTime": TIME},
    {"EventName": "StopLogging", "EventTime": TIME, "CloudTrailEvent": None},
    {"EventName": "StopLogging", "EventTime": TIME, "CloudTrailEvent": "{"},
    {"EventName": "StopLogging", "EventTime": TIME, "CloudTrailEvent": "[]"},
    {"EventName": "StopLogging", "EventTime": TIME, "CloudTrailEvent": '"text"'},
    {**CAUSE, "EventTime": None},
    {**CAUSE, "EventTime": "2026-01-02T12:00:00Z"},
    event("StopLogging", None),  # type: ignore[arg-type]
    event("StopLogging", "name=default"),  # type: ignore[arg-type]
    event("StopLogging", ["default"]),  # type: ignore[arg-type]
    event("StopLogging", {"name": None}),
]


@pytest.mark.parametrize("record", STRANGE, ids=[f"record {number}" for number in range(len(STRANGE))])
def test_a_strange_record_is_passed_over(monkeypatch: pytest.MonkeyPatch, record: dict[str, Any]) -> None:
    session: Any = SimpleNamespace(client=lambda *_: object(), partition="aws", region="us-east-1")
    for events, by in (([record, CAUSE], "attacker"), ([record], "")):
        monkeypatch.setattr(history, "lookup_events_page", History(events, []).page)
        assert [one.by for one in history.attribute([STOPPED], session, "", "bucket")] == [by]
