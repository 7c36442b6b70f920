# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cost Explorer as far as CloudTrail's costs are asked for (aws-facts 14.1): a bill does not come of what the lab does.

``POST /lab/usage`` says what was used of CloudTrail in each month: ``{account: {usage type: quantity}}``.
"""

from __future__ import annotations

from typing import Any

from lab.kernel.call import Call, LabError
from lab.kernel.service import answers
from lab.kernel.world import World

SERVICE = "AWS CloudTrail"
PAGE = 100
USD_PER_100000 = {"PaidEventsRecorded": 2, "DataEventsRecorded": 0.1}
"""Prices by the last part of a usage type; what is not named here is free."""


@answers("ce", "GetCostAndUsage")
def get_cost_and_usage(world: World, call: Call) -> dict[str, Any]:
    """By account and usage type, month by month. A member is told of itself alone."""
    asked = call.parameters
    period, kinds = asked["TimePeriod"], [one["Key"] for one in asked.get("GroupBy") or []]
    if (
        asked["Granularity"] != "MONTHLY"
        or kinds != ["LINKED_ACCOUNT", "USAGE_TYPE"]
        or period["Start"] >= period["End"]
    ):
        raise LabError("ValidationException", "The lab knows costs by month, LINKED_ACCOUNT and USAGE_TYPE only.")
    service = (asked.get("Filter") or {}).get("Dimensions") or {}
    if (service.get("Key"), service.get("Values")) != ("SERVICE", [SERVICE]):
        raise LabError("ValidationException", f"The lab knows costs of the service {SERVICE} only.")
    accounts = world.usage if call.account == world.management_account else {call.account}
    groups = [
        group(account, kind, quantity)
        for account in sorted(accounts)
        for kind, quantity in sorted(world.usage.get(account, {}).items())
    ]
    start = int(asked.get("NextPageToken") or 0)
    more = {"NextPageToken": str(start + PAGE)} if start + PAGE < len(groups) else {}
    result = {"TimePeriod": period, "Total": {}, "Groups": groups[start : start + PAGE], "Estimated": False}
    return {"ResultsByTime": [result], **more}


def group(account: str, kind: str, quantity: float) -> dict[str, Any]:
    cost = quantity * USD_PER_100000.get(kind.rpartition("-")[2], 0) / 100_000
    metrics = {
        "UsageQuantity": {"Amount": str(quantity), "Unit": "Events"},
        "UnblendedCost": {"Amount": str(cost), "Unit": "USD"},
    }
    return {"Keys": [account, kind], "Metrics": metrics}
