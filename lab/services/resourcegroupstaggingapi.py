# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Resource Groups Tagging API, which moto does not know of trails: trails here, everything else by moto.

Source: https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lab.kernel.call import Call, LabError
from lab.kernel.service import answers
from lab.kernel.world import World
from lab.services.cloudtrail.access import TRAIL_ARN, find_trail_to_change
from lab.services.cloudtrail.tags import tagged
from lab.services.cloudtrail.trails import Trail

SERVICE = "resourcegroupstaggingapi"
TRAIL_TYPES = {"cloudtrail", "cloudtrail:trail"}


@answers(SERVICE, "GetResources")
def get_resources(world: World, call: Call) -> dict[str, Any]:
    """The caller's trails of the region that have tags, on the first page, before what moto finds."""
    given = call.parameters
    token, others = world.moto(SERVICE, call.account, call.region).get_resources(
        pagination_token=given.get("PaginationToken"),
        tag_filters=given.get("TagFilters") or [],
        resource_type_filters=given.get("ResourceTypeFilters") or [],
        resource_arn_list=given.get("ResourceARNList") or [],
    )
    trails = [] if given.get("PaginationToken") else [one for one in own_trails(world, call) if is_wanted(one, given)]
    found = [(one.arn, one.tags) for one in (*trails, *others)]
    return {
        "PaginationToken": token or "",
        "ResourceTagMappingList": [
            {"ResourceARN": arn, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
            for arn, tags in found
        ],
    }


def own_trails(world: World, call: Call) -> list[Trail]:
    trails = world.trails.by_arn.values()
    return [trail for trail in trails if (trail.account, trail.region) == (call.account, call.region) and trail.tags]


def is_wanted(trail: Trail, given: dict[str, Any]) -> bool:
    """Whether a trail is of the types, among the ARNs, and has the tags that are asked for."""
    types, arns = given.get("ResourceTypeFilters"), given.get("ResourceARNList")
    return (
        (not types or not TRAIL_TYPES.isdisjoint(types))
        and (not arns or trail.arn in arns)
        and all(
            one["Key"] in trail.tags and (not one.get("Values") or trail.tags[one["Key"]] in one["Values"])
            for one in given.get("TagFilters") or []
        )
    )


@answers(SERVICE, "TagResources")
def tag_resources(world: World, call: Call) -> dict[str, Any]:
    tags = call.parameters["Tags"]
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    moto = world.moto(SERVICE, call.account, call.region)
    return changed(world, call, lambda trail: tagged(trail, listed), lambda arns: moto.tag_resources(arns, tags))


@answers(SERVICE, "UntagResources")
def untag_resources(world: World, call: Call) -> dict[str, Any]:
    keys = call.parameters["TagKeys"]
    moto = world.moto(SERVICE, call.account, call.region)

    def untag(trail: Trail) -> dict[str, str]:
        return {key: value for key, value in trail.tags.items() if key not in keys}

    return changed(world, call, untag, lambda arns: moto.untag_resources(arns, keys))


def changed(
    world: World,
    call: Call,
    tags_of: Callable[[Trail], dict[str, str]],
    others: Callable[[list[str]], dict[str, Any] | None],
) -> dict[str, Any]:
    """Give each trail the tags that ``tags_of`` answers, and the other ARNs to moto; the failures of both."""
    arns = call.parameters["ResourceARNList"]
    failed: dict[str, Any] = {}
    for arn in filter(TRAIL_ARN.fullmatch, arns):
        try:
            trail = find_trail_to_change(world, call, arn)
            trail.tags = tags_of(trail)
        except LabError as error:
            failed[arn] = {
                "StatusCode": 400,
                "ErrorCode": "InvalidParameterException",
                "ErrorMessage": f"{error.code}: {error.message}",
            }
    rest = [arn for arn in arns if not TRAIL_ARN.fullmatch(arn)]
    return {"FailedResourcesMap": failed | ((others(rest) if rest else None) or {})}
