# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cloudtrail_coverage_info does: which accounts and regions, ask, wait, settle, and the result."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .._aws.account import list_enabled_regions
from .._aws.arn import TrailArn
from .._aws.cloudtrail import get_trail, lookup_events
from .._aws.errors import AnsibleOrgTrailError
from .._aws.log_place import LogPlace
from .._aws.organizations import describe_organization
from .._aws.session import Session
from .._aws.untyped import Structure
from .._organization.accounts import Account, role_arn
from .._organization.reader import Paces, read_organization
from .._work.files import write_whole
from .._work.options import Result
from .._work.progress import Progress
from .._work.times import now_text, time_text
from .delivery import DeliveryProbe
from .options import CoverageOptions, GivenAccount
from .rows import PROPAGATION, Row, count, is_young, judge_delivery, settle, without_files
from .run import CoverageRun, Target
from .statuses import HEALED_BY_WAITING, NOT_COUNTED, QUIET

MINUTE = 60.0
FORMAT = 1
TIMEOUTS: dict[str, Any] = {"connect_timeout": 5, "read_timeout": 15}
ONCE = {"total_max_attempts": 1}
"""botocore's own retries are off: `caller` decides about another try, without holding a thread."""


@dataclass
class Coverage:
    """What was found: rows in the order of account and region, and how the search went."""

    trail: TrailArn
    accounts: list[Account]
    regions: list[str]
    rows: list[Row]
    calls: int
    seconds: float
    complete: bool


@dataclass
class Times:
    """When it must end, until when to wait for coverage, and since when the trail and the accounts exist."""

    deadline: float
    wait_until: float
    changed_at: str
    joined_at: dict[str, str]


def check_coverage(session: Session, options: CoverageOptions) -> Coverage:
    """Do what the module's options ask for. Raises AnsibleAWSError for what concerns all accounts."""
    start = time.monotonic()
    trail = options.trail_arn
    accounts = read_accounts(session, options.accounts)
    regions = sorted(set(options.regions)) or list_enabled_regions(session.client("account"))
    wanted = dict.fromkeys(targets_of(session, accounts, options), regions)
    probe = new_probe(session, options)
    run = new_run(session, regions, options)
    path = options.progress_path
    progress = Progress(path, "coverage", len(accounts) * len(regions), lambda: len(run.rows))
    deadline = start + options.deadline_minutes * MINUTE
    times = Times(
        deadline=deadline,
        wait_until=min(deadline, start + options.wait_minutes * MINUTE),
        changed_at=options.trail_changed_at,
        joined_at={one.account.id: one.account.joined_at for one in accounts},
    )
    enabled = "" if options.regions else session.account_id
    rows, complete = ask_until_covered(session, trail, run, wanted, times, progress, options.wait_interval, enabled)
    if probe and complete:
        places = rows_to_probe(rows)
        progress = Progress(path, "files in the bucket", len(places), lambda: probe.looked)
        complete = probe.look(places, options.max_concurrency, deadline, progress.tick)
        rows = judge_silence(session, trail, rows, times) if complete else rows
    seconds = round(time.monotonic() - start, 1)
    return Coverage(trail, [one.account for one in accounts], regions, rows, run.calls, seconds, complete)


def ask_until_covered(
    session: Session,
    trail: TrailArn,
    run: CoverageRun,
    wanted: Mapping[Target, Iterable[str]],
    times: Times,
    progress: Progress,
    interval: float,
    enabled: str,
) -> tuple[list[Row], bool]:
    """Ask, and ask again what waiting may heal until the user's patience ends. Answers settled rows; were all asked?

    enabled: see ``settle``.
    """
    while True:
        complete = run.ask(wanted, times.deadline, progress.tick)
        rows = list(run.rows.values())
        if not times.changed_at and any(row.status == "missing" for row in rows):
            times.changed_at = find_change(session, trail)
        rows = settle(rows, datetime.now(UTC), times.changed_at, times.joined_at, enabled)
        wanted = still_wanted(wanted, rows)
        rest = min(interval, times.wait_until - time.monotonic())
        if not wanted or not complete or rest <= 0:
            return rows, complete
        progress.say(
            f"coverage: waiting for {sum(len(list(regions)) for regions in wanted.values())} accounts' regions"
        )
        time.sleep(rest)


def judge_silence(session: Session, trail: TrailArn, rows: list[Row], times: Times) -> list[Row]:
    """Rows after the bucket was searched; accounts without any file are excused while they or the trail are young."""
    silent = without_files(rows)
    if silent and not times.changed_at:
        times.changed_at = find_change(session, trail)
    now = datetime.now(UTC)
    return judge_delivery(
        rows, [one for one in silent if not is_young(now, times.changed_at, times.joined_at.get(one, ""))]
    )


