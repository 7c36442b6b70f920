# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls to AWS Organizations, one by one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws import organizations
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.organizations import Organization
from botocore.exceptions import ClientError


class Client:
    """Answers each operation with what it was called with; some operations with what they are known for."""

    def __getattr__(self, operation: str) -> Any:
        return lambda **asked: {"asked": (operation, asked)}

    def describe_organization(self) -> dict[str, dict[str, str]]:
        return {"Organization": {"Id": "o-1", "FeatureSet": "ALL", "MasterAccountId": "1", "MasterAccountArn": "x"}}

    def describe_account(self, *, AccountId: str) -> dict[str, dict[str, str]]:
        if AccountId == "9":
            raise ClientError({"Error": {"Code": "AccountNotFoundException"}}, "DescribeAccount")
        return {"Account": {"Id": AccountId}}

    def get_paginator(self, operation: str) -> Any:
        found = {
            "list_aws_service_access_for_organization": {
                "EnabledServicePrincipals": [{"ServicePrincipal": "cloudtrail.amazonaws.com"}]
            },
            "list_delegated_administrators": {"DelegatedAdministrators": [{"Id": "2"}]},
        }[operation]
        return SimpleNamespace(paginate=lambda **_asked: SimpleNamespace(build_full_result=lambda: found))


def test_the_organization_has_one_shape() -> None:
    assert organizations.describe_organization(Client()) == Organization("o-1", "ALL", "1")


def test_an_account_that_is_elsewhere_is_none() -> None:
    assert organizations.describe_account(Client(), "1") == {"Id": "1"}
    assert organizations.describe_account(Client(), "9") is None


def test_delegated_administrators_are_accounts() -> None:
    assert organizations.list_delegated_administrators(Client(), "cloudtrail.amazonaws.com") == [{"Id": "2"}]


@pytest.mark.parametrize(("service", "has"), [("cloudtrail.amazonaws.com", True), ("config.amazonaws.com", False)])
def test_has_service_access(service: str, has: bool) -> None:
    assert organizations.has_service_access(Client(), service) is has


@pytest.mark.parametrize(
    ("call", "given", "operation", "asked"),
    [
        (organizations.list_accounts, (), "list_accounts", {}),
        (organizations.list_roots, (), "list_roots", {}),
        (
            organizations.list_accounts_for_parent,
            ("ou-1",),
            "list_accounts_for_parent",
            {"ParentId": "ou-1"},
        ),
        (
            organizations.list_organizational_units,
            ("r-1",),
            "list_organizational_units_for_parent",
            {"ParentId": "r-1"},
        ),
        (organizations.list_account_tags, ("1",), "list_tags_for_resource", {"ResourceId": "1"}),
    ],
)
def test_a_page_is_asked_for_with_its_token(call: Any, given: tuple[str, ...], operation: str, asked: Any) -> None:
    assert call(Client(), *given, "") == {"asked": (operation, asked)}
    assert call(Client(), *given, "next") == {"asked": (operation, {**asked, "NextToken": "next"})}


@pytest.mark.parametrize(
    ("call", "operation"),
    [
        (organizations.enable_service_access, "enable_aws_service_access"),
        (organizations.disable_service_access, "disable_aws_service_access"),
    ],
)
def test_service_access_is_changed_for_one_service(call: Any, operation: str) -> None:
    asked: list[tuple[str, str]] = []
    client = SimpleNamespace(**{operation: lambda *, ServicePrincipal: asked.append((operation, ServicePrincipal))})
    call(client, "config.amazonaws.com")
    assert asked == [(operation, "config.amazonaws.com")]
