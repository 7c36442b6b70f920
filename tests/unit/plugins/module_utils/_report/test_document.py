# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._report.document import (
    ReportError,
    cells,
    checked_between,
    merge,
    new_document,
    part_name,
    template,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._report.verdict import judge
from hypothesis import given
from hypothesis import strategies as st

ARN = "arn:aws:cloudtrail:us-east-1:999988887777:trail/default"
ACCOUNTS = [f"{number:012}" for number in range(1, 5)]
REGIONS = ["eu-west-1", "us-east-1"]
STATUSES = ["covered", "missing", "pending", "denied"]

statuses = st.lists(st.sampled_from(STATUSES), min_size=len(REGIONS), max_size=len(REGIONS))
looks = st.tuples(st.dictionaries(st.sampled_from(ACCOUNTS), statuses), st.integers(0, 3))
"""One look at some of the accounts, at a minute of its own or at the same as another look."""


def document(found: dict[str, list[str]], minute: int = 0, trail: dict[str, Any] | None = None) -> dict[str, Any]:
    rows = [
        {"account_id": account, "region": region, "status": status, "reason": f"seen at {minute}"}
        for account, line in found.items()
        for region, status in zip(REGIONS, line, strict=True)
    ]
    accounts = [{"id": account, "name": f"name {account}"} for account in found]
    return new_document(
        {"accounts": accounts, "regions": REGIONS, "coverage": rows}, f"2026-08-01T14:0{minute}:00Z", trail=trail
    )


def text(value: Any) -> str:
    return json.dumps(value)  # without sort_keys: the order of everything counts


@given(st.lists(looks, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_merge_in_any_order_gives_the_same_bytes(parts: list[Any], dice: random.Random) -> None:
    documents = [document(*part) for part in parts]
    shuffled = dice.sample(documents, len(documents))
    half = len(documents) // 2
    assert text(merge(shuffled)) == text(merge(documents))
    assert text(merge([merge(shuffled[:half]), merge(shuffled[half:])])) == text(merge(documents))
    assert text(merge([*documents, *shuffled])) == text(merge(documents))


def test_merge_of_slices_is_the_look_at_all() -> None:
    found = {account: ["covered", "missing"] for account in ACCOUNTS}
    slices = [{account: found[account]} for account in ACCOUNTS]
    assert text(merge(map(document, slices))) == text(document(found))


def test_merge_takes_an_account_from_its_newest_look() -> None:
    old = document({ACCOUNTS[0]: ["missing", "missing"], ACCOUNTS[1]: ["missing", "missing"]}, 1)
    new = document({ACCOUNTS[0]: ["covered", "covered"]}, 2)
    assert [place[2] for place in cells(merge([new, old]))] == ["covered", "covered", "missing", "missing"]
    assert checked_between(merge([new, old])) == ("2026-08-01T14:01:00Z", "2026-08-01T14:02:00Z")


def test_merge_refuses_two_trails() -> None:
    other = ARN.replace("default", "other")
    parts = [document({ACCOUNTS[0]: STATUSES[:2]}, trail={"arn": arn}) for arn in (ARN, other)]
    with pytest.raises(ReportError, match=r"different trails.*trail/default and .*trail/other"):
        merge(parts)
    assert merge([parts[0], document({})])["trail"] == {"arn": ARN}


def test_new_document_refuses_an_unknown_status() -> None:
    with pytest.raises(ReportError, match="status shiny; expected one of missing"):
        document({ACCOUNTS[0]: ["shiny", "covered"]})


def test_a_part_of_an_older_version_does_not_tell_what_it_left_out() -> None:
    told = {"accounts": "organization", "regions": "enabled", "enabled_regions": REGIONS}
    events = {"logged": "all management events", "all": True}
    new = {**document({ACCOUNTS[0]: ["covered", "covered"]}), "scope": told, "management_events": events}
    old = document({ACCOUNTS[1]: ["covered", "covered"]})
    del old["scope"], old["management_events"]
    assert merge([new])["scope"] == told
    merged = merge([new, old])
    assert (merged["scope"].get("regions"), merged["management_events"]) == (None, {})
    assert judge(merged).sentence.endswith(
        "Whether these are all regions is not known. Which events the trail logs is not known."
    )


def test_an_account_that_did_not_tell_its_regions_is_remembered() -> None:
    found = {"accounts": [{"id": ACCOUNTS[0], "regions_error": "No."}, {"id": ACCOUNTS[1]}]}
    merged = merge([new_document(found, "")])
    assert [account.get("regions_error") for account in merged["accounts"]] == ["No.", None]


def test_cells_without_a_row_are_unchecked() -> None:
    found = {
        "accounts": [{"id": ACCOUNTS[0]}],
        "regions": REGIONS,
        "coverage": [{"account_id": ACCOUNTS[0], "region": "us-east-1", "status": "covered"}],
    }
    assert list(cells(new_document(found, ""))) == [
        (ACCOUNTS[0], "eu-west-1", "unchecked"),
        (ACCOUNTS[0], "us-east-1", "covered"),
    ]


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("", ""),
        (f"no {ARN}", f"no {ARN}"),
        (f"no {ARN} in us-east-1", f"no {ARN} in {{region}}"),
        ("role 000000000001/x", "role {account}/x"),
    ],
)
def test_template(reason: str, expected: str) -> None:
    assert template({"account_id": ACCOUNTS[0], "region": "us-east-1", "reason": reason}, ARN) == expected


def test_part_name_follows_the_accounts_alone() -> None:
    first = document({ACCOUNTS[0]: ["covered", "covered"]}, 0)
    again = document({ACCOUNTS[0]: ["missing", "covered"]}, 1)
    other = document({ACCOUNTS[1]: ["covered", "covered"]}, 0)
    assert part_name(first) == part_name(again)
    assert part_name(first) != part_name(other)


def test_a_row_holds_what_is_known_and_the_name_stands_with_the_account() -> None:
    row = {"account_id": ACCOUNTS[0], "account_name": "one", "region": "us-east-1", "status": "covered", "reason": ""}
    written = new_document({"accounts": [{"id": ACCOUNTS[0], "name": "one"}], "coverage": [row]}, "")
    assert written["coverage"] == [{"account_id": ACCOUNTS[0], "region": "us-east-1", "status": "covered"}]
