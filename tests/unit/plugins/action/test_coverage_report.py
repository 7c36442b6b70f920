# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that hold no coverage are refused in a sentence, before anything is written."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from ansible_collections.cloudsec.org_trail.plugins.action.coverage_report import (
    FOUND,
    TEMPLATES,
    ReportOptions,
    write_report,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._report.document import ReportError

OF_NO_TRAIL = {"checked_at": "2026-11-24T03:00:00Z", "trail_arn": "default"}


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ("no JSON", "checked_at"),
        ("[]", "checked_at"),
        ("{}", "checked_at"),
        (json.dumps(OF_NO_TRAIL), "trail_arn"),
    ],
)
def test_what_is_found_must_be_a_coverage(tmp_path: Path, content: str, field: str) -> None:
    path = tmp_path / "found.json"
    path.write_text(content, encoding="utf-8")
    options = ReportOptions(str(path), [], None, str(tmp_path / "report"), False, {}, {}, {}, [])
    with pytest.raises(ReportError, match=f"Expected a file with the field {field}"):
        write_report(options, TEMPLATES)
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize(
    ("name", "is_ours"),
    [
        (".found-123.json", True),
        ("..found-123.json-abc_1234", True),
        (".found-123.json-abc_1234", True),
        (".found-mine.json", False),
        ("found-123.json", False),
        ("coverage.json", False),
    ],
)
def test_which_left_overs_are_the_roles(name: str, is_ours: bool) -> None:
    assert bool(FOUND.fullmatch(name)) is is_ours


def test_the_report_clears_away_what_was_found_and_old_left_overs(tmp_path: Path) -> None:
    account, region = "111111111111", "us-east-1"
    row = {"account_id": account, "region": region, "status": "covered", "reason": ""}
    found = {"checked_at": "2026-11-24T03:00:00Z", "accounts": [{"id": account}], "regions": [region]}
    for name in (".found-1.json", ".found-2.json", "..found-3.json-abc_1234"):
        (tmp_path / name).write_text(json.dumps({**found, "coverage": [row]}), encoding="utf-8")
        os.utime(tmp_path / name, (0, 0))
    options = ReportOptions(str(tmp_path / ".found-1.json"), [], None, str(tmp_path), False, {}, {}, {}, [])
    write_report(options, TEMPLATES)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["coverage.csv", "coverage.html", "coverage.json"]
