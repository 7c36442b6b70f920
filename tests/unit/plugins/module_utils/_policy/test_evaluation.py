# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._policy.evaluation import (
    Request,
    evaluate,
    explain,
    parse_policy,
)

SERVICE = {"Service": "cloudtrail.amazonaws.com"}
ROLE = "arn:aws:iam::111122223333:role/team/Reader"
SESSION = "arn:aws:sts::111122223333:assumed-role/Reader/ann"
USER = "arn:aws:iam::111122223333:user/bob"
ROOT = "arn:aws:iam::111122223333:root"
ACCOUNT = "111122223333"
TRAIL = "arn:aws:cloudtrail:us-east-1:111122223333:trail/default"
BASE: dict[str, Any] = {"Effect": "Allow", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/*"}


def statement(**changes: Any) -> dict[str, Any]:
    """Return a statement that allows everyone one action; None takes an element away."""
    return {key: value for key, value in (BASE | changes).items() if value is not None}


def effect(
    *statements: dict[str, Any],
    context: dict[str, Any] | None = None,
    version: str = "2012-10-17",
    complete: bool = True,
    **changes: Any,
) -> str:
    policy = parse_policy({"Version": version, "Statement": list(statements)})
    fields = {"action": "s3:PutObject", "resource": "arn:aws:s3:::b/key", "principal": SERVICE} | changes
    return evaluate(policy, Request(**fields, context=context or {}, complete=complete)).effect


# --- order of decision ----------------------------------------------------------------------------

ALLOW, DENY = statement(), statement(Effect="Deny")
MAYBE = {"StringEquals": {"aws:Open": "x"}}
MAYBE_ALLOW, MAYBE_DENY = statement(Condition=MAYBE), statement(Effect="Deny", Condition=MAYBE)
NEVER = statement(Action="s3:GetObject")


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([NEVER], "ImplicitDeny"),
        ([ALLOW], "Allow"),
        ([ALLOW, DENY], "Deny"),
        ([DENY], "Deny"),
        ([ALLOW, MAYBE_DENY], "Unknown"),
        ([MAYBE_DENY], "Unknown"),
        ([MAYBE_DENY, DENY], "Deny"),
        ([MAYBE_ALLOW], "Unknown"),
        ([MAYBE_ALLOW, ALLOW], "Allow"),
        ([MAYBE_ALLOW, DENY], "Deny"),
        ([ALLOW, NEVER | {"Effect": "Deny"}], "Allow"),
    ],
)
def test_evaluate_explicit_deny_first_and_unknown_never_allows(statements: list[Any], expected: str) -> None:
    assert effect(*statements, complete=False) == expected


def test_evaluate_names_the_statements_that_decided() -> None:
    policy = parse_policy({"Statement": [NEVER, statement(Sid="One"), statement()]})
    decision = evaluate(policy, Request("s3:PutObject", "arn:aws:s3:::b/key", SERVICE))
    assert [match.statement.label for match in decision.statements] == ["One", "statement 3"]
    assert all(match.doubts == () for match in decision.statements)


def test_what_a_request_is_not_said_to_carry_is_absent() -> None:
    policy = parse_policy({"Version": "2012-10-17", "Statement": [statement(Condition={"Bool": {"aws:x": "true"}})]})
    assert evaluate(policy, Request("s3:PutObject", "arn:aws:s3:::b/key", SERVICE)).effect == "ImplicitDeny"


def test_evaluate_tells_what_is_in_doubt() -> None:
    policy = parse_policy({"Statement": MAYBE_DENY})
    (match,) = evaluate(policy, Request("s3:PutObject", "arn:aws:s3:::b/key", SERVICE, complete=False)).statements
    assert [(doubt.element, doubt.found) for doubt in match.doubts] == [
        ("Condition StringEquals aws:Open", "not known")
    ]


# --- Principal ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("principal", "caller", "matches"),
    [
        ("*", SERVICE, True),
        ({"AWS": "*"}, SERVICE, True),
        ({"AWS": "*"}, {"AWS": USER}, True),
        (SERVICE, SERVICE, True),
        ({"Service": ["config.amazonaws.com", "cloudtrail.amazonaws.com"]}, SERVICE, True),
        ({"Service": "config.amazonaws.com"}, SERVICE, False),
        ({"Service": "cloudtrail.amazonaws.com"}, {"AWS": USER}, False),
        ({"AWS": ACCOUNT}, SERVICE, False),
        ({"AWS": ACCOUNT}, {"AWS": USER}, True),
        ({"AWS": ROOT}, {"AWS": USER}, True),
        ({"AWS": ROOT}, {"AWS": SESSION}, True),
        ({"AWS": ROOT}, {"AWS": ACCOUNT}, True),
        ({"AWS": "444455556666"}, {"AWS": USER}, False),
        ({"AWS": "arn:aws:iam::444455556666:root"}, {"AWS": USER}, False),
        ({"AWS": USER}, {"AWS": USER}, True),
        ({"AWS": USER}, {"AWS": ROOT}, False),
        ({"AWS": ["arn:aws:iam::111122223333:user/eve", USER]}, {"AWS": USER}, True),
        ({"AWS": ROLE}, {"AWS": ROLE}, True),
        ({"AWS": ROLE}, {"AWS": SESSION}, True),
        ({"AWS": SESSION}, {"AWS": SESSION}, True),
        ({"AWS": SESSION}, {"AWS": ROLE}, False),
        ({"AWS": SESSION}, {"AWS": SESSION.replace("ann", "eve")}, False),
        ({"AWS": "arn:aws:iam::111122223333:role/team/Read"}, {"AWS": SESSION}, False),
        ({"AWS": ROLE.replace("111122223333", "444455556666")}, {"AWS": SESSION}, False),
        ({"AWS": "AIDAEXAMPLEEXAMPLE12"}, {"AWS": USER}, False),
        ({"Federated": "accounts.google.com"}, {"Federated": "accounts.google.com"}, True),
        ({"CanonicalUser": "79a5"}, {"AWS": USER, "CanonicalUser": "79a5"}, True),
        ({"CanonicalUser": "79a5"}, {"AWS": USER, "CanonicalUser": "0000"}, False),
        ({"CanonicalUser": "79a5"}, {"AWS": USER}, None),
        ({"CanonicalUser": "79a5"}, SERVICE, False),
        ({"Service": "*"}, SERVICE, None),
        ({"Service": "a.amazonaws.com", "AWS": USER}, {"AWS": USER}, True),
    ],
)
def test_evaluate_principal(principal: Any, caller: dict[str, str], matches: bool | None) -> None:
    expected = {True: "Allow", False: "ImplicitDeny", None: "Unknown"}[matches]
    assert effect(statement(Principal=principal), principal=caller) == expected


@pytest.mark.parametrize(
    ("not_principal", "caller", "expected"),
    [
        (SERVICE, SERVICE, "Allow"),
        ({"AWS": USER}, SERVICE, "Deny"),
        ({"Service": "config.amazonaws.com"}, SERVICE, "Deny"),
        ("*", SERVICE, "Allow"),
        ({"AWS": [USER, ROOT]}, {"AWS": USER}, "Allow"),
        ({"AWS": [USER, ACCOUNT]}, {"AWS": USER}, "Allow"),
        ({"AWS": USER}, {"AWS": USER}, "Unknown"),
        ({"AWS": ROOT}, {"AWS": USER}, "Unknown"),
        ({"AWS": ROOT}, {"AWS": ROOT}, "Allow"),
        ({"AWS": "arn:aws:iam::444455556666:user/x"}, {"AWS": USER}, "Deny"),
        ({"AWS": [ROLE, ROOT]}, {"AWS": SESSION}, "Unknown"),
        ({"AWS": [ROLE, ROOT, SESSION]}, {"AWS": SESSION}, "Allow"),
    ],
)
def test_evaluate_not_principal_with_deny(not_principal: Any, caller: dict[str, str], expected: str) -> None:
    deny = statement(Effect="Deny", Principal=None, NotPrincipal=not_principal)
    assert effect(statement(), deny, principal=caller) == expected


def test_evaluate_not_principal_with_allow_is_not_known() -> None:
    assert effect(statement(Principal=None, NotPrincipal={"AWS": USER})) == "Unknown"


def test_evaluate_identity_policy_needs_no_principal() -> None:
    policy = parse_policy({"Statement": statement(Principal=None)}, "identity")
    request = Request("s3:PutObject", "arn:aws:s3:::b/key", {"AWS": USER})
    assert evaluate(policy, request, identity_policy=True).effect == "Allow"
    assert evaluate(policy, request).effect == "ImplicitDeny"


def test_evaluate_trust_policy_needs_no_resource() -> None:
    trust = {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "sts:AssumeRole"}
    request = Request("sts:AssumeRole", ROLE, {"AWS": USER})
    assert evaluate(parse_policy({"Statement": trust}), request).effect == "Allow"
    assert evaluate(parse_policy({"Statement": trust}, "trust"), request).effect == "Allow"


# --- Action and Resource --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("element", "value", "matches"),
    [
        ("Action", "s3:PutObject", True),
        ("Action", "S3:putobject", True),
        ("Action", "*", True),
        ("Action", "s3:*", True),
        ("Action", "s3:Put*", True),
        ("Action", "s3:P?tObject", True),
        ("Action", "s3:*Object*", True),
        ("Action", "s3:Put", False),
        ("Action", "s3:?PutObject", False),
        ("Action", ["s3:GetObject", "s3:PutObject"], True),
        ("Action", "s3.PutObject:x", False),
        ("NotAction", "s3:PutObject", False),
        ("NotAction", "s3:Get*", True),
        ("NotAction", ["s3:Get*", "S3:PUT*"], False),
        ("Resource", "*", True),
        ("Resource", "arn:aws:s3:::b/key", True),
        ("Resource", "arn:aws:s3:::b/KEY", False),
        ("Resource", "arn:aws:s3:::b/*", True),
        ("Resource", "arn:aws:s3:::b*", True),
        ("Resource", "arn:aws:s3:::b/k?y", True),
        ("Resource", "arn:aws:s3:::b/key?", False),
        ("Resource", "arn:aws:s3:::b", False),
        ("Resource", "arn:aws:s3:::b/*e*k*", False),
        ("Resource", "arn:aws:s3:::*/*e*y", True),
        ("Resource", "b/*", False),
        ("Resource", ["arn:aws:s3:::c/*", "arn:aws:s3:::b/*"], True),
        ("NotResource", "arn:aws:s3:::b/*", False),
        ("NotResource", ["arn:aws:s3:::c/*", "arn:aws:s3:::d"], True),
    ],
)
def test_evaluate_action_and_resource(element: str, value: Any, matches: bool) -> None:
    one = statement(**{element.removeprefix("Not"): None} | {element: value})
    assert effect(one) == ("Allow" if matches else "ImplicitDeny")


