# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import parse_trail_arn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import AnsibleOrgTrailError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.log_place import LogPlace
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.s3 import AnsibleS3Error
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.ensure import (
    ATTEMPTS,
    PolicyChange,
    Wanted,
    change_policy,
    describe_change,
    ensure_policy,
    loss_warnings,
    policy_options,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.verdict import (
    judge_policy,
    required_statements,
)
from botocore.exceptions import ReadTimeoutError

from tests.broken_policies import BrokenPolicy, broken_policies
from tests.canned_aws import client_error

OWNER, BUCKET, ORGANIZATION = "222233334444", "example-logs", "o-abc1234567"
ARN = "arn:aws:cloudtrail:us-east-1:111122223333:trail/default"
PLACE = LogPlace(BUCKET, parse_trail_arn(ARN), ORGANIZATION)
WANTED = Wanted(PLACE)
OWN = {
    "Sid": "Own",
    "Effect": "Allow",
    "Principal": {"AWS": OWNER},
    "Action": "s3:GetObject",
    "Resource": f"arn:aws:s3:::{BUCKET}/*",
}
OWN_POLICY = {"Version": "2012-10-17", "Statement": [OWN]}


def for_trail(name: str) -> Wanted:
    return Wanted(replace(PLACE, trail=replace(PLACE.trail, name=name)))


def admits(policy: Any, wanted: Wanted = WANTED) -> bool:
    return judge_policy(policy, wanted.place).admits is True


class FakeS3:
    """A bucket's policy; ``faults`` are raised by the next writes, after or before they did their work.

    reads: what happens just before each of the next reads. blocks_public: None where that may not be read.
    """

    def __init__(self, policy: Any = None, faults: list[tuple[bool, Exception]] | None = None) -> None:
        self.policy = json.dumps(policy) if policy else None
        self.faults = faults or []
        self.writes = 0
        self.reads: list[Callable[[], None]] = []
        self.blocks_public: bool | None = None

    def get_public_access_block(self, **_names: str) -> dict[str, dict[str, bool]]:
        if self.blocks_public is None:
            raise client_error("AccessDenied", 403)
        return {"PublicAccessBlockConfiguration": {"BlockPublicPolicy": self.blocks_public}}

    def get_bucket_policy(self, **_names: str) -> dict[str, str]:
        if self.reads:
            self.reads.pop(0)()
        if self.policy is None:
            raise client_error("NoSuchBucketPolicy", 404)
        return {"Policy": self.policy}

    def put_bucket_policy(self, *, Policy: str, **_names: str) -> None:
        self._write(Policy)

    def delete_bucket_policy(self, **_names: str) -> None:
        self._write(None)

    def _write(self, policy: str | None) -> None:
        self.writes += 1
        works, fault = self.faults.pop(0) if self.faults else (True, None)
        if works:
            self.policy = policy
        if fault:
            raise fault

    @property
    def document(self) -> Any:
        return json.loads(self.policy) if self.policy else None


def ensure(
    s3: FakeS3, wanted: Wanted = WANTED, check_mode: bool = False, meanwhile: Callable[[], None] = lambda: None
) -> tuple[Any, Any]:
    change = run(s3, wanted, check_mode, meanwhile)
    return change.before, change.after


def run(
    s3: FakeS3, wanted: Wanted = WANTED, check_mode: bool = False, meanwhile: Callable[[], None] = lambda: None
) -> PolicyChange:
    return ensure_policy(s3, s3, OWNER, wanted, check_mode, lambda _seconds: meanwhile())


# --- the change -----------------------------------------------------------------------------------

BROKEN = broken_policies(PLACE)


@pytest.mark.parametrize("row", [row for row in BROKEN if row.repairable], ids=lambda row: row.name)
def test_change_policy_repairs(row: BrokenPolicy) -> None:
    wanted = Wanted(replace(PLACE, prefix=row.prefix), tls_only=True)
    given = copy.deepcopy(row.policy)
    changed = change_policy(row.policy, wanted)
    assert row.policy == given
    assert judge_policy(changed, wanted.place).admits
    assert change_policy(changed, wanted) == changed


@pytest.mark.parametrize("row", [row for row in BROKEN if not row.repairable], ids=lambda row: row.name)
def test_change_policy_refuses_what_it_cannot_repair(row: BrokenPolicy) -> None:
    with pytest.raises((AnsibleOrgTrailError, ValueError), match=r"would not admit|'Alow'"):
        change_policy(row.policy, Wanted(replace(PLACE, prefix=row.prefix)))


@pytest.mark.parametrize(("state", "accepted"), [("absent", True), ("present", False)])
def test_an_arn_that_no_trail_can_have_may_only_be_taken_out(state: str, accepted: bool) -> None:
    params = {"bucket": BUCKET, "trail_arn": ARN.replace("default", "lz"), "state": state, "tls_only": False}
    params |= {"organization_id": None, "s3_key_prefix": "/audit/", "kms_key_id": None}
    if not accepted:
        with pytest.raises(AnsibleOrgTrailError, match="has 2 characters"):
            policy_options(params)
        return
    options = policy_options(params)
    assert (options.trail.name, options.organization_id, options.s3_key_prefix) == ("lz", "", "audit")


def test_change_policy_leaves_a_lone_statement_without_a_list() -> None:
    all_in_one = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Action": ["s3:GetBucketAcl", "s3:PutObject"],
        "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
    }
    policy = {"Version": "2012-10-17", "Statement": all_in_one}
    assert change_policy(policy, WANTED) == policy
    assert change_policy(policy, Wanted(PLACE, state="absent")) == policy


