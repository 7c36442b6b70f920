# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which region's event history the cause of a drift is looked for."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._drift import events
from ansible_collections.cloudsec.org_trail.plugins.module_utils._drift.drifts import (
    TRAIL,
    Drift,
    access_drift,
    health_drift,
    trail_drift,
)

WEAKENED = {"setting": "versioning", "found": "Suspended", "expected": "", "fix": "", "weakened": True}


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
    def lookup(client: str, name: str, *_: Any) -> list[dict[str, Any]]:
        if (client, name) not in ((organizations, "DisableAWSServiceAccess"), ("bucket", "PutBucketVersioning")):
            return []
        record = {"requestParameters": {"bucketName": "logs"}, "userIdentity": {"arn": f"somebody in {client}"}}
        return [
            {"EventName": name, "EventTime": datetime(2026, 1, 2, tzinfo=UTC), "CloudTrailEvent": json.dumps(record)}
        ]

    monkeypatch.setattr(events, "lookup_events", lookup)
    session: Any = SimpleNamespace(client=lambda _service, region: region, partition=partition, region=home)
    arn, field = f"arn:{partition}:cloudtrail:{home}:111111111111:trail/default", "is_organization_trail"
    diff = {"before": {field: False}, "after": {field: True}}
    drifts = [
        *access_drift({"changed": True, "organization": {"id": "o-1"}}, "cloudtrail.amazonaws.com"),
        *trail_drift(
            {"changed": True, "diff": diff, "trail": {"arn": arn}, "before": {"arn": arn}, "changed_fields": [field]}
        ),
        *health_drift(
            {
                "name": "logs",
                "health": {
                    "problems": [
                        {
                            **dict.fromkeys(("expected", "fix"), ""),
                            "setting": "versioning",
                            "found": "Suspended",
                            "weakened": True,
                        }
                    ]
                },
            }
        ),
    ]
    found = events.attribute(drifts, session, session, "bucket")
    assert [one.by for one in found] == [f"somebody in {organizations}"] * 2 + ["somebody in bucket"]


@pytest.mark.parametrize(
    ("name", "asked", "what", "blamed"),
    [
        ("UpdateTrail", {"s3BucketName": "mine"}, "s3_bucket_name", True),
        ("UpdateTrail", {"isMultiRegionTrail": False}, "s3_bucket_name", False),
        ("StopLogging", {}, "is_logging", True),
    ],
)
def test_an_update_is_blamed_for_the_settings_that_it_names(
    name: str, asked: dict[str, object], what: str, blamed: bool
) -> None:
    drift = Drift(TRAIL, "arn:aws:cloudtrail:us-east-1:111111111111:trail/default", what, "", "", "", (name,))
    record = {"requestParameters": {"name": "default", **asked}}
    assert events.causes({"EventName": name, "CloudTrailEvent": json.dumps(record)}, drift) is blamed


def test_what_no_event_causes_is_not_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def lookup(*_: object) -> list[dict[str, object]]:
        raise AssertionError("looked for")

    monkeypatch.setattr(events, "lookup_events", lookup)
    session: Any = SimpleNamespace(client=lambda _service, region: region, partition="aws", region="us-east-1")
    drift = Drift(TRAIL, "arn:aws:cloudtrail:us-east-1:111111111111:trail/default", "what", "", "", "", ())
    assert events.attribute([drift], session, session, "bucket") == [drift]


@pytest.mark.parametrize(("changed", "history", "looks"), [(True, True, 1), (True, False, 0), (False, True, 0)])
def test_history_is_looked_up_for_drifts_alone(
    monkeypatch: pytest.MonkeyPatch, changed: bool, history: bool, looks: int
) -> None:
    looked = []
    drift = Drift(TRAIL, "arn", "is_logging", True, False, "", ("StopLogging",))
    monkeypatch.setattr(events, "collect_drift", lambda _options: [drift] if changed else [])
    monkeypatch.setattr(events, "attribute", lambda drifts, *_: looked.append(drifts))
    options: Any = SimpleNamespace(event_history=history, log_archive_role_arn="", log_bucket={"region": "eu-west-1"})
    session: Any = SimpleNamespace()
    events.find_drift(session, options)
    assert len(looked) == looks


@pytest.mark.parametrize(("role", "account"), [("arn:aws:iam::222222222222:role/audit", "log archive"), ("", None)])
def test_the_log_archive_is_entered_by_its_role_alone(
    monkeypatch: pytest.MonkeyPatch, role: str, account: str | None
) -> None:
    drift = Drift(TRAIL, "arn", "is_logging", True, False, "", ("StopLogging",))
    monkeypatch.setattr(events, "collect_drift", lambda _options: [drift])
    entered = []
    monkeypatch.setattr(
        events, "attribute", lambda _drifts, _session, log_archive, _region: entered.append(log_archive)
    )
    options: Any = SimpleNamespace(
        event_history=True, log_archive_role_arn=role, log_archive_role_external_id="", log_bucket={"region": "x"}
    )
    session: Any = SimpleNamespace(assume=lambda *_given: "log archive")
    events.find_drift(session, options)
    assert entered == [account]
