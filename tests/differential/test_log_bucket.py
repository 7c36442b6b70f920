# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare the judge of log buckets with iam-simulate: policies as people write them, requests as CloudTrail makes them.

Whatever the judge admits, iam-simulate must allow for every object that is drawn, whatever AWS leaves open; whatever it
refuses for certain, iam-simulate must refuse for one of the requests that the judge looked at.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from random import Random
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.statements import admission_requests
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.verdict import judge_policy
from ansible_collections.cloudsec.org_trail.plugins.module_utils._policy.evaluation import (
    Request,
    evaluate,
    parse_policy,
)

from tests.broken_policies import ALL, PLACE, SSE, SSE_KEY, Document, Scene

ARCHIVE, MEMBER, OTHER = "222233334444", "444455556666", "999999999999"
MANAGEMENT, CLOUDTRAIL = PLACE.trail.account_id, "cloudtrail.amazonaws.com"
KEY = f"arn:aws:kms:us-east-1:{ARCHIVE}:key/11111111-2222-3333-4444-555555555555"
OTHER_KEY = KEY.replace("555555555555", "666666666666")
OWNED = replace(PLACE, owner=ARCHIVE)
POLICIES = 900
DECISIONS = 10_000

Ask = Callable[[list[dict[str, Any]]], list[str]]

# --- policies ---------------------------------------------------------------------------------------

CONDITIONS: list[tuple[tuple[str, ...], str, list[str]]] = [
    (("StringEquals", "StringNotEquals", "StringNotEqualsIfExists"), "aws:ResourceOrgID", ["o-abc1234567", "o-zz"]),
    (("StringEquals", "StringNotEquals", "StringNotEqualsIfExists"), "aws:SourceOrgID", ["o-abc1234567", "o-zz"]),
    (("StringNotEquals", "StringNotEqualsIfExists"), "aws:SourceOrgID", ["${aws:ResourceOrgID}"]),
    (("StringEquals", "StringNotEquals"), "aws:ResourceAccount", [ARCHIVE, OTHER]),
    (("StringEquals", "StringNotEquals"), "s3:ResourceAccount", [ARCHIVE, OTHER]),
    (("StringEquals", "StringNotEquals"), "aws:ResourceAccount", ["${s3:ResourceAccount}", "${aws:SourceAccount}"]),
    (
        ("StringEquals", "StringNotEqualsIfExists"),
        "aws:SourceAccount",
        [MANAGEMENT, ARCHIVE, "????????????"],
    ),
    (("StringLike", "StringNotLike"), "aws:SourceAccount", ["????????????", "1*", "???????????"]),
    (
        ("ForAnyValue:StringEquals", "ForAllValues:StringEquals"),
        "aws:PrincipalServiceNamesList",
        ["cloudtrail.amazonaws.com"],
    ),
    (("ForAnyValue:StringLike", "ForAllValues:StringLike"), "aws:SourceOrgPaths", ["o-abc1234567/*", "o-zz/*"]),
    (("StringEquals", "StringNotEquals"), "aws:RequestedRegion", ["us-east-1", "eu-west-1"]),
    (("DateLessThan", "DateGreaterThan"), "aws:CurrentTime", ["2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"]),
    (("StringEquals", "StringNotEquals", "StringNotEqualsIfExists"), SSE, ["aws:kms", "AES256"]),
    (("StringNotEquals", "StringNotEqualsIfExists", "ArnNotLike"), SSE_KEY, [KEY, OTHER_KEY]),
    (("Null",), SSE, ["true", "false"]),
    (("Null",), SSE_KEY, ["true", "false"]),
    (("Null",), "aws:SourceAccount", ["true", "false"]),
    (("Null",), "aws:SourceOrgID", ["true", "false"]),
    (("Bool",), "aws:PrincipalIsAWSService", ["true", "false"]),
    (("Bool",), "aws:SecureTransport", ["true", "false"]),
    (("ArnEquals", "ArnNotLike"), "aws:SourceArn", [str(PLACE.trail), "arn:aws:cloudtrail:*:*:trail/*"]),
    (("NumericLessThan",), "s3:TlsVersion", ["1.2", "1.3"]),
]
BUCKET, LOGS = PLACE.bucket_arn, PLACE.object_arn(PLACE.organization_logs)
RESOURCES = [
    *("*", BUCKET, f"{BUCKET}/*", f"{LOGS}*", f"{BUCKET}/AWSLogs/*", f"{BUCKET}/reports/*"),
    *(f"{LOGS}????????????/*", f"{LOGS}???????????/*", f"{BUCKET}/AWSLogs/????????????/*", f"{LOGS}????5555????/*"),
    *(f"{LOGS}{MEMBER}/*", f"{LOGS}{MANAGEMENT}/*", f"{LOGS}4*", f"{BUCKET}/*_{MEMBER}*"),
    *(f"{LOGS}*/CloudTrail/*", f"{LOGS}*/CloudTrail-Digest/*", f"{LOGS}*/CloudTrail*/*"),
    *(f"{LOGS}*/CloudTrail/eu-west-1/*", f"{BUCKET}/*eu-west-1*", f"{LOGS}*/CloudTrail/us-*"),
    *(f"{BUCKET}/*.json.gz", f"{BUCKET}/*.json", f"{BUCKET}/*Z.json.gz", f"{BUCKET}/*/2030/*", f"{BUCKET}/*/2019/*"),
    *(f"{BUCKET}/AWSLogs/${{aws:SourceOrgID}}/*", f"{BUCKET}/*/${{aws:SourceAccount}}_*"),
]
PRINCIPALS = [
    *("*", "*", {"AWS": "*"}, {"Service": CLOUDTRAIL}),
    *({"Service": ["config.amazonaws.com", CLOUDTRAIL]}, {"Service": "config.amazonaws.com"}),
    *({"AWS": f"arn:aws:iam::{ARCHIVE}:role/Admin"}, {"AWS": ARCHIVE}),
]
ACTIONS = ["s3:*", "s3:PutObject", "s3:Put*", "s3:GetBucketAcl", "s3:Get*", ["s3:GetObject", "s3:DeleteObject"], "*"]


