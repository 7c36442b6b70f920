# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What selectors select, and whether others select all of it: a table, and any selectors against any events."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.selection import (
    not_selected,
    selections,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.member_trails import advanced, basic, data, management

ALL = basic()
S3_OF = {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::mine/"]}
ALL_S3 = {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}
A_FUNCTION = {"Type": "AWS::Lambda::Function", "Values": ["arn:aws:lambda:eu-west-1:222222222222:function:f"]}


def lacking(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """What the other selectors do not select of the one, in words."""
    others = selections(other)
    return [str(part) for selection in selections(one) if (part := not_selected(selection, others))]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (ALL, ALL),
        (ALL, advanced(management())),
        (advanced(management()), ALL),
        (basic(ReadWriteType="WriteOnly"), ALL),
        (basic(ExcludeManagementEventSources=["kms.amazonaws.com"]), ALL),
        (basic(ExcludeManagementEventSources=["a", "b"]), basic(ExcludeManagementEventSources=["a"])),
        (ALL, {"EventSelectors": [{"ReadWriteType": "ReadOnly"}, {"ReadWriteType": "WriteOnly"}]}),
        (ALL, advanced(management(readOnly="true"), management(readOnly="False"))),
        (
            ALL,
            {
                "EventSelectors": [
                    {"ExcludeManagementEventSources": ["kms.amazonaws.com"]},
                    {"ExcludeManagementEventSources": ["rdsdata.amazonaws.com"]},
                ]
            },
        ),
        (advanced(management(eventSource={"NotEquals": ["kms.amazonaws.com"]})), ALL),
        (advanced(management(eventName={"StartsWith": ["Delete"]})), ALL),
        (
            advanced(management(eventName={"StartsWith": ["DeleteT"]})),
            advanced(management(eventName={"StartsWith": ["Delete"]})),
        ),
        (
            advanced(management(eventName={"EndsWith": ["Trail"]})),
            advanced(management(eventName={"NotEndsWith": ["Key"]})),
        ),
        (advanced(data()), advanced(management(), data())),
        (basic(DataResources=[S3_OF]), basic(DataResources=[ALL_S3])),
        (basic(DataResources=[S3_OF]), advanced(management(), data())),
        (basic(DataResources=[A_FUNCTION]), advanced(management(), data("AWS::Lambda::Function"))),
        (
            advanced({**data(), "resources.ARN": {"StartsWith": ["arn:aws:s3:::mine/x"]}}),
            basic(DataResources=[S3_OF]),
        ),
        (
            advanced(
                {"eventCategory": "Data", "resources.type": {"Equals": ["AWS::S3::Object", "AWS::Lambda::Function"]}}
            ),
            advanced(data(), data("AWS::Lambda::Function")),
        ),
        ({}, ALL),
        (basic(IncludeManagementEvents=False), {}),
    ],
)
def test_all_is_selected(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert lacking(one, other) == []


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        (ALL, {}, ["management events"]),
        (ALL, basic(ReadWriteType="WriteOnly"), ["read management events"]),
        (ALL, basic(ExcludeManagementEventSources=["kms.amazonaws.com"]), ["management events of kms.amazonaws.com"]),
        (basic(DataResources=[S3_OF]), ALL, ["data events of AWS::S3::Object by resources.ARN"]),
        (basic(DataResources=[ALL_S3], ReadWriteType="WriteOnly"), ALL, ["write data events of AWS::S3::Object"]),
        (basic(DataResources=[ALL_S3]), basic(DataResources=[S3_OF]), ["data events of AWS::S3::Object"]),
        (
            advanced(management(), data()),
            advanced(data(readOnly="false")),
            ["management events", "read data events of AWS::S3::Object"],
        ),
        (
            advanced({"eventCategory": "NetworkActivity", "eventSource": "ec2.amazonaws.com"}),
            ALL,
            ["network activity events of ec2.amazonaws.com"],
        ),
        (
            advanced(management(eventName={"StartsWith": ["Delete"]})),
            advanced(management(eventName={"StartsWith": ["DeleteT"]})),
            ["management events by eventName"],
        ),
        (
            advanced(management(eventName={"NotStartsWith": ["Get"]})),
            advanced(management(eventName={"NotStartsWith": ["Ge"]})),
            ["management events by eventName"],
        ),
    ],
)
def test_something_is_not_selected(one: dict[str, Any], other: dict[str, Any], words: list[str]) -> None:
    assert lacking(one, other) == words


def test_selectors_cannot_hold_up_a_run() -> None:
    """All is selected, but it would take 160 times 160 parts to see it: then it counts as not selected."""
    narrow = [
        management(eventSource={"NotEquals": [one]}, eventName={"NotEquals": [one]})
        for one in (f"s{number}" for number in range(160))
    ]
    assert len(lacking(ALL, advanced(*narrow))) == 1


# --- any selectors, any events ------------------------------------------------------------------------

VALUES = {
    "eventSource": ["ec2", "ec2x", "kms", "s3"],
    "eventName": ["Get", "GetKey", "PutKey", "Put"],
    "readOnly": ["true", "false"],
    "resources.type": ["AWS::S3::Object", "AWS::Lambda::Function"],
    "resources.ARN": ["arn:aws:s3", "arn:aws:s3:::a/", "arn:aws:s3:::a/b", "arn:aws:lambda:f"],
}
ANY_OPERATOR = ("Equals", "StartsWith", "EndsWith", "NotEquals", "NotStartsWith", "NotEndsWith")


def some_of(name: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(VALUES[name]), min_size=1, max_size=2, unique=True)


