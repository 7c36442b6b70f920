# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work in processes, and processes that end before it is done."""

from __future__ import annotations

import os
import signal
import sys
import time
from functools import partial
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._work import processes
from ansible_collections.cloudsec.org_trail.plugins.module_utils._work.processes import (
    MOST,
    Send,
    Work,
    default_processes,
    run_all,
)


def run(*works: Work, deadline: float | None = None) -> tuple[list[Any], list[str]]:
    received: list[Any] = []
    until = time.monotonic() + 60 if deadline is None else deadline
    return received, run_all(works, received.append, until, lambda: None, 0.05)


def count_to(number: int, send: Send) -> None:
    for one in range(number):
        send((number, one, os.getpid()))


def test_each_work_has_a_process_and_its_values_come_in_order() -> None:
    received, endings = run(*(partial(count_to, number) for number in (3, 500, 0, 4)))
    assert endings == []
    for number in (3, 500, 4):
        assert [one[1] for one in received if one[0] == number] == list(range(number))
    by_process = {one[2]: one[0] for one in received}
    assert sorted(by_process.values()) == [3, 4, 500]
    assert os.getpid() not in by_process


def kill_itself(send: Send) -> None:
    send("before")
    os.kill(os.getpid(), signal.SIGKILL)
    send("after")


def test_a_process_that_is_killed_is_told_and_the_others_go_on() -> None:
    received, endings = run(kill_itself, partial(count_to, 5))
    assert endings == ["was killed by signal 9"]
    assert received.count("before") == 1
    assert "after" not in received
    assert len(received) == 6


def test_a_process_that_raises_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    def fail(send: Send) -> None:
        raise ValueError("odd")

    assert run(fail) == ([], ["ended with code 1"])
    assert "ValueError: odd" in capfd.readouterr().err


def test_half_a_value_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process may be killed while it sends."""

    def send_half(send: Send) -> None:
        writer = next(cell.cell_contents for cell in send.__closure__ or () if hasattr(cell.cell_contents, "fileno"))
        os.write(writer.fileno(), b"\0\0\0\xffhalf")
        os.kill(os.getpid(), signal.SIGKILL)

    assert run(send_half) == ([], ["was killed by signal 9"])


def test_a_process_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "GRACE", 0.2)
    _, endings = run(lambda send: time.sleep(600), deadline=time.monotonic())
    assert endings == ["was killed by signal 9"]


def test_ticks_come_while_processes_work() -> None:
    ticks: list[float] = []
    run_all([lambda send: time.sleep(0.4)], ticks.append, time.monotonic() + 9, lambda: ticks.append(0), 0.05)
    assert len(ticks) >= 3


@pytest.mark.parametrize(
    ("platform", "processors", "expected"), [("linux", 3, 3), ("linux", 64, MOST), ("darwin", 8, 1)]
)
def test_default_processes(monkeypatch: pytest.MonkeyPatch, platform: str, processors: int, expected: int) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(processors)), raising=False)
    assert default_processes() == expected
