# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many small tasks in a few threads: tasks that lead to others, tasks to try again later, a deadline, progress."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import count

Task = Callable[[], "Iterable[Task] | None"]
"""Does one call. It may return the tasks that it leads to, and may raise Later."""

WAITING_PER_THREAD = 8
"""New tasks are not begun while so many wait for their next try, so that memory stays bounded."""


class Later(Exception):
    """Raised by a task: call it again after so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Fanout:
    """Runs tasks until none is left or the deadline comes.

    What a task leads to is done before a new one is begun. A task that waits occupies no thread.
    """

    def __init__(self, tasks: Iterable[Task], threads: int, deadline: float) -> None:
        """deadline: as time.monotonic tells the time."""
        self._source: Iterator[Task] = iter(tasks)
        self._exhausted = False
        self._threads = threads
        self._deadline = deadline
        self._ready: list[Task] = []
        self._waiting: list[tuple[float, int, Task]] = []
        self._order = count()
        self._running = 0
        self._wake = threading.Condition()
        self._error: BaseException | None = None

    def run(self, tick: Callable[[], None], every: float) -> bool:
        """Do the tasks and call ``tick`` now and then; answers whether all were done.

        A thread that waits for the network when the deadline comes is left behind. Raises what a task raised.
        """
        threads = [threading.Thread(target=self._work, daemon=True) for _number in range(self._threads)]
        for thread in threads:
            thread.start()
        try:
            while any(thread.is_alive() for thread in threads) and time.monotonic() < self._deadline:
                self._join(threads, every)
                tick()
        finally:
            with self._wake:
                self._deadline = min(self._deadline, time.monotonic())
                self._wake.notify_all()
        if self._error:
            raise self._error
        with self._wake:
            return self._exhausted and not (self._ready or self._waiting or self._running)

    def _join(self, threads: list[threading.Thread], seconds: float) -> None:
        until = min(time.monotonic() + seconds, self._deadline)
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _work(self) -> None:
        while (task := self._next()) is not None:
            more: list[Task] = []
            again: float | None = None
            try:
                more = list(task() or ())
            except Later as later:
                again = time.monotonic() + later.seconds
            except BaseException as error:
                self._error = self._error or error
                self._deadline = 0.0
            self._finish(task, more, again)

    def _next(self) -> Task | None:
        """The next task; None when there will be none."""
        with self._wake:
            while True:
                now = time.monotonic()
                if now >= self._deadline:
                    return None
                while self._waiting and self._waiting[0][0] <= now:
                    self._ready.append(heapq.heappop(self._waiting)[2])
                task = self._ready.pop() if self._ready else self._new()
                if task is not None:
                    self._running += 1
                    return task
                if not self._running and not self._waiting and self._exhausted:
                    self._wake.notify_all()
                    return None
                until = self._waiting[0][0] if self._waiting else self._deadline
                self._wake.wait(max(0.0, min(until, self._deadline) - now))

    def _new(self) -> Task | None:
        if self._exhausted or len(self._waiting) >= WAITING_PER_THREAD * self._threads:
            return None
        task = next(self._source, None)
        self._exhausted = task is None
        return task

    def _finish(self, task: Task, more: list[Task], again: float | None) -> None:
        with self._wake:
            self._running -= 1
            if again is not None:
                heapq.heappush(self._waiting, (again, next(self._order), task))
            self._ready.extend(more)
            if self._error or not (self._running or self._ready):
                self._wake.notify_all()
            else:
                self._wake.notify(max(1, len(more)))
