# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an AWS error to one sentence that a user can act on."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any, TypeVar, cast

from ansible_collections.amazon.aws.plugins.module_utils.errors import AWSErrorHandler
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .answers import CODE, NOT_AWS, NoAnswerError
from .credentials import UNREADABLE, credentials_problem
from .remedies import REMEDIES, code_remedy, denial_remedy
from .text import printable
from .untyped import Function

Value = TypeVar("Value")


class AnsibleOrgTrailError(AnsibleAWSError):
    """A refusal of ours: the message is the whole sentence, and nothing was written."""


def refuse(reason: str | None) -> None:
    """Raise AnsibleOrgTrailError with a sentence, if there is one."""
    if reason:
        raise AnsibleOrgTrailError(message=reason)


def parsed(parse: Callable[[str], Value], text: str) -> Value:
    """What an option's text stands for. Raises AnsibleOrgTrailError with the sentence of the parser's ValueError."""
    try:
        return parse(text)
    except ValueError as error:
        raise AnsibleOrgTrailError(str(error)) from error


class ErrorHandler(AWSErrorHandler):
    """amazon.aws's, which leaves out errors of credentials."""

    @classmethod
    def common_error_handler(cls, description: str) -> Callable[[Function], Function]:
        decorate = super().common_error_handler(description)

        def wrapper(function: Function) -> Function:
            call = decorate(function)

            @functools.wraps(function)
            def handler(*args: Any, **kwargs: Any) -> Any:
                try:
                    return call(*args, **kwargs)
                except UNREADABLE as error:
                    raise cls._CUSTOM_EXCEPTION(message=f"Failed to {description}", exception=error) from error

            return cast(Function, handler)

        return wrapper

    @classmethod
    def list_error_handler(cls, description: str, default_value: object = None) -> Callable[[Function], Function]:
        decorate: Callable[[Function], Function] = super().list_error_handler(description, default_value)
        return decorate


class AnsibleSTSError(AnsibleAWSError):
    """An error of AWS STS."""

    iam_prefix = "sts"


class STSErrorHandler(ErrorHandler):
    _CUSTOM_EXCEPTION = AnsibleSTSError


DENIED = frozenset(
    {
        "403",
        "AccessDenied",
        "AccessDeniedException",
        "AllAccessDisabled",
        "AuthorizationError",
        "OperationNotPermittedException",
        "UnauthorizedOperation",
    }
)
"""Codes with which AWS says that a caller may not do something (aws-facts 4.3 for the last but one)."""
BAD_KEYS = frozenset({"InvalidClientTokenId", "UnrecognizedClientException", "AuthFailure", "SignatureDoesNotMatch"})
OLD_KEYS = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})

S3_ACTIONS = {
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "ListBuckets": "ListAllMyBuckets",
    "ListObjectsV2": "ListBucket",
}
"""S3 operations whose IAM action has another name (AWS service authorization reference)."""


def code_of(error: AnsibleAWSError) -> str:
    """The AWS error code under an error, empty when there is none."""
    response: dict[str, Any] = getattr(error.exception, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def is_page(code: str, message: str) -> bool:
    """Whether botocore made an error of a page, whose code is then the HTTP status and whose text is the page."""
    return code.isdigit() and message.lstrip().startswith("<")


def outcome_unknown(error: AnsibleAWSError) -> bool:
    """True when the call may have done its work although no good answer came: look again before writing again."""
    response = getattr(error.exception, "response", None)
    if response is None:
        return error.exception is not None and type(error.exception).__name__ in {
            "ConnectionClosedError",
            "EndpointConnectionError",
            "HTTPClientError",
            "ReadTimeoutError",
            "ConnectTimeoutError",
            "ResponseStreamingError",
            "SlowAnswerError",
        }
    return code_of(error) == CODE or int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) >= 500


_NAMED_ACTION = re.compile(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)")


def iam_action(error: AnsibleAWSError) -> str:
    """The IAM action that was refused, for example ``s3:GetBucketPolicy``; empty when unknown.

    AWS's text may name another one than the operation's: who reads an object needs its key, too.
    """
    if named := _NAMED_ACTION.search(str(error.exception)):
        return named[1]
    operation = getattr(error.exception, "operation_name", "")
    prefix = getattr(error, "iam_prefix", "")
    if prefix == "s3":
        operation = S3_ACTIONS.get(operation, operation)
    return f"{prefix}:{operation}" if prefix and operation else ""


def denied_by_policy(error: AnsibleAWSError) -> bool:
    """Whether a policy denied the call. Its text names the action, a service's own refusal of an account does not."""
    response: dict[str, Any] = getattr(error.exception, "response", None) or {}
    action = iam_action(error)
    return code_of(error) in DENIED and bool(action) and action in str(response.get("Error", {}).get("Message", ""))


def sentence(error: AnsibleAWSError, caller: str = "") -> str:
    """What failed, what AWS said and what to do, in plain text without a traceback.

    ``caller`` is the ARN of who called, for denials that do not name it (S3's do not). Text of others is printable.
    """
    return printable(_sentence(error, caller))


def _sentence(error: AnsibleAWSError, caller: str) -> str:
    if error.exception is None:
        return str(error.message)
    if problem := credentials_problem(error.exception):
        return f"{error.message}: {problem}"
    code = code_of(error)
    text = _aws_text(error.exception)
    if text.endswith(NOT_AWS):
        return f"{error.message}: {text}"
    action = iam_action(error)
    if code in DENIED and action == "sts:AssumeRole":
        return (
            f"{error.message}: {text} Check that the role exists, that its trust policy admits the caller (and the "
            "external id), that the caller may call sts:AssumeRole, and that the account is active."
        )
    if code in DENIED and code not in REMEDIES:
        return f"{error.message}: {text} {denial_remedy(text, caller, action)}"
    if type(error.exception).__name__ == "SlowAnswerError":
        return f"{error.message}: {text} Check the network, and the proxy if there is one, then run again."
    if code in BAD_KEYS:
        return f"{error.message}: {text} Check the credentials, and that this region is enabled in the account."
    if code in OLD_KEYS:
        return f"{error.message}: {text} The temporary credentials are too old; fetch new ones and run again."
    remedy = code_remedy(code, getattr(error.exception, "operation_name", ""))
    return f"{error.message}: {text} {remedy}".strip()


def _aws_text(exception: BaseException) -> str:
    """AWS's own message, with its code and a full stop; botocore's text for what never reached AWS."""
    if isinstance(exception, NoAnswerError):
        return exception.sentence
    error = (getattr(exception, "response", None) or {}).get("Error")
    if not error:
        return _full_stop(str(exception))
    message = re.sub(r"\s+", " ", error.get("Message") or "").strip()
    if is_page(str(error.get("Code")), message):
        return NOT_AWS
    return _full_stop(f"{message.rstrip('.')} ({error.get('Code')})" if message else str(error.get("Code")))


def _full_stop(text: str) -> str:
    return text if text.endswith(".") else f"{text}."
