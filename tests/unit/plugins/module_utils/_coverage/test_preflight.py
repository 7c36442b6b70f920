# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which member is entered before the first write, and what is made of its answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import (
    AnsibleOrgTrailError,
    AnsibleSTSError,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage import preflight
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage.options import coverage_options
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.accounts import Account

from tests.unit.plugins.module_utils._coverage.test_options import PARAMS

ME, ONE, TWO = "111122223333", "2" * 12, "3" * 12
ARCHIVE = f"arn:aws:iam::{TWO}:role/Reader"


class Session:
    """The account that asks, and what lets itself be entered."""

    account_id, partition = ME, "aws"

    def __init__(self, *open_to: str) -> None:
        self.open_to = open_to
        self.tried: list[tuple[str, str | None, str]] = []

    def client(self, service: str) -> str:
        return service

    def assume(self, role_arn: str, external_id: str | None, account_id: str = "") -> None:
        self.tried.append((role_arn, external_id, account_id))
        if role_arn.split(":")[4] not in self.open_to:
            raise AnsibleSTSError(message=f"no way into {role_arn}")


def enter(session: Any, accounts: list[dict[str, Any]] | None, **changed: Any) -> str:
    return preflight.enter_member(session, coverage_options({**PARAMS, "accounts": accounts, **changed}))


def listed(monkeypatch: pytest.MonkeyPatch, accounts: Iterable[Account]) -> list[str]:
    """Let the organization have these accounts; those that were read stand in the list that is answered."""
    read: list[str] = []

    def read_accounts(_client: Any, _paces: Any) -> Iterable[Account]:
        for account in accounts:
            read.append(account.id)
            yield account

    monkeypatch.setattr(preflight, "read_accounts", read_accounts)
    return read


def role(account: str, name: str = "R") -> str:
    return f"arn:aws:iam::{account}:role/{name}"


def test_the_first_active_member_is_entered_and_no_further_one_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    accounts = [Account(ME, "", "ACTIVE"), Account("4" * 12, "", "SUSPENDED"), Account(ONE, "", "ACTIVE")]
    read = listed(monkeypatch, [*accounts, Account(TWO, "", "ACTIVE")])
    session = Session(ONE, TWO)
    assert enter(session, None, role_external_id="x") == ONE
    assert session.tried == [(role(ONE), "x", ONE)]
    assert TWO not in read


def test_management_is_no_member_for_an_auditor_either(monkeypatch: pytest.MonkeyPatch) -> None:
    listed(monkeypatch, [Account(ME, "", "ACTIVE"), Account(ONE, "", "ACTIVE")])
    session = Session(ME, ONE)
    session.account_id = TWO
    assert enter(session, None) == ONE


def test_one_member_without_the_role_stops_nobody() -> None:
    session = Session(TWO)
    assert enter(session, [{"id": ONE}, {"id": TWO, "assume_role_arn": role(TWO, "own")}]) == TWO
    assert [arn for arn, *_ in session.tried] == [role(ONE), role(TWO, "own")]


def test_a_role_that_leads_nowhere_is_refused_after_a_few() -> None:
    session = Session()
    with pytest.raises(AnsibleOrgTrailError, match=r"no member, of 5 that were tried.*no way into .*:role/R"):
        enter(session, [{"id": f"{number:012d}"} for number in range(1, 9)])
    assert len(session.tried) == preflight.TRIES


@pytest.mark.parametrize("accounts", [[], [{"id": ME}], [{"id": ONE, "state": "CLOSED"}]])
def test_without_a_member_none_is_entered(accounts: list[dict[str, Any]]) -> None:
    session = Session(ME)
    assert enter(session, accounts) == ""
    assert session.tried == []


@pytest.mark.parametrize(("log_delivery", "tried"), [("none", []), ("prefix", [(ARCHIVE, "y", "")])])
def test_the_log_archive_is_entered_where_it_will_be(log_delivery: str, tried: list[Any]) -> None:
    archive: dict[str, Any] = {
        "log_archive_role_arn": ARCHIVE,
        "log_archive_role_external_id": "y",
        "log_delivery": log_delivery,
    }
    session = Session(TWO)
    enter(session, [], **archive)
    assert session.tried == tried
    if tried:
        with pytest.raises(AnsibleSTSError):
            enter(Session(), [], **archive)


def test_a_pattern_that_leads_elsewhere_is_refused() -> None:
    with pytest.raises(AnsibleOrgTrailError, match="role_arn_pattern is"):
        enter(Session(ONE), [{"id": ONE}], role_arn_pattern="arn:aws:iam::1:role/R")
