# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trusted access against an Organizations that fails on command: a write that worked is never made again."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import CLOUDTRAIL
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import AnsibleOrgTrailError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.organizations import (
    AnsibleOrganizationsError,
    Organization,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization import service_access
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.service_access import (
    ServiceAccess,
    Wanted,
    change_service_access,
    describe_service_access,
    ensure_service_access,
)
from botocore.exceptions import ReadTimeoutError

from tests.canned_aws import client_error

ORGANIZATION = Organization("o-abc1234567", "ALL", "111122223333")
LOST = ReadTimeoutError(endpoint_url="https://organizations")


FAILED, DENIED = client_error("ServiceException", 500), client_error("AccessDeniedException", 400)


class Organizations:
    """Trusted access of one service. Each write takes the next outcome: whether it works, and the error it raises."""

    def __init__(self, on: bool, outcomes: list[tuple[bool, Exception | None]]) -> None:
        self.on = on
        self.outcomes = outcomes
        self.writes = 0

    def _write(self, on: bool) -> None:
        self.writes += 1
        works, error = self.outcomes.pop(0)
        self.on = on if works else self.on
        if error:
            raise error

    def enable_aws_service_access(self, ServicePrincipal: str) -> None:
        self._write(True)

    def disable_aws_service_access(self, ServicePrincipal: str) -> None:
        self._write(False)

    def get_paginator(self, _operation: str) -> Organizations:
        return self

    def paginate(self) -> Organizations:
        return self

    def build_full_result(self) -> dict[str, Any]:
        return {"EnabledServicePrincipals": [{"ServicePrincipal": CLOUDTRAIL}] if self.on else []}


@pytest.mark.parametrize("state", ["present", "absent"])
@pytest.mark.parametrize(
    ("outcomes", "writes"),
    [
        ([(True, None)], 1),
        ([(True, LOST)], 1),
        ([(True, FAILED)], 1),
        ([(False, LOST), (True, None)], 2),
        ([(False, FAILED), (False, LOST), (True, LOST)], 3),
    ],
)
def test_what_is_unknown_is_looked_at(state: str, outcomes: list[tuple[bool, Exception | None]], writes: int) -> None:
    client = Organizations(state == "absent", list(outcomes))
    change_service_access(client, client, Wanted(CLOUDTRAIL, state, False), lambda _seconds: None)
    assert (client.on, client.writes) == (state == "present", writes)


@pytest.mark.parametrize(("outcomes", "writes"), [([(False, DENIED)], 1), ([(False, FAILED)] * 3, 3)])
def test_what_aws_refuses_is_told(outcomes: list[tuple[bool, Exception | None]], writes: int) -> None:
    client = Organizations(False, list(outcomes))
    with pytest.raises(AnsibleOrganizationsError):
        change_service_access(client, client, Wanted(CLOUDTRAIL, "present", False), lambda _seconds: None)
    assert client.writes == writes


@pytest.mark.parametrize(
    ("account", "error", "says"),
    [("222233334444", AnsibleOrgTrailError, "expected its management account"), ("111122223333", None, "denied")],
)
def test_a_member_is_told_so_and_the_management_account_what_aws_says(
    monkeypatch: pytest.MonkeyPatch, account: str, error: type[Exception] | None, says: str
) -> None:
    def denied(_client: object) -> AnsibleOrganizationsError:
        return AnsibleOrganizationsError("denied", DENIED)

    monkeypatch.setattr(service_access, "describe_organization", lambda _client: ORGANIZATION)
    monkeypatch.setattr(service_access, "_services_or_denial", denied)
    session: Any = SimpleNamespace(account_id=account, client=lambda _service: None)
    with pytest.raises(error or AnsibleOrganizationsError, match=says):
        describe_service_access(session)


@pytest.mark.parametrize(
    ("service", "on", "state", "allowed", "writes", "refused"),
    [
        (CLOUDTRAIL, False, "present", False, 1, False),
        (CLOUDTRAIL, True, "present", False, 0, False),
        (CLOUDTRAIL, False, "absent", False, 0, False),
        (CLOUDTRAIL, True, "absent", False, 0, True),
        (CLOUDTRAIL, True, "absent", True, 1, False),
        ("other.amazonaws.com", True, "absent", False, 1, False),
    ],
)
def test_only_what_differs_is_written_and_no_organization_trail_is_lost(
    monkeypatch: pytest.MonkeyPatch, service: str, on: bool, state: str, allowed: bool, writes: int, refused: bool
) -> None:
    written: list[Wanted] = []
    monkeypatch.setattr(service_access, "change_service_access", lambda *given: written.append(given[-1]))
    monkeypatch.setattr(service_access, "find_organization_resources", lambda _session: ["trail/default"])
    management = ORGANIZATION.management_account_id
    session: Any = SimpleNamespace(client=lambda *_given, **_options: None, account_id=management)
    before, wanted = ServiceAccess(ORGANIZATION, (service,) if on else ()), Wanted(service, state, allowed)
    if refused:
        with pytest.raises(AnsibleOrgTrailError, match="found trail/default, expected none"):
            ensure_service_access(session, before, wanted, check_mode=False)
    else:
        after = ensure_service_access(session, before, wanted, check_mode=False)
        assert after.trusted_services == ((service,) if state == "present" else ())
        assert ensure_service_access(session, before, wanted, check_mode=True) == after
    assert written == [wanted] * writes


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(("on", "state"), [(False, "present"), (True, "absent"), (True, "present"), (False, "absent")])
def test_a_delegated_administrator_may_look_but_not_change(on: bool, state: str, check_mode: bool) -> None:
    session: Any = SimpleNamespace(account_id="444455556666")  # without clients: nothing is called
    before, wanted = ServiceAccess(ORGANIZATION, (CLOUDTRAIL,) if on else ()), Wanted(CLOUDTRAIL, state, True)
    if on == (state == "present"):
        assert ensure_service_access(session, before, wanted, check_mode) == before
        return
    with pytest.raises(AnsibleOrgTrailError, match="needs the management account 111122223333"):
        ensure_service_access(session, before, wanted, check_mode)
