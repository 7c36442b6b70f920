# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that hold no coverage are refused in a sentence, before anything is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.cloudsec.org_trail.plugins.action.coverage_report import (
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
