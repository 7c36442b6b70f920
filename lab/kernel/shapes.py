# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does an answer fit the service's model: no member that it does not know, none missing, each of its type."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list, tuple),
    "string": (str,),
    "character": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "timestamp": (datetime,),
    "blob": (bytes, str),
}


def problems(shape: Any, value: Any, where: str = "answer") -> Iterator[str]:
    """What is wrong with a value, one sentence each. ``shape`` is a botocore shape, None for an empty answer."""
    if shape is None:
        if value:
            yield f"{where} has {sorted(value)}, but the operation answers nothing."
    elif not is_of_type(shape.type_name, value):
        yield f"{where} is {value!r}, but should be a {shape.type_name}."
    elif shape.type_name == "structure":
        yield from structure_problems(shape, value, where)
    elif shape.type_name == "list":
        for index, member in enumerate(value):
            yield from problems(shape.member, member, f"{where}[{index}]")
    elif shape.type_name == "map":
        for key, member in value.items():
            yield from problems(shape.value, member, f"{where}[{key!r}]")
    elif shape.type_name == "string" and getattr(shape, "enum", None) and value not in shape.enum:
        yield f"{where} is {value!r}, but should be one of {', '.join(shape.enum)}."


def is_of_type(name: str, value: Any) -> bool:
    return isinstance(value, PYTHON_TYPES[name]) and isinstance(value, bool) == (name == "boolean")


def structure_problems(shape: Any, value: dict[str, Any], where: str) -> Iterator[str]:
    present = {name: member for name, member in value.items() if member is not None}
    for name in shape.required_members:
        if name not in present:
            yield f"{where} lacks {name}."
    for name, member in present.items():
        if name in shape.members:
            yield from problems(shape.members[name], member, f"{where}.{name}")
        else:
            yield f"{where} has {name}, which {shape.name} does not know."
