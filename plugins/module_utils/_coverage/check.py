# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cloudtrail_coverage_info does: which accounts and regions, ask, wait, settle, and the result."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .._aws.account import list_regions
from .._aws.arn import TrailArn
from .._aws.cloudtrail import get_trail, lookup_events
from .._aws.errors import AnsibleOrgTrailError, refuse
from .._aws.log_place import LogPlace
from .._aws.organizations import describe_organization
from .._aws.session import Session
from .._aws.untyped import Client, Structure
from .._drift.events import request_of
from .._organization.accounts import Account
from .._organization.entry import GivenAccount, Target, target_of
from .._organization.reader import Paces, read_organization
from .._work.files import write_whole
from .._work.options import Result
from .._work.processes import default_processes
from .._work.progress import Progress
from .._work.reads import Reads, read_all
from .._work.times import NEVER, now_text, time_text
from .delivery import DeliveryProbe
from .events import EventsRead, read_events
from .options import CoverageOptions
from .rows import (
    PROPAGATION,
    Known,
    Row,
    count,
    is_silent,
    judge_delivery,
    region_disabled_by_own_word,
    settle,
    without_files,
)
from .run import CoverageRun
from .scope import Scope, region_refusal, scope_of
from .statuses import HEALED_BY_WAITING, NOT_COUNTED, QUIET

MINUTE = 60.0
FORMAT = 1
TIMEOUTS: dict[str, Any] = {"connect_timeout": 5, "read_timeout": 15}
POOL = 64
"""Connections that botocore keeps for a client, and calls to S3 at the same time."""
ONCE = {"total_max_attempts": 1}
"""botocore's own retries are off: `caller` decides about another try, without holding a thread."""


@dataclass
class Coverage:
    """What was found: rows in the order of account and region, and how the search went.

    own_errors: why accounts did not tell which regions they have enabled, by account. checked_by: ARN of who asked.
    """

    trail: TrailArn
    checked_by: str
    scope: Scope
    events: EventsRead
    accounts: list[Account]
    regions: list[str]
    rows: list[Row]
    own_errors: Mapping[str, str]
    calls: int
    seconds: float
    complete: bool


@dataclass
class Times:
    """By time.monotonic: when it must end, until when to wait for coverage."""

    deadline: float
    wait_until: float


def check_coverage(session: Session, options: CoverageOptions) -> Coverage:
    """Do what the module's options ask for. Raises AnsibleAWSError for what concerns all accounts."""
    start = time.monotonic()
    trail = options.trail_arn
    scope, accounts, events = read_first(session, options)
    wanted = dict.fromkeys(targets_of(session, accounts, options), scope.regions)
    probe = new_probe(session, options)
    run = new_run(session, options)
    path = options.progress_path
    progress = Progress(path, "coverage", len(accounts) * len(scope.regions), lambda: len(run.rows))
    deadline = start + options.deadline_minutes * MINUTE
    times = Times(deadline, min(deadline, start + options.wait_minutes * MINUTE))
    if scope.enabled is not None:
        run.own_regions[session.account_id] = frozenset(scope.enabled)
    known = Known(
        trail.region,
        options.trail_changed_at,
        {one.account.id: one.account.joined_at for one in accounts},
        run.own_regions,
        events.logged,
    )
    rows, complete, known = ask_until_covered(session, trail, run, wanted, known, times, progress, options)
    if probe and complete:
        places = rows_to_probe(rows)
        progress = Progress(path, "files in the bucket", len(places), lambda: probe.looked)
        complete = probe.look(places, min(POOL, options.max_concurrency), deadline, progress.tick)
        rows = judge_silence(session, trail, rows, known) if complete else rows
    return Coverage(
        trail,
        session.arn,
        scope,
        events,
        [one.account for one in accounts],
        sorted({*scope.regions, *(row.region for row in rows)}),
        rows,
        run.own_errors,
        run.calls,
        round(time.monotonic() - start, 1),
        complete,
    )


def ask_until_covered(
    session: Session,
    trail: TrailArn,
    run: CoverageRun,
    wanted: Mapping[Target, Iterable[str]],
    known: Known,
    times: Times,
    progress: Progress,
    options: CoverageOptions,
) -> tuple[list[Row], bool, Known]:
    """Ask, and ask again what waiting may heal until the user's patience ends.

    Answers settled rows; whether all were asked; and what is known, with the trail's change where it was looked for.
    """
    everybody = list(wanted)
    while True:
        complete = run.ask(wanted, times.deadline, progress.tick)
        if complete and (left := own_regions_left(run, everybody)):
            complete = run.ask(left, times.deadline, progress.tick)
        rows = list(run.rows.values())
        now = datetime.now(UTC)
        if not known.changed_at and any(row.status == "missing" or is_silent(row, now, NEVER) for row in rows):
            known = replace(known, changed_at=find_change(session, trail))
        rows = settle(rows, now, known)
        wanted = still_wanted(everybody, rows)
        rest = min(options.wait_interval, times.wait_until - time.monotonic())
        if not wanted or not complete or rest <= 0:
            return rows, complete, known
        progress.say(
            f"coverage: waiting for {sum(len(list(regions)) for regions in wanted.values())} accounts' regions"
        )
        time.sleep(rest)


