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
    LOOK_EVERY,
    WAITING_PER_THREAD,
    Fanout,
    Later,
    Limit,
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


def simulate(most: int, seconds: float, busy_at: float, throttled_at: float = 1e9, looks: int = 60) -> Limit:
    """A limit after so many looks, where a call takes some seconds and a processor or a service bounds the rate."""
    limit, running = Limit(most), [0] * (1 + int(seconds / LOOK_EVERY))
    for _ in range(looks):
        rate = min(running[0] / seconds, busy_at)  # what was begun so long ago ends now
        limit.learn(rate, max(0.0, rate - throttled_at), in_use=True)
        running = [*running[1:], limit.now]
    return limit


@pytest.mark.parametrize(
    ("most", "seconds", "low", "high"),
    [
        (256, 0.25, 256, 256),  # the network is slow: as many as may be
        (256, 0.6, 256, 256),
        (256, 0.06, 170, 256),  # 3,000 calls a second need 180
        (256, 0.001, 16, 32),  # the processor is busy at once
        (8, 0.25, 8, 8),
        (1, 0.25, 1, 1),
    ],
)
def test_more_run_at_once_while_that_makes_it_faster(most: int, seconds: float, low: int, high: int) -> None:
    assert low <= simulate(most, seconds, busy_at=3000).now <= high


def test_fewer_run_at_once_while_a_service_throttles() -> None:
    limit = simulate(256, 0.06, busy_at=3000, throttled_at=500)
    assert 500 * 0.06 * 0.5 < limit.now < 500 * 0.06 * 1.8  # about as many as 500 calls a second need
    throttled = Limit(256)
    for _ in range(50):
        throttled.learn(100.0, 100.0, in_use=True)
    assert throttled.now == Limit.LEAST


def test_one_account_that_is_throttled_holds_nobody_up() -> None:
    limit = Limit(256)
    for _ in range(60):
        limit.learn(limit.now / 0.25, limit.now / 0.25 / 50, in_use=True)
    assert limit.now == 256


def test_no_more_run_at_once_than_there_is_to_do() -> None:
    limit = Limit(256)
    for _ in range(60):
        limit.learn(10.0, 0.0, in_use=False)
    assert limit.now == Limit.FIRST


def test_fanout_runs_no_more_at_once_than_it_may() -> None:
    running: list[int] = []
    most: list[int] = []

    def wait(number: int) -> None:
        running.append(number)
        most.append(len(running))
        time.sleep(0.01)
        running.remove(number)

    assert run((partial(wait, number) for number in range(400)), threads=24)
    assert Limit.FIRST <= max(most) <= 24
