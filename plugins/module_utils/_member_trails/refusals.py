# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is refused of a trail that is to be stopped, deleted or brought back, each in one sentence."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from .judgement import Judgement
from .owner import Owner
from .record import Record, record_path, stopped_since
from .restore import differences
from .trail import Trail

STOP_FIRST = "Stop it with state=stopped, which records it"


def retirement_refusal(found: Judgement) -> str:
    """Why a trail is neither stopped nor deleted, whatever covers its account; "" when it may be."""
    arn = found.trail.arn
    if found.trail.is_organization_trail:
        return f"{arn} is an organization trail, expected a trail of the account {arn.account_id} alone."
    if found.owner:
        return owner_refusal(found.trail, found.owner)
    if found.kept:
        return (
            f"{arn} is not redundant: without it you would lose {', '.join(keep.text for keep in found.kept)}. Let the "
            "organization trail log that, too, or keep the trail."
        )
    return ""


def owner_refusal(trail: Trail, owner: Owner) -> str:
    """The sentence about a trail that a stack or a tool would make again."""
    where = f" ({owner.stack_id})" if owner.stack_id else ""
    return (
        f"{trail.arn} belongs to {owner}{where} in account {trail.arn.account_id}, which would make it again; expected "
        "a trail that nobody else manages. Remove it there."
    )


def deletion_refusal(now: Trail, record: Record | None, folder: Path) -> str:
    """Why a trail is not deleted, by its record; "" when it may be. When it may be is asked of `waiting`."""
    if now.logging:
        return f"{now.arn} logs, expected a trail that is stopped. {STOP_FIRST}, and delete it days later."
    if record is None:
        return (
            f"There is no record {record_path(folder, now.arn)}, so {now.arn} could not be brought back. {STOP_FIRST}."
        )
    if found := differences(record.trail, now):
        return (
            f"{now.arn} is not what its record {record_path(folder, now.arn)} holds: {', '.join(found)} changed since "
            f"{record.recorded_at}. Run with state=stopped, which records it anew, and delete it days later."
        )
    return ""


def waiting(now: Trail, record: Record, days: float, time: datetime) -> str:
    """Why it is too early to delete a stopped trail; "" when it is not."""
    since = stopped_since(record, now)
    until = since + timedelta(days=days)
    if time >= until:
        return ""
    return (
        f"{now.arn} is stopped since {since:%Y-%m-%d %H:%M UTC}, expected at least {days:g} days. Run again after "
        f"{until:%Y-%m-%d %H:%M UTC}."
    )
