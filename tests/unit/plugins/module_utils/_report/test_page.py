# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage.statuses import STATUSES
from ansible_collections.cloudsec.org_trail.plugins.module_utils._report.document import merge, new_document
from ansible_collections.cloudsec.org_trail.plugins.module_utils._report.page import (
    base36,
    minute,
    page_facts,
    page_matrix,
    readable_time,
    script_json,
    unit,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._report.verdict import judge
from hypothesis import given
from hypothesis import strategies as st

ACCOUNTS = ["000000000001", "000000000002", "000000000003"]
REGIONS = ["eu-west-1", "us-east-1", "us-west-2"]

cell = st.fixed_dictionaries(
    {"status": st.sampled_from([name for name in STATUSES if name != "unchecked"])},
    optional={
        "reason": st.sampled_from(["", "stopped", "no role in {account}", "no answer in {region}"]),
        "latest_delivery_time": st.sampled_from(["2026-08-01T13:00:00Z", "2026-07-01T00:00:59Z"]),
    },
)
worlds = st.dictionaries(st.tuples(st.sampled_from(ACCOUNTS), st.sampled_from(REGIONS)), cell)


def decode(page: dict[str, Any]) -> dict[tuple[str, str], tuple[str, str, int]]:
    """What the page's script makes of the matrix: status, reason and minute of the last delivery (0: none)."""
    letters = {status["letter"]: status["name"] for status in page["statuses"]}
    found = {}
    for number in range(len(page["names"])):
        account = page["ids"][number * 12 : number * 12 + 12]
        for place, region in enumerate(page["regions"]):
            why, seen = (
                line.split(",")[place] if "," in line else line for line in (page["why"][number], page["seen"][number])
            )
            reason = page["reasons"][int(why, 36)] if why else ""
            found[account, region] = (
                letters[page["cells"][number * len(page["regions"]) + place]],
                reason.replace("{account}", account).replace("{region}", region),
                page["until"] - int(seen, 36) if seen else 0,
            )
    return found


@given(worlds)
def test_page_matrix_can_be_read_back(cells: dict[tuple[str, str], dict[str, str]]) -> None:
    rows: list[dict[str, Any]] = []
    for (account, region), found in cells.items():
        reason = found.get("reason", "").replace("{account}", account).replace("{region}", region)
        rows.append({**found, "account_id": account, "region": region, "reason": reason})
    accounts = [{"id": account, "name": account} for account in ACCOUNTS]
    document = new_document({"accounts": accounts, "regions": REGIONS, "coverage": rows}, "2026-08-01T14:00:00Z")
    decoded = decode(json.loads(script_json(page_matrix(document, judge(document)))))
    expected = {(account, region): ("unchecked", "", 0) for account in ACCOUNTS for region in REGIONS}
    for row in rows:
        reason = row["reason"] if row["status"] != "covered" else ""
        expected[row["account_id"], row["region"]] = (
            row["status"],
            reason,
            minute(row.get("latest_delivery_time", "")),
        )
    assert decoded == expected


def test_page_matrix_of_an_even_account_is_short() -> None:
    rows = [
        {"account_id": ACCOUNTS[0], "region": region, "status": "denied", "reason": "no role"} for region in REGIONS
    ]
    document = new_document({"accounts": [{"id": ACCOUNTS[0]}], "coverage": rows}, "")
    page = page_matrix(document, judge(document))
    assert (page["cells"], page["why"], page["seen"]) == ("DDD", ["0"], [""])


@pytest.mark.parametrize(
    "name", ["</script>", "<!--", "<SCRIPT>", "]]>", "a & b", "\u2028\u2029", "'\"\\", "\ud83d\udef0 חשבון"]
)
def test_script_json_cannot_end_its_element(name: str) -> None:
    text = script_json({"names": [name]})
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == {"names": [name]}


@given(st.integers(min_value=0, max_value=10**12))
def test_base36_and_back(number: int) -> None:
    assert int(base36(number), 36) == number


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("", 0),
        ("1970-01-01T00:02:59Z", 2),
        ("1970-01-01T00:02:00+00:00", 2),
        ("1970-01-01T02:02:00+02:00", 2),
        ("1970-01-01T00:02:00", 2),
    ],
)
def test_minute(time: str, expected: int) -> None:
    assert minute(time) == expected


def test_readable_time() -> None:
    assert readable_time("2026-08-01T14:03:27Z") == "2026-08-01 14:03 UTC"
    assert readable_time("") == ""


@pytest.mark.parametrize(
    ("account", "expected"),
    [
        ({"ou_path": ""}, ""),
        ({"ou_path": "o-1/r-1/ou-1-1/"}, "r-1/ou-1-1"),
        ({"ou_path": "o-1/r-1/ou-1-1/", "ou_names": "Security"}, "Security"),
    ],
)
def test_unit(account: dict[str, str], expected: str) -> None:
    assert unit(account) == expected


@pytest.mark.parametrize(
    ("minutes", "checked"),
    [
        ([3], "2026-08-01 14:03 UTC"),
        ([3, 3], "2026-08-01 14:03 UTC"),
        ([3, 5], "2026-08-01 14:03 UTC to 2026-08-01 14:05 UTC"),
    ],
)
def test_page_says_when_it_was_looked(minutes: list[int], checked: str) -> None:
    looks = [
        new_document({"accounts": [{"id": account}], "coverage": []}, f"2026-08-01T14:0{time}:00Z")
        for account, time in zip(ACCOUNTS, minutes, strict=False)
    ]
    document = merge(looks)
    assert page_facts(document, judge(document))["checked"] == checked


def test_page_matrix_of_one_region() -> None:
    rows = [{"account_id": ACCOUNTS[0], "region": REGIONS[0], "status": "denied", "reason": "no role"}]
    document = new_document({"accounts": [{"id": ACCOUNTS[0]}], "coverage": rows}, "")
    assert page_matrix(document, judge(document))["why"] == ["0"]
