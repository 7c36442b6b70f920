# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The writer against a CloudTrail that fails on command: nothing is written twice, nothing is taken on trust."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import TrailArn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import AnsibleOrgTrailError, sentence
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.reader import read_trail
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.writer import WRITTEN_JUST_NOW, Writer
from botocore.exceptions import ReadTimeoutError

from tests.canned_aws import client_error, meta_of
from tests.trail_options import options

ARN = TrailArn("aws", "us-east-1", "111122223333", "default")
LOST = ReadTimeoutError(endpoint_url="https://cloudtrail")


class CloudTrail:
    """One trail, as the client and the session that the writer knows.

    ``faults[operation]`` are the errors of its next calls; an error in ``after`` comes when the work is done.
    """

    meta = meta_of("cloudtrail")

    def __init__(self, exists: bool = True, **faults: list[Exception]) -> None:
        self.trail: dict[str, Any] | None = {"TrailARN": str(ARN), "S3BucketName": "old"} if exists else None
        self.before = dict(self.trail or {})
        self.logging = exists
        self.faults = faults
        self.after: dict[str, list[Exception]] = {}
        self.writes: list[str] = []
        self.slept: list[float] = []
        self.deaf = 0
        self.stale = 0
        self.once = 0
        self.trusted = ["cloudtrail.amazonaws.com"]

    def client(self, service: str, region: str | None = None, *, once: bool = False) -> CloudTrail:
        self.once += once
        return self

    def _call(self, operation: str, work: Callable[[], None]) -> None:
        if self.faults.get(operation):
            raise self.faults[operation].pop(0)
        self.writes.append(operation)
        work()
        if self.after.get(operation):
            raise self.after[operation].pop(0)

    def update_trail(self, **parameters: Any) -> None:
        self._call("update_trail", lambda: self._change(parameters))

    def create_trail(self, **parameters: Any) -> None:
        def make() -> None:
            if self.trail is not None:
                raise client_error("TrailAlreadyExistsException")
            self.trail = {}
            self._change(parameters)

        self._call("create_trail", make)

    def delete_trail(self, **parameters: Any) -> None:
        self._call("delete_trail", lambda: setattr(self, "trail", None))

    def start_logging(self, **parameters: Any) -> None:
        self._call("start_logging", lambda: setattr(self, "logging", True))

    def _change(self, parameters: dict[str, Any]) -> None:
        assert self.trail is not None
        if self.deaf:
            self.deaf -= 1
            return
        given = {name: value for name, value in parameters.items() if name not in ("Name", "EnableLogFileValidation")}
        if "EnableLogFileValidation" in parameters:
            given["LogFileValidationEnabled"] = True
        self.trail |= {"TrailARN": str(ARN), **given}

    def describe_trails(self, **parameters: Any) -> dict[str, Any]:
        if self.writes and self.stale:
            self.stale -= 1
            return {"trailList": [self.before]}
        return {"trailList": [dict(self.trail)] if self.trail else []}

    def get_trail_status(self, **parameters: Any) -> dict[str, Any]:
        if self.trail is None:
            raise client_error("TrailNotFoundException")
        return {"IsLogging": self.logging}

    def get_event_selectors(self, **parameters: Any) -> dict[str, Any]:
        return {"TrailARN": str(ARN)}

    def get_paginator(self, name: str) -> CloudTrail:
        assert name == "list_aws_service_access_for_organization"
        return self

    def paginate(self) -> CloudTrail:
        return self

    def build_full_result(self) -> dict[str, Any]:
        return {"EnabledServicePrincipals": [{"ServicePrincipal": name} for name in self.trusted]}

    def run(self, administrator: str = "", **given: object) -> Writer:
        """Carry out what the options ask for; the writer that did it."""
        wanted = options(**{"s3_bucket_name": "new", "access_propagation_timeout": 20, **given})
        session: Any = self
        before = read_trail(session, ARN, wanted)
        writer = Writer(session, ARN, wanted, administrator, sleep=self.slept.append)
        writer.carry_out(before)
        return writer


