# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the look-up, and what its result warns of and asks to change."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import TrailArn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.cloudtrail import AnsibleCloudTrailError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import AnsibleOrgTrailError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket import current, search
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.candidate import (
    Candidate,
    SoughtTrail,
    judge_bucket,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.choice import Criteria
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.weakness import ExpectedHealth

from tests.broken_policies import PLACE, SSE_KEY, Scene

MANAGEMENT = "111122223333"
ARN = TrailArn("aws", "us-east-1", MANAGEMENT, "default")
PARAMS: dict[str, Any] = {
    "name": None,
    "name_pattern": None,
    "tags": None,
    "trail_name": "default",
    "trail_arn": None,
    "s3_key_prefix": "",
    "kms_key_id": None,
    "organization_id": None,
    "select": "all",
    "health": False,
    "expected_health": {},
}


def options(**changes: Any) -> search.SearchOptions:
    return search.search_options({**PARAMS, **changes})


def test_what_is_not_given_is_empty() -> None:
    assert options() == search.SearchOptions("", Criteria(), "default", "", None, "", "all", False, ExpectedHealth())


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"trail_name": str(ARN)}, "trail", ARN),
        ({"trail_name": "other", "trail_arn": str(ARN)}, "trail", ARN),
        ({"s3_key_prefix": "/audit/"}, "s3_key_prefix", "audit"),
        ({"kms_key_id": ""}, "kms_key_id", ""),
        ({"tags": {"use": 1}}, "criteria", Criteria("", (("use", "1"),))),
        ({"name_pattern": "logs-*"}, "criteria", Criteria("logs-*")),
        ({"expected_health": {"expiration_days": None}}, "expected_health", ExpectedHealth()),
        ({"expected_health": {"expiration_days": 400}}, "expected_health", ExpectedHealth(expiration_days=400)),
    ],
)
def test_options_are_read_once(changes: dict[str, Any], field: str, value: object) -> None:
    assert getattr(options(**changes), field) == value


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"trail_name": "a"}, "has 1 characters"),
        ({"trail_arn": "default"}, "is not a trail ARN"),
        ({"trail_arn": str(ARN).replace("trail/default", "trail/lz")}, "has 2 characters"),
        ({"trail_arn": str(ARN).replace("arn:aws:", "arn:aws-cn:")}, "found the partition aws-cn, expected aws"),
    ],
)
def test_a_trail_that_there_cannot_be_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(AnsibleOrgTrailError, match=says):
        options(**changes)


SOUGHT = SoughtTrail(ARN, "o-abc1234567")
GOOD, DENIED = Candidate(SOUGHT.place("good"), ("us-east-1",), ()), Candidate(SOUGHT.place("shut"), (), (), None, False)


class Organization:
    id, management_account_id = "o-abc1234567", MANAGEMENT


class Session:
    account_id, region = "222233334444", "us-east-1"

    def client(self, _service: str, _region: str = "") -> None:
        return None

    def known_regions(self, _service: str) -> list[str]:
        return ["us-east-1"]


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(search, "require_membership", lambda *_: Organization)
    return Session()


def test_a_bucket_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch, session: Any) -> None:
    monkeypatch.setattr(search, "list_names", lambda _client: {"good": None, "shut": None})
    monkeypatch.setattr(search, "read_candidates", lambda *_: [GOOD, DENIED])
    result = search.describe_log_buckets(session, options())
    assert result["unreadable"] == ["shut"]
    assert [one["name"] for one in result["buckets"]] == ["good", "shut"]
    assert "settings_to_change" not in result