def test_change_policy_refuses_20_kib() -> None:
    large = {"Version": "2012-10-17", "Statement": [{**OWN, "Sid": f"S{n}"} for n in range(150)]}
    with pytest.raises(AnsibleOrgTrailError, match=r"Bucket example-logs: .* S3 takes 20480 at most"):
        change_policy(large, WANTED)


def test_describe_change() -> None:
    assert describe_change(PolicyChange(OWN_POLICY, OWN_POLICY), BUCKET)["changed"] is False
    change = describe_change(PolicyChange(None, OWN_POLICY), BUCKET)
    assert (change["changed"], change["diff"]["before"]) == (True, "")
    assert json.loads(change["diff"]["after"]) == OWN_POLICY


# --- the write ------------------------------------------------------------------------------------


def test_ensure_policy_writes_once() -> None:
    s3 = FakeS3(OWN_POLICY)
    before, after = ensure(s3)
    assert (before, after, s3.writes) == (OWN_POLICY, s3.document, 1)
    assert after["Statement"] == [OWN, *required_statements(PLACE)]
    assert ensure(s3) == (after, after)
    assert s3.writes == 1


def test_ensure_policy_check_mode_predicts() -> None:
    s3 = FakeS3(OWN_POLICY)
    predicted = ensure(s3, check_mode=True)
    assert s3.writes == 0
    assert predicted == ensure(s3)


def test_ensure_policy_absent_restores_or_deletes() -> None:
    s3 = FakeS3(OWN_POLICY)
    ensure(s3)
    ensure(s3, Wanted(PLACE, state="absent"))
    assert s3.document == OWN_POLICY
    alone = FakeS3()
    ensure(alone)
    assert ensure(alone, Wanted(PLACE, state="absent"))[1] is None
    assert alone.document is None


def test_ensure_policy_mends_what_another_run_overwrote() -> None:
    """The other run read before our write and writes after it: only looking again shows the loss."""
    s3 = FakeS3(OWN_POLICY)
    theirs = change_policy(OWN_POLICY, for_trail("theirs"))
    overwrites = [lambda: setattr(s3, "policy", json.dumps(theirs))]
    before, after = ensure(s3, meanwhile=lambda: overwrites.pop()() if overwrites else None)
    assert before == OWN_POLICY
    assert after == s3.document
    assert admits(s3.document)
    assert admits(s3.document, for_trail("theirs"))
    assert s3.document["Statement"][0] == OWN


