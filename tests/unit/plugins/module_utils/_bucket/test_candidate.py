# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import named_trail
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.organizations import Organization
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.candidate import (
    SoughtTrail,
    judge_bucket,
    required_policy,
    sought_trail,
    summarize,
    unreadable,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.verdict import required_statements

from tests.broken_policies import BrokenPolicy, broken_policies

MANAGEMENT = "111122223333"
ORGANIZATION = Organization("o-abc1234567", "ALL", MANAGEMENT)
REGIONS = ("eu-central-1", "us-east-1", "us-west-2")
BUCKET = "example-logs"


def trail(name: str = "default", prefix: str = "") -> SoughtTrail:
    return sought_trail(named_trail(name), ORGANIZATION, prefix, REGIONS, "us-east-1")


def arn(region: str = "us-east-1", account: str = MANAGEMENT, name: str = "default", partition: str = "aws") -> str:
    return f"arn:{partition}:cloudtrail:{region}:{account}:trail/{name}"


def policy(*trail_arns: str, key: str = "aws:SourceArn", operator: str = "StringEquals") -> str:
    statements = required_statements(trail().place(BUCKET))
    for statement in statements:
        del statement["Condition"]["StringEquals"]["aws:SourceArn"]
        statement["Condition"].setdefault(operator, {})[key] = list(trail_arns)
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


ADMITTED = {
    "none": (trail(), None, ()),
    "one_region": (trail(), policy(arn("us-west-2")), ("us-west-2",)),
    "two_regions": (trail(), policy(arn("us-west-2"), arn("us-east-1")), ("us-east-1", "us-west-2")),
    "every_region": (trail(), policy(arn("*"), operator="ArnLike"), REGIONS),
    "by_account": (trail(), policy(MANAGEMENT, key="aws:SourceAccount"), REGIONS),
    "region_that_botocore_does_not_know": (trail(), policy(arn("xx-new-1")), ("xx-new-1",)),
    "known_home_region": (trail(arn("us-west-2")), policy(arn("*"), operator="ArnLike"), ("us-west-2",)),
    "other_home_region": (trail(arn("us-west-2")), policy(arn("us-east-1")), ()),
    "other_trail": (trail("other"), policy(arn()), ()),
    "home_region_of_the_arn": (trail(arn()), policy(arn()), ("us-east-1",)),
    "other_partition": (trail(), policy(arn("us-gov-west-1", partition="aws-us-gov")), ()),
}


@pytest.mark.parametrize(("sought", "document", "regions"), ADMITTED.values(), ids=ADMITTED)
def test_judge_bucket_admitted_home_regions(
    sought: SoughtTrail, document: str | None, regions: tuple[str, ...]
) -> None:
    candidate = judge_bucket(BUCKET, document, sought)
    assert candidate.admitted_home_regions == regions
    assert candidate.admits is bool(regions)
    assert bool(candidate.problems) is not bool(regions)


# In these the region is left open, or is what is wrong.
ABOUT_THE_REGION = {"source_arn_other_region", "source_arn_like_other_account", "no_policy"}
BROKEN = broken_policies(trail(arn("us-west-2")).place(BUCKET))


@pytest.mark.parametrize("row", [row for row in BROKEN if row.name not in ABOUT_THE_REGION], ids=lambda row: row.name)
def test_judge_bucket_names_the_cause_though_the_home_region_is_not_known(row: BrokenPolicy) -> None:
    """The policies are made for us-west-2; the one that looks says only us-east-1."""
    candidate = judge_bucket(BUCKET, json.dumps(row.policy), trail(prefix=row.prefix))
    assert not candidate.admits
    assert {problem.statement for problem in candidate.problems} == set(row.blamed)


def test_required_policy_admits() -> None:
    candidate = judge_bucket(BUCKET, None, trail())
    document = required_policy(candidate.place)
    assert judge_bucket(BUCKET, json.dumps(document), trail()).admitted_home_regions == ("us-east-1",)


def test_summarize() -> None:
    summary = summarize(judge_bucket(BUCKET, None, trail()))
    assert (summary["name"], summary["admits"], summary["trail_arn"]) == (BUCKET, False, arn())
    problems: Any = summary["problems"]
    assert set(problems[0]) == {"statement", "found", "expected", "fix", "repairable"}


def test_unreadable_is_no_admission() -> None:
    candidate = unreadable(BUCKET, "denied", trail())
    assert (candidate.admits, candidate.readable) == (False, False)
    assert [problem.found for problem in candidate.problems] == ["denied"]


def test_sought_trail_refuses_the_trail_of_another_account() -> None:
    with pytest.raises(ValueError, match="names account 222233334444; expected the management account 111122223333"):
        trail(arn(account="222233334444"))


@pytest.mark.parametrize(
    ("sought", "text"),
    [
        (trail(), f"trail default of management account {MANAGEMENT} (organization o-abc1234567)"),
        (trail(arn("us-west-2"), "a"), f"trail default in us-west-2 with prefix a of management account {MANAGEMENT}"),
    ],
)
def test_sought_trail_says_what_is_known(sought: SoughtTrail, text: str) -> None:
    assert str(sought).startswith(text)
