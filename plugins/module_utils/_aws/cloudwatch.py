# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amazon CloudWatch: one call per function. https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/"""

from __future__ import annotations

from datetime import datetime, timedelta

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .errors import ErrorHandler
from .retry import retry_read
from .untyped import Client, Structure

PERIOD = timedelta(minutes=15)
"""SQS's metrics come each minute; those of a queue that was idle for hours begin again within fifteen."""


class AnsibleCloudWatchError(AnsibleAWSError):
    """An error of Amazon CloudWatch."""

    iam_prefix = "cloudwatch"


class CloudWatchErrorHandler(ErrorHandler):
    _CUSTOM_EXCEPTION = AnsibleCloudWatchError


@CloudWatchErrorHandler.common_error_handler("get the age of a queue's oldest message")
@retry_read
def oldest_message_age(client: Client, queue: str, now: datetime) -> int | None:
    """Seconds that a queue's oldest message was in it, by the newest figure of the quarter of an hour; None for none.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    """
    points: list[Structure] = client.get_metric_statistics(
        Namespace="AWS/SQS",
        MetricName="ApproximateAgeOfOldestMessage",
        Dimensions=[{"Name": "QueueName", "Value": queue}],
        StartTime=now - PERIOD,
        EndTime=now,
        Period=60,
        Statistics=["Maximum"],
    )["Datapoints"]
    newest = max(points, key=lambda point: point["Timestamp"], default=None)
    return None if newest is None else int(newest["Maximum"])
