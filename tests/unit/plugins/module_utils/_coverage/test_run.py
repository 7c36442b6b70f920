# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The questions that coverage asks, with answers made here instead of AWS's."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from itertools import count
from typing import Any

import boto3
import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import parse_trail_arn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.caller import Answer
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage.run import (
    DEAD_AFTER,
    CoverageRun,
    Endpoint,
    Target,
)

ARN = "arn:aws:cloudtrail:us-east-1:111111111111:trail/default"
REGIONS = ["eu-west-1", "us-east-1"]
LOGGING = Answer({"IsLogging": True})
SILENCE = Answer({}, "", "Could not connect", False)
KEYS = {"AccessKeyId": "A", "SecretAccessKey": "B", "SessionToken": "C"}


def asked(
    answers: dict[str, Callable[[Any, int], Answer]],
    targets: list[Target],
    assume_role: Callable[..., Answer] | None = None,
    events: dict[str, Callable[[Any, int], Answer]] | None = None,
) -> tuple[CoverageRun, Counter[tuple[str, str]]]:
    session = boto3.session.Session("a", "b", region_name="us-east-1")
    clients = dict.fromkeys(REGIONS, session.client("cloudtrail"))
    run = CoverageRun(session.client("sts"), clients, parse_trail_arn(ARN), "tests", threads=4)
    run._status.update(answers)  # type: ignore[arg-type]
    run._events.update(events or {})  # type: ignore[arg-type]
    run._sts = assume_role or (lambda attempt, **_: Answer({"Credentials": KEYS}))  # type: ignore[assignment]
    assert run.ask(dict.fromkeys(targets, REGIONS), time.monotonic() + 60, lambda: None)
    return run, Counter((region, row.status) for (_, region), row in run.rows.items())


def targets(number: int) -> list[Target]:
    return [Target(f"{one:012d}", "", "ACTIVE", "arn:role") for one in range(number)]


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

    def issue(attempt: int, **_: Any) -> Answer:
        return Answer({"Credentials": KEYS | {"AccessKeyId": str(next(issued))}})

    def dead_until_all_were_entered(keys: Any, attempt: int) -> Answer:
        return LOGGING if int(keys.access_key) > 50 else SILENCE

    answers = {"eu-west-1": dead_until_all_were_entered, "us-east-1": everybody(LOGGING)}
    _, found = asked(answers, targets(50), issue)
    assert found["eu-west-1", "covered"] >= 50 - DEAD_AFTER - 4
    assert next(issued) == 1 + 50 + found["eu-west-1", "covered"]


def test_sts_that_dies_before_parked_questions_leaves_nothing_out() -> None:
    issued = count(1)

    def dying(attempt: int, **_: Any) -> Answer:
        return Answer({"Credentials": KEYS}) if next(issued) <= 50 else SILENCE

    _, found = asked({"eu-west-1": everybody(SILENCE), "us-east-1": everybody(LOGGING)}, targets(50), dying)
    assert found == {("us-east-1", "covered"): 50, ("eu-west-1", "unreachable"): 50}


def test_dead_sts() -> None:
    calls = []

    def silent(attempt: int, **_: Any) -> Answer:
        calls.append(attempt)
        return SILENCE

    _, found = asked({}, targets(50), silent)
    assert found == {(region, "unreachable"): 50 for region in REGIONS}
    assert len(calls) <= DEAD_AFTER + 4 + 1


def test_throttled_sts_is_asked_again() -> None:
    def busy(attempt: int, **_: Any) -> Answer:
        granted = Answer({"Credentials": KEYS})
        return granted if attempt > 2 else Answer({}, "Throttling", "Rate exceeded", False, 0.001)

    run, found = asked(dict.fromkeys(REGIONS, everybody(LOGGING)), targets(3), busy)
    assert found == {(region, "covered"): 3 for region in REGIONS}
    assert run.calls == 3 * 3 + 3 * 2


@pytest.mark.parametrize("state", ["SUSPENDED", "CLOSED"])
def test_closed_account_is_not_called(state: str) -> None:
    run, found = asked({}, [Target("1" * 12, "n", state, "arn:role")])
    assert found == {(region, "account_closed"): 1 for region in REGIONS}
    assert run.calls == 0


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
    endpoint = Endpoint("eu-west-1")
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
    run, found = asked(logging, targets(1), events=dict.fromkeys(REGIONS, everybody(answer)))
    assert [row.latest_event_time for row in run.rows.values()] == [time] * len(REGIONS)
    assert found == {(region, "covered"): 1 for region in REGIONS}
