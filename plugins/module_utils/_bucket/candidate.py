# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bucket that is to admit a trail: which trail, and the verdict on each candidate (aws-facts section 3)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from .._aws.arn import (
    TrailArn,
    build_trail_arn,
    is_trail_arn,
    parse_trail_arn,
    partition_of,
    partition_problem,
    trail_name_problem,
)
from .._aws.organizations import Organization
from .verdict import Problem, admitted_home_regions, judge_policy, required_statements

_REGION = re.compile(r":cloudtrail:([a-z0-9-]+):")


@dataclass(frozen=True)
class SoughtTrail:
    """The trail that a bucket is to admit.

    home_region: "" when it is not known yet; the policy then says for which of ``regions`` it admits the trail.
    default_region: the region to explain a refusal with when the policy names none.
    """

    name: str
    management_account_id: str
    organization_id: str
    prefix: str
    regions: tuple[str, ...]
    default_region: str
    home_region: str = ""

    def arn(self, region: str) -> str:
        return build_trail_arn(region, self.management_account_id, self.name)

    def __str__(self) -> str:
        where = f" in {self.home_region}" if self.home_region else ""
        below = f" with prefix {self.prefix}" if self.prefix else ""
        return (
            f"trail {self.name}{where}{below} of management account {self.management_account_id} "
            f"(organization {self.organization_id})"
        )


def sought_trail(
    name: str,
    arn: str | None,
    organization: Organization,
    prefix: str,
    regions: Sequence[str],
    default_region: str,
) -> SoughtTrail:
    """Build the trail that is sought from its name, which may be an ARN too, or from its ARN when that is given.

    Raises ValueError for an invalid name or ARN, or an ARN that is not
    of the organization's management account, which owns every organization trail (aws-facts 2.1, 3.3).
    """
    management = organization.management_account_id
    trail = SoughtTrail(name, management, organization.id, prefix, tuple(regions), default_region)
    if arn or is_trail_arn(name):
        parts = require_owner(arn or name, organization)
        return replace(trail, name=parts.name, home_region=parts.region)
    if problem := trail_name_problem(name):
        raise ValueError(problem)
    return trail


def require_owner(arn: str, organization: Organization) -> TrailArn:
    """Split a trail's ARN; ValueError unless it is of the management account, which owns every organization trail.

    It must also name a trail that there can be, and the partition of its region.
    """
    parts, management = parse_trail_arn(arn), organization.management_account_id
    if problem := trail_name_problem(parts.name) or partition_problem(parts):
        raise ValueError(problem)
    if parts.account_id != management:
        raise ValueError(
            f"trail_arn {arn} names account {parts.account_id}; expected the management account {management} of "
            f"organization {organization.id}, which owns every organization trail."
        )
    return parts


@dataclass(frozen=True)
class Candidate:
    """A bucket and the verdict on it; ``trail_arn`` is what problems and the required policy are told for."""

    name: str
    admitted_home_regions: tuple[str, ...]
    problems: tuple[Problem, ...]
    trail_arn: str
    policy: str | None = None
    readable: bool = True

    @property
    def admits(self) -> bool:
        return bool(self.admitted_home_regions)


def judge_bucket(name: str, policy: str | None, trail: SoughtTrail) -> Candidate:
    """Say for which home regions a bucket's policy (JSON text, or None) admits the trail, or what keeps it out."""
    admitted = admitted_home_regions(
        policy,
        name,
        trail.management_account_id,
        trail.name,
        trail.organization_id,
        trail.prefix,
        _possible_regions(policy, trail),
    )
    if admitted:
        region = trail.default_region if trail.default_region in admitted else admitted[0]
        return Candidate(name, tuple(admitted), (), trail.arn(region), policy)
    verdicts = [
        (judge_policy(policy, name, trail.arn(region), trail.organization_id, trail.prefix).problems, trail.arn(region))
        for region in _likely_regions(policy, trail)
    ]
    problems, arn = min(verdicts, key=lambda verdict: len(verdict[0]))
    return Candidate(name, (), problems, arn, policy)


def unreadable(name: str, reason: str, trail: SoughtTrail) -> Candidate:
    """A candidate whose policy could not be read, and why."""
    problem = Problem("policy", reason, "a policy that the caller may read", "Let the caller read the policy.", False)
    return Candidate(name, (), (problem,), trail.arn(trail.home_region or trail.default_region), readable=False)


def _possible_regions(policy: str | None, trail: SoughtTrail) -> list[str]:
    if trail.home_region:
        return [trail.home_region]
    return sorted({*trail.regions, *_named_regions(policy, trail)})


def _likely_regions(policy: str | None, trail: SoughtTrail) -> list[str]:
    if trail.home_region:
        return [trail.home_region]
    return [trail.default_region, *sorted(_named_regions(policy, trail) - {trail.default_region})]


def _named_regions(policy: str | None, trail: SoughtTrail) -> set[str]:
    """Regions that the policy itself names for a trail: botocore may not know the newest."""
    partition = partition_of(trail.default_region)
    return {region for region in _REGION.findall(policy or "") if partition_of(region) == partition}


def required_policy(candidate: Candidate, trail: SoughtTrail) -> dict[str, Any]:
    """The policy document that AWS itself would give the bucket for this trail."""
    statements = required_statements(candidate.name, candidate.trail_arn, trail.organization_id, trail.prefix)
    return {"Version": "2012-10-17", "Statement": statements}


def summarize(candidate: Candidate, trail: SoughtTrail) -> dict[str, Any]:
    """What the module returns of a candidate's policy."""
    return {
        "name": candidate.name,
        "admits": candidate.admits,
        "admitted_home_regions": list(candidate.admitted_home_regions),
        "s3_key_prefix": trail.prefix,
        "problems": [asdict(problem) for problem in candidate.problems],
        "trail_arn": candidate.trail_arn,
        "required_policy": required_policy(candidate, trail),
    }
