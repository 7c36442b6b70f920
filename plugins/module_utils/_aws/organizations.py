# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS Organizations: one call per function.

The endpoint is one per partition, whatever region the play uses (aws-facts 1.7); botocore's endpoint rules see to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .errors import ErrorHandler
from .retry import retry_read, retry_write
from .untyped import Client, Structure


@dataclass(frozen=True)
class Organization:
    """The organization, by the names of the modules' results; ``feature_set`` is ALL or CONSOLIDATED_BILLING."""

    id: str
    feature_set: str
    management_account_id: str


class AnsibleOrganizationsError(AnsibleAWSError):
    """An error of AWS Organizations."""

    iam_prefix = "organizations"


class OrganizationsErrorHandler(ErrorHandler):
    _CUSTOM_EXCEPTION = AnsibleOrganizationsError

    @classmethod
    def _is_missing(cls) -> Any:
        return is_boto3_error_code("AccountNotFoundException")


@OrganizationsErrorHandler.common_error_handler("describe the organization")
@retry_read
def describe_organization(client: Client) -> Organization:
    """The caller's organization; any member may ask (aws-facts 7.1).

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeOrganization.html
    """
    answer = client.describe_organization()["Organization"]
    return Organization(answer["Id"], answer["FeatureSet"], answer["MasterAccountId"])


@OrganizationsErrorHandler.list_error_handler("describe an account of the organization")
@retry_read
def describe_account(client: Client, account_id: str) -> Structure | None:
    """An account of the organization; None when it is not in it. Management account and delegated admins only.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeAccount.html
    """
    account: Structure = client.describe_account(AccountId=account_id)["Account"]
    return account


@OrganizationsErrorHandler.common_error_handler("list the services with trusted access to the organization")
@retry_read
def list_service_access(client: Client) -> list[Structure]:
    """Services with trusted access: ServicePrincipal and DateEnabled each.

    Management and delegated administrators may ask (aws-facts 7.4).

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAWSServiceAccessForOrganization.html
    """
    pages = client.get_paginator("list_aws_service_access_for_organization").paginate()
    services: list[Structure] = pages.build_full_result()["EnabledServicePrincipals"]
    return services


def has_service_access(client: Client, service_principal: str) -> bool:
    """Whether a service has trusted access to the organization."""
    return service_principal in {service["ServicePrincipal"] for service in list_service_access(client)}


@OrganizationsErrorHandler.common_error_handler("enable trusted access")
@retry_write
def enable_service_access(client: Client, service_principal: str) -> None:
    """EnableAWSServiceAccess: no error when it is on already (aws-facts 7.4).

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_EnableAWSServiceAccess.html
    """
    client.enable_aws_service_access(ServicePrincipal=service_principal)


@OrganizationsErrorHandler.common_error_handler("disable trusted access")
@retry_write
def disable_service_access(client: Client, service_principal: str) -> None:
    """DisableAWSServiceAccess. For CloudTrail this blinds every member (aws-facts section 5): callers check first.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_DisableAWSServiceAccess.html
    """
    client.disable_aws_service_access(ServicePrincipal=service_principal)


@OrganizationsErrorHandler.common_error_handler("list the delegated administrators")
@retry_read
def list_delegated_administrators(client: Client, service_principal: str) -> list[Structure]:
    """Members that administer a service: Id and Name each, and more. Management and delegated admins only.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListDelegatedAdministrators.html
    """
    pages = client.get_paginator("list_delegated_administrators").paginate(ServicePrincipal=service_principal)
    accounts: list[Structure] = pages.build_full_result()["DelegatedAdministrators"]
    return accounts


@OrganizationsErrorHandler.common_error_handler("list the accounts of the organization")
@retry_read
def list_accounts(client: Client, token: str) -> Structure:
    """One page of at most 20 accounts, perhaps empty, and NextToken while there are more (aws-facts 7.1).

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html
    """
    page: Structure = client.list_accounts(**_after(token))
    return page


@OrganizationsErrorHandler.common_error_handler("list the accounts of an organizational unit")
@retry_read
def list_accounts_for_parent(client: Client, parent_id: str, token: str) -> Structure:
    """One page of the accounts directly below a root or OU.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccountsForParent.html
    """
    page: Structure = client.list_accounts_for_parent(ParentId=parent_id, **_after(token))
    return page


@OrganizationsErrorHandler.common_error_handler("list the organizational units of a parent")
@retry_read
def list_organizational_units(client: Client, parent_id: str, token: str) -> Structure:
    """One page of the OUs directly below a root or OU.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListOrganizationalUnitsForParent.html
    """
    page: Structure = client.list_organizational_units_for_parent(ParentId=parent_id, **_after(token))
    return page


@OrganizationsErrorHandler.common_error_handler("list the roots of the organization")
@retry_read
def list_roots(client: Client, token: str) -> Structure:
    """One page of the organization's roots; there is one.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListRoots.html
    """
    page: Structure = client.list_roots(**_after(token))
    return page


@OrganizationsErrorHandler.common_error_handler("list the tags of an account")
@retry_read
def list_account_tags(client: Client, account_id: str, token: str) -> Structure:
    """One page of an account's tags.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListTagsForResource.html
    """
    page: Structure = client.list_tags_for_resource(ResourceId=account_id, **_after(token))
    return page


def _after(token: str) -> dict[str, str]:
    return {"NextToken": token} if token else {}