THEIRS = {**OWN, "Sid": "Theirs", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{BUCKET}"}
WITH_THEIRS = {**OWN_POLICY, "Statement": [OWN, THEIRS]}


def test_a_statement_that_others_add_before_the_write_is_kept() -> None:
    """What was planned from the first read would have taken it away."""
    s3 = FakeS3(OWN_POLICY)
    s3.reads = [lambda: None, lambda: setattr(s3, "policy", json.dumps(WITH_THEIRS))]
    change = run(s3)
    assert s3.writes == 1
    assert s3.document["Statement"][:2] == [OWN, THEIRS]
    assert admits(s3.document)
    assert (change.lost, loss_warnings(change, BUCKET)) == ((), [])


def test_a_statement_that_was_lost_meanwhile_is_told_with_its_text() -> None:
    s3 = FakeS3(WITH_THEIRS)
    overwrites = [lambda: setattr(s3, "policy", json.dumps(OWN_POLICY))]
    change = run(s3, meanwhile=lambda: overwrites.pop()() if overwrites else None)
    assert admits(s3.document)
    assert change.lost == (THEIRS,)
    (warning,) = loss_warnings(change, BUCKET)
    assert "Statement Theirs" in warning
    assert OWNER in warning.partition(" was there")[0]
    assert json.loads(warning.partition("bring it back, add ")[2]) == THEIRS


def test_what_came_back_by_itself_is_not_lost() -> None:
    s3 = FakeS3(WITH_THEIRS)
    versions = [OWN_POLICY, WITH_THEIRS]
    change = run(s3, meanwhile=lambda: setattr(s3, "policy", json.dumps(versions.pop(0))) if versions else None)
    assert change.lost == ()
    assert THEIRS in s3.document["Statement"]


@pytest.mark.parametrize("check_mode", [False, True])
def test_what_s3_would_refuse_is_refused_before_the_write(check_mode: bool) -> None:
    caller = f"arn:aws:sts::{OWNER}:assumed-role/Repair/ann"
    deny = {**OWN, "Sid": "Locked", "Effect": "Deny", "Principal": "*", "Action": "s3:*BucketPolicy"}
    locked = FakeS3({**OWN_POLICY, "Statement": [{**deny, "Resource": f"arn:aws:s3:::{BUCKET}"}]})
    with pytest.raises(AnsibleOrgTrailError, match=rf"Statement Locked .* denies {caller} s3:PutBucketPolicy"):
        run(locked, replace(WANTED, caller=caller), check_mode)
    anyone = FakeS3({**OWN_POLICY, "Statement": [{**OWN, "Principal": "*"}]})
    anyone.blocks_public = True
    with pytest.raises(AnsibleOrgTrailError, match=r"BlockPublicPolicy.* Own allow everybody"):
        run(anyone, WANTED, check_mode)
    assert (locked.writes, anyone.writes) == (0, 0)


@pytest.mark.parametrize("blocks", [False, None])
def test_a_public_policy_is_changed_where_nothing_is_known_to_block_it(blocks: bool | None) -> None:
    anyone = FakeS3({**OWN_POLICY, "Statement": [{**OWN, "Principal": "*"}]})
    anyone.blocks_public = blocks
    assert admits(run(anyone).after)


def test_ensure_policy_gives_up_against_a_run_that_never_yields() -> None:
    s3 = FakeS3(OWN_POLICY)
    with pytest.raises(AnsibleOrgTrailError, match=f"written {ATTEMPTS} times"):
        ensure(s3, meanwhile=lambda: setattr(s3, "policy", json.dumps(OWN_POLICY)))


UNCLEAR = [
    (True, ReadTimeoutError(endpoint_url="x")),
    (False, ReadTimeoutError(endpoint_url="x")),
    (True, client_error("InternalError", 500)),
    (False, client_error("ServiceUnavailable", 503)),
]


@pytest.mark.parametrize(("works", "fault"), UNCLEAR)
def test_ensure_policy_looks_again_when_the_answer_is_lost(works: bool, fault: Exception) -> None:
    s3 = FakeS3(OWN_POLICY, [(works, fault)])
    _before, after = ensure(s3)
    assert (after, s3.writes) == (s3.document, 1 if works else 2)
    assert admits(after)


def test_ensure_policy_passes_a_denial_on() -> None:
    with pytest.raises(AnsibleS3Error, match="change the policy of bucket example-logs"):
        ensure(FakeS3(OWN_POLICY, [(False, client_error("AccessDenied", 403))]))


def test_ensure_policy_does_not_touch_a_malformed_policy() -> None:
    s3 = FakeS3({"Version": "2012-10-17", "Statement": [{**OWN, "Effect": "Alow"}]})
    with pytest.raises(AnsibleOrgTrailError, match=r"policy of bucket example-logs is malformed: .*'Alow'"):
        ensure(s3)
    assert s3.writes == 0
