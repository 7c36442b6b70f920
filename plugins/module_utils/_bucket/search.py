# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answer the module's question: which buckets, with which verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from .._aws.errors import AnsibleOrgTrailError
from .._aws.session import Session
from .._organization.membership import require_membership
from .._work.reads import read_all
from .candidate import Candidate, SoughtTrail, sought_trail, summarize
from .choice import Criteria, choose, no_such_bucket
from .health import ExpectedHealth, judge_health
from .scan import list_names, read_candidates, read_named, read_settings


def describe_log_buckets(session: Session, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the module's result for its options.

    Raises AnsibleOrgTrailError when no single bucket can be named or an option is invalid, and the error classes of
    S3 and Organizations.
    """
    reads: dict[str, Callable[[], Any]] = {
        "organization": partial(require_membership, session, params["organization_id"])
    }
    if not params["name"]:
        reads["names"] = partial(list_names, session.client("s3"))
    answers = read_all(reads)
    organization, names = answers["organization"], answers.get("names", {})
    try:
        trail = sought_trail(
            params["trail_name"],
            params["trail_arn"],
            organization,
            params["s3_key_prefix"],
            () if params["trail_arn"] else session.known_regions("cloudtrail"),
            session.region,
        )
        candidates = _candidates(session, params, trail, names)
        chosen = choose(candidates, params["select"], _criteria(params), session.account_id, trail)
    except ValueError as error:
        raise AnsibleOrgTrailError(str(error)) from error
    return {
        "account_id": session.account_id,
        "organization": {"id": organization.id, "management_account_id": organization.management_account_id},
        "unreadable": [candidate.name for candidate in candidates if not candidate.readable],
        "buckets": [_describe(session, one, names.get(one.name), params, trail) for one in chosen],
    }


def health_warnings(answer: Mapping[str, Any]) -> list[str]:
    """A sentence for each setting that somebody weakened on a bucket of the module's result, if health was read."""
    return [
        f"Bucket {bucket['name']}: {one['setting']}: found {one['found']}, expected {one['expected']}. {one['fix']}"
        for bucket in answer["buckets"]
        for one in (bucket["health"] or {}).get("problems", [])
        if one["weakened"]
    ]


def _criteria(params: Mapping[str, Any]) -> Criteria:
    tags = tuple((str(key), str(value)) for key, value in (params["tags"] or {}).items())
    return Criteria(params["name_pattern"] or "", tags)


def _candidates(
    session: Session, params: Mapping[str, Any], trail: SoughtTrail, names: Iterable[str]
) -> list[Candidate]:
    """The judged candidates, sorted by name: the bucket that was named, else those of ``names``."""
    client = session.client("s3")
    name = params["name"]
    if name:
        candidates = read_named(client, name, session.account_id, trail)
        if not candidates and params["select"] != "all":
            raise AnsibleOrgTrailError(no_such_bucket(name, session.account_id))
        return candidates
    return read_candidates(client, sorted(names), session.account_id, _criteria(params), trail)


def _describe(
    session: Session, candidate: Candidate, region: str | None, params: Mapping[str, Any], trail: SoughtTrail
) -> dict[str, Any]:
    health = None
    if params["health"]:
        settings = read_settings(session.client("s3"), candidate, session.account_id, trail.prefix)
        region = settings.raw["region"] if "region" not in settings.denied else region
        expected = {name: value for name, value in params["expected_health"].items() if value is not None}
        health = judge_health(settings, ExpectedHealth(**expected))
    return {
        **summarize(candidate, trail),
        "account_id": session.account_id,
        "organization_id": trail.organization_id,
        "region": region,
        "health": health,
    }
