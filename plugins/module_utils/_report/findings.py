# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each account and region as a compliance finding of the Open Cybersecurity Schema Framework (OCSF 1.3, class 2003).

https://schema.ocsf.io/1.3.0/classes/compliance_finding
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from .._coverage.statuses import NOT_KNOWN, QUIET, STATUSES
from .document import Document, cells, trail_arn
from .evidence import organization_of
from .page import minute
from .verdict import remedy_of

TITLE = "The organization trail logs the account and region"
UNKNOWN, PASS, WARNING, FAIL, OTHER = 0, 1, 2, 3, 99
NAMES = {UNKNOWN: "Unknown", PASS: "Pass", WARNING: "Warning", FAIL: "Fail", OTHER: "Not applicable"}
SEVERITIES = {UNKNOWN: (3, "Medium"), PASS: (1, "Informational"), WARNING: (2, "Low"), FAIL: (4, "High")}
INFORMATIONAL = (1, "Informational")


def findings_json(document: Document) -> Iterator[str]:
    """The lines of coverage.ocsf.json, a JSON array with one finding a line, in the order of account and region."""
    yield "["
    separator = "\n"
    for finding in findings(document):
        yield separator + json.dumps(finding, ensure_ascii=False, separators=(",", ":"))
        separator = ",\n"
    yield "\n]\n"


def findings(document: Document) -> Iterator[dict[str, Any]]:
    """A finding for each account and region, covered or not; its uid is the same in every run."""
    arn, organization = trail_arn(document), organization_of(document)
    rows = {(row["account_id"], row["region"]): row for row in document["coverage"]}
    accounts = {account["id"]: account for account in document["accounts"]}
    version = (document["versions"] or ["0.0.0"])[-1]
    for account, region, status in cells(document):
        result = compliance_of(status)
        severity, severity_name = SEVERITIES.get(result, INFORMATIONAL)
        time = minute(accounts[account]["checked_at"]) * 60_000
        yield {
            "activity_id": 1,
            "category_uid": 2,
            "class_uid": 2003,
            "type_uid": 200301,
            "time": time,
            "severity_id": severity,
            "severity": severity_name,
            "status_id": 1,
            "metadata": {
                "version": "1.3.0",
                "product": {"name": "cloudsec.org_trail", "vendor_name": "cloudsec", "version": version},
            },
            "finding_info": {
                "uid": uid_of(arn, account, region),
                "title": TITLE,
                "desc": str(rows.get((account, region), {}).get("reason") or STATUSES[status].title),
                "created_time": time,
            },
            "compliance": {
                "control": TITLE,
                "standards": ["cloudsec.org_trail coverage"],
                "status_id": result,
                "status": NAMES[result],
                "status_code": status,
            },
            "remediation": {"desc": remedy_of(status, document) or "Nothing is to do."},
            "resources": [{"uid": arn, "type": "AwsCloudTrailTrail", "region": region}],
            "cloud": {
                "provider": "AWS",
                "region": region,
                "account": {"uid": account, "name": accounts[account]["name"], "type_id": 10, "type": "AWS Account"},
                "org": {"uid": organization, "ou_name": accounts[account].get("ou_names", "")},
            },
        }


def compliance_of(status: str) -> int:
    """OCSF's compliance status of one of ours. What nobody could look at is unknown, and never a pass."""
    if status in NOT_KNOWN:
        return UNKNOWN
    if status not in QUIET:
        return FAIL
    return {"covered": PASS, "pending": WARNING}.get(status, OTHER)


def uid_of(arn: str, account: str, region: str) -> str:
    """The finding's own id, which a security tool knows it by from run to run."""
    return hashlib.sha256(f"coverage {arn} {account} {region}".encode()).hexdigest()[:32]
