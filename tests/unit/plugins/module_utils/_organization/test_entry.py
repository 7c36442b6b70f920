# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How accounts are entered, and which."""

from __future__ import annotations

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import AnsibleOrgTrailError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.accounts import ROLE_ARN, Account
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.entry import (
    GivenAccount,
    Target,
    given_accounts,
    judge_state,
    target_of,
)

ME, MEMBER = "1" * 12, "2" * 12
ROLE = f"arn:aws:iam::{MEMBER}:role/R"


def given(id_: str, role: str = "", external_id: str = "") -> GivenAccount:
    return GivenAccount(Account(id_, f"n{id_[0]}", "ACTIVE"), role, external_id)


def test_accounts_are_sorted_and_each_is_there_once() -> None:
    place = {"ou_path": "o/r/", "ou_names": ["Root", ""]}
    one = {"id": ME, "name": "one", "state": "ACTIVE", **place, "joined_at": "2026-01-01", "tags": {"a": "b"}}
    role = {"id": MEMBER, "assume_role_arn": ROLE, "assume_role_external_id": "x"}
    assert given_accounts([role, one, {"id": MEMBER, "assume_role_arn": None}]) == [
        GivenAccount(Account(ME, "one", "ACTIVE", "o/r/", "2026-01-01", {"a": "b"}, ["Root"])),
        GivenAccount(Account(MEMBER, "", "")),
    ]
    assert given_accounts([role]) == [GivenAccount(Account(MEMBER, "", ""), ROLE, "x")]


@pytest.mark.parametrize(
    ("account", "says"),
    [
        ({"id": "123"}, "'123' in accounts is no account id, expected 12 digits"),
        ({"id": ME, "assume_role_arn": ROLE}, f"Account {ME} in accounts has .*{ROLE}"),
        ({"id": ME, "assume_role_arn": "R"}, "expected the ARN of a role in that account"),
    ],
)
def test_accounts_that_are_none_are_refused(account: dict[str, str], says: str) -> None:
    with pytest.raises(AnsibleOrgTrailError, match=says):
        given_accounts([account])


@pytest.mark.parametrize(
    ("account", "role", "external_id"),
    [
        (given(ME), "", "common"),
        (given(ME, "arn:own"), "arn:own", "common"),
        (given(MEMBER), ROLE, "common"),
        (given(MEMBER, "arn:given", "x"), "arn:given", "x"),
    ],
)
def test_target_of(account: GivenAccount, role: str, external_id: str) -> None:
    found = target_of(account, ME, "aws", ROLE_ARN, "R", "common")
    assert found == Target(account.account.id, account.account.name, "ACTIVE", role, external_id)


def test_a_pattern_that_leads_everybody_into_one_account_is_refused() -> None:
    with pytest.raises(AnsibleOrgTrailError, match=r"expected an ARN with \{account_id\}"):
        target_of(given("3" * 12), ME, "aws", ROLE, "R", "")


@pytest.mark.parametrize("state", ["SUSPENDED", "PENDING_CLOSURE", "CLOSED", "PENDING_ACTIVATION"])
def test_judge_state_of_accounts_that_nobody_can_enter(state: str) -> None:
    assert state in judge_state(state)


@pytest.mark.parametrize("state", ["ACTIVE", "", "Active", "SOMETHING_NEW"])
def test_judge_state_of_others(state: str) -> None:
    assert judge_state(state) == ""
