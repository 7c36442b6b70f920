# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which file of an account and region is the newest, with a bucket made here."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import parse_trail_arn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import AnsibleOrgTrailError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.log_place import LogPlace
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage import delivery
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage.delivery import DeliveryProbe
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage.rows import Row, judge_delivery

NOW = datetime(2026, 8, 15, 12, 30, tzinfo=UTC)
TRAIL = parse_trail_arn("arn:aws:cloudtrail:us-east-1:111111111111:trail/default")
PLACE, OWNER = LogPlace("bucket", TRAIL, "o-1"), "4" * 12
MEMBER, REGION = "2" * 12, "eu-west-1"
FOLDER = f"AWSLogs/o-1/{MEMBER}/CloudTrail/{REGION}/"


def log(time: str) -> str:
    """Key of a log file of a time like 2026-08-15T12:25."""
    stamp = time.replace("-", "").replace(":", "")
    return f"{FOLDER}{time[:10].replace('-', '/')}/{MEMBER}_CloudTrail_{REGION}_{stamp}Z_abcdefghijklmnop.json.gz"


def digest(time: str, trail: str = "default") -> str:
    folder = FOLDER.replace("CloudTrail", "CloudTrail-Digest")
    stamp = time.replace("-", "").replace(":", "")
    name = f"{MEMBER}_CloudTrail-Digest_{REGION}_{trail}_us-east-1_{stamp}00Z.json.gz"
    return f"{folder}{time[:10].replace('-', '/')}/{name}"


@pytest.mark.parametrize(
    ("kind", "suffix", "keys", "newest", "listings"),
    [
        ("CloudTrail", "", [], None, 3),
        ("CloudTrail", "", [log("2026-08-15T12:20"), log("2026-08-15T12:25")], log("2026-08-15T12:25"), 1),
        ("CloudTrail", "", [log("2026-08-15T09:55"), log("2026-08-14T23:55")], log("2026-08-15T09:55"), 2),
        ("CloudTrail", "", [log("2026-08-01T00:00"), log("2026-07-31T00:00")], log("2026-08-01T00:00"), 3),
        ("CloudTrail", "", [log("2026-07-01T00:00")], None, 3),
        ("CloudTrail", "", [f"{FOLDER}2026/08/15/"], None, 3),
        ("CloudTrail-Digest", "_default_us-east-1", [digest("2026-08-15T11:30")], digest("2026-08-15T11:30"), 1),
        ("CloudTrail-Digest", "_default_us-east-1", [digest("2026-08-15T11:30", "other")], None, 3),
        ("CloudTrail-Digest", "_default_us-east-1", [digest("2026-08-15T11:30", "other_default")], None, 3),
    ],
)
def test_newest(
    monkeypatch: pytest.MonkeyPatch, kind: str, suffix: str, keys: list[str], newest: str | None, listings: int
) -> None:
    asked = []

    def list_objects(_s3: Any, _bucket: str, _owner: str, prefix: str, after: str) -> list[dict[str, Any]]:
        asked.append(after)
        return [{"Key": key} for key in sorted(keys) if key.startswith(prefix) and key > after]

    monkeypatch.setattr(delivery, "list_objects", list_objects)
    row = Row(MEMBER, "", REGION, "covered")
    found = DeliveryProbe(None, PLACE, OWNER, NOW)._newest(row, kind, suffix, delivery.WINDOWS)
    assert (found[-1]["Key"] if found else None, len(asked)) == (newest, listings)


def test_every_row_is_looked_for_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "list_objects", lambda *given: [{"Key": given[-1], "LastModified": NOW}])
    rows = [Row(MEMBER, "", region, "covered") for region in ("eu-west-1", "us-east-1")]
    probe = DeliveryProbe(None, PLACE, OWNER, NOW)
    assert probe.look(rows, 1, time.monotonic() + 60, lambda: None)
    assert probe.looked == 2
    assert [row.latest_file_time for row in rows] == ["2026-08-15T12:30:00Z"] * 2


