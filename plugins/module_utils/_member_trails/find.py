# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cloudtrail_member_trails_info does: read the organization trail, ask all members, judge, and the result."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from threading import Lock
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .._aws.arn import TrailArn
from .._aws.cloudtrail import (
    get_aggregations,
    get_event_selectors,
    get_insight_selectors,
    get_trail,
    get_trail_status,
)
from .._aws.cost_explorer import get_cost_and_usage
from .._aws.errors import sentence
from .._aws.s3 import get_bucket_policy, get_notifications, get_replication
from .._aws.session import Session
from .._aws.untyped import Client
from .._aws.whole_answer import unknown_call
from .._organization.accounts import Account
from .._organization.entry import GivenAccount, Target, target_of
from .._organization.reader import Paces, read_organization
from .._work.options import Result
from .._work.progress import Progress
from .._work.reads import read_each
from .costs import PARTITION, SERVICE, Costs, month_before, read_costs, result_of, trail_costs
from .judgement import Judgement, judge
from .keeps import Keep
from .options import TrailsOptions
from .readers import bucket_readers
from .run import TrailsRun, own_trails
from .trail import Trail

MINUTE = 60.0
BUCKETS_AT_ONCE = 16
MAKING_CLIENTS = Lock()
"""boto3's sessions are not thread-safe."""
LATE = "It was not asked before the deadline."
SETTINGS: dict[str, Any] = {"connect_timeout": 5, "read_timeout": 15, "retries": {"total_max_attempts": 1}}


@dataclass(frozen=True)
class MemberTrails:
    """What was found. unread: why accounts, or some of their trails, were not looked at. costs: None if not asked."""

    organization: Trail
    accounts: list[Account]
    judgements: list[Judgement]
    unread: dict[str, str]
    calls: int
    seconds: float
    complete: bool
    costs: Costs | None = None


def find_member_trails(session: Session, options: TrailsOptions) -> MemberTrails:
    """Do what the module's options ask for. Raises AnsibleAWSError for what concerns all accounts."""
    start = time.monotonic()
    organization = read_organization_trail(session, options.trail_arn)
    accounts = options.accounts
    if accounts is None:
        read = read_organization(session.client("organizations"), Paces())
        accounts = [GivenAccount(one) for one in read.accounts]
    accounts = [one for one in accounts if one.account.id != options.trail_arn.account_id]
    targets = {
        one.account.id: target_of(
            one,
            session.account_id,
            session.partition,
            options.role_arn_pattern,
            options.role_name,
            options.role_external_id or "",
        )
        for one in accounts
    }
    run = new_run(session, options)
    progress = Progress(options.progress_path, "members' trails", len(targets), lambda: run.done)
    complete = run.ask(targets.values(), start + options.deadline_minutes * MINUTE, progress.tick)
    unread = {account: LATE for account in targets if account not in run.trails} | run.unread
    judge_one = partial(
        judge_with_bucket, session, targets, organization=organization, unread_buckets=options.unread_buckets
    )
    judgements = read_each(judge_one, own_trails(run), min(BUCKETS_AT_ONCE, options.max_concurrency))
    return MemberTrails(
        organization,
        [one.account for one in accounts],
        judgements,
        unread,
        run.calls,
        round(time.monotonic() - start, 1),
        complete,
        find_costs(session) if options.costs else None,
    )


def find_costs(session: Session) -> Costs:
    """What Cost Explorer tells of the last full month; a failure tells only why it does not."""
    start, end = month_before(datetime.now(UTC))
    if session.partition != PARTITION:
        return Costs(
            start[:7], problem=f"No price is known for the partition {session.partition}, only for {PARTITION}."
        )
    try:
        return read_costs(partial(get_cost_and_usage, session.client("ce"), SERVICE, start, end), start[:7])
    except AnsibleAWSError as error:
        return Costs(start[:7], problem=sentence(error))


def read_organization_trail(session: Session, arn: TrailArn) -> Trail:
    """The organization trail, or the one that is to become it, as its owner sees it."""
    name = str(arn)
    client = session.client("cloudtrail", arn.region)
    unknown = unknown_call(client, "GetEventConfiguration", {"TrailName": name}, name)  # then members' are not read
    return Trail(
        arn,
        get_trail(client, name),
        get_event_selectors(client, name),
        get_insight_selectors(client, name),
        () if unknown else get_aggregations(client, name),
        bool(get_trail_status(client, name).get("IsLogging")),
    )


def new_run(session: Session, options: TrailsOptions) -> TrailsRun:
    """A run whose clients have a connection for each thread."""
    settings = {"max_pool_connections": options.max_concurrency, **SETTINGS}

    def cloudtrail(region: str) -> Client:
        return session.regional_clients("cloudtrail", [region], **settings)[region]

    return TrailsRun(
        session.regional_sts(**settings),
        cloudtrail,
        options.trail_arn.region,
        options.assume_role_session_name,
        threads=options.max_concurrency,
    )


