# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event data stores of CloudTrail Lake, as far as trusted access concerns them: create, list, get, update, delete."""

from __future__ import annotations

import re
import uuid
from typing import Any

from lab.kernel.call import Call, LabError
from lab.kernel.service import answers
from lab.kernel.world import World
from lab.services.cloudtrail.access import require_organization
from lab.services.cloudtrail.trails import EventDataStore
from lab.services.organizations.api import organization

DEFAULTS: dict[str, Any] = {
    "MultiRegionEnabled": True,
    "OrganizationEnabled": False,
    "RetentionPeriod": 366,
    "TerminationProtectionEnabled": True,
    "BillingMode": "EXTENDABLE_RETENTION_PRICING",
    "AdvancedEventSelectors": [
        {
            "Name": "Default management events",
            "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}],
        }
    ],
}
IDENTIFIER = re.compile(r"(?:arn:aws[a-z-]*:cloudtrail:[a-z0-9-]+:\d{12}:eventdatastore/)?[0-9a-fA-F-]{36}")
LAKE_CLOSED = (
    "CloudTrail Lake is no longer accepting new customers. "
    "Existing customers can continue to use their event data stores."
)
LISTED = (
    "EventDataStoreArn",
    "Name",
    "TerminationProtectionEnabled",
    "Status",
    "AdvancedEventSelectors",
    "MultiRegionEnabled",
    "OrganizationEnabled",
    "RetentionPeriod",
    "CreatedTimestamp",
    "UpdatedTimestamp",
)


@answers("cloudtrail", "CreateEventDataStore")
def create_event_data_store(world: World, call: Call) -> dict[str, Any]:
    given = {name: value for name, value in call.parameters.items() if name not in ("StartIngestion", "TagsList")}
    owner = require_organization(world, call, conversion=False) if given.get("OrganizationEnabled") else call.account
    if not world.options.lake_customer:
        raise LabError("InvalidParameterException", LAKE_CLOSED)
    if any(store.fields["Name"] == given["Name"] and store.account == owner for store in stores(world)):
        raise LabError("EventDataStoreAlreadyExistsException", f"Event data store {given['Name']} already exists.")
    arn = f"arn:{world.partition}:cloudtrail:{call.region}:{owner}:eventdatastore/{uuid.uuid4()}"
    times = {"CreatedTimestamp": call.time, "UpdatedTimestamp": call.time}
    fields = {**DEFAULTS, **given, **times, "EventDataStoreArn": arn, "Status": "ENABLED"}
    world.trails.event_data_stores[arn] = EventDataStore(owner, call.region, arn, fields)
    return {**fields, "TagsList": call.parameters.get("TagsList", [])}


@answers("cloudtrail", "ListEventDataStores")
def list_event_data_stores(world: World, call: Call) -> dict[str, Any]:
    """The stores of this account and region; members see those of the organization, too."""
    found = [store for store in stores(world) if store.region == call.region and visible(world, store, call.account)]
    return {"EventDataStores": [{name: store.fields[name] for name in LISTED} for store in found]}


@answers("cloudtrail", "GetEventDataStore")
def get_event_data_store(world: World, call: Call) -> dict[str, Any]:
    return dict(find(world, call).fields)


@answers("cloudtrail", "UpdateEventDataStore")
def update_event_data_store(world: World, call: Call) -> dict[str, Any]:
    store = find(world, call, change=True)
    if "OrganizationEnabled" in call.parameters:
        require_organization(world, call, conversion=True)
    given = {name: value for name, value in call.parameters.items() if name != "EventDataStore"}
    store.fields.update(given, UpdatedTimestamp=call.time)
    return dict(store.fields)


@answers("cloudtrail", "DeleteEventDataStore")
def delete_event_data_store(world: World, call: Call) -> dict[str, Any]:
    store = find(world, call, change=True)
    if store.fields["TerminationProtectionEnabled"]:
        raise LabError("EventDataStoreTerminationProtectedException", f"{store.arn} is protected from termination.")
    store.fields["Status"] = "PENDING_DELETION"
    return {}


def stores(world: World) -> list[EventDataStore]:
    return list(world.trails.event_data_stores.values())


def visible(world: World, store: EventDataStore, account: str) -> bool:
    made = organization(world)
    shared = store.fields["OrganizationEnabled"] and made is not None and account in made.accounts
    return store.account == account or shared


def find(world: World, call: Call, change: bool = False) -> EventDataStore:
    """The store that a call names by ARN or by the ARN's end."""
    text = call.parameters["EventDataStore"]
    if not IDENTIFIER.fullmatch(text):
        raise LabError("EventDataStoreARNInvalidException", f"Invalid event data store ARN: {text}")
    for store in stores(world):
        if store.arn.endswith(text) and store.region == call.region and visible(world, store, call.account):
            if change and store.account != call.account:
                raise LabError("NotOrganizationMasterAccountException", "Only its owner changes the event data store.")
            return store
    raise LabError("EventDataStoreNotFoundException", f"Event data store {text} was not found.")
