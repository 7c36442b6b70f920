# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import TrailArn, parse_trail_arn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.log_place import LogPlace
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.verdict import (
    admission_requests,
    admitted_home_regions,
    judge_policy,
    merge_policy,
    remove_trail,
    required_statements,
    size_problem,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._policy.evaluation import PolicyError

from tests.broken_policies import (
    ACL,
    ALL,
    ORGANIZATION_WRITE,
    WRITE,
    BrokenPolicy,
    Scene,
    admitting_policies,
    broken_policies,
)

BUCKET = "aws-cloudtrail-logs-222233334444-abcd"
ARN = "arn:aws:cloudtrail:us-east-1:111122223333:trail/default"
OTHER_ARN = "arn:aws:cloudtrail:us-east-1:111122223333:trail/second"
ORGANIZATION = "o-abc1234567"
PLACE = LogPlace(BUCKET, parse_trail_arn(ARN), ORGANIZATION)
OTHER_PLACE = replace(PLACE, trail=parse_trail_arn(OTHER_ARN))
SCENE = Scene(PLACE)
BROKEN = broken_policies(PLACE)
ADMITTING = admitting_policies(PLACE)
REPAIRABLE = [row for row in BROKEN if row.repairable]
BLOCKED = [row for row in BROKEN if not row.repairable]


def text(value: Any) -> str:
    return json.dumps(value)


# --- required_statements --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("region", "prefix", "resource"),
    [
        ("us-east-1", "", "arn:aws:s3:::b/AWSLogs/o-1/*"),
        ("us-east-1", "audit", "arn:aws:s3:::b/audit/AWSLogs/o-1/*"),
        ("us-east-1", "a/b", "arn:aws:s3:::b/a/b/AWSLogs/o-1/*"),
        ("cn-north-1", "", "arn:aws-cn:s3:::b/AWSLogs/o-1/*"),
        ("us-gov-west-1", "x", "arn:aws-us-gov:s3:::b/x/AWSLogs/o-1/*"),
    ],
)
def test_required_statements_names_the_paths(region: str, prefix: str, resource: str) -> None:
    partition = resource.split(":")[1]
    trail = TrailArn(partition, region, "111122223333", "default")
    acl, management, organization = required_statements(LogPlace("b", trail, "o-1", prefix))
    assert organization["Resource"] == resource
    assert management["Resource"] == resource.replace("o-1", "111122223333")
    assert acl["Resource"] == f"arn:{partition}:s3:::b"
    assert [one["Condition"]["StringEquals"]["aws:SourceArn"] for one in (acl, management, organization)] == [
        str(trail)
    ] * 3


def test_required_statements_is_what_aws_documents() -> None:
    assert required_statements(PLACE)[2] == {
        "Sid": "AWSCloudTrailOrganizationWrite20150319",
        "Effect": "Allow",
        "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{BUCKET}/AWSLogs/{ORGANIZATION}/*",
        "Condition": {"StringEquals": {"aws:SourceArn": ARN, "s3:x-amz-acl": "bucket-owner-full-control"}},
    }


def test_admission_requests_belong_to_the_required_statements() -> None:
    sids = [one.sid for one in admission_requests(PLACE)]
    assert list(dict.fromkeys(sids)) == [ACL, WRITE, ORGANIZATION_WRITE]


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
    assert bool(verdict.blocking) is not row.repairable


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
    assert [problem.statement for problem in verdict.blocking] == ["NoPut"]


def test_judge_policy_gives_the_json_to_add() -> None:
    (problem,) = judge_policy(SCENE.without(ORGANIZATION_WRITE), PLACE).problems
    assert json.loads(problem.fix.removeprefix("Add ")) == required_statements(PLACE)[2]


def test_judge_policy_names_a_statement_without_sid_by_its_place() -> None:
    policy = SCENE.with_source("StringEquals", "aws:SourceArn", OTHER_ARN)
    for statement in policy["Statement"]:
        del statement["Sid"]
    verdict = judge_policy(policy, PLACE)
    assert {one.statement for one in verdict.problems} == {"statement 1", "statement 2", "statement 3"}


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


# --- merge_policy ---------------------------------------------------------------------------------


@pytest.mark.parametrize("row", REPAIRABLE, ids=lambda row: row.name)
def test_merge_policy_repairs_and_touches_no_other_statement(row: BrokenPolicy) -> None:
    before = text(row.policy)
    merged = merge_policy(row.policy, replace(PLACE, prefix=row.prefix))
    assert text(row.policy) == before
    assert judge_policy(merged, replace(PLACE, prefix=row.prefix)).admits is True
    assert merge_policy(merged, replace(PLACE, prefix=row.prefix)) == merged
    sids = [one["Sid"] for one in merged["Statement"]]
    assert len(set(sids)) == len(sids)
    old = row.policy["Statement"] if row.policy else []
    for one, other in zip(old, merged["Statement"], strict=False):
        assert one["Sid"] == other["Sid"]
        assert text(one) == text(other) or text(without_source_arn(one)) == text(without_source_arn(other))


