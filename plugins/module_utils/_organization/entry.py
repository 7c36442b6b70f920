# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How accounts are entered: those that a user names, the roles that lead into them, and those that nobody can enter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .._aws.arn import arn_account, is_account_id
from .._aws.errors import AnsibleOrgTrailError
from .accounts import ROLE_ARN, ROLE_NAME, Account, role_arn

MEMBER_ROLE_ARGUMENTS: dict[str, dict[str, Any]] = {
    "role_name": {"type": "str", "default": ROLE_NAME},
    "role_arn_pattern": {"type": "str", "default": ROLE_ARN},
    "role_external_id": {"type": "str"},
}
"""Argument spec of the doc fragment ``member_role``."""


@dataclass(frozen=True)
class GivenAccount:
    """An account to ask, and the role that leads into it where one was given for it."""

    account: Account
    role_arn: str = ""
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """An account to ask. Without ``role_arn`` it is the caller's own account."""

    id: str
    name: str
    state: str
    role_arn: str = ""
    external_id: str = ""


def given_accounts(accounts: list[dict[str, Any]]) -> list[GivenAccount]:
    """The accounts of the option, each once, sorted by id.

    Raises AnsibleOrgTrailError for what is no account id, and for a role that leads into another account.
    """
    found: dict[str, GivenAccount] = {}
    for one in accounts:
        if not is_account_id(one["id"]):
            raise AnsibleOrgTrailError(
                f"{one['id']!r} in accounts is no account id, expected 12 digits. Quote ids in YAML."
            )
        name, state, ou_path, joined_at = (one.get(word) or "" for word in ("name", "state", "ou_path", "joined_at"))
        names = [unit for unit in one.get("ou_names") or () if unit]
        account = Account(one["id"], name, state, ou_path, joined_at, one.get("tags") or {}, names)
        role, external_id = one.get("assume_role_arn") or "", one.get("assume_role_external_id") or ""
        if role and arn_account(role) != one["id"]:
            raise AnsibleOrgTrailError(
                f"Account {one['id']} in accounts has assume_role_arn {role!r}, expected the ARN of a role in that "
                "account. The answers of another one would be counted as its own."
            )
        found[one["id"]] = GivenAccount(account, role, external_id)
    return [found[account] for account in sorted(found)]


def target_of(
    one: GivenAccount, own_account: str, partition: str, pattern: str, role_name: str, external_id: str
) -> Target:
    """How to enter an account. The caller's own is entered without a role, unless it is given one.

    pattern, role_name, external_id: for accounts that are not given a role or an external id of their own. Raises
    AnsibleOrgTrailError for a pattern that leads into another account.
    """
    account, role = one.account, one.role_arn
    if not role and account.id != own_account:
        try:
            role = role_arn(pattern, role_name, partition, account.id)
        except ValueError as error:
            raise AnsibleOrgTrailError(str(error)) from error
    return Target(account.id, account.name, account.state, role, one.external_id or external_id)


CLOSED_STATES = frozenset({"PENDING_ACTIVATION", "SUSPENDED", "PENDING_CLOSURE", "CLOSED"})
"""States of an account that nobody can enter (aws-facts 4.8, 7.2). In a state that is not known, asking tells."""


def judge_state(state: str) -> str:
    """Why nothing can be called in an account in this state; empty when something can, or perhaps can."""
    if state not in CLOSED_STATES:
        return ""
    return f"The account is in the state {state}, so nobody can sign in to it."
