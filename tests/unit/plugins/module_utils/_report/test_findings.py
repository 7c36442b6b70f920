# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compliance findings for security tools."""

from __future__ import annotations

import json

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage.statuses import STATUSES
from ansible_collections.cloudsec.org_trail.plugins.module_utils._report.document import Document, new_document
from ansible_collections.cloudsec.org_trail.plugins.module_utils._report.findings import compliance_of, findings_json

ACCOUNT = "444455556666"
ARN = "arn:aws:cloudtrail:us-east-1:111122223333:trail/default"


def document(*statuses: str, checked_at: str = "2026-08-01T14:03:27Z") -> Document:
    regions = [f"region-{number}" for number in range(len(statuses))]
    found = {
        "accounts": [{"id": ACCOUNT, "name": "Shop", "ou_path": "o-1/r-1/"}],
        "regions": regions,
        "coverage": [
            {"account_id": ACCOUNT, "region": region, "status": status}
            for region, status in zip(regions, statuses, strict=True)
            if status != "unchecked"
        ],
    }
    return new_document(found, checked_at, trail={"arn": ARN}, version="1.2.0")


def test_every_account_and_region_has_a_finding_with_its_own_lasting_id() -> None:
    found = json.loads("".join(findings_json(document("covered", "missing", "unchecked"))))
    later = json.loads(
        "".join(findings_json(document("missing", "missing", "denied", checked_at="2026-09-01T00:00:00Z")))
    )
    ids = [one["finding_info"]["uid"] for one in found]
    assert len(set(ids)) == 3
    assert ids == [one["finding_info"]["uid"] for one in later]
    assert [one["compliance"]["status"] for one in found] == ["Pass", "Fail", "Unknown"]
    assert [one["severity"] for one in found] == ["Informational", "High", "Medium"]
    assert {one["type_uid"] for one in found} == {200301}
    assert found[0]["time"] == 1785593007_000
    assert found[0]["cloud"]["account"]["uid"] == ACCOUNT
    assert found[0]["cloud"]["org"]["uid"] == "o-1"
    assert found[0]["metadata"]["product"]["version"] == "1.2.0"


def test_none_is_an_empty_list() -> None:
    assert json.loads("".join(findings_json(new_document({}, "")))) == []


@pytest.mark.parametrize("status", STATUSES)
def test_only_what_is_covered_passes(status: str) -> None:
    assert (compliance_of(status) == 1) is (status == "covered")
