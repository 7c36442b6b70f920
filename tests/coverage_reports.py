# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of coverage share: an organization that is covered, and reports without the times of looking."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.lab_process import Lab


def cover(lab: Lab) -> None:
    """Make the lab's trail an organization trail that writes to the log archive's bucket."""
    lab.client("organizations").enable_aws_service_access(ServicePrincipal="cloudtrail.amazonaws.com")
    lab.client("cloudtrail").update_trail(Name=lab.trail_arn, S3BucketName=lab.bucket, IsOrganizationTrail=True)


def list_accounts(lab: Lab) -> list[dict[str, Any]]:
    """The organization's accounts, by id."""
    pages = lab.client("organizations").get_paginator("list_accounts").paginate()
    return sorted((account for page in pages for account in page["Accounts"]), key=lambda account: account["Id"])


def report(folder: Path) -> dict[str, Any]:
    """coverage.json of a directory without what differs between two looks at the same: when they were."""
    found: dict[str, Any] = json.loads((folder / "coverage.json").read_text(encoding="utf-8"))
    for account in found["accounts"]:
        assert account.pop("checked_at")
    return found


def statuses(folder: Path) -> dict[tuple[str, str], str]:
    return {(row["account_id"], row["region"]): row["status"] for row in report(folder)["coverage"]}
