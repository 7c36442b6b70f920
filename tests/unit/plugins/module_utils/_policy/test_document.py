# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is a policy document, and what is wrong with one that is none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._policy.document import PolicyError, parse_policy

BASE: dict[str, Any] = {"Effect": "Allow", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/*"}


def statement(**changes: Any) -> dict[str, Any]:
    """Return a statement that allows everyone one action; None takes an element away."""
    return {key: value for key, value in (BASE | changes).items() if value is not None}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"Effect": "Alow"}, "has Effect 'Alow'; expected 'Allow' or 'Deny'"),
        ({"Effect": None}, "has Effect None"),
        ({"Effect": "allow"}, "has Effect 'allow'"),
        ({"Resource": None}, "neither Resource nor NotResource"),
        ({"NotResource": "*"}, "both Resource and NotResource"),
        ({"Action": None}, "neither Action nor NotAction"),
        ({"NotAction": "s3:*"}, "both Action and NotAction"),
        ({"NotPrincipal": "*"}, "both Principal and NotPrincipal"),
        ({"Principal": None}, "neither Principal nor NotPrincipal"),
        ({"Principal": "cloudtrail.amazonaws.com"}, "expected '*' or an object"),
        ({"Principal": {"Servce": "x"}}, "unknown element 'Servce'"),
        ({"Principal": {"AWS": "bob"}}, "AWS principal 'bob'"),
        ({"Principal": {"AWS": "arn:aws:iam::111122223333:role/*"}}, "role/*"),
        ({"Principal": {}}, "Principal {}"),
        ({"Principal": {"AWS": []}}, "Principal is []"),
        ({"Action": "PutObject"}, "expected 'service:Name' or '*'"),
        ({"Action": []}, "Action is []"),
        ({"Action": 5}, "Action is 5"),
        ({"Resource": ""}, "Resource is ''"),
        ({"Resource": ["a", 1]}, "Resource is ['a', 1]"),
        ({"Resources": "*"}, "unknown element 'Resources'"),
        ({"Condition": "x"}, "Condition that is not of the form"),
        ({"Condition": {"StringEquals": "x"}}, "Condition that is not of the form"),
        ({"Condition": {"StringEquals": {"a": {"b": "c"}}}}, "Condition StringEquals a is {'b': 'c'}"),
    ],
)
def test_parse_policy_refuses_a_statement(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(PolicyError) as error:
        parse_policy({"Version": "2012-10-17", "Statement": [statement(Sid="Mine", **changes)]}, "resource")
    assert says in str(error.value)
    assert str(error.value).startswith("Statement 1 (Mine)")


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ('"x"', "not a JSON object"),
        ("{}", "has no Statement"),
        ('{"Statement": []}', "has no Statement"),
        ('{"Statement": ["x"]}', "Statement 1 is not a JSON object"),
        ('{"Version": "2012-10-18", "Statement": []}', "has Version '2012-10-18'"),
        ('{"version": "2012-10-17", "Statement": []}', "unknown element 'version'"),
        ('{"Statement": [{"Effect": "Allow", "Effect": "Deny"}]}', "'Effect' stands twice"),
        ('{"Statement": [{"Sid": "A", "Effect": "Allow", "Effect": "Deny"}]}', "'Effect' stands twice"),
    ],
)
def test_parse_policy_refuses_a_document(document: str, says: str) -> None:
    with pytest.raises(PolicyError) as error:
        parse_policy(document)
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("kind", "changes", "accepted"),
    [
        ("any", {"Principal": None}, True),
        ("resource", {"Principal": None}, False),
        ("identity", {"Principal": None}, True),
        ("identity", {}, False),
        ("trust", {"Resource": None}, True),
        ("trust", {"Resource": None, "Principal": None}, False),
        ("any", {"Resource": None}, False),
        ("any", {"Resource": None, "Action": "sts:AssumeRole"}, True),
        ("any", {"Resource": None, "Action": ["sts:AssumeRole", "s3:*"]}, False),
    ],
)
def test_parse_policy_kinds(kind: Any, changes: dict[str, Any], accepted: bool) -> None:
    document = json.dumps({"Statement": statement(**changes)})
    if accepted:
        assert parse_policy(document, kind).version == "2008-10-17"
    else:
        with pytest.raises(PolicyError, match="Statement 1"):
            parse_policy(document, kind)
