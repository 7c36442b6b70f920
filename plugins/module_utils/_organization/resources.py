# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an organization would lose if CloudTrail's trusted access were switched off (aws-facts section 5)."""

from __future__ import annotations

from .._aws.account import list_enabled_regions
from .._aws.cloudtrail import get_event_data_store, get_trail, list_event_data_stores, list_trails
from .._aws.session import Session
from .._aws.untyped import Client
from .._work.reads import read_each

THREADS = 8


def find_organization_resources(session: Session) -> list[str]:
    """ARNs of the management account's organization trails and organization event data stores, in every region."""
    regions = list_enabled_regions(session.client("account"))
    clients = [session.client("cloudtrail", region) for region in regions]
    stores = read_each(_organization_stores, clients, THREADS)
    return sorted([*_organization_trails(session), *(arn for found in stores for arn in found)])


def _organization_trails(session: Session) -> list[str]:
    owned = [
        trail for trail in list_trails(session.client("cloudtrail")) if f":{session.account_id}:" in trail["TrailARN"]
    ]
    described = (get_trail(session.client("cloudtrail", trail["HomeRegion"]), trail["TrailARN"]) for trail in owned)
    return [trail["TrailARN"] for trail in described if trail.get("IsOrganizationTrail")]


def _organization_stores(client: Client) -> list[str]:
    described = (get_event_data_store(client, arn) for arn in list_event_data_stores(client))
    return [store["EventDataStoreArn"] for store in described if store.get("OrganizationEnabled")]
