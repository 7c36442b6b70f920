# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Account management: listing, enabling and disabling regions (aws-facts 4.6).

Source: https://docs.aws.amazon.com/accounts/latest/reference/API_Operations.html
"""

from __future__ import annotations

from typing import Any

from lab.kernel import regions
from lab.kernel.call import Call, LabError
from lab.kernel.service import answers
from lab.kernel.world import World

PAGE = 50


def asked_account(world: World, call: Call) -> str:
    """The account that a call is about. Another than the caller's may be named by management alone."""
    wanted = str(call.parameters.get("AccountId") or call.account)
    if wanted == call.account:
        return wanted
    org = world.organization
    if org is None or call.account != org.management_account or wanted not in org.accounts:
        raise LabError(
            "AccessDeniedException",
            f"User: {call.principal.arn} is not authorized to perform: account:{call.operation} "
            f"(The caller may not act for account {wanted}.)",
            403,
        )
    return wanted


def status_of(world: World, account: str, name: str) -> str:
    if name in regions.default_regions(world):
        return "ENABLED_BY_DEFAULT"
    return "ENABLED" if regions.is_enabled(world, account, name) else "DISABLED"


@answers("account", "ListRegions")
def list_regions(world: World, call: Call) -> dict[str, Any]:
    account = asked_account(world, call)
    wanted = call.parameters.get("RegionOptStatusContains")
    found = [
        {"RegionName": name, "RegionOptStatus": status_of(world, account, name)} for name in regions.all_regions(world)
    ]
    found = [region for region in found if not wanted or region["RegionOptStatus"] in wanted]
    try:
        start = int(call.parameters.get("NextToken") or 0)
    except ValueError as error:
        raise LabError("ValidationException", "Invalid NextToken.", 400) from error
    end = start + int(call.parameters.get("MaxResults") or PAGE)
    return {"Regions": found[start:end], **({"NextToken": str(end)} if end < len(found) else {})}


def opt_in_region(world: World, call: Call) -> str:
    name: str = call.parameters["RegionName"]
    if name not in regions.opt_in_regions(world):
        raise LabError("ValidationException", f"The region {name} cannot be enabled or disabled.", 400)
    return name


@answers("account", "GetRegionOptStatus")
def get_region_opt_status(world: World, call: Call) -> dict[str, Any]:
    account, name = asked_account(world, call), call.parameters["RegionName"]
    if name not in regions.all_regions(world):
        raise LabError("ValidationException", f"The region {name} does not exist.", 400)
    return {"RegionName": name, "RegionOptStatus": status_of(world, account, name)}


@answers("account", "EnableRegion")
def enable_region(world: World, call: Call) -> dict[str, Any]:
    """Enabled at once; AWS takes minutes."""
    world.opted_in.setdefault(asked_account(world, call), set()).add(opt_in_region(world, call))
    return {}


@answers("account", "DisableRegion")
def disable_region(world: World, call: Call) -> dict[str, Any]:
    world.opted_in.setdefault(asked_account(world, call), set()).discard(opt_in_region(world, call))
    return {}