def own_regions_left(run: CoverageRun, targets: Iterable[Target]) -> dict[Target, list[str]]:
    """Where to ask for regions that only some accounts have enabled: in accounts that did not tell their own.

    The others get a row there by their own word.
    """
    regions = sorted({region for _account, region in run.rows})
    left: dict[Target, list[str]] = {}
    for target in targets:
        own = run.own_regions.get(target.id)
        for region in regions:
            if (target.id, region) in run.rows:
                continue
            if own is None:
                left.setdefault(target, []).append(region)
            else:
                run.rows[target.id, region] = region_disabled_by_own_word(target.id, target.name, region)
    return left


def judge_silence(session: Session, trail: TrailArn, rows: list[Row], known: Known) -> list[Row]:
    """Rows after the bucket was searched; accounts without any file are excused while they or the trail are young."""
    silent = without_files(rows)
    if silent and not known.changed_at:
        known = replace(known, changed_at=find_change(session, trail))
    now = datetime.now(UTC)
    return judge_delivery(rows, [one for one in silent if now - known.youngest(one) >= PROPAGATION])


def read_first(session: Session, options: CoverageOptions) -> tuple[Scope, list[GivenAccount], EventsRead]:
    """What the caller's account tells before any other is entered, read at once.

    The scope; the accounts to ask, sorted by id; what the trail's event selectors log. Raises AnsibleOrgTrailError for
    regions that do not exist.
    """
    client = session.client("account")
    home = session.client("cloudtrail", options.trail_arn.region)
    reads: Reads = {
        "states": partial(read_states, client, may_fail=bool(options.regions)),
        "events": partial(read_events, home, options.trail_arn),
    }
    if options.accounts is None:
        organizations = session.client("organizations")
        reads["organization"] = partial(read_organization, organizations, Paces(), names=options.ou_names)
    partition, known = session.partition, session.known_regions("cloudtrail")
    if region_refusal(options.regions, known, partition):  # AWS may know regions that botocore does not
        states = read_states(client, may_fail=True)
        refuse(region_refusal(options.regions, [*known, *(states or ())], partition))
    answers = read_all(reads)
    accounts = options.accounts
    if accounts is None:
        accounts = [GivenAccount(one) for one in answers["organization"].accounts]
    given = options.accounts is not None
    scope = scope_of(options.regions, answers["states"], options.trail_arn.region, accounts_given=given)
    return scope, accounts, answers["events"]


def read_states(client: Client, may_fail: bool) -> dict[str, str] | None:
    """The regions of the caller's account and their states; None where they may not be told, if that may be."""
    try:
        return list_regions(client)
    except AnsibleAWSError:
        if may_fail:
            return None
        raise


def targets_of(session: Session, accounts: Iterable[GivenAccount], options: CoverageOptions) -> Iterator[Target]:
    """How to enter each account."""
    own, partition = session.account_id, session.partition
    for one in accounts:
        yield target_of(
            one, own, partition, options.role_arn_pattern, options.role_name, options.role_external_id or ""
        )


def new_run(session: Session, options: CoverageOptions) -> CoverageRun:
    """A run in as many processes as are useful; it asks for members' own regions unless some are given."""
    settings = {"max_pool_connections": POOL, "retries": ONCE, **TIMEOUTS}

    def client(service: str, region: str) -> Client:
        return session.regional_clients(service, [region], **settings)[region]

    return CoverageRun(
        session.regional_sts(**settings),
        partial(client, "cloudtrail"),
        options.trail_arn,
        options.assume_role_session_name,
        threads=options.max_concurrency,
        processes=options.max_processes or default_processes(),
        account=None if options.regions else client("account", session.region),
        event_history=options.event_history,
    )


def new_probe(session: Session, options: CoverageOptions) -> DeliveryProbe | None:
    """What looks into the trail's bucket, when it is asked for. Raises AnsibleAWSError when it may not."""
    if options.log_delivery == "none":
        return None
    trail = options.trail_arn
    settings = get_trail(session.client("cloudtrail", trail.region), str(trail))
    organization = describe_organization(session.client("organizations"))
    there = session
    if options.log_archive_role_arn:
        there = session.assume(options.log_archive_role_arn, options.log_archive_role_external_id)
    place = LogPlace(settings["S3BucketName"], trail, organization.id, settings.get("S3KeyPrefix") or "")
    s3 = there.regional_clients("s3", [there.region], max_pool_connections=POOL, **TIMEOUTS)
    keys = partial(session.client, "cloudtrail") if options.log_delivery == "digest" else None
    probe = DeliveryProbe(s3[there.region], place, there.account_id, datetime.now(UTC), keys)
    probe.check_access()
    return probe


def rows_to_probe(rows: Iterable[Row]) -> list[Row]:
    """Rows of accounts and regions that files may have come from."""
    return [row for row in rows if row.status not in NOT_COUNTED]


