# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS IAM: one call per function. https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html"""

from __future__ import annotations

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .errors import ErrorHandler
from .retry import retry_read
from .untyped import Client, Structure


class AnsibleIAMError(AnsibleAWSError):
    """An error of AWS IAM."""

    iam_prefix = "iam"


class IAMErrorHandler(ErrorHandler):
    _CUSTOM_EXCEPTION = AnsibleIAMError

    @classmethod
    def _is_missing(cls) -> Any:
        return is_boto3_error_code("NoSuchEntity")


@IAMErrorHandler.list_error_handler("get a role")
@retry_read
def get_role(client: Client, name: str) -> Structure | None:
    """The role; None when there is none of that name."""
    role: Structure = client.get_role(RoleName=name)["Role"]
    return role


@IAMErrorHandler.list_error_handler("list the inline policies of a role", [])
@retry_read
def list_role_policies(client: Client, role: str) -> list[str]:
    """Names of the role's inline policies; an empty list when there is no such role."""
    names: list[str] = (
        client.get_paginator("list_role_policies").paginate(RoleName=role).build_full_result()["PolicyNames"]
    )
    return names


@IAMErrorHandler.common_error_handler("get an inline policy of a role")
@retry_read
def get_role_policy(client: Client, role: str, name: str) -> Structure:
    """The document of an inline policy."""
    document: Structure = client.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    return document


@IAMErrorHandler.list_error_handler("list the managed policies of a role", [])
@retry_read
def list_attached_role_policies(client: Client, role: str) -> list[str]:
    """ARNs of the role's managed policies; an empty list when there is no such role."""
    pages = client.get_paginator("list_attached_role_policies").paginate(RoleName=role)
    return [policy["PolicyArn"] for policy in pages.build_full_result()["AttachedPolicies"]]


@IAMErrorHandler.common_error_handler("get a managed policy")
@retry_read
def get_policy_version_id(client: Client, arn: str) -> str:
    """Id of the managed policy's version in force."""
    version: str = client.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return version


@IAMErrorHandler.common_error_handler("get a version of a managed policy")
@retry_read
def get_policy_version(client: Client, arn: str, version: str) -> Structure:
    """The document of a managed policy's version."""
    document: Structure = client.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    return document
