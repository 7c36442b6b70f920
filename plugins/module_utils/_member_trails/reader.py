# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a member's trail whole, with the account's own keys, as it is right before it is changed."""

from __future__ import annotations

from datetime import datetime

from .._aws.arn import TrailArn
from .._aws.cloudtrail import (
    AnsibleCloudTrailError,
    get_aggregations,
    get_event_selectors,
    get_insight_selectors,
    get_trail_status,
    get_whole_trail,
    list_tags,
)
from .._aws.errors import code_of
from .._aws.untyped import Client, Structure
from .._aws.whole_answer import UNKNOWN
from .._work.times import time_text
from .run import logs_data_events
from .trail import Trail

NOT_FOUND = "TrailNotFoundException"
ADDED = ("ResponseMetadata", UNKNOWN)
"""What botocore and `whole_answer` add to an answer."""


def read_trail(client: Client, arn: TrailArn, *, to_record: bool = False) -> Trail | None:
    """The trail and all that AWS tells of it; None where the account has none of that ARN.

    client: one of the trail's account and home region. to_record: whether it may be brought back by this later. Raises
    AnsibleOrgTrailError for an answer about another trail, for selectors that the installed botocore does not know and,
    ``to_record``, for such settings.
    """
    name = str(arn)
    try:
        settings = get_whole_trail(client, name, also_unknown=not to_record)
    except AnsibleCloudTrailError as error:
        if code_of(error) == NOT_FOUND:
            return None
        raise
    status = read_status(client, arn)
    selectors = of_aws(get_event_selectors(client, name))
    return Trail(
        arn,
        settings,
        selectors,
        get_insight_selectors(client, name) if settings.get("HasInsightSelectors", True) else (),
        get_aggregations(client, name) if logs_data_events(selectors) else (),
        bool(status["IsLogging"]),
        list_tags(client, name),
        status,
    )


def read_status(client: Client, arn: TrailArn) -> Structure:
    """The answer of GetTrailStatus, its times as text."""
    status = of_aws(get_trail_status(client, str(arn)))
    return {name: time_text(value) if isinstance(value, datetime) else value for name, value in status.items()}


def of_aws(answer: Structure) -> Structure:
    """An answer without what was added to it here."""
    return {name: value for name, value in answer.items() if name not in ADDED}
