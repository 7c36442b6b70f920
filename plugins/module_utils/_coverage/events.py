# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which management events the trail logs: what nobody logs is covered nowhere."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .._aws.arn import TrailArn
from .._aws.cloudtrail import get_event_selectors
from .._aws.errors import sentence
from .._aws.selectors import ManagementEvents, management_events
from .._aws.untyped import Client
from .._work.options import Result


@dataclass(frozen=True)
class EventsRead:
    """What the trail's event selectors log, or why that could not be read."""

    logged: ManagementEvents | None
    error: str = ""

    def to_dict(self) -> Result:
        """It as results and reports tell it."""
        if self.logged is None:
            return {"error": self.error}
        return {"logged": str(self.logged), "all": self.logged.all}


def read_events(client: Client, trail: TrailArn) -> EventsRead:
    """What the trail's event selectors log, by whoever asks: members may read them, too (aws-facts 4.2).

    client: one of the trail's home region.
    """
    try:
        return EventsRead(management_events(get_event_selectors(client, str(trail))))
    except AnsibleAWSError as error:
        return EventsRead(None, sentence(error))
