# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is tried again: reads after any failure of AWS, writes only after a refusal that came before any work."""

from __future__ import annotations

from unittest import mock

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.retry import BROKEN, BUSY, retry_read, retry_write
from botocore.exceptions import ClientError

from tests.canned_aws import client_error


def attempts(decorate: object, code: str) -> int:
    """How often a call is made that fails once."""
    made = 0

    def call() -> None:
        nonlocal made
        made += 1
        if made == 1:
            raise client_error(code)

    assert callable(decorate)
    with mock.patch("time.sleep"):
        try:
            decorate(call)()
        except ClientError:
            assert made == 1
    return made


@pytest.mark.parametrize("code", BUSY)
def test_who_is_busy_is_asked_again(code: str) -> None:
    assert (attempts(retry_read, code), attempts(retry_write, code)) == (2, 2)


@pytest.mark.parametrize("code", BROKEN)
def test_a_write_that_may_have_worked_is_not_repeated(code: str) -> None:
    assert (attempts(retry_read, code), attempts(retry_write, code)) == (2, 1)


@pytest.mark.parametrize("code", ["AccessDenied", "TrailNotFoundException"])
def test_a_refusal_is_final(code: str) -> None:
    assert (attempts(retry_read, code), attempts(retry_write, code)) == (1, 1)


def test_a_decorated_function_answers_what_it_answered() -> None:
    assert retry_read(lambda: "answer")() == retry_write(lambda: "answer")() == "answer"
