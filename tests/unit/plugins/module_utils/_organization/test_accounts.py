# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which accounts are meant, and what they are called."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.accounts import (
    ROLE_ARN,
    Account,
    AccountError,
    Filters,
    account_of,
    find_log_archive,
    host_names,
    ou_ids,
    parent_path,
    role_arn,
    without_accounts,
)

ONE, TWO, THREE = "111111111111", "222222222222", "333333333333"
PATH = "o-1/r-1/ou-1-a/ou-1-b/"


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ({"State": "ACTIVE", "Status": "SUSPENDED"}, "ACTIVE"),
        ({"State": "CLOSED"}, "CLOSED"),
        ({"Status": "SUSPENDED"}, "SUSPENDED"),
        ({"Status": "PENDING_CLOSURE"}, "PENDING_CLOSURE"),
        ({"Status": "ACTIVE"}, "ACTIVE"),
        ({}, ""),
    ],
)
def test_account_of_reads_state_before_status(answer: dict[str, str], state: str) -> None:
    assert account_of({"Id": ONE, "Name": "a", **answer}).state == state


def test_account_of_reads_path_and_time() -> None:
    answer = {"Id": ONE, "Paths": [f"{PATH}{ONE}/"], "JoinedTimestamp": datetime(2024, 1, 2, tzinfo=UTC)}
    account = account_of(answer)
    assert (account.ou_path, account.joined_at, account.name) == (PATH, "2024-01-02T00:00:00+00:00", "")
    assert account_of({"Id": ONE}).ou_path == ""


@pytest.mark.parametrize(
    ("path", "parent"), [("", ""), ("o-1/r-1/", "o-1/"), (f"{PATH}{ONE}/", PATH), (f"{PATH}{ONE}", PATH)]
)
def test_parent_path(path: str, parent: str) -> None:
    assert parent_path(path) == parent


def test_ou_ids() -> None:
    assert ou_ids(PATH) == ["r-1", "ou-1-a", "ou-1-b"]
    assert ou_ids("") == []


@pytest.mark.parametrize(
    ("filters", "admitted"),
    [
        ({}, True),
        ({"ids": {ONE}}, True),
        ({"ids": {TWO}}, False),
        ({"states": {"ACTIVE"}}, True),
        ({"states": {"SUSPENDED"}}, False),
        ({"ous": {"ou-1-b"}}, True),
        ({"ous": {"ou-1-a"}}, True),
        ({"ous": {"r-1"}}, True),
        ({"ous": {"Security"}}, True),
        ({"ous": {"ou-1"}}, False),
        ({"ous": {"o-1"}}, False),
        ({"ids": {ONE}, "states": {"SUSPENDED"}}, False),
    ],
)
def test_filters(filters: dict[str, Any], admitted: bool) -> None:
    account = Account(ONE, "a", "ACTIVE", PATH, ou_names=["Root", "Security"])
    assert Filters(**{name: frozenset(value) for name, value in filters.items()}).admit(account) is admitted


def test_an_ou_that_is_named_like_an_id_is_not_meant_by_it() -> None:
    other = "ou-abcd-22222222"
    account = Account(ONE, "a", "ACTIVE", "o-1/r-abcd/ou-abcd-11111111/", ou_names=["Root", other])
    filters = Filters(ous=frozenset({other}))
    assert not filters.admit(account)
    assert without_accounts(filters, [account], ou_names=True) == [other]


@pytest.mark.parametrize(
    ("filters", "missing"),
    [
        ({}, []),
        ({"ids": {ONE}, "ous": {"ou-abcd-11111111", "Security"}}, []),
        ({"ids": {ONE, TWO}, "ous": {"ou-abcd-99999999", "Securty"}}, [TWO, "Securty", "ou-abcd-99999999"]),
    ],
)
def test_without_accounts(filters: dict[str, Any], missing: list[str]) -> None:
    accounts = [Account(ONE, "a", "ACTIVE", "o-1/r-abcd/ou-abcd-11111111/", ou_names=["Root", "Security"])]
    wanted = Filters(**{name: frozenset(value) for name, value in filters.items()})
    assert without_accounts(wanted, accounts, ou_names=True) == missing


