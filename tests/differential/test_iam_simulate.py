# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare our decisions with those of iam-simulate (npm, AGPL: a process of its own, never vendored).

Every class of disagreement is a row of EXPLANATIONS with the page of AWS's documentation that decides it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from random import Random
from typing import Any

from ansible_collections.cloudsec.org_trail.plugins.module_utils._policy.evaluation import (
    Decision,
    Mismatch,
    Request,
    evaluate,
    parse_policy,
)
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

POLICIES = 700
REQUESTS_PER_POLICY = 4
DECISIONS = 5000

IAM = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"
BUCKET = "arn:aws:s3:::logs"
TRAIL = "arn:aws:cloudtrail:us-east-1:111122223333:trail/default"
ROLE = "arn:aws:iam::111122223333:role/audit/Reader"
SESSION = "arn:aws:sts::111122223333:assumed-role/Reader/ann"
USER = "arn:aws:iam::444455556666:user/bob"
SERVICE = "cloudtrail.amazonaws.com"

Case = dict[str, Any]

# --- generators -----------------------------------------------------------------------------------

STRINGS = [
    "default",
    "Default",
    "de*",
    "d?fault",
    "*",
    "${aws:SourceAccount}",
    "${aws:PrincipalTag/team, 'blue'}",
    "${*}",
]
ARNS = [
    TRAIL,
    "arn:aws:cloudtrail:*:111122223333:trail/*",
    "arn:aws:cloudtrail:us-west-2:111122223333:trail/default",
    "arn:*:cloudtrail:us-east-1:*:trail/defaul?",
    "arn:aws:cloudtrail:us-east-1:${aws:SourceAccount}:trail/default",
    "arn:aws-cn:cloudtrail:us-east-1:111122223333:trail/default",
]
NUMBERS = ["0", "1", "1.2", "1.20", "-5", "300"]
DATES = ["2024-06-01T00:00:00Z", "2024-06-01", "2025-01-01T12:30:00+02:00", "1717200000", "1735731000"]
ADDRESSES = ["10.0.0.0/8", "10.1.2.3", "192.0.2.0/24", "2001:db8::/32", "2001:db8::1"]
BOOLEANS = ["true", "false"]
BINARIES = ["QUJD", "QUJE"]
# Operators, the keys they are used with here, the values in policies.
OPERATORS = [
    (("String", ("Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase", "Like", "NotLike")), STRINGS),
    (("Arn", ("Equals", "NotEquals", "Like", "NotLike")), ARNS),
    (("Numeric", ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")), NUMBERS),
    (("Date", ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")), DATES),
    (("", ("IpAddress", "NotIpAddress")), ADDRESSES),
    (("", ("Bool",)), BOOLEANS),
    (("", ("BinaryEquals",)), BINARIES),
    (("", ("Null",)), BOOLEANS),
]
KEYS: dict[str, list[str]] = {
    "String": ["aws:userid", "aws:PrincipalTag/team", "aws:SourceAccount", "AWS:sourceaccount"],
    "Arn": ["aws:SourceArn", "aws:sourcearn"],
    "Numeric": ["aws:MultiFactorAuthAge", "s3:TlsVersion"],
    "Date": ["aws:CurrentTime", "aws:EpochTime"],
    "IpAddress": ["aws:SourceIp"],
    "NotIpAddress": ["aws:SourceIp"],
    "Bool": ["aws:SecureTransport"],
    "BinaryEquals": ["aws:PrincipalTag/key"],
    "Null": ["aws:SourceArn", "aws:PrincipalTag/team", "aws:SourceIp"],
}
SET_KEYS = ["aws:TagKeys", "aws:PrincipalServiceNamesList"]
CONTEXT = {
    "aws:userid": ["default", "DEFAULT", "111122223333", "*"],
    "aws:PrincipalTag/key": ["QUJD", "QUJF"],
    "aws:PrincipalTag/team": ["default", "blue", "d?fault"],
    "aws:SourceAccount": ["111122223333", "default"],
    "aws:SourceArn": [TRAIL, "arn:aws:cloudtrail:us-west-2:444455556666:trail/other"],
    "aws:MultiFactorAuthAge": ["0", "1", "299"],
    "s3:TlsVersion": ["1.2", "1.3"],
    "aws:CurrentTime": ["2024-06-01T00:00:00Z", "2025-01-01T10:30:00Z"],
    "aws:EpochTime": ["1717200000", "1735731000"],
    "aws:SourceIp": ["10.1.2.3", "192.0.2.77", "2001:db8::1"],
    "aws:SecureTransport": BOOLEANS,
}


def some(draw: Random, values: list[str]) -> str | list[str]:
    """Draw one value, or a list of a few."""
    return draw.choice(values) if draw.random() < 0.5 else draw.sample(values, draw.randint(1, min(3, len(values))))


def draw_condition(draw: Random) -> dict[str, dict[str, str | list[str]]]:
    (family, names), values = draw.choice(OPERATORS)
    name = draw.choice(names)
    if family == "String" and draw.random() < 0.5:
        quantifier = draw.choice(["ForAllValues:", "ForAnyValue:", ""])
        key = draw.choice(SET_KEYS)
    else:
        quantifier, key = "", draw.choice(KEYS[family or name])
    suffix = "IfExists" if name != "Null" and draw.random() < 0.25 else ""
    return {f"{quantifier}{family}{name}{suffix}": {key: some(draw, values)}}


def draw_principal(draw: Random) -> Any:
    named = some(draw, ["*", "111122223333", "arn:aws:iam::444455556666:root", ROLE, SESSION, USER])
    both = {"Service": SERVICE, "AWS": USER}
    several = {"Service": ["config.amazonaws.com", SERVICE]}
    return draw.choice(["*", {"AWS": "*"}, {"Service": SERVICE}, several, {"AWS": named}, {"AWS": named}, both])


ACTIONS = [
    *("*", "*", "*", "s3:*", "S3:*", "s3:PutObject", "S3:PUTOBJECT"),
    *("s3:Put*", "s3:Get?ucketAcl", "s3:GetBucketAcl", "s3:GetObject"),
]
RESOURCES = [
    "*",
    "*",
    BUCKET,
    f"{BUCKET}/*",
    f"{BUCKET}/AWSLogs/111122223333/*",
    f"{BUCKET}/AWSLogs/${{aws:SourceAccount}}/*",
    f"{BUCKET}/AWSLogs/${{aws:PrincipalTag/team, 'blue'}}/*",
    f"{BUCKET}/?WSLogs/*/x",
    "arn:aws:s3:::LOGS/*",
    "arn:aws:s3:::l*",
]


def draw_statement(draw: Random) -> dict[str, Any]:
    def either(name: str) -> str:
        return name if draw.random() < 0.8 else f"Not{name}"

    statement: dict[str, Any] = {
        "Effect": draw.choice(["Allow", "Allow", "Deny"]),
        either("Principal"): draw_principal(draw),
        either("Action"): some(draw, ACTIONS),
        either("Resource"): some(draw, RESOURCES),
    }
    for _ in range(draw.choice([0, 1, 1, 2])):
        statement.setdefault("Condition", {}).update(draw_condition(draw))
    return statement


def draw_request(draw: Random) -> dict[str, Any]:
    keys = draw.sample(sorted(CONTEXT), draw.randint(len(CONTEXT) // 2, len(CONTEXT)))
    context: dict[str, str | list[str]] = {key: draw.choice(CONTEXT[key]) for key in keys}
    for key in draw.sample(SET_KEYS, draw.randint(0, 2)):
        context[key] = draw.choices(["default", "Default", "blue", ""], k=draw.randint(2, 3))
    action, resource = draw.choice(
        [
            ("s3:GetBucketAcl", BUCKET),
            ("s3:PutObject", f"{BUCKET}/AWSLogs/111122223333/x"),
            ("s3:PutObject", f"{BUCKET}/AWSLogs/blue/x"),
            ("s3:GetObject", f"{BUCKET}/readme"),
        ]
    )
    principal = draw.choice([SERVICE, SERVICE, USER, SESSION, "arn:aws:iam::444455556666:user/eve"])
    return {"principal": principal, "action": action, "resource": resource, "context": context}


def generate_cases() -> list[Case]:
    """Return the same cases on every run, each once: every policy as a whole and statement by statement."""
    cases: dict[str, Case] = {}

    @settings(max_examples=POLICIES, derandomize=True, database=None, deadline=None, phases=[Phase.generate])
    @given(st.randoms(use_true_random=True))
    def collect(draw: Random) -> None:
        version = draw.choice(["2012-10-17", "2012-10-17", "2012-10-17", "2008-10-17"])
        whole = [draw_statement(draw) for _ in range(draw.randint(1, 3))]
        requests = [draw_request(draw) for _ in range(REQUESTS_PER_POLICY)]
        for part, request in product([whole, *([one] for one in whole)], requests):
            case = {"policy": {"Version": version, "Statement": part}, **request}
            cases[json.dumps(case, sort_keys=True)] = case

    collect()
    return list(cases.values())


# --- the two answers ------------------------------------------------------------------------------


def our_decision(case: Case) -> Decision:
    kind = "Service" if case["principal"] == SERVICE else "AWS"
    request = Request(case["action"], case["resource"], {kind: case["principal"]}, case["context"])
    return evaluate(parse_policy(case["policy"], "resource"), request)


# --- why they may differ ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Explanation:
    """A class of disagreement: the page that decides it, how to recognise it, and a statement that shows it."""

    page: str
    applies: Callable[[Case, Decision], bool]
    statement: dict[str, Any]
    context: dict[str, str | list[str]]
    version: str = "2012-10-17"

    def witness(self) -> Case:
        """Return the smallest case of this class."""
        statement = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"} | self.statement
        if "NotPrincipal" in statement:
            del statement["Principal"]
        policy = {"Version": self.version, "Statement": [statement]}
        key = f"{BUCKET}/AWSLogs/111122223333/x"
        return {
            "policy": policy,
            "principal": SERVICE,
            "action": "s3:PutObject",
            "resource": key,
            "context": self.context,
        }


def doubts(decision: Decision) -> list[Mismatch]:
    """What made our answer Unknown."""
    return [doubt for match in decision.statements for doubt in match.doubts]


def has(pattern: str) -> Callable[[Case, Decision], bool]:
    """Recognise a case in which we are certain by what stands in its policy."""
    return lambda case, decision: not doubts(decision) and re.search(pattern, json.dumps(case["policy"])) is not None


EXPLANATIONS = {
    # "NotPrincipal must be used with Effect Deny. Using it with Allow is not supported"; with Deny, a caller who is
    # named without the account "might" be denied. iam-simulate decides both; we say Unknown.
    "NotPrincipal": Explanation(
        f"{IAM}reference_policies_elements_notprincipal.html",
        lambda _case, decision: any(doubt.element == "NotPrincipal" for doubt in doubts(decision)),
        {"NotPrincipal": {"AWS": USER}},
        {},
    ),
    # "If AWS cannot resolve a variable this might cause the entire statement to be invalid." iam-simulate lets a
    # negated element match; we say Unknown.
    "a variable without a value in a negated element": Explanation(
        f"{IAM}reference_policies_variables.html",
        lambda _case, decision: any("${" in doubt.expected and "Not" in doubt.element for doubt in doubts(decision)),
        {"Condition": {"StringNotEquals": {"aws:userid": "${aws:SourceAccount}"}}},
        {"aws:userid": "x"},
    ),
    # "Multivalued context keys require a condition set operator." iam-simulate takes it as no match; we say Unknown.
    "several values without a set operator": Explanation(
        f"{IAM}reference_policies_condition-single-vs-multi-valued-context-keys.html",
        lambda _case, decision: any(
            ", " in doubt.found and doubt.element.startswith("Condition") and ":" not in doubt.element.split()[1]
            for doubt in doubts(decision)
        ),
        {"Condition": {"StringEquals": {"aws:TagKeys": "a"}}},
        {"aws:TagKeys": ["a", "b"]},
    ),
    # "Policy variables … available in version 2012-10-17"; before, "${…}" is a literal text.
    "variables in Version 2008-10-17": Explanation(
        f"{IAM}reference_policies_elements_version.html",
        lambda case, decision: has(r"\$\{")(case, decision) and case["policy"]["Version"] == "2008-10-17",
        {"Condition": {"StringEquals": {"aws:userid": "${aws:SourceAccount}"}}},
        {"aws:userid": "1", "aws:SourceAccount": "1"},
        "2008-10-17",
    ),
    # "If the key is not present, evaluate the condition element as true", for any operator but Null.
    "IfExists with ForAnyValue": Explanation(
        f"{IAM}reference_policies_elements_condition_operators.html#Conditions_IfExists",
        has("ForAnyValue:[A-Za-z]*IfExists"),
        {"Condition": {"ForAnyValue:StringEqualsIfExists": {"aws:TagKeys": "a"}}},
        {},
    ),
    # NotIpAddress is true for "all IP addresses except the specified IP address or range", whatever their family.
    # iam-simulate finds no match where a single address in the policy is of another family.
    "NotIpAddress across IPv4 and IPv6": Explanation(
        f"{IAM}reference_policies_elements_condition_operators.html#Conditions_IPAddress",
        has(r'NotIpAddress[^}]*"(10.1.2.3|2001:db8::1)"'),
        {"Condition": {"NotIpAddress": {"aws:SourceIp": "2001:db8::1"}}},
        {"aws:SourceIp": "10.1.2.3"},
    ),
    # Variables can be used "with any condition operator that supports string or ARN values". iam-simulate splits the
    # ARN at the colon in the variable's name.
    "a variable in an ARN": Explanation(
        f"{IAM}reference_policies_variables.html#policy-vars-wheretouse",
        has(r'Arn[A-Za-z]*": \{"[^}]*\$\{'),
        {"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:cloudtrail:*:${aws:SourceAccount}:trail/*"}}},
        {"aws:SourceArn": TRAIL, "aws:SourceAccount": "111122223333"},
    ),
    # "${*}: use where you need an * (asterisk) character." iam-simulate leaves it unresolved under the operators
    # that ignore case.
    "an escaped wildcard without regard to case": Explanation(
        f"{IAM}reference_policies_variables.html#policy-vars-specialchars",
        has(r'IgnoreCase[A-Za-z]*": \{"[^}]*\$\{\*\}'),
        {"Condition": {"StringEqualsIgnoreCase": {"aws:userid": "${*}"}}},
        {"aws:userid": "*"},
    ),
    # aws:EpochTime is "the number of seconds since January 1, 1970" and can be compared with an ISO 8601 date.
    # iam-simulate compares these seconds with the milliseconds of the date.
    "Unix time beside an ISO date": Explanation(
        f"{IAM}reference_policies_condition-keys.html#condition-keys-epochtime",
        has(r'"aws:EpochTime": \[?[^\]}]*T|"aws:CurrentTime": \[?[^\]}]*"\d+"|"aws:EpochTime": \[?[^\]}]*"2024-06-01"'),
        {"Condition": {"DateEquals": {"aws:EpochTime": "2024-06-01T00:00:00Z"}}},
        {"aws:EpochTime": "1717200000"},
    ),
    # ForAllValues is true and ForAnyValue false where "the key values resolve to a null data set, such as an empty
    # string".
    "an empty text is no value": Explanation(
        f"{IAM}reference_policies_condition-single-vs-multi-valued-context-keys.html",
        lambda case, decision: has("For(All|Any)Values?:")(case, decision) and '["", ""' in json.dumps(case["context"]),
        {"Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": "a"}}},
        {"aws:TagKeys": ["", ""]},
    ),
}


def explain_difference(case: Case) -> str | None:
    """Name the class of a disagreement; None when there is none for it."""
    decision = our_decision(case)
    return next((name for name, one in EXPLANATIONS.items() if one.applies(case, decision)), None)


def test_evaluate_agrees_with_iam_simulate(their_answers: Callable[[list[Case]], list[str]]) -> None:
    cases = generate_cases()
    theirs = their_answers(cases)
    assert not [answer for answer in theirs if answer.startswith("not simulated")][:1]
    ours = [our_decision(case).effect for case in cases]
    assert len(cases) >= DECISIONS
    assert {"Allow", "Deny", "ImplicitDeny"} <= set(theirs)
    different = [(case, mine, other) for case, mine, other in zip(cases, ours, theirs, strict=True) if mine != other]
    unexplained = [one for one in different if explain_difference(one[0]) is None]
    assert not unexplained, f"{len(unexplained)} of {len(cases)}: " + json.dumps(unexplained)


def test_explanations_are_of_differences_that_exist(their_answers: Callable[[list[Case]], list[str]]) -> None:
    cases = [explanation.witness() for explanation in EXPLANATIONS.values()]
    theirs = their_answers(cases)
    different = [case for case, other in zip(cases, theirs, strict=True) if our_decision(case).effect != other]
    assert [explain_difference(case) for case in different] == list(EXPLANATIONS)
