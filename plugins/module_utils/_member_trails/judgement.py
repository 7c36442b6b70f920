# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a member's trail is beside the organization trail: redundant or not, and a copy that is paid for."""

from __future__ import annotations

from dataclasses import dataclass

from .._aws.selectors import ManagementEvents
from .._work.options import Result
from .keeps import Keep, keeps
from .owner import Owner, owner_of
from .trail import Trail


@dataclass(frozen=True)
class Judgement:
    """What is said of a member's trail.

    kept: what would be lost without it. second_copy: whether it logs management events that the organization trail
    logs, too, or would log as one; such copies are billed (aws-facts 7.8). effective: whether the other one is an
    organization trail that logs.
    """

    trail: Trail
    kept: tuple[Keep, ...]
    second_copy: bool
    effective: bool
    owner: Owner | None

    @property
    def redundant(self) -> bool:
        """Whether nothing would be lost without it."""
        return self.effective and not self.kept

    def to_dict(self) -> Result:
        trail, owner = self.trail, self.owner
        return {
            "account_id": trail.arn.account_id,
            "arn": str(trail.arn),
            "home_region": trail.arn.region,
            "is_multi_region_trail": trail.is_multi_region,
            "is_logging": trail.logging,
            "s3_bucket_name": trail.bucket,
            "management_events": str(trail.management_events),
            "second_copy": self.second_copy,
            "redundant": self.redundant,
            "keeps": [keep.to_dict() for keep in self.kept],
            **({"owner": owner.to_dict()} if owner else {}),
        }


def judge(member: Trail, organization: Trail, readers: tuple[Keep, ...] = ()) -> Judgement:
    """Judge a member's trail. readers: who else reads its bucket.

    organization: the organization trail, or the trail that is to become one.
    """
    return Judgement(
        member,
        (*keeps(member, organization), *readers),
        not kinds(member.management_events).isdisjoint(kinds(organization.management_events)),
        organization.is_organization_trail and organization.logging,
        owner_of(member.arn.name, member.tags),
    )


def kinds(events: ManagementEvents) -> set[str]:
    """The kinds of management events among which are some that are logged: read, write."""
    logged = {name for name, left_out in (("read", events.read), ("write", events.write)) if left_out is not None}
    return logged or ({"read", "write"} if events.some else set())