def read_accounts(session: Session, given: list[GivenAccount] | None) -> list[GivenAccount]:
    """The accounts to ask, sorted by id: those given, or all of the organization."""
    if given is not None:
        return given
    return [GivenAccount(one) for one in read_organization(session.client("organizations"), Paces()).accounts]


def targets_of(session: Session, accounts: Iterable[GivenAccount], options: CoverageOptions) -> Iterator[Target]:
    """How to enter each account. The caller's own is entered without a role, unless it is given one."""
    own, partition = session.account_id, session.partition
    for one in accounts:
        account, role = one.account, one.role_arn
        if not role and account.id != own:
            role = role_of(account.id, partition, options)
        external_id = one.external_id or options.role_external_id or ""
        yield Target(account.id, account.name, account.state, role, external_id)


def role_of(account_id: str, partition: str, options: CoverageOptions) -> str:
    try:
        return role_arn(options.role_arn_pattern, options.role_name, partition, account_id)
    except ValueError as error:
        raise AnsibleOrgTrailError(str(error)) from error


def new_run(session: Session, regions: list[str], options: CoverageOptions) -> CoverageRun:
    """Clients for every region, with a connection for each thread."""
    threads = options.max_concurrency
    settings = {"max_pool_connections": threads, "retries": ONCE, **TIMEOUTS}
    return CoverageRun(
        session.regional_sts(**settings),
        session.regional_clients("cloudtrail", regions, **settings),
        options.trail_arn,
        options.assume_role_session_name,
        threads=threads,
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
    s3 = there.regional_clients("s3", [there.region], max_pool_connections=options.max_concurrency, **TIMEOUTS)
    keys = partial(session.client, "cloudtrail") if options.log_delivery == "digest" else None
    probe = DeliveryProbe(s3[there.region], place, there.account_id, datetime.now(UTC), keys)
    probe.check_access()
    return probe


def rows_to_probe(rows: Iterable[Row]) -> list[Row]:
    """Rows of accounts and regions that files may have come from."""
    return [row for row in rows if row.status not in NOT_COUNTED]


def still_wanted(wanted: Mapping[Target, Iterable[str]], rows: Iterable[Row]) -> dict[Target, list[str]]:
    """What is worth asking again when the user waits for coverage."""
    regions: dict[str, list[str]] = {}
    for row in rows:
        if row.status in HEALED_BY_WAITING:
            regions.setdefault(row.account_id, []).append(row.region)
    return {target: regions[target.id] for target in wanted if target.id in regions}


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
    record = json.loads(event["CloudTrailEvent"])
    asked = record.get("requestParameters") or {}
    return (
        not record.get("errorCode")
        and asked.get("name") in (trail.name, str(trail))
        and bool(asked.get("isOrganizationTrail"))
    )


# --- result -----------------------------------------------------------------------------------------


def summarize(found: Coverage, options: CoverageOptions) -> Result:
    """The module's result; with ``output_path`` the long lists are in that file instead."""
    document = describe(found)
    exceptions = [row.to_dict() for row in found.rows if row.status not in QUIET]
    limit = options.max_exceptions
    result = {
        "changed": False,
        "summary": document["summary"],
        "regions": found.regions,
        "exceptions": exceptions[:limit],
        "exceptions_cut": max(0, len(exceptions) - limit),
    }
    if options.output_path:
        write_document(options.output_path, document, found.rows)
        return {**result, "output_path": str(options.output_path)}
    return {**result, "accounts": document["accounts"], "coverage": [row.to_dict() for row in found.rows]}


def search_warnings(rows: Iterable[Row]) -> list[str]:
    """A sentence when the bucket was to be searched, but could not be for some rows: their status does not tell."""
    errors = [row.log_delivery_error for row in rows if row.log_delivery_error]
    unread = f"The log files of {len(errors)} accounts' regions could not be read, so the status says nothing of them"
    return [f"{unread}: {errors[0]}"] if errors else []


def describe(found: Coverage) -> Result:
    """The document without its rows."""
    total = len(found.accounts) * len(found.regions)
    return {
        "format": FORMAT,
        "trail_arn": str(found.trail),
        "checked_at": now_text(),
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
        "accounts": [listed(account) for account in found.accounts],
    }


def listed(account: Account) -> Result:
    """An account as results show it: nothing of how it is entered."""
    shown = {"id": account.id, "name": account.name, "state": account.state, "ou_path": account.ou_path}
    return {**shown, "tags": account.tags} if account.tags else shown


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
