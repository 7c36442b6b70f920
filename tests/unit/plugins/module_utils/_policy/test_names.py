# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The search for names that patterns tell apart, against all names of small forms."""

from __future__ import annotations

from itertools import product

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._policy.names import (
    Element,
    Form,
    Run,
    Texts,
    find_name,
    usual_name,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._policy.operators import SHIELD, like
from hypothesis import given
from hypothesis import strategies as st

# One that is small enough to write all of its names down.
FORM: Form = (Texts(("a/",)), Run("ab1", 1, 3, "a1"), Texts(("-", "--")), Run("12", 2, 2, "12"), Texts(("", "z")))
NAMES = [
    "".join(parts)
    for parts in product(
        ["a/"],
        ["".join(one) for length in (1, 2, 3) for one in product("ab1", repeat=length)],
        ["-", "--"],
        ["".join(one) for one in product("12", repeat=2)],
        ["", "z"],
    )
]
PATTERNS = st.text(alphabet="a/b12-z*?", max_size=9)
ELEMENTS = st.lists(st.tuples(st.lists(PATTERNS, min_size=1, max_size=3).map(tuple), st.booleans()), max_size=3)


def is_named(name: str, elements: list[Element]) -> bool:
    return any(any(like(pattern, name) for pattern in some) is not negated for some, negated in elements)


@given(ELEMENTS, st.booleans())
def test_find_name_finds_one_whenever_there_is_one(elements: list[Element], named: bool) -> None:
    fitting = {name for name in NAMES if is_named(name, elements) is named}
    found = find_name(FORM, tuple(elements), named)
    assert (found in fitting) if fitting else found is None


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("*", "a/a1-12"),
        ("*z", "a/a1-12z"),
        ("a/b*", "a/b1-12"),
        ("a/?-*", "a/a-12"),
        ("a/???--2?", "a/a1a--22"),
        ("*c*", None),
        ("a/*".translate(SHIELD), None),
        ("", None),
    ],
)
def test_find_name_answers_the_most_usual_name(pattern: str, name: str | None) -> None:
    assert find_name(FORM, (((pattern,), False),), True) == name
    assert usual_name(FORM) == "a/a1-12"


TWICE: Form = (Run("ab", 2, 2, "aa", "who"), Texts(("/",)), Run("ab", 2, 2, "aa", "who"), Run("12", 1, 1, "1"))


@pytest.mark.parametrize(("pattern", "name"), [("bb/*", "bb/bb1"), ("*b2", "ab/ab2"), ("*2", "aa/aa2")])
def test_a_field_reads_the_same_at_both_places(pattern: str, name: str) -> None:
    assert find_name(TWICE, (((pattern,), False),), True) == name


def test_where_no_name_reads_the_same_one_is_found_all_the_same() -> None:
    """On the safe side: a Deny may be called one too many, never one too few."""
    assert find_name(TWICE, ((("ab/ba?",), False),), True) == "ab/ba1"
