# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks every account in every region about one trail: one AssumeRole per account, one GetTrailStatus per region.

An account may be asked for its own regions, too: one ListRegions per account.

Many accounts are shared among processes, each of which asks about its own accounts alone and sends on what it found.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter
from sys import intern
from threading import Lock
from typing import Any

with suppress(ImportError):  # AnsibleAWSModule says what is missing
    from botocore.credentials import ReadOnlyCredentials

from .._aws.account import ENABLED
from .._aws.arn import TrailArn
from .._aws.caller import Answer, Caller, Failure
from .._aws.errors import AnsibleOrgTrailError
from .._aws.session import answer_refusal
from .._aws.untyped import Client
from .._organization.entry import Target, judge_state
from .._work.fanout import Fanout, Later, Task
from .._work.processes import Send, run_all
from .rows import Row, judge_failure, judge_status

SESSION_SECONDS = 900  # the least that STS gives; an account is done within seconds
LIST_REGIONS = "account:ListRegions"
PAGE = 50  # the most regions that ListRegions answers at once; no partition has so many
DEAD_AFTER = 5
"""So many accounts in a row without any answer from an endpoint, and the others wait for the end of the run."""

SHARE = 50
"""So many accounts at least are worth a process of their own."""

TICK = 1.0
"""Seconds between two looks at progress, at slow answers, and at what a process has to send."""

NAMED = 20
"""So many accounts that were not asked are named in a sentence."""

Parked = Callable[..., Any]
"""A task that was not done because its endpoint seems dead; with ``given_up=True`` it only notes that."""


Ask = Callable[["ReadOnlyCredentials | None", int], Answer]
"""One attempt at a call with an account's keys; the number of the attempt."""


@dataclass
class Endpoint:
    """A service in a region, and whether it answers."""

    silent: int = 0
    parked: list[Parked] = field(default_factory=list)

    @property
    def dead(self) -> bool:
        return self.silent >= DEAD_AFTER

    def heard(self, answer: Answer) -> None:
        """Remember whether the last call got any answer."""
        self.silent = 0 if answer.ok or answer.code else self.silent + 1


@dataclass
class Region(Endpoint):
    """A region's CloudTrail and the questions to it; ``events`` where the newest event is asked for, too."""

    status: Ask = field(kw_only=True)
    events: Ask | None = None


