# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The comparisons of conditions, one by one; what cannot be compared is not known."""

from __future__ import annotations

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._policy.operators import (
    OPERATORS,
    SHIELD,
    any_of,
    arn_parts,
    like,
    negation,
    same_bool,
)

ARN = "arn:aws:cloudtrail:us-east-1:111122223333:trail/default"


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([], False),
        ([False, False], False),
        ([False, None], None),
        ([None, True], True),
        ([True, None], True),
    ],
)
def test_any_of(outcomes: list[bool | None], expected: bool | None) -> None:
    assert any_of(outcomes) is expected


@pytest.mark.parametrize(("outcome", "expected"), [(True, False), (False, True), (None, None)])
def test_negation(outcome: bool | None, expected: bool | None) -> None:
    assert negation(outcome) is expected


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("a*c", "abbc", True),
        ("a*c", "ac", True),
        ("a*c", "acd", False),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("*b*", "abc", True),
        ("a.c", "abc", False),
        ("A", "a", False),
        ("a*".translate(SHIELD), "a*", True),
        ("a*".translate(SHIELD), "ab", False),
        ("*aa*b", "aaab", True),
    ],
)
def test_like(pattern: str, text: str, fits: bool) -> None:
    assert like(pattern, text) is fits


def test_arn_parts() -> None:
    assert arn_parts("arn:aws:s3:::b/a:b") == ["arn", "aws", "s3", "", "", "b/a:b"]
    assert arn_parts("arn:aws:s3") is None


@pytest.mark.parametrize(
    ("wanted", "found", "same"), [("true", "TRUE", True), ("false", "true", False), ("yes", "yes", None)]
)
def test_same_bool(wanted: str, found: str, same: bool | None) -> None:
    assert same_bool(wanted, found) is same


@pytest.mark.parametrize(
    ("operator", "wanted", "found", "fits"),
    [
        ("arnlike", "arn:aws:cloudtrail:*:*:trail/default", ARN, True),
        ("arnlike", "arn:aws:*", ARN, None),
        ("arnequals", ARN, "no arn", None),
        ("binaryequals", "YQ==", "YQ==", True),
        ("binaryequals", "YQ==", "Yg==", False),
        ("binaryequals", "?", "YQ==", None),
        ("ipaddress", "10.0.0.0/8", "10.1.2.3", True),
        ("ipaddress", "10.0.0.0/8", "11.1.2.3", False),
        ("ipaddress", "10.0.0.0/8", "here", None),
        ("ipaddress", "10.9.9.9/8", "10.1.2.3", True),
        ("numericlessthan", "5", "4", True),
        ("numericlessthan", "5", "5", False),
        ("numericlessthanequals", "5", "5", True),
        ("numericgreaterthan", "5", "6", True),
        ("numericgreaterthan", "5", "5", False),
        ("numericgreaterthanequals", "5", "5.0", True),
        ("numericequals", "5", "five", None),
        ("numericequals", "Infinity", "Infinity", None),
        ("dateequals", "2026-01-01T00:00:00Z", "1767225600", True),
        ("datelessthan", "2026-01-01", "2025-12-31T23:59:59Z", True),
        ("dategreaterthan", "soon", "2026-01-01", None),
        ("stringequalsignorecase", "ABC", "abc", True),
        ("stringequals", "ABC", "abc", False),
    ],
)
def test_operators(operator: str, wanted: str, found: str, fits: bool | None) -> None:
    compare, negated = OPERATORS[operator]
    assert compare(wanted, found) is fits
    assert not negated


@pytest.mark.parametrize("operator", OPERATORS)
def test_an_operator_is_negated_when_its_name_says_so(operator: str) -> None:
    assert OPERATORS[operator][1] is ("not" in operator)


def test_a_hostile_pattern_takes_no_exponential_time() -> None:
    assert not like("*a" * 60 + "b", "a" * 5000)