def test_converts_with_one_call() -> None:
    aws = CloudTrail()
    writer = aws.run()
    assert aws.writes == ["update_trail"] == [call.operation.replace("UpdateT", "update_t") for call in writer.actions]
    assert aws.trail is not None
    assert aws.trail["IsOrganizationTrail"] is True
    assert aws.trail["S3BucketName"] == "new"
    assert aws.slept == []
    assert aws.once == 1, "botocore sends no write twice"


@pytest.mark.parametrize("error", [LOST, client_error("InternalFailure", 500)], ids=["timeout", "http500"])
def test_a_lost_answer_is_looked_up_and_not_written_again(error: Exception) -> None:
    aws = CloudTrail()
    aws.after = {"update_trail": [error]}
    aws.run()
    assert aws.writes == ["update_trail"]


@pytest.mark.parametrize("error", [LOST, client_error("InternalFailure", 500)], ids=["timeout", "http500"])
def test_a_lost_call_is_written_after_a_look(error: Exception) -> None:
    aws = CloudTrail(update_trail=[error])
    aws.run()
    assert aws.writes == ["update_trail"]
    assert aws.slept == [1]


def test_a_lost_answer_of_create_makes_one_trail() -> None:
    aws = CloudTrail(exists=False)
    aws.after = {"create_trail": [LOST]}
    aws.run()
    assert aws.writes == ["create_trail", "start_logging"]
    assert aws.logging


def test_somebody_else_created_it() -> None:
    aws = CloudTrail(exists=False)
    original = aws.create_trail

    def create_trail(**parameters: Any) -> None:
        aws.trail = {"TrailARN": str(ARN), "S3BucketName": "theirs"}
        original(**parameters)

    aws.create_trail = create_trail  # type: ignore[method-assign]
    aws.run()
    assert aws.writes == ["create_trail", "update_trail", "start_logging"]
    assert aws.trail is not None
    assert aws.trail["S3BucketName"] == "new"


def test_a_lost_answer_of_delete() -> None:
    aws = CloudTrail()
    aws.after = {"delete_trail": [LOST]}
    aws.run(state="absent")
    assert aws.writes == ["delete_trail"]
    assert aws.trail is None


def test_rounds_are_bounded() -> None:
    aws = CloudTrail(update_trail=[LOST] * 9)
    with pytest.raises(AnsibleAWSError, match="Failed to update the trail arn:aws:cloudtrail:us-east-1:111122223333"):
        aws.run()
    assert len(aws.faults["update_trail"]) == 6
    assert aws.writes == []


def test_what_aws_refuses_ends_the_run() -> None:
    aws = CloudTrail(update_trail=[client_error("InsufficientSnsTopicPolicyException")])
    with pytest.raises(AnsibleAWSError, match="InsufficientSnsTopicPolicyException"):
        aws.run()
    assert aws.writes == []
    assert aws.slept == []


def test_what_aws_accepts_but_does_not_do_is_found_out() -> None:
    aws = CloudTrail()
    aws.deaf = 9
    with pytest.raises(AnsibleOrgTrailError, match="'s3_bucket_name': 'new'"):
        aws.run()
    assert aws.writes == ["update_trail"]
    assert aws.slept == [1, 2, 4, 8, 15]


@pytest.mark.parametrize("stale", [1, 3, 6])
def test_what_aws_answers_late_is_waited_for(stale: int) -> None:
    aws = CloudTrail()
    aws.stale = stale
    aws.run(trail_propagation_timeout=45)
    assert aws.writes == ["update_trail"]
    assert aws.slept == [1, 2, 4, 8, 15, 15][:stale]


@pytest.mark.parametrize(("timeout", "pauses"), [(0, []), (5, [1, 2, 2]), (30, [1, 2, 4, 8, 15])])
def test_what_aws_answers_late_is_waited_for_as_long_as_the_option_says(timeout: int, pauses: list[float]) -> None:
    aws = CloudTrail()
    aws.stale = 99
    with pytest.raises(AnsibleOrgTrailError, match=f"{timeout} seconds later .* AWS may still answer the old state"):
        aws.run(trail_propagation_timeout=timeout)
    assert aws.writes == ["update_trail"]
    assert aws.slept == pauses


