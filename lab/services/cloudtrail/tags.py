# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags of trails: AddTags, RemoveTags, ListTags, all of them in the trail's home region only."""

from __future__ import annotations

from typing import Any

from lab.kernel.call import Call, LabError
from lab.kernel.service import answers
from lab.kernel.world import World
from lab.services.cloudtrail.access import TRAIL_ARN, find_trail, find_trail_to_change
from lab.services.cloudtrail.trails import Trail

MOST_TAGS = 50


def checked(tags: list[dict[str, str]]) -> dict[str, str]:
    """Tags as a dictionary. Raises LabError for those that AWS refuses."""
    result = {tag["Key"]: tag.get("Value", "") for tag in tags}
    if len(result) != len(tags) or any(key.lower().startswith("aws:") or len(key) > 128 for key in result):
        raise LabError("InvalidTagParameterException", "A tag key is given twice, reserved or too long.")
    if len(result) > MOST_TAGS:
        raise LabError("TagsLimitExceededException", f"A resource has at most {MOST_TAGS} tags.")
    return result


def check_arn(call: Call, arn: str) -> None:
    if not TRAIL_ARN.fullmatch(arn):
        raise LabError("CloudTrailARNInvalidException", f"Invalid trail ARN: {arn}")
    if arn.split(":")[3] != call.region:
        raise LabError(
            "CloudTrailARNInvalidException",
            f"Region in ARN is wrong, you can only access resources in region {call.region}.",
        )


def trail_to_tag(world: World, call: Call) -> Trail:
    check_arn(call, call.parameters["ResourceId"])
    try:
        return find_trail_to_change(world, call, call.parameters["ResourceId"])
    except LabError as error:
        raise as_resource(error) from None


def as_resource(error: LabError) -> LabError:
    """Tag operations name a missing trail by another code."""
    return LabError("ResourceNotFoundException", error.message) if error.code == "TrailNotFoundException" else error


@answers("cloudtrail", "AddTags")
def add_tags(world: World, call: Call) -> dict[str, Any]:
    trail = trail_to_tag(world, call)
    trail.tags = tagged(trail, call.parameters["TagsList"])
    return {}


def tagged(trail: Trail, tags: list[dict[str, str]]) -> dict[str, str]:
    """The tags of a trail with further ones. Raises LabError for those that AWS refuses."""
    added = {**trail.tags, **checked(tags)}
    return checked([{"Key": key, "Value": value} for key, value in added.items()])


@answers("cloudtrail", "RemoveTags")
def remove_tags(world: World, call: Call) -> dict[str, Any]:
    trail = trail_to_tag(world, call)
    for tag in call.parameters["TagsList"]:
        trail.tags.pop(tag["Key"], None)
    return {}


@answers("cloudtrail", "ListTags")
def list_tags(world: World, call: Call) -> dict[str, Any]:
    found = []
    arns = call.parameters["ResourceIdList"]
    for arn in arns:
        check_arn(call, arn)
    if len({arn.split(":")[4] for arn in arns}) > 1:  # aws-facts 14.3
        raise LabError("CloudTrailARNInvalidException", "The trails of one request must belong to one account.")
    for arn in arns:
        try:
            trail = find_trail(world, call, arn)
        except LabError as error:
            raise as_resource(error) from None
        tags = [{"Key": key, "Value": value} for key, value in trail.tags.items()]
        found.append({"ResourceId": arn, "TagsList": tags})
    return {"ResourceTagList": found}
