# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS Account Management: which regions an account has enabled."""

from __future__ import annotations

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .errors import ErrorHandler
from .retry import retry_read
from .untyped import Client

ALWAYS_ENABLED = "ENABLED_BY_DEFAULT"
"""The state of a region that no account can disable."""

ENABLED = ("ENABLED", ALWAYS_ENABLED)
"""States of a region in which events can happen."""


class AnsibleAccountError(AnsibleAWSError):
    """An error of AWS Account Management."""

    iam_prefix = "account"


class AccountErrorHandler(ErrorHandler):
    _CUSTOM_EXCEPTION = AnsibleAccountError


@AccountErrorHandler.common_error_handler("list the enabled regions of the account")
@retry_read
def list_enabled_regions(client: Client) -> list[str]:
    """Names of the regions that the caller's account has enabled, sorted.

    https://docs.aws.amazon.com/accounts/latest/reference/API_ListRegions.html
    """
    pages = client.get_paginator("list_regions").paginate(RegionOptStatusContains=list(ENABLED))
    return sorted(region["RegionName"] for region in pages.build_full_result()["Regions"])


@AccountErrorHandler.common_error_handler("list the regions of the account")
@retry_read
def list_regions(client: Client) -> dict[str, str]:
    """Every region of the partition with the caller's account's word on it, for example ``ENABLED_BY_DEFAULT``.

    https://docs.aws.amazon.com/accounts/latest/reference/API_ListRegions.html
    """
    pages = client.get_paginator("list_regions").paginate()
    return {region["RegionName"]: region["RegionOptStatus"] for region in pages.build_full_result()["Regions"]}
