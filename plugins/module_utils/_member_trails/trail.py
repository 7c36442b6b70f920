# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A trail as its owner's account tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from .._aws.arn import TrailArn
from .._aws.selectors import ManagementEvents, management_events
from .._aws.untyped import Structure
from .selection import Selection, selections


@dataclass(frozen=True)
class Trail:
    """A trail: the answers of GetTrail, GetEventSelectors, GetInsightSelectors and GetEventConfiguration, and more.

    logging: whether it logs at present. What it selects does not depend on that. status: the answer of GetTrailStatus
    with its times as text, where that is kept.
    """

    arn: TrailArn
    settings: Structure
    selectors: Structure
    insights: Sequence[Structure] = ()
    aggregations: Sequence[Structure] = ()
    logging: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    status: Structure = field(default_factory=dict)

    @property
    def bucket(self) -> str:
        return str(self.settings["S3BucketName"])

    @property
    def is_organization_trail(self) -> bool:
        return bool(self.settings.get("IsOrganizationTrail"))

    @property
    def is_multi_region(self) -> bool:
        return bool(self.settings.get("IsMultiRegionTrail"))

    @property
    def has_global_events(self) -> bool:
        """Whether it logs events of global services; a multi-region trail always does (aws-facts 2.5)."""
        return self.is_multi_region or bool(self.settings.get("IncludeGlobalServiceEvents"))

    @cached_property
    def selections(self) -> list[Selection]:
        return selections(self.selectors)

    @cached_property
    def management_events(self) -> ManagementEvents:
        return management_events(self.selectors)

    @property
    def insight_kinds(self) -> set[tuple[str, str]]:
        """Type and event category of each kind of insight; without categories it means management events."""
        return {
            (one["InsightType"], category)
            for one in self.insights
            for category in one.get("EventCategories") or ["Management"]
        }

    @property
    def aggregation_kinds(self) -> set[tuple[str, str]]:
        """Event category and template of each kind of aggregation."""
        return {(one["EventCategory"], template) for one in self.aggregations for template in one["Templates"]}
