# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amazon SQS: one call per function. The client is one of the queue's region.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .errors import ErrorHandler
from .retry import retry_read
from .untyped import Client


class AnsibleSQSError(AnsibleAWSError):
    """An error of Amazon SQS."""

    iam_prefix = "sqs"


class SQSErrorHandler(ErrorHandler):
    _CUSTOM_EXCEPTION = AnsibleSQSError

    @classmethod
    def _is_missing(cls) -> Any:
        return is_boto3_error_code(["AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"])


@SQSErrorHandler.list_error_handler("get the address of the queue", "")
@retry_read
def get_queue_url(client: Client, name: str) -> str:
    """The address of the account's own queue of that name; "" when there is none."""
    url: str = client.get_queue_url(QueueName=name)["QueueUrl"]
    return url


@SQSErrorHandler.common_error_handler("get the attributes of the queue")
@retry_read
def get_queue_attributes(client: Client, url: str) -> dict[str, str]:
    """All attributes of a queue; numbers and policies are texts, and what is not set is missing."""
    attributes: dict[str, str] = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return attributes


@SQSErrorHandler.common_error_handler("list the tags of the queue")
@retry_read
def list_queue_tags(client: Client, url: str) -> dict[str, str]:
    """The tags of a queue."""
    tags: dict[str, str] = client.list_queue_tags(QueueUrl=url).get("Tags", {})
    return tags
