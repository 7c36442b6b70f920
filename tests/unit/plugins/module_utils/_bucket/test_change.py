# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Adding a trail to a policy and taking it out again; everything else stays as it is."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import parse_trail_arn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.verdict import (
    judge_policy,
    merge_policy,
    remove_trail,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._policy.evaluation import PolicyError

from tests.broken_policies import (
    ALL,
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
OTHER_PLACE = replace(PLACE, trail=parse_trail_arn(OTHER_ARN))
SCENE = Scene(PLACE)
BROKEN = broken_policies(PLACE)
ADMITTING = admitting_policies(PLACE)
REPAIRABLE = [row for row in BROKEN if row.repairable]
BLOCKED = [row for row in BROKEN if not row.repairable]


def text(value: Any) -> str:
    return json.dumps(value)


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
    assert any(not problem.repairable for problem in judge_policy(row.policy, PLACE).problems)


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
