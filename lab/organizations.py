# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS Organizations (aws-facts 1.7 and section 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.organization_state import SCP, Organization, OrganizationPolicy

if TYPE_CHECKING:
    from lab.world import World


# --- what other services ask ------------------------------------------------------------------------


def organization(world: World) -> Organization | None:
    """The organization (``id``, ``feature_set``, ``management_account``), None when there is none."""
    return world.organization


def is_member(world: World, account_id: str) -> bool:
    """Whether the account is management or a member, in whatever state."""
    return world.organization is not None and account_id in world.organization.accounts


def account_states(world: World) -> dict[str, str]:
    """State by account id: PENDING_ACTIVATION, ACTIVE, SUSPENDED, PENDING_CLOSURE or CLOSED (aws-facts 7.2)."""
    if world.organization is None:
        return {}
    return {account.id: account.state for account in world.organization.accounts.values()}


def ou_path(world: World, account_id: str) -> str:
    """Where a member stands, as Account.Paths writes it: ``o-…/r-…/ou-…/account/`` (aws-facts 7.3)."""
    assert world.organization is not None
    return "/".join((world.organization.id, *world.organization.lineage(account_id))) + "/"


def trusted_access(world: World, service_principal: str) -> bool:
    """Whether Organizations trusts the service now."""
    return world.organization is not None and service_principal in world.organization.service_access


def cloudtrail_sees_access(world: World) -> bool:
    """Trusted access as CloudTrail sees it, asked once per CloudTrail call that needs it.

    After EnableAWSServiceAccess the first ``access_propagation_calls`` of these answers are still False
    (aws-facts 1.4).
    """
    if not trusted_access(world, "cloudtrail.amazonaws.com"):
        return False
    if world.access_refusals_left > 0:
        world.access_refusals_left -= 1
        return False
    return True


def delegated_administrators(world: World, service_principal: str) -> set[str]:
    """The accounts that are delegated administrators of a service."""
    if world.organization is None:
        return set()
    return {account for account, services in world.organization.delegated.items() if service_principal in services}


def scps_for(world: World, account_id: str) -> list[list[OrganizationPolicy]]:
    """The service control policies that bind an account, one list per level from the root down.

    Empty for management (aws-facts 7.6), outside the organization, and when SCPs are not enabled.
    """
    made = world.organization
    if made is None or SCP not in made.policy_types or account_id == made.management_account:
        return []
    if account_id not in made.accounts:
        return []
    return [made.attached_policies(target, SCP) for target in made.lineage(account_id)]
