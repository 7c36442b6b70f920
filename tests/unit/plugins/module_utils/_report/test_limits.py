# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a verdict says of what nobody asked."""

from __future__ import annotations

import random
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._report.limits import (
    limits,
    merge_events,
    merge_scopes,
)
from hypothesis import given
from hypothesis import strategies as st

WHOLE = {"accounts": "organization", "regions": "enabled", "enabled_regions": ["a", "b"]}
CHOSEN = {**WHOLE, "regions": "given"}
ALL_EVENTS = {"logged": "all management events", "all": True}
UNASKED = "those that no other account has were not asked there"
UNKNOWN, WHICH = " is not known.", "Which events the trail logs"
READS = {"logged": "only read management events", "all": False}


def document(
    scope: dict[str, Any], events: dict[str, Any], regions: tuple[str, ...] = ("a", "b"), silent: int = 0
) -> dict[str, Any]:
    accounts = [{"id": "1"}, *({"id": str(number), "regions_error": "No."} for number in range(silent))]
    return {"scope": scope, "management_events": events, "regions": list(regions), "accounts": accounts}


@pytest.mark.parametrize(
    ("found", "words", "sentences"),
    [
        (document(WHOLE, ALL_EVENTS), "", ""),
        (
            document({**WHOLE, "accounts": "given"}, ALL_EVENTS),
            " (only the 1 account given)",
            " Only the 1 account given was asked.",
        ),
        (document({**WHOLE, "regions": "given"}, ALL_EVENTS), "", ""),
        (
            document({**WHOLE, "regions": "given"}, ALL_EVENTS, ("b",)),
            " (1 of 2 regions)",
            " 1 of 2 regions were asked.",
        ),
        (
            document({**WHOLE, "regions": "given"}, ALL_EVENTS, ("b", "c")),
            " (2 of 3 regions)",
            " 2 of 3 regions were asked.",
        ),
        (
            document({"accounts": "organization", "regions": "given"}, ALL_EVENTS, ("b",)),
            " (only the 1 region given)",
            " Only the 1 region given was asked.",
        ),
        (
            document(WHOLE, ALL_EVENTS, silent=2),
            " (without the own regions of 2 accounts)",
            f" 2 accounts did not tell which regions they have enabled: {UNASKED}.",
        ),
        (
            document(WHOLE, READS),
            " (only read management events)",
            " The trail logs only read management events.",
        ),
        (
            document(WHOLE, {"error": "Denied."}),
            " (which events, could not be read)",
            " Which events the trail logs could not be read: Denied.",
        ),
        (
            document({}, {}),
            " (perhaps not all accounts; perhaps not all regions; which events, is not known)",
            f" Whether these are all accounts{UNKNOWN} Whether these are all regions{UNKNOWN} {WHICH}{UNKNOWN}",
        ),
    ],
)
def test_what_the_verdict_does_not_speak_of(found: dict[str, Any], words: str, sentences: str) -> None:
    limited = limits(found)
    assert (limited.words, limited.sentences) == (words, sentences)


def test_what_is_not_logged_is_no_part_that_was_not_asked() -> None:
    assert limits(document(WHOLE, READS)).asked == ""
    assert limits(document({**WHOLE, "accounts": "given"}, READS)).asked == "only the 1 account given"


@pytest.mark.parametrize(
    ("scopes", "merged"),
    [
        ([WHOLE, {**WHOLE, "accounts": "given"}], WHOLE),
        ([WHOLE, {"accounts": "given", "regions": "given"}], {**WHOLE, "regions": "given"}),
        ([{"accounts": "given", "regions": "given"}, {}], {}),
        ([WHOLE, {}], {"accounts": "organization", "enabled_regions": ["a", "b"]}),
        ([{"accounts": "odd", "regions": "odd"}], {}),
        ([], {}),
    ],
)
def test_scopes_merge_to_what_is_true_of_all_parts(scopes: list[dict[str, Any]], merged: dict[str, Any]) -> None:
    assert merge_scopes(scopes) == merged


@pytest.mark.parametrize(
    ("events", "merged"),
    [
        ([ALL_EVENTS, ALL_EVENTS], ALL_EVENTS),
        ([ALL_EVENTS, READS], READS),
        ([READS, {"error": "x"}], {"error": "x"}),
        ([ALL_EVENTS, {}], {}),
        ([], {}),
    ],
)
def test_events_merge_to_the_least_that_a_part_tells(events: list[dict[str, Any]], merged: dict[str, Any]) -> None:
    assert merge_events(events) == merged


scopes = st.fixed_dictionaries(
    {},
    optional={
        "accounts": st.sampled_from(["given", "organization"]),
        "regions": st.sampled_from(["given", "enabled"]),
        "enabled_regions": st.lists(st.sampled_from("abc"), unique=True, min_size=1).map(sorted),
    },
)
logged = st.sampled_from([{}, ALL_EVENTS, READS, {"error": "x"}])


@given(st.lists(st.tuples(scopes, logged), min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_parts_does_not_matter(parts: list[Any], dice: random.Random) -> None:
    shuffled = dice.sample(parts, len(parts))
    half = len(parts) // 2
    for place, merge in enumerate((merge_scopes, merge_events)):
        whole = merge(part[place] for part in parts)
        assert merge(part[place] for part in shuffled) == whole
        if half:
            halves = (merge(part[place] for part in some) for some in (shuffled[:half], shuffled[half:]))
            assert merge(halves) == whole
