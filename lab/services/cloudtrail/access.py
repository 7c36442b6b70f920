# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which trail a call means, and whether the caller may see or change it (aws-facts 1.2, 2.1, 2.2, section 4)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from lab.kernel.call import Call, LabError
from lab.kernel.regions import is_enabled
from lab.kernel.world import World
from lab.services.cloudtrail.trails import Trail
from lab.services.iam.api import has_service_linked_role
from lab.services.organizations.api import (
    cloudtrail_sees_access,
    cloudtrail_sees_administrator,
    delegated_administrators,
    is_member,
    organization,
)

SERVICE = "cloudtrail.amazonaws.com"
TRAIL_ARN = re.compile(r"arn:aws[a-z-]*:cloudtrail:[a-z0-9-]+:\d{12}:trail/[A-Za-z0-9._-]{3,128}")
NAME = re.compile(r"[A-Za-z0-9](?:[._-]?[A-Za-z0-9])*")
IP_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")

ACCESS_NOT_ENABLED = (
    "The request could not be processed because your organization hasn’t enabled CloudTrail service access. "
    "Enable service access for CloudTrail, and then try again"
)
MEMBER_DENIAL = {
    "NotOrganizationMasterAccountException": (
        "You cannot configure or manage trails for an organization because this action requires being signed in "
        "with the management account."
    ),
    "OperationNotPermittedException": "The requested operation is not permitted on an organization trail.",
    "AccessDeniedException": "Access Denied: You are not authorized to change an organization trail.",
}


# --- names ------------------------------------------------------------------------------------------


def check_name(name: str) -> None:
    """Raise InvalidTrailNameException for a name that no trail can have (aws-facts 2.8)."""
    if not 3 <= len(name) <= 128:
        raise LabError("InvalidTrailNameException", "Trail name must be between 3 and 128 characters.")
    if IP_ADDRESS.fullmatch(name):
        raise LabError("InvalidTrailNameException", "Trail name must not be in IP address format.")
    if not NAME.fullmatch(name):
        raise LabError(
            "InvalidTrailNameException",
            "Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, periods (.), hyphens "
            "(-), and underscores (_), must start and end with a letter or number, and have none of these adjacent.",
        )


def expand(world: World, call: Call, name: str) -> str:
    """The ARN that a name stands for: a bare name gets the caller's account and region (aws-facts 2.1)."""
    if name.startswith("arn:"):
        if not TRAIL_ARN.fullmatch(name):
            raise LabError("CloudTrailARNInvalidException", f"Invalid trail ARN: {name}")
        return name
    check_name(name)
    return f"arn:{world.partition}:cloudtrail:{call.region}:{call.account}:trail/{name}"


def unknown_trail(arn: str, account: str) -> LabError:
    return LabError("TrailNotFoundException", f"Unknown trail: {arn} for the user: {account}")


# --- who sees what ----------------------------------------------------------------------------------


def reached_at(world: World, trail: Trail, account: str) -> datetime | None:
    """When the trail came, or will come, to an account; None when it does not belong there (aws-facts 4.4)."""
    if account == trail.account:
        return trail.history[0][0]
    made = organization(world)
    member = made.accounts.get(account) if made else None
    if not trail.settings.is_organization_trail or trail.organization_since is None or member is None:
        return None
    late = world.options.member_propagation != "immediate"
    delay = timedelta(hours=world.options.member_propagation_hours if late else 0)
    return max(trail.organization_since, member.joined) + delay


def stands_in(world: World, trail: Trail, account: str, region: str) -> bool:
    """Whether the trail, or a shadow of it, is in an account and region now (aws-facts 4.1)."""
    if region != trail.region and not trail.settings.is_multi_region_trail:
        return False
    return has_reached(world, trail, account) and not is_missing(world, account, region)


def sends(world: World, trail: Trail, account: str) -> bool:
    """Whether events of an account get out: with an opt-in home region only of who opted in (aws-facts 4.6)."""
    return is_enabled(world, account, trail.region)


def has_reached(world: World, trail: Trail, account: str) -> bool:
    reached = reached_at(world, trail, account)
    return reached is not None and reached <= world.now()


def is_missing(world: World, account: str, region: str) -> bool:
    """Whether ``/lab/members`` takes the trails away from an account and region."""
    return bool(world.trails.override(account, region).get("missing"))


def may_read(world: World, call: Call, trail: Trail) -> bool:
    """By ARN the owner sees a trail from every region, a member only where a shadow stands."""
    if call.account == trail.account:
        return not is_missing(world, call.account, call.region)
    return stands_in(world, trail, call.account, call.region)


def find_trail(world: World, call: Call, name: str) -> Trail:
    """The trail that a reading call names."""
    arn = expand(world, call, name)
    trail = world.trails.by_arn.get(arn)
    if trail is None or not may_read(world, call, trail):
        raise unknown_trail(arn, call.account)
    require_management_role(world, call.account)
    return trail


def find_trail_to_change(world: World, call: Call, name: str) -> Trail:
    """The trail that a changing call names: owner or delegated administrator only, in the home region only."""
    arn = expand(world, call, name)
    trail = world.trails.by_arn.get(arn)
    if trail is None:
        raise unknown_trail(arn, call.account)
    if trail.account != call.account:
        if not has_reached(world, trail, call.account):
            raise unknown_trail(arn, call.account)
        if not cloudtrail_sees_administrator(world, call.account):
            code = world.options.member_denial_code
            raise LabError(code, MEMBER_DENIAL.get(code, "Denied."))
        require_management_role(world, call.account)
    if call.region != trail.region:
        raise LabError(
            "InvalidHomeRegionException",
            f"The trail {arn} can be changed only in its home region {trail.region}, not in {call.region}.",
        )
    return trail


# --- what an organization trail needs ---------------------------------------------------------------


def require_management_role(world: World, account: str) -> None:
    """A delegated administrator needs management's service-linked role, even to read (aws-facts 1.5)."""
    made = organization(world)
    if (
        made is not None
        and account != made.management_account
        and account in delegated_administrators(world, SERVICE)
        and not has_service_linked_role(world, made.management_account)
    ):
        raise LabError(
            "NoManagementAccountSLRExistsException",
            "The management account of the organization has no service-linked role for CloudTrail.",
        )


def require_organization(world: World, call: Call, conversion: bool) -> str:
    """Check facts 1.1 to 1.3 and 1.5 for an organization trail; answers the management account, its owner."""
    made = organization(world)
    if made is None or not is_member(world, call.account):
        raise LabError(
            "OrganizationsNotInUseException",
            "The request could not be processed because your account is not a member of an organization.",
        )
    if made.feature_set != "ALL":
        raise LabError(
            "OrganizationNotInAllFeaturesModeException",
            "The request could not be processed because your organization hasn’t enabled all features.",
        )
    is_management = call.account == made.management_account
    if not is_management and (conversion or not cloudtrail_sees_administrator(world, call.account)):
        code = "NotOrganizationMasterAccountException"
        raise LabError(code, MEMBER_DENIAL[code])
    if not cloudtrail_sees_access(world):
        raise LabError("CloudTrailAccessNotEnabledException", ACCESS_NOT_ENABLED)
    require_management_role(world, call.account)
    return made.management_account
