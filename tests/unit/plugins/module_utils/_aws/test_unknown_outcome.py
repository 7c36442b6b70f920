# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Sequence

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.unknown_outcome import (
    write_and_look,
    write_until_done,
)

from tests.canned_aws import client_error

LOST, DENIED = client_error("ServiceException", 500), client_error("AccessDeniedException")


@pytest.mark.parametrize(
    ("outcomes", "writes", "raises"),
    [
        ([(True, None)], 1, False),
        ([(True, LOST)], 1, False),
        ([(False, LOST), (True, None)], 2, False),
        ([(False, LOST)] * 3, 3, True),
        ([(False, DENIED)], 1, True),
    ],
)
def test_a_write_is_made_again_only_when_it_was_not_done(
    outcomes: list[tuple[bool, Exception | None]], writes: int, raises: bool
) -> None:
    made: list[bool] = []

    def write() -> None:
        works, error = outcomes[len(made)]
        made.append(works)
        if error:
            raise AnsibleAWSError(message="Failed", exception=error)

    try:
        write_and_look(write, lambda: any(made), lambda _seconds: None)
    except AnsibleAWSError:
        assert raises
    else:
        assert not raises
    assert len(made) == writes


@pytest.mark.parametrize(
    ("left", "errors", "sent", "answer"),
    [
        ([0], [], 0, (0, False)),
        ([2, 0], [None], 1, (0, True)),
        ([2, 1], [None], 1, (1, True)),
        ([2, 0], [LOST], 1, (0, False)),
        ([2, 1, 0], [LOST, None], 2, (0, True)),
        ([2, 2, 2, 0], [LOST] * 3, 3, (0, False)),
        ([2, 2, 2, 1], [LOST] * 3, 3, None),
    ],
)
def test_calls_are_made_until_none_is_left(
    left: list[int], errors: list[Exception | None], sent: int, answer: tuple[int, bool] | None
) -> None:
    """left: how many calls are left at first, and after each look."""
    made: list[int] = []
    slept: list[float] = []

    def send(calls: Sequence[str]) -> AnsibleAWSError | None:
        error = errors[len(made)]
        made.append(len(calls))
        return AnsibleAWSError(message="Failed", exception=error) if error else None

    def act() -> tuple[int, bool]:
        return write_until_done(left[0], lambda n: ["call"] * n, send, lambda _error: left[len(made)], slept.append)

    if answer is None:
        with pytest.raises(AnsibleAWSError):
            act()
    else:
        assert act() == answer
    assert made == left[:sent]
    assert slept == [1 << number for number, error in enumerate(errors) if error]
