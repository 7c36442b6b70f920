# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answer the module's question: which buckets, with which verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from .._aws.arn import TrailArn, is_key_arn, named_trail
from .._aws.errors import AnsibleOrgTrailError, refuse
from .._aws.organizations import Organization
from .._aws.session import Session
from .._organization.membership import require_membership
from .._work.options import Result
from .._work.reads import Answers, Reads, read_all
from .candidate import Candidate, SoughtTrail, judge_bucket, sought_trail, summarize
from .choice import Criteria, Select, choose, no_such_bucket
from .current import CurrentBucket, current_bucket, current_key, read_trails
from .health import judge_health, retention_to_set, settings_to_change, undeliverable
from .scan import list_names, read_candidates, read_named, read_settings, settings_of
from .statements import SSE
from .weakness import ExpectedHealth


@dataclass(frozen=True)
class SearchOptions:
    """The options of the module cloudtrail_log_bucket_info; "" where one is not set; ``kms_key_id`` is None then."""

    name: str
    criteria: Criteria
    trail: str | TrailArn
    s3_key_prefix: str
    kms_key_id: str | None
    organization_id: str
    select: Select
    health: bool
    expected_health: ExpectedHealth


def search_options(params: Mapping[str, Any]) -> SearchOptions:
    """The module's parameters as a typed value. Raises AnsibleOrgTrailError for a trail that there cannot be."""
    tags = tuple((str(key), str(value)) for key, value in (params["tags"] or {}).items())
    expected = {name: value for name, value in params["expected_health"].items() if value is not None}
    try:
        trail = named_trail(params["trail_arn"] or params["trail_name"], bool(params["trail_arn"]))
    except ValueError as error:
        raise AnsibleOrgTrailError(str(error)) from error
    return SearchOptions(
        name=params["name"] or "",
        criteria=Criteria(params["name_pattern"] or "", tags),
        trail=trail,
        s3_key_prefix=params["s3_key_prefix"].strip("/"),
        kms_key_id=params["kms_key_id"],
        organization_id=params["organization_id"] or "",
        select=params["select"],
        health=params["health"],
        expected_health=ExpectedHealth(**expected),
    )


def describe_log_buckets(session: Session, options: SearchOptions) -> Result:
    """Return the module's result for its options.

    Raises AnsibleOrgTrailError when no single bucket can be named or an option is invalid, and the error classes of
    S3 and Organizations.
    """
    reads: Reads = {"organization": partial(require_membership, session, options.organization_id)}
    if not options.name:
        reads["names"] = partial(list_names, session.client("s3"))
    home = options.trail.region if isinstance(options.trail, TrailArn) else session.region
    if is_chosen := not options.name and options.select != "all":
        reads["trails"] = partial(read_trails, session.client("cloudtrail", home))
    answers = read_all(reads)
    organization: Organization = answers["organization"]
    names: dict[str, str | None] = answers.get("names", {})
    known = isinstance(options.trail, TrailArn)
    try:
        sought = sought_trail(
            options.trail,
            organization,
            options.s3_key_prefix,
            () if known else session.known_regions("cloudtrail"),
            session.region,
        )
        sought = replace(sought, kms_key_arn=options.kms_key_id, owner=session.account_id)
        current = current_bucket(answers.get("trails", ()), sought)
        candidates, settings = _read_buckets(session, options, sought, names, current)
        if _is_key_asked_for(sought, candidates):
            trails = answers["trails"] if is_chosen else read_trails(session.client("cloudtrail", home))
            key = current_key(trails, sought)
            if key is not None:
                sought = replace(sought, kms_key_arn=key)
                candidates = [judge_bucket(one.name, one.policy, sought) if one.readable else one for one in candidates]
        chosen = choose(candidates, options.select, options.criteria, session.account_id, sought, current, names)
    except ValueError as error:
        raise AnsibleOrgTrailError(str(error)) from error
    buckets = [_describe(session, one, names.get(one.name), options, settings.get(one.name)) for one in chosen]
    if options.select == "admitted":
        refuse(undeliverable(buckets[0]["name"], buckets[0]["health"]))
    return {
        **_to_change(buckets, options),
        "account_id": session.account_id,
        "organization": {"id": organization.id, "management_account_id": organization.management_account_id},
        "unreadable": [candidate.name for candidate in candidates if not candidate.readable],
        **({"current_bucket": current.name, "current_bucket_unread": current.unread} if is_chosen else {}),
        "buckets": buckets,
    }


