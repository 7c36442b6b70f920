# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What would be lost without a member's trail: what it logs or serves that the organization trail does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from .._work.options import Result
from .selection import not_selected
from .trail import Trail

KeepKind = Literal[
    "regions",
    "global_service_events",
    "management_events",
    "data_events",
    "network_activity_events",
    "other_events",
    "insights",
    "aggregations",
    "log_file_validation",
    "log_group",
    "topic",
    "bucket_readers",
    "bucket_unread",
]

EVENT_KINDS: dict[str, KeepKind] = {
    "Management": "management_events",
    "Data": "data_events",
    "NetworkActivity": "network_activity_events",
}


@dataclass(frozen=True)
class Keep:
    """One thing that would be lost; ``text`` says what, as words behind "keeps"."""

    kind: KeepKind
    text: str

    def to_dict(self) -> Result:
        return {"kind": self.kind, "text": self.text}


def keeps(member: Trail, organization: Trail) -> list[Keep]:
    """What a member's trail logs or serves that an organization trail does not, but for who reads its bucket.

    organization: as the organization trail is, or would be when it is made one.
    """
    return [*_events(member, organization), *_destinations(member, organization)]


def _events(member: Trail, organization: Trail) -> Iterator[Keep]:
    if not organization.is_multi_region:
        if member.is_multi_region or member.arn.region != organization.arn.region:
            yield Keep("regions", f"events of regions other than {organization.arn.region}")
        elif member.has_global_events and not organization.has_global_events:
            yield Keep("global_service_events", "events of global services")
    for selection in member.selections:
        if lacking := not_selected(selection, organization.selections):
            yield Keep(EVENT_KINDS.get(selection.category, "other_events"), str(lacking))
    for kind, category in sorted(member.insight_kinds - organization.insight_kinds):
        yield Keep("insights", f"{kind} of {category} events")
    for category, template in sorted(member.aggregation_kinds - organization.aggregation_kinds):
        yield Keep("aggregations", f"{template} of {category} events")


def _destinations(member: Trail, organization: Trail) -> Iterator[Keep]:
    def own(name: str) -> str:
        value = member.settings.get(name) or ""
        return "" if value == organization.settings.get(name) else str(value)

    if own("LogFileValidationEnabled"):
        yield Keep("log_file_validation", "digest files, which the organization trail does not write")
    if group := own("CloudWatchLogsLogGroupArn"):
        yield Keep("log_group", f"events in the log group {group}")
    if topic := own("SnsTopicARN"):
        yield Keep("topic", f"notifications to the topic {topic}")
