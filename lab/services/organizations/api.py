# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS Organizations (aws-facts 1.7 and section 7): all of it, because moto's is too slow for 10,000 accounts.

Here: what other services ask, who may call what, pages, errors, and the organization itself. Beside it:
organizations_tree.py, organizations_access.py, organizations_policies.py.

Source: https://docs.aws.amazon.com/organizations/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, TypeVar

from lab.kernel.call import Call, LabError
from lab.kernel.service import Answer, answers, guards
from lab.kernel.world import World
from lab.services.organizations.state import (
    RCP,
    SCP,
    Account,
    Organization,
    OrganizationPolicy,
    Unit,
    new_organization,
    word,
)

Thing = TypeVar("Thing")
Reply = dict[str, Any]

CLOUDTRAIL = "cloudtrail.amazonaws.com"
PAGE = 20
MOST_CLOUDTRAIL_ADMINISTRATORS = 3
"""https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html"""

UNBOUND_OPERATIONS = ("CreateOrganization",)
MEMBER_OPERATIONS = ("DescribeOrganization", "LeaveOrganization")


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
    """Where an account or unit stands, as Account.Paths writes it: ``o-…/r-…/ou-…/account/`` (aws-facts 7.3)."""
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
    if not trusted_access(world, CLOUDTRAIL):
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


def cloudtrail_sees_administrator(world: World, account_id: str) -> bool:
    """Whether CloudTrail knows the account as its delegated administrator, asked once per call that needs it.

    After its registration the first ``delegation_propagation_calls`` of these answers are still False
    (aws-facts 11.5).
    """
    if account_id not in delegated_administrators(world, CLOUDTRAIL):
        return False
    if world.delegation_refusals_left > 0:
        world.delegation_refusals_left -= 1
        return False
    return True


def add_delegated_administrator(world: World, account_id: str, service_principal: str) -> None:
    """Make a member delegated administrator. Raises what RegisterDelegatedAdministrator answers."""
    org = required(world)
    member = account_of(org, account_id)
    if account_id == org.management_account:
        raise violation("You cannot register master account/yourself as delegated administrator for your organization.")
    if member.state != "ACTIVE":
        raise violation("You cannot register a suspended account as delegated administrator.")
    if service_principal not in org.service_access:
        raise violation("You must enable service access for the service before you register an administrator.")
    administrators = delegated_administrators(world, service_principal)
    if account_id in administrators:
        raise LabError(
            "AccountAlreadyRegisteredException",
            "The specified account is already a delegated administrator for this AWS service.",
        )
    if service_principal == CLOUDTRAIL and len(administrators) >= MOST_CLOUDTRAIL_ADMINISTRATORS:
        raise violation("You have exceeded the allowed number of delegated administrators for the service.")
    if service_principal == CLOUDTRAIL:
        world.delegation_refusals_left = world.options.delegation_propagation_calls
    org.delegated.setdefault(account_id, {})[service_principal] = world.now()
    org.delegated_since.setdefault(account_id, world.now())


def remove_delegated_administrator(world: World, account_id: str, service_principal: str) -> None:
    """The opposite. Raises what DeregisterDelegatedAdministrator answers."""
    org = required(world)
    account_of(org, account_id)
    if service_principal not in org.delegated.get(account_id, {}):
        raise LabError(
            "AccountNotRegisteredException",
            "The specified account is not a delegated administrator for this AWS service.",
        )
    del org.delegated[account_id][service_principal]
    if not org.delegated[account_id]:
        del org.delegated[account_id], org.delegated_since[account_id]


def scps_for(world: World, account_id: str) -> list[list[OrganizationPolicy]]:
    """The service control policies that bind an account, one list per level from the root down.

    Empty for management (aws-facts 7.6), outside the organization, and when SCPs are not enabled.
    """
    return policies_for(world, account_id, SCP)


def rcps_for(world: World, account_id: str) -> list[OrganizationPolicy]:
    """The resource control policies that bind an account's resources, whoever calls (aws-facts 10.3)."""
    return [policy for level in policies_for(world, account_id, RCP) for policy in level]


def has_rcps(world: World) -> bool:
    """Whether resource control policies are enabled."""
    return world.organization is not None and RCP in world.organization.policy_types


def policies_for(world: World, account_id: str, kind: str) -> list[list[OrganizationPolicy]]:
    org = world.organization
    if org is None or kind not in org.policy_types or account_id == org.management_account:
        return []
    if account_id not in org.accounts:
        return []
    return [org.attached_policies(target, kind) for target in org.lineage(account_id)]


# --- who may call what ------------------------------------------------------------------------------


