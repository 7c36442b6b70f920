# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The organization's accounts: what AWS says of them, which are meant, and what to call them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from .._aws.arn import arn_account, is_account_id
from .._aws.untyped import Structure

ACTIVE = "ACTIVE"
ROLE_NAME = "OrganizationAccountAccessRole"
ROLE_ARN = "arn:{partition}:iam::{account_id}:role/{role_name}"
LOG_ARCHIVE_NAMES = ("LogArchive", "Log Archive", "Log archive", "log-archive", "SecurityAudit")
"""Names that log archive accounts have where the user says nothing (aws-facts 7.5)."""

_OU_ID = re.compile(r"r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}")
_NOT_A_NAME = re.compile(
    r"|(.*_)?\d{12}|all|ungrouped|localhost|127\.0\.0\.1|management|log_archive|members|organizations_accounts"
    r"|(state|tag|unit|ou|r)_.*"
)
"""What a host must not be called: it is another account's name with its id, or means something else to Ansible, such as
a group."""

_PLACEHOLDER = re.compile(r"\{(\w*)\}")
_STATUS_WORDS = {"SUSPENDED": "SUSPENDED", "PENDING_CLOSURE": "PENDING_CLOSURE", "ACTIVE": ACTIVE}


class AccountError(ValueError):
    """What the user named is not there, or names several accounts; the text is the whole sentence."""


@dataclass(slots=True)
class Account:
    """One account. ``ou_path`` is like ``o-…/r-…/ou-…/``, the form of aws:PrincipalOrgPaths; "" when unknown.

    ``joined_at`` is ISO 8601 in UTC; ``ou_names`` are the names of the OUs in the path, from the root downwards.
    """

    id: str
    name: str
    state: str
    ou_path: str = ""
    joined_at: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    ou_names: list[str] = field(default_factory=list)


def account_of(answer: Structure) -> Account:
    """An account of ListAccounts' answer: State, and Status where an older answer has no State (aws-facts 7.2)."""
    joined = answer.get("JoinedTimestamp")
    paths = answer.get("Paths") or [""]
    return Account(
        id=answer["Id"],
        name=answer.get("Name") or "",
        state=answer.get("State") or _STATUS_WORDS.get(answer.get("Status", ""), ""),
        ou_path=parent_path(paths[0]),
        joined_at=joined if isinstance(joined, str) else joined.isoformat() if joined else "",
    )


def parent_path(path: str) -> str:
    """A path without its last part, the account: ``o-1/r-1/ou-1/111111111111/`` gives ``o-1/r-1/ou-1/``."""
    head = path.rstrip("/").rpartition("/")[0]
    return f"{head}/" if head else ""


def ou_ids(ou_path: str) -> list[str]:
    """The root and the OUs of a path, from the root downwards."""
    return [part for part in ou_path.split("/") if part.startswith(("r-", "ou-"))]


@dataclass(frozen=True)
class Filters:
    """Which members are wanted; empty means: all. An OU stands for everything below it."""

    ous: frozenset[str] = frozenset()
    states: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()

    def admit(self, account: Account) -> bool:
        """Whether a member passes every filter. OUs are named by id, or by name where names were read."""
        return (
            (not self.ids or account.id in self.ids)
            and (not self.states or account.state in self.states)
            and (not self.ous or not self.ous.isdisjoint(_ous_of(account)))
        )


def without_accounts(filters: Filters, accounts: Iterable[Account], *, ou_names: bool) -> list[str]:
    """The ids and OUs of filters that no account has. They are mistakes, or OUs that hold no account at present.

    Raises AccountError for the name of an OU when names are not read.
    """
    named = sorted(ou for ou in filters.ous if not _OU_ID.fullmatch(ou))
    if named and not ou_names:
        raise AccountError(f"ous holds {named[0]!r}, expected an id like ou-abcd-11111111. Set ou_names to use names.")
    known: set[str] = set()
    for account in accounts:
        known |= {account.id, *_ous_of(account)}
    return sorted((filters.ids | filters.ous) - known)


def _ous_of(account: Account) -> set[str]:
    """What the root and the organizational units of an account are called in a filter."""
    return {*ou_ids(account.ou_path), *_names_proper(_OU_ID.fullmatch, *account.ou_names)}


def _names_proper(is_id: Callable[[str], object], *names: str) -> set[str]:
    """The names that are no id: a thing that somebody named like another's id is not meant by that id."""
    return {name for name in names if not is_id(name)}


def find_log_archive(accounts: Iterable[Account], wanted: Sequence[str]) -> Account | None:
    """The active account with one of the wanted ids or names; without any, one of the usual names, if there is one.

    Raises AccountError when none or several match: a renamed account and its successor do (aws-facts 7.5).
    """
    names = frozenset(wanted or LOG_ARCHIVE_NAMES)
    named = [
        account for account in accounts if account.id in names or _names_proper(is_account_id, account.name) & names
    ]
    found = sorted((account for account in named if account.state in ("", ACTIVE)), key=lambda account: account.id)
    if len(found) == 1:
        return found[0]
    asked = ", ".join(wanted or LOG_ARCHIVE_NAMES)
    if found:
        raise AccountError(
            f"The log archive account is ambiguous: {asked} matches {_listed(found)}, expected one account. "
            "Set log_archive to the id of the right one."
        )
    if wanted:
        other = f" (but {_listed(named)} in another state)" if named else ""
        raise AccountError(
            f"No active account of the organization has the id or name {asked}{other}, expected the log archive "
            "account. Set log_archive to its id or name."
        )
    return None


def _listed(accounts: Iterable[Account]) -> str:
    return " and ".join(f"{account.id} ({account.name})" for account in accounts)


def role_arn(pattern: str, role_name: str, partition: str, account_id: str) -> str:
    """The ARN of the role in an account; the pattern's placeholders are partition, account_id and role_name.

    A pattern that would lead accounts into another one is refused: AccountError.
    """
    values = {"partition": partition, "account_id": account_id, "role_name": role_name}
    arn = _PLACEHOLDER.sub(lambda match: values.get(match[1], ""), pattern)
    unknown = [name for name in _PLACEHOLDER.findall(pattern) if name not in values]
    if unknown or "{account_id}" not in pattern or arn_account(arn) != account_id:
        raise AccountError(
            f"role_arn_pattern is {pattern!r}, expected an ARN with {{account_id}} for the account, and no placeholder "
            "but {partition}, {account_id} and {role_name}."
        )
    return arn


def host_names(accounts: Sequence[Account], by_name: bool) -> dict[str, str]:
    """A name for each account id, the same in every run and used only once.

    By name, what host patterns cannot hold becomes ``_``. Names that several accounts have, or that mean something
    else to Ansible, get the id at their end: whoever may rename an account must not take the place of another.
    """
    if not by_name:
        return {account.id: account.id for account in accounts}
    plain = {account.id: re.sub(r"[^A-Za-z0-9._-]+", "_", account.name).strip("_.-") for account in accounts}
    seen = Counter(name.lower() for name in plain.values())
    return {
        account: f"{name}_{account}".strip("_") if seen[name.lower()] > 1 or _NOT_A_NAME.fullmatch(name) else name
        for account, name in plain.items()
    }
