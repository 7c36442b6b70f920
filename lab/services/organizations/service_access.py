# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS Organizations: trusted access of services and delegated administrators (aws-facts 7.4, section 5)."""

from __future__ import annotations

from moto.organizations.models import FakeServiceAccess

from lab.kernel.call import Call, LabError
from lab.kernel.world import World
from lab.services.cloudtrail import trails
from lab.services.iam import api as iam
from lab.services.organizations.api import (
    CLOUDTRAIL,
    Reply,
    account_of,
    add_delegated_administrator,
    invalid,
    operation,
    paged,
    remove_delegated_administrator,
    required,
    violation,
)
from lab.services.organizations.state import Organization
from lab.services.organizations.tree import describe_account_of


def service_principal_in(call: Call) -> str:
    principal: str = call.parameters["ServicePrincipal"]
    if not FakeServiceAccess.trusted_service(principal):
        raise invalid("You specified an unrecognized service principal.")
    return principal


@operation("ListAWSServiceAccessForOrganization")
def list_aws_service_access_for_organization(world: World, org: Organization, call: Call) -> Reply:
    def describe(principal: str) -> Reply:
        return {"ServicePrincipal": principal, "DateEnabled": org.service_access[principal]}

    return paged(world, call, "EnabledServicePrincipals", org.service_access, describe)


@operation("EnableAWSServiceAccess")
def enable_aws_service_access(world: World, org: Organization, call: Call) -> Reply:
    """Enabling again changes nothing (aws-facts 7.4)."""
    principal = service_principal_in(call)
    if org.feature_set != "ALL":
        raise violation("This operation requires that all features are enabled in the organization.")
    if principal not in org.service_access:
        set_trusted_access(world, principal)
    return {}


def set_trusted_access(world: World, service_principal: str) -> None:
    """Switch trusted access on, as EnableAWSServiceAccess does for an organization with all features."""
    org = required(world)
    org.service_access[service_principal] = world.now()
    if service_principal == CLOUDTRAIL:
        world.access_refusals_left = world.options.access_propagation_calls
        if world.options.service_linked_role:
            iam.make_service_linked_role(world, org.management_account)


@operation("DisableAWSServiceAccess")
def disable_aws_service_access(world: World, org: Organization, call: Call) -> Reply:
    """Trails lose more than the access (aws-facts section 5)."""
    principal = service_principal_in(call)
    if org.service_access.pop(principal, None) and principal == CLOUDTRAIL:
        trails.trusted_access_disabled(world)
    return {}


@operation("RegisterDelegatedAdministrator")
def register_delegated_administrator(world: World, org: Organization, call: Call) -> Reply:
    add_delegated_administrator(world, call.parameters["AccountId"], service_principal_in(call))
    return {}


@operation("DeregisterDelegatedAdministrator")
def deregister_delegated_administrator(world: World, org: Organization, call: Call) -> Reply:
    remove_delegated_administrator(world, call.parameters["AccountId"], service_principal_in(call))
    return {}


@operation("ListDelegatedAdministrators")
def list_delegated_administrators(world: World, org: Organization, call: Call) -> Reply:
    wanted = call.parameters.get("ServicePrincipal")
    found = [account for account, services in org.delegated.items() if not wanted or wanted in services]

    def describe(account_id: str) -> Reply:
        described = describe_account_of(world, org, org.accounts[account_id])
        described.pop("Paths", None)
        return {**described, "DelegationEnabledDate": org.delegated_since[account_id]}

    return paged(world, call, "DelegatedAdministrators", found, describe)


@operation("ListDelegatedServicesForAccount")
def list_delegated_services_for_account(world: World, org: Organization, call: Call) -> Reply:
    account = account_of(org, call.parameters["AccountId"])
    services = org.delegated.get(account.id)
    if not services:
        raise LabError("AccountNotRegisteredException", "The account is not a delegated administrator.")

    def describe(principal: str) -> Reply:
        return {"ServicePrincipal": principal, "DelegationEnabledDate": services[principal]}

    return paged(world, call, "DelegatedServices", services, describe)
