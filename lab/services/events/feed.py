# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudTrail's events on the default bus of the account and region of the call (aws-facts 12.1 to 12.3).

There is one only where a trail logs the call. ``POST /lab/events`` puts the event of another service on a bus.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta
from threading import Timer
from typing import Any

from lab.kernel.journal import Entry
from lab.kernel.world import World
from lab.services.cloudtrail.delivery import logs
from lab.services.cloudtrail.event_history import events_of
from lab.services.cloudtrail.records import Event, iso, record
from lab.services.cloudtrail.trails import Trail
from lab.services.events.delivery import Bus, publish, rules_of

JUST_BEFORE = timedelta(microseconds=1)


def feed(world: World, entry: Entry, trails: Sequence[Trail]) -> None:
    """Put a call's events on their buses. ``trails`` are those that there were before it."""
    if world.options.events_lost:
        return
    for event in events_of(entry):
        bus = Bus(event.account, entry.region)
        if rules_of(bus) and any(is_logged(world, trail, event) for trail in trails):
            made = envelope(event.source.replace(".amazonaws.com", ""), bus, iso(entry.time), record(event))
            later(world, bus, made, event.reads)


def is_logged(world: World, trail: Trail, event: Event) -> bool:
    """Whether a trail logs an event. Whether it still does for the call that ends it is open (aws-facts 12.3)."""
    if logs(world, trail, event):
        return True
    return world.options.last_event and logs(world, trail, event, event.entry.time - JUST_BEFORE)


def envelope(service: str, bus: Bus, time: str, detail: dict[str, Any], kind: str = "") -> dict[str, Any]:
    """An event of an AWS service as EventBridge shows it."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": kind or "AWS API Call via CloudTrail",
        "source": f"aws.{service}",
        "account": bus.account,
        "time": time,
        "region": bus.region,
        "resources": [],
        "detail": detail,
    }


def later(world: World, bus: Bus, event: dict[str, Any], reads: bool) -> None:
    """Publish an event, after the option's delay."""
    if world.options.event_delay_seconds <= 0:
        publish(world, bus, event, reads)
        return

    def now() -> None:
        with world.lock:
            publish(world, bus, event, reads)

    timer = Timer(world.options.event_delay_seconds, now)
    timer.daemon = True
    timer.start()


def inject(world: World, account: str, region: str, service: str, detail_type: str, detail: dict[str, Any]) -> str:
    """Put an event of a service that the lab does not have on a bus, such as GuardDuty's; answers its id."""
    bus = Bus(account, region)
    event = envelope(service, bus, iso(world.now()), detail, detail_type)
    publish(world, bus, event)
    return str(event["id"])
