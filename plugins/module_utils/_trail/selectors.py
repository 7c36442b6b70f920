# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event selectors, insight selectors and aggregations: between AWS's form and the options', compared by meaning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypedDict

from .._aws.selectors import ManagementEvents, is_of_management, management_events
from .._aws.untyped import Structure


class DataResource(TypedDict):
    type: str
    values: list[str]


class EventSelector(TypedDict):
    """A basic event selector, as the option has it."""

    read_write_type: Literal["All", "ReadOnly", "WriteOnly"]
    include_management_events: bool
    data_resources: list[DataResource]
    exclude_management_event_sources: list[str]


class Field(TypedDict):
    field: str


class FieldSelector(Field, total=False):
    """A condition of an advanced event selector, with the operators that it uses."""

    equals: list[str]
    not_equals: list[str]
    starts_with: list[str]
    not_starts_with: list[str]
    ends_with: list[str]
    not_ends_with: list[str]


class AdvancedEventSelector(TypedDict):
    """An advanced event selector, as the option has it; name is "" for none."""

    name: str
    field_selectors: list[FieldSelector]


class InsightSelector(TypedDict):
    """An insight selector, as the option has it; the categories are sorted."""

    insight_type: str
    event_categories: list[str]


class Aggregation(TypedDict):
    """An aggregation configuration, as the option has it; the templates are sorted."""

    event_category: str
    templates: list[str]


Operator = Literal["equals", "not_equals", "starts_with", "not_starts_with", "ends_with", "not_ends_with"]

OPERATORS: dict[Operator, str] = {
    "equals": "Equals",
    "not_equals": "NotEquals",
    "starts_with": "StartsWith",
    "not_starts_with": "NotStartsWith",
    "ends_with": "EndsWith",
    "not_ends_with": "NotEndsWith",
}
"""Operators of an advanced event selector: name of the option, name in AWS's API."""

ALL_MANAGEMENT_EVENTS: EventSelector = {
    "read_write_type": "All",
    "include_management_events": True,
    "data_resources": [],
    "exclude_management_event_sources": [],
}
"""What a trail logs whose selectors nobody set (aws-facts 2.10)."""

ALL_MANAGEMENT_EVENTS_ADVANCED: AdvancedEventSelector = {
    "name": "Management events selector",
    "field_selectors": [{"field": "eventCategory", "equals": ["Management"]}],
}


def selectors_of(answer: Structure) -> tuple[list[EventSelector], list[AdvancedEventSelector]]:
    """The basic and the advanced selectors in an answer of GetEventSelectors."""
    basic = [event_selector(one) for one in answer.get("EventSelectors") or []]
    return basic, [advanced_event_selector(one) for one in answer.get("AdvancedEventSelectors") or []]


def event_selector(selector: Structure) -> EventSelector:
    """A basic selector of AWS's answer in the options' form."""
    return {
        "read_write_type": selector.get("ReadWriteType", "All"),
        "include_management_events": selector.get("IncludeManagementEvents", True),
        "data_resources": [
            {"type": resource["Type"], "values": list(resource.get("Values") or [])}
            for resource in selector.get("DataResources") or []
        ],
        "exclude_management_event_sources": list(selector.get("ExcludeManagementEventSources") or []),
    }


def event_selector_request(selector: EventSelector) -> Structure:
    """A basic selector of the options' form as PutEventSelectors takes it."""
    return {
        "ReadWriteType": selector["read_write_type"],
        "IncludeManagementEvents": selector["include_management_events"],
        "DataResources": [
            {"Type": resource["type"], "Values": resource["values"]} for resource in selector["data_resources"]
        ],
        "ExcludeManagementEventSources": selector["exclude_management_event_sources"],
    }


def advanced_event_selector(selector: Structure) -> AdvancedEventSelector:
    """An advanced selector of AWS's answer in the options' form, without the operators that it does not use."""
    return {
        "name": selector.get("Name") or "",
        "field_selectors": [
            _field_selector(part["Field"], {option: part.get(name) for option, name in OPERATORS.items()})
            for part in selector["FieldSelectors"]
        ],
    }


def advanced_event_selector_request(selector: AdvancedEventSelector) -> Structure:
    """An advanced selector of the options' form as PutEventSelectors takes it."""
    fields = [
        {"Field": part["field"]} | {name: part[option] for option, name in OPERATORS.items() if part.get(option)}
        for part in selector["field_selectors"]
    ]
    return {"Name": selector["name"], "FieldSelectors": fields} if selector["name"] else {"FieldSelectors": fields}


def without_unset(selectors: Iterable[Mapping[str, Any]]) -> list[AdvancedEventSelector]:
    """Advanced selectors as Ansible hands them over, without the operators that the user did not set."""
    return [
        {
            "name": selector.get("name") or "",
            "field_selectors": [
                _field_selector(part["field"], {option: part.get(option) for option in OPERATORS})
                for part in selector["field_selectors"]
            ],
        }
        for selector in selectors
    ]


