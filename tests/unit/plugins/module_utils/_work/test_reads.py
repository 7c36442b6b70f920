# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads at the same time: each answer by its name, and the first error of their order."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._work.reads import read_all, read_each, read_rest


@pytest.mark.parametrize("names", ["", "a", "abc"])
def test_each_answer_has_its_name(names: str) -> None:
    assert read_all({name: partial(str.upper, name) for name in names}) == {name: name.upper() for name in names}


def test_they_are_made_at_the_same_time() -> None:
    """Each waits until the other one has begun."""
    both = threading.Barrier(2, timeout=30)
    assert set(read_all({"a": both.wait, "b": both.wait}).values()) == {0, 1}


def test_the_first_error_of_their_order_is_raised_also_when_it_comes_last() -> None:
    second_failed = threading.Event()

    def first() -> Any:
        second_failed.wait(30)
        raise ValueError("first")

    def second() -> Any:
        second_failed.set()
        raise ValueError("second")

    with pytest.raises(ValueError, match="first"):
        read_all({"a": first, "b": second})


def test_what_is_known_is_read_only_when_it_is_asked_for_again() -> None:
    read: list[str] = []

    def answer(name: str) -> str:
        read.append(name)
        return f"read {name}"

    reads = {name: partial(answer, name) for name in "ab"}
    rest = read_rest(reads, {"a": "known"})
    assert rest() == {"a": "known", "b": "read b"}
    assert read == ["b"]
    assert rest() == rest() == {"a": "read a", "b": "read b"}
    assert sorted(read) == ["a", "a", "b", "b", "b"]


@pytest.mark.parametrize("threads", [1, 2, 9])
def test_the_answers_about_each_thing_are_in_their_order(threads: int) -> None:
    assert read_each(str.upper, iter("bca"), threads) == ["B", "C", "A"]


def test_the_first_thing_that_fails_is_raised() -> None:
    with pytest.raises(ValueError, match="'x'"):
        read_each(int, ["1", "x", "y"], threads=2)
