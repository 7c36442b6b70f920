# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All accounts with few calls, also where botocore or AWS say less."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization import reader
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.reader import Paces, read_organization

TREE: dict[str, Any] = {"r-1": {"ou-a": {"ou-b": {}}}}
NAMES = {"r-1": "Root", "ou-a": "Security", "ou-b": "Audit"}
PLACES = {"1" * 12: "r-1", "2" * 12: "ou-a", "3" * 12: "ou-b"}
PATHS = {"r-1": "o-1/r-1/", "ou-a": "o-1/r-1/ou-a/", "ou-b": "o-1/r-1/ou-a/ou-b/"}


def children(unit: str, tree: dict[str, Any] | None = None) -> list[str]:
    for name, below in (TREE if tree is None else tree).items():
        found = list(below) if name == unit else children(unit, below)
        if found:
            return found
    return []


class Organizations:
    """Three accounts, two to a page, an empty page before the last; ``paths``: whether AWS tells Account.Paths."""

    def __init__(self, paths: bool) -> None:
        self.paths = paths
        self.calls: list[str] = []

    def account(self, id_: str) -> dict[str, Any]:
        told = {"Id": id_, "Name": f"n{id_[0]}", "State": "ACTIVE"}
        return told | ({"Paths": [f"{PATHS[PLACES[id_]]}{id_}/"]} if self.paths else {})

    def describe_organization(self) -> Any:
        return {"Organization": {"Id": "o-1", "FeatureSet": "ALL", "MasterAccountId": "1" * 12}}

    def list_accounts(self, NextToken: str = "") -> Any:
        self.calls.append("list_accounts")
        pages: dict[str, tuple[list[str], str]] = {
            "": (["3" * 12, "1" * 12], "a"),
            "a": ([], "b"),
            "b": (["2" * 12], ""),
        }
        ids, after = pages[NextToken]
        return {"Accounts": [self.account(id_) for id_ in ids], **({"NextToken": after} if after else {})}

    def list_roots(self) -> Any:
        self.calls.append("list_roots")
        return {"Roots": [{"Id": "r-1", "Name": NAMES["r-1"]}]}

    def list_organizational_units_for_parent(self, *, ParentId: str) -> Any:
        self.calls.append("list_organizational_units_for_parent")
        return {"OrganizationalUnits": [{"Id": unit, "Name": NAMES[unit]} for unit in children(ParentId)]}

    def list_accounts_for_parent(self, *, ParentId: str) -> Any:
        self.calls.append("list_accounts_for_parent")
        return {"Accounts": [{"Id": id_} for id_, place in PLACES.items() if place == ParentId]}

    def list_tags_for_resource(self, *, ResourceId: str) -> Any:
        self.calls.append("list_tags_for_resource")
        return {"Tags": [{"Key": "id", "Value": ResourceId}]}


def test_accounts_are_sorted_and_empty_pages_are_passed() -> None:
    client = Organizations(paths=True)
    found = read_organization(client, Paces(0))
    assert [account.id for account in found.accounts] == ["1" * 12, "2" * 12, "3" * 12]
    assert (found.organization.id, found.organization.management_account_id) == ("o-1", "1" * 12)
    assert client.calls == ["list_accounts"] * 3


@pytest.mark.parametrize("paths", [True, False])
def test_paths_are_the_same_whoever_tells_them(paths: bool) -> None:
    found = read_organization(Organizations(paths), Paces(0))
    assert {account.id: account.ou_path for account in found.accounts} == {
        id_: PATHS[unit] for id_, unit in PLACES.items()
    }


def test_names_and_tags_are_read_when_asked_for() -> None:
    client = Organizations(paths=True)
    found = read_organization(client, Paces(0), names=True, tags=True)
    assert [account.ou_names for account in found.accounts] == [
        ["Root"],
        ["Root", "Security"],
        ["Root", "Security", "Audit"],
    ]
    assert all(account.tags == {"id": account.id} for account in found.accounts)
    assert client.calls.count("list_tags_for_resource") == 3
    assert "list_accounts_for_parent" not in client.calls


def test_a_share_of_the_rate_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[float, float]] = []
    monkeypatch.setattr(reader, "Pace", lambda rate, burst: made.append((rate, burst)))
    Paces(0.5)
    assert made == [(4.0, 12), (2.5, 8), (2.5, 8), (5.0, 15)]
