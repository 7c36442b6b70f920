# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bucket that is to admit a trail: which trail, and the verdict on each candidate (aws-facts section 3)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

from .._aws.arn import TrailArn, partition_of
from .._aws.log_place import LogPlace
from .._aws.organizations import Organization
from .._policy.document import Document
from .._work.options import Result
from .verdict import Problem, admitted_home_regions, judge_policy, required_statements

_REGION = re.compile(r":cloudtrail:([a-z0-9-]+):")


@dataclass(frozen=True)
class SoughtTrail:
    """The trail that a bucket is to admit, and where its home may be.

    trail: with its home region, or with the one to explain a refusal with while the home region is not known.
    regions: possible home regions; empty when the home region is known. prefix, kms_key_arn, owner: as in LogPlace.
    """

    trail: TrailArn
    organization_id: str
    prefix: str = ""
    kms_key_arn: str | None = None
    regions: tuple[str, ...] = ()
    owner: str = ""

    def place(self, bucket: str, region: str = "") -> LogPlace:
        """The trail with a bucket, its home in another region if one is given."""
        trail = replace(self.trail, region=region, partition=partition_of(region)) if region else self.trail
        return LogPlace(bucket, trail, self.organization_id, self.prefix, self.kms_key_arn, self.owner)

    def __str__(self) -> str:
        where = "" if self.regions else f" in {self.trail.region}"
        below = f" with prefix {self.prefix}" if self.prefix else ""
        return (
            f"trail {self.trail.name}{where}{below} of management account {self.trail.account_id} "
            f"(organization {self.organization_id})"
        )


def sought_trail(
    trail: str | TrailArn, organization: Organization, prefix: str, regions: Iterable[str], default_region: str
) -> SoughtTrail:
    """The trail that is sought, by its name or its ARN.

    regions: those that a trail may have its home in. Raises ValueError for an ARN that is not of the organization's
    management account, which owns every organization trail (aws-facts 2.1, 3.3).
    """
    if isinstance(trail, TrailArn):
        require_owner(trail, organization)
        return SoughtTrail(trail, organization.id, prefix)
    partition = partition_of(default_region)
    likely = TrailArn(partition, default_region, organization.management_account_id, trail)
    return SoughtTrail(likely, organization.id, prefix, regions=tuple(regions) or (default_region,))


def require_owner(trail: TrailArn, organization: Organization) -> None:
    """Raise ValueError unless a trail is of the management account, which owns every organization trail."""
    management = organization.management_account_id
    if trail.account_id != management:
        raise ValueError(
            f"trail_arn {trail} names account {trail.account_id}; expected the management account {management} of "
            f"organization {organization.id}, which owns every organization trail."
        )


@dataclass(frozen=True)
class Candidate:
    """A bucket and the verdict on it; ``place`` is what problems and the required policy are told for."""

    place: LogPlace
    admitted_home_regions: tuple[str, ...]
    problems: tuple[Problem, ...]
    policy: str | None = None
    readable: bool = True

    @property
    def name(self) -> str:
        return self.place.bucket

    @property
    def admits(self) -> bool:
        return bool(self.admitted_home_regions)


def judge_bucket(name: str, policy: str | None, sought: SoughtTrail) -> Candidate:
    """Say for which home regions a bucket's policy (JSON text, or None) admits the trail, or what keeps it out."""
    likeliest, named = sought.trail.region, _named_regions(policy, sought)
    possible = sorted({*sought.regions, *named}) or [likeliest]
    admitted = admitted_home_regions(policy, sought.place(name), possible)
    if admitted:
        region = likeliest if likeliest in admitted else admitted[0]
        return Candidate(sought.place(name, region), tuple(admitted), (), policy)
    places = [sought.place(name, region) for region in (likeliest, *sorted(named - {likeliest}))]
    verdicts = [(judge_policy(policy, place).problems, place) for place in places]
    problems, place = min(verdicts, key=lambda verdict: len(verdict[0]))
    return Candidate(place, (), problems, policy)


def unreadable(name: str, reason: str, sought: SoughtTrail) -> Candidate:
    """A candidate whose policy could not be read, and why."""
    problem = Problem("policy", reason, "a policy that the caller may read", "Let the caller read the policy.", False)
    return Candidate(sought.place(name), (), (problem,), readable=False)


def _named_regions(policy: str | None, sought: SoughtTrail) -> set[str]:
    """Regions that the policy itself names for a trail whose home is not known: botocore may not know the newest."""
    found = _REGION.findall(policy or "") if sought.regions else []
    return {region for region in found if partition_of(region) == sought.trail.partition}


def required_policy(place: LogPlace) -> Document:
    """The policy document that AWS itself would give the bucket for this trail."""
    return {"Version": "2012-10-17", "Statement": required_statements(place)}


def summarize(candidate: Candidate) -> Result:
    """What the module returns of a candidate's policy."""
    return {
        "name": candidate.name,
        "admits": candidate.admits,
        "admitted_home_regions": list(candidate.admitted_home_regions),
        "s3_key_prefix": candidate.place.prefix,
        "problems": [asdict(problem) for problem in candidate.problems],
        "trail_arn": str(candidate.place.trail),
        "required_policy": required_policy(candidate.place),
    }
