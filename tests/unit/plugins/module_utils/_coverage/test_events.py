# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told of the events that the trail logs."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import TrailArn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage.events import read_events

from tests.canned_aws import CannedSession, client_error

TRAIL = TrailArn("aws", "us-east-1", "1" * 12, "default")


def cloudtrail(answer: dict[str, Any] | Exception) -> Any:
    """A client with one answer of GetEventSelectors, or an error."""
    return CannedSession(TRAIL.account_id, TRAIL.region, {"get_event_selectors": answer}).client("cloudtrail")


@pytest.mark.parametrize(
    ("selector", "told"),
    [
        ({}, {"logged": "all management events", "all": True}),
        ({"ReadWriteType": "WriteOnly"}, {"logged": "only write management events", "all": False}),
        ({"IncludeManagementEvents": False}, {"logged": "no management events", "all": False}),
    ],
)
def test_it_tells_what_the_selectors_log(selector: dict[str, Any], told: dict[str, Any]) -> None:
    read = read_events(cloudtrail({"EventSelectors": [selector]}), TRAIL)
    assert (read.to_dict(), read.error) == (told, "")


def test_what_may_not_be_read_is_told_and_not_guessed() -> None:
    read = read_events(cloudtrail(client_error("AccessDeniedException")), TRAIL)
    assert read.logged is None
    assert read.to_dict() == {"error": read.error}
    assert read.error.startswith("Failed to get the event selectors of the trail: ")
