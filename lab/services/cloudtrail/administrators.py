# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delegated administrators of CloudTrail, by CloudTrail's own operations (aws-facts 1.8, section 11).

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-delegated-administrator-permissions.html
"""

from __future__ import annotations

from typing import Any

from lab.kernel.call import Call, LabError
from lab.kernel.service import answers
from lab.kernel.world import World
from lab.services.cloudtrail.access import SERVICE, require_organization
from lab.services.cloudtrail.linked_roles import make_linked_role, may
from lab.services.iam.api import EVENT_CONTEXT
from lab.services.organizations.api import (
    add_delegated_administrator,
    delegated_administrators,
    organization,
    remove_delegated_administrator,
)
from lab.services.organizations.state import ENTERABLE, Organization

MOST = 3
DEPENDENCY = "InsufficientDependencyServiceAccessPermissionException"


@answers("cloudtrail", "RegisterOrganizationDelegatedAdmin")
def register_delegated_administrator(world: World, call: Call) -> dict[str, Any]:
    """Make a member administrator, and both service-linked roles in management (aws-facts 1.8, 11.3)."""
    org = required_organization(world, call)
    account = call.parameters["MemberAccountId"]
    if account == org.management_account:
        raise LabError("CannotDelegateManagementAccountException", "The management account cannot be delegated.")
    member = org.accounts.get(account)
    if member is None:
        raise LabError("AccountNotFoundException", f"Account {account} is not a member of the organization.")
    registered = delegated_administrators(world, SERVICE)
    if account in registered:
        raise LabError("AccountRegisteredException", f"Account {account} is a delegated administrator already.")
    if len(registered) >= MOST:
        raise LabError(
            "DelegatedAdminAccountLimitExceededException",
            f"An organization can have {MOST} delegated administrators for CloudTrail.",
        )
    if member.state not in ENTERABLE:
        raise LabError("InvalidParameterException", f"Account {account} is not active.")
    require_organizations_action(world, call, "RegisterDelegatedAdministrator", account)
    for service in (SERVICE, EVENT_CONTEXT):
        if not make_linked_role(world, call, org.management_account, service):
            raise LabError(
                "InsufficientIAMAccessPermissionException",
                "You lack the permissions to view or create a service-linked role.",
            )
    add_delegated_administrator(world, account, SERVICE)
    return {}


@answers("cloudtrail", "DeregisterOrganizationDelegatedAdmin")
def deregister_delegated_administrator(world: World, call: Call) -> dict[str, Any]:
    """Take a member's rights away; trails stay (aws-facts 11.1)."""
    org = required_organization(world, call)
    account = call.parameters["DelegatedAdminAccountId"]
    if account not in org.accounts:
        raise LabError("AccountNotFoundException", f"Account {account} is not a member of the organization.")
    if account not in delegated_administrators(world, SERVICE):
        raise LabError("AccountNotRegisteredException", f"Account {account} is no delegated administrator.")
    require_organizations_action(world, call, "DeregisterDelegatedAdministrator", account)
    remove_delegated_administrator(world, account, SERVICE)
    return {}


def required_organization(world: World, call: Call) -> Organization:
    """Facts 1.1 to 1.3, with the code that these two operations use for a caller that is not management."""
    made = organization(world)
    if made is not None and made.management_account != call.account:
        raise LabError(
            "NotOrganizationManagementAccountException",
            "The request could not be processed because your account is not the management account.",
        )
    require_organization(world, call, conversion=True)
    assert made is not None
    return made


def require_organizations_action(world: World, call: Call, operation: str, account: str) -> None:
    """CloudTrail asks Organizations in the caller's name."""
    parameters = {"AccountId": account, "ServicePrincipal": SERVICE}
    allowed = may(world, call, "organizations", operation, **parameters)
    if not allowed or not may(world, call, "organizations", "ListAWSServiceAccessForOrganization"):
        raise LabError(
            DEPENDENCY,
            "AWS CloudTrail cannot create resources for your organization because access to one or more required APIs "
            "has been denied.",
        )
