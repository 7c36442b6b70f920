# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bucket and the key that the organization trail has now, as a member account sees it (aws-facts 4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .._aws.arn import is_trail_arn, parse_trail_arn
from .._aws.cloudtrail import AnsibleCloudTrailError, describe_trails
from .._aws.errors import sentence
from .._aws.untyped import Client, Structure
from .candidate import SoughtTrail


@dataclass(frozen=True)
class CurrentBucket:
    """name: "" where the account sees no such organization trail. unread: why it could not look, "" if it could."""

    name: str = ""
    unread: str = ""


def read_trails(client: Client) -> Sequence[Structure] | str:
    """The trails that stand in the client's region, those of management among them; why not, where AWS refuses."""
    try:
        return describe_trails(client)
    except AnsibleCloudTrailError as error:
        return sentence(error)


def current_bucket(trails: Sequence[Structure] | str, sought: SoughtTrail) -> CurrentBucket:
    """The bucket of the trail that is sought, if it is the organization's already.

    Raises ValueError where two organization trails of its name write to two buckets: one of them is not the user's.
    """
    if isinstance(trails, str):
        return CurrentBucket(unread=trails)
    buckets = {
        trail["TrailARN"]: trail["S3BucketName"]
        for trail in trails
        if trail.get("IsOrganizationTrail") and _is_sought(trail["TrailARN"], sought)
    }
    if len(set(buckets.values())) > 1:
        told = " and ".join(f"{arn} with the bucket {bucket}" for arn, bucket in sorted(buckets.items()))
        raise ValueError(
            f"The organization has {len(buckets)} trails of the name {sought.trail.name}, found {told}, expected one. "
            "Find out who made the other one and delete it; never let a bucket admit it."
        )
    return CurrentBucket(next(iter(buckets.values()), ""))


def current_key(trails: Sequence[Structure] | str, sought: SoughtTrail) -> str | None:
    """The key that the trail encrypts its files with now, "" for none (aws-facts 2.11).

    None where the account does not see the trail, or where the trail is to have another key.
    """
    for trail in () if isinstance(trails, str) else trails:
        if _is_sought(trail["TrailARN"], sought):
            key: str = trail.get("KmsKeyId", "")
            return key if sought.kms_key_arn is None or key.endswith(f"/{sought.kms_key_arn}") else None
    return None


def _is_sought(arn: str, sought: SoughtTrail) -> bool:
    if not is_trail_arn(arn):
        return False
    trail, known = parse_trail_arn(arn), sought.trail
    same = (trail.account_id, trail.name) == (known.account_id, known.name)
    return same and (bool(sought.regions) or trail.region == known.region)
