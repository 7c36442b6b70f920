# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The token bucket, with a clock of its own."""

from __future__ import annotations

from ansible_collections.cloudsec.org_trail.plugins.module_utils._work.pace import Pace


class Clock:
    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.now += seconds


def paced(rate: float, burst: float, calls: int) -> tuple[Clock, Pace]:
    clock = Clock()
    pace = Pace(rate, burst, lambda: clock.now, clock.sleep)
    for _number in range(calls):
        pace.wait()
    return clock, pace


def test_pace_lets_the_burst_through_at_once() -> None:
    assert paced(8, 12, 12)[0].slept == []


def test_pace_holds_to_the_rate_after_the_burst() -> None:
    clock, _asked = paced(8, 12, 500)
    assert len(clock.slept) == 488
    assert clock.now - 100 == 488 / 8


def test_pace_fills_again_but_not_beyond_the_burst() -> None:
    clock, pace = paced(8, 12, 12)
    clock.now += 3600
    for _number in range(13):
        pace.wait()
    assert clock.slept == [0.125]


def test_pace_of_rate_0_holds_nothing_up() -> None:
    assert paced(0, 1, 1000)[0].slept == []
