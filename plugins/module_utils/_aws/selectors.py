# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which management events a trail's selectors log."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .untyped import Structure

SELECTOR_KINDS = ("EventSelectors", "AdvancedEventSelectors")
"""Members of GetEventSelectors's answer; a trail has selectors of one kind (aws-facts 2.10)."""

NOTHING_LEFT_OUT: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ManagementEvents:
    """Which management events are logged; ``str()`` says it in words, for example ``only read management events``.

    read, write: the event sources whose events of this kind are left out; None where events of this kind are not
    logged, or only those that meet some further condition. some: whether there is any that is logged (and paid for,
    aws-facts 7.8).
    """

    read: frozenset[str] | None
    write: frozenset[str] | None
    some: bool

    @property
    def all(self) -> bool:
        """Whether every one is logged, read and write, of every source."""
        return self.read == self.write == NOTHING_LEFT_OUT

    @property
    def both_kinds(self) -> bool:
        """Whether read and write events are logged, perhaps without some sources."""
        return self.read is not None and self.write is not None

    def __str__(self) -> str:
        if not self.some:
            return "no management events"
        logged = [kind for kind in (self.read, self.write) if kind is not None]
        if not logged:
            return "only some management events"
        kind = "all" if self.both_kinds else "only read" if self.write is None else "only write"
        left_out = ", ".join(sorted(NOTHING_LEFT_OUT.union(*logged)))
        of = "those" if len(set(logged)) == 1 else "some"
        return f"{kind} management events" + (f" but {of} of {left_out}" if left_out else "")


def management_events(answer: Structure) -> ManagementEvents:
    """Which management events the selectors in an answer of GetEventSelectors log; an answer without any logs none.

    An event is logged when any selector matches it.
    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-management-events-with-cloudtrail.html
    """
    basic = [one for one in answer.get("EventSelectors") or [] if one.get("IncludeManagementEvents", True)]
    advanced = [one for one in answer.get("AdvancedEventSelectors") or [] if is_of_management(one)]
    logged = [*map(_of_basic, basic), *map(_of_advanced, advanced)]
    return ManagementEvents(_left_out(one.read for one in logged), _left_out(one.write for one in logged), bool(logged))


def is_of_management(selector: Structure) -> bool:
    """Whether an advanced selector is one of management events."""
    return any(
        field.get("Field") == "eventCategory" and "Management" in (field.get("Equals") or [])
        for field in selector.get("FieldSelectors") or []
    )


def _left_out(sources: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    """What several selectors leave out together; None when none of them logs events of the kind."""
    known = [one for one in sources if one is not None]
    return frozenset.intersection(*known) if known else None


def _of_basic(selector: Structure) -> ManagementEvents:
    left_out = frozenset(selector.get("ExcludeManagementEventSources") or [])
    kind = selector.get("ReadWriteType", "All")
    return ManagementEvents(
        left_out if kind in ("All", "ReadOnly") else None, left_out if kind in ("All", "WriteOnly") else None, some=True
    )


def _of_advanced(selector: Structure) -> ManagementEvents:
    kinds, left_out = {"true", "false"}, NOTHING_LEFT_OUT
    for field in selector["FieldSelectors"]:
        name, operators = field.get("Field"), {key: value for key, value in field.items() if key != "Field" and value}
        if name == "eventCategory":
            continue
        if name == "readOnly" and set(operators) == {"Equals"}:
            kinds &= {value.lower() for value in operators["Equals"]}
        elif name == "eventSource" and set(operators) == {"NotEquals"}:
            left_out |= frozenset(operators["NotEquals"])
        else:
            kinds = set()
    return ManagementEvents(left_out if "true" in kinds else None, left_out if "false" in kinds else None, some=True)
