# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How accounts are entered, what is asked again, when the trail changed, and the result."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import TrailArn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import AnsibleOrgTrailError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.selectors import ManagementEvents
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage import check
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage.check import Coverage
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage.events import EventsRead
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage.options import (
    CoverageOptions,
    coverage_options,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage.rows import Known, Row
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage.scope import Scope
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.accounts import Account
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.entry import GivenAccount, Target
from ansible_collections.cloudsec.org_trail.plugins.module_utils._work.progress import Progress

from tests.unit.plugins.module_utils._coverage.test_options import PARAMS

ME, MEMBER, OTHER = "1" * 12, "2" * 12, "3" * 12
TRAIL = TrailArn("aws", "us-east-1", ME, "default")
OPTIONS: CoverageOptions = coverage_options({**PARAMS, "trail_arn": str(TRAIL), "role_external_id": "common"})


class Session:
    """The account that asks."""

    account_id, partition = ME, "aws"

    def client(self, service: str, region: str = "us-east-1") -> tuple[str, str]:
        return service, region

    def known_regions(self, _service: str) -> list[str]:
        return ["eu-west-1", "us-east-1"]


SESSION: Any = Session()


def given(id_: str, **more: str) -> GivenAccount:
    return GivenAccount(Account(id_, f"n{id_[0]}", "ACTIVE"), **more)


# --- how to enter -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("account", "role", "external_id"),
    [
        (given(ME), "", "common"),
        (given(ME, role_arn="arn:own"), "arn:own", "common"),
        (given(MEMBER), f"arn:aws:iam::{MEMBER}:role/R", "common"),
        (given(MEMBER, role_arn="arn:given", external_id="x"), "arn:given", "x"),
    ],
)
def test_targets(account: GivenAccount, role: str, external_id: str) -> None:
    [target] = check.targets_of(SESSION, [account], OPTIONS)
    assert target == Target(account.account.id, account.account.name, "ACTIVE", role, external_id)


def test_a_pattern_that_leads_everybody_into_one_account_is_refused() -> None:
    options = replace(OPTIONS, role_arn_pattern=f"arn:aws:iam::{MEMBER}:role/R")
    with pytest.raises(AnsibleOrgTrailError, match=r"expected an ARN with \{account_id\}"):
        list(check.targets_of(SESSION, [given(OTHER)], options))


# --- what is read first -----------------------------------------------------------------------------

LOGGED = EventsRead(ManagementEvents(frozenset(), frozenset(), some=True))
STATES = {"eu-west-1": "ENABLED_BY_DEFAULT", "us-east-1": "ENABLED_BY_DEFAULT", "me-new-1": "DISABLED"}


@pytest.fixture
def first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "read_organization", lambda *_, names: SimpleNamespace(accounts=[given(OTHER).account]))
    monkeypatch.setattr(check, "read_events", lambda *_: LOGGED)
    monkeypatch.setattr(check, "list_regions", lambda _client: STATES)


@pytest.mark.usefixtures("first")
@pytest.mark.parametrize(("accounts", "found"), [(None, [given(OTHER)]), ([given(MEMBER)], [given(MEMBER)]), ([], [])])
def test_given_accounts_are_not_looked_up(accounts: list[GivenAccount] | None, found: list[GivenAccount]) -> None:
    scope, read, events = check.read_first(SESSION, replace(OPTIONS, accounts=accounts))
    assert read == found
    assert (scope.accounts_given, scope.regions) == (accounts is not None, ["eu-west-1", "us-east-1"])
    assert events is LOGGED


@pytest.mark.usefixtures("first")
def test_a_region_that_botocore_does_not_know_may_exist() -> None:
    scope, _, _ = check.read_first(SESSION, replace(OPTIONS, regions=["me-new-1"]))
    assert scope.regions == ["me-new-1"]
    with pytest.raises(AnsibleOrgTrailError, match="did you mean me-new-1"):
        check.read_first(SESSION, replace(OPTIONS, regions=["me-nw-1"]))


@pytest.mark.usefixtures("first")
def test_regions_that_may_not_be_listed_are_known_from_no_other_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object) -> None:
        raise AnsibleOrgTrailError("Denied.")

    monkeypatch.setattr(check, "list_regions", denied)
    scope, _, _ = check.read_first(SESSION, replace(OPTIONS, regions=["eu-west-1"]))
    assert scope.enabled is None
    with pytest.raises(AnsibleOrgTrailError, match="Denied"):
        check.read_first(SESSION, OPTIONS)


