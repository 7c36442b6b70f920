# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work in processes of its own, one for each processor: Python runs one thread of a process at a time."""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, cast

Send = Callable[[Any], None]
"""Hands a value to the process that waits."""

Work = Callable[[Send], None]
"""What a process does. It sends what it found as it goes on, and nothing counts that it did not send."""

MOST = 8
"""Processes at once, so that a machine with many processors needs no more memory than is promised."""

GRACE = 15.0
"""Seconds after the deadline in which a process may still send what it has."""


def default_processes() -> int:
    """How many processes make a run fastest: the processors that this one may use, at most MOST.

    macOS is not safe to fork after a connection was opened, so there is one.
    """
    if not sys.platform.startswith(("linux", "freebsd")):
        return 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, MOST)


def run_all(
    works: Sequence[Work],
    receive: Callable[[Any], None],
    deadline: float,
    tick: Callable[[], None],
    every: float,
) -> list[str]:
    """Fork a process for each work and hand ``receive`` what they send, whole values in the order of each process.

    Meanwhile ``tick`` is called now and then. A process that is at work long after time.monotonic's ``deadline`` is
    killed. Answers for each process that did not end well how it ended, such as "was killed by signal 9".
    """
    context = multiprocessing.get_context("fork")
    processes = []
    readers: dict[Any, BaseProcess] = {}
    gc.freeze()  # else each process's garbage collection would look at, and so copy, all that is there
    try:
        for work in works:
            reader, writer = context.Pipe(duplex=False)
            process = context.Process(target=_work, args=(work, writer, os.getpid()), daemon=True)
            process.start()
            writer.close()  # else its end would never be seen
            processes.append(process)
            readers[reader] = process
        while readers:
            for ready in wait(list(readers), every):
                try:
                    value = cast("Connection", ready).recv()
                except (EOFError, OSError):
                    readers.pop(ready).join()
                else:
                    receive(value)
            tick()
            if time.monotonic() > deadline + GRACE:
                break
    finally:
        gc.unfreeze()
        for late in readers.values():
            late.kill()
            late.join()
    return [_ending(process.exitcode) for process in processes if process.exitcode]


def _work(work: Work, writer: Connection, parent: int) -> None:
    def send(value: Any) -> None:
        if os.getppid() != parent:  # it was killed, and nobody wants the rest
            os._exit(1)
        writer.send(value)

    work(send)


def _ending(code: int | None) -> str:
    return f"was killed by signal {-code}" if code and code < 0 else f"ended with code {code}"
