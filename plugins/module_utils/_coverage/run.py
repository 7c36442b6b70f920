# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks every account in every region about one trail: one AssumeRole per account, one GetTrailStatus per region."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Any

with suppress(ImportError):  # AnsibleAWSModule says what is missing
    from botocore.credentials import ReadOnlyCredentials

from .._aws.arn import TrailArn
from .._aws.caller import Answer, Caller, ClientCaller
from .._aws.untyped import Client
from .._work.fanout import Fanout, Later, Task
from .rows import Failure, Row, judge_failure, judge_state, judge_status

SESSION_SECONDS = 900  # the least that STS gives; an account is done within seconds
DEAD_AFTER = 5
"""So many accounts in a row without any answer from an endpoint, and the others wait for the end of the run."""


Parked = Callable[..., Any]
"""A task that was not done because its endpoint seems dead; with ``given_up=True`` it only notes that."""


@dataclass(frozen=True, slots=True)
class Target:
    """An account to ask. Without ``role_arn`` it is the caller's own account."""

    id: str
    name: str
    state: str
    role_arn: str = ""
    external_id: str = ""


@dataclass
class Endpoint:
    """A region's CloudTrail (or STS), and whether it answers."""

    name: str
    silent: int = 0
    parked: list[Parked] = field(default_factory=list)

    @property
    def dead(self) -> bool:
        return self.silent >= DEAD_AFTER

    def heard(self, answer: Answer) -> None:
        """Remember whether the last call got any answer."""
        self.silent = 0 if answer.ok or answer.code else self.silent + 1


