# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._work.times import NEVER, now_text, time_of, time_text

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-01-02T12:00:00Z", "2026-01-02T12:00:00", "2026-01-02T13:00+01:00"])
def test_a_time_is_in_utc_unless_it_says_otherwise(text: str) -> None:
    assert time_of(text) == NOON


def test_no_time_is_before_all_others() -> None:
    assert time_of("") == NEVER < time_of("1970-01-01")
    with pytest.raises(ValueError, match="yesterday"):
        time_of("yesterday")


def test_a_time_is_told_in_utc_to_the_second() -> None:
    there = timezone(timedelta(hours=2))
    assert time_text(datetime(2026, 1, 2, 14, 0, 0, 999999, tzinfo=there)) == "2026-01-02T12:00:00Z"


def test_now_is_told_like_other_times() -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    assert before <= time_of(now_text()) <= datetime.now(UTC)
