# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The questions that coverage asks, with answers made here instead of AWS's."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from itertools import count
from typing import Any

import boto3
import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import parse_trail_arn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.caller import Answer
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import AnsibleOrgTrailError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage import run as coverage_run
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage.run import (
    DEAD_AFTER,
    CoverageRun,
    Endpoint,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.entry import Target

ARN = "arn:aws:cloudtrail:us-east-1:111111111111:trail/default"
REGIONS = ["eu-west-1", "us-east-1"]
LOGGING = Answer({"IsLogging": True})
SILENCE = Answer({}, "", "Could not connect", False)
KEYS = {"AccessKeyId": "A", "SecretAccessKey": "B", "SessionToken": "C"}


def keys_for(role_arn: str, **changed: str) -> Answer:
    """AssumeRole's answer for a role."""
    arn = role_arn.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/")
    return Answer({"Credentials": KEYS | changed, "AssumedRoleUser": {"Arn": f"{arn}/tests"}})


def asked(
    answers: dict[str, Callable[[Any, int], Answer]],
    targets: list[Target],
    assume_role: Callable[..., Answer] | None = None,
    own: Callable[[Any, int], Answer] | None = None,
    events: Callable[[Any, int], Answer] | None = None,
) -> tuple[CoverageRun, Counter[tuple[str, str]]]:
    session = boto3.session.Session("a", "b", region_name="us-east-1")
    client = session.client("cloudtrail")
    account = session.client("account") if own else None
    run = CoverageRun(
        session.client("sts"), lambda _: client, parse_trail_arn(ARN), "tests", threads=4, account=account
    )
    run._regions = own
    for region, answer in answers.items():
        run._endpoint(region).status = answer
        run._endpoint(region).events = events
    run._sts = assume_role or (lambda _keys, attempt, RoleArn, **_: keys_for(RoleArn))
    assert run.ask(dict.fromkeys(targets, REGIONS), time.monotonic() + 60, lambda: None)
    return run, Counter((region, row.status) for (_, region), row in run.rows.items())


def targets(number: int) -> list[Target]:
    return [Target(f"{one:012d}", "", "ACTIVE", f"arn:aws:iam::{one:012d}:role/x") for one in range(number)]


def everybody(answer: Answer) -> Callable[[Any, int], Answer]:
    return lambda keys, attempt: answer


def test_dead_endpoint_is_not_asked_for_everybody() -> None:
    calls = []

    def silent(keys: Any, attempt: int) -> Answer:
        calls.append(attempt)
        return SILENCE

    _, found = asked({"eu-west-1": silent, "us-east-1": everybody(LOGGING)}, targets(100))
    assert found == {("eu-west-1", "unreachable"): 100, ("us-east-1", "covered"): 100}
    assert len(calls) <= DEAD_AFTER + 4 + 1  # those under way in four threads, and one more try at the end


def test_dead_endpoint_that_comes_back_is_asked_for_the_rest() -> None:
    calls = 0

    def shaky(keys: Any, attempt: int) -> Answer:
        nonlocal calls
        calls += 1
        return SILENCE if calls <= DEAD_AFTER else LOGGING

    _, found = asked({"eu-west-1": shaky, "us-east-1": everybody(LOGGING)}, targets(100))
    assert found[("eu-west-1", "unreachable")] == DEAD_AFTER
    assert found[("eu-west-1", "covered")] == 100 - DEAD_AFTER


def test_parked_questions_are_asked_with_new_keys() -> None:
    """Those of the first time may have expired when an endpoint is asked once more at the end of a long run."""
    issued = count(1)

    def issue(_keys: None, attempt: int, RoleArn: str, **_: Any) -> Answer:
        return keys_for(RoleArn, AccessKeyId=str(next(issued)))

    def dead_until_all_were_entered(keys: Any, attempt: int) -> Answer:
        return LOGGING if int(keys.access_key) > 50 else SILENCE

    answers = {"eu-west-1": dead_until_all_were_entered, "us-east-1": everybody(LOGGING)}
    _, found = asked(answers, targets(50), issue)
    assert found["eu-west-1", "covered"] >= 50 - DEAD_AFTER - 4
    assert next(issued) == 1 + 50 + found["eu-west-1", "covered"]


def test_sts_that_dies_before_parked_questions_leaves_nothing_out() -> None:
    issued = count(1)

    def dying(_keys: None, attempt: int, RoleArn: str, **_: Any) -> Answer:
        return keys_for(RoleArn) if next(issued) <= 50 else SILENCE

    _, found = asked({"eu-west-1": everybody(SILENCE), "us-east-1": everybody(LOGGING)}, targets(50), dying)
    assert found == {("us-east-1", "covered"): 50, ("eu-west-1", "unreachable"): 50}


def test_dead_sts() -> None:
    calls = []

    def silent(_keys: None, attempt: int, **_: Any) -> Answer:
        calls.append(attempt)
        return SILENCE

    _, found = asked({}, targets(50), silent)
    assert found == {(region, "unreachable"): 50 for region in REGIONS}
    assert len(calls) <= DEAD_AFTER + 4 + 1


def test_throttled_sts_is_asked_again() -> None:
    def busy(_keys: None, attempt: int, RoleArn: str, **_: Any) -> Answer:
        granted = keys_for(RoleArn)
        return granted if attempt > 2 else Answer({}, "Throttling", "Rate exceeded", False, 0.001)

    run, found = asked(dict.fromkeys(REGIONS, everybody(LOGGING)), targets(3), busy)
    assert found == {(region, "covered"): 3 for region in REGIONS}
    assert run.calls == 3 * 3 + 3 * 2


def test_keys_of_another_account_are_not_used() -> None:
    """Its answers would be counted as this one's."""
    stranger = f"arn:aws:iam::{'9' * 12}:role/x"
    answers = dict.fromkeys(REGIONS, everybody(LOGGING))
    run, found = asked(answers, targets(2), lambda _keys, attempt, RoleArn, **_: keys_for(stranger))
    assert found == {(region, "denied"): 2 for region in REGIONS}
    assert run.calls == 2
    reason = run.rows["0" * 12, "us-east-1"].reason
    assert f"was answered with keys of account {'9' * 12} " in reason
    assert f"expected account {'0' * 12}" in reason


@pytest.mark.parametrize("state", ["SUSPENDED", "CLOSED"])
def test_closed_account_is_not_called(state: str) -> None:
    run, found = asked({}, [Target("1" * 12, "n", state, "arn:role")])
    assert found == {(region, "account_closed"): 1 for region in REGIONS}
    assert run.calls == 0


def has(*regions: str) -> Answer:
    return Answer({"Regions": [{"RegionName": region} for region in regions]})


def test_regions_that_only_the_account_has_are_asked_too() -> None:
    answers = dict.fromkeys([*REGIONS, "ap-east-1"], everybody(LOGGING))
    run, found = asked(answers, targets(2), own=everybody(has(*REGIONS, "ap-east-1")))
    assert found == {(region, "covered"): 2 for region in (*REGIONS, "ap-east-1")}
    assert run.own_regions == {f"{one:012d}": frozenset((*REGIONS, "ap-east-1")) for one in range(2)}
    assert (run.own_errors, run.calls) == ({}, 2 + 2 + 6)


def test_an_account_that_does_not_tell_its_regions_is_remembered_and_asked_once() -> None:
    told: list[int] = []

    def refuse(_keys: Any, attempt: int) -> Answer:
        told.append(attempt)
        return Answer({}, "AccessDeniedException", "No", False)

    run, found = asked(dict.fromkeys(REGIONS, everybody(LOGGING)), targets(1), own=refuse)
    assert found == {(region, "covered"): 1 for region in REGIONS}
    assert run.own_errors == {"0" * 12: f"account:ListRegions {'0' * 12}: No (AccessDeniedException)."}
    assert run.ask(dict.fromkeys(targets(1), REGIONS), time.monotonic() + 60, lambda: None)
    assert told == [1]


def test_account_management_that_does_not_answer_holds_nobody_up() -> None:
    told: list[int] = []

    def silent(_keys: Any, attempt: int) -> Answer:
        told.append(attempt)
        return SILENCE

    run, found = asked(dict.fromkeys(REGIONS, everybody(LOGGING)), targets(50), own=silent)
    assert found == {(region, "covered"): 50 for region in REGIONS}
    assert len(run.own_errors) == 50
    assert len(told) <= DEAD_AFTER + 4


def test_since_when_it_logs_is_noted_where_nothing_ever_came() -> None:
    begun = {"IsLogging": True, "StartLoggingTime": "2026-01-01T00:00:00Z"}
    answers = {
        "eu-west-1": everybody(Answer(begun)),
        "us-east-1": everybody(Answer({**begun, "LatestDigestDeliveryTime": "2026-01-02T00:00:00Z"})),
    }
    run, _ = asked(answers, targets(1))
    assert {region: row.logging_since for (_, region), row in run.rows.items()} == {
        "eu-west-1": "2026-01-01T00:00:00Z",
        "us-east-1": "",
    }


def test_throttled_call_is_made_again() -> None:
    attempts = []

    def busy(keys: Any, attempt: int) -> Answer:
        attempts.append(attempt)
        return Answer({}, "ThrottlingException", "Rate exceeded", False, 0.001) if attempt < 4 else LOGGING

    _, found = asked({"eu-west-1": busy, "us-east-1": everybody(LOGGING)}, targets(1))
    assert found == {(region, "covered"): 1 for region in REGIONS}
    assert attempts == [1, 2, 3, 4]


def test_keys_of_the_account_are_used() -> None:
    keys = set()

    def remember(given: Any, attempt: int) -> Answer:
        keys.add(given and tuple(given)[:3])
        return LOGGING

    asked(dict.fromkeys(REGIONS, remember), [*targets(1), Target("9" * 12, "", "ACTIVE")])
    assert keys == {("A", "B", "C"), None}


def test_a_row_holds_what_the_status_tells_of_both_deliveries() -> None:
    told = {
        "IsLogging": True,
        "LatestDeliveryTime": "2026-11-24T03:05:00Z",
        "LatestDeliveryError": "AccessDenied",
        "LatestDigestDeliveryTime": "2026-11-24T02:40:00Z",
        "LatestDigestDeliveryError": "NoSuchBucket",
    }
    run, _ = asked(dict.fromkeys(REGIONS, everybody(Answer(told))), targets(1))
    row = run.rows["0" * 12, "us-east-1"]
    assert (row.latest_delivery_time, row.latest_delivery_error) == ("2026-11-24T03:05:00Z", "AccessDenied")
    assert (row.latest_digest_delivery_time, row.latest_digest_delivery_error) == (
        "2026-11-24T02:40:00Z",
        "NoSuchBucket",
    )


def test_an_endpoint_is_dead_after_so_many_calls_in_a_row_without_an_answer() -> None:
    endpoint = Endpoint()
    for _ in range(2):
        for _ in range(DEAD_AFTER - 1):
            endpoint.heard(SILENCE)
        assert not endpoint.dead
        endpoint.heard(LOGGING)
    for _ in range(DEAD_AFTER):
        endpoint.heard(SILENCE)
    assert endpoint.dead


@pytest.mark.parametrize(
    ("answer", "time"),
    [
        (Answer({"Events": [{"EventTime": "2026-11-24T03:01:12Z"}]}), "2026-11-24T03:01:12Z"),
        (Answer({"Events": []}), ""),
        (Answer({}, "AccessDeniedException", "not authorized"), ""),
    ],
    ids=["an event", "no event", "denied"],
)
def test_a_row_holds_the_time_of_the_newest_event(answer: Answer, time: str) -> None:
    logging = dict.fromkeys(REGIONS, everybody(LOGGING))
    run, found = asked(logging, targets(1), events=everybody(answer))
    assert [row.latest_event_time for row in run.rows.values()] == [time] * len(REGIONS)
    assert found == {(region, "covered"): 1 for region in REGIONS}


MANY = dict.fromkeys(targets(9), REGIONS)


def shared(monkeypatch: pytest.MonkeyPatch, processes: int, status: Callable[[Any, int], Answer]) -> CoverageRun:
    """A run in so many processes, also for few accounts. The keys that ``status`` gets have the account's id."""
    monkeypatch.setattr(coverage_run, "SHARE", 1)
    session = boto3.session.Session("a", "b", region_name="us-east-1")
    client = session.client("cloudtrail")
    account = session.client("account")
    run = CoverageRun(
        session.client("sts"),
        lambda _: client,
        parse_trail_arn(ARN),
        "tests",
        threads=8,
        processes=processes,
        account=account,
    )
    run._regions = everybody(has(*REGIONS, "ap-east-1"))
    for region in [*REGIONS, "ap-east-1"]:
        run._endpoint(region).status = status
    run._sts = lambda _keys, attempt, RoleArn, **_: keys_for(RoleArn, AccessKeyId=RoleArn[13:25])
    return run


def mixed(keys: Any, attempt: int) -> Answer:
    number = int(keys.access_key)
    return Answer({}, "AccessDeniedException", f"No {number}", False) if number % 3 else LOGGING


@pytest.mark.parametrize("processes", [2, 3, 8])
def test_any_number_of_processes_finds_the_same(monkeypatch: pytest.MonkeyPatch, processes: int) -> None:
    one, many = shared(monkeypatch, 1, mixed), shared(monkeypatch, processes, mixed)
    for run in (one, many):
        assert run.ask(MANY, time.monotonic() + 60, lambda: None)
    assert many.rows == one.rows
    assert (many.own_regions, many.own_errors, many.calls) == (one.own_regions, one.own_errors, one.calls)
    assert len(many.rows) == 9 * 3


def test_what_one_round_told_is_known_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    run = shared(monkeypatch, 3, mixed)
    for _ in range(2):
        assert run.ask(MANY, time.monotonic() + 60, lambda: None)
    assert run.calls == 9 * (1 + 1 + 3) + 9 * (1 + 2)
    assert len(run.rows) == 9 * 3


@pytest.mark.parametrize("victim", range(9))
def test_a_process_that_is_killed_leaves_no_rows_that_nobody_gave(monkeypatch: pytest.MonkeyPatch, victim: int) -> None:
    def kill(keys: Any, attempt: int) -> Answer:
        if int(keys.access_key) == victim:
            os.kill(os.getpid(), signal.SIGKILL)
        return mixed(keys, attempt)

    run, whole = shared(monkeypatch, 3, kill), shared(monkeypatch, 1, mixed)
    assert whole.ask(MANY, time.monotonic() + 60, lambda: None)
    with pytest.raises(AnsibleOrgTrailError) as caught:
        run.ask(MANY, time.monotonic() + 60, lambda: None)
    text = str(caught.value)
    assert "was killed by signal 9, so " in text
    assert f"{victim:012d}" in text
    assert run.rows.items() <= whole.rows.items()
    lacking = [one.id for one in MANY if any((one.id, region) not in run.rows for region in REGIONS)]
    assert f"so {len(lacking)} accounts are unchecked: {', '.join(lacking)}. " in text
    assert all(f"{one:012d}" not in text for one in range(9) if one % 3 != victim % 3)


def test_a_process_that_is_killed_before_it_asks_in_own_regions_fails_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def kill(keys: Any, attempt: int) -> Answer:
        time.sleep(1.5)  # what was found before was sent
        os.kill(os.getpid(), signal.SIGKILL)
        return LOGGING

    run = shared(monkeypatch, 2, mixed)
    run._endpoint("ap-east-1").status = kill
    with pytest.raises(AnsibleOrgTrailError, match=r"was killed by signal 9, so .* accounts are unchecked: "):
        run.ask(dict.fromkeys(targets(2), REGIONS), time.monotonic() + 60, lambda: None)
    assert all(region in REGIONS for _account, region in run.rows)


def test_a_deadline_ends_all_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(keys: Any, attempt: int) -> Answer:
        time.sleep(60)
        return LOGGING

    run = shared(monkeypatch, 3, slow)
    assert not run.ask(MANY, time.monotonic() + 0.5, lambda: None)
    assert run.rows == {}


@pytest.mark.parametrize(
    ("accounts", "processes", "sizes"),
    [(0, 4, [0]), (99, 4, [99]), (100, 4, [50, 50]), (1001, 4, [251, 250, 250, 250]), (1001, 1, [1001])],
)
def test_shares_of(accounts: int, processes: int, sizes: list[int]) -> None:
    wanted = dict.fromkeys(targets(accounts), REGIONS)
    shares = coverage_run.shares_of(wanted, processes)
    assert [len(share) for share in shares] == sizes
    assert {target: regions for share in shares for target, regions in share.items()} == wanted


def test_many_lost_accounts_are_counted() -> None:
    text = coverage_run.lost_accounts(["was killed by signal 9"], [f"{one:012d}" for one in range(25)])
    assert "so 25 accounts are unchecked: 000000000000, " in text
    assert "000000000019 and 5 more. Nothing is known of them" in text
    none = coverage_run.lost_accounts(["was killed by signal 9"], [])
    assert "so some accounts are unchecked: in regions that only they have enabled. " in none
