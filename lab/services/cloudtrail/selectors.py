# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Selectors of a trail: basic, advanced, Insights, and the event configuration (aws-facts 2.10, 2.14)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lab.kernel.call import Call, LabError
from lab.kernel.service import answers
from lab.kernel.world import World
from lab.services.cloudtrail.access import find_trail, find_trail_to_change
from lab.services.cloudtrail.trails import Settings

DEFAULT = {
    "ReadWriteType": "All",
    "IncludeManagementEvents": True,
    "DataResources": [],
    "ExcludeManagementEventSources": [],
}
EXCLUDABLE = {"kms.amazonaws.com", "rdsdata.amazonaws.com"}
CATEGORIES = {"Management", "Data", "NetworkActivity"}
OPERATORS = {"Equals", "StartsWith", "EndsWith", "NotEquals", "NotStartsWith", "NotEndsWith"}
FIELDS = {
    "eventCategory",
    "eventSource",
    "eventName",
    "eventType",
    "errorCode",
    "readOnly",
    "resources.type",
    "resources.ARN",
    "sessionCredentialFromConsole",
    "userIdentity.arn",
    "vpcEndpointId",
}
MOST_BASIC_SELECTORS = 5
MOST_VALUES = 500
INSIGHT_TYPES = {"ApiCallRateInsight", "ApiErrorRateInsight"}
INSIGHT_CATEGORIES = {"Management", "Data"}


@answers("cloudtrail", "PutEventSelectors")
def put_event_selectors(world: World, call: Call) -> dict[str, Any]:
    """Replace a trail's selectors; basic and advanced ones exclude each other."""
    trail = find_trail_to_change(world, call, call.parameters["TrailName"])
    basic: list[dict[str, Any]] = call.parameters.get("EventSelectors") or []
    advanced: list[dict[str, Any]] = call.parameters.get("AdvancedEventSelectors") or []
    if bool(basic) == bool(advanced):
        raise invalid("Specify either event selectors or advanced event selectors, and at least one of them.")
    if basic:
        check_basic(basic)
        trail.change(
            call.time,
            event_selectors=tuple({**DEFAULT, **selector} for selector in basic),
            advanced_event_selectors=None,
        )
        return {"TrailARN": trail.arn, "EventSelectors": list(trail.settings.event_selectors or ())}
    check_advanced(advanced)
    trail.change(call.time, event_selectors=None, advanced_event_selectors=tuple(advanced))
    return {"TrailARN": trail.arn, "AdvancedEventSelectors": advanced}


@answers("cloudtrail", "GetEventSelectors")
def get_event_selectors(world: World, call: Call) -> dict[str, Any]:
    trail = find_trail(world, call, call.parameters["TrailName"])
    settings = trail.settings
    if settings.advanced_event_selectors is not None:
        return {"TrailARN": trail.arn, "AdvancedEventSelectors": list(settings.advanced_event_selectors)}
    return {"TrailARN": trail.arn, "EventSelectors": list(settings.event_selectors or (DEFAULT,))}


def are_custom(settings: Settings) -> bool:
    """What HasCustomEventSelectors says: anything but the default was put."""
    return settings.advanced_event_selectors is not None or settings.event_selectors not in (None, (DEFAULT,))


def check_basic(selectors: list[dict[str, Any]]) -> None:
    if len(selectors) > MOST_BASIC_SELECTORS:
        raise invalid(f"A trail has at most {MOST_BASIC_SELECTORS} event selectors.")
    for selector in selectors:
        if selector.get("ReadWriteType", "All") not in ("All", "ReadOnly", "WriteOnly"):
            raise invalid(f"Invalid ReadWriteType: {selector['ReadWriteType']}")
        unknown = set(selector.get("ExcludeManagementEventSources", ())) - EXCLUDABLE
        if unknown:
            raise invalid(f"Event sources that cannot be excluded: {', '.join(sorted(unknown))}")
        if not selector.get("IncludeManagementEvents", True) and not selector.get("DataResources"):
            raise invalid("An event selector must log management events or data resources.")


def check_advanced(selectors: list[dict[str, Any]]) -> None:
    values = 0
    for selector in selectors:
        fields = {field["Field"]: field for field in selector.get("FieldSelectors", ())}
        category = fields.get("eventCategory", {}).get("Equals", [])
        if len(category) != 1 or category[0] not in CATEGORIES:
            raise invalid("eventCategory is required, with one value of Management, Data or NetworkActivity.")
        unknown = set(fields) - FIELDS
        if unknown:
            raise invalid(f"Invalid field in advanced event selector: {', '.join(sorted(unknown))}")
        needed = {"Data": "resources.type", "NetworkActivity": "eventSource"}.get(category[0])
        if needed and not fields.get(needed, {}).get("Equals"):
            raise invalid(f"{needed} with Equals is required for the event category {category[0]}.")
        if any(not OPERATORS & set(field) for field in fields.values()):
            raise invalid("Each field selector needs at least one operator.")
        values += sum(len(field[operator]) for field in fields.values() for operator in OPERATORS & set(field))
    if values > MOST_VALUES:
        raise invalid(f"Advanced event selectors have at most {MOST_VALUES} values together.")


