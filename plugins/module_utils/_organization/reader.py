# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads all accounts of the organization with as few calls as it takes, within Organizations' rates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ansible_collections.amazon.aws.plugins.module_utils.tagging import boto3_tag_list_to_ansible_dict

from .._aws.organizations import (
    Organization,
    describe_organization,
    list_account_tags,
    list_accounts,
    list_accounts_for_parent,
    list_organizational_units,
    list_roots,
)
from .._aws.untyped import Client, Structure
from .._work.pace import Pace
from .._work.reads import Reads, read_all, read_each
from .accounts import Account, account_of, ou_ids

TAG_THREADS = 4  # ten calls a second are allowed, and one takes about a tenth of a second


@dataclass
class Paces:
    """The rates of aws-facts section 8, each multiplied by the user's share of them; a share of 0 lifts them."""

    share: float = 1.0
    accounts: Pace = field(init=False)
    units: Pace = field(init=False)
    parents: Pace = field(init=False)
    tags: Pace = field(init=False)

    def __post_init__(self) -> None:
        self.accounts = Pace(8 * self.share, 12)
        self.units = Pace(5 * self.share, 8)
        self.parents = Pace(5 * self.share, 8)
        self.tags = Pace(10 * self.share, 15)


@dataclass
class OrganizationAccounts:
    """The organization and its accounts, sorted by id."""

    organization: Organization
    accounts: list[Account]


def read_organization(client: Client, paces: Paces, *, names: bool = False, tags: bool = False) -> OrganizationAccounts:
    """One ListAccounts call for 20 accounts; OU paths come with them where botocore and AWS know Account.Paths.

    names: also the names of the OUs, one more call for each of them. tags: also tags, one more call per account.
    Raises AnsibleOrganizationsError.
    """
    reads: Reads = {
        "organization": lambda: describe_organization(client),
        "accounts": lambda: list(read_accounts(client, paces)),
    }
    if names:
        reads["units"] = lambda: read_units(client, paces)
    answers = read_all(reads)
    organization: Organization = answers["organization"]
    accounts: list[Account] = answers["accounts"]
    if not all(account.ou_path for account in accounts):
        fill_paths(client, paces, organization.id, accounts)
    if names:
        fill_names(accounts, answers["units"])
    if tags:
        fill_tags(client, paces, accounts)
    return OrganizationAccounts(organization, sorted(accounts, key=lambda one: one.id))


def read_accounts(client: Client, paces: Paces) -> Iterator[Account]:
    """Every account of the organization once, in AWS's order; one that moves on meanwhile may be on two pages."""
    seen: set[str] = set()
    for page in every_page(lambda token: list_accounts(client, token), paces.accounts):
        for account in map(account_of, page["Accounts"]):
            if account.id not in seen:
                seen.add(account.id)
                yield account


def every_page(read: Callable[[str], Structure], pace: Pace) -> Iterator[Structure]:
    """All pages of a list; an empty page may come before the last one (aws-facts 7.1)."""
    token = ""
    while True:
        pace.wait()
        page = read(token)
        yield page
        token = page.get("NextToken") or ""
        if not token:
            return


def read_units(client: Client, paces: Paces) -> dict[str, tuple[str, str]]:
    """Id to (name, parent id) of the root and all OUs: one call for each of them."""
    roots = [root for page in every_page(lambda token: list_roots(client, token), Pace(0, 1)) for root in page["Roots"]]
    units = {root["Id"]: (root["Name"], "") for root in roots}
    todo = list(units)
    while todo:
        parent = todo.pop()
        for page in every_page(lambda token, of=parent: list_organizational_units(client, of, token), paces.units):  # type: ignore[misc]
            for unit in page["OrganizationalUnits"]:
                units[unit["Id"]] = (unit["Name"], parent)
                todo.append(unit["Id"])
    return units


def fill_paths(client: Client, paces: Paces, organization_id: str, accounts: list[Account]) -> None:
    """Find the paths by walking the OU tree, for a botocore without Account.Paths (aws-facts 7.3)."""
    paths: dict[str, str] = {}
    units = read_units(client, paces)
    for unit in units:
        path = "/".join((organization_id, *_lineage(units, unit))) + "/"
        for page in every_page(lambda token, of=unit: list_accounts_for_parent(client, of, token), paces.parents):  # type: ignore[misc]
            paths |= {account["Id"]: path for account in page["Accounts"]}
    for account in accounts:
        account.ou_path = account.ou_path or paths.get(account.id, "")


def _lineage(units: dict[str, tuple[str, str]], unit: str) -> list[str]:
    lineage = [unit]
    while parent := units[lineage[0]][1]:
        lineage.insert(0, parent)
    return lineage


def fill_names(accounts: list[Account], units: dict[str, tuple[str, str]]) -> None:
    """Give each account the names of the OUs in its path."""
    for account in accounts:
        account.ou_names = [units[unit][0] for unit in ou_ids(account.ou_path) if unit in units]


def fill_tags(client: Client, paces: Paces, accounts: list[Account]) -> None:
    """Give each account its tags: one call per account."""

    def fill(account: Account) -> None:
        for page in every_page(lambda token: list_account_tags(client, account.id, token), paces.tags):
            account.tags |= boto3_tag_list_to_ansible_dict(page["Tags"])

    read_each(fill, accounts, TAG_THREADS)
