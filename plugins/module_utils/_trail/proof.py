# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proof, with a delegated administrator's own keys, that it sees and may change the organization trail."""

from __future__ import annotations

import time
from collections.abc import Callable

from .._aws.arn import TrailArn
from .._aws.cloudtrail import AnsibleCloudTrailError, describe_shared_trail, get_trail_status, start_logging
from .._aws.errors import code_of, refuse
from .._aws.session import Session
from .._organization.delegated_administrator import is_administrator
from .._work.options import Result
from .administrator import NOT_MANAGEMENT

PAUSE = 5.0


def prove(
    session: Session, arn: TrailArn, timeout: float, check_mode: bool, sleep: Callable[[float], None] = time.sleep
) -> Result:
    """The module's result: that the caller is an administrator, sees the trail, and may change it.

    The change is StartLogging of a trail that logs, which does nothing (not in check mode). timeout: seconds until
    CloudTrail must know a new administrator (aws-facts 11.5). Raises AnsibleOrgTrailError for what is not so, and
    AnsibleAWSError for what AWS refuses.
    """
    if not is_administrator(session):
        refuse(
            f"Account {session.account_id} is no delegated administrator of CloudTrail, expected one. Run "
            f"delegate_org_trail.yml with credentials of the management account {arn.account_id}."
        )
    client = session.client("cloudtrail", arn.region)
    trail = describe_shared_trail(client, str(arn))
    if trail is None or not trail.get("IsOrganizationTrail"):
        refuse(
            f"The delegated administrator {session.account_id} does not see the trail {arn} as an organization trail, "
            f"expected to. Run enable_org_trail.yml with credentials of the management account {arn.account_id}."
        )
    if not get_trail_status(client, str(arn)).get("IsLogging"):
        refuse(f"The trail {arn} does not log, expected a trail that logs. Run enable_org_trail.yml.")
    if not check_mode:
        _start(session, arn, timeout, sleep)
    told: Result = {"caller_account_id": session.account_id, "sees_trail": True}
    return told if check_mode else {**told, "may_change": True}


def _start(session: Session, arn: TrailArn, left: float, sleep: Callable[[float], None]) -> None:
    """Start a trail that logs; while CloudTrail does not know the administrator yet, again and again."""
    while True:
        try:
            return start_logging(session.client("cloudtrail", arn.region, once=True), {"Name": str(arn)})
        except AnsibleCloudTrailError as error:
            if code_of(error) != NOT_MANAGEMENT or left <= 0:
                raise
        seconds = min(PAUSE, left)
        sleep(seconds)
        left -= seconds
