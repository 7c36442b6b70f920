# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``/lab/members``: what single accounts and regions are to be told of the trails, whatever is true.

``POST /lab/members`` adds to the overrides, ``DELETE`` clears them, ``GET`` lists them. The body is a list of::

    {"account": "222222222222", "region": "eu-west-1", "missing": true}
    {"account": "222222222222", "IsLogging": false, "LatestDeliveryError": "AccessDenied", "LatestDeliveryTime": 30}

Without ``region`` it holds in every region. ``missing`` takes the trail away from what the account sees there.
Every other name is a member of GetTrailStatus's answer: times are hours ago, null takes the member away.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from moto.core.utils import get_service_model

from lab.kernel.world import World


def status_members() -> dict[str, str]:
    """Name and type of each member of GetTrailStatus's answer."""
    shape = get_service_model("cloudtrail").operation_model("GetTrailStatus").output_shape
    return {name: member.type_name for name, member in shape.members.items()}


def answer(world: World, method: str, body: Any) -> list[dict[str, Any]]:
    """The answer of ``/lab/members``: the overrides after the request."""
    if method == "DELETE":
        world.trails.overrides.clear()
    elif method == "POST":
        add(world, body or [])
    return listed(world)


def add(world: World, overrides: list[dict[str, Any]]) -> None:
    """Add overrides. Raises ValueError for one that names no account or an unknown member."""
    known = {"account", "region", "missing", *status_members()}
    for override in overrides:
        unknown = set(override) - known
        if unknown or "account" not in override:
            raise ValueError(f"An override has an account and some of {sorted(known)}, found {sorted(override)}.")
    for override in overrides:
        place = (override["account"], override.get("region", ""))
        values = {name: value for name, value in override.items() if name not in ("account", "region")}
        world.trails.overrides.setdefault(place, {}).update(values)


def listed(world: World) -> list[dict[str, Any]]:
    return [
        {"account": account, **({"region": region} if region else {}), **values}
        for (account, region), values in world.trails.overrides.items()
    ]


def overridden(world: World, account: str, region: str, status: dict[str, Any]) -> dict[str, Any]:
    """A status with the overrides of its account and region put over it."""
    override = world.trails.override(account, region)
    if not override:
        return status
    types = status_members()
    for name, value in override.items():
        if name == "missing":
            continue
        if value is None:
            status.pop(name, None)
        elif types[name] == "timestamp":
            status[name] = world.now() - timedelta(hours=float(value))
        else:
            status[name] = value
    return status
