# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each account and region as a compliance finding for security tools."""

from __future__ import annotations

from collections.abc import Iterator

from .._coverage.statuses import NOT_KNOWN, QUIET, STATUSES
from .._work.ocsf import FAIL, OTHER, PASS, UNKNOWN, WARNING, Finding, write_findings
from .document import Document, cells, trail_arn
from .evidence import organization_of
from .verdict import remedy_of

TITLE = "The organization trail logs the account and region"


def findings_json(document: Document) -> Iterator[str]:
    """The lines of coverage.ocsf.json, in the order of account and region."""
    return write_findings(findings(document))


def findings(document: Document) -> Iterator[Finding]:
    """A finding for each account and region, covered or not; it has the same id in every run."""
    arn, organization = trail_arn(document), organization_of(document)
    reasons = {(row["account_id"], row["region"]): str(row.get("reason") or "") for row in document["coverage"]}
    accounts = {account["id"]: account for account in document["accounts"]}
    version = (document["versions"] or ["0.0.0"])[-1]
    for account, region, status in cells(document):
        owner = {"uid": account, "name": accounts[account]["name"], "type_id": 10, "type": "AWS Account"}
        yield Finding(
            identity=("coverage", arn, account, region),
            title=TITLE,
            description=reasons.get((account, region)) or STATUSES[status].title,
            standard="coverage",
            status=compliance_of(status),
            code=status,
            remedy=remedy_of(status, document),
            resource={"uid": arn, "type": "AwsCloudTrailTrail", "region": region},
            time=accounts[account]["checked_at"],
            version=version,
            cloud={
                "region": region,
                "account": owner,
                "org": {"uid": organization, "ou_name": accounts[account].get("ou_names", "")},
            },
        )


def compliance_of(status: str) -> int:
    """OCSF's compliance status of one of ours."""
    if status in NOT_KNOWN:
        return UNKNOWN
    if status not in QUIET:
        return FAIL
    return {"covered": PASS, "pending": WARNING}.get(status, OTHER)
