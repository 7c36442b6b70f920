# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare the lab's authorizer with iam-simulate: SCPs, identity policies, boundary, session and bucket policy at once.

And ask iam-simulate, which knows AWS's tables of actions, resources and condition keys, about docs/iam.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from lab.kernel.call import Call, LabError, Principal
from lab.kernel.world import World
from lab.services.iam import authorizer
from tests.iam_files import PERMISSIONS, Policy, actions_of, filled, grants, listed, without
from tests.unit.test_iam_policies import VALUES

Case = dict[str, Any]
Ask = Callable[[list[Case]], list[str]]

CASES = 1500
ACCOUNT, OTHER = "111122223333", "444455556666"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/Worker"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/Worker/tests"
USER = f"arn:aws:iam::{ACCOUNT}:user/robot"
BUCKET = "arn:aws:s3:::logs"
TRAIL = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/default"
LINKED = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/cloudtrail.amazonaws.com/AWSServiceRoleForCloudTrail"
CLOUDTRAIL, CONFIG = "cloudtrail.amazonaws.com", "config.amazonaws.com"

REQUESTS: list[tuple[str, str, dict[str, list[str]]]] = [
    ("s3:GetBucketPolicy", BUCKET, {"aws:ResourceAccount": [ACCOUNT, OTHER]}),
    ("s3:PutObject", f"{BUCKET}/a", {"s3:x-amz-acl": ["private", "bucket-owner-full-control"]}),
    ("cloudtrail:UpdateTrail", TRAIL, {"aws:RequestedRegion": ["us-east-1", "eu-west-1"]}),
    ("cloudtrail:ListTrails", "*", {"aws:RequestedRegion": ["us-east-1", "eu-west-1"]}),
    ("organizations:EnableAWSServiceAccess", "*", {"organizations:ServicePrincipal": [CLOUDTRAIL, CONFIG]}),
    ("iam:CreateServiceLinkedRole", LINKED, {"iam:AWSServiceName": [CLOUDTRAIL, CONFIG]}),
]
EVERYWHERE = {"aws:PrincipalOrgID": ["o-exampleorgid", "o-other"], "aws:PrincipalArn": [ROLE, USER]}

# --- cases ------------------------------------------------------------------------------------------


def draw_statement(draw: Random, action: str, resource: str, keys: dict[str, list[str]]) -> dict[str, Any]:
    service = action.partition(":")[0]
    statement: dict[str, Any] = {
        "Effect": draw.choice(["Allow", "Allow", "Allow", "Deny"]),
        draw.choice(["Action", "Action", "Action", "NotAction"]): draw.choice(
            [action, [action, "s3:ListBucket"], f"{service}:*", "*", "s3:Get*", "cloudtrail:GetTrail"]
        ),
        "Resource": draw.choice([resource, "*", "*", [resource, BUCKET], f"{BUCKET}/*", TRAIL]),
    }
    if draw.random() < 0.4:
        key = draw.choice(sorted(keys))
        values = draw.choice([*([value] for value in keys[key]), keys[key]])
        operator = draw.choice(["StringEquals", "StringNotEquals", "StringLike", "StringEqualsIfExists"])
        statement["Condition"] = {operator: {key: values}}
    return statement


def draw_policy(draw: Random, *request: Any) -> Policy:
    statements = [draw_statement(draw, *request) for _ in range(draw.choice([1, 1, 2]))]
    return {"Version": "2012-10-17", "Statement": statements}


def draw_bucket_policy(draw: Random, request: tuple[Any, ...], named: str) -> Policy | None:
    """None, or one that names nobody but the caller itself or its whole account."""
    policy = draw_policy(draw, *request) if draw.random() < 0.6 else None
    for statement in policy["Statement"] if policy else []:
        statement["Principal"] = {"AWS": draw.choice([named, f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT])}
        statement["Resource"] = draw.choice([[BUCKET, f"{BUCKET}/*"], f"{BUCKET}/*", BUCKET])
        if "NotAction" in statement:
            statement["Action"] = statement.pop("NotAction")
        statement["Action"] = [one for one in listed(statement["Action"]) if one[:3] in ("s3:", "*")] or "s3:*"
    return policy


def draw_case(draw: Random) -> Case:
    action, resource, own_keys = draw.choice(REQUESTS)
    keys = {**own_keys, **EVERYWHERE}
    request = (action, resource, keys)
    everything = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    principal = draw.choice([SESSION, USER])
    some = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": action, "Resource": "*"}}
    case: Case = {
        "principal": principal,
        "action": action,
        "resource": resource,
        "context": {key: draw.choice(values) for key, values in keys.items() if draw.random() < 0.8},
        "identities": [draw_policy(draw, *request) for _ in range(draw.randint(0, 3))] + [some] * (draw.random() < 0.5),
        "levels": [
            [draw.choice([everything, everything, draw_policy(draw, *request)]) for _ in range(draw.randint(1, 2))]
            for _ in range(draw.randint(0, 3))
        ],
        "owner": ACCOUNT,
        "policy": None,
    }
    if action.startswith("s3:"):
        case["owner"] = draw.choice([ACCOUNT, OTHER])
        case["policy"] = draw_bucket_policy(draw, request, ROLE if principal == SESSION else USER)
    elif draw.random() < 0.3:
        case["boundaries"] = [draw_policy(draw, *request)]
    elif principal == SESSION and draw.random() < 0.3:
        case["session"] = draw_policy(draw, *request)
    return case


# --- the lab's answer ---------------------------------------------------------------------------------