@pytest.mark.parametrize(
    ("asked", "read"),
    [
        ({"select": "admitted"}, ["us-east-1"]),
        ({"select": "one", "trail_arn": str(ARN).replace("us-east-1", "eu-west-1")}, ["eu-west-1"]),
        ({"select": "all"}, []),
        ({"select": "admitted", "name": "good"}, []),
    ],
)
def test_the_trails_bucket_is_read_where_a_bucket_is_chosen(
    monkeypatch: pytest.MonkeyPatch, session: Any, asked: dict[str, Any], read: list[str]
) -> None:
    regions: list[str] = []

    def refuse(client: str) -> str:
        regions.append(client)
        return "It may not be read."

    monkeypatch.setattr(session, "client", lambda _service, region="": region)
    monkeypatch.setattr(search, "list_names", lambda _client: {"good": None})
    monkeypatch.setattr(search, "read_candidates", lambda *_: [GOOD])
    monkeypatch.setattr(search, "read_named", lambda *_: [GOOD])
    monkeypatch.setattr(search, "read_trails", refuse)
    result = search.describe_log_buckets(session, options(**asked))
    assert regions == read
    assert [one["name"] for one in result["buckets"]] == ["good"]
    assert ("current_bucket" in result) == bool(read)
    assert len(search.warnings_of(result)) == len(read)


def test_only_weakened_settings_are_warned_of() -> None:
    weakened = {"setting": "versioning", "found": "Suspended", "expected": "Enabled", "fix": "Turn it on."}
    problems = [{**weakened, "weakened": True}, {**weakened, "setting": "tls_only", "weakened": False}]
    buckets = [{"name": "logs", "health": {"problems": problems}}, {"name": "other", "health": None}]
    assert search.warnings_of({"buckets": buckets}) == [
        "Bucket logs: versioning: found Suspended, expected Enabled. Turn it on."
    ]


@pytest.mark.parametrize(("current", "told"), [("good", 0), ("gone", 1), ("", 0)])
def test_that_the_trail_gets_another_bucket_is_told(current: str, told: int) -> None:
    buckets = [{"name": "good", "health": None}]
    warnings = search.warnings_of({"account_id": "222233334444", "current_bucket": current, "buckets": buckets})
    assert len(warnings) == told
    assert all("gone, which account 222233334444 does not have. Taken in its place: good" in one for one in warnings)


@pytest.mark.parametrize("select", ["all", "one"])
def test_a_named_bucket_that_is_not_there(monkeypatch: pytest.MonkeyPatch, session: Any, select: str) -> None:
    monkeypatch.setattr(search, "read_named", lambda *_: [])
    asked = options(name="gone", select=select, health=True, expected_health={"object_lock_days": 30})
    if select == "one":
        with pytest.raises(AnsibleOrgTrailError, match="gone"):
            search.describe_log_buckets(session, asked)
        return
    result = search.describe_log_buckets(session, asked)
    assert result["buckets"] == []
    assert result["retention_to_set"]["days"] == 30


def test_a_named_bucket_is_judged_by_its_own_health(monkeypatch: pytest.MonkeyPatch, session: Any) -> None:
    lock = {"object_lock": {"mode": "COMPLIANCE", "days": 90}, "problems": []}
    settings = type("Settings", (), {"raw": {"region": "eu-west-1"}, "denied": ()})
    monkeypatch.setattr(search, "read_named", lambda *_: [GOOD])
    monkeypatch.setattr(search, "read_settings", lambda *_: {})
    monkeypatch.setattr(search, "settings_of", lambda *_: settings)
    monkeypatch.setattr(search, "judge_health", lambda *_: lock)
    result = search.describe_log_buckets(session, options(name="good", health=True))
    assert result["buckets"][0]["region"] == "eu-west-1"
    assert result["retention_to_set"] == {"mode": "COMPLIANCE", "days": 90}


HERE = "us-east-1"


