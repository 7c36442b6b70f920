# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The exceptions as comma-separated values."""

from __future__ import annotations

import csv
from typing import Any

from ansible_collections.cloudsec.org_trail.plugins.module_utils._report.document import new_document
from ansible_collections.cloudsec.org_trail.plugins.module_utils._report.table import COLUMNS, exceptions_csv
from ansible_collections.cloudsec.org_trail.plugins.module_utils._report.verdict import judge

ACCOUNT = "444455556666"


def rows(name: str, *coverage: dict[str, Any]) -> list[dict[str, str]]:
    found = {
        "accounts": [{"id": ACCOUNT, "name": name, "ou_path": "o-1/r-1/"}],
        "regions": ["us-east-1", "us-east-2"],
        "coverage": [{"account_id": ACCOUNT, **one} for one in coverage],
    }
    document = new_document(found, "2026-08-01T14:03:27Z")
    return list(csv.DictReader("".join(exceptions_csv(document, judge(document))).splitlines()))


def test_each_exception_has_a_line_and_what_is_covered_has_none() -> None:
    covered, missing = {"region": "us-east-1", "status": "covered"}, {"region": "us-east-2", "status": "missing"}
    [row] = rows('Shop, "new"', covered, missing | {"reason": "No trail."})
    assert tuple(row) == COLUMNS
    assert (row["account_id"], row["account_name"], row["organizational_unit"]) == (ACCOUNT, 'Shop, "new"', "r-1")
    assert (row["region"], row["status"], row["fails"], row["reason"]) == ("us-east-2", "missing", "yes", "No trail.")
    assert row["what_to_do"].startswith("Check in the management account")


def test_what_has_no_row_is_an_exception() -> None:
    assert [row["status"] for row in rows("Shop")] == ["unchecked"] * 2


def test_a_name_is_no_formula() -> None:
    assert rows("=HYPERLINK(1)")[0]["account_name"] == "'=HYPERLINK(1)"