# --- regions of members -----------------------------------------------------------------------------


def test_regions_of_one_account_are_told_of_the_others_by_their_own_word() -> None:
    run: Any = SimpleNamespace(
        rows={(one, "a"): row(one, "a", "covered") for one in (ME, MEMBER, OTHER)}
        | {(MEMBER, "b"): row(MEMBER, "b", "covered")},
        own_regions={ME: frozenset("a"), MEMBER: frozenset("ab")},
    )
    targets = [Target(one, "", "") for one in (ME, MEMBER, OTHER)]
    assert check.own_regions_left(run, targets) == {targets[2]: ["b"]}
    assert run.rows[ME, "b"].status == "region_disabled"
    assert (OTHER, "b") not in run.rows


# --- what is asked again ----------------------------------------------------------------------------


def row(id_: str, region: str, status: str, **more: Any) -> Row:
    return Row(id_, f"n{id_[0]}", region, status, **more)


def test_only_what_waiting_may_heal_is_asked_again() -> None:
    wanted = {Target(id_, "", ""): ["a", "b"] for id_ in (ME, MEMBER)}
    rows = [row(ME, "a", "covered"), row(ME, "b", "denied"), row(MEMBER, "a", "pending"), row(MEMBER, "b", "covered")]
    assert check.still_wanted(wanted, rows) == {Target(MEMBER, "", ""): ["a"]}


@pytest.mark.parametrize(
    ("status", "complete", "patience", "asked"),
    [
        ("covered", True, 1000.0, 1),
        ("not_logging", False, 1000.0, 1),
        ("not_logging", True, 0.0, 1),
        ("not_logging", True, 1000.0, 2),
    ],
)
def test_it_is_asked_again_while_waiting_helps_and_the_user_waits(
    monkeypatch: pytest.MonkeyPatch, status: str, complete: bool, patience: float, asked: int
) -> None:
    def told(status: str) -> Row:
        return row(MEMBER, "r", status, latest_delivery_time="T")

    class Run:
        def __init__(self) -> None:
            self.own_regions: dict[str, frozenset[str]] = {}
            self.rows = {(MEMBER, "r"): told(status)}
            self.asked = 0

        def ask(self, _wanted: object, _deadline: float, _tick: object) -> bool:
            self.asked += 1
            if self.asked == asked and patience:
                self.rows = {(MEMBER, "r"): told("covered" if complete else status)}
            return complete

    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    run: Any = Run()
    now = time.monotonic()
    times = check.Times(deadline=now + 2000, wait_until=now + patience)
    wanted = {Target(MEMBER, "", "ACTIVE"): ["r"]}
    options = replace(OPTIONS, wait_interval=7.0)
    progress = Progress(None, "", 1, int)
    rows, whole, _ = check.ask_until_covered(SESSION, TRAIL, run, wanted, Known("r"), times, progress, options)
    assert (run.asked, whole, len(rows)) == (asked, complete, 1)
    assert slept == [7.0] * (asked - 1)


def test_no_file_is_looked_for_where_none_can_be() -> None:
    rows = [row(ME, "a", status) for status in ("covered", "account_closed", "region_disabled", "missing")]
    assert [one.status for one in check.rows_to_probe(rows)] == ["covered", "missing"]


# --- when the trail changed -------------------------------------------------------------------------


def event(hour: int, *, asked: Any = None, error: str = "") -> dict[str, Any]:
    record = {"requestParameters": asked, **({"errorCode": error} if error else {})}
    return {"EventTime": datetime(2026, 1, 2, hour, tzinfo=UTC), "CloudTrailEvent": json.dumps(record)}


CONVERTED = {"name": str(TRAIL), "isOrganizationTrail": True}


@pytest.mark.parametrize(
    ("found", "changed"),
    [
        (event(1, asked=CONVERTED), True),
        (event(1, asked={**CONVERTED, "name": "default"}), True),
        (event(1, asked={**CONVERTED, "name": "other"}), False),
        (event(1, asked={"name": "default"}), False),
        (event(1, asked={**CONVERTED, "isOrganizationTrail": False}), False),
        (event(1, asked=CONVERTED, error="AccessDenied"), False),
        (event(1), False),
        (event(1, asked="a text in place of parameters"), False),
    ],
)
def test_is_change(found: dict[str, Any], changed: bool) -> None:
    assert check.is_change(found, TRAIL) is changed


