# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Change a member's trail: the record first, then each call once, then the proof by AWS's own word."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .._aws.arn import TrailArn
from .._aws.cloudtrail import WRITES
from .._aws.errors import AnsibleOrgTrailError, outcome_unknown
from .._aws.unknown_outcome import write_until_done
from .look import There
from .reader import read_trail
from .restore import Call
from .trail import Trail

PAUSES = (1.0, 2.0, 4.0)
"""Seconds before AWS is asked again for what it accepted."""

Plan = Callable[["Trail | None"], list[Call]]
"""The calls that are left to make, by what AWS answers of the trail."""


def write_trail(
    there: There,
    arn: TrailArn,
    before: Trail | None,
    plan: Plan,
    made: list[Call],
    sleep: Callable[[float], None] = time.sleep,
) -> Trail | None:
    """Make the calls of a plan until none is left; answers the trail after it, None where there is none.

    made: remembers each call that worked or may have worked.

    Further rounds come only when an outcome is unknown: a lost answer, a server's failure. Raises AnsibleAWSError for
    what AWS refuses, and AnsibleOrgTrailError for a result that is not as wanted.
    """
    now, accepted = write_until_done(
        before, plan, partial(_send, there, made), lambda _error: read_trail(there.client, arn), sleep
    )
    return _settled(there, arn, now, plan, sleep) if accepted else now


def _send(there: There, made: list[Call], calls: Sequence[Call]) -> AnsibleAWSError | None:
    """Make calls; an error that leaves the outcome open, if one ended them."""
    for call in calls:
        try:
            WRITES[call.operation](there.writer, call.parameters)
        except AnsibleAWSError as error:
            if not outcome_unknown(error):
                raise
            made.append(call)
            return error
        made.append(call)
    return None


def _settled(
    there: There, arn: TrailArn, now: Trail | None, plan: Plan, sleep: Callable[[float], None]
) -> Trail | None:
    """The trail when AWS answers what it accepted."""
    for pause in PAUSES:
        if not plan(now):
            return now
        sleep(pause)
        now = read_trail(there.client, arn)
    if left := plan(now):
        raise AnsibleOrgTrailError(
            f"AWS accepted the changes to the trail {arn}, but {left[0].operation} would be called again. AWS may "
            "still answer the old state, or somebody else may be changing the trail. Run again in a few minutes."
        )
    return now