# --- conditions -----------------------------------------------------------------------------------

CONDITIONS = [
    ("StringEquals", "a", "a", True),
    ("StringEquals", "a", "A", False),
    ("StringEquals", "a*", "ab", False),
    ("StringEquals", ["a", "b"], "b", True),
    ("StringEquals", "a", None, False),
    ("stringequals", "a", "a", True),
    ("StringNotEquals", "a", "b", True),
    ("StringNotEquals", ["a", "b"], "b", False),
    ("StringNotEquals", "a", None, True),
    ("StringEqualsIgnoreCase", "Ab", "aB", True),
    ("StringNotEqualsIgnoreCase", "Ab", "aB", False),
    ("StringLike", "a*c?", "abbcd", True),
    ("StringLike", "a.c", "abc", False),
    ("StringLike", "*", None, False),
    ("StringNotLike", "a*", "abc", False),
    ("StringNotLike", "a*", None, True),
    ("NumericEquals", "1.0", "1", True),
    ("NumericEquals", 1, "1", True),
    ("NumericNotEquals", "1", "2", True),
    ("NumericLessThan", "10", "9", True),
    ("NumericLessThan", "10", "10", False),
    ("NumericLessThanEquals", "10", "10", True),
    ("NumericGreaterThan", "10", "9", False),
    ("NumericGreaterThanEquals", "-1", "0", True),
    ("NumericEquals", "ten", "10", None),
    ("NumericEquals", "10", "NaN", None),
    ("NumericLessThan", "10", None, False),
    ("DateEquals", "2024-06-01T00:00:00Z", "1717200000", True),
    ("DateEquals", "2024-06-01T02:00:00+02:00", "2024-06-01", True),
    ("DateNotEquals", "2024-06-01", "2024-06-02", True),
    ("DateLessThan", "2024-06-01T00:00:00Z", "2024-05-31T23:59:59Z", True),
    ("DateGreaterThan", "2024-06-01T00:00:00Z", "2024-05-31T23:59:59Z", False),
    ("DateLessThanEquals", "2024-06-01", "2024-06-01", True),
    ("DateGreaterThanEquals", "2024-06-01", "2024-06-01", True),
    ("DateEquals", "soon", "2024-06-01", None),
    ("Bool", "true", "true", True),
    ("Bool", True, "true", True),
    ("Bool", "False", "true", False),
    ("Bool", "false", None, False),
    ("Bool", "yes", "true", None),
    ("BoolIfExists", "false", None, True),
    ("BinaryEquals", "QUJD", "QUJD", True),
    ("BinaryEquals", "QUJD", "QUJE", False),
    ("BinaryEquals", "QUJD", "?", None),
    ("IpAddress", "10.0.0.0/8", "10.1.2.3", True),
    ("IpAddress", "10.1.2.3", "10.1.2.3", True),
    ("IpAddress", ["192.0.2.0/24", "2001:db8::/32"], "2001:db8::1", True),
    ("IpAddress", "10.0.0.0/8", "2001:db8::1", False),
    ("NotIpAddress", "10.0.0.0/8", "10.1.2.3", False),
    ("NotIpAddress", "10.0.0.0/8", None, True),
    ("IpAddress", "10.0.0.0/40", "10.1.2.3", None),
    ("ArnEquals", TRAIL, TRAIL, True),
    ("ArnLike", "arn:aws:cloudtrail:*:111122223333:trail/*", TRAIL, True),
    ("ArnEquals", "arn:aws:cloudtrail:*:111122223333:trail/d?fault", TRAIL, True),
    ("ArnLike", "arn:aws:cloudtrail:*:trail/*", TRAIL, None),
    ("ArnLike", "arn:aws:cloudtrail:*:*:*:trail/default", TRAIL, False),
    ("ArnLike", "arn:aws:cloudtrail:us-east-1:*:TRAIL/*", TRAIL, False),
    ("ArnLike", TRAIL, "default", None),
    ("ArnNotLike", "arn:aws:cloudtrail:*:*:trail/*", TRAIL, False),
    ("ArnNotEquals", "arn:aws:cloudtrail:*:*:trail/other", TRAIL, True),
    ("ArnNotLike", "arn:aws:cloudtrail:*:*:trail/*", None, True),
    ("Null", "true", None, True),
    ("Null", "true", "a", False),
    ("Null", "false", "a", True),
    ("Null", "false", None, False),
    ("Null", False, "a", True),
    ("Null", "true", "", True),
    ("NullIfExists", "true", None, None),
    ("StringEqualsIfExists", "a", None, True),
    ("StringEqualsIfExists", "a", "b", False),
    ("StringNotEqualsIfExists", "a", None, True),
    ("StringNotEqualsIfExists", "a", "a", False),
    ("NumericLessThanIfExists", "10", None, True),
    ("ForAllValues:StringEquals", ["a", "b"], ["a", "b"], True),
    ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], False),
    ("ForAllValues:StringEquals", "a", None, True),
    ("ForAllValues:StringEquals", "a", [], True),
    ("ForAllValues:StringEquals", "a", [""], True),
    ("ForAllValues:StringEquals", "a", ["", "a"], False),
    ("ForAllValues:StringNotEquals", "a", ["b", "c"], True),
    ("ForAllValues:StringNotEquals", "a", ["a", "c"], False),
    ("ForAllValues:StringLike", "a*", ["ab", "ac"], True),
    ("ForAnyValue:StringEquals", ["a", "b"], ["c", "b"], True),
    ("ForAnyValue:StringEquals", "a", ["b", "c"], False),
    ("ForAnyValue:StringEquals", "a", None, False),
    ("ForAnyValue:StringNotEquals", "a", ["a", "b"], True),
    ("ForAnyValue:StringNotEquals", "a", ["a"], False),
    ("ForAnyValue:StringNotEquals", "a", None, False),
    ("ForAnyValue:StringEqualsIfExists", "a", None, True),
    ("ForAnyValue:StringEqualsIfExists", "a", [""], False),
    ("ForAnyValue:ArnLike", "arn:aws:*:*:*:trail/*", [TRAIL], True),
    ("ForSomeValues:StringEquals", "a", "a", None),
    ("StringEquals", "a", ["a", "b"], None),
    ("StringEquals", "a", ["a"], True),
    ("StringMatches", "a", "a", None),
]


