# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks every account for its own trails: one AssumeRole and one ListTrails per account, five reads or so per trail."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from threading import Lock

with suppress(ImportError):  # AnsibleAWSModule says what is missing
    from botocore.credentials import ReadOnlyCredentials

from .._aws.arn import TrailArn, parse_trail_arn
from .._aws.caller import Answer, Caller, Failure
from .._aws.errors import AnsibleOrgTrailError, refuse, sentence
from .._aws.session import answer_refusal
from .._aws.untyped import Client, Structure
from .._aws.whole_answer import unknown_answer, unknown_call
from .._organization.entry import Target, judge_state
from .._work.fanout import Fanout, Later, Task
from .trail import Trail

SESSION_SECONDS = 900  # the least that STS gives; an account is done within seconds
NO_INSIGHTS = "InsightNotEnabledException"
TELL_EVENTS = ("GetEventSelectors", "GetInsightSelectors", "GetEventConfiguration")
"""What tells which events a trail logs. An answer that is not understood as a whole makes no trail redundant."""

DEAD_AFTER = 5
"""So many calls in a row without any answer from an endpoint, and the others are not made."""

Read = tuple[str, Structure]
"""An operation and its parameters."""


@dataclass(slots=True)
class Account:
    """An account that was entered, and what was read of it so far."""

    target: Target
    keys: ReadOnlyCredentials | None
    arns: list[TrailArn] = field(default_factory=list)
    token: str = ""
    attempt: int = 0


@dataclass(slots=True)
class Reading:
    """A trail, and the answers about it so far, by operation."""

    account: Account
    arn: TrailArn
    answers: dict[str, Structure] = field(default_factory=dict)
    attempt: int = 0


class TrailsRun:
    """The questions and the answers so far.

    trails: members' own trails by account. unread: why an account was not looked at, or not all of its trails. calls:
    how many were made.

    sts: a client of STS. cloudtrail: makes a client of CloudTrail for a region; it is called by one thread at a time.
    region: where accounts are asked for their trails of all regions.
    """

    def __init__(
        self, sts: Client, cloudtrail: Callable[[str], Client], region: str, session_name: str, *, threads: int
    ) -> None:
        self._sts = Caller(sts, "AssumeRole")
        self._cloudtrail = cloudtrail
        self._region = region
        self._session_name = session_name
        self._threads = threads
        self._clients: dict[str, Client] = {}
        self._asks: dict[tuple[str, str], Caller] = {}
        self._silent: dict[str, int] = {}
        self._lock = Lock()
        self.trails: dict[str, list[Trail]] = {}
        self.unread: dict[str, str] = {}
        self.calls = 0
        self.done = 0

    def ask(self, targets: Iterable[Target], deadline: float, tick: Callable[[], None]) -> bool:
        """Ask accounts by time.monotonic's ``deadline``; answers whether all were asked."""
        tasks = (partial(self._enter, Account(target, None)) for target in targets)

        def look() -> None:
            with self._lock:
                asked = [self._sts, *self._asks.values()]
            for one in asked:
                one.cut_slow()
            tick()

        return Fanout(tasks, self._threads, deadline).run(look, every=1.0)

    # --- tasks --------------------------------------------------------------------------------------

    def _enter(self, account: Account) -> Iterable[Task]:
        """Assume the account's role, then ask for its trails."""
        target = account.target
        if reason := judge_state(target.state):
            return self._end(target.id, reason)
        if target.role_arn:
            external_id = {"ExternalId": target.external_id} if target.external_id else {}
            request = {
                "RoleArn": target.role_arn,
                "RoleSessionName": self._session_name,
                "DurationSeconds": SESSION_SECONDS,
                **external_id,
            }
            account.attempt += 1
            answer = self._counted("STS", lambda: self._sts(None, account.attempt, **request))
            if not answer.ok:
                failure = Failure("sts:AssumeRole", target.role_arn, answer.code, answer.message)
                return self._end(target.id, str(failure))
            if stranger := answer_refusal(target.role_arn, answer.parsed, target.id):
                return self._end(target.id, stranger)
            given = answer.parsed["Credentials"]
            account.keys = ReadOnlyCredentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
            account.attempt = 0
        return [partial(self._list, account)]

    def _list(self, account: Account) -> Iterable[Task]:
        """ListTrails, page by page. What belongs to another account is the organization's trail, not its own."""
        while True:
            more = {"NextToken": account.token} if account.token else {}
            account.attempt += 1
            answer = self._call(account, self._region, "ListTrails", more, account.attempt)
            if not answer.ok:
                return self._end(account.target.id, failure_of("ListTrails", account.target.id, answer))
            arns = (parse_trail_arn(one["TrailARN"]) for one in answer.parsed["Trails"])
            account.arns += [arn for arn in arns if arn.account_id == account.target.id]
            account.token, account.attempt = answer.parsed.get("NextToken") or "", 0
            if not account.token:
                break
        self.trails[account.target.id] = []
        self.done += 1
        return [partial(self._read, Reading(account, arn)) for arn in account.arns]

    def _read(self, reading: Reading) -> None:
        """All that is read of a trail; after an interruption, from where it was."""
        arn, account = str(reading.arn), reading.account.target.id
        while read := next_read(arn, reading.answers):
            operation, parameters = read
            reading.attempt += 1
            try:
                answer = self._call(reading.account, reading.arn.region, operation, parameters, reading.attempt)
            except AnsibleOrgTrailError as error:
                self.unread.setdefault(account, sentence(error))
                return
            if not answer.ok and answer.code != NO_INSIGHTS:
                self.unread.setdefault(account, failure_of(operation, arn, answer))
                return
            stranger = stranger_problem(operation, arn, answer.parsed if answer.ok else None)
            if problem := stranger or unknown_answer(operation, arn, answer.parsed):
                self.unread.setdefault(account, problem)
                return
            reading.answers[operation], reading.attempt = answer.parsed, 0
        self.trails[account].append(trail_of(reading.arn, reading.answers))

    def _end(self, account: str, reason: str) -> tuple[Task, ...]:
        """Nothing more is asked of an account."""
        self.unread[account] = reason
        self.done += 1
        return ()

    # --- calls --------------------------------------------------------------------------------------

    def _call(self, account: Account, region: str, operation: str, parameters: Structure, attempt: int) -> Answer:
        """One attempt. Raises Later when another one is worth it, and AnsibleOrgTrailError as ``_ask`` does."""
        ask = self._ask(region, operation, parameters)
        return self._counted(f"CloudTrail in {region}", lambda: ask(account.keys, attempt, **parameters))

    def _ask(self, region: str, operation: str, parameters: Structure) -> Caller:
        """The operation in a region, made once for all accounts and trails.

        Raises AnsibleOrgTrailError for one that the installed botocore does not know.
        """
        with self._lock:  # boto3's sessions are not thread-safe
            if region not in self._clients:
                self._clients[region] = self._cloudtrail(region)
            if (region, operation) not in self._asks:
                refuse(unknown_call(self._clients[region], operation, parameters, "a member's trail"))
                whole = operation in TELL_EVENTS
                self._asks[region, operation] = Caller(self._clients[region], operation, notes_unknown=whole)
            return self._asks[region, operation]

    def _counted(self, endpoint: str, call: Callable[[], Answer]) -> Answer:
        """The answer of an endpoint. One that gave none so often is not asked any more."""
        if self._silent.get(endpoint, 0) >= DEAD_AFTER:
            return Answer({}, "", f"{endpoint} does not answer", False)
        answer = call()
        with self._lock:
            self.calls += 1
            self._silent[endpoint] = 0 if answer.ok or answer.code else self._silent.get(endpoint, 0) + 1
        if answer.again_after is not None:
            raise Later(answer.again_after)
        return answer