def _read_buckets(
    session: Session,
    options: SearchOptions,
    sought: SoughtTrail,
    names: Mapping[str, str | None],
    current: CurrentBucket,
) -> tuple[list[Candidate], dict[str, Answers]]:
    """The judged candidates, and by its name, read at the same time, the settings of the only one to choose from."""
    reads: Reads = {"candidates": partial(_candidates, session, options, sought, names)}
    only = _only_choice(options, names, current) if options.health else ""
    if only and names[only] == session.region:  # elsewhere S3 would send each of them to the other region first
        reads["settings"] = partial(read_settings, session.client("s3"), only, session.account_id)
    answers = read_all(reads)
    return answers["candidates"], {only: answers["settings"]} if "settings" in answers else {}


def _only_choice(options: SearchOptions, names: Iterable[str], current: CurrentBucket) -> str:
    """The only bucket that can be chosen, before a policy is read; "" where several can, and for one that was named.

    What was named may not be there, or belong to another account, which would see the calls.
    """
    fitting = [name for name in names if options.criteria.fits_name(name)]
    if current.name in fitting:
        return current.name
    return fitting[0] if len(fitting) == 1 and options.select != "all" else ""


def _is_key_asked_for(sought: SoughtTrail, candidates: Sequence[Candidate]) -> bool:
    """Whether a policy speaks of encryption and the trail's key is not known for certain from the options."""
    known = sought.kms_key_arn == "" or is_key_arn(sought.kms_key_arn or "")
    return not known and any(SSE in (candidate.policy or "").lower() for candidate in candidates)


def _to_change(buckets: Sequence[Result], options: SearchOptions) -> Result:
    """What has to be changed for the bucket that was named, or made, to be as expected."""
    if not (options.name and options.health):
        return {}
    health = buckets[0]["health"] if buckets else None
    return {
        "settings_to_change": settings_to_change(health, options.expected_health),
        "retention_to_set": retention_to_set(health, options.expected_health),
    }


def warnings_of(answer: Result) -> list[str]:
    """What a person should hear of the module's result: settings that somebody weakened, and what was not read."""
    unread, current = answer.get("current_bucket_unread"), answer.get("current_bucket")
    lost = [f"The bucket was chosen without knowing which one the trail writes to now: {unread}"] if unread else []
    moved = [
        f"The organization trail writes to the bucket {current}, which account {answer['account_id']} does not have. "
        f"Taken in its place: {bucket['name']}. Find out who moved the trail or deleted the bucket."
        for bucket in answer["buckets"]
        if current and bucket["name"] != current
    ]
    return [*lost, *moved] + [
        f"Bucket {bucket['name']}: {one['setting']}: found {one['found']}, expected {one['expected']}. {one['fix']}"
        for bucket in answer["buckets"]
        for one in (bucket["health"] or {}).get("problems", [])
        if one["weakened"]
    ]


def _candidates(session: Session, options: SearchOptions, sought: SoughtTrail, names: Iterable[str]) -> list[Candidate]:
    """The judged candidates, sorted by name: the bucket that was named, else those of ``names``."""
    client = session.client("s3")
    if options.name:
        candidates = read_named(client, options.name, session.account_id, sought)
        if not candidates and options.select != "all":
            raise AnsibleOrgTrailError(no_such_bucket(options.name, session.account_id))
        return candidates
    return read_candidates(client, sorted(names), session.account_id, options.criteria, sought)


def _describe(
    session: Session, candidate: Candidate, region: str | None, options: SearchOptions, known: Answers | None
) -> Result:
    """What the module returns of a bucket. known: the answers of ``read_settings`` about it, where they are there."""
    health = None
    if options.health:
        answers = known or read_settings(session.client("s3"), candidate.name, session.account_id)
        settings = settings_of(answers, candidate)
        region = settings.raw["region"] if "region" not in settings.denied else region
        health = judge_health(settings, options.expected_health)
    return {
        **summarize(candidate),
        "account_id": session.account_id,
        "organization_id": candidate.place.organization_id,
        "region": region,
        "health": health,
    }