@pytest.mark.parametrize(("operator", "wanted", "found", "matches"), CONDITIONS)
def test_evaluate_condition(operator: str, wanted: Any, found: Any, matches: bool | None) -> None:
    context = {} if found is None else {"aws:Key": found}
    one = statement(Condition={operator: {"AWS:key": wanted}})
    assert effect(one, context=context) == {True: "Allow", False: "ImplicitDeny", None: "Unknown"}[matches]


@pytest.mark.parametrize("operator", sorted({row[0] for row in CONDITIONS}))
@pytest.mark.parametrize("which", ["Allow", "Deny"])
def test_evaluate_condition_on_a_key_that_may_be_there(operator: str, which: str) -> None:
    one = statement(Effect=which, Condition={operator: {"aws:Key": "1"}})
    assert effect(statement(Condition=MAYBE), one, context={"aws:Open": "x"}, complete=False) == (
        "Unknown" if which == "Deny" else "Allow"
    )
    assert effect(one, complete=False) == "Unknown"


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({}, "Unknown"),
        ({"aws:PrincipalTag/team": None}, "Allow"),
        ({"aws:PrincipalTag/*": None}, "Allow"),
        ({"aws:RequestTag/*": None}, "Unknown"),
        ({"aws:PrincipalTag/*": None, "aws:principaltag/team": "x"}, "ImplicitDeny"),
    ],
)
def test_request_knows_absent_from_not_known(context: dict[str, Any], expected: str) -> None:
    one = statement(Condition={"Null": {"aws:PrincipalTag/team": "true"}})
    assert effect(one, context=context, complete=False) == expected


