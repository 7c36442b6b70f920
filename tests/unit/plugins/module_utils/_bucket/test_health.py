# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import TrailArn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.log_place import LogPlace
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.health import (
    SWITCHES,
    Settings,
    judge_health,
    retention_to_set,
    undeliverable,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.tls_only import require_tls
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.weakness import ExpectedHealth

ARN = "arn:aws:s3:::example-logs"
OWNER = "222233334444"
PLACE = LogPlace("example-logs", TrailArn("aws", "us-east-1", "111122223333", "default"), "o-abc1234567", owner=OWNER)
KEY = "arn:aws:kms:us-east-1:222233334444:key/1"
TLS_ONLY = require_tls({"Version": "2012-10-17", "Statement": []}, ARN)
GOOD: dict[str, Any] = {
    "public_access_block": dict.fromkeys(SWITCHES, True),
    "versioning": "Enabled",
    "encryption": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}],
    "object_ownership": "BucketOwnerEnforced",
    "lifecycle": None,
    "object_lock": None,
    "access_logging": None,
    "request_payment": "BucketOwner",
    "acl": {"Owner": {"ID": "owner"}, "Grants": []},
    "replication": None,
    "notifications": {},
}


def judge(expected: ExpectedHealth | None = None, *, prefix: str = "", policy: Any = TLS_ONLY, **raw: Any) -> Any:
    return judge_health(
        Settings({**GOOD, **raw}, {}, policy, replace(PLACE, prefix=prefix)), expected or ExpectedHealth()
    )


def kms(key: str = "", algorithm: str = "aws:kms") -> list[dict[str, Any]]:
    default = {"SSEAlgorithm": algorithm, **({"KMSMasterKeyID": key} if key else {})}
    return [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]


def rule(days: int | None = None, **more: Any) -> dict[str, Any]:
    made = {"ID": "r", "Status": "Enabled", "Filter": {"Prefix": ""}, **more}
    return {**made, "Expiration": {"Days": days}} if days else made


def lock(mode: str = "", **period: int) -> dict[str, Any]:
    enabled: dict[str, Any] = {"ObjectLockEnabled": "Enabled"}
    return {**enabled, "Rule": {"DefaultRetention": {"Mode": mode, **period}}} if mode else enabled


