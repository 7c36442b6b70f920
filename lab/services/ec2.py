# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EC2: which regions the account has (aws-facts 4.6). moto ignores AllRegions and the opt-in filter."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from lab.kernel import regions
from lab.kernel.call import Call, LabError
from lab.kernel.service import answers
from lab.kernel.world import World

FIELD_OF_FILTER = {"endpoint": "Endpoint", "opt-in-status": "OptInStatus", "region-name": "RegionName"}


@answers("ec2", "DescribeRegions")
def describe_regions(world: World, call: Call) -> dict[str, Any]:
    found = [describe(world, call.account, name) for name in regions.all_regions(world)]
    names = call.parameters.get("RegionNames") or []
    unknown = set(names) - {region["RegionName"] for region in found}
    if unknown:
        raise LabError("InvalidParameterValue", f"Invalid region '{sorted(unknown)[0]}'")
    if names:
        found = [region for region in found if region["RegionName"] in names]
    elif not call.parameters.get("AllRegions"):
        found = [region for region in found if region["OptInStatus"] != "not-opted-in"]
    for wanted in call.parameters.get("Filters") or []:
        field = FIELD_OF_FILTER.get(wanted["Name"])
        if field is None:
            raise LabError("InvalidParameterValue", f"The filter '{wanted['Name']}' is invalid")
        found = [one for one in found if any(fnmatchcase(one[field], value) for value in wanted["Values"])]
    return {"Regions": found}


def describe(world: World, account: str, name: str) -> dict[str, str]:
    suffix = "amazonaws.com.cn" if world.partition == "aws-cn" else "amazonaws.com"
    if name in regions.default_regions(world):
        status = "opt-in-not-required"
    else:
        status = "opted-in" if regions.is_enabled(world, account, name) else "not-opted-in"
    return {"RegionName": name, "Endpoint": f"ec2.{name}.{suffix}", "OptInStatus": status}