def test_the_newest_change_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    events = {"UpdateTrail": [event(3, asked=CONVERTED), event(5)], "CreateTrail": [event(4, asked=CONVERTED)]}
    monkeypatch.setattr(check, "lookup_events", lambda _client, name, _since: events[name])
    assert check.find_change(SESSION, TRAIL) == "2026-01-02T04:00:00Z"


def test_who_does_not_own_the_trail_has_no_history_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "lookup_events", lambda *_: pytest.fail("asked in vain"))
    assert check.find_change(SESSION, replace(TRAIL, account_id=OTHER)) == ""


# --- the result -------------------------------------------------------------------------------------

FOUND = Coverage(
    trail=TRAIL,
    checked_by=f"arn:aws:iam::{ME}:role/Automation",
    scope=Scope(["a", "b"], ["a", "b"], regions_given=False, accounts_given=False),
    events=LOGGED,
    accounts=[Account(ME, "n1", "ACTIVE", "o/r/"), Account(MEMBER, "n2", "ACTIVE", tags={"env": "prod"})],
    regions=["a", "b"],
    rows=[row(ME, "a", "covered"), row(ME, "b", "missing"), row(MEMBER, "a", "denied")],
    own_errors={},
    calls=7,
    seconds=1.5,
    complete=False,
)


def test_accounts_are_listed_with_their_tags_and_nothing_of_how_they_are_entered() -> None:
    untagged = {"id": ME, "name": "n1", "state": "ACTIVE", "ou_path": "o/r/"}
    assert check.listed(FOUND.accounts[0], "") == untagged
    named = replace(FOUND.accounts[0], ou_names=["Root", "Production"])
    assert check.listed(named, "") == {**untagged, "ou_names": ["Root", "Production"]}
    assert check.listed(FOUND.accounts[0], "No.") == {**untagged, "regions_error": "No."}
    assert check.listed(FOUND.accounts[1], "") == {
        "id": MEMBER,
        "name": "n2",
        "state": "ACTIVE",
        "ou_path": "",
        "tags": {"env": "prod"},
    }


def test_the_summary_counts_what_has_no_row() -> None:
    summary = check.describe(FOUND)["summary"]
    assert {name: value for name, value in summary.items() if value} == {
        "covered": 1,
        "missing": 1,
        "denied": 1,
        "unchecked": 1,
        "accounts": 2,
        "regions": 2,
        "account_regions": 4,
        "calls": 7,
        "seconds": 1.5,
    }
    assert summary["complete"] is False


@pytest.mark.parametrize(("limit", "shown", "cut"), [(1000, 2, 0), (2, 2, 0), (1, 1, 1), (0, 0, 2)])
def test_exceptions_are_cut_and_the_cut_is_told(limit: int, shown: int, cut: int) -> None:
    result = check.summarize(FOUND, replace(OPTIONS, max_exceptions=limit))
    assert (len(result["exceptions"]), result["exceptions_cut"]) == (shown, cut)
    assert [one["status"] for one in result["coverage"]] == ["covered", "missing", "denied"]


def test_long_lists_go_into_the_file(tmp_path: Path) -> None:
    path = tmp_path / "found.json"
    result = check.summarize(FOUND, replace(OPTIONS, output_path=path))
    assert (result["output_path"], "coverage" in result, "accounts" in result) == (str(path), False, False)
    document = json.loads(path.read_text(encoding="utf-8"))
    assert document["coverage"] == [one.to_dict() for one in FOUND.rows]
    assert document["trail_arn"] == str(TRAIL)


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(AnsibleOrgTrailError, match=f"Failed to write output_path {tmp_path}"):
        check.write_document(tmp_path, check.describe(FOUND), FOUND.rows)


def test_what_could_not_be_searched_is_warned_of() -> None:
    rows = [row(ME, "a", "covered", log_delivery_error="Denied."), row(ME, "b", "covered")]
    assert check.warnings_of(replace(FOUND, rows=rows)) == [
        "The log files of 1 accounts' regions could not be read, so the status says nothing of them: Denied."
    ]
    assert check.warnings_of(FOUND) == []


def test_what_no_status_tells_is_warned_of() -> None:
    reads = EventsRead(ManagementEvents(frozenset(), None, some=True))
    unasked, logged = check.warnings_of(replace(FOUND, events=reads, own_errors={ME: "No."}))
    assert unasked.startswith("1 accounts did not tell which regions they have enabled, so regions that only they")
    assert unasked.endswith("were not asked: No.")
    assert logged == "The trail logs only read management events."
    assert check.warnings_of(replace(FOUND, events=EventsRead(None, "No."))) == [
        "Which events the trail logs could not be read: No."
    ]