def test_a_trail_that_disappears_is_not_made_anew() -> None:
    aws = CloudTrail()
    original = aws.update_trail

    def update_trail(**parameters: Any) -> None:
        aws.trail = None
        aws.faults = {"update_trail": [client_error("TrailNotFoundException")]}
        original(**parameters)

    aws.update_trail = update_trail  # type: ignore[method-assign]
    with pytest.raises(AnsibleAWSError, match="TrailNotFoundException"):
        aws.run()
    assert aws.writes == []


REFUSED = client_error("CloudTrailAccessNotEnabledException")


def test_fact_1_4_access_is_waited_for_with_growing_pauses() -> None:
    aws = CloudTrail(update_trail=[REFUSED] * 4)
    aws.run()
    assert aws.writes == ["update_trail"]
    assert aws.slept == [1, 2, 4, 8]


@pytest.mark.parametrize(("timeout", "pauses"), [(0, []), (5, [1, 2, 2]), (20, [1, 2, 4, 8, 5])])
def test_fact_1_4_the_wait_is_bounded(timeout: int, pauses: list[float]) -> None:
    aws = CloudTrail(update_trail=[REFUSED] * 99)
    with pytest.raises(AnsibleOrgTrailError, match=f"within {timeout} seconds"):
        aws.run(access_propagation_timeout=timeout)
    assert aws.slept == pauses
    assert aws.writes == []


def test_access_that_is_off_is_not_waited_for() -> None:
    aws = CloudTrail(update_trail=[REFUSED] * 99)
    aws.trusted = []
    with pytest.raises(AnsibleAWSError, match="CloudTrailAccessNotEnabledException"):
        aws.run()
    assert aws.slept == []


@pytest.mark.parametrize("code", WRITTEN_JUST_NOW)
def test_fact_2_17_what_was_written_just_now_is_waited_for(code: str) -> None:
    aws = CloudTrail(update_trail=[client_error(code)] * 3)
    writer = aws.run()
    assert aws.writes == ["update_trail"]
    assert aws.slept == [1, 2, 4]
    assert writer.waited == {("UpdateTrail", code): 7}


@pytest.mark.parametrize("code", WRITTEN_JUST_NOW)
@pytest.mark.parametrize(("timeout", "pauses"), [(0, []), (5, [1, 2, 2]), (30, [1, 2, 4, 8, 15])])
def test_fact_2_17_the_wait_is_bounded(code: str, timeout: int, pauses: list[float]) -> None:
    aws = CloudTrail(exists=False, create_trail=[client_error(code)] * 99)
    with pytest.raises(AnsibleAWSError) as error:
        aws.run(policy_propagation_timeout=timeout)
    assert "What was written a moment ago may not count yet" in sentence(error.value)
    assert aws.slept == pauses
    assert aws.writes == []


def test_each_is_waited_for_as_long_as_its_own_option_says() -> None:
    policy = client_error("InsufficientS3BucketPolicyException")
    aws = CloudTrail(update_trail=[REFUSED, policy, REFUSED, policy])
    writer = aws.run(access_propagation_timeout=5, policy_propagation_timeout=9)
    assert aws.slept == [1, 2, 4, 7]
    assert sum(writer.waited.values()) == 14


MEMBER = "444455556666"


def test_a_new_administrator_is_waited_for_and_a_member_is_not() -> None:
    early = client_error("NotOrganizationMasterAccountException")
    aws = CloudTrail(update_trail=[early, early])
    assert aws.run(MEMBER).waited == {("UpdateTrail", "NotOrganizationMasterAccountException"): 3.0}
    assert aws.writes == ["update_trail"]
    for administrator, waited in ((MEMBER, 20), ("", 0)):
        aws = CloudTrail(update_trail=[early] * 30)
        with pytest.raises(AnsibleAWSError):
            aws.run(administrator)
        assert sum(aws.slept) == waited


def test_an_account_trail_that_an_administrator_cannot_see_is_told() -> None:
    aws = CloudTrail(exists=False, create_trail=[client_error("TrailAlreadyExistsException")])
    with pytest.raises(AnsibleOrgTrailError, match="is an account trail, which account 444455556666"):
        aws.run(MEMBER)
    assert aws.slept == []
