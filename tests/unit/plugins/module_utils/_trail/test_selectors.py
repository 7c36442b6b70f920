# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of selectors: what they mean, and how they are repaired."""

from __future__ import annotations

from typing import Literal, cast

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.untyped import Structure
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.selectors import (
    ALL_MANAGEMENT_EVENTS,
    ALL_MANAGEMENT_EVENTS_ADVANCED,
    AdvancedEventSelector,
    EventSelector,
    FieldSelector,
    InsightSelector,
    Operator,
    advanced_event_selector,
    advanced_event_selector_request,
    event_selector,
    event_selector_request,
    insight_selectors,
    insight_selectors_request,
    logged_management_events,
    same_advanced_event_selectors,
    same_event_selectors,
    with_all_management_events,
    without_unset,
)

S3 = "AWS::S3::Object"
Basic = list[EventSelector]
Advanced = list[AdvancedEventSelector]


def basic(
    kind: Literal["All", "ReadOnly", "WriteOnly"] = "All",
    management: bool = True,
    data: tuple[str, ...] = (),
    without: tuple[str, ...] = (),
) -> EventSelector:
    return {
        "read_write_type": kind,
        "include_management_events": management,
        "data_resources": [{"type": S3, "values": list(data)}] if data else [],
        "exclude_management_event_sources": list(without),
    }


def advanced(name: str = "", **fields: str | dict[Operator, list[str]]) -> AdvancedEventSelector:
    """``eventCategory="Management"`` or ``eventName={"starts_with": [...]}``; a string means equals."""
    parts = [
        {"field": field.replace("__", "."), **(value if isinstance(value, dict) else {"equals": [value]})}
        for field, value in fields.items()
    ]
    return {"name": name, "field_selectors": cast(list[FieldSelector], parts)}


MANAGEMENT = advanced(eventCategory="Management")
DATA = advanced("data", eventCategory="Data", resources__type=S3)

LOGGED: list[tuple[str, Basic, Advanced, str]] = [
    ("AWS's default", [ALL_MANAGEMENT_EVENTS], [], "all management events"),
    ("no management events", [basic(management=False, data=("arn:aws:s3",))], [], "no management events"),
    ("KMS excluded", [basic(without=("kms",))], [], "all management events but those of kms"),
    ("none at all", [], [], "no management events"),
    ("advanced management", [], [MANAGEMENT], "all management events"),
    ("advanced data only", [], [DATA], "no management events"),
    ("advanced reads", [], [advanced(eventCategory="Management", readOnly="true")], "only read management events"),
]
"""Selectors of either kind; _aws/test_selectors.py has all that they may log."""


@pytest.mark.parametrize(("case", "plain", "fancy", "words"), LOGGED, ids=[row[0] for row in LOGGED])
def test_logged_management_events(case: str, plain: Basic, fancy: Advanced, words: str) -> None:
    assert str(logged_management_events(plain, fancy)) == words


@pytest.mark.parametrize(("case", "plain", "fancy", "words"), LOGGED, ids=[row[0] for row in LOGGED])
def test_with_all_management_events_always_does(case: str, plain: Basic, fancy: Advanced, words: str) -> None:
    repaired = with_all_management_events(plain, fancy)
    assert logged_management_events(*repaired).all
    assert not (repaired[0] and repaired[1])


REPAIRS: list[tuple[str, Basic, Advanced, tuple[Basic, Advanced]]] = [
    ("management alone gives way", [basic("ReadOnly")], [], ([ALL_MANAGEMENT_EVENTS], [])),
    (
        "data events stay as they are",
        [basic("WriteOnly", False, ("arn:aws:s3",))],
        [],
        ([ALL_MANAGEMENT_EVENTS, basic("WriteOnly", False, ("arn:aws:s3",))], []),
    ),
    (
        "a selector of all data events takes management events on",
        [basic("ReadOnly"), basic("All", False, ("arn:aws:s3",))],
        [],
        ([basic("All", True, ("arn:aws:s3",))], []),
    ),
    (
        "read-only management with data",
        [basic("ReadOnly", True, ("arn:aws:s3",), ("kms.amazonaws.com",))],
        [],
        ([ALL_MANAGEMENT_EVENTS, basic("ReadOnly", False, ("arn:aws:s3",))], []),
    ),
    ("advanced data events stay", [], [DATA], ([], [ALL_MANAGEMENT_EVENTS_ADVANCED, DATA])),
    (
        "narrow advanced management gives way",
        [],
        [advanced(eventCategory="Management", readOnly="true"), DATA],
        ([], [ALL_MANAGEMENT_EVENTS_ADVANCED, DATA]),
    ),
]


@pytest.mark.parametrize(("case", "plain", "fancy", "expected"), REPAIRS, ids=[row[0] for row in REPAIRS])
def test_with_all_management_events(case: str, plain: Basic, fancy: Advanced, expected: tuple[Basic, Advanced]) -> None:
    assert with_all_management_events(plain, fancy) == expected