def draw_condition(draw: Random, statement: Document) -> None:
    operators, key, values = draw.choice(CONDITIONS)
    value = draw.choice(values) if draw.random() < 0.7 else draw.sample(values, draw.randint(1, len(values)))
    statement.setdefault("Condition", {}).setdefault(draw.choice(operators), {})[key] = value


def draw_statement(draw: Random, number: int) -> Document:
    """A statement of any kind, mostly a Deny; Not… is drawn for each of the elements."""
    effect = draw.choice(["Deny", "Deny", "Deny", "Allow"])
    inverted = {name for name in ("Principal", "Action", "Resource") if draw.random() < 0.2}
    if effect == "Allow":
        inverted.discard("Principal")  # not supported by AWS
    resources = draw.sample(RESOURCES, draw.choice([1, 1, 2, 3]))
    elements = {"Principal": draw.choice(PRINCIPALS), "Action": draw.choice(ACTIONS), "Resource": resources}
    if "Principal" in inverted and elements["Principal"] in ("*", {"AWS": "*"}):
        elements["Principal"] = PRINCIPALS[-2]
    named = {f"Not{name}" if name in inverted else name: value for name, value in elements.items()}
    statement: Document = {"Sid": f"S{number}", "Effect": effect, **named}
    for _ in range(draw.choice([0, 1, 1, 2])):
        draw_condition(draw, statement)
    return statement


def draw_policy(draw: Random) -> Document:
    """AWS's three statements, some of them changed, and others."""
    policy = Scene(OWNED).good()
    if draw.random() < 0.4:
        changed = draw.choice(policy["Statement"])
        kind = draw.choice(["condition", "resource", "gone"])
        if kind == "condition":
            draw_condition(draw, changed)
        elif kind == "resource" and changed["Sid"] != ALL[0]:
            changed["Resource"] = draw.sample(RESOURCES, draw.choice([1, 2, 3]))
        else:
            policy["Statement"].remove(changed)
    policy["Statement"] += [draw_statement(draw, number) for number in range(draw.choice([0, 1, 1, 2]))]
    return policy


# --- requests -----------------------------------------------------------------------------------------


