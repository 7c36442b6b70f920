# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What event selectors of a trail select, and whether others select all of it.

Basic and advanced selectors become the same: a condition for some fields of an event. The answer errs on one side only:
that others select all of it is never said wrongly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from .._aws.untyped import Structure

Operator = Literal["Equals", "StartsWith", "EndsWith"]

OPERATORS: tuple[Operator, ...] = ("Equals", "StartsWith", "EndsWith")
READ_ONLY = "readOnly"
SPLIT = (READ_ONLY, "eventSource", "resources.type", "eventName")
"""Fields by whose values a selection is taken apart: one part may be selected here, the other there."""

MOST_PARTS = 5000
"""Into more parts nothing is taken apart: who writes selectors must not be able to hold up a run."""

ALL_RESOURCES = frozenset({"arn:aws:dynamodb", "arn:aws:lambda", "arn:aws:s3", "arn:aws:s3:::"})
"""Values of basic selectors that mean all resources of a type, in the partition aws."""

CATEGORIES = {
    "Management": "management events",
    "Data": "data events",
    "NetworkActivity": "network activity events",
}
"""Event categories, and what people call their events."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """An operator of a selector with one value."""

    operator: Operator
    value: str

    def matches(self, text: str) -> bool:
        if self.operator == "Equals":
            return text == self.value
        return text.startswith(self.value) if self.operator == "StartsWith" else text.endswith(self.value)

    def is_within(self, other: Pattern) -> bool:
        """Whether the other one matches each text that this one matches."""
        return (self.operator in ("Equals", other.operator)) and other.matches(self.value)

    def is_apart_from(self, other: Pattern) -> bool:
        """Whether no text is matched by both."""
        if "Equals" in (self.operator, other.operator):
            exact, pattern = (self, other) if self.operator == "Equals" else (other, self)
            return not pattern.matches(exact.value)
        return self.operator == other.operator and not (self.matches(other.value) or other.matches(self.value))


@dataclass(frozen=True, slots=True)
class Condition:
    """What a selector asks of one field of an event.

    wanted: the patterns of each operator that selects; without any, all values are wanted. unwanted: the patterns that
    deselect. AWS's guide lets one of several selecting operators suffice, which nobody has tried: so what is asked for
    is understood as widely as it can be meant in the one, and as narrowly in the other.
    """

    wanted: tuple[tuple[Pattern, ...], ...] = ()
    unwanted: tuple[Pattern, ...] = ()

    @property
    def widest(self) -> tuple[Pattern, ...]:
        return tuple(pattern for patterns in self.wanted for pattern in patterns)

    def may_be(self, value: str) -> bool:
        """Whether the field may have a value."""
        selected = not self.wanted or any(pattern.matches(value) for pattern in self.widest)
        return selected and not any(pattern.matches(value) for pattern in self.unwanted)

    def is_within(self, other: Condition) -> bool:
        """Whether each value that this asks for, and a field without any, is what the other asks for."""
        if not all(
            self.wanted and all(any(one.is_within(pattern) for pattern in patterns) for one in self.widest)
            for patterns in other.wanted
        ):
            return False
        return all(
            any(unwanted.is_within(one) for one in self.unwanted)
            or (bool(self.wanted) and all(one.is_apart_from(unwanted) for one in self.widest))
            for unwanted in other.unwanted
        )


ANYTHING = Condition()


@dataclass(frozen=True)
class Selection:
    """What one selector selects: events whose fields meet all conditions."""

    conditions: Mapping[str, Condition] = field(default_factory=dict)

    @property
    def category(self) -> str:
        wanted = self.conditions.get("eventCategory", ANYTHING).widest
        return wanted[0].value if wanted else ""

    def is_within(self, other: Selection) -> bool:
        """Whether the other one selects every event that this one selects."""
        return all(self.conditions.get(name, ANYTHING).is_within(one) for name, one in other.conditions.items())

    def with_condition(self, name: str, condition: Condition) -> Selection:
        return Selection({**self.conditions, name: condition})

    def parts(self, name: str, values: Iterable[str]) -> Iterator[Selection]:
        """This, taken apart by the values of a field, and what has none of them.

        Each event that can be selected is either one that reads or one that writes.
        """
        own = self.conditions.get(name, ANYTHING)
        values = ("true", "false") if name == READ_ONLY else tuple(values)
        for value in values:
            if own.may_be(value):
                yield self.with_condition(name, only(value))
        named = own.wanted and all(one.operator == "Equals" and one.value in values for one in own.widest)
        if name != READ_ONLY and not named:
            rest = tuple(Pattern("Equals", value) for value in values)
            yield self.with_condition(name, Condition(own.wanted, own.unwanted + rest))

    def __str__(self) -> str:
        """It in words, for example ``write data events of AWS::S3::Object``."""
        kinds = {pattern.value for pattern in self.conditions.get(READ_ONLY, ANYTHING).widest}
        kind = "read " if kinds == {"true"} else "write " if kinds == {"false"} else ""
        of = [pattern.value for name in ("resources.type", "eventSource") for pattern in self._condition(name).widest]
        narrowed = sorted(set(self.conditions) - {"eventCategory", READ_ONLY, "resources.type", "eventSource"})
        return (
            f"{kind}{CATEGORIES.get(self.category, self.category)}"
            + (f" of {', '.join(of)}" if of else "")
            + (f" by {', '.join(narrowed)}" if narrowed else "")
        )

    def _condition(self, name: str) -> Condition:
        return self.conditions.get(name, ANYTHING)


def only(*values: str) -> Condition:
    """The condition that a field has one of some values."""
    return Condition((tuple(Pattern("Equals", value) for value in values),))


def selections(answer: Structure) -> list[Selection]:
    """What the selectors in an answer of GetEventSelectors select."""
    basic = [found for one in answer.get("EventSelectors") or [] for found in _of_basic(one)]
    return basic + [_of_advanced(one) for one in answer.get("AdvancedEventSelectors") or []]


def _of_basic(selector: Structure) -> Iterator[Selection]:
    kind = {"ReadOnly": "true", "WriteOnly": "false"}.get(selector.get("ReadWriteType", "All"))
    reads = {READ_ONLY: only(kind)} if kind else {}
    if selector.get("IncludeManagementEvents", True):
        left_out = selector.get("ExcludeManagementEventSources") or []
        sources = Condition((), tuple(Pattern("Equals", source) for source in left_out))
        yield Selection(
            {"eventCategory": only("Management"), **reads, **({"eventSource": sources} if left_out else {})}
        )
    for resource in selector.get("DataResources") or []:
        values = resource.get("Values") or []
        kept = {"eventCategory": only("Data"), "resources.type": only(resource["Type"]), **reads}
        if any(_all_resources(value) for value in values):
            yield Selection(kept)
        elif values:
            operator: Operator = "StartsWith" if resource["Type"] == "AWS::S3::Object" else "Equals"
            yield Selection(
                {**kept, "resources.ARN": Condition((tuple(Pattern(operator, value) for value in values),))}
            )


def _all_resources(value: str) -> bool:
    """Whether a value of a basic selector means all resources: ``arn:aws:s3``, in any partition."""
    head, partition, *rest = value.split(":", 2) if value.count(":") >= 2 else (value, "")
    return head == "arn" and ":".join(["arn", "aws" if partition.startswith("aws") else partition, *rest]) in (
        ALL_RESOURCES
    )


def _of_advanced(selector: Structure) -> Selection:
    conditions: dict[str, Condition] = {}
    for part in selector.get("FieldSelectors") or []:
        name = part["Field"]
        wanted = tuple(
            tuple(Pattern(operator, _value(name, value)) for value in part[operator])
            for operator in OPERATORS
            if part.get(operator)
        )
        unwanted = tuple(
            Pattern(operator, _value(name, value))
            for operator in OPERATORS
            for value in part.get(f"Not{operator}") or []
        )
        before = conditions.get(name, ANYTHING)
        conditions[name] = Condition(before.wanted + wanted, before.unwanted + unwanted)
    return Selection(conditions)


def _value(name: str, value: str) -> str:
    return value.lower() if name == READ_ONLY else value


def not_selected(selection: Selection, others: list[Selection]) -> Selection | None:
    """A part of a selection that others do not select; None when they select all of it."""
    budget = MOST_PARTS
    others = [other for other in others if other.category == selection.category]

    def lacking(part: Selection, fields: tuple[str, ...]) -> Selection | None:
        nonlocal budget
        budget -= 1
        if any(part.is_within(other) for other in others):
            return None
        for index, name in enumerate(fields):
            values = sorted({value for other in others for value in _named(other, name)})
            if values and budget > 0:
                split = part.parts(name, values)
                return next((found for one in split if (found := lacking(one, fields[index + 1 :]))), None)
        return part

    return lacking(selection, SPLIT)


def _named(selection: Selection, name: str) -> Iterator[str]:
    """The values of a field that a selection names."""
    condition = selection.conditions.get(name, ANYTHING)
    for pattern in (*condition.widest, *condition.unwanted):
        if pattern.operator == "Equals":
            yield pattern.value