@pytest.mark.parametrize(
    ("asked", "names", "trails_bucket", "at_once"),
    [
        ({}, {"good": HERE}, "", True),
        ({}, {"good": HERE, "other": HERE}, "good", True),
        ({"name_pattern": "g*"}, {"good": HERE, "other": HERE}, "", True),
        ({}, {"good": HERE, "other": HERE}, "", False),
        ({}, {"good": HERE, "other": HERE}, "gone", False),
        ({}, {"good": "eu-west-1"}, "", False),  # S3 would send each call there first
        ({}, {"good": None}, "", False),
        ({"name": "good"}, {}, "", False),  # it may not be there, or be another account's
        ({"select": "all"}, {"good": HERE}, "", False),
    ],
)
def test_settings_are_read_with_the_policy_where_there_is_no_choice(
    monkeypatch: pytest.MonkeyPatch,
    session: Any,
    asked: dict[str, Any],
    names: dict[str, str | None],
    trails_bucket: str,
    at_once: bool,
) -> None:
    read: list[str] = []
    trail = {"TrailARN": str(ARN), "IsOrganizationTrail": True, "S3BucketName": trails_bucket}

    def settings(_client: Any, name: str, _owner: str) -> dict[str, str]:
        read.append(name)
        return {"of": name}

    def candidates(*_arguments: Any) -> list[Candidate]:
        deadline = time.monotonic() + 10
        while at_once and not read and time.monotonic() < deadline:
            time.sleep(0.01)
        assert read == (["good"] if at_once else [])
        return [GOOD]

    monkeypatch.setattr(search, "list_names", lambda _client: names)
    monkeypatch.setattr(search, "read_trails", lambda _client: [trail] if trails_bucket else [])
    monkeypatch.setattr(search, "read_candidates", candidates)
    monkeypatch.setattr(search, "read_named", candidates)
    monkeypatch.setattr(search, "read_settings", settings)
    monkeypatch.setattr(search, "settings_of", lambda raw, _candidate: SimpleNamespace(raw=raw, denied={"region"}))
    monkeypatch.setattr(search, "judge_health", lambda found, _expected: {"of": found.raw["of"], "problems": []})
    monkeypatch.setattr(search, "undeliverable", lambda *_: None)
    result = search.describe_log_buckets(session, options(**{"select": "admitted", **asked, "health": True}))
    assert result["buckets"][0]["health"]["of"] == "good"
    assert read == ["good"]


def test_regions_are_asked_for_only_where_the_trail_has_none(monkeypatch: pytest.MonkeyPatch, session: Any) -> None:
    asked = []

    def known_regions(service: str) -> list[str]:
        asked.append(service)
        return ["us-east-1"]

    monkeypatch.setattr(session, "known_regions", known_regions)
    monkeypatch.setattr(search, "read_named", lambda *_: [GOOD])
    search.describe_log_buckets(session, options(name="good", trail_arn=str(ARN)))
    assert asked == []
    search.describe_log_buckets(session, options(name="good"))
    assert asked == ["cloudtrail"]


KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ENFORCED = Scene(PLACE).with_deny("OnlyThisKey", {"StringNotEquals": {SSE_KEY: KEY}})


@pytest.mark.parametrize(
    ("option", "policy", "seen", "admits", "asked"),
    [
        (None, ENFORCED, {"KmsKeyId": KEY}, True, 1),
        ("1234abcd-12ab-34cd-56ef-1234567890ab", ENFORCED, {"KmsKeyId": KEY}, True, 1),
        ("alias/other", ENFORCED, {"KmsKeyId": KEY}, False, 1),  # which key that is, nobody here knows
        (None, ENFORCED, {}, False, 1),
        (None, ENFORCED, None, False, 1),
        (None, Scene(PLACE).good(), {"KmsKeyId": KEY}, True, 0),
        (KEY, ENFORCED, None, True, 0),
        ("", ENFORCED, {"KmsKeyId": KEY}, False, 0),  # it is to have none
    ],
)
def test_the_key_that_the_trail_has_is_read_where_a_policy_asks_for_it(
    monkeypatch: pytest.MonkeyPatch,
    session: Any,
    option: str | None,
    policy: dict[str, Any],
    seen: dict[str, str] | None,
    admits: bool,
    asked: int,
) -> None:
    calls: list[Any] = []

    def describe_trails(client: Any) -> list[dict[str, str]]:
        calls.append(client)
        if seen is None:
            raise AnsibleCloudTrailError("denied")
        return [{"TrailARN": str(replace(PLACE.trail, name="other"))}, {"TrailARN": str(PLACE.trail), **seen}]

    monkeypatch.setattr(current, "describe_trails", describe_trails)
    judge = partial(judge_bucket, PLACE.bucket, json.dumps(policy))
    monkeypatch.setattr(search, "read_candidates", lambda *arguments: [judge(arguments[-1])])
    monkeypatch.setattr(search, "list_names", lambda _client: {PLACE.bucket: None})
    result = search.describe_log_buckets(session, options(kms_key_id=option))
    assert result["buckets"][0]["admits"] is admits
    assert len(calls) == asked
