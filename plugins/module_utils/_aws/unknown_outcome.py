# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A write whose answer may get lost: look at what it did before it is made again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .errors import outcome_unknown

ROUNDS = 3

State = TypeVar("State")
Call = TypeVar("Call")


def write_and_look(
    write: Callable[[], None], is_done: Callable[[], bool], sleep: Callable[[float], None] = time.sleep
) -> None:
    """Make a write; when its outcome is unknown, look, and make it again only if it was not done.

    sleep: takes seconds. Raises what AWS refuses, and the error of an outcome that is still unknown after ``ROUNDS``
    attempts.
    """
    for attempt in range(ROUNDS):
        try:
            write()
        except AnsibleAWSError as error:
            if not outcome_unknown(error):
                raise
            sleep(1 << attempt)
            if is_done():
                return
            if attempt == ROUNDS - 1:
                raise
        else:
            return


def write_until_done(
    before: State,
    calls_left: Callable[[State], Sequence[Call]],
    send: Callable[[Sequence[Call]], AnsibleAWSError | None],
    look: Callable[[AnsibleAWSError | None], State],
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[State, bool]:
    """Make the calls that are left until none is, at most ``ROUNDS`` times, each time after a new look.

    A second round comes only when an outcome is unknown: a lost answer, a server's failure. send: makes calls, and
    answers the error that left the outcome open, None when all were accepted; look: answers the state after that.
    Answers the state, and whether all was accepted just now, so that AWS may still answer the old state. Raises the
    error of an outcome that leaves calls to make after the last round.
    """
    now, error = before, None
    for attempt in range(ROUNDS):
        calls = calls_left(now)
        if not calls:
            return now, False
        error = send(calls)
        if error:
            sleep(1 << attempt)
        now = look(error)
        if error is None:
            return now, True
    if error and calls_left(now):
        raise error
    return now, False
