# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A line now and then about a long run, in a file: a module cannot print while it runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

EVERY = 5.0
"""Seconds between two lines; short runs write none."""


class Progress:
    """Appends lines to a file. Without a path it does nothing."""

    def __init__(
        self,
        path: str | None,
        what: str,
        total: int,
        done: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._what = what
        self._total = total
        self._done = done
        self._clock = clock
        self._start = clock()
        self._next = self._start + EVERY

    def tick(self) -> None:
        """Say how far it is, when it is time to."""
        now = self._clock()
        if now < self._next:
            return
        self._next = now + EVERY
        self.say(line(self._what, self._done(), self._total, now - self._start))

    def say(self, text: str) -> None:
        """Append a line. A line that cannot be written is no reason to end the run."""
        if self._path:
            with suppress(OSError), Path(self._path).open("a") as file:
                file.write(f"{text}\n")


def line(what: str, done: int, total: int, seconds: float) -> str:
    """How far, how fast, how long still."""
    rate = done / seconds if seconds else 0.0
    text = f"{what}: {done} of {total} accounts' regions, {rate:.0f} per second"
    if not rate:
        return text
    left = (total - done) / rate
    return f"{text}, about {left / 60:.0f} min left" if left >= 120 else f"{text}, about {left:.0f} s left"