def judge_with_bucket(
    session: Session, targets: dict[str, Target], trail: Trail, organization: Trail, unread_buckets: Collection[str]
) -> Judgement:
    """Judge a trail; who reads its bucket is looked for only where nothing else would be lost."""
    found = judge(trail, organization)
    if found.kept or trail.bucket in (organization.bucket, *unread_buckets):
        return found
    return judge(trail, organization, read_readers(session, targets[trail.arn.account_id], trail))


def read_readers(session: Session, target: Target, trail: Trail) -> tuple[Keep, ...]:
    """Who reads a trail's bucket. What may not be read may be somebody."""
    bucket, owner = trail.bucket, trail.arn.account_id
    try:
        with MAKING_CLIENTS:
            there = session.assume(target.role_arn, target.external_id, target.id) if target.role_arn else session
            s3 = there.client("s3", trail.arn.region)
        return tuple(
            bucket_readers(
                bucket,
                get_bucket_policy(s3, bucket, owner),
                get_notifications(s3, bucket, owner),
                get_replication(s3, bucket, owner),
            )
        )
    except AnsibleAWSError as error:
        return (
            Keep(
                "bucket_unread",
                f"files in the bucket {bucket}, of which nobody knows who reads them: {sentence(error)}",
            ),
        )


# --- result -----------------------------------------------------------------------------------------


def summarize(found: MemberTrails) -> Result:
    """The module's result."""
    names = {account.id: account.name for account in found.accounts}
    return {
        "changed": False,
        "organization_trail": {
            "arn": str(found.organization.arn),
            "is_organization_trail": found.organization.is_organization_trail,
            "is_logging": found.organization.logging,
            "management_events": str(found.organization.management_events),
        },
        "member_trails": [
            {
                "account_name": names.get(one.trail.arn.account_id, ""),
                **one.to_dict(),
                **trail_costs(one, found.costs),
            }
            for one in found.judgements
        ],
        "unread": [
            {"account_id": account, "account_name": names.get(account, ""), "reason": found.unread[account]}
            for account in sorted(found.unread)
        ],
        "summary": {
            **counts(found.judgements),
            "accounts": len(found.accounts),
            "unread": len(found.unread),
            "calls": found.calls,
            "seconds": found.seconds,
            "complete": found.complete,
        },
        "lines": lines_of(found),
        **result_of(found.judgements, found.costs),
    }


def lines_of(found: MemberTrails) -> list[str]:
    """What to print."""
    number = counts(found.judgements)
    vain = f", {len(found.unread):,} of them in vain" if found.unread else ""
    log = "log" if found.organization.is_organization_trail else "would log"
    where = f"{number['accounts_with_trails']:,} accounts ({len(found.accounts):,} members asked{vain})"
    others = f"{number['redundant_of_others']:,} of which belong to a stack or a tool"
    said = [
        f"{number['trails']:,} trails of members' own in {where}.",
        f"{number['second_copies']:,} of them {log} events twice; {number['redundant']:,} are redundant, {others}.",
    ]
    costs = result_of(found.judgements, found.costs).get("costs", {})
    if "monthly_usd" in costs:
        said.append(
            f"Second copies cost at most {costs['monthly_usd']:,.2f} USD a month, "
            f"{costs['redundant_monthly_usd']:,.2f} of it for redundant trails, by the figures of {costs['month']}; "
            f"{costs['trails_without_figures']:,} trails are without figures."
        )
    return said


def counts(judgements: Iterable[Judgement]) -> Result:
    """How many trails there are, and of each sort."""
    judgements = list(judgements)
    number = Counter[str]()
    for one in judgements:
        number.update(
            redundant=one.redundant, owned=one.redundant and one.owner is not None, second_copies=one.second_copy
        )
    return {
        "trails": len(judgements),
        "accounts_with_trails": len({one.trail.arn.account_id for one in judgements}),
        "second_copies": number["second_copies"],
        "redundant": number["redundant"],
        "redundant_of_others": number["owned"],
    }


def warnings_of(found: MemberTrails) -> list[str]:
    """A sentence for what was to be looked at and could not be."""
    said = []
    if found.unread:
        first = found.unread[min(found.unread)]
        said.append(f"{len(found.unread)} accounts, or some of their trails, could not be looked at: {first}")
    if not found.complete:
        said.append("The deadline came before all accounts were asked. Run again with more deadline_minutes.")
    if found.costs and found.costs.problem:
        said.append(f"What the trails cost is not known: {found.costs.problem}")
    return said