def invalid(message: str) -> LabError:
    return LabError("InvalidEventSelectorsException", message)


# --- what a trail logs ------------------------------------------------------------------------------


def logs_management_event(settings: Settings, source: str, name: str, reads: bool, principal: str) -> bool:
    """Whether the selectors log a management event of this source (service principal), name and caller."""
    if settings.advanced_event_selectors is not None:
        found = {
            "eventCategory": "Management",
            "eventSource": source,
            "eventName": name,
            "eventType": "AwsApiCall",
            "readOnly": str(reads).lower(),
            "userIdentity.arn": principal,
        }
        return any(matches(selector, found) for selector in settings.advanced_event_selectors)
    wanted = {"All", "ReadOnly" if reads else "WriteOnly"}
    return any(
        selector["IncludeManagementEvents"]
        and selector["ReadWriteType"] in wanted
        and source not in selector["ExcludeManagementEventSources"]
        for selector in settings.event_selectors or (DEFAULT,)
    )


def matches(selector: dict[str, Any], found: dict[str, str]) -> bool:
    """Whether every field of an advanced selector fits; a field that the event lacks is the empty text."""
    return all(field_matches(field, found.get(field["Field"], "")) for field in selector["FieldSelectors"])


def field_matches(field: dict[str, Any], value: str) -> bool:
    tests: dict[str, Callable[[str], bool]] = {
        "Equals": value.__eq__,
        "StartsWith": value.startswith,
        "EndsWith": value.endswith,
    }
    for operator, test in tests.items():
        if operator in field and not any(test(wanted) for wanted in field[operator]):
            return False
        if any(test(unwanted) for unwanted in field.get(f"Not{operator}", ())):
            return False
    return True


# --- Insights ---------------------------------------------------------------------------------------


@answers("cloudtrail", "PutInsightSelectors")
def put_insight_selectors(world: World, call: Call) -> dict[str, Any]:
    """Replace a trail's Insights selectors; an empty list switches Insights off."""
    trail = find_trail_to_change(world, call, trail_name(call))
    wanted = call.parameters["InsightSelectors"]
    for selector in wanted:
        if selector.get("InsightType") not in INSIGHT_TYPES or set(selector.get("EventCategories", ())) - (
            INSIGHT_CATEGORIES
        ):
            raise LabError("InvalidInsightSelectorsException", f"Invalid Insights selector: {selector}")
    trail.insight_selectors = wanted
    return {"TrailARN": trail.arn, "InsightSelectors": wanted}


@answers("cloudtrail", "GetInsightSelectors")
def get_insight_selectors(world: World, call: Call) -> dict[str, Any]:
    trail = find_trail(world, call, trail_name(call))
    if not trail.insight_selectors:
        raise LabError(
            "InsightNotEnabledException",
            f"Trail {trail.arn} does not have Insights enabled. "
            "Edit the trail settings to enable Insights, and then try the operation again.",
        )
    return {"TrailARN": trail.arn, "InsightSelectors": trail.insight_selectors}


# --- event configuration ----------------------------------------------------------------------------


@answers("cloudtrail", "PutEventConfiguration")
def put_event_configuration(world: World, call: Call) -> dict[str, Any]:
    """Replace a trail's aggregation of data events."""
    trail = find_trail_to_change(world, call, trail_name(call))
    if {"MaxEventSize", "ContextKeySelectors"} & set(call.parameters):
        raise LabError(
            "InvalidParameterCombinationException",
            "MaxEventSize and ContextKeySelectors belong to event data stores, not to trails.",
        )
    trail.event_configuration = {"AggregationConfigurations": call.parameters.get("AggregationConfigurations", [])}
    return {"TrailARN": trail.arn, **trail.event_configuration}


@answers("cloudtrail", "GetEventConfiguration")
def get_event_configuration(world: World, call: Call) -> dict[str, Any]:
    trail = find_trail(world, call, trail_name(call))
    return {"TrailARN": trail.arn, "AggregationConfigurations": [], **trail.event_configuration}


def trail_name(call: Call) -> str:
    """TrailName of an operation that takes a trail or an event data store; the lab has it for trails only."""
    if "EventDataStore" in call.parameters:
        raise LabError("UnsupportedOperationException", "The lab has this operation for trails only.")
    if "TrailName" not in call.parameters:
        raise LabError("InvalidParameterCombinationException", "Specify a trail or an event data store.")
    return str(call.parameters["TrailName"])
