# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One drift: a thing that is not as wanted, or that could not be judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

TRAIL, BUCKET, ORGANIZATION, WATCH, CHECK = "trail", "log bucket", "organization", "watch", "check"
"""What a drift is of. An object of ORGANIZATION ends with the id that events name it by, one of WATCH is an ARN."""

NOT_JUDGED = "could not be judged"


@dataclass(frozen=True)
class Drift:
    """One thing that is not as wanted.

    object: what it is about, for example a trail's ARN. what: the setting. remedy: what to do.
    events: names of the CloudTrail events that may have caused it. since, by: time (ISO 8601, UTC) and ARN, empty
    when event history does not tell; unattributed: why it does not.
    """

    kind: str
    object: str
    what: str
    expected: Any
    found: Any
    remedy: str
    events: tuple[str, ...] = ()
    since: str = ""
    by: str = ""
    unattributed: str = ""


def not_judged(what: str, reason: str) -> Drift:
    """The row of something that could not be judged, with the reason, a sentence."""
    return Drift(CHECK, what, NOT_JUDGED, "an answer", reason, "")
