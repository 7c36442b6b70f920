# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trails of members and of the organization, as values, for unit tests."""

from __future__ import annotations

from typing import Any

from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import parse_trail_arn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.trail import Trail

MEMBER, MANAGEMENT = "222222222222", "111111111111"
DEFAULT = {"ReadWriteType": "All", "IncludeManagementEvents": True}


def basic(**changes: Any) -> dict[str, Any]:
    """An answer of GetEventSelectors with one basic selector."""
    return {"EventSelectors": [{**DEFAULT, **changes}]}


def advanced(*selectors: dict[str, Any]) -> dict[str, Any]:
    """An answer with advanced selectors, each given as ``field={operator: values}``."""
    return {
        "AdvancedEventSelectors": [
            {
                "FieldSelectors": [
                    {"Field": name, **(asked if isinstance(asked, dict) else {"Equals": [asked]})}
                    for name, asked in selector.items()
                ]
            }
            for selector in selectors
        ]
    }


def management(**more: Any) -> dict[str, Any]:
    return {"eventCategory": "Management", **more}


def data(type_: str = "AWS::S3::Object", **more: Any) -> dict[str, Any]:
    return {"eventCategory": "Data", "resources.type": type_, **more}


def trail_of(
    account: str,
    selectors: dict[str, Any] | None = None,
    *,
    name: str = "default",
    region: str = "us-east-1",
    insights: Any = (),
    aggregations: Any = (),
    logging: bool = True,
    tags: dict[str, str] | None = None,
    **settings: Any,
) -> Trail:
    """A trail that logs all management events of all regions; settings: members of GetTrail's answer."""
    arn = f"arn:aws:cloudtrail:{region}:{account}:trail/{name}"
    answer = {
        "Name": name,
        "TrailARN": arn,
        "HomeRegion": region,
        "S3BucketName": f"logs-{account}",
        "IsMultiRegionTrail": True,
        "IncludeGlobalServiceEvents": True,
        "LogFileValidationEnabled": False,
        "IsOrganizationTrail": account == MANAGEMENT,
        **settings,
    }
    return Trail(
        parse_trail_arn(arn),
        answer,
        basic() if selectors is None else selectors,
        list(insights),
        list(aggregations),
        logging,
        tags or {},
    )


def member(selectors: dict[str, Any] | None = None, **more: Any) -> Trail:
    return trail_of(MEMBER, selectors, **more)


def organization(selectors: dict[str, Any] | None = None, **more: Any) -> Trail:
    return trail_of(MANAGEMENT, selectors, **more)
