# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many small tasks at once: tasks that lead to others, tasks to try again later, a deadline, progress.

How many at once is found out while they run: more as long as all goes well, fewer when many have to be tried again.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from math import ceil

Task = Callable[[], "Iterable[Task] | None"]
"""Does one call. It may return the tasks that it leads to, and may raise Later."""

WAITING_PER_THREAD = 8
"""New tasks are not begun while so many wait for their next try, so that memory stays bounded."""

LOOK_EVERY = 0.25
"""Seconds between two looks at how it goes."""


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
        """threads: the most. deadline: as time.monotonic tells the time."""
        self._source: Iterator[Task] = iter(tasks)
        self._exhausted = False
        self._most = threads
        self._limit = Limit(threads)
        self._threads: list[threading.Thread] = []
        self._made = self._vain = 0
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
        self._start_threads()
        next_tick = time.monotonic() + every
        try:
            while any(thread.is_alive() for thread in self._threads) and time.monotonic() < self._deadline:
                since = time.monotonic()
                self._join(min(LOOK_EVERY, every))
                now = time.monotonic()
                self._adapt(now - since)
                if now >= next_tick:
                    next_tick = now + every
                    tick()
            tick()
        finally:
            with self._wake:
                self._deadline = min(self._deadline, time.monotonic())
                self._wake.notify_all()
        if self._error:
            raise self._error
        with self._wake:
            return self._exhausted and not (self._ready or self._waiting or self._running)

    def _start_threads(self) -> None:
        while len(self._threads) < self._limit.now:
            thread = threading.Thread(target=self._work, daemon=True)
            self._threads.append(thread)
            thread.start()

    def _join(self, seconds: float) -> None:
        until = min(time.monotonic() + seconds, self._deadline)
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _adapt(self, seconds: float) -> None:
        """Let more or fewer tasks run at once, by the attempts of the last seconds."""
        with self._wake:
            self._limit.learn(self._made / seconds, self._vain / seconds, self._running >= self._limit.now)
            self._made = self._vain = 0
            self._wake.notify_all()
        self._start_threads()

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
                free = self._running < self._limit.now
                task = (self._ready.pop() if self._ready else self._new()) if free else None
                if task is not None:
                    self._running += 1
                    return task
                if not self._running and not self._waiting and self._exhausted:
                    self._wake.notify_all()
                    return None
                until = self._waiting[0][0] if self._waiting and free else self._deadline
                self._wake.wait(max(0.0, min(until, self._deadline) - now))

    def _new(self) -> Task | None:
        if self._exhausted or len(self._waiting) >= WAITING_PER_THREAD * self._most:
            return None
        task = next(self._source, None)
        self._exhausted = task is None
        return task

    def _finish(self, task: Task, more: list[Task], again: float | None) -> None:
        with self._wake:
            self._running -= 1
            self._made += 1
            self._vain += again is not None
            if again is not None:
                heapq.heappush(self._waiting, (again, next(self._order), task))
            self._ready.extend(more)
            if self._error or not (self._running or self._ready):
                self._wake.notify_all()
            else:  # this thread takes one itself
                self._wake.notify(max(0, min(len(self._ready), self._limit.now - self._running) - 1))


class Limit:
    """How many tasks may run at once, ``now`` and at ``most``, found out by trying.

    More are tried while that makes more attempts a second: it does where tasks wait for the network, and does not
    where the processor is busy. It falls when a service throttles, so that many attempts are in vain.
    """

    FIRST = 16
    LEAST = 4
    MANY = 0.1
    """So many of the attempts in vain are a sign of a service that is asked too often. One account alone is less."""
    GAIN = 1.1
    """What twice as many tasks must bring, or it is not worth it."""
    PAUSE = 20
    """Looks without a trial, after one that brought nothing."""
    LONGEST = 8
    """Looks at most until a step is judged."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.now = min(most, self.FIRST)
        self._before = 0, 0.0
        self._pause = self._settling = 0

    def learn(self, rate: float, vain: float, in_use: bool) -> None:
        """Take the next step. rate, vain: attempts a second, and those in vain. in_use: whether as many run as may."""
        limit, old_rate = self._before
        self._pause -= 1
        self._settling -= 1
        if vain > self.MANY * rate:
            self.now, self._before = max(min(self.LEAST, self.most), self.now * 3 // 4), (0, 0.0)
        elif self._settling >= 0 or not rate:
            return  # what was begun since the last step has not ended yet
        elif limit and rate < old_rate * self.GAIN:
            self.now, self._before, self._pause = limit, (0, 0.0), self.PAUSE
        elif in_use and self._pause <= 0 and self.now < self.most:
            self._before = self.now, rate
            self._settling = min(self.LONGEST, ceil(self.now / rate / LOOK_EVERY))  # as long as one task takes
            self.now = min(self.most, self.now * 2)
        else:
            self._before = 0, 0.0
