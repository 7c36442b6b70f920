# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import TrailArn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.s3 import AnsibleS3Error
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.candidate import SoughtTrail, judge_bucket
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.choice import BucketChoiceError, Criteria
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.health import judge_health
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.scan import (
    SETTINGS,
    read_candidates,
    read_named,
    read_settings,
    settings_of,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.verdict import required_statements
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.weakness import ExpectedHealth
from botocore.exceptions import ClientError

OWNER = "222233334444"
TRAIL = SoughtTrail(
    TrailArn("aws", "us-east-1", "111122223333", "default"), "o-abc1234567", "prefix", regions=("us-east-1",)
)


def error(code: str, operation: str = "GetBucketPolicy") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, operation)


def admitting(bucket: str) -> str:
    statements = required_statements(TRAIL.place(bucket))
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


class FakeS3:
    """Buckets by name: the policy's text, or the code of the error that reading it ends in."""

    meta = SimpleNamespace(partition="aws")

    def __init__(self, policies: dict[str, str], listed: list[str] | str | None = None, tags: Any = None) -> None:
        self.policies, self.tags = policies, tags or {}
        self.listed = list(policies) if listed is None else listed
        self.calls: list[str] = []

    def can_paginate(self, _operation: str) -> bool:
        return False

    def list_buckets(self) -> dict[str, Any]:
        if isinstance(self.listed, str):
            raise error(self.listed, "ListBuckets")
        return {"Buckets": [{"Name": name} for name in self.listed]}

    def get_bucket_policy(self, *, Bucket: str, ExpectedBucketOwner: str) -> dict[str, str]:
        self.calls.append(Bucket)
        assert ExpectedBucketOwner == OWNER
        answer = self.policies.get(Bucket, "NoSuchBucket")
        if not answer.startswith("{"):
            raise error(answer)
        return {"Policy": answer}

    def get_bucket_tagging(self, *, Bucket: str, ExpectedBucketOwner: str) -> dict[str, Any]:
        return {"TagSet": self.tags.get(Bucket, [])}

    def get_bucket_location(self, **_names: str) -> dict[str, Any]:
        return {"LocationConstraint": "us-west-2"}

    def __getattr__(self, operation: str) -> Any:
        def deny(**_names: str) -> None:
            raise error("AccessDenied", "".join(word.capitalize() for word in operation.split("_")))

        return deny


def test_read_named() -> None:
    (candidate,) = read_named(FakeS3({"a": admitting("a")}), "a", OWNER, TRAIL)
    assert (candidate.name, candidate.admits) == ("a", True)
    (candidate,) = read_named(FakeS3({"a": "NoSuchBucketPolicy"}), "a", OWNER, TRAIL)
    assert candidate.admits is False
    assert read_named(FakeS3({}), "a", OWNER, TRAIL) == []


def test_read_named_tells_a_foreign_bucket_from_a_missing_permission() -> None:
    with pytest.raises(BucketChoiceError, match=f"Bucket a does not belong to account {OWNER}"):
        read_named(FakeS3({"a": "AccessDenied"}, listed=["b"]), "a", OWNER, TRAIL)
    for listed in (["a"], "AccessDenied"):
        with pytest.raises(AnsibleS3Error, match="get the policy of bucket a"):
            read_named(FakeS3({"a": "AccessDenied"}, listed=listed), "a", OWNER, TRAIL)


def test_read_candidates_keeps_order_and_reports_what_it_cannot_read() -> None:
    s3 = FakeS3({"a": "AccessDenied", "b": admitting("b"), "c": "NoSuchBucketPolicy", "gone": "NoSuchBucket"})
    candidates = read_candidates(s3, ["a", "b", "c", "gone"], OWNER, Criteria(), TRAIL)
    assert [(one.name, one.admits, one.readable) for one in candidates] == [
        ("a", False, False),
        ("b", True, True),
        ("c", False, True),
    ]
    assert "s3:GetBucketPolicy" in candidates[0].problems[0].found


def test_read_candidates_reads_no_policy_that_is_not_asked_for() -> None:
    tags = {"logs-1": [{"Key": "use", "Value": "logs"}], "other": [{"Key": "use", "Value": "logs"}]}
    s3 = FakeS3({name: admitting(name) for name in ("logs-1", "logs-2", "other")}, tags=tags)
    criteria = Criteria("logs-*", (("use", "logs"),))
    assert [one.name for one in read_candidates(s3, sorted(s3.policies), OWNER, criteria, TRAIL)] == ["logs-1"]
    assert s3.calls == ["logs-1"]


def test_read_settings_names_what_it_may_not_read() -> None:
    settings = settings_of(read_settings(FakeS3({}), "a", OWNER), judge_bucket("a", None, TRAIL))
    assert settings.raw["region"] == "us-west-2"
    assert set(settings.denied) == set(SETTINGS) - {"region"}
    assert "s3:GetEncryptionConfiguration" in settings.denied["encryption"]
    assert settings.place == TRAIL.place("a")


def test_settings_of_an_unreadable_policy_do_not_say_that_tls_is_optional() -> None:
    s3 = FakeS3({"a": "AccessDenied"})
    (candidate,) = read_candidates(s3, ["a"], OWNER, Criteria(), TRAIL)
    health = judge_health(settings_of(read_settings(s3, candidate.name, OWNER), candidate), ExpectedHealth())
    assert health["tls_only"] is None
    assert [one["found"][:40] for one in health["problems"] if one["setting"] == "tls_only"] == [
        "not readable: Failed to get the policy o"
    ]
