# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each answer of AWS means."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.caller import Failure
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.selectors import ManagementEvents
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage.rows import (
    Known,
    Row,
    count,
    judge_delivery,
    judge_failure,
    judge_status,
    settle,
    without_files,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage.statuses import ANSWERED

KNOWN = Known("home")
NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
GET, ASSUME = "cloudtrail:GetTrailStatus", "sts:AssumeRole"


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        ({"IsLogging": True}, "covered", ""),
        ({"IsLogging": True, "LatestDeliveryTime": "2026-01-02T11:00:00Z"}, "covered", ""),
        ({"IsLogging": True, "LatestDeliveryError": ""}, "covered", ""),
        ({"IsLogging": False}, "not_logging", "Logging is stopped."),
        ({}, "not_logging", "Logging is stopped."),
        ({"IsLogging": False, "StopLoggingTime": "T"}, "not_logging", "since T"),
        ({"IsLogging": False, "LatestDeliveryError": "AccessDenied"}, "not_logging", "stopped"),
        ({"IsLogging": True, "LatestDeliveryError": "AccessDenied"}, "delivery_error", "log files: AccessDenied"),
        ({"IsLogging": True, "LatestDigestDeliveryError": "X"}, "delivery_error", "digest files: X"),
        (
            {"IsLogging": True, "LatestCloudWatchLogsDeliveryError": "X"},
            "delivery_error",
            "to CloudWatch Logs: X",
        ),
        ({"IsLogging": True, "LatestNotificationError": "X"}, "delivery_error", "SNS: X"),
        (
            {"IsLogging": True, "LatestDeliveryError": "A", "LatestDigestDeliveryError": "B"},
            "delivery_error",
            "log files: A; digest files: B",
        ),
    ],
)
def test_judge_status(answer: dict[str, Any], status: str, words: str) -> None:
    found, reason = judge_status(answer)
    assert found == status
    assert words in reason
    assert bool(reason) == (status != "covered")


@pytest.mark.parametrize(
    ("call", "code", "status"),
    [
        (GET, "TrailNotFoundException", "missing"),
        (GET, "AccessDeniedException", "denied"),
        (GET, "AccessDenied", "denied"),
        (GET, "OperationNotPermittedException", "denied"),
        (GET, "UnrecognizedClientException", "region_disabled"),
        (GET, "InvalidClientTokenId", "region_disabled"),
        (GET, "AuthFailure", "region_disabled"),
        (GET, "OptInRequired", "region_disabled"),
        (GET, "SignatureDoesNotMatch", "unreachable"),
        (GET, "ExpiredTokenException", "unreachable"),
        (GET, "ThrottlingException", "unreachable"),
        (GET, "InternalFailure", "unreachable"),
        (GET, "503", "unreachable"),
        (GET, "", "unreachable"),
        (GET, "SomethingNew", "unreachable"),
        (ASSUME, "AccessDenied", "denied"),
        (ASSUME, "InvalidClientTokenId", "unreachable"),
        (ASSUME, "ExpiredToken", "unreachable"),
        (ASSUME, "", "unreachable"),
    ],
)
def test_judge_failure(call: str, code: str, status: str) -> None:
    found, reason = judge_failure(Failure(call, "arn:x", code, "What AWS said."))
    assert found == status
    assert status == "region_disabled" or reason.startswith(f"{call} arn:x: What AWS said")


def row(account: str, region: str, status: str, code: str = "") -> Row:
    return Row(account, "", region, status, "", code)


@pytest.mark.parametrize(
    ("changed_at", "joined_at", "status"),
    [
        ("", "", "missing"),
        ("2026-01-01T12:00:01+00:00", "", "pending"),
        ("2026-01-01T12:00:00Z", "", "missing"),
        ("2026-01-01T13:00:00+02:00", "", "missing"),
        ("", "2026-01-02T00:00:00", "pending"),
        ("2025-01-01", "2026-01-02", "pending"),
        ("2026-01-02", "2025-01-01", "pending"),
        ("2025-01-01", "2025-01-01", "missing"),
    ],
)
def test_settle_makes_missing_pending_for_a_day(changed_at: str, joined_at: str, status: str) -> None:
    rows = settle([row("1", "a", "missing")], NOW, Known("home", changed_at, {"1": joined_at}))
    assert [one.status for one in rows] == [status]


def test_settle_leaves_other_statuses() -> None:
    rows = [row("1", f"{number:02}", status) for number, status in enumerate(ANSWERED) if status != "missing"]
    assert settle(rows, NOW, Known("home", NOW.isoformat())) == rows


def test_settle_tells_wrong_keys_from_disabled_regions() -> None:
    rows = [
        row("1", "a", "region_disabled", "AuthFailure"),
        row("1", "b", "region_disabled", "AuthFailure"),
        row("2", "a", "region_disabled"),
        row("2", "b", "missing"),
        row("3", "a", "region_disabled"),
    ]
    settled = settle(rows, NOW, KNOWN)
    assert [one.status for one in settled] == ["unreachable"] * 2 + ["region_disabled", "missing", "region_disabled"]
    assert "AuthFailure" in settled[0].reason


def test_settle_knows_which_account_has_enabled_the_regions() -> None:
    rows = [row(account, "a", "region_disabled", "AuthFailure") for account in "12"]
    rows += [row(account, "b", "denied") for account in "12"]
    settled = settle(rows, NOW, Known("home", own={"1": frozenset("ab"), "2": frozenset("b")}))
    assert [one.status for one in settled] == ["unreachable", "denied", "region_disabled", "denied"]
    assert "AuthFailure" in settled[0].reason


