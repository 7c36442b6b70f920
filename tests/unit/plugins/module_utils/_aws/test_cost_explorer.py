# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cost Explorer: which call is made, and what a failure says."""

from __future__ import annotations

from typing import Any, cast

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.cost_explorer import (
    AnsibleCostExplorerError,
    get_cost_and_usage,
)

from tests.canned_aws import CannedSession, client_error


def test_get_cost_and_usage() -> None:
    session = CannedSession("111122223333", "us-east-1", {"get_cost_and_usage": {"ResultsByTime": []}})
    client = cast(Any, session.client("ce"))
    assert get_cost_and_usage(client, "S", "2026-10-01", "2026-11-01") == {"ResultsByTime": []}
    get_cost_and_usage(client, "S", "2026-10-01", "2026-11-01", "x")
    [(_region, method, first), (_, _, second)] = session.calls
    assert (method, first["TimePeriod"]) == ("get_cost_and_usage", {"Start": "2026-10-01", "End": "2026-11-01"})
    assert [one["Key"] for one in first["GroupBy"]] == ["LINKED_ACCOUNT", "USAGE_TYPE"]
    assert second == {**first, "NextPageToken": "x"}
    session.answers["get_cost_and_usage"] = client_error("AccessDeniedException")
    with pytest.raises(AnsibleCostExplorerError, match="Failed to get cost and usage"):
        get_cost_and_usage(client, "S", "2026-10-01", "2026-11-01")
