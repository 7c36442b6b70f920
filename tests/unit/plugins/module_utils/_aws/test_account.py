# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which regions an account has enabled."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.account import (
    AnsibleAccountError,
    list_enabled_regions,
    list_regions,
)
from botocore.exceptions import ClientError


class Account:
    """The client: one paginator, whose filter it remembers."""

    def __init__(self, error: str = "") -> None:
        self.error = error
        self.asked: dict[str, Any] = {}

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_regions"
        return self

    def paginate(self, **asked: Any) -> Any:
        self.asked = asked
        if self.error:
            raise ClientError({"Error": {"Code": self.error}}, "ListRegions")
        regions = [
            {"RegionName": "us-east-1", "RegionOptStatus": "ENABLED_BY_DEFAULT"},
            {"RegionName": "ap-east-1", "RegionOptStatus": "ENABLED"},
        ]
        return SimpleNamespace(build_full_result=lambda: {"Regions": regions})


def test_only_enabled_regions_are_asked_for_and_sorted() -> None:
    client = Account()
    assert list_enabled_regions(client) == ["ap-east-1", "us-east-1"]
    assert client.asked == {"RegionOptStatusContains": ["ENABLED", "ENABLED_BY_DEFAULT"]}


def test_every_region_is_told_with_its_state() -> None:
    client = Account()
    assert list_regions(client) == {"us-east-1": "ENABLED_BY_DEFAULT", "ap-east-1": "ENABLED"}
    assert client.asked == {}


def test_a_denial_is_an_error_of_this_service() -> None:
    with pytest.raises(AnsibleAccountError, match="list the enabled regions of the account") as error:
        list_enabled_regions(Account("AccessDeniedException"))
    assert error.value.iam_prefix == "account"