def lab_allows(case: Case, monkeypatch: pytest.MonkeyPatch) -> bool:
    """What lab.authorizer decides, with the case in place of what it reads from the lab's world."""
    service, _, operation = case["action"].partition(":")
    principal = Principal(
        ACCOUNT,
        case["principal"],
        "key",
        role="Worker" if case["principal"] == SESSION else None,
        session_policies=(json.dumps(case["session"]),) if "session" in case else (),
    )
    boundary = (case.get("boundaries") or [None])[0]
    holder = SimpleNamespace(permissions_boundary_arn="limits" if boundary else None)
    policies = SimpleNamespace(managed_policies={"limits": boundary})
    bucket = SimpleNamespace(account_id=case["owner"], policy=case["policy"] and json.dumps(case["policy"]))
    call = SimpleNamespace(
        service=service, operation=operation, account=ACCOUNT, principal=principal, protocol="json", headers={}
    )
    levels = [[SimpleNamespace(content=json.dumps(one)) for one in level] for level in case["levels"]]
    inputs: dict[str, Any] = {
        "scps_for": lambda *_: levels,
        "bucket_of": lambda *_: bucket if service == "s3" else None,
        "context_of": lambda *_: case["context"],
        "resources_of": lambda *_: [case["resource"]],
        "action_of": lambda *_: case["action"],
        "identity_of": lambda *_: holder,
        "documents_of": lambda *_: [json.dumps(one) for one in case["identities"]],
        "iam": SimpleNamespace(backend_of=lambda *_: policies, document_of=json.dumps),
    }
    for name, value in inputs.items():
        monkeypatch.setattr(authorizer, name, value)
    try:
        authorizer.authorize(World(enforce_iam=True), cast(Call, call))
    except LabError:
        return False
    return True


def test_the_lab_agrees_with_iam_simulate(their_answers: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = Random("authorizer")
    cases = [draw_case(draw) for _ in range(CASES)]
    theirs = their_answers(cases)
    assert not [answer for answer in theirs if answer not in ("Allow", "Deny", "ImplicitDeny")][:1]
    assert min(theirs.count(answer) for answer in ("Allow", "Deny", "ImplicitDeny")) > CASES / 20
    ours = [lab_allows(case, monkeypatch) for case in cases]
    different = [
        (case, mine, other) for case, mine, other in zip(cases, ours, theirs, strict=True) if mine != (other == "Allow")
    ]
    assert not different, f"{len(different)} of {len(cases)}: {json.dumps(different[:1], indent=1)}"


# --- docs/iam -----------------------------------------------------------------------------------------


def requests_of(policy: Policy) -> list[tuple[str, str, dict[str, str]]]:
    """For each action of each statement, on each of its resources, the request that it is there for."""
    found = []
    for statement, action in grants(policy):
        condition = statement.get("Condition", {}).get("StringEquals", {})
        for resource in listed(statement["Resource"]):
            right = resource.replace("arn:aws:iam::*", f"arn:aws:iam::{OTHER}").replace(
                "cloudtrail:*", "cloudtrail:eu-west-1"
            )
            found.append((action, right if right == "*" else right.replace("*", "name"), dict(condition)))
    return [one for one in found if fits(*one[:2])]


def fits(action: str, resource: str) -> bool:
    """Whether an action is about that kind of resource, where one statement is for two kinds."""
    kinds = {"cloudtrail:GetEventDataStore": "eventdatastore/", "cloudtrail:GetTrail": "trail/"}
    return kinds.get(action, "") in resource


def case_of(policy: Policy, action: str, resource: str, context: dict[str, str]) -> Case:
    """A request of a role of the account that the policy is for; roles and keys let that account in themselves."""
    named = context.get("aws:ResourceAccount") or (resource.split(":") + [""] * 5)[4]
    owner = named if named.isdigit() else ACCOUNT  # AWS's own policies belong to "aws"
    own_actions = ("s3:", "cloudtrail:CreateTrail", "account:ListRegions", "events:", "iam:PassRole")
    account = owner if action.startswith(own_actions) else ACCOUNT
    let_in = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": action}
    own = {"sts": let_in, "kms": {**let_in, "Resource": "*"}}.get(action.partition(":")[0])
    return {
        "principal": f"arn:aws:sts::{account}:assumed-role/Worker/tests",
        "action": action,
        "resource": resource,
        "context": {
            "aws:PrincipalAccount": account,
            **{key: value.replace("${aws:PrincipalAccount}", account) for key, value in context.items()},
        },
        "owner": owner,
        "identities": [policy],
        "policy": own and {"Version": "2012-10-17", "Statement": own},
    }


@pytest.mark.parametrize("name", PERMISSIONS)
def test_iam_simulate_allows_what_the_policies_are_for(their_answers: Ask, name: str) -> None:
    policy = filled(name, VALUES)
    requests = requests_of(policy)
    assert {request[0] for request in requests} == actions_of(policy)
    assert their_answers([case_of(policy, *request) for request in requests]) == ["Allow"] * len(requests)
    narrower = [case_of(without(policy, request[0]), *request) for request in requests]
    narrower = [case for case in narrower if case["identities"][0]["Statement"]]
    assert set(their_answers(narrower)) <= {"ImplicitDeny"}


@pytest.mark.parametrize("name", PERMISSIONS)
def test_iam_simulate_denies_without_the_condition(their_answers: Ask, name: str) -> None:
    policy = filled(name, VALUES)
    cases = [
        case_of(policy, action, resource, context) | {"context": dict.fromkeys(context, "other")}
        for action, resource, context in requests_of(policy)
        if context
    ]
    assert set(their_answers(cases)) <= {"ImplicitDeny"}