@pytest.mark.parametrize(
    ("condition", "context", "expected"),
    [
        ({"StringEquals": {"a:x": "1", "a:y": "2"}}, {"a:x": "1", "a:y": "2"}, "Allow"),
        ({"StringEquals": {"a:x": "1", "a:y": "2"}}, {"a:x": "1"}, "ImplicitDeny"),
        ({"StringEquals": {"a:x": "1"}, "Bool": {"a:y": "true"}}, {"a:x": "1", "a:y": "true"}, "Allow"),
        ({"StringEquals": {"a:x": "1"}, "Bool": {"a:y": "true"}}, {"a:x": "1", "a:y": "false"}, "ImplicitDeny"),
        ({}, {}, "Allow"),
    ],
)
def test_evaluate_needs_every_condition(condition: Any, context: dict[str, str], expected: str) -> None:
    assert effect(statement(Condition=condition), context=context) == expected


# --- policy variables -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resource", "context", "expected"),
    [
        ("b/${aws:username}", {"aws:username": "key"}, "Allow"),
        ("b/${AWS:UserName}", {"aws:username": "key"}, "Allow"),
        ("b/${aws:username}", {"aws:username": "k*"}, "ImplicitDeny"),
        ("b/${aws:username}*", {"aws:username": "k"}, "Allow"),
        ("b/${aws:username}", {}, "ImplicitDeny"),
        ("b/${aws:username, 'key'}", {}, "Allow"),
        ("b/${aws:username,'key'}", {}, "Allow"),
        ("b/${aws:username, 'other'}", {"aws:username": "key"}, "Allow"),
        ("b/${aws:username}", {"aws:username": ["key", "x"]}, "Unknown"),
        ("b/k${*}y", {}, "ImplicitDeny"),
        ("b/${}", {}, "Unknown"),
    ],
)
def test_evaluate_variables_in_resource(resource: str, context: dict[str, Any], expected: str) -> None:
    assert effect(statement(Resource=f"arn:aws:s3:::{resource}"), context=context) == expected