PUBLIC = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": f"{ARN}/*"}],
}
OPEN = {"Owner": {"ID": "owner"}, "Grants": [{"Grantee": {"ID": "other"}, "Permission": "READ"}]}
COPIES = {"Rules": [{"Status": "Enabled", "Destination": {"Bucket": "arn:aws:s3:::copy"}}]}
ASKS_KEY = ExpectedHealth(kms_key_arn=KEY)
ASKS_LOCK = ExpectedHealth(object_lock_mode="GOVERNANCE", object_lock_days=100)
ASKS_COMPLIANCE = ExpectedHealth(object_lock_mode="COMPLIANCE", object_lock_days=100)
ASKS_LOGS = ExpectedHealth(access_log_bucket="logs", access_log_prefix="p/")
ASKS_RULE = ExpectedHealth(expiration_days=400, transition_days=100)
FULL_RULE = rule(400, Transitions=[{"Days": 100, "StorageClass": "GLACIER"}])

PROBLEMS: dict[str, tuple[ExpectedHealth | None, dict[str, Any], list[str]]] = {
    "good": (None, {}, []),
    "deletes_on_a_date": (None, {"lifecycle": [rule(Expiration={"Date": "2027-01-01T00:00:00Z"})]}, ["lifecycle"]),
    "no_public_access_block": (None, {"public_access_block": None}, ["public_access_block"]),
    "one_switch_off": (
        None,
        {"public_access_block": {**GOOD["public_access_block"], "BlockPublicPolicy": False}},
        ["public_access_block"],
    ),
    "never_versioned": (None, {"versioning": None}, ["versioning"]),
    "versioning_suspended": (None, {"versioning": "Suspended"}, ["versioning"]),
    "no_encryption": (None, {"encryption": None}, ["encryption"]),
    "kms_though_not_asked": (None, {"encryption": kms(KEY)}, []),
    "no_key_though_asked": (ASKS_KEY, {}, ["encryption"]),
    "other_key": (ASKS_KEY, {"encryption": kms(KEY + "2")}, ["encryption"]),
    "the_key": (ASKS_KEY, {"encryption": kms(KEY)}, []),
    "never_owned": (None, {"object_ownership": None}, ["object_ownership"]),
    "owner_preferred": (None, {"object_ownership": "BucketOwnerPreferred"}, ["object_ownership"]),
    "no_policy": (None, {"policy": None}, ["tls_only"]),
    "expires_early": (None, {"lifecycle": [rule(89)]}, ["lifecycle"]),
    "expires_late": (None, {"lifecycle": [rule(90)]}, []),
    "expires_elsewhere": (None, {"lifecycle": [rule(1, Filter={"Prefix": "tmp/"})]}, []),
    "expires_below_the_logs": (None, {"lifecycle": [rule(1, Filter={"Prefix": "AWSLogs/o-a/"})]}, ["lifecycle"]),
    "expires_above_the_prefix": (
        None,
        {"lifecycle": [rule(1, Filter={"Prefix": "audit"})], "prefix": "audit"},
        ["lifecycle"],
    ),
    "expires_beside_the_prefix": (
        None,
        {"lifecycle": [rule(1, Filter={"Prefix": "AWSLogs/"})], "prefix": "audit"},
        [],
    ),
    "expires_by_old_style_prefix": (None, {"lifecycle": [rule(1, Filter=None, Prefix="AWSLogs")]}, ["lifecycle"]),
    "expires_by_size": (
        None,
        {"lifecycle": [rule(1, Filter={"And": {"Prefix": "AWSLogs/", "ObjectSizeGreaterThan": 1}})]},
        ["lifecycle"],
    ),
    "expires_by_tag": (None, {"lifecycle": [rule(1, Filter={"Tag": {"Key": "a", "Value": "b"}})]}, []),
    "expires_by_tags": (
        None,
        {"lifecycle": [rule(1, Filter={"And": {"Prefix": "", "Tags": [{"Key": "a", "Value": "b"}]}})]},
        [],
    ),
    "expires_on_a_date": (None, {"lifecycle": [rule(Expiration={"Date": "2030-01-01"})]}, ["lifecycle"]),
    "rule_is_off": (None, {"lifecycle": [rule(1, Status="Disabled")]}, []),
    "markers_only": (None, {"lifecycle": [rule(Expiration={"ExpiredObjectDeleteMarker": True})]}, []),
    "expires_as_allowed": (ExpectedHealth(minimum_retention_days=1), {"lifecycle": [rule(30)]}, []),
    "no_rule_though_asked": (ASKS_RULE, {}, ["lifecycle_rule"]),
    "half_a_rule": (ASKS_RULE, {"lifecycle": [rule(400)]}, ["lifecycle_rule"]),
    "the_rule": (ASKS_RULE, {"lifecycle": [FULL_RULE]}, []),
    "the_rule_for_a_part": (ASKS_RULE, {"lifecycle": [{**FULL_RULE, "Filter": {"Prefix": "x"}}]}, ["lifecycle_rule"]),
    "the_rule_off": (ASKS_RULE, {"lifecycle": [{**FULL_RULE, "Status": "Disabled"}]}, ["lifecycle_rule"]),
    "no_lock_though_asked": (ASKS_LOCK, {}, ["object_lock", "object_lock_retention"]),
    "lock_without_retention": (ASKS_LOCK, {"object_lock": lock()}, ["object_lock_retention"]),
    "lock_too_short": (ASKS_LOCK, {"object_lock": lock("GOVERNANCE", Days=99)}, ["object_lock_retention"]),
    "lock_in_years": (ASKS_LOCK, {"object_lock": lock("GOVERNANCE", Years=1)}, []),
    "lock_stronger": (ASKS_LOCK, {"object_lock": lock("COMPLIANCE", Days=100)}, []),
    "lock_weaker": (ASKS_COMPLIANCE, {"object_lock": lock("GOVERNANCE", Days=100)}, ["object_lock_retention"]),
    "lock_though_not_asked": (None, {"object_lock": lock("GOVERNANCE", Days=1)}, []),
    "no_logging_though_asked": (ASKS_LOGS, {}, ["access_logging"]),
    "other_logging": (ASKS_LOGS, {"access_logging": {"TargetBucket": "logs", "TargetPrefix": ""}}, ["access_logging"]),
    "requester_pays": (None, {"request_payment": "Requester"}, ["request_payment"]),
    "a_foreign_default_key": (None, {"encryption": kms(KEY.replace(OWNER, "999999999999"))}, ["encryption"]),
    "managements_default_key": (None, {"encryption": kms(KEY.replace(OWNER, "111122223333"))}, []),
    "public_policy": (None, {"policy": PUBLIC}, ["tls_only", "outside_access"]),
    "acl_without_acls": (None, {"acl": OPEN}, []),
    "acl": (None, {"acl": OPEN, "object_ownership": "ObjectWriter"}, ["object_ownership", "acl"]),
    "replicated_though_not_asked": (None, {"replication": COPIES}, []),
    "not_replicated_though_asked": (ExpectedHealth(replication_buckets=("copy",)), {}, ["replication"]),
    "not_notified_though_asked": (ExpectedHealth(notification_targets=("arn",)), {}, ["notifications"]),
    "the_logging": (ASKS_LOGS, {"access_logging": {"TargetBucket": "logs", "TargetPrefix": "p/"}}, []),
}


@pytest.mark.parametrize(("expected", "raw", "settings"), PROBLEMS.values(), ids=PROBLEMS)
def test_judge_health_problems(expected: ExpectedHealth | None, raw: dict[str, Any], settings: list[str]) -> None:
    problems = judge(expected, **raw)["problems"]
    assert [problem["setting"] for problem in problems] == settings
    assert all(problem["found"] and problem["expected"] and problem["fix"] for problem in problems)


KEY_OWNERS = [
    (None, "none"),
    (kms(algorithm="AES256"), "s3"),
    (kms(), "aws"),
    (kms("alias/aws/s3"), "aws"),
    (kms(KEY), "222233334444"),
    (kms(KEY, "aws:kms:dsse"), "222233334444"),
    (kms("1234abcd-12ab-34cd-56ef-1234567890ab"), "bucket"),
]


@pytest.mark.parametrize(("raw", "owner"), KEY_OWNERS)
def test_judge_health_says_whose_key(raw: Any, owner: str) -> None:
    assert judge(encryption=raw)["encryption"]["key_owner"] == owner


def test_judge_health_reports_what_could_not_be_read() -> None:
    settings = Settings({**GOOD, "versioning": None}, {"versioning": "denied", "region": "denied too"}, TLS_ONLY, PLACE)
    health = judge_health(settings, ExpectedHealth())
    assert health["versioning"] is None
    assert [(one["setting"], one["found"]) for one in health["problems"]] == [
        ("versioning", "not readable: denied"),
        ("region", "not readable: denied too"),
    ]


@pytest.mark.parametrize(
    ("raw", "weakened"),
    [
        ({"versioning": None}, False),
        ({"versioning": "Suspended"}, True),
        ({"public_access_block": None}, True),
        ({"policy": None}, False),
    ],
)
def test_what_a_new_bucket_lacks_was_not_weakened(raw: dict[str, Any], weakened: bool) -> None:
    assert [one["weakened"] for one in judge(**raw)["problems"]] == [weakened]


@pytest.mark.parametrize(
    ("raw", "severity", "account"),
    [
        ({"request_payment": "Requester"}, "error", ""),
        ({"versioning": "Suspended"}, "warning", ""),
        ({"versioning": None}, "advice", ""),
        ({"encryption": kms(KEY.replace(OWNER, "999999999999"))}, "unknown", "999999999999"),
    ],
)
def test_every_problem_says_how_bad_it_is(raw: dict[str, Any], severity: str, account: str) -> None:
    [problem] = judge(**raw)["problems"]
    assert (problem["severity"], problem["account_id"]) == (severity, account)
    names = ("setting", "found", "expected", "fix", "readable", "account_id", "severity", "weakened")
    assert tuple(problem) == names


@pytest.mark.parametrize(("payer", "says"), [("Requester", "CloudTrail cannot deliver"), ("BucketOwner", None)])
def test_fact_3_10_nothing_is_delivered_where_the_requester_pays(payer: str, says: str | None) -> None:
    reason = undeliverable("example-logs", judge(request_payment=payer, versioning="Suspended"))
    assert says in reason if says and reason else reason is None
    assert undeliverable("example-logs", None) is None


@pytest.mark.parametrize(
    ("lock", "mode", "days"),
    [
        (None, "GOVERNANCE", 0),
        ({"mode": "GOVERNANCE", "days": 30}, "GOVERNANCE", 30),
        ({"mode": "COMPLIANCE", "days": 30}, "COMPLIANCE", 30),
    ],
)
def test_retention_to_set_is_never_weaker(lock: dict[str, object] | None, mode: str, days: int) -> None:
    asked = ExpectedHealth(object_lock_mode="GOVERNANCE")
    assert retention_to_set({"object_lock": lock}, asked) == {"mode": mode, "days": days}


def test_retention_to_set_of_a_bucket_that_is_to_be_made() -> None:
    asked = ExpectedHealth(object_lock_mode="COMPLIANCE", object_lock_days=90)
    assert retention_to_set(None, asked) == {"mode": "COMPLIANCE", "days": 90}
