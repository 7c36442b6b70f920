# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks in threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from functools import partial

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._work.fanout import (
    WAITING_PER_THREAD,
    Fanout,
    Later,
    Task,
)

FAR = time.monotonic() + 3600


def run(tasks: Iterable[Task], threads: int = 4, deadline: float = FAR) -> bool:
    return Fanout(tasks, threads, deadline).run(lambda: None, every=0.01)


def test_fanout_does_every_task_and_what_it_leads_to_once() -> None:
    done: list[tuple[int, int]] = []

    def parent(number: int) -> list[Task]:
        return [partial(done.append, (number, child)) for child in range(17)]

    assert run(partial(parent, number) for number in range(200))
    assert sorted(done) == [(number, child) for number in range(200) for child in range(17)]


def test_fanout_without_tasks() -> None:
    assert run([])


def test_fanout_finishes_what_was_begun_before_it_begins_more() -> None:
    order: list[str] = []

    def parent(name: str) -> list[Task]:
        order.append(name)
        return [partial(order.append, f"{name}{child}") for child in range(3)]

    assert run([partial(parent, "a"), partial(parent, "b")], threads=1)
    assert [name[0] for name in order] == ["a"] * 4 + ["b"] * 4


def test_fanout_tries_again_later() -> None:
    tries: dict[int, int] = {}

    def stubborn(number: int) -> None:
        tries[number] = tries.get(number, 0) + 1
        if tries[number] < 3:
            raise Later(0.001)

    assert run(partial(stubborn, number) for number in range(50))
    assert tries == dict.fromkeys(range(50), 3)


def test_fanout_begins_no_more_while_too_many_wait() -> None:
    begun: list[int] = []

    def waiting(number: int) -> None:
        begun.append(number)
        raise Later(3600)

    assert not run((partial(waiting, number) for number in range(1000)), threads=2, deadline=time.monotonic() + 0.3)
    assert len(begun) <= 2 * WAITING_PER_THREAD + 2


def test_fanout_stops_at_the_deadline() -> None:
    gate = threading.Event()
    assert not run([gate.wait] * 3, deadline=time.monotonic() + 0.05)  # type: ignore[list-item]
    gate.set()


def test_fanout_raises_what_a_task_raised() -> None:
    def broken() -> None:
        raise KeyError("x")

    tasks: list[Callable[[], None]] = [lambda: None] * 20 + [broken] + [lambda: None] * 20
    with pytest.raises(KeyError):
        run(tasks)


def test_fanout_keeps_to_the_number_of_threads() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def task() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.001)
        with lock:
            running -= 1

    assert run([task] * 100, threads=3)
    assert most <= 3
