# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an organization would lose without trusted access."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization import resources

ME, OTHER = "111122223333", "444455556666"


def trail(account: str, name: str, region: str = "us-east-1") -> dict[str, str]:
    return {"TrailARN": f"arn:aws:cloudtrail:{region}:{account}:trail/{name}", "HomeRegion": region}


class Session:
    account_id = ME

    def client(self, service: str, region: str = "us-east-1") -> tuple[str, str]:
        return service, region


def test_organization_trails_and_stores_of_every_region(monkeypatch: pytest.MonkeyPatch) -> None:
    trails = [trail(ME, "org", "eu-west-1"), trail(ME, "own"), trail(OTHER, "theirs")]
    asked: list[tuple[Any, str]] = []

    def get_trail(client: Any, arn: str) -> dict[str, object]:
        asked.append((client, arn))
        return {"TrailARN": arn, "IsOrganizationTrail": arn.endswith("/org")}

    def get_event_data_store(client: Any, arn: str) -> dict[str, object]:
        return {"EventDataStoreArn": arn, "OrganizationEnabled": client[1] == "eu-west-1"}

    monkeypatch.setattr(resources, "list_enabled_regions", lambda _client: ["eu-west-1", "us-east-1"])
    monkeypatch.setattr(resources, "list_trails", lambda _client: trails)
    monkeypatch.setattr(resources, "get_trail", get_trail)
    monkeypatch.setattr(resources, "list_event_data_stores", lambda client: [f"arn:store:{client[1]}"])
    monkeypatch.setattr(resources, "get_event_data_store", get_event_data_store)
    session: Any = Session()
    assert resources.find_organization_resources(session) == [trails[0]["TrailARN"], "arn:store:eu-west-1"]
    assert [client for client, _arn in asked] == [("cloudtrail", "eu-west-1"), ("cloudtrail", "us-east-1")]
