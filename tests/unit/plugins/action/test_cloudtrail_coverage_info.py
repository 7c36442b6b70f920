# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts as accounts: nothing of how an account is entered gets lost."""

from __future__ import annotations

import pytest
from ansible_collections.cloudsec.org_trail.plugins.action.cloudtrail_coverage_info import HOST_VARIABLES, accounts_of
from ansible_collections.cloudsec.org_trail.plugins.modules.cloudtrail_coverage_info import ACCOUNT


def test_every_field_of_an_account_but_its_tags_comes_from_a_host_variable() -> None:
    assert set(HOST_VARIABLES) == set(ACCOUNT) - {"tags"}


@pytest.mark.parametrize("field", HOST_VARIABLES)
def test_a_field_is_its_host_variable(field: str) -> None:
    hosts = {"log-archive": {name: name.upper() for name in HOST_VARIABLES.values()}, "empty": {}}
    full, empty = accounts_of(hosts, hosts)
    assert full[field] == HOST_VARIABLES[field].upper()
    assert empty[field] == ""


def test_names_of_organizational_units_stay_a_list() -> None:
    [account] = accounts_of(["one"], {"one": {"account_ou_names": ["Root", "Production"]}})
    assert account["ou_names"] == ["Root", "Production"]
