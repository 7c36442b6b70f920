# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS Organizations (aws-facts 1.7 and section 7): all of it, because moto's is too slow for 10,000 accounts.

Source: https://docs.aws.amazon.com/organizations/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, TypeVar

from ansible_collections.cloudsec.org_trail.plugins.module_utils._policy import PolicyError, parse_policy
from moto.organizations.models import FakeServiceAccess

from lab import iam
from lab.call import Call, LabError
from lab.organization_state import (
    SCP,
    Account,
    Organization,
    OrganizationPolicy,
    Unit,
    new_organization,
    word,
)
from lab.service import Answer, answers, guards
from lab.world import World

Thing = TypeVar("Thing")
Reply = dict[str, Any]

CLOUDTRAIL = "cloudtrail.amazonaws.com"
PAGE = 20
MOST_CLOUDTRAIL_ADMINISTRATORS = 3
"""https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html"""

STATUS_OF_STATE = {"ACTIVE": "ACTIVE", "PENDING_CLOSURE": "PENDING_CLOSURE"}
"""Account.Status by Account.State; every other state was SUSPENDED (aws-facts 7.2)."""

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
    org = world.organization
    if org is None or SCP not in org.policy_types or account_id == org.management_account:
        return []
    if account_id not in org.accounts:
        return []
    return [org.attached_policies(target, SCP) for target in org.lineage(account_id)]


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


def violation(message: str) -> LabError:
    return LabError("ConstraintViolationException", message)


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


# --- accounts ---------------------------------------------------------------------------------------


def describe_account_of(world: World, org: Organization, account: Account) -> Reply:
    described: Reply = {
        "Id": account.id,
        "Arn": org.arn("account", account.id),
        "Email": account.email,
        "Name": account.name,
        "State": account.state,
        "JoinedMethod": account.joined_method,
        "JoinedTimestamp": account.joined,
    }
    if not world.options.account_status_retired:
        described["Status"] = STATUS_OF_STATE.get(account.state, "SUSPENDED")
    if world.options.account_paths:
        described["Paths"] = [ou_path(world, account.id)]
    return described


@operation("ListAccounts")
def list_accounts(world: World, org: Organization, call: Call) -> Reply:
    return paged(world, call, "Accounts", org.accounts.values(), lambda one: describe_account_of(world, org, one))


@operation("DescribeAccount")
def describe_account(world: World, org: Organization, call: Call) -> Reply:
    return {"Account": describe_account_of(world, org, account_of(org, call.parameters["AccountId"]))}


@operation("CreateAccount")
def create_account(world: World, org: Organization, call: Call) -> Reply:
    """The first answer is IN_PROGRESS, and the next one is that it has succeeded."""
    account_id = str(world.random.randrange(10**11, 10**12))
    account = Account(account_id, call.parameters["AccountName"], call.parameters["Email"], org.root_id, world.now())
    account.tags = tags_in(call)
    if account.email in {other.email for other in org.accounts.values()}:
        raise violation("An account with this email address exists already.")
    add_account(world, org, account, call.parameters.get("RoleName", iam.MEMBER_ROLE))
    request = "car-" + word(world.random, 32)
    org.created[request] = account
    return {"CreateAccountStatus": created(org, request, "IN_PROGRESS")}


def add_account(world: World, org: Organization, account: Account, role: str = iam.MEMBER_ROLE) -> None:
    """Put an account into the organization with the role that management enters it by."""
    org.add_account(account)
    if account.id != org.management_account:
        iam.make_member_role(world, account.id, org.management_account, role)


def created(org: Organization, request: str, state: str) -> Reply:
    account = org.created[request]
    status = {"Id": request, "AccountName": account.name, "State": state, "RequestedTimestamp": account.joined}
    if state == "SUCCEEDED":
        status |= {"AccountId": account.id, "CompletedTimestamp": account.joined}
    return status


@operation("DescribeCreateAccountStatus")
def describe_create_account_status(world: World, org: Organization, call: Call) -> Reply:
    request = call.parameters["CreateAccountRequestId"]
    if request not in org.created:
        raise LabError("CreateAccountStatusNotFoundException", "You specified a request that doesn't exist.")
    return {"CreateAccountStatus": created(org, request, "SUCCEEDED")}


@operation("ListCreateAccountStatus")
def list_create_account_status(world: World, org: Organization, call: Call) -> Reply:
    wanted = call.parameters.get("States") or ["SUCCEEDED"]
    requests = list(org.created) if "SUCCEEDED" in wanted else []
    return paged(world, call, "CreateAccountStatuses", requests, lambda one: created(org, one, "SUCCEEDED"))