def test_settle_sorts() -> None:
    rows = [row("2", "a", "denied"), row("1", "b", "denied"), row("1", "a", "denied")]
    assert [(one.account_id, one.region) for one in settle(rows, NOW, KNOWN)] == [("1", "a"), ("1", "b"), ("2", "a")]


def test_an_account_without_the_home_region_sends_nothing_from_anywhere() -> None:
    statuses = ["region_disabled", "covered", "missing", "not_logging", "denied"]
    rows = [Row("1", "", region, status) for region, status in zip(["home", *"abcd"], statuses, strict=True)]
    rows += [Row("2", "", "home", "covered", latest_delivery_time="T"), Row("2", "", "a", "region_disabled")]
    rows += [Row("2", "", "b", "covered", latest_delivery_time="T")]
    settled = settle(rows, NOW, Known("home", changed_at=NOW.isoformat()))
    found = {(one.account_id, one.region): one.status for one in settled}
    assert found == {
        ("1", "home"): "region_disabled",
        ("1", "a"): "home_region_disabled",
        ("1", "b"): "home_region_disabled",
        ("1", "c"): "not_logging",
        ("1", "d"): "denied",
        ("2", "home"): "covered",
        ("2", "a"): "region_disabled",
        ("2", "b"): "covered",
    }


OLD, YOUNG = "2026-01-01T12:00:00Z", "2026-01-01T12:00:01Z"


@pytest.mark.parametrize(
    ("fields", "changed_at", "joined_at", "status"),
    [
        ({"logging_since": OLD}, "", "", "silent"),
        ({"logging_since": OLD}, OLD, OLD, "silent"),
        ({"logging_since": ""}, "", "", "silent"),
        ({"logging_since": YOUNG}, "", "", "covered"),
        ({"logging_since": OLD}, YOUNG, "", "covered"),
        ({"logging_since": OLD}, "", YOUNG, "covered"),
        ({"latest_delivery_time": OLD}, "", "", "covered"),
        ({"latest_digest_delivery_time": OLD}, "", "", "covered"),
    ],
)
def test_silence_of_more_than_a_day_is_not_covered(
    fields: dict[str, str], changed_at: str, joined_at: str, status: str
) -> None:
    rows = settle([Row("1", "", "a", "covered", **fields)], NOW, Known("home", changed_at, {"1": joined_at}))  # type: ignore[arg-type]
    assert [one.status for one in rows] == [status]


@pytest.mark.parametrize(
    ("events", "status"),
    [
        (None, "covered"),
        (ManagementEvents(frozenset(), frozenset(), some=True), "covered"),
        (ManagementEvents(frozenset({"kms.amazonaws.com"}), frozenset(), some=True), "covered"),
        (ManagementEvents(frozenset(), None, some=True), "management_events_missing"),
        (ManagementEvents(None, frozenset(), some=True), "management_events_missing"),
        (ManagementEvents(None, None, some=False), "management_events_missing"),
    ],
)
def test_a_trail_without_management_events_covers_nothing(events: ManagementEvents | None, status: str) -> None:
    rows = [Row("1", "", "a", "covered", latest_delivery_time="T"), row("1", "b", "missing")]
    assert [one.status for one in settle(rows, NOW, Known("home", events=events))] == [status, "missing"]


ARN = "arn:aws:organizations::1:policy/o-a/service_control_policy/p-a"


@pytest.mark.parametrize(
    ("message", "status"),
    [
        ("User: u is not authorized to perform: x on resource: r with an explicit deny in a service control policy", 1),
        (f"User: u is … with an explicit deny in a service control policy: {ARN}", 1),
        ("User: u is … because no service control policy allows the cloudtrail:GetTrailStatus action", 1),
        ("User: u is … with an explicit deny in a resource control policy", 0),
        ("User: u is … because no identity-based policy allows the cloudtrail:GetTrailStatus action", 0),
        ("Access Denied", 0),
    ],
)
@pytest.mark.parametrize("call", [GET, ASSUME])
def test_a_denial_by_an_scp_is_told_from_others(call: str, message: str, status: int) -> None:
    found, reason = judge_failure(Failure(call, "arn:x", "AccessDeniedException", message))
    assert found == ("denied", "denied_by_scp")[status]
    assert message in reason


def test_row_shows_what_is_known() -> None:
    assert row("1", "a", "covered").to_dict() == {
        "account_id": "1",
        "account_name": "",
        "region": "a",
        "status": "covered",
    }
    assert Row("1", "n", "a", "covered", digest_valid=False).to_dict()["digest_valid"] is False


def test_count_names_every_status() -> None:
    assert count([row("1", "a", "missing")]) == {**dict.fromkeys(ANSWERED, 0), "missing": 1}


def test_accounts_without_files_are_not_covered() -> None:
    rows = [
        Row("1", "", "a", "covered"),
        Row("1", "", "b", "covered", latest_file_time="T"),
        Row("2", "", "a", "covered"),
        Row("2", "", "b", "missing"),
        Row("3", "", "a", "denied"),
        Row("4", "", "a", "covered", log_delivery_error="AccessDenied"),
    ]
    silent = without_files(rows)
    assert silent == {"2"}
    judged = ["covered", "covered", "delivery_error", "missing", "denied", "covered"]
    assert [one.status for one in judge_delivery(rows, silent)] == judged
    assert judge_delivery(rows, []) == rows


def test_the_bucket_has_the_last_word_on_silence() -> None:
    rows = [
        Row("1", "", "a", "silent", "why", latest_file_time="T"),
        Row("1", "", "b", "silent", "why"),
        Row("2", "", "a", "silent", "why"),
    ]
    judged = judge_delivery(rows, without_files(rows))
    assert [(one.status, bool(one.reason)) for one in judged] == [
        ("covered", False),
        ("silent", True),
        ("delivery_error", True),
    ]
