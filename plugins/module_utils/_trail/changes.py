# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run changes of a trail, in words, and what it takes away beside what the options name."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from .._aws.arn import TrailArn
from .plan import Plan
from .selectors import (
    AdvancedEventSelector,
    EventSelector,
    advanced_key,
    logged_management_events,
    selects_management_events,
)
from .settings import Setting, Settings


def changes_in_words(arn: TrailArn, before: Settings | None, plan: Plan, after: Settings | None) -> list[str]:
    """A line for each setting that a run changes, or would change in check mode; one line when there is none."""
    if not plan.calls:
        return [f"{arn}: nothing to change"]
    if before is None or after is None:
        return [f"{arn}: {'absent → present' if before is None else 'present → absent'}"]
    return [f"{arn}: {name}: {_text(before.get(name))} → {_text(after.get(name))}" for name in plan.changed_fields]


def _text(value: object) -> str:
    return value if isinstance(value, str) and value else json.dumps(value)


@dataclass(frozen=True)
class Loss:
    """What a setting does not hold any more afterwards, in words, and what to do to keep it."""

    what: str
    keep: str


def losses(before: Settings, after: Settings, changed_fields: Sequence[str]) -> list[Loss]:
    """What a run takes away although no option names it.

    An option of one value says by itself what becomes of the setting: ``kms_key_id`` is cleared by "" alone. One that
    holds a list, and selectors that no option asks for, may take away what the user does not know of.
    """
    lost: list[Loss] = []
    if {"event_selectors", "advanced_event_selectors"} & set(changed_fields):
        lost += [*_lost_sources(before, after), *_lost_data_resources(before, after), *_lost_selectors(before, after)]
    if "insight_selectors" in changed_fields:
        for insight in before["insight_selectors"]:
            if insight not in after["insight_selectors"]:
                kinds = " and ".join(insight["event_categories"])
                lost.append(Loss(f"{insight['insight_type']} of {kinds} events", _hold("insight_selectors", insight)))
    if "aggregation_configurations" in changed_fields:
        for one in before["aggregation_configurations"]:
            if one not in after["aggregation_configurations"]:
                what = f"the aggregation {' and '.join(one['templates'])}"
                lost.append(Loss(what, _hold("aggregation_configurations", one)))
    if "tags" in changed_fields and (tags := sorted(set(before["tags"]) - set(after["tags"]))):
        lost.append(Loss(f"the tags {', '.join(tags)}", "set purge_tags=false"))
    return lost


def _hold(option: Setting, *elements: object) -> str:
    return f"let {option} hold {', '.join(map(json.dumps, elements))}"


def _lost_sources(before: Settings, after: Settings) -> Iterator[Loss]:
    """Sources whose management events were left out, because they cost much, and no longer are."""
    if sources := sorted(_left_out(before) - _left_out(after)):
        basic = [one for one in before["event_selectors"] if one["exclude_management_event_sources"]]
        advanced = filter(selects_management_events, before["advanced_event_selectors"])
        keep = _hold("event_selectors", *basic) if basic else _hold("advanced_event_selectors", *advanced)
        yield Loss(f"that management events of {' and '.join(sources)} are left out", keep)


def _left_out(settings: Settings) -> frozenset[str]:
    logged = logged_management_events(settings["event_selectors"], settings["advanced_event_selectors"])
    return (logged.read or frozenset()) | (logged.write or frozenset())


def _lost_data_resources(before: Settings, after: Settings) -> Iterator[Loss]:
    kept = set(_data_events(after["event_selectors"]))
    types = {value for one in after["advanced_event_selectors"] for value in _types(one)}
    for selector in before["event_selectors"]:
        gone = {(kind, value) for events, kind, value in _data_events([selector]) if (events, kind, value) not in kept}
        if words := [f"{kind} {value}".rstrip() for kind, value in sorted(gone) if kind not in types]:
            yield Loss(f"data events of {' and '.join(words)}", _hold("event_selectors", selector))


def _data_events(selectors: Iterable[EventSelector]) -> Iterator[tuple[str, str, str]]:
    """Kind of events (read, write), type of resource and ARN that basic selectors log data events of."""
    for selector in selectors:
        for kind in ("ReadOnly", "WriteOnly"):
            if selector["read_write_type"] in ("All", kind):
                for part in selector["data_resources"]:
                    yield from ((kind, part["type"], value) for value in part["values"] or [""])


def _types(selector: AdvancedEventSelector) -> list[str]:
    """The types of resources of an advanced selector for data events."""
    parts = selector["field_selectors"]
    return [value for part in parts if part["field"] == "resources.type" for value in part.get("equals", [])]


def _lost_selectors(before: Settings, after: Settings) -> Iterator[Loss]:
    kept = set(map(advanced_key, after["advanced_event_selectors"]))
    for one in before["advanced_event_selectors"]:
        if not selects_management_events(one) and advanced_key(one) not in kept:
            name = one["name"] or " ".join(_types(one)) or "without a name"
            yield Loss(f"the selector {name}", _hold("advanced_event_selectors", one))