def without_source_arn(statement: dict[str, Any]) -> dict[str, Any]:
    """Drop the only value that a repair may change."""
    result = copy.deepcopy(statement)
    for keys in result.get("Condition", {}).values():
        for key in list(keys):
            if key.lower() == "aws:sourcearn":
                keys[key] = "any"
    return result


@pytest.mark.parametrize("row", BLOCKED, ids=lambda row: row.name)
def test_a_merge_does_not_hide_what_still_blocks(row: BrokenPolicy) -> None:
    if row.name == "effect_misspelt":
        with pytest.raises(PolicyError, match="Alow"):
            merge_policy(row.policy, PLACE)
        return
    assert merge_policy(row.policy, PLACE) == row.policy
    (problem, *_rest) = judge_policy(row.policy, PLACE).blocking
    assert "aws:PrincipalIsAWSService" in problem.fix


@pytest.mark.parametrize("name", ADMITTING)
def test_merge_policy_leaves_what_admits_as_it_is(name: str) -> None:
    assert text(merge_policy(ADMITTING[name], PLACE)) == text(ADMITTING[name])


def test_merge_policy_widens_the_statements_of_another_trail() -> None:
    shared = merge_policy(SCENE.good(), OTHER_PLACE)
    assert [one["Sid"] for one in shared["Statement"]] == list(ALL)
    assert [one["Condition"]["StringEquals"]["aws:SourceArn"] for one in shared["Statement"]] == [[ARN, OTHER_ARN]] * 3
    assert judge_policy(shared, PLACE).admits is True
    assert judge_policy(shared, OTHER_PLACE).admits is True


def test_merge_policy_gives_a_second_prefix_sids_of_its_own() -> None:
    merged = merge_policy(SCENE.good(), replace(PLACE, prefix="audit"))
    assert [one["Sid"] for one in merged["Statement"]] == [*ALL, f"{WRITE}Trail2", f"{ORGANIZATION_WRITE}Trail2"]
    again = merge_policy(merged, replace(PLACE, prefix="third"))
    assert [one["Sid"] for one in again["Statement"]][5:] == [f"{WRITE}Trail3", f"{ORGANIZATION_WRITE}Trail3"]


def test_merge_policy_keeps_version_id_and_order() -> None:
    policy = {"Id": "mine", "Statement": SCENE.with_deny("D", {})["Statement"][3], "Version": "2008-10-17"}
    merged = merge_policy(policy, PLACE)
    assert list(merged) == ["Id", "Statement", "Version"]
    assert (merged["Id"], merged["Version"]) == ("mine", "2008-10-17")
    assert [one["Sid"] for one in merged["Statement"]] == ["D", *ALL]


def test_merge_policy_without_a_policy_is_the_documented_one() -> None:
    assert merge_policy(None, PLACE) == SCENE.good()


# --- remove_trail ---------------------------------------------------------------------------------

DENY = {"Bool": {"aws:SecureTransport": "false"}}
SHARED = SCENE.with_source("StringEquals", "aws:SourceArn", [OTHER_ARN, ARN])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (SCENE.good(), None),
        (SCENE.with_deny("D", DENY), {**SCENE.good(), "Statement": SCENE.with_deny("D", DENY)["Statement"][3:]}),
        (SHARED, SCENE.with_source("StringEquals", "aws:SourceArn", OTHER_ARN)),
        (Scene(OTHER_PLACE).good(), "the same"),
        (ADMITTING["source_account"], "the same"),
        (ADMITTING["source_arn_like"], "the same"),
        (ADMITTING["no_condition"], "the same"),
        (SCENE.good("audit"), {**SCENE.good(), "Statement": SCENE.good("audit")["Statement"][1:]}),
        (ADMITTING["one_statement_for_both_writes"], None),
        (SCENE.with_deny("D", {"StringEquals": {"aws:SourceArn": ARN}}), "the deny"),
    ],
)
def test_remove_trail(before: dict[str, Any], after: Any) -> None:
    untouched = text(before)
    removed = remove_trail(before, PLACE)
    assert text(before) == untouched
    if after == "the deny":
        after = {**before, "Statement": before["Statement"][3:]}
    assert removed == (before if after == "the same" else after)


def test_remove_trail_undoes_merge_policy() -> None:
    other = merge_policy(SCENE.with_deny("D", DENY), OTHER_PLACE)
    assert remove_trail(other, OTHER_PLACE) == SCENE.with_deny("D", DENY)


# --- size_problem ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("length", "too_large"), [(20480, False), (20481, True)])
def test_size_problem_counts_bytes_without_blanks(length: int, too_large: bool) -> None:
    policy = {"Id": ""}
    policy["Id"] = "x" * (length - len('{"Id":""}'))
    problem = size_problem(policy)
    assert bool(problem) is too_large
    assert not too_large or f"{length} bytes" in str(problem)