@operation("CloseAccount")
def close_account(world: World, org: Organization, call: Call) -> Reply:
    account = account_of(org, call.parameters["AccountId"])
    if account.id == org.management_account:
        raise violation("You cannot close the management account.")
    if account.state != "ACTIVE":
        raise LabError("AccountAlreadyClosedException", "You attempted to close an account that is already closed.")
    account.state = "PENDING_CLOSURE"
    return {}


@operation("RemoveAccountFromOrganization")
def remove_account_from_organization(world: World, org: Organization, call: Call) -> Reply:
    return leave(world, org, account_of(org, call.parameters["AccountId"]).id)


@operation("LeaveOrganization")
def leave_organization(world: World, org: Organization, call: Call) -> Reply:
    return leave(world, org, call.account)


def leave(world: World, org: Organization, account_id: str) -> Reply:
    """An account leaves: its service-linked role goes with it (aws-facts 4.8)."""
    if account_id == org.management_account:
        raise LabError(
            "MasterCannotLeaveOrganizationException",
            "You can't remove a management account from an organization.",
        )
    if org.delegated.get(account_id):
        raise violation("You cannot remove a delegated administrator; deregister it first.")
    org.remove_account(account_id)
    iam.delete_service_linked_role(world, account_id)
    return {}


@operation("MoveAccount")
def move_account(world: World, org: Organization, call: Call) -> Reply:
    account = account_of(org, call.parameters["AccountId"])
    source, destination = call.parameters["SourceParentId"], call.parameters["DestinationParentId"]
    if account.parent != source:
        raise LabError("SourceParentNotFoundException", "You specified a source parent that the account is not in.")
    if destination not in org.units:
        raise LabError("DestinationParentNotFoundException", "You specified a destination that doesn't exist.")
    if source == destination:
        raise LabError("DuplicateAccountException", "The account is already in the destination.")
    org.move(account.id, destination)
    return {}


# --- roots and units --------------------------------------------------------------------------------


@operation("ListRoots")
def list_roots(world: World, org: Organization, call: Call) -> Reply:
    return paged(world, call, "Roots", [org.root], lambda root: describe_root_of(org))


def describe_root_of(org: Organization) -> Reply:
    types = [{"Type": policy_type, "Status": "ENABLED"} for policy_type in org.policy_types]
    return {"Id": org.root_id, "Arn": org.arn("root", org.root_id), "Name": "Root", "PolicyTypes": types}


def describe_unit_of(world: World, org: Organization, unit: Unit) -> Reply:
    described = {"Id": unit.id, "Arn": org.arn("ou", unit.id), "Name": unit.name}
    return {**described, "Path": ou_path(world, unit.id)} if world.options.account_paths else described


@operation("CreateOrganizationalUnit")
def create_organizational_unit(world: World, org: Organization, call: Call) -> Reply:
    parent = parent_of(org, call.parameters["ParentId"])
    unit = add_unit(world, org, parent.id, call.parameters["Name"])
    unit.tags = tags_in(call)
    return {"OrganizationalUnit": describe_unit_of(world, org, unit)}


def add_unit(world: World, org: Organization, parent_id: str, name: str) -> Unit:
    """A new organizational unit under a root or unit."""
    refuse_same_name(org, parent_id, name)
    unit = Unit(f"ou-{org.root_id.removeprefix('r-')}-{word(world.random, 8)}", name, parent_id)
    org.add_unit(unit)
    return unit


def refuse_same_name(org: Organization, parent_id: str, name: str) -> None:
    if name in {org.units[unit].name for unit in org.units[parent_id].units}:
        raise LabError("DuplicateOrganizationalUnitException", "An OU with the same name already exists.")


@operation("UpdateOrganizationalUnit")
def update_organizational_unit(world: World, org: Organization, call: Call) -> Reply:
    unit = unit_of(org, call.parameters["OrganizationalUnitId"])
    if name := call.parameters.get("Name"):
        refuse_same_name(org, unit.parent, name)
        unit.name = name
    return {"OrganizationalUnit": describe_unit_of(world, org, unit)}


@operation("DeleteOrganizationalUnit")
def delete_organizational_unit(world: World, org: Organization, call: Call) -> Reply:
    unit = unit_of(org, call.parameters["OrganizationalUnitId"])
    if unit.units or unit.accounts:
        raise LabError("OrganizationalUnitNotEmptyException", "The specified OU is not empty.")
    for policy_id in list(org.attached.get(unit.id, ())):
        org.detach(policy_id, unit.id)
    del org.units[unit.parent].units[unit.id], org.units[unit.id]
    return {}


@operation("DescribeOrganizationalUnit")
def describe_organizational_unit(world: World, org: Organization, call: Call) -> Reply:
    return {"OrganizationalUnit": describe_unit_of(world, org, unit_of(org, call.parameters["OrganizationalUnitId"]))}


