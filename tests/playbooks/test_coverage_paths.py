# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same world gives the same rows over plain connections and by botocore, in one process and in several."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.transport import Transport
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage import check
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage import run as coverage_run
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage.options import coverage_options
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage.rows import Row
from ansible_collections.cloudsec.org_trail.plugins.modules.cloudtrail_coverage_info import ARGUMENTS
from botocore.retries.standard import ExponentialBackoff

from lab.kernel.faults import KINDS
from tests.coverage_reports import list_accounts
from tests.coverage_world import ONE, REGIONS, WRONGS, Expected, make_wrong, rules, turn_on
from tests.lab_process import Lab
from tests.trail_options import parameters_of
from tests.trail_run import open_session

CALLS = (("sts", "AssumeRole"), ("account", "ListRegions"), ("cloudtrail", "GetTrailStatus"))
HALF = ("throttle", "http500", "http503", "reset")
"""Faults that come and go within the patience of a call."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small shares, no pauses, and timeouts that a test can wait for."""
    monkeypatch.setattr(coverage_run, "SHARE", 1)
    monkeypatch.setattr(check, "TIMEOUTS", {"connect_timeout": 5, "read_timeout": 1})
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda _backoff, _context: 0.001)


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[Lab, Expected]]:
    """A lab with an account wrong in every way, and each fault for each call of an account of its own."""
    faults = [(fault, call) for fault in KINDS for call in CALLS]
    with Lab("--accounts", str(len(WRONGS) + len(faults) + 6)) as lab:
        turn_on(lab)
        members = [one["Id"] for one in list_accounts(lab) if one["Id"] not in (lab.management, lab.log_archive)]
        expected = make_wrong(lab, members[: len(WRONGS)])
        made = []
        for account, (fault, (service, operation)) in zip(members[len(WRONGS) :], faults, strict=False):
            where = {"region": ONE} if service == "cloudtrail" else {}
            made.append({"service": service, "operation": operation, "account": account, "fault": fault, **where})
        rest = members[len(WRONGS) + len(faults) :]
        made += [
            {"service": "cloudtrail", "account": account, "region": ONE, "fault": fault, "every": 2}
            for account, fault in zip(rest, HALF, strict=False)
        ]
        lab.control("POST", "faults", [*made, *rules(lab)])
        yield lab, expected


def rows(lab: Lab, processes: int) -> tuple[list[Row], dict[str, str]]:
    options = coverage_options(
        parameters_of(ARGUMENTS, trail_arn=lab.trail_arn, max_processes=processes, deadline_minutes=5.0)
    )
    found = check.check_coverage(open_session(lab, parameters_of(ARGUMENTS, trail_arn=lab.trail_arn)), options)
    assert found.complete
    return [without_times(row) for row in found.rows], dict(found.own_errors)


def without_times(row: Row) -> Row:
    """The lab tells some times as so many minutes ago."""
    reason = re.sub(r"\d\d:\d\d:\d\dZ", "", row.reason)
    return replace(row, reason=reason, latest_delivery_time="", latest_digest_delivery_time="")


def test_every_way_finds_the_same(world: tuple[Lab, Expected], monkeypatch: pytest.MonkeyPatch) -> None:
    lab, expected = world
    one, three = rows(lab, 1), rows(lab, 3)
    monkeypatch.setattr(Transport, "ready", False)
    botocores: Any = rows(lab, 1)
    assert one == botocores
    assert three == botocores
    found = {(row.account_id, row.region): row.status for row in one[0]}
    assert {place: found[place] for place in expected} == expected
    assert len(found) == len(list_accounts(lab)) * len(REGIONS)
    assert len(one[1]) > len(KINDS) // 2
