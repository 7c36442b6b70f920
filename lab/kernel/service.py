# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a service's file registers what it answers itself (moto answers the rest)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lab.kernel.call import Call
    from lab.kernel.world import World

Answer = Callable[["World", "Call"], dict[str, Any]]
Guard = Callable[["World", "Call"], None]

ANSWERS: dict[tuple[str, str], Answer] = {}
GUARDS: dict[str, list[Guard]] = {}


def answers(service: str, *operations: str) -> Callable[[Answer], Answer]:
    """Register a function that answers operations instead of moto.

    It takes the world and the call, returns a dictionary of botocore's output shape, or raises `LabError`.
    """

    def register(function: Answer) -> Answer:
        for operation in operations:
            ANSWERS[service, operation] = function
        return function

    return register


def guards(service: str) -> Callable[[Guard], Guard]:
    """Register a check that runs before any operation of a service; it refuses by raising `LabError`."""

    def register(function: Guard) -> Guard:
        GUARDS.setdefault(service, []).append(function)
        return function

    return register
