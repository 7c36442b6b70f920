# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS KMS: one call per function. https://docs.aws.amazon.com/kms/latest/APIReference/API_Operations.html"""

from __future__ import annotations

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .errors import ErrorHandler
from .retry import retry_read
from .untyped import Client, Structure


class AnsibleKMSError(AnsibleAWSError):
    """An error of AWS KMS."""

    iam_prefix = "kms"


class KMSErrorHandler(ErrorHandler):
    _CUSTOM_EXCEPTION = AnsibleKMSError


@KMSErrorHandler.common_error_handler("describe the KMS key")
@retry_read
def describe_key(client: Client, key: str) -> Structure:
    """The key behind an id, alias or ARN; also a key of another account whose policy allows it."""
    metadata: Structure = client.describe_key(KeyId=key)["KeyMetadata"]
    return metadata


@KMSErrorHandler.common_error_handler("get the policy of the KMS key")
@retry_read
def get_key_policy(client: Client, key: str) -> str:
    """The key's policy as JSON text; only for keys of the caller's account."""
    policy: str = client.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    return policy
