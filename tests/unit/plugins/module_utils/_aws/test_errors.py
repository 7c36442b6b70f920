# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Table tests of the error sentences."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.answers import NOT_AWS, NoAnswerError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import (
    AnsibleOrgTrailError,
    AnsibleSTSError,
    STSErrorHandler,
    iam_action,
    outcome_unknown,
    parsed,
    sentence,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.organizations import AnsibleOrganizationsError
from botocore.exceptions import ClientError, ConnectionClosedError, NoCredentialsError, NoRegionError, ReadTimeoutError


class S3Error(AnsibleAWSError):
    iam_prefix = "s3"


def client_error(code: str, message: str, operation: str, status: int = 400) -> ClientError:
    metadata: Any = {"HTTPStatusCode": status}
    return ClientError({"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}, operation)


SENTENCES: list[tuple[str, AnsibleAWSError, str, list[str]]] = [
    ("ours", AnsibleOrgTrailError("Trail x is no good. Do y."), "", ["Trail x is no good. Do y."]),
    (
        "denied",
        AnsibleOrganizationsError(
            "Failed to enable trusted access",
            client_error(
                "AccessDeniedException", "User: arn:aws:iam::1:user/u is not authorized", "EnableAWSServiceAccess"
            ),
        ),
        "",
        [
            "Failed to enable trusted access: User: arn:aws:iam::1:user/u is not authorized",
            "organizations:EnableAWSServiceAccess",
        ],
    ),
    (
        "S3 names neither caller nor action, so we do",
        S3Error(
            "Failed to get bucket encryption", client_error("AccessDenied", "Access Denied", "GetBucketEncryption")
        ),
        "arn:aws:iam::1:user/u",
        ["arn:aws:iam::1:user/u needs the permission s3:GetEncryptionConfiguration"],
    ),
    (
        "role that cannot be assumed",
        AnsibleSTSError("Failed to assume role", client_error("AccessDenied", "no", "AssumeRole", 403)),
        "",
        ["trust policy"],
    ),
    (
        "no organization",
        AnsibleOrganizationsError(
            "Failed to describe",
            client_error("AWSOrganizationsNotInUseException", "Not in use.", "DescribeOrganization"),
        ),
        "",
        ["Not in use (AWSOrganizationsNotInUseException).", "belongs to no organization"],
    ),
    (
        "disabled region or bad key",
        AnsibleSTSError("Failed to get", client_error("UnrecognizedClientException", "Invalid token", "GetTrail", 403)),
        "",
        ["Check the credentials", "region is enabled"],
    ),
    ("a text with its full stop", AnsibleSTSError("Failed to get", NoRegionError()), "", ["specify a region."]),
    (
        "a member",
        AnsibleAWSError("Failed to stop", client_error("OperationNotPermittedException", "No", "StopLogging")),
        "",
        ["No (OperationNotPermittedException).", "Run with credentials of the management account"],
    ),
    (
        "no credentials",
        AnsibleSTSError("Failed to get caller", NoCredentialsError()),
        "",
        ["Unable to locate credentials.", "Set AWS_PROFILE"],
    ),
]


@pytest.mark.parametrize(
    ("error", "caller", "parts"), [row[1:] for row in SENTENCES], ids=[row[0] for row in SENTENCES]
)
def test_sentence(error: AnsibleAWSError, caller: str, parts: list[str]) -> None:
    text = sentence(error, caller)
    assert ".." not in text
    for part in parts:
        assert part in text
    assert "\n" not in text
    assert text.endswith(".")


UNKNOWN: list[tuple[Any, bool]] = [
    (client_error("InternalFailure", "x", "UpdateTrail", 500), True),
    (client_error("ServiceUnavailable", "x", "UpdateTrail", 503), True),
    (client_error("ThrottlingException", "x", "UpdateTrail", 400), False),
    (client_error("AccessDenied", "x", "UpdateTrail", 403), False),
    (ConnectionClosedError(endpoint_url="http://x"), True),
    (ReadTimeoutError(endpoint_url="http://x"), True),
    (NoCredentialsError(), False),
    (None, False),
]


@pytest.mark.parametrize(("exception", "unknown"), UNKNOWN)
def test_outcome_unknown(exception: Any, unknown: bool) -> None:
    assert outcome_unknown(AnsibleAWSError("Failed", exception)) is unknown


ACTIONS = [
    (S3Error, "HeadBucket", "s3:ListBucket"),
    (S3Error, "GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock"),
    (S3Error, "GetBucketPolicy", "s3:GetBucketPolicy"),
    (AnsibleSTSError, "AssumeRole", "sts:AssumeRole"),
    (AnsibleAWSError, "AssumeRole", ""),
]


@pytest.mark.parametrize(("kind", "operation", "action"), ACTIONS)
def test_iam_action(kind: type[AnsibleAWSError], operation: str, action: str) -> None:
    assert iam_action(kind("Failed", client_error("AccessDenied", "x", operation))) == action


def test_the_action_is_the_one_that_aws_names() -> None:
    told = (
        "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:x "
        "because no identity-based policy allows the kms:Decrypt action"
    )
    error = S3Error("Failed to read an object", client_error("AccessDenied", told, "GetObject"))
    assert iam_action(error) == "kms:Decrypt"
    remedy = "The caller needs the permission kms:Decrypt; allow it in a policy of its own and in the key's."
    assert sentence(error).endswith(remedy)


def test_a_page_of_a_proxy_is_an_error_like_others() -> None:
    @STSErrorHandler.common_error_handler("get caller identity")
    def ask() -> None:
        raise NoAnswerError("GetCallerIdentity", "a page")

    with pytest.raises(AnsibleSTSError) as caught:
        ask()
    assert sentence(caught.value) == f"Failed to get caller identity: GetCallerIdentity answered a page. {NOT_AWS}"
    assert outcome_unknown(caught.value)


def test_a_page_in_place_of_json_is_told_alike() -> None:
    refused = client_error("403", "<!DOCTYPE html>\n<html>no</html>", "DescribeOrganization", 403)
    assert sentence(AnsibleOrganizationsError("Failed to describe", refused)) == f"Failed to describe: {NOT_AWS}"


def test_a_text_that_cannot_be_parsed_is_refused_with_the_parsers_sentence() -> None:
    assert parsed(int, "5") == 5
    with pytest.raises(AnsibleOrgTrailError, match="invalid literal"):
        parsed(int, "five")