@pytest.mark.parametrize(
    ("operator", "wanted", "found", "expected"),
    [
        ("StringEquals", "${aws:username}", "ann", "Allow"),
        ("StringEquals", "${*}", "*", "Allow"),
        ("StringLike", "a${*}", "a*", "Allow"),
        ("StringLike", "a${*}", "ab", "ImplicitDeny"),
        ("StringLike", "${?}${$}", "?$", "Allow"),
        ("StringLike", "${aws:username}-*", "ann-1", "Allow"),
        ("ArnLike", "arn:aws:iam::1:user/${aws:username}", "arn:aws:iam::1:user/ann", "Allow"),
        ("StringNotEquals", "${aws:username}", "ann", "ImplicitDeny"),
        ("StringNotEquals", "${aws:absent}", "ann", "Unknown"),
        ("StringEquals", "${aws:absent}", "ann", "ImplicitDeny"),
        ("Bool", "${aws:username}", "true", "Unknown"),
    ],
)
def test_evaluate_variables_in_conditions(operator: str, wanted: str, found: str, expected: str) -> None:
    one = statement(Condition={operator: {"aws:Key": wanted}})
    assert effect(one, context={"aws:Key": found, "aws:username": "ann"}) == expected


def test_evaluate_version_2008_takes_variables_as_text() -> None:
    one = statement(Resource="arn:aws:s3:::b/${aws:username}")
    assert effect(one, context={"aws:username": "key"}, version="2008-10-17") == "ImplicitDeny"
    literal = "arn:aws:s3:::b/${aws:username}"
    assert effect(one, context={"aws:username": "key"}, version="2008-10-17", resource=literal) == "Allow"


