# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS Organizations: accounts, roots and organizational units (aws-facts 7.1 to 7.3)."""

from __future__ import annotations

from lab.kernel.call import Call, LabError
from lab.kernel.world import World
from lab.services.iam import api as iam
from lab.services.organizations.api import (
    Reply,
    account_of,
    operation,
    ou_path,
    paged,
    parent_of,
    tags_in,
    unit_of,
    violation,
)
from lab.services.organizations.state import Account, Organization, Unit, word

STATUS_OF_STATE = {"ACTIVE": "ACTIVE", "PENDING_CLOSURE": "PENDING_CLOSURE"}
"""Account.Status by Account.State; every other state was SUSPENDED (aws-facts 7.2)."""


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
        for stack_role in world.stack_roles:
            iam.make_role(world, account.id, *stack_role)


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
    reply = paged(world, call, "Roots", [org.root], lambda root: describe_root_of(org))
    go_on_enabling(org)
    return reply


def go_on_enabling(org: Organization) -> None:
    """A policy type is enabled some time after it was asked for (aws-facts 10.5)."""
    for policy_type, left in list(org.pending_types.items()):
        org.pending_types[policy_type] = left - 1
        if left <= 1:
            org.enable_policy_type(policy_type)


def describe_root_of(org: Organization) -> Reply:
    types = [{"Type": policy_type, "Status": "ENABLED"} for policy_type in org.policy_types]
    types += [{"Type": policy_type, "Status": "PENDING_ENABLE"} for policy_type in org.pending_types]
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
