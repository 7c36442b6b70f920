# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with credentials, and what to do. botocore reads them when a client is made, or with its first call.

Where credentials come from: https://docs.aws.amazon.com/boto3/latest/guide/credentials.html
"""

from __future__ import annotations

import json
import re

UNREADABLE = (EOFError, FileNotFoundError, json.JSONDecodeError)
"""What reading credentials raises beside botocore's own exceptions."""

SSO = frozenset({"SSOError", "SSOTokenLoadError", "TokenRetrievalError", "UnauthorizedSSOTokenError"})

_ROLE_ARN = re.compile(r"arn:(aws[a-z-]*):iam::\d{12}:role/.+", re.ASCII)


def credentials_problem(error: BaseException) -> str:
    """What credentials lack and what to do, in sentences; "" for an exception that is about something else."""
    kind = type(error).__name__
    if kind == "NoCredentialsError":
        return (
            "Unable to locate credentials. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, in the "
            "environment that Ansible is started in."
        )
    if kind in SSO:
        return f"{str(error).rstrip('.')}. Log in with aws sso login (and --profile, for another than the default)."
    if kind in ("CredentialRetrievalError", "PartialCredentialsError", "MetadataRetrievalError"):
        return f"{str(error).rstrip('.')}. Try them by themselves with aws sts get-caller-identity."
    if isinstance(error, EOFError):
        return (
            "The profile asks for the code of an MFA device, which nobody can type here. Get temporary keys first, for "
            "example with aws configure export-credentials, and export them."
        )
    if isinstance(error, json.JSONDecodeError):
        return (
            "The profile's credential_process answered something that is no JSON, expected Version, AccessKeyId and "
            "SecretAccessKey. Run it by itself."
        )
    if isinstance(error, FileNotFoundError):
        return (
            f"The credentials need {error.filename}, which does not exist. Check AWS_WEB_IDENTITY_TOKEN_FILE, and "
            "web_identity_token_file and credential_process of the profile."
        )
    return ""


def role_arn_problem(role_arn: str, region: str, partition: str) -> str | None:
    """Why STS in a region of a partition cannot assume a role, in one sentence; None when its ARN may be right."""
    match = _ROLE_ARN.fullmatch(role_arn)
    if not match:
        return f"assume_role_arn is {role_arn!r}, expected the ARN of a role, like arn:aws:iam::111122223333:role/NAME."
    if match[1] != partition:
        return (
            f"assume_role_arn is {role_arn}, a role of partition {match[1]}, but the region is {region}, of partition "
            f"{partition}. Set region, or AWS_REGION, to a region of {match[1]}; us-east-1 is used where none is given."
        )
    return None
