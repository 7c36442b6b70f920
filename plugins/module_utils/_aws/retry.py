# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which AWS errors are worth another try, for reads and for writes."""

from __future__ import annotations

from typing import cast

from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry

from .answers import CODE
from .untyped import Function

BUSY = (
    "ConcurrentModificationException",
    "ConflictException",
    "OperationAborted",
    "PolicyChangesInProgressException",
    "RequestLimitExceeded",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
)
"""Refusals that come before any work was done, so that a write may be sent again (aws-facts 2.12, 10.5)."""

BROKEN = ("InternalError", "InternalFailure", "InternalServerError", "ServiceException", "ServiceUnavailable", "503")
"""Failures that leave open whether the work was done: only reads are simply sent again."""


class _OnlyGiven(AWSRetry):
    """AWSRetry without its own list of codes, which holds some that a write must not be repeated for."""

    @staticmethod
    def found(response_code: str, catch_extra_error_codes: list[str] | None = None) -> bool:
        return response_code in (catch_extra_error_codes or ())


_read = AWSRetry.jittered_backoff(retries=8, delay=1, max_delay=20, catch_extra_error_codes=[*BUSY, *BROKEN])
_garbled = _OnlyGiven.jittered_backoff(retries=3, delay=1, max_delay=3, catch_extra_error_codes=[CODE])
_write = _OnlyGiven.jittered_backoff(retries=8, delay=1, max_delay=20, catch_extra_error_codes=list(BUSY))


def retry_read(function: Function) -> Function:
    """Decorate a read: about a minute of patience with throttling, conflicts and server errors.

    What is not AWS's answer is asked for three times.
    """
    return cast(Function, _read(_garbled(function)))


def retry_write(function: Function) -> Function:
    """Decorate a write: the same patience, but never a second attempt when the first may have worked."""
    return cast(Function, _write(function))
