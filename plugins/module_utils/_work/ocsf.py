# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compliance findings of the Open Cybersecurity Schema Framework (OCSF 1.3, class 2003) for security tools.

https://schema.ocsf.io/1.3.0/classes/compliance_finding
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .options import Result
from .times import time_of

UNKNOWN, PASS, WARNING, FAIL, OTHER = 0, 1, 2, 3, 99
"""OCSF's compliance status. What nobody could look at is unknown, and never a pass."""

NAMES = {UNKNOWN: "Unknown", PASS: "Pass", WARNING: "Warning", FAIL: "Fail", OTHER: "Not applicable"}
INFORMATIONAL = (1, "Informational")
SEVERITIES = {
    UNKNOWN: (3, "Medium"),
    PASS: INFORMATIONAL,
    WARNING: (2, "Low"),
    FAIL: (4, "High"),
    OTHER: INFORMATIONAL,
}


@dataclass(frozen=True)
class Finding:
    """One thing that was to be looked at.

    identity: what it is about; the finding has the same id in each run as long as this stays. status: OCSF's;
    code: our own word for it. time: when it was looked at, ISO 8601. cloud: OCSF's object of that name.
    """

    identity: tuple[str, ...]
    title: str
    description: str
    standard: str
    status: int
    code: str
    remedy: str
    resource: Result
    time: str
    version: str
    cloud: Result


def write_findings(findings: Iterable[Finding]) -> Iterator[str]:
    """The lines of a JSON array with one finding a line."""
    yield "["
    separator = "\n"
    for finding in findings:
        yield separator + json.dumps(_object(finding), ensure_ascii=False, separators=(",", ":"))
        separator = ",\n"
    yield "\n]\n"


def _object(finding: Finding) -> Result:
    severity, severity_name = SEVERITIES[finding.status]
    time = int(time_of(finding.time).timestamp()) * 1000 if finding.time else 0
    return {
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
            "product": {"name": "cloudsec.org_trail", "vendor_name": "cloudsec", "version": finding.version},
        },
        "finding_info": {
            "uid": hashlib.sha256(" ".join(finding.identity).encode()).hexdigest()[:32],
            "title": finding.title,
            "desc": finding.description,
            "created_time": time,
        },
        "compliance": {
            "control": finding.title,
            "standards": [f"cloudsec.org_trail {finding.standard}"],
            "status_id": finding.status,
            "status": NAMES[finding.status],
            "status_code": finding.code,
        },
        "remediation": {"desc": finding.remedy or "Nothing is to do."},
        "resources": [finding.resource],
        "cloud": {"provider": "AWS", **finding.cloud},
    }