@operation("ListOrganizationalUnitsForParent")
def list_organizational_units_for_parent(world: World, org: Organization, call: Call) -> Reply:
    parent = parent_of(org, call.parameters["ParentId"])
    return paged(
        world, call, "OrganizationalUnits", parent.units, lambda one: describe_unit_of(world, org, org.units[one])
    )


@operation("ListAccountsForParent")
def list_accounts_for_parent(world: World, org: Organization, call: Call) -> Reply:
    parent = parent_of(org, call.parameters["ParentId"])
    return paged(
        world, call, "Accounts", parent.accounts, lambda one: describe_account_of(world, org, org.accounts[one])
    )


@operation("ListParents")
def list_parents(world: World, org: Organization, call: Call) -> Reply:
    child_id = call.parameters["ChildId"]
    child = org.accounts.get(child_id) or org.units.get(child_id)
    if child is None or not child.parent:
        raise LabError("ChildNotFoundException", "You specified a child that doesn't exist.")
    kind = "ROOT" if child.parent == org.root_id else "ORGANIZATIONAL_UNIT"
    return paged(world, call, "Parents", [child.parent], lambda parent: {"Id": parent, "Type": kind})


@operation("ListChildren")
def list_children(world: World, org: Organization, call: Call) -> Reply:
    parent, kind = parent_of(org, call.parameters["ParentId"]), call.parameters["ChildType"]
    children = parent.accounts if kind == "ACCOUNT" else parent.units
    return paged(world, call, "Children", children, lambda child: {"Id": child, "Type": kind})


# --- trusted access and delegated administrators ----------------------------------------------------


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
        from lab import trails  # it imports this file

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


# --- policies ---------------------------------------------------------------------------------------


def summary_of(org: Organization, policy: OrganizationPolicy) -> Reply:
    kind = policy.type.lower()
    arn = (
        f"arn:{org.partition}:organizations::aws:policy/{kind}/{policy.id}"
        if policy.aws_managed
        else org.arn("policy", kind, policy.id)
    )
    return {
        "Id": policy.id,
        "Arn": arn,
        "Name": policy.name,
        "Description": policy.description,
        "Type": policy.type,
        "AwsManaged": policy.aws_managed,
    }


def described_policy(org: Organization, policy: OrganizationPolicy) -> Reply:
    return {"Policy": {"PolicySummary": summary_of(org, policy), "Content": policy.content}}


def refuse_bad_content(policy_type: str, content: str) -> None:
    if policy_type != SCP:
        return
    try:
        parse_policy(content, "identity")
    except PolicyError as error:
        raise LabError("MalformedPolicyDocumentException", "The provided policy document is not valid.") from error


@operation("CreatePolicy")
def create_policy(world: World, org: Organization, call: Call) -> Reply:
    parameters = call.parameters
    if any(policy.name == parameters["Name"] for policy in org.policies.values()):
        raise LabError("DuplicatePolicyException", "A policy with the same name already exists.")
    refuse_bad_content(parameters["Type"], parameters["Content"])
    policy = add_policy(world, org, parameters["Name"], parameters["Content"], parameters["Type"])
    policy.description, policy.tags = parameters["Description"], tags_in(call)
    return described_policy(org, policy)


def add_policy(world: World, org: Organization, name: str, content: str, kind: str = SCP) -> OrganizationPolicy:
    """A new policy, attached to nothing."""
    policy = OrganizationPolicy("p-" + word(world.random, 8), name, "", kind, content)
    org.policies[policy.id] = policy
    return policy


@operation("UpdatePolicy")
def update_policy(world: World, org: Organization, call: Call) -> Reply:
    policy = changeable(org, call.parameters["PolicyId"])
    content = call.parameters.get("Content", policy.content)
    refuse_bad_content(policy.type, content)
    policy.content = content
    policy.name = call.parameters.get("Name", policy.name)
    policy.description = call.parameters.get("Description", policy.description)
    return described_policy(org, policy)


@operation("DeletePolicy")
def delete_policy(world: World, org: Organization, call: Call) -> Reply:
    policy = changeable(org, call.parameters["PolicyId"])
    if policy.targets:
        raise LabError("PolicyInUseException", "The policy is attached to one or more entities; detach it first.")
    del org.policies[policy.id]
    return {}


def changeable(org: Organization, policy_id: str) -> OrganizationPolicy:
    policy = policy_of(org, policy_id)
    if policy.aws_managed:
        raise invalid("You specified a policy that is managed by AWS and can't be modified.")
    return policy


