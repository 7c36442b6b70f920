# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.verdict import (
    admitted_home_regions,
    judge_policy,
    required_statements,
)

from tests.broken_policies import (
    ACL,
    ORGANIZATION_WRITE,
    PLACE,
    WRITE,
    BrokenPolicy,
    Scene,
    admitting_policies,
    broken_policies,
)

BUCKET, ARN, ORGANIZATION = PLACE.bucket, str(PLACE.trail), PLACE.organization_id
OTHER_ARN = "arn:aws:cloudtrail:us-east-1:111122223333:trail/second"
SCENE = Scene(PLACE)
BROKEN = broken_policies(PLACE)
ADMITTING = admitting_policies(PLACE)


def text(value: Any) -> str:
    return json.dumps(value)


# --- judge_policy ---------------------------------------------------------------------------------


def test_the_table_is_large_enough_and_its_names_are_unique() -> None:
    assert len(BROKEN) >= 25
    assert len({row.name for row in BROKEN}) == len(BROKEN)


@pytest.mark.parametrize("row", BROKEN, ids=lambda row: row.name)
def test_judge_policy_names_the_true_cause(row: BrokenPolicy) -> None:
    verdict = judge_policy(row.policy, replace(PLACE, prefix=row.prefix))
    assert verdict.admits is not True
    assert {problem.statement for problem in verdict.problems} == set(row.blamed)
    assert any(row.says in f"{problem.found} {problem.expected}" for problem in verdict.problems)
    assert all(problem.fix for problem in verdict.problems)
    assert all(problem.repairable for problem in verdict.problems) is row.repairable


@pytest.mark.parametrize("name", ADMITTING)
def test_judge_policy_admits(name: str) -> None:
    assert judge_policy(ADMITTING[name], PLACE) == judge_policy(text(ADMITTING[name]), PLACE)
    verdict = judge_policy(ADMITTING[name], PLACE)
    assert (verdict.admits, verdict.problems) == (True, ())


@pytest.mark.parametrize(
    ("name", "admits"),
    [
        ("deny_sse_header_absent", None),
        ("deny_all_but_one_role", None),
        ("not_principal_with_allow", None),
        ("unknown_operator", None),
        ("deny_sse_not_kms", False),
        ("deny_outside_organization", False),
        ("effect_misspelt", False),
        ("no_policy", False),
    ],
)
def test_judge_policy_tells_no_from_not_known(name: str, admits: bool | None) -> None:
    row = next(row for row in BROKEN if row.name == name)
    assert judge_policy(row.policy, replace(PLACE, prefix=row.prefix)).admits is admits


def test_judge_policy_reports_a_deny_and_a_lack_together() -> None:
    policy = SCENE.with_deny("NoPut", {})
    policy["Statement"] = [one for one in policy["Statement"] if one["Sid"] != ORGANIZATION_WRITE]
    verdict = judge_policy(policy, PLACE)
    assert {problem.statement for problem in verdict.problems} == {"NoPut", "absent"}
    assert [problem.statement for problem in verdict.problems if not problem.repairable] == ["NoPut"]


def test_judge_policy_gives_the_json_to_add() -> None:
    (problem,) = judge_policy(SCENE.without(ORGANIZATION_WRITE), PLACE).problems
    assert json.loads(problem.fix.removeprefix("Add ")) == required_statements(PLACE)[2]


def test_judge_policy_names_a_statement_without_sid_by_its_place() -> None:
    policy = SCENE.with_source("StringEquals", "aws:SourceArn", OTHER_ARN)
    for statement in policy["Statement"]:
        del statement["Sid"]
    verdict = judge_policy(policy, PLACE)
    assert {one.statement for one in verdict.problems} == {"statement 1", "statement 2", "statement 3"}


def test_judge_policy_keeps_the_trails_that_a_condition_names() -> None:
    """The remedy adds ours; to set it would shut the other trail out."""
    policy = SCENE.with_source("StringEquals", "aws:SourceArn", OTHER_ARN)
    fixes = {problem.fix for problem in judge_policy(policy, SCENE.place).problems}
    assert fixes == {f"Add {ARN} to Condition StringEquals aws:SourceArn."}


def test_judge_policy_says_what_an_element_is_to_be() -> None:
    policy = SCENE.good()
    policy["Statement"][2]["Action"] = "s3:PutObjectAcl"
    (problem,) = judge_policy(policy, PLACE).problems
    assert problem.fix.startswith("Add s3:PutObject to Action, or add ")


def test_judge_policy_blames_no_statement_of_another_service() -> None:
    policy = SCENE.without(ACL)
    policy["Statement"].append(
        {
            "Sid": "AWSConfigBucketPermissionsCheck",
            "Effect": "Allow",
            "Principal": {"Service": "config.amazonaws.com"},
            "Action": "s3:GetBucketAcl",
            "Resource": f"arn:aws:s3:::{BUCKET}",
        }
    )
    assert [problem.statement for problem in judge_policy(policy, PLACE).problems] == ["absent"]


# --- admitted_home_regions ------------------------------------------------------------------------

REGIONS = ["us-east-1", "us-east-2", "us-west-2", "eu-central-1", "cn-north-1"]
ANY_REGION = SCENE.with_source("ArnLike", "aws:SourceArn", SCENE.arn(region="*"))


@pytest.mark.parametrize(
    ("policy", "name", "admitted"),
    [
        (SCENE.good(), "default", ["us-east-1"]),
        (SCENE.good(), "other", []),
        (ANY_REGION, "default", ["us-east-1", "us-east-2", "us-west-2", "eu-central-1"]),
        (ADMITTING["source_account"], "anything", ["us-east-1", "us-east-2", "us-west-2", "eu-central-1"]),
        (SCENE.with_source("StringLike", "aws:SourceArn", SCENE.arn(region="us-east-?")), "default", REGIONS[:2]),
        (SCENE.with_deny("D", {"StringEquals": {"aws:SourceArn": ARN}}), "default", []),
        (SCENE.without(WRITE), "default", []),
        ({"Statement": []}, "default", []),
        (None, "default", []),
    ],
)
def test_admitted_home_regions(policy: dict[str, Any] | None, name: str, admitted: list[str]) -> None:
    place = replace(PLACE, trail=replace(PLACE.trail, name=name))
    assert admitted_home_regions(policy, place, REGIONS) == admitted


@pytest.mark.parametrize(
    ("key", "fix"),
    [
        ("aws:SourceAccount", f"Add {PLACE.trail.account_id} to Condition StringEquals aws:SourceAccount, or add "),
        ("aws:SourceVpce", 'Add {"Sid": '),
    ],
)
def test_judge_policy_adds_to_a_key_that_the_request_carries_and_leaves_others_alone(key: str, fix: str) -> None:
    """To set the one would shut others out; to remove the other would let others in."""
    fixes = {problem.fix for problem in judge_policy(SCENE.with_source("StringEquals", key, "other"), PLACE).problems}
    assert fixes
    assert all(one.startswith(fix) for one in fixes), fixes
