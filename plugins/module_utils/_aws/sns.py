# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amazon SNS: one call per function. https://docs.aws.amazon.com/sns/latest/api/API_Operations.html"""

from __future__ import annotations

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .errors import ErrorHandler
from .retry import retry_read
from .untyped import Client


class AnsibleSNSError(AnsibleAWSError):
    """An error of Amazon SNS."""

    iam_prefix = "sns"


class SNSErrorHandler(ErrorHandler):
    _CUSTOM_EXCEPTION = AnsibleSNSError

    @classmethod
    def _is_missing(cls) -> Any:
        return is_boto3_error_code(["NotFound", "NotFoundException"])


@SNSErrorHandler.list_error_handler("get the policy of the SNS topic", "")
@retry_read
def get_topic_policy(client: Client, arn: str) -> str:
    """The topic's policy as JSON text; "" when there is no such topic. The client is one of the topic's region."""
    policy: str = client.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"]
    return policy
