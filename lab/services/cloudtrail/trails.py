# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudTrail's state: trails with the history of their settings, event data stores, what members are told."""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lab.kernel.world import World

AGE_OF_SCENARIO_TRAILS = timedelta(days=30)


@dataclass(frozen=True)
class Settings:
    """What UpdateTrail, StartLogging and the Put calls change. "" and None mean: not set."""

    s3_bucket_name: str
    s3_key_prefix: str = ""
    sns_topic_arn: str = ""
    include_global_service_events: bool = True
    is_multi_region_trail: bool = False
    is_organization_trail: bool = False
    log_file_validation_enabled: bool = False
    cloud_watch_logs_log_group_arn: str = ""
    cloud_watch_logs_role_arn: str = ""
    kms_key_id: str = ""
    recursive_logging: bool | None = None
    event_selectors: tuple[Any, ...] | None = None
    advanced_event_selectors: tuple[Any, ...] | None = None
    logging: bool = False


@dataclass
class Chain:
    """The deliveries of one trail for one account and region: the last digest and the last outcomes.

    ``stream_time`` and ``stream_error`` tell of CloudWatch Logs, ``notification_error`` of SNS.
    ``digest_end`` is where the last digest's hour ended; ``undigested`` are log files that no digest names yet.
    ``backfill`` is the chain of backfill digests (aws-facts 6.1).
    """

    log_time: datetime | None = None
    log_error: str = ""
    stream_time: datetime | None = None
    stream_error: str = ""
    notification_error: str = ""
    digest_time: datetime | None = None
    digest_error: str = ""
    digest_end: datetime | None = None
    undigested: list[dict[str, Any]] = field(default_factory=list)
    digest_bucket: str = ""
    digest_key: str = ""
    digest_hash: str = ""
    digest_signature: str = ""
    attempt_time: datetime | None = None
    backfill: Chain | None = None


@dataclass
class Trail:
    """A trail of its owner account.

    ``history`` holds the settings with the time from which each was in force. ``seen`` is the place in the journal's
    history up to which events were taken over into ``pending``, which waits for delivery, by account and region.
    ``marked_delivered`` is when files last reached every account and region without the lab writing them.
    """

    account: str
    region: str
    name: str
    arn: str
    settings: Settings
    history: list[tuple[datetime, Settings]] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    insight_selectors: list[Any] = field(default_factory=list)
    insights_destination: str = ""
    event_configuration: dict[str, Any] = field(default_factory=dict)
    started: datetime | None = None
    stopped: datetime | None = None
    organization_since: datetime | None = None
    chains: dict[tuple[str, str], Chain] = field(default_factory=dict)
    seen: int = 0
    marked_delivered: datetime | None = None
    pending: dict[tuple[str, str], list[Any]] = field(default_factory=dict)

    def change(self, now: datetime, **fields: Any) -> None:
        """Put new settings in force, and note since when the trail is logging and an organization trail."""
        old, new = self.settings, replace(self.settings, **fields)
        if new.logging and not old.logging:
            self.started = now
        if old.logging and not new.logging:
            self.stopped = now
        if new.is_organization_trail != old.is_organization_trail:
            self.organization_since = now if new.is_organization_trail else None
        self.settings = new
        self.history.append((now, new))

    def settings_at(self, time: datetime) -> Settings | None:
        """The settings in force at a time; None before the trail was made."""
        index = bisect.bisect_right(self.history, time, key=lambda item: item[0])
        return self.history[index - 1][1] if index else None


@dataclass
class EventDataStore:
    """An event data store of CloudTrail Lake, as far as the lab knows them: ``fields`` is its description."""

    account: str
    region: str
    arn: str
    fields: dict[str, Any]


@dataclass
class Trails:
    """All trails and event data stores by ARN, and the overrides of ``/lab/members`` by account and region."""

    by_arn: dict[str, Trail] = field(default_factory=dict)
    event_data_stores: dict[str, EventDataStore] = field(default_factory=dict)
    overrides: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def override(self, account: str, region: str) -> dict[str, Any]:
        """What ``/lab/members`` says of an account and region; what names the region wins."""
        if not self.overrides:
            return {}
        return {**self.overrides.get((account, ""), {}), **self.overrides.get((account, region), {})}

    def owned(self, account: str) -> list[Trail]:
        return [trail for trail in self.by_arn.values() if trail.account == account]

    def of_organization(self) -> list[Trail]:
        return [trail for trail in self.by_arn.values() if trail.settings.is_organization_trail]


def add_trail(world: World, account: str, region: str, name: str, **fields: Any) -> Trail:
    """Put a trail into the world without any of CreateTrail's checks (for the scenarios).

    ``fields`` are those of `Settings`; ``s3_bucket_name`` is required; it is logging unless ``logging=False``.
    It looks 30 days old, so that it is past every propagation time.
    """
    made = world.now() - AGE_OF_SCENARIO_TRAILS
    trail = new_trail(world, made, account, region, name, Settings(**{"logging": True, **fields}))
    trail.marked_delivered = world.now() if trail.settings.logging else None
    return trail


def new_trail(world: World, now: datetime, account: str, region: str, name: str, settings: Settings) -> Trail:
    """Make a trail in its owner account and home region and remember it."""
    arn = f"arn:{world.partition}:cloudtrail:{region}:{account}:trail/{name}"
    trail = Trail(account, region, name, arn, settings, [(now, settings)])
    trail.started = now if settings.logging else None
    trail.organization_since = now if settings.is_organization_trail else None
    trail.seen = len(world.journal.history)
    world.trails.by_arn[arn] = trail
    return trail


def trusted_access_disabled(world: World) -> None:
    """Called when CloudTrail's access is switched off: organization trails become account trails (aws-facts 5)."""
    for trail in world.trails.of_organization():
        trail.change(world.now(), is_organization_trail=False)
    for store in world.trails.event_data_stores.values():
        store.fields["OrganizationEnabled"] = False