def test_evaluate_variable_that_is_not_known() -> None:
    one = statement(Resource="arn:aws:s3:::b/${aws:username}")
    assert effect(one, complete=False) == "Unknown"


# --- explain --------------------------------------------------------------------------------------


def test_explain_names_every_element_that_keeps_a_statement_from_matching() -> None:
    one = statement(
        Principal={"AWS": USER},
        Action=["s3:Get*", "s3:List*"],
        Resource="arn:aws:s3:::c/*",
        Condition={"StringEquals": {"aws:SourceArn": TRAIL}, "Bool": {"aws:SecureTransport": "true"}},
    )
    (parsed,) = parse_policy({"Statement": one}).statements
    request = Request("s3:PutObject", "arn:aws:s3:::b/key", SERVICE, {"aws:SourceArn": "x"}, complete=False)
    assert [(one.element, one.expected, one.found, one.known) for one in explain(parsed, request)] == [
        ("Action", "s3:Get* or s3:List*", "s3:PutObject", True),
        ("Resource", "arn:aws:s3:::c/*", "arn:aws:s3:::b/key", True),
        ("Principal", f"AWS {USER}", "Service cloudtrail.amazonaws.com", True),
        ("Condition StringEquals aws:SourceArn", TRAIL, "x", True),
        ("Condition Bool aws:SecureTransport", "true", "not known", False),
    ]


def test_explain_a_statement_that_matches() -> None:
    (parsed,) = parse_policy({"Statement": statement()}).statements
    assert explain(parsed, Request("s3:PutObject", "arn:aws:s3:::b/key", SERVICE)) == []