@pytest.mark.parametrize(("keys", "valid"), [(True, True), (False, None)])
def test_digests_are_verified_where_the_keys_can_be_fetched(
    monkeypatch: pytest.MonkeyPatch, keys: bool, valid: bool | None
) -> None:
    asked = []

    def list_public_keys(client: str, start: datetime, end: datetime) -> dict[str, bytes]:
        asked.append((client, end - start, end))
        return {}

    found = {"Key": digest("2026-08-15T11:30"), "LastModified": NOW}
    monkeypatch.setattr(delivery, "list_objects", lambda *_given: [found])
    monkeypatch.setattr(delivery, "get_object", lambda *_given: (b"", {}))
    monkeypatch.setattr(delivery, "digest_problem", lambda *_given: "")
    monkeypatch.setattr(delivery, "list_public_keys", list_public_keys)
    row = Row(MEMBER, "", REGION, "covered")
    probe = DeliveryProbe(None, PLACE, OWNER, NOW, (lambda region: region) if keys else None)
    probe.look([row], 1, time.monotonic() + 60, lambda: None)
    assert row.digest_valid is valid
    assert asked == ([(REGION, timedelta(days=30), NOW)] if keys else [])


HOURLY = digest("2026-08-15T11:30")
EARLIER = digest("2026-08-15T10:30")
BACKFILL = HOURLY.replace(".json.gz", "_backfill.json.gz")
WRONG = "its signature is wrong"


@pytest.mark.parametrize(
    ("keys", "wrong", "verified", "valid"),
    [
        ([EARLIER, HOURLY], "", [HOURLY], True),
        ([EARLIER, HOURLY, BACKFILL], "", [BACKFILL, HOURLY], True),
        ([EARLIER, HOURLY, BACKFILL], BACKFILL, [BACKFILL, HOURLY], False),
        ([EARLIER, HOURLY, BACKFILL], HOURLY, [BACKFILL, HOURLY], False),
        ([BACKFILL], "", [BACKFILL], True),
    ],
)
def test_backfill_digests_are_told_from_hourly_ones(
    monkeypatch: pytest.MonkeyPatch, keys: list[str], wrong: str, verified: list[str], valid: bool
) -> None:
    seen: list[str] = []

    def digest_problem(_bucket: str, key: str, *_more: Any) -> str:
        seen.append(key)
        return WRONG if key == wrong else ""

    found = [{"Key": key, "LastModified": NOW} for key in keys]
    monkeypatch.setattr(delivery, "list_objects", lambda *_given: found)
    monkeypatch.setattr(delivery, "get_object", lambda *_given: (b"", {}))
    monkeypatch.setattr(delivery, "digest_problem", digest_problem)
    monkeypatch.setattr(delivery, "list_public_keys", lambda *_given: {})
    row = Row(MEMBER, "", REGION, "covered")
    DeliveryProbe(None, PLACE, OWNER, NOW, lambda region: region).look([row], 1, time.monotonic() + 60, lambda: None)
    assert (seen, row.digest_valid, row.status) == (verified, valid, "covered" if valid else "delivery_error")
    assert row.latest_digest_time == ("" if HOURLY not in keys else "2026-08-15T12:30:00Z")
    assert wrong in row.reason


def test_access_is_refused_where_digests_cannot_be_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "missing_cryptography", lambda: "It is missing.")
    monkeypatch.setattr(delivery, "list_folders", lambda *_given: [])
    DeliveryProbe(None, PLACE, OWNER, NOW).check_access()
    with pytest.raises(AnsibleOrgTrailError, match=r"It is missing\."):
        DeliveryProbe(None, PLACE, OWNER, NOW, lambda region: region).check_access()


@pytest.mark.parametrize(
    ("status", "problem", "judged"),
    [
        ("covered", "", "covered"),
        ("covered", "forged", "delivery_error"),
        ("silent", "", "covered"),
        ("silent", "forged", "delivery_error"),
        ("not_logging", "forged", "not_logging"),
    ],
)
def test_a_digest_that_does_not_verify_is_no_delivery(
    monkeypatch: pytest.MonkeyPatch, status: str, problem: str, judged: str
) -> None:
    found = {"Key": digest("2026-08-15T11:30"), "LastModified": NOW}
    monkeypatch.setattr(delivery, "list_objects", lambda *_given: [found])
    monkeypatch.setattr(delivery, "get_object", lambda *_given: (b"", {}))
    monkeypatch.setattr(delivery, "digest_problem", lambda *_given: problem)
    monkeypatch.setattr(delivery, "list_public_keys", lambda *_given: {})
    row = Row(MEMBER, "", REGION, status)
    DeliveryProbe(None, PLACE, OWNER, NOW, lambda region: region).look([row], 1, time.monotonic() + 60, lambda: None)
    assert [one.status for one in judge_delivery([row], [])] == [judged]