@st.composite
def advanced_selectors(draw: st.DrawFn) -> dict[str, Any]:
    category = draw(st.sampled_from(["Management", "Data"]))
    fields: list[dict[str, Any]] = [{"Field": "eventCategory", "Equals": [category]}]
    if category == "Data":
        fields.append({"Field": "resources.type", "Equals": draw(some_of("resources.type"))})
    for name in draw(
        st.lists(st.sampled_from(["eventSource", "eventName", "readOnly", "resources.ARN"]), unique=True, max_size=2)
    ):
        operators = ("Equals",) if name == "readOnly" else ANY_OPERATOR
        chosen = draw(st.lists(st.sampled_from(operators), min_size=1, max_size=2, unique=True))
        fields.append({"Field": name, **{operator: draw(some_of(name)) for operator in chosen}})
    return {"FieldSelectors": fields}


@st.composite
def basic_selectors(draw: st.DrawFn) -> dict[str, Any]:
    resources = [
        {"Type": kind, "Values": draw(some_of("resources.ARN"))}
        for kind in draw(st.lists(st.sampled_from(VALUES["resources.type"]), unique=True))
    ]
    return {
        "ReadWriteType": draw(st.sampled_from(["All", "ReadOnly", "WriteOnly"])),
        "IncludeManagementEvents": draw(st.booleans()),
        "DataResources": resources,
        "ExcludeManagementEventSources": draw(st.lists(st.sampled_from(["kms", "s3"]), unique=True)),
    }


ANSWERS = st.one_of(
    st.lists(basic_selectors(), max_size=3).map(lambda some: {"EventSelectors": some}),
    st.lists(advanced_selectors(), max_size=3).map(lambda some: {"AdvancedEventSelectors": some}),
)


def events() -> list[dict[str, str]]:
    """Every event of these values, and of some that no selector names."""
    more = {"eventSource": ["ec"], "eventName": ["GetKeyX", "XGet"], "resources.ARN": ["arn:aws:s3:::", "arn:aws:x"]}
    values = {name: [*known, *more.get(name, [])] for name, known in VALUES.items()}
    found = []
    for category, names in (
        ("Management", MANAGEMENT_FIELDS),
        ("Data", (*MANAGEMENT_FIELDS, "resources.type", "resources.ARN")),
    ):
        for chosen in product(*(values[name] for name in names)):
            found.append({"eventCategory": category, **dict(zip(names, chosen, strict=True))})
    return found


MANAGEMENT_FIELDS = ("eventSource", "eventName", "readOnly")
EVENTS = events()


def logs(answer: dict[str, Any], event: dict[str, str], one_suffices: bool) -> bool:
    """Whether selectors log an event, by AWS's guide.

    one_suffices: whether of several selecting operators of a field one suffices, as the guide says.
    """
    return any(basic_logs(one, event) for one in answer.get("EventSelectors", [])) or any(
        all(field_fits(field, event.get(field["Field"]), one_suffices) for field in one["FieldSelectors"])
        for one in answer.get("AdvancedEventSelectors", [])
    )


def basic_logs(selector: dict[str, Any], event: dict[str, str]) -> bool:
    if selector["ReadWriteType"] not in ("All", "ReadOnly" if event["readOnly"] == "true" else "WriteOnly"):
        return False
    if event["eventCategory"] == "Management":
        left_out = selector["ExcludeManagementEventSources"]
        return selector["IncludeManagementEvents"] and event["eventSource"] not in left_out
    return any(
        resource["Type"] == event["resources.type"]
        and any(
            value in ("arn:aws:s3", "arn:aws:lambda")
            or (
                event["resources.ARN"].startswith(value)
                if "S3" in resource["Type"]
                else event["resources.ARN"] == value
            )
            for value in resource["Values"]
        )
        for resource in selector["DataResources"]
    )


TESTS: dict[str, Callable[[str, str], bool]] = {
    "Equals": str.__eq__,
    "StartsWith": str.startswith,
    "EndsWith": str.endswith,
}


def field_fits(field: dict[str, Any], value: str | None, one_suffices: bool) -> bool:
    def fits(operator: str, name: str) -> bool:
        return value is not None and any(TESTS[operator](value, one) for one in field[name])

    selected = [fits(operator, operator) for operator in TESTS if operator in field]
    deselected = any(fits(operator, f"Not{operator}") for operator in TESTS if f"Not{operator}" in field)
    return not deselected and (not selected or (any(selected) if one_suffices else all(selected)))


@settings(max_examples=300)
@given(ANSWERS, ANSWERS, st.lists(st.sampled_from(EVENTS), min_size=1, max_size=60), st.booleans())
def test_what_is_all_selected_loses_no_event(
    one: dict[str, Any], other: dict[str, Any], drawn: list[dict[str, str]], one_suffices: bool
) -> None:
    if lacking(one, other) == []:
        lost = [event for event in drawn if logs(one, event, one_suffices) and not logs(other, event, one_suffices)]
        assert lost == []


FIELDS = st.lists(st.sampled_from(ANY_OPERATOR), min_size=1, max_size=2, unique=True).flatmap(
    lambda operators: st.fixed_dictionaries({operator: some_of("eventName") for operator in operators})
)


@settings(max_examples=500)
@given(FIELDS, FIELDS, st.booleans())
def test_conditions_within_others_lose_no_value(one: dict[str, Any], other: dict[str, Any], one_suffices: bool) -> None:
    found, others = (selections(advanced(management(eventName=asked)))[0] for asked in (one, other))
    if found.is_within(others):
        for value in ("Get", "GetKey", "PutKey", "Put", "GetKeyX", "XGet", "XPutKey", "Key", None):
            assert not field_fits(one, value, one_suffices) or field_fits(other, value, one_suffices)