SAME_BASIC: list[tuple[str, Basic, Basic, bool]] = [
    ("order of selectors", [basic("ReadOnly"), basic("WriteOnly")], [basic("WriteOnly"), basic("ReadOnly")], True),
    ("order of values", [basic(data=("a", "b"))], [basic(data=("b", "a"))], True),
    (
        "one type in two parts",
        [basic(data=("a", "b"))],
        [{**basic(), "data_resources": [{"type": S3, "values": ["b"]}, {"type": S3, "values": ["a"]}]}],
        True,
    ),
    ("order of excluded sources", [basic(without=("a", "b"))], [basic(without=("b", "a"))], True),
    ("another value", [basic(data=("a",))], [basic(data=("b",))], False),
    ("another kind", [basic("All")], [basic("ReadOnly")], False),
    ("without management events", [basic(data=("a",))], [basic(management=False, data=("a",))], False),
    ("one more", [basic()], [basic(), basic("ReadOnly")], False),
]


@pytest.mark.parametrize(("case", "left", "right", "same"), SAME_BASIC, ids=[row[0] for row in SAME_BASIC])
def test_same_event_selectors(case: str, left: Basic, right: Basic, same: bool) -> None:
    assert same_event_selectors(left, right) is same
    assert same_event_selectors(right, left) is same


NAMES: dict[Operator, list[str]] = {"not_equals": ["GetObject", "HeadObject"]}
SAME_ADVANCED: list[tuple[str, Advanced, Advanced, bool]] = [
    ("order of selectors", [MANAGEMENT, DATA], [DATA, MANAGEMENT], True),
    (
        "order of fields",
        [advanced(eventCategory="Data", resources__type=S3)],
        [advanced(resources__type=S3, eventCategory="Data")],
        True,
    ),
    (
        "order of values",
        [advanced(eventName=NAMES)],
        [advanced(eventName={"not_equals": ["HeadObject", "GetObject"]})],
        True,
    ),
    ("a name that was not asked for", [MANAGEMENT], [{**MANAGEMENT, "name": "Console's"}], True),
    ("another name than asked for", [{**MANAGEMENT, "name": "mine"}], [MANAGEMENT], False),
    ("another operator", [advanced(eventName={"equals": ["a"]})], [advanced(eventName={"not_equals": ["a"]})], False),
    ("one more", [MANAGEMENT], [MANAGEMENT, DATA], False),
]


@pytest.mark.parametrize(("case", "wanted", "found", "same"), SAME_ADVANCED, ids=[row[0] for row in SAME_ADVANCED])
def test_same_advanced_event_selectors(case: str, wanted: Advanced, found: Advanced, same: bool) -> None:
    assert same_advanced_event_selectors(wanted, found) is same


@pytest.mark.parametrize("selector", [basic("ReadOnly", True, ("arn:aws:s3",), ("kms.amazonaws.com",)), basic()])
def test_event_selector_there_and_back(selector: EventSelector) -> None:
    assert event_selector(event_selector_request(selector)) == selector


@pytest.mark.parametrize("selector", [MANAGEMENT, DATA, advanced("n", eventName={"starts_with": ["Get"]})])
def test_advanced_event_selector_there_and_back(selector: AdvancedEventSelector) -> None:
    assert advanced_event_selector(advanced_event_selector_request(selector)) == selector


def test_event_selector_fills_in_what_aws_leaves_out() -> None:
    assert event_selector({}) == ALL_MANAGEMENT_EVENTS


def test_without_unset() -> None:
    given = {"name": None, "field_selectors": [{"field": "eventCategory", "equals": ["Data"], "not_equals": None}]}
    assert without_unset([given]) == [{"name": "", "field_selectors": [{"field": "eventCategory", "equals": ["Data"]}]}]


def insight(kind: str, *categories: str) -> InsightSelector:
    return {"insight_type": kind, "event_categories": list(categories)}


INSIGHTS: list[tuple[str, list[InsightSelector], list[InsightSelector], list[Structure]]] = [
    ("default categories are not sent", [insight("A")], [], [{"InsightType": "A"}]),
    (
        "other categories are",
        [insight("A", "Data", "Management")],
        [],
        [{"InsightType": "A", "EventCategories": ["Data", "Management"]}],
    ),
    (
        "back to the default they are sent, too",
        [insight("A")],
        [insight("A", "Data")],
        [{"InsightType": "A", "EventCategories": ["Management"]}],
    ),
    ("none", [], [insight("A")], []),
]


@pytest.mark.parametrize(("case", "wanted", "found", "request_"), INSIGHTS, ids=[row[0] for row in INSIGHTS])
def test_insight_selectors_request(
    case: str, wanted: list[InsightSelector], found: list[InsightSelector], request_: list[Structure]
) -> None:
    assert insight_selectors_request(insight_selectors(wanted), insight_selectors(found)) == request_
