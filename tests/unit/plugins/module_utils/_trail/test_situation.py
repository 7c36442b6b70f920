# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import TrailArn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.settings import NEW_TRAIL, Settings
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.situation import (
    Problem,
    Situation,
    Unread,
    unread_problem,
)

from tests.trail_options import options

HOME = TrailArn("aws", "eu-central-1", "111122223333", "default")
ACCOUNT_TRAIL: Settings = {**NEW_TRAIL, "s3_bucket_name": "bucket"}
ORGANIZATION_TRAIL: Settings = {**ACCOUNT_TRAIL, "is_organization_trail": True}
SITUATION = Situation(HOME, "o-exampleorgid", ORGANIZATION_TRAIL, ORGANIZATION_TRAIL, options())


def test_sentence() -> None:
    problem = Problem("trail_quota", "error", "Account 1", "five trails", "fewer", "Delete one.")
    assert problem.sentence == "Account 1: found five trails, expected fewer. Delete one."


def test_in_results_text_of_others_is_printable() -> None:
    told = Problem("bucket_policy", "error", "Bucket b", "a Deny of a\n::error::b", "none", "Delete it.").to_dict()
    assert told["found"] == "a Deny of a\ufffd::error::b"
    assert told["object"] == "Bucket b"


@pytest.mark.parametrize("reason", ["It was denied", "It was denied."])
def test_unread_problem(reason: str) -> None:
    problem = unread_problem("kms_key_policy", "Key k", "the policy", Unread(reason))
    assert problem.name == "kms_key_policy"
    assert problem.severity == "unknown"
    assert problem.sentence == (
        "Key k: found that the policy could not be read (It was denied), expected a read that succeeds. "
        "Allow it, or set on_problem={kms_key_policy: ignore}."
    )


BECOMES = [
    (None, ORGANIZATION_TRAIL, True),
    (ACCOUNT_TRAIL, ORGANIZATION_TRAIL, True),
    (ORGANIZATION_TRAIL, ORGANIZATION_TRAIL, False),
    (ORGANIZATION_TRAIL, ACCOUNT_TRAIL, False),
    (None, ACCOUNT_TRAIL, False),
]


@pytest.mark.parametrize(("before", "after", "becomes"), BECOMES)
def test_becomes_organization_trail(before: Settings | None, after: Settings, becomes: bool) -> None:
    assert replace(SITUATION, before=before, after=after).becomes_organization_trail is becomes


def test_key_and_role_are_those_after_the_run() -> None:
    after: Settings = {**ORGANIZATION_TRAIL, "kms_key_id": "key", "cloud_watch_logs_role_arn": "role"}
    situation = replace(SITUATION, after=after)
    assert (situation.key, situation.log_role) == ("key", "role")
    assert (SITUATION.key, SITUATION.log_role) == ("", "")