@guards("organizations")
def guard(world: World, call: Call) -> None:
    """No organization, members, and delegated administrators (aws-facts 7.1, 7.4)."""
    if call.operation in UNBOUND_OPERATIONS:
        return
    org = world.organization
    if org is None or call.account not in org.accounts:
        raise LabError("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
    if ("organizations", call.operation) not in OPERATIONS:
        raise LabError("UnsupportedAPIEndpointException", f"The lab does not answer organizations:{call.operation}.")
    if call.account == org.management_account or call.operation in MEMBER_OPERATIONS:
        return
    if call.writes or call.account not in org.delegated:
        raise LabError("AccessDeniedException", "You don't have permissions to access this resource.")


OPERATIONS: set[tuple[str, str]] = set()


def operation(name: str) -> Callable[[Callable[[World, Organization, Call], Reply]], Answer]:
    """Register an answer that needs the organization, which is then its second argument."""

    def register(function: Callable[[World, Organization, Call], Reply]) -> Answer:
        OPERATIONS.add(("organizations", name))

        @answers("organizations", name)
        def answer(world: World, call: Call) -> Reply:
            return function(world, required(world), call)

        return answer

    return register


def required(world: World) -> Organization:
    if world.organization is None:
        raise LabError("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
    return world.organization


def paged(world: World, call: Call, key: str, things: Iterable[Thing], describe: Callable[[Thing], Any]) -> Reply:
    """One page of an answer. With option ``empty_pages`` an empty page stands before each full one (aws-facts 7.1)."""
    token = call.parameters.get("NextToken")
    start, due = read_token(token) if token else (0, world.options.empty_pages)
    if due:
        return {key: [], "NextToken": write_token(start, False)}
    size = min(int(call.parameters.get("MaxResults", PAGE)), PAGE)
    page = list(islice(things, start, start + size + 1))
    reply: Reply = {key: [describe(thing) for thing in page[:size]]}
    if len(page) > size:
        reply["NextToken"] = write_token(start + size, world.options.empty_pages)
    return reply


def write_token(start: int, empty: bool) -> str:
    return base64.urlsafe_b64encode(f"{start}:{int(empty)}".encode()).decode()


def read_token(token: str) -> tuple[int, bool]:
    try:
        start, empty = base64.urlsafe_b64decode(token).decode().split(":")
        return int(start), empty == "1"
    except (ValueError, binascii.Error) as error:
        raise invalid("INVALID_NEXT_TOKEN") from error


# --- errors -----------------------------------------------------------------------------------------


def invalid(message: str = "You specified an invalid value.") -> LabError:
    return LabError("InvalidInputException", message)


def violation(message: str, reason: str = "") -> LabError:
    """``reason`` is the error's member of this name, for those constraints of which it matters."""
    error = LabError("ConstraintViolationException", message)
    error.Reason = reason or None
    return error


def account_of(org: Organization, account_id: str) -> Account:
    if account_id not in org.accounts:
        raise LabError("AccountNotFoundException", "You specified an account that doesn't exist.")
    return org.accounts[account_id]


def parent_of(org: Organization, parent_id: str) -> Unit:
    if parent_id not in org.units:
        raise LabError("ParentNotFoundException", "You specified parent that doesn't exist.")
    return org.units[parent_id]


def unit_of(org: Organization, unit_id: str) -> Unit:
    if unit_id not in org.units or unit_id == org.root_id:
        raise LabError(
            "OrganizationalUnitNotFoundException", "You specified an organizational unit that doesn't exist."
        )
    return org.units[unit_id]


def policy_of(org: Organization, policy_id: str) -> OrganizationPolicy:
    if policy_id not in org.policies:
        raise LabError("PolicyNotFoundException", "You specified a policy that doesn't exist.")
    return org.policies[policy_id]


def target_of(org: Organization, target_id: str) -> Account | Unit:
    target = org.accounts.get(target_id) or org.units.get(target_id)
    if target is None:
        raise LabError("TargetNotFoundException", "You specified a target that doesn't exist.")
    return target


def root_of(org: Organization, root_id: str) -> Unit:
    if root_id != org.root_id:
        raise LabError("RootNotFoundException", "You specified a root that doesn't exist.")
    return org.root


def tags_in(call: Call) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in call.parameters.get("Tags") or []}


# --- the organization -------------------------------------------------------------------------------


@answers("organizations", "CreateOrganization")
def create_organization(world: World, call: Call) -> Reply:
    if world.organization is not None:
        raise LabError("AlreadyInOrganizationException", "The AWS account is already a member of an organization.")
    org = new_organization(world.random, call.account, f"root@{call.account}.example.com", world.partition)
    org.feature_set = call.parameters.get("FeatureSet", "ALL")
    org.add_account(Account(call.account, "Management", org.management_email, org.root_id, world.now(), "ACTIVE"))
    world.organization = org
    return {"Organization": describe_organization_of(org)}


@operation("DescribeOrganization")
def describe_organization(world: World, org: Organization, call: Call) -> Reply:
    return {"Organization": describe_organization_of(org)}


def describe_organization_of(org: Organization) -> Reply:
    # AvailablePolicyTypes is deprecated and says nothing of what is enabled: ListRoots does.
    return {
        "Id": org.id,
        "Arn": org.arn("organization"),
        "FeatureSet": org.feature_set,
        "MasterAccountArn": org.arn("account", org.management_account),
        "MasterAccountId": org.management_account,
        "MasterAccountEmail": org.management_email,
        "AvailablePolicyTypes": [{"Type": SCP, "Status": "ENABLED"}] if org.feature_set == "ALL" else [],
    }


@operation("DeleteOrganization")
def delete_organization(world: World, org: Organization, call: Call) -> Reply:
    if len(org.accounts) > 1:
        raise LabError(
            "OrganizationNotEmptyException", "The organization still has member accounts; remove them first."
        )
    world.organization = None
    return {}


@operation("EnableAllFeatures")
def enable_all_features(world: World, org: Organization, call: Call) -> Reply:
    # Without invited members nobody has to agree, so the change is made at once.
    if org.feature_set == "ALL":
        raise LabError("HandshakeConstraintViolationException", "All features are already enabled.")
    org.feature_set = "ALL"
    return {
        "Handshake": {
            "Id": "h-" + word(world.random, 12),
            "State": "ACCEPTED",
            "Action": "ENABLE_ALL_FEATURES",
            "RequestedTimestamp": world.now(),
            "ExpirationTimestamp": world.now(),
        }
    }
