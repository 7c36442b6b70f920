# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times as results, reports and files tell them: ISO 8601 in UTC, to the second."""

from __future__ import annotations

from datetime import UTC, datetime

NEVER = datetime.min.replace(tzinfo=UTC)
"""The time of "": before all others."""


def now_text() -> str:
    """The time of this moment, such as 2026-11-24T03:00:00Z."""
    return time_text(datetime.now(UTC))


def time_text(time: datetime) -> str:
    """An aware time as text, such as 2026-11-24T03:00:00Z; fractions of a second are left out."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def time_of(text: str) -> datetime:
    """An aware time from ISO 8601, in UTC unless the text says otherwise; ``NEVER`` for "".

    Raises ValueError for other text.
    """
    if not text:
        return NEVER
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)