def test_names_of_ous_need_their_option() -> None:
    with pytest.raises(AccountError, match=r"ous holds 'Security'.* Set ou_names"):
        without_accounts(Filters(ous=frozenset({"Security", "r-abcd"})), [], ou_names=False)


OLD, NEW = Account(ONE, "LogArchive", "ACTIVE"), Account(TWO, "SecurityAudit", "ACTIVE")
GONE = Account(THREE, "LogArchive", "SUSPENDED")


@pytest.mark.parametrize(
    ("accounts", "wanted", "found"),
    [
        ([NEW], [], NEW),
        ([OLD], [], OLD),
        ([OLD, GONE], [], OLD),
        ([GONE], [], None),
        ([], [], None),
        ([Account(ONE, "Data", "ACTIVE")], [], None),
        ([OLD, NEW], [ONE], OLD),
        ([OLD, NEW], ["SecurityAudit"], NEW),
        ([OLD], ["Log", "LogArchive"], OLD),
        ([Account(ONE, "x", "")], ["x"], Account(ONE, "x", "")),
        ([OLD, Account(TWO, ONE, "ACTIVE")], [ONE], OLD),
    ],
)
def test_find_log_archive(accounts: list[Account], wanted: list[str], found: Account | None) -> None:
    assert find_log_archive(accounts, wanted) == found


@pytest.mark.parametrize(
    ("accounts", "wanted", "words"),
    [
        ([OLD, NEW], [], ["ambiguous", f"{ONE} (LogArchive)", f"{TWO} (SecurityAudit)"]),
        ([NEW, OLD], ["SecurityAudit", "LogArchive"], [f"{ONE} (LogArchive) and {TWO} (SecurityAudit)"]),
        ([OLD], ["Nobody"], ["No active account", "Nobody"]),
        ([GONE], [THREE], ["No active account", f"{THREE} (LogArchive) in another state"]),
        ([GONE, Account(TWO, THREE, "ACTIVE")], [THREE], ["No active account", f"{THREE} (LogArchive) in another"]),
    ],
)
def test_find_log_archive_refuses(accounts: list[Account], wanted: list[str], words: list[str]) -> None:
    with pytest.raises(AccountError) as caught:
        find_log_archive(accounts, wanted)
    assert all(word in str(caught.value) for word in words)


def test_role_arn() -> None:
    assert role_arn(ROLE_ARN, "R", "aws-cn", ONE) == f"arn:aws-cn:iam::{ONE}:role/R"


@pytest.mark.parametrize(
    "pattern",
    [
        "arn:aws:iam::1:role/R",
        "arn:aws:iam::{account_id}:role/{name}",
        f"arn:aws:iam::{TWO}:role/{{account_id}}",
        "{account_id}",
    ],
)
def test_role_arn_refuses(pattern: str) -> None:
    with pytest.raises(AccountError, match="role_arn_pattern"):
        role_arn(pattern, "R", "aws", ONE)


def test_host_names() -> None:
    names = ["Log Archive", "log archive", "{{ 1 }}", "Prod", "!!!"]
    accounts = [Account(f"{number}" * 12, name, "ACTIVE") for number, name in enumerate(names, 1)]
    assert host_names(accounts, by_name=False) == {account.id: account.id for account in accounts}
    assert list(host_names(accounts, by_name=True).values()) == [
        f"Log_Archive_{ONE}",
        f"log_archive_{TWO}",
        "1",
        "Prod",
        "5" * 12,
    ]


@pytest.mark.parametrize(
    "name",
    ["localhost", "127.0.0.1", "management", "log_archive", "members", "all", TWO, f"a_{TWO}", "tag_a__b", "unit_Prod"],
)
def test_no_account_takes_the_name_of_something_else(name: str) -> None:
    accounts = [Account(ONE, name, "ACTIVE"), Account(TWO, "a", "ACTIVE"), Account(THREE, "A", "ACTIVE")]
    assert host_names(accounts, by_name=True) == {ONE: f"{name}_{ONE}", TWO: f"a_{TWO}", THREE: f"A_{THREE}"}
