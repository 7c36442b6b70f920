# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Of which organization a report is, who looked, when, with what, and at how much."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._report.document import Document, merge, new_document
from ansible_collections.cloudsec.org_trail.plugins.module_utils._report.evidence import describe_look, organization_of

BY = "arn:aws:sts::111122223333:assumed-role/OrgTrailManagement/org_trail"
WHOLE = {"accounts": "organization", "regions": "enabled"}


def document(account: str = "111122223333", by: str = BY, version: str = "1.2.0", **more: Any) -> Document:
    found = {
        "checked_by": by,
        "scope": WHOLE,
        "regions": ["us-east-1"],
        "accounts": [{"id": account, "ou_path": "o-fromaccount/r-1/"}],
    }
    return new_document(found, "2026-08-01T14:03:27Z", version=version, **more)


@pytest.mark.parametrize(
    ("more", "organization"),
    [
        ({"trail": {"organization_id": "o-fromtrail"}, "log_bucket": {"organization_id": "o-other"}}, "o-fromtrail"),
        ({"log_bucket": {"organization_id": "o-frombucket"}}, "o-frombucket"),
        ({}, "o-fromaccount"),
    ],
)
def test_organization(more: dict[str, Any], organization: str) -> None:
    assert organization_of(document(**more)) == organization


def test_the_look() -> None:
    assert describe_look(document()) == [
        ("Organization", "o-fromaccount"),
        ("By", BY),
        ("With", "cloudsec.org_trail 1.2.0"),
        ("From", "2026-08-01T14:03:27Z"),
        ("Until", "2026-08-01T14:03:27Z"),
        ("Accounts", "1, all of the organization"),
        ("Regions", "1, all that are enabled"),
    ]


def test_what_nobody_told_is_said_to_be_so() -> None:
    told = dict(describe_look(new_document({}, "")))
    assert told["Organization"] == told["By"] == told["With"] == told["From"] == "not told"
    assert told["Accounts"] == "0, perhaps not all"


def test_parts_tell_of_all_who_looked() -> None:
    one, two = document(), document("444455556666", by="arn:aws:iam::111122223333:user/admin", version="1.1.0")
    merged = merge([one, two, one])
    assert (merged["checked_by"], merged["versions"]) == (
        ["arn:aws:iam::111122223333:user/admin", BY],
        ["1.1.0", "1.2.0"],
    )
    del one["checked_by"], one["versions"]  # a part that an earlier version wrote
    assert merge([one])["checked_by"] == []