@operation("DescribePolicy")
def describe_policy(world: World, org: Organization, call: Call) -> Reply:
    return described_policy(org, policy_of(org, call.parameters["PolicyId"]))


@operation("ListPolicies")
def list_policies(world: World, org: Organization, call: Call) -> Reply:
    found = [policy for policy in org.policies.values() if policy.type == call.parameters["Filter"]]
    return paged(world, call, "Policies", found, lambda policy: summary_of(org, policy))


@operation("ListPoliciesForTarget")
def list_policies_for_target(world: World, org: Organization, call: Call) -> Reply:
    target = target_of(org, call.parameters["TargetId"])
    found = org.attached_policies(target.id, call.parameters["Filter"])
    return paged(world, call, "Policies", found, lambda policy: summary_of(org, policy))


@operation("ListTargetsForPolicy")
def list_targets_for_policy(world: World, org: Organization, call: Call) -> Reply:
    def describe(target_id: str) -> Reply:
        target = target_of(org, target_id)
        kind = "ACCOUNT" if isinstance(target, Account) else "ROOT" if not target.parent else "ORGANIZATIONAL_UNIT"
        arn = org.arn({"ACCOUNT": "account", "ROOT": "root"}.get(kind, "ou"), target_id)
        return {"TargetId": target_id, "Arn": arn, "Name": target.name, "Type": kind}

    return paged(world, call, "Targets", policy_of(org, call.parameters["PolicyId"]).targets, describe)


@operation("AttachPolicy")
def attach_policy(world: World, org: Organization, call: Call) -> Reply:
    policy, target = policy_of(org, call.parameters["PolicyId"]), target_of(org, call.parameters["TargetId"])
    if policy.type not in org.policy_types:
        raise LabError("PolicyTypeNotEnabledException", "The policy type is not enabled for the root.")
    if target.id in policy.targets:
        raise LabError("DuplicatePolicyAttachmentException", "The policy is already attached to the target.")
    org.attach(policy.id, target.id)
    return {}


@operation("DetachPolicy")
def detach_policy(world: World, org: Organization, call: Call) -> Reply:
    policy, target = policy_of(org, call.parameters["PolicyId"]), target_of(org, call.parameters["TargetId"])
    if target.id not in policy.targets:
        raise LabError("PolicyNotAttachedException", "The policy isn't attached to the specified target.")
    if policy.type == SCP and len(org.attached_policies(target.id, SCP)) == 1:
        raise violation("You cannot remove the last SCP attached to an entity.")
    org.detach(policy.id, target.id)
    return {}


@operation("EnablePolicyType")
def enable_policy_type(world: World, org: Organization, call: Call) -> Reply:
    root_of(org, call.parameters["RootId"])
    policy_type = call.parameters["PolicyType"]
    if org.feature_set != "ALL":
        raise LabError("PolicyTypeNotAvailableForOrganizationException", "All features must be enabled first.")
    if policy_type in org.policy_types:
        raise LabError("PolicyTypeAlreadyEnabledException", "The specified policy type is already enabled.")
    org.enable_policy_type(policy_type)
    return {"Root": describe_root_of(org)}


@operation("DisablePolicyType")
def disable_policy_type(world: World, org: Organization, call: Call) -> Reply:
    """All policies of the type are detached from everything."""
    root_of(org, call.parameters["RootId"])
    policy_type = call.parameters["PolicyType"]
    if policy_type not in org.policy_types:
        raise LabError("PolicyTypeNotEnabledException", "The policy type is not enabled for the root.")
    del org.policy_types[policy_type]
    for policy in org.policies.values():
        if policy.type == policy_type:
            for target in list(policy.targets):
                org.detach(policy.id, target)
    return {"Root": describe_root_of(org)}


# --- tags -------------------------------------------------------------------------------------------


def tags_in(call: Call) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in call.parameters.get("Tags") or []}


def tagged(org: Organization, resource_id: str) -> dict[str, str]:
    resource = org.policies.get(resource_id) or target_of(org, resource_id)
    return resource.tags


@operation("ListTagsForResource")
def list_tags_for_resource(world: World, org: Organization, call: Call) -> Reply:
    found = tagged(org, call.parameters["ResourceId"])
    return paged(world, call, "Tags", found.items(), lambda tag: {"Key": tag[0], "Value": tag[1]})


@operation("TagResource")
def tag_resource(world: World, org: Organization, call: Call) -> Reply:
    tagged(org, call.parameters["ResourceId"]).update(tags_in(call))
    return {}


@operation("UntagResource")
def untag_resource(world: World, org: Organization, call: Call) -> Reply:
    found = tagged(org, call.parameters["ResourceId"])
    for key in call.parameters["TagKeys"]:
        found.pop(key, None)
    return {}