class CoverageRun:
    """The questions and the answers so far: ``rows`` by account and region, ``calls`` in all.

    sts: a client of STS. clients: a client of CloudTrail for each region. event_history: also look for the newest
    event of each account and region (aws-facts 4.7).
    """

    def __init__(
        self,
        sts: Client,
        clients: Mapping[str, Client],
        trail: TrailArn,
        session_name: str,
        *,
        threads: int,
        event_history: bool = False,
    ) -> None:
        self._sts = ClientCaller(sts, "AssumeRole")
        self._session_name = session_name
        self._threads = threads
        self._status = {region: Caller(client, "GetTrailStatus", Name=str(trail)) for region, client in clients.items()}
        self._events: dict[str, Caller] = {}
        if event_history:
            self._events = {region: Caller(client, "LookupEvents", MaxResults=1) for region, client in clients.items()}
        self._endpoints = {region: Endpoint(region) for region in clients}
        self._entrance = Endpoint("sts")
        self.trail = trail
        self.rows: dict[tuple[str, str], Row] = {}
        self.calls = 0
        self._lock = Lock()

    def ask(self, wanted: Mapping[Target, Iterable[str]], deadline: float, tick: Callable[[], None]) -> bool:
        """Ask accounts in the given regions, by time.monotonic's ``deadline``; answers whether all were asked.

        Endpoints that give no answer are left for last and then tried once more, so that they hold nobody up.
        """
        tasks = (partial(self._enter, Entry(target, tuple(regions))) for target, regions in wanted.items())
        complete = self._run(tasks, deadline, tick)
        endpoints = (self._entrance, *self._endpoints.values())
        while complete and (endpoint := next((one for one in endpoints if one.parked), None)):
            probe, endpoint.parked = endpoint.parked[:1], endpoint.parked[1:]
            endpoint.silent = DEAD_AFTER - 1
            complete = self._run(probe, deadline, tick)
            rest, endpoint.parked = endpoint.parked, []
            if endpoint.dead:
                self._give_up(rest)
            else:
                complete = complete and self._run(rest, deadline, tick)
        return complete

    def _run(self, tasks: Iterable[Task], deadline: float, tick: Callable[[], None]) -> bool:
        return Fanout(tasks, self._threads, deadline).run(tick, every=1.0)

    def _give_up(self, tasks: Iterable[Parked]) -> None:
        """Rows for what was parked at an endpoint that still does not answer."""
        for task in tasks:
            task(given_up=True)

    # --- tasks --------------------------------------------------------------------------------------

    def _enter(self, entry: Entry, given_up: bool = False) -> Iterator[Task] | None:
        """Assume the account's role, then ask in each region."""
        target, regions = entry.target, entry.regions
        if reason := judge_state(target.state):
            self._fill(target, regions, "account_closed", reason)
            return None
        if not target.role_arn:
            return self._asks(target, regions, None)
        if self._entrance.dead and not given_up:
            self._entrance.parked.append(partial(self._enter, entry))
            return None
        if given_up:
            answer = Answer({}, "", "STS does not answer", False)
        else:
            answer = self._assume(entry)
            self._entrance.heard(answer)
        if not answer.ok:
            failure = Failure("sts:AssumeRole", target.role_arn, answer.code, answer.message)
            self._fill(target, regions, *judge_failure(failure), code=answer.code)
            return None
        given = answer.parsed["Credentials"]
        keys = ReadOnlyCredentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        return self._asks(target, regions, keys)

    def _assume(self, entry: Entry) -> Answer:
        """One attempt to assume the account's role. Raises Later when another one is worth it."""
        entry.attempt += 1
        external_id = {"ExternalId": entry.target.external_id} if entry.target.external_id else {}
        return self._counted(
            self._sts(
                entry.attempt,
                RoleArn=entry.target.role_arn,
                RoleSessionName=self._session_name,
                DurationSeconds=SESSION_SECONDS,
                **external_id,
            )
        )

    def _asks(self, target: Target, regions: tuple[str, ...], keys: ReadOnlyCredentials | None) -> Iterator[Task]:
        return (partial(self._ask, Question(target, region, keys)) for region in regions)

    def _ask(self, question: Question, given_up: bool = False) -> Iterable[Task] | None:
        """GetTrailStatus in one account and region."""
        target, region = question.target, question.region
        endpoint = self._endpoints[region]
        if endpoint.dead and not given_up:
            endpoint.parked.append(partial(self._ask_again, question))
            return None
        if given_up:
            answer = Answer({}, "", f"CloudTrail in {region} does not answer", False)
        else:
            answer = self._call(self._status[region], question)
            endpoint.heard(answer)
        self._note(question, answer)
        if answer.ok and self._events:
            return [partial(self._look_up, Question(target, region, question.keys))]
        return None

    def _ask_again(self, question: Question, given_up: bool = False) -> Iterable[Task] | None:
        """Ask what was parked, with new keys: in a long run the old ones have expired."""
        if given_up:
            return self._ask(question, given_up=True)
        return self._enter(Entry(question.target, (question.region,)))

    def _look_up(self, question: Question) -> None:
        """LookupEvents in one account and region, for the time of the newest event."""
        answer = self._call(self._events[question.region], question)
        row = self.rows[question.target.id, question.region]
        events = answer.parsed.get("Events") if answer.ok else None
        row.latest_event_time = events[0]["EventTime"] if events else ""

    def _call(self, caller: Caller, question: Question) -> Answer:
        """One attempt to ask. Raises Later when another one is worth it."""
        question.attempt += 1
        return self._counted(caller(question.keys, question.attempt))

    def _counted(self, answer: Answer) -> Answer:
        with self._lock:
            self.calls += 1
        if answer.again_after is not None:
            raise Later(answer.again_after)
        return answer

    # --- rows ---------------------------------------------------------------------------------------

    def _note(self, question: Question, answer: Answer) -> None:
        target, region = question.target, question.region
        row = Row(target.id, target.name, region, "")
        if answer.ok:
            row.status, row.reason = judge_status(answer.parsed)
            row.latest_delivery_time = answer.parsed.get("LatestDeliveryTime") or ""
            row.latest_delivery_error = answer.parsed.get("LatestDeliveryError") or ""
            row.latest_digest_delivery_time = answer.parsed.get("LatestDigestDeliveryTime") or ""
            row.latest_digest_delivery_error = answer.parsed.get("LatestDigestDeliveryError") or ""
        else:
            failure = Failure("cloudtrail:GetTrailStatus", str(self.trail), answer.code, answer.message)
            row.status, row.reason = judge_failure(failure)
            row.error_code = answer.code
        self.rows[target.id, region] = row

    def _fill(self, target: Target, regions: Iterable[str], status: str, reason: str, code: str = "") -> None:
        """The same row in every region of an account that cannot be entered."""
        for region in regions:
            self.rows[target.id, region] = Row(target.id, target.name, region, status, reason, code)


@dataclass(slots=True)
class Entry:
    """An account to enter, and how often it was tried."""

    target: Target
    regions: tuple[str, ...]
    attempt: int = 0


@dataclass(slots=True)
class Question:
    """A call to make in one account and region, and how often it was tried."""

    target: Target
    region: str
    keys: ReadOnlyCredentials | None
    attempt: int = 0