def still_wanted(targets: Iterable[Target], rows: Iterable[Row]) -> dict[Target, list[str]]:
    """What is worth asking again when the user waits for coverage."""
    regions: dict[str, list[str]] = {}
    for row in rows:
        if row.status in HEALED_BY_WAITING:
            regions.setdefault(row.account_id, []).append(row.region)
    return {target: regions[target.id] for target in targets if target.id in regions}


def find_change(session: Session, trail: TrailArn) -> str:
    """When the trail was created or became an organization trail within a day, from event history; else "".

    Only the trail's owner has that history (aws-facts 4.7); a caller who may not read it knows no time.
    """
    if session.account_id != trail.account_id:
        return ""
    client = session.client("cloudtrail", trail.region)
    since = datetime.now(UTC) - PROPAGATION - timedelta(minutes=15)
    times: list[datetime] = []
    for name in ("UpdateTrail", "CreateTrail"):
        with suppress(AnsibleAWSError):
            times += [event["EventTime"] for event in lookup_events(client, name, since) if is_change(event, trail)]
    return time_text(max(times)) if times else ""


def is_change(event: Structure, trail: TrailArn) -> bool:
    """Whether an event made the trail an organization trail."""
    asked = request_of(event) or {}
    return asked.get("name") in (trail.name, str(trail)) and bool(asked.get("isOrganizationTrail"))


# --- result -----------------------------------------------------------------------------------------


def summarize(found: Coverage, options: CoverageOptions) -> Result:
    """The module's result; with ``output_path`` the long lists are in that file instead."""
    document = describe(found)
    exceptions = [row.to_dict() for row in found.rows if row.status not in QUIET]
    limit = options.max_exceptions
    result = {
        "changed": False,
        "summary": document["summary"],
        "scope": document["scope"],
        "management_events": document["management_events"],
        "regions": found.regions,
        "exceptions": exceptions[:limit],
        "exceptions_cut": max(0, len(exceptions) - limit),
    }
    if options.output_path:
        write_document(options.output_path, document, found.rows)
        return {**result, "output_path": str(options.output_path)}
    return {**result, "accounts": document["accounts"], "coverage": [row.to_dict() for row in found.rows]}


def warnings_of(found: Coverage) -> list[str]:
    """A sentence for each thing that was to be looked at and could not be, or that no status tells."""
    sentences = []
    if errors := [row.log_delivery_error for row in found.rows if row.log_delivery_error]:
        unread = f"The log files of {len(errors)} accounts' regions could not be read"
        sentences.append(f"{unread}, so the status says nothing of them: {errors[0]}")
    if found.own_errors:
        unasked = f"{len(found.own_errors)} accounts did not tell which regions they have enabled"
        first = next(iter(found.own_errors.values()))
        sentences.append(f"{unasked}, so regions that only they have enabled were not asked: {first}")
    if found.events.logged is None:
        sentences.append(f"Which events the trail logs could not be read: {found.events.error}")
    elif not found.events.logged.all:
        sentences.append(f"The trail logs {found.events.logged}.")
    return sentences


def describe(found: Coverage) -> Result:
    """The document without its rows."""
    total = len(found.accounts) * len(found.regions)
    return {
        "format": FORMAT,
        "trail_arn": str(found.trail),
        "checked_at": now_text(),
        "checked_by": found.checked_by,
        "scope": found.scope.to_dict(),
        "management_events": found.events.to_dict(),
        "summary": {
            **count(found.rows),
            "unchecked": total - len(found.rows),
            "accounts": len(found.accounts),
            "regions": len(found.regions),
            "account_regions": total,
            "calls": found.calls,
            "seconds": found.seconds,
            "complete": found.complete,
        },
        "regions": found.regions,
        "accounts": [listed(account, found.own_errors.get(account.id, "")) for account in found.accounts],
    }


def listed(account: Account, regions_error: str) -> Result:
    """An account as results show it: nothing of how it is entered."""
    shown = {"id": account.id, "name": account.name, "state": account.state, "ou_path": account.ou_path}
    more = {"ou_names": account.ou_names, "tags": account.tags, "regions_error": regions_error}
    return {**shown, **{name: value for name, value in more.items() if value}}


def write_document(path: Path, document: Result, rows: Iterable[Row]) -> None:
    """Write the document with its rows, one to a line, and put it in place only when it is whole.

    Raises AnsibleOrgTrailError when it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, document_lines(document, rows))
    except OSError as error:
        raise AnsibleOrgTrailError(f"Failed to write output_path {path}: {error}.") from error


def document_lines(document: Result, rows: Iterable[Row]) -> Iterator[str]:
    """The document as JSON text, piece by piece: all rows at once would be twice the memory."""
    head = json.dumps(document, separators=(",", ":"))
    yield f'{head[:-1]},"coverage":['
    separator = "\n"
    for row in rows:
        yield separator + json.dumps(row.to_dict(), separators=(",", ":"))
        separator = ",\n"
    yield "\n]}\n"