def draw_object(draw: Random) -> str:
    """The ARN of an object that CloudTrail may write tomorrow."""
    account = draw.choice([MANAGEMENT, MEMBER, OTHER, f"{draw.randrange(10**12):012}"])
    kind = draw.choice(["CloudTrail", "CloudTrail-Digest"])
    region = draw.choice(["us-east-1", "eu-west-1", "ap-southeast-2", "us-west-2"])
    year, month, day = draw.choice(["2029", "2030", "2031"]), f"{draw.randint(1, 12):02}", f"{draw.randint(1, 28):02}"
    end = f"{year}{month}{day}T0915Z_{''.join(draw.choices('abcXYZ0123456789', k=16))}"
    if kind == "CloudTrail-Digest":
        end = f"default_us-east-1_{year}{month}{day}T091500Z"
    folder = f"{PLACE.organization_logs}{account}/{kind}/{region}/{year}/{month}/{day}"
    return PLACE.object_arn(f"{folder}/{account}_{kind}_{region}_{end}.json.gz")


def complete(draw: Random, request: Request) -> Request:
    """The request in one of the worlds that the judge has to think of: with everything that it leaves open."""
    put = request.action == "s3:PutObject"
    open_: dict[str, list[Any]] = {
        "aws:CurrentTime": ["2026-12-01T00:00:00Z"],
        "aws:RequestedRegion": ["us-east-1"],
        "aws:SourceOrgPaths": [["o-abc1234567/r-ab12/"], ["o-abc1234567/r-ab12/ou-ab12-11111111/"]],
        "s3:TlsVersion": ["1.2", "1.3"],
        **({SSE: [None, "AES256"]} if put else {"aws:SourceOrgID": [None, "o-abc1234567"]}),
    }
    context = dict(request.context)
    for key, values in open_.items():
        if key not in context:
            context[key] = draw.choice(values)
    return replace(request, context={key: one for key, one in context.items() if one is not None}, complete=True)


def case_of(policy: Document, request: Request) -> dict[str, Any]:
    return {
        "policy": policy,
        "principal": request.principal["Service"],
        "action": request.action,
        "resource": request.resource,
        "context": dict(request.context),
        "owner": ARCHIVE,
    }


@dataclass(frozen=True)
class Judged:
    """A policy, the verdict on it, and the requests that were looked at or drawn, each with our decision on it."""

    policy: Document
    admits: bool | None
    looked_at: list[Request]
    drawn: list[Request]
    decisions: Sequence[str]


def judged(draw: Random) -> Iterator[Judged]:
    while True:
        place = replace(OWNED, kms_key_arn=draw.choice(["", KEY, KEY]))
        policy = draw_policy(draw)
        if not policy["Statement"]:
            continue
        parsed = parse_policy(policy, "resource")
        looked_at = [complete(draw, one.request) for one in admission_requests(place, parsed)]
        drawn = [replace(looked_at[1], resource=draw_object(draw)) for _ in range(4)]
        decisions = [evaluate(parsed, request).effect for request in (*looked_at, *drawn)]
        yield Judged(policy, judge_policy(policy, place).admits, looked_at, drawn, decisions)


@pytest.mark.full
def test_the_judge_agrees_with_iam_simulate(their_answers: Ask) -> None:
    rows = list(islice(judged(Random("log bucket")), POLICIES))
    cases = [case_of(row.policy, request) for row in rows for request in (*row.looked_at, *row.drawn)]
    theirs = iter(their_answers(cases))
    agreed = 0
    verdicts: Counter[bool | None] = Counter()
    for row in rows:
        answers = [next(theirs) for _decision in row.decisions]
        shown = json.dumps(row.policy, indent=1)
        different = [
            (ours, answer, case_of({}, request))
            for ours, answer, request in zip(row.decisions, answers, (*row.looked_at, *row.drawn), strict=True)
            if ours != answer
        ]
        assert not different, f"{different[0]}\n{shown}"
        agreed += len(answers)
        verdicts[row.admits] += 1
        if row.admits:
            assert set(answers) == {"Allow"}, shown
        if row.admits is False:
            assert set(answers[: len(row.looked_at)]) != {"Allow"}, shown
    assert agreed >= DECISIONS
    assert min(verdicts[True], verdicts[False], verdicts[None]) > POLICIES / 50, verdicts