class CoverageRun:
    """The questions and the answers so far: ``rows`` by account and region, ``calls`` in all.

    ``own_regions`` are the regions that accounts have enabled by their own word, and ``own_errors`` why accounts did
    not tell them.

    sts: a client of STS. cloudtrail: makes a client of CloudTrail for a region; it is called by one thread at a time.
    account: a client of AWS Account Management, where accounts are to be asked for their own regions; those that are
    not among the wanted ones are asked as well. event_history: also look for the newest event of each account and
    region (aws-facts 4.7). threads: the most calls at the same time, in all processes.
    """

    def __init__(
        self,
        sts: Client,
        cloudtrail: Callable[[str], Client],
        trail: TrailArn,
        session_name: str,
        *,
        threads: int,
        processes: int = 1,
        account: Client | None = None,
        event_history: bool = False,
    ) -> None:
        self._callers: list[Caller] = []
        self._sts: Callable[..., Answer] = self._caller(sts, "AssumeRole")
        self._session_name = session_name
        self._threads = threads
        self._processes = processes
        self._cloudtrail = cloudtrail
        self._event_history = event_history
        self._regions: Ask | None = (
            self._caller(account, "ListRegions", RegionOptStatusContains=list(ENABLED), MaxResults=PAGE)
            if account
            else None
        )
        self._told: set[str] = set()
        self._account = Endpoint()
        self._endpoints: dict[str, Region] = {}
        self._entrance = Endpoint()
        self.trail = trail
        self.rows: dict[tuple[str, str], Row] = {}
        self.own_regions: dict[str, frozenset[str]] = {}
        self.own_errors: dict[str, str] = {}
        self.calls = 0
        self._lock = Lock()

    def ask(self, wanted: Mapping[Target, Iterable[str]], deadline: float, tick: Callable[[], None]) -> bool:
        """Ask accounts in the given regions, by time.monotonic's ``deadline``; answers whether all were asked.

        Raises AnsibleOrgTrailError when a process that asked ended early: it names the accounts that were not asked.
        """
        self._told |= self.own_regions.keys() | self.own_errors.keys()
        shares = shares_of(wanted, self._processes)
        if len(shares) < 2:
            return self._ask_all(wanted, deadline, tick)
        for region in {region for regions in wanted.values() for region in regions}:
            self._endpoint(region)  # its client is made once, for all processes
        self._threads, threads = max(1, self._threads // len(shares)), self._threads
        complete: list[bool] = []
        works = [partial(self._ask_share, share, deadline) for share in shares]
        lost = run_all(works, partial(self._receive, complete), deadline, tick, TICK)
        self._threads = threads
        if len(complete) < len(shares):
            raise AnsibleOrgTrailError(lost_accounts(lost, unasked(wanted, self.rows)))
        return all(complete)

    def _ask_all(self, wanted: Mapping[Target, Iterable[str]], deadline: float, tick: Callable[[], None]) -> bool:
        """Ask in this process.

        Endpoints that give no answer are left for last and then tried once more, so that they hold nobody up.
        """
        tasks = (partial(self._enter, Entry(target, tuple(regions))) for target, regions in wanted.items())
        complete = self._run(tasks, deadline, tick)
        while complete and (endpoint := next((one for one in self._all_endpoints() if one.parked), None)):
            probe, endpoint.parked = endpoint.parked[:1], endpoint.parked[1:]
            endpoint.silent = DEAD_AFTER - 1
            complete = self._run(probe, deadline, tick)
            rest, endpoint.parked = endpoint.parked, []
            if endpoint.dead:
                self._give_up(rest)
            else:
                complete = complete and self._run(rest, deadline, tick)
        return complete

    def _ask_share(self, share: Mapping[Target, Iterable[str]], deadline: float, send: Send) -> None:
        """In a process of its own: ask, and send on what was found since the last time."""
        self._take()  # what is there is known where it is sent to
        complete = self._ask_all(share, deadline, lambda: send((self._take(), None)))
        send((self._take(), complete))

    def _take(self) -> Found:
        """What was found since the last time."""
        with self._lock:
            found = [values(row) for row in self.rows.values()], self.own_regions, self.own_errors, self.calls
            self.rows, self.own_regions, self.own_errors, self.calls = {}, {}, {}, 0
        return found

    def _receive(self, complete: list[bool], sent: tuple[Found, bool | None]) -> None:
        """Take in what a process found, and at its end whether that is all."""
        (rows, own_regions, own_errors, calls), ended = sent
        for one in rows:
            row = Row(*one)
            for name in SHARED:
                setattr(row, name, intern(getattr(row, name)))
            self.rows[row.account_id, row.region] = row
        self.own_regions |= own_regions
        self.own_errors |= own_errors
        self.calls += calls
        if ended is not None:
            complete.append(ended)

    def _caller(self, client: Client, operation: str, **parameters: Any) -> Caller:
        caller = Caller(client, operation, **parameters)
        self._callers.append(caller)
        return caller

    def _all_endpoints(self) -> tuple[Endpoint, ...]:
        return self._entrance, *self._endpoints.values()

    def _endpoint(self, region: str) -> Region:
        """The region's endpoint, made when the first account is asked there."""
        with self._lock:  # boto3's sessions are not thread-safe
            if region not in self._endpoints:
                client = self._cloudtrail(region)
                status = self._caller(client, "GetTrailStatus", Name=str(self.trail))
                events = self._caller(client, "LookupEvents", MaxResults=1) if self._event_history else None
                self._endpoints[region] = Region(status=status, events=events)
            return self._endpoints[region]

    def _run(self, tasks: Iterable[Task], deadline: float, tick: Callable[[], None]) -> bool:
        def look() -> None:
            for caller in self._callers:
                caller.cut_slow()
            tick()

        return Fanout(tasks, self._threads, deadline).run(look, every=TICK)

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
        if stranger := answer_refusal(target.role_arn, answer.parsed, target.id):
            self._fill(target, regions, "denied", stranger)
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
                None,
                entry.attempt,
                RoleArn=entry.target.role_arn,
                RoleSessionName=self._session_name,
                DurationSeconds=SESSION_SECONDS,
                **external_id,
            )
        )

    def _asks(self, target: Target, regions: Iterable[str], keys: ReadOnlyCredentials | None) -> Iterator[Task]:
        if self._regions and target.id not in self._told:
            yield partial(self._list_regions, self._regions, Question(target, "", keys), frozenset(regions))
        for region in regions:
            yield partial(self._ask, Question(target, region, keys))

    def _list_regions(self, ask: Ask, question: Question, asked: frozenset[str]) -> Iterable[Task] | None:
        """ListRegions in one account, and then the question in those that are not asked anyway (aws-facts 4.9)."""
        target = question.target
        if self._account.dead:
            answer = Answer({}, "", "AWS Account Management does not answer", False)
        else:
            answer = self._call(ask, question)
            self._account.heard(answer)
        self._told.add(target.id)
        if not answer.ok:
            with self._lock:
                self.own_errors[target.id] = str(Failure(LIST_REGIONS, target.id, answer.code, answer.message))
            return None
        own = frozenset(region["RegionName"] for region in answer.parsed["Regions"])
        with self._lock:
            self.own_regions[target.id] = own
        return self._asks(target, sorted(own - asked), question.keys)

    def _ask(self, question: Question, given_up: bool = False) -> Iterable[Task] | None:
        """GetTrailStatus in one account and region."""
        target, region = question.target, question.region
        endpoint = self._endpoint(region)
        if endpoint.dead and not given_up:
            endpoint.parked.append(partial(self._ask_again, question))
            return None
        if given_up:
            answer = Answer({}, "", f"CloudTrail in {region} does not answer", False)
        else:
            answer = self._call(endpoint.status, question)
            endpoint.heard(answer)
        row = self._row(question, answer)
        self._put(row)
        if answer.ok and endpoint.events:
            return [partial(self._look_up, endpoint.events, Question(target, region, question.keys), row)]
        return None

    def _ask_again(self, question: Question, given_up: bool = False) -> Iterable[Task] | None:
        """Ask what was parked, with new keys: in a long run the old ones have expired."""
        if given_up:
            return self._ask(question, given_up=True)
        return self._enter(Entry(question.target, (question.region,)))

    def _look_up(self, ask: Ask, question: Question, row: Row) -> None:
        """LookupEvents in one account and region, for the time of the newest event."""
        answer = self._call(ask, question)
        events = answer.parsed.get("Events") if answer.ok else None
        row.latest_event_time = events[0]["EventTime"] if events else ""
        self._put(row)

    def _call(self, ask: Ask, question: Question) -> Answer:
        """One attempt to ask. Raises Later when another one is worth it."""
        question.attempt += 1
        return self._counted(ask(question.keys, question.attempt))

    def _counted(self, answer: Answer) -> Answer:
        with self._lock:
            self.calls += 1
        if answer.again_after is not None:
            raise Later(answer.again_after)
        return answer

    # --- rows ---------------------------------------------------------------------------------------

    def _put(self, row: Row) -> None:
        with self._lock:
            self.rows[row.account_id, row.region] = row

    def _row(self, question: Question, answer: Answer) -> Row:
        target, region = question.target, question.region
        row = Row(target.id, target.name, region, "")
        if answer.ok:
            row.status, row.reason = judge_status(answer.parsed)
            row.latest_delivery_time = answer.parsed.get("LatestDeliveryTime") or ""
            row.latest_delivery_error = answer.parsed.get("LatestDeliveryError") or ""
            row.latest_digest_delivery_time = answer.parsed.get("LatestDigestDeliveryTime") or ""
            row.latest_digest_delivery_error = answer.parsed.get("LatestDigestDeliveryError") or ""
            if not row.delivered:
                row.logging_since = answer.parsed.get("StartLoggingTime") or ""
        else:
            failure = Failure("cloudtrail:GetTrailStatus", str(self.trail), answer.code, answer.message)
            row.status, row.reason = judge_failure(failure)
            row.error_code = answer.code
        return row

    def _fill(self, target: Target, regions: Iterable[str], status: str, reason: str, code: str = "") -> None:
        """The same row in every region of an account that cannot be entered."""
        for region in regions:
            self._put(Row(target.id, target.name, region, status, reason, code))


