# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notes which operations the labs of these tests answered, for test_shapes.py, which therefore runs last."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from tests.lab_process import Lab

OUTCOMES: set[tuple[str, str, str]] = set()
"""Service, operation and outcome (``ok`` or an error code) of every call of this run."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name == "test_shapes.py")


@pytest.fixture(scope="session", autouse=True)
def note_outcomes() -> Iterator[None]:
    stop = Lab.stop

    def note_and_stop(self: Lab) -> None:
        with contextlib.suppress(OSError):  # a lab that a test has stopped already
            OUTCOMES.update(tuple(outcome) for outcome in self.control("GET", "operations"))
        stop(self)

    Lab.stop = note_and_stop  # type: ignore[method-assign]
    yield
    Lab.stop = stop  # type: ignore[method-assign]


@pytest.fixture(scope="session")
def outcomes() -> set[tuple[str, str, str]]:
    return OUTCOMES
