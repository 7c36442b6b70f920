# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Regions: which exist, and which an account has enabled (aws-facts 4.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.kernel.call import Call, LabError

if TYPE_CHECKING:
    from lab.kernel.world import World

DEFAULT_REGIONS = (
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
)
"""Enabled in every account; they cannot be disabled."""

OPT_IN_REGIONS = (
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-south-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-west-1",
    "eu-central-2",
    "eu-south-1",
    "eu-south-2",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
)
"""Disabled until the account enables them."""

OTHER_PARTITIONS = {
    "aws-cn": ("cn-north-1", "cn-northwest-1"),
    "aws-us-gov": ("us-gov-east-1", "us-gov-west-1"),
}
"""Regions of the partitions that have no opt-in regions."""

CONTROL_REGIONS = {"aws": "us-east-1", "aws-cn": "cn-northwest-1", "aws-us-gov": "us-gov-west-1"}
"""Where the partition's services with one endpoint are (aws-facts 1.7)."""

PARTITION_SERVICES = ("account", "ce", "iam", "organizations")
"""Services with one endpoint per partition."""


def partition_of(region: str) -> str:
    """The partition a region belongs to. Raises ValueError for an unknown region."""
    if region in DEFAULT_REGIONS + OPT_IN_REGIONS:
        return "aws"
    for partition, names in OTHER_PARTITIONS.items():
        if region in names:
            return partition
    raise ValueError(f"The lab knows no region {region!r}; it knows {', '.join(ALL_REGIONS)}.")


ALL_REGIONS = tuple(sorted(DEFAULT_REGIONS + OPT_IN_REGIONS + sum(OTHER_PARTITIONS.values(), ())))


def control_region(world: World) -> str:
    """The region of Organizations and IAM in the world's partition."""
    return CONTROL_REGIONS[world.partition]


def default_regions(world: World) -> tuple[str, ...]:
    """The regions that every account of the world's partition has enabled."""
    return OTHER_PARTITIONS.get(world.partition, DEFAULT_REGIONS)


def opt_in_regions(world: World) -> tuple[str, ...]:
    return OPT_IN_REGIONS if world.partition == "aws" else ()


def all_regions(world: World) -> list[str]:
    """All regions of the world's partition, sorted."""
    return sorted(default_regions(world) + opt_in_regions(world))


def enabled(world: World, account: str) -> list[str]:
    """The names of the regions that an account has enabled, sorted."""
    return sorted((*default_regions(world), *world.opted_in.get(account, ())))


def is_enabled(world: World, account: str, region: str) -> bool:
    return region in default_regions(world) or region in world.opted_in.get(account, ())


def endpoint_region(world: World, call: Call) -> str:
    """The region of the endpoint that the call would reach on AWS.

    A client that is given an endpoint's address signs for its own region, where on AWS it would pick the
    partition's endpoint itself; so such a call counts as one in the control region (aws-facts 1.7).
    """
    return control_region(world) if call.service in PARTITION_SERVICES else call.region


def refuse_region(world: World, call: Call, signed_for: str) -> None:
    """Raise LabError for a region that the account has not enabled (aws-facts 4.6), or for a wrong signature."""
    if call.service not in PARTITION_SERVICES:
        if not is_enabled(world, call.account, call.region):
            code = world.options.disabled_region_code
            raise LabError(code, "The security token included in the request is invalid.", 403)
    elif world.options.strict_global_endpoints and signed_for != call.region:
        raise LabError("InvalidSignatureException", "Credential should be scoped to a valid region. ", 403)
