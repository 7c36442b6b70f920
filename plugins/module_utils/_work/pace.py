# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeping to a rate, so that others who call the same API are not throttled because of us."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock


class Pace:
    """A token bucket: ``burst`` calls at once, then ``rate`` calls per second. A rate of 0 does not hold anything up.

    AWS fills such buckets for each account and region (aws-facts section 8).
    """

    def __init__(
        self,
        rate: float,
        burst: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._sleep = sleep
        self._tokens = burst
        self._filled = clock()
        self._lock = Lock()

    def wait(self) -> None:
        """Return when the next call may be made. Threads are let through one after the other."""
        if not self._rate:
            return
        with self._lock:
            now = self._clock()
            self._tokens = min(self._burst, self._tokens + (now - self._filled) * self._rate) - 1
            self._filled = now
            seconds = -self._tokens / self._rate
        if seconds > 0:
            self._sleep(seconds)
