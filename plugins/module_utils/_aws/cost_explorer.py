# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS Cost Explorer: one call per function. https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/"""

from __future__ import annotations

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .errors import ErrorHandler
from .retry import retry_read
from .untyped import Client, Structure


class AnsibleCostExplorerError(AnsibleAWSError):
    """An error of AWS Cost Explorer."""

    iam_prefix = "ce"


class CostExplorerErrorHandler(ErrorHandler):
    _CUSTOM_EXCEPTION = AnsibleCostExplorerError


@CostExplorerErrorHandler.common_error_handler("get cost and usage")
@retry_read
def get_cost_and_usage(client: Client, service: str, start: str, end: str, token: str = "") -> Structure:
    """A page of a service's usage and cost by account and usage type, in the months from one day to before another.

    token: NextPageToken of the page before. Each page is billed with 0.01 USD.
    """
    page = {"NextPageToken": token} if token else {}
    answer: Structure = client.get_cost_and_usage(
        TimePeriod={"Start": start, "End": end},
        Granularity="MONTHLY",
        Filter={"Dimensions": {"Key": "SERVICE", "Values": [service]}},
        GroupBy=[{"Type": "DIMENSION", "Key": key} for key in ("LINKED_ACCOUNT", "USAGE_TYPE")],
        Metrics=["UsageQuantity", "UnblendedCost"],
        **page,
    )
    return answer