SHARED = ("account_id", "account_name", "region", "status", "reason")
"""Members of rows that many rows have in common, so that each text is in memory once."""

values = attrgetter(*Row.__slots__)
"""A row as a tuple, which is quick to send."""

Found = tuple[list[tuple[Any, ...]], dict[str, frozenset[str]], dict[str, str], int]
"""Rows as tuples, own regions, own errors and calls."""


def shares_of(wanted: Mapping[Target, Iterable[str]], processes: int) -> list[dict[Target, Iterable[str]]]:
    """The accounts in so many shares of the same size, or fewer where a process is not worth it."""
    number = max(1, min(processes, len(wanted) // SHARE))
    items = list(wanted.items())
    return [dict(items[first::number]) for first in range(number)]


def unasked(wanted: Mapping[Target, Iterable[str]], rows: Collection[tuple[str, str]]) -> list[str]:
    """The ids of accounts that lack a row in one of their regions, in order."""
    return [
        target.id for target, regions in wanted.items() if any((target.id, region) not in rows for region in regions)
    ]


def lost_accounts(lost: Sequence[str], left: Sequence[str]) -> str:
    """The sentence about accounts that were left when processes ended early."""
    more = f" and {len(left) - NAMED} more" if len(left) > NAMED else ""
    named = ", ".join(left[:NAMED]) or "in regions that only they have enabled"
    return (
        f"A process that asks accounts {lost[0]}, so {len(left) or 'some'} accounts are unchecked: {named}{more}. "
        "Nothing is known of them, and no result was written. Run again; where memory is short, set max_processes to 1."
    )


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
