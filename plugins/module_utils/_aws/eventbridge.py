# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amazon EventBridge: one call per function, on the default bus of the client's region.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .errors import ErrorHandler
from .retry import retry_read
from .untyped import Client, Structure


class AnsibleEventBridgeError(AnsibleAWSError):
    """An error of Amazon EventBridge."""

    iam_prefix = "events"


class EventBridgeErrorHandler(ErrorHandler):
    _CUSTOM_EXCEPTION = AnsibleEventBridgeError

    @classmethod
    def _is_missing(cls) -> Any:
        return is_boto3_error_code("ResourceNotFoundException")


@EventBridgeErrorHandler.list_error_handler("describe the rule")
@retry_read
def describe_rule(client: Client, name: str) -> Structure | None:
    """The rule's Name, Arn, State, EventPattern and Description; None when there is none of that name."""
    rule: Structure = client.describe_rule(Name=name)
    return rule


@EventBridgeErrorHandler.list_error_handler("list the targets of the rule", [])
@retry_read
def list_targets(client: Client, rule: str) -> list[Structure]:
    """The rule's targets, Id and Arn each, at most five (aws-facts 12.4); none for a rule that there is not."""
    targets: list[Structure] = client.list_targets_by_rule(Rule=rule)["Targets"]
    return targets
