# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event patterns. moto matches them as EventBridge does, but for arrays of objects, which it does not look into.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns-arrays.html
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

Json = dict[str, Any]


def matches(pattern: Any, event: Json) -> bool:
    """Whether moto's pattern matches an event, one of each array of objects at a time."""
    looked_at: Json = pattern.get_pattern() or {}
    return any(pattern.matches_event(one) for one in unfolded(event, looked_at))


def unfolded(event: Json, pattern: Json) -> Iterator[Json]:
    """The event with one object in place of each array of objects that the pattern looks into: all combinations."""
    choices: dict[str, list[Json]] = {}
    for name, inner in members(pattern):
        value = event.get(name)
        objects: list[Any] = value if isinstance(value, list) else [value]
        if objects and all(isinstance(one, dict) for one in objects):
            before = choices.get(name, objects)
            choices[name] = [one for object_ in before for one in unfolded(object_, inner)]
    for combination in product(*choices.values()):
        yield {**event, **dict(zip(choices, combination, strict=True))}


def members(pattern: Json) -> Iterator[tuple[str, Json]]:
    """The names under which a pattern, or one of its alternatives, looks into objects."""
    for name, value in pattern.items():
        if name == "$or":
            for alternative in value:
                yield from members(alternative)
        elif isinstance(value, dict):
            yield name, value