def failure_of(operation: str, target: str, answer: Answer) -> str:
    """What failed, in one sentence."""
    return str(Failure(f"cloudtrail:{operation}", target, answer.code, answer.message))


def next_read(arn: str, answers: dict[str, Structure]) -> Read | None:
    """What is still to be read of a trail; None when all is known.

    ListTags is asked about one trail at a time (aws-facts 14.3). Aggregations are of data events, so that who logs none
    has none.
    """
    for operation in ("GetTrail", "GetTrailStatus"):
        if operation not in answers:
            return operation, {"Name": arn}
    if "GetEventSelectors" not in answers:
        return "GetEventSelectors", {"TrailName": arn}
    if "ListTags" not in answers:
        return "ListTags", {"ResourceIdList": [arn]}
    if answers["GetTrail"]["Trail"].get("HasInsightSelectors", True) and "GetInsightSelectors" not in answers:
        return "GetInsightSelectors", {"TrailName": arn}
    if logs_data_events(answers["GetEventSelectors"]) and "GetEventConfiguration" not in answers:
        return "GetEventConfiguration", {"TrailName": arn}
    return None


def logs_data_events(selectors: Structure) -> bool:
    """Whether selectors, by an answer of GetEventSelectors, log data events."""
    basic = any(one.get("DataResources") for one in selectors.get("EventSelectors") or [])
    return basic or any(
        "Data" in (part.get("Equals") or [])
        for one in selectors.get("AdvancedEventSelectors") or []
        for part in one.get("FieldSelectors") or []
        if part.get("Field") == "eventCategory"
    )


def stranger_problem(operation: str, arn: str, answer: Structure | None) -> str:
    """Why an answer is not one about a trail, in one sentence; "" for a good one, and for none (None)."""
    if answer is None or operation == "GetTrailStatus":
        return ""
    if operation == "ListTags":
        named = [one.get("ResourceId") for one in answer.get("ResourceTagList") or []]
    else:
        named = [(answer.get("Trail") or answer).get("TrailARN")]
    if named == [arn]:
        return ""
    return f"{operation} of {arn} answered about {', '.join(map(str, named)) or 'no trail'}, expected {arn}."


def trail_of(arn: TrailArn, answers: dict[str, Structure]) -> Trail:
    """The trail of the answers."""
    tags = (tag for one in answers["ListTags"]["ResourceTagList"] for tag in one.get("TagsList") or [])
    return Trail(
        arn,
        answers["GetTrail"]["Trail"],
        answers["GetEventSelectors"],
        answers.get("GetInsightSelectors", {}).get("InsightSelectors") or (),
        answers.get("GetEventConfiguration", {}).get("AggregationConfigurations") or (),
        bool(answers["GetTrailStatus"].get("IsLogging")),
        {tag["Key"]: tag.get("Value", "") for tag in tags},
    )


def own_trails(run: TrailsRun) -> Iterator[Trail]:
    """The trails that were read, in the order of account and ARN."""
    for account in sorted(run.trails):
        yield from sorted(run.trails[account], key=lambda trail: str(trail.arn))
