# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options as one typed value."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._work.options import (
    options_of,
    prefix_refusal,
    read_result,
)


@dataclass(frozen=True)
class Example:
    name: str
    number: int


def test_fields_are_taken_by_name_and_others_left() -> None:
    assert options_of(Example, {"name": "a", "number": 1, "region": "x"}) == Example("a", 1)


def test_a_changed_value_takes_the_place_of_the_given_one() -> None:
    assert options_of(Example, {"name": "a", "number": "1"}, number=2) == Example("a", 2)


def test_an_option_that_is_not_given_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError, match="number"):
        options_of(Example, {"name": "a"})


def test_a_result_of_something_else_is_refused_with_what_it_lacks() -> None:
    assert read_result("trail", lambda: {"arn": "a"}["arn"], ValueError) == "a"
    lacking: dict[str, str] = {}
    with pytest.raises(ValueError, match="The option trail is not what the role of that name reports: KeyError"):
        read_result("trail", lambda: lacking["arn"], ValueError)


@pytest.mark.parametrize(
    ("prefix", "fits"),
    [("org-trail", True), ("a", True), ("a" * 50, True), ("", False), ("-a", False), ("a*", False), ("a" * 51, False)],
)
def test_a_prefix_names_only_what_is_ours(prefix: str, fits: bool) -> None:
    assert (prefix_refusal(prefix) is None) is fits
