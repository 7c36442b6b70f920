# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A write whose answer may get lost: look at what it did before it is made again."""

from __future__ import annotations

import time
from collections.abc import Callable

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .errors import outcome_unknown

ROUNDS = 3


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
