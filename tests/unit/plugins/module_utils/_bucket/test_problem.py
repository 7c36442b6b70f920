# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said of a policy that does not admit the trail; who does as the first remedy says is let in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.log_place import LogPlace
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.verdict import judge_policy
from ansible_collections.cloudsec.org_trail.plugins.module_utils._policy.evaluation import (
    Request,
    evaluate,
    parse_policy,
)

from tests.broken_policies import PLACE, SSE, Document, broken_policies
from tests.policy_cases import ARCHIVE, MEMBER, OTHER, PolicyCase, policy_cases
from tests.remedies import follow

CASES = policy_cases(PLACE)
REMEDIABLE = [
    *((row.name, row.policy, replace(PLACE, prefix=row.prefix)) for row in broken_policies(PLACE) if row.storable),
    *((case.name, case.policy, case.place) for case in CASES if case.admits is not True),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_case_has_its_verdict(case: PolicyCase) -> None:
    verdict = judge_policy(case.policy, case.place)
    assert verdict.admits is case.admits, verdict.problems
    assert bool(verdict.problems) is (case.admits is not True)
    told = " ".join(f"{one.statement} {one.found} {one.expected} {one.fix}" for one in verdict.problems)
    assert [words for words in case.says if words not in told] == []
    assert not case.fix or verdict.problems[0].fix.startswith(case.fix), verdict.problems[0].fix


def test_each_deny_is_one_problem() -> None:
    case = next(case for case in CASES if case.name == "not_principal")
    assert [one.statement for one in judge_policy(case.policy, case.place).problems] == ["OnlyAdmin"]


def test_one_statement_for_both_paths_is_never_called_absent() -> None:
    case = next(case for case in CASES if case.name == "both_paths_one_statement")
    assert "absent" not in {one.statement for one in judge_policy(case.policy, case.place).problems}


# --- the remedies are taken at their word ---------------------------------------------------------


@pytest.mark.parametrize(("name", "policy", "place"), REMEDIABLE, ids=[row[0] for row in REMEDIABLE])
def test_who_does_as_the_remedies_say_is_admitted_and_nobody_loses_access(
    name: str, policy: Document | None, place: LogPlace
) -> None:
    before = policy
    for _round in range(5):
        problems = judge_policy(policy, place).problems
        if not problems:
            break
        policy, place = follow(problems[0].statement, problems[0].fix, policy, place)
    assert judge_policy(policy, place).admits is True
    for request in people(place):
        assert decision(before, request) == decision(policy, request), request
    for request in services(place):
        assert decision(before, request) != "Allow" or decision(policy, request) == "Allow", request


def people(place: LogPlace) -> Iterator[Request]:
    """Requests of people in two accounts: nobody loses access by a remedy, and no Deny for them is lifted."""
    roles = [f"arn:aws:iam::{account}:role/{role}" for account in (ARCHIVE, OTHER) for role in ("Admin", "Writer")]
    for (action, resource), role, secure in product(asked(place), roles, ("true", "false")):
        context = {
            "aws:PrincipalAccount": role.split(":")[4],
            "aws:PrincipalArn": role,
            "aws:PrincipalIsAWSService": "false",
            "aws:SecureTransport": secure,
            SSE: "aws:kms",
        }
        yield Request(action, resource, {"AWS": role}, context)


def services(place: LogPlace) -> Iterator[Request]:
    """Requests of another service, and of CloudTrail for a trail of another account."""
    source = str(replace(place.trail, account_id=OTHER, name="foreign"))
    for (action, resource), name in product(asked(place), ("config", "cloudtrail")):
        context = {
            "aws:PrincipalIsAWSService": "true",
            "aws:SecureTransport": "true",
            "aws:SourceAccount": OTHER,
            "aws:SourceArn": source,
            "s3:x-amz-acl": "bucket-owner-full-control",
        }
        yield Request(action, resource, {"Service": f"{name}.amazonaws.com"}, context)


def asked(place: LogPlace) -> list[tuple[str, str]]:
    keys = ("a", f"AWSLogs/{OTHER}/x", f"audit/AWSLogs/{OTHER}/x", f"{place.organization_logs}{MEMBER}/x")
    objects = product(("s3:PutObject", "s3:GetObject"), (place.object_arn(key) for key in keys))
    return [*objects, ("s3:GetBucketAcl", place.bucket_arn), ("s3:DeleteBucket", place.bucket_arn)]


def decision(policy: Document | None, request: Request) -> str:
    return evaluate(parse_policy(policy, "resource"), request).effect if policy else "ImplicitDeny"
