# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The exceptions as comma-separated values, for spreadsheets and tickets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from .document import Document
from .page import unit
from .verdict import Verdict

COLUMNS = (
    "account_id",
    "account_name",
    "organizational_unit",
    "region",
    "status",
    "fails",
    "reason",
    "what_to_do",
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""With these a spreadsheet takes a text for a formula. Names of accounts and texts of AWS are not ours."""


def exceptions_csv(document: Document, verdict: Verdict) -> Iterator[str]:
    """The lines of coverage.csv: a heading, then each account and region that is an exception, the worst first."""
    units = {account["id"]: unit(account) for account in document["accounts"]}
    reasons = {(row["account_id"], row["region"]): row.get("reason") or "" for row in document["coverage"]}
    yield _line(COLUMNS)
    for group in verdict.exceptions:
        for account in group["accounts"]:
            for region in account["regions"]:
                yield _line(
                    (
                        account["id"],
                        account["name"],
                        units[account["id"]],
                        region,
                        group["status"],
                        "yes" if group["fails"] else "no",
                        reasons.get((account["id"], region), ""),
                        group["remedy"],
                    )
                )


def _line(values: tuple[str, ...]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow([f"'{one}" if one.startswith(FORMULA) else one for one in values])
    return text.getvalue()
