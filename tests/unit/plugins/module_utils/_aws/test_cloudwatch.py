# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls to Amazon CloudWatch, and what their answers become."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.cloudwatch import (
    AnsibleCloudWatchError,
    oldest_message_age,
)

from tests.canned_aws import CannedSession, client_error

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)


def point(minutes: int, age: float) -> dict[str, Any]:
    return {"Timestamp": NOW - timedelta(minutes=minutes), "Maximum": age}


@pytest.mark.parametrize(("points", "age"), [([], None), ([point(1, 90.0), point(2, 30.0)], 90)])
def test_the_newest_figure_is_the_age(points: list[dict[str, Any]], age: int | None) -> None:
    session = CannedSession("1", "r", {"get_metric_statistics": {"Datapoints": points}})
    assert oldest_message_age(session.client("cloudwatch"), "q", NOW) == age
    [(_region, _method, asked)] = session.calls
    assert asked["Dimensions"] == [{"Name": "QueueName", "Value": "q"}]
    assert asked["EndTime"] - asked["StartTime"] == timedelta(minutes=15)


def test_a_denial_is_an_error() -> None:
    session = CannedSession("1", "r", {"get_metric_statistics": client_error("AccessDenied")})
    with pytest.raises(AnsibleCloudWatchError, match="get the age of a queue's oldest message"):
        oldest_message_age(session.client("cloudwatch"), "q", NOW)