def _field_selector(field: str, values: Mapping[Operator, list[str] | None]) -> FieldSelector:
    selector: FieldSelector = {"field": field}
    for option, value in values.items():
        if value:
            selector[option] = list(value)
    return selector


def same_event_selectors(one: list[EventSelector], other: list[EventSelector]) -> bool:
    """Whether two lists of basic selectors mean the same, whatever their order."""
    return sorted(map(_basic_key, one)) == sorted(map(_basic_key, other))


def same_advanced_event_selectors(wanted: list[AdvancedEventSelector], found: list[AdvancedEventSelector]) -> bool:
    """Whether two lists of advanced selectors mean the same; names count only where ``wanted`` has one."""
    if sorted(map(advanced_key, wanted)) != sorted(map(advanced_key, found)):
        return False
    names = {(advanced_key(selector), selector["name"]) for selector in found}
    return all((advanced_key(selector), selector["name"]) in names for selector in wanted if selector["name"])


def _basic_key(selector: EventSelector) -> str:
    resources = {(part["type"], value) for part in selector["data_resources"] for value in part["values"] or [""]}
    excluded = set(selector["exclude_management_event_sources"])
    include = selector["include_management_events"]
    return repr((selector["read_write_type"], include, sorted(resources), sorted(excluded)))


def advanced_key(selector: AdvancedEventSelector) -> str:
    """What an advanced selector selects, whatever its name and the order of its parts."""
    parts = {
        (part["field"], operator, tuple(sorted(set(part[operator]))))
        for part in selector["field_selectors"]
        for operator in OPERATORS
        if part.get(operator)
    }
    return repr(sorted(parts))


def logged_management_events(basic: list[EventSelector], advanced: list[AdvancedEventSelector]) -> ManagementEvents:
    """Which management events the selectors log."""
    return management_events(
        {
            "EventSelectors": [event_selector_request(one) for one in basic],
            "AdvancedEventSelectors": [advanced_event_selector_request(one) for one in advanced],
        }
    )


def selects_management_events(selector: AdvancedEventSelector) -> bool:
    """Whether an advanced selector is one of management events."""
    return is_of_management(advanced_event_selector_request(selector))


def with_all_management_events(
    basic: list[EventSelector], advanced: list[AdvancedEventSelector]
) -> tuple[list[EventSelector], list[AdvancedEventSelector]]:
    """The same selectors for data and other events, and beside them all management events.

    Basic selectors that log data events keep doing so; a selector for management events alone gives way.
    """
    if advanced:
        return [], [ALL_MANAGEMENT_EVENTS_ADVANCED, *(one for one in advanced if not selects_management_events(one))]
    kept: list[EventSelector] = [
        {**one, "include_management_events": False, "exclude_management_event_sources": []}
        for one in basic
        if one["data_resources"]
    ]
    for index, selector in enumerate(kept):
        if selector["read_write_type"] == "All":
            kept[index] = {**selector, "include_management_events": True}
            return kept, []
    return [ALL_MANAGEMENT_EVENTS, *kept], []


def insight_selector(selector: Structure) -> InsightSelector:
    """An insight selector of AWS's answer in the options' form; without categories it means management events."""
    categories = selector.get("EventCategories") or ["Management"]
    return {"insight_type": selector["InsightType"], "event_categories": sorted(categories)}


def insight_selectors_request(wanted: list[InsightSelector], found: list[InsightSelector]) -> list[Structure]:
    """Insight selectors as PutInsightSelectors takes them.

    Categories are left out where only AWS's default is concerned: older botocore does not know them (aws-facts 2.14).
    """
    if all(selector["event_categories"] == ["Management"] for selector in [*wanted, *found]):
        return [{"InsightType": selector["insight_type"]} for selector in wanted]
    return [
        {"InsightType": selector["insight_type"], "EventCategories": selector["event_categories"]}
        for selector in wanted
    ]


def insight_selectors(selectors: Iterable[InsightSelector]) -> list[InsightSelector]:
    """Insight selectors as Ansible hands them over, with the default categories, in AWS's order of types."""
    read: list[InsightSelector] = [
        {
            "insight_type": selector["insight_type"],
            "event_categories": sorted(set(selector.get("event_categories") or ["Management"])),
        }
        for selector in selectors
    ]
    return sorted(read, key=lambda one: one["insight_type"])


def aggregation(configuration: Structure) -> Aggregation:
    """An aggregation of AWS's answer in the options' form."""
    return {"event_category": configuration["EventCategory"], "templates": sorted(configuration["Templates"])}


def aggregation_request(configuration: Aggregation) -> Structure:
    """An aggregation as PutEventConfiguration takes it."""
    return {"EventCategory": configuration["event_category"], "Templates": configuration["templates"]}


def aggregations(configurations: Iterable[Aggregation]) -> list[Aggregation]:
    """Aggregations as Ansible hands them over, with sorted templates, in the order of categories."""
    read: list[Aggregation] = [
        {"event_category": one["event_category"], "templates": sorted(set(one["templates"]))} for one in configurations
    ]
    return sorted(read, key=lambda one: one["event_category"])
