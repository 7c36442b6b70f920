# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a bucket's policy to what one trail needs, while others may be writing the same policy."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .._aws import s3
from .._aws.arn import TrailArn, parse_trail_arn, possible_trail_arn
from .._aws.errors import AnsibleOrgTrailError, code_of, outcome_unknown
from .._aws.log_place import LogPlace
from .._aws.session import Session
from .._aws.untyped import Client
from .._organization.membership import require_membership
from .._policy.document import Document
from .._policy.evaluation import PolicyError, parse_policy
from .._work.options import Result
from .candidate import require_owner
from .choice import BucketChoiceError, no_such_bucket
from .scan import get_own_policy
from .tls_only import require_tls
from .verdict import judge_policy, merge_policy, remove_trail, size_problem

ATTEMPTS = 8
SETTLE = (1.5, 3.0)
"""Seconds to wait before a write is looked at again: longer than another run takes from its read to its write."""


@dataclass(frozen=True)
class PolicyOptions:
    """The options of the module cloudtrail_log_bucket_policy; "" where one is not set; ``kms_key_id`` is None then."""

    bucket: str
    trail: TrailArn
    organization_id: str
    s3_key_prefix: str
    kms_key_id: str | None
    state: Literal["present", "absent"]
    tls_only: bool


def policy_options(params: Mapping[str, Any]) -> PolicyOptions:
    """The module's parameters as a typed value. Raises AnsibleOrgTrailError for a trail that there cannot be."""
    absent = params["state"] == "absent"  # then an ARN that no trail can have may be taken out of a policy, too
    try:
        trail = parse_trail_arn(params["trail_arn"]) if absent else possible_trail_arn(params["trail_arn"])
    except ValueError as error:
        raise AnsibleOrgTrailError(str(error)) from error
    return PolicyOptions(
        bucket=params["bucket"],
        trail=trail,
        organization_id=params["organization_id"] or "",
        s3_key_prefix=params["s3_key_prefix"].strip("/"),
        kms_key_id=params["kms_key_id"],
        state=params["state"],
        tls_only=params["tls_only"],
    )


@dataclass(frozen=True)
class Wanted:
    """What the policy is to hold of one trail."""

    place: LogPlace
    state: Literal["present", "absent"] = "present"
    tls_only: bool = False


def wanted_policy(session: Session, options: PolicyOptions) -> Wanted:
    """What is wanted of the policy.

    Raises AnsibleOrgTrailError for an ARN that is not of the organization's management account, or when the bucket's
    account is outside the organization.
    """
    organization_id = options.organization_id
    if options.state == "present" or not organization_id:
        organization = require_membership(session, organization_id)
        organization_id = organization.id
        if options.state == "present":
            try:
                require_owner(options.trail, organization)
            except ValueError as error:
                raise AnsibleOrgTrailError(str(error)) from error
    place = LogPlace(
        options.bucket, options.trail, organization_id, options.s3_key_prefix, options.kms_key_id, session.account_id
    )
    return Wanted(place, options.state, options.tls_only)


def change_policy(policy: Document | None, wanted: Wanted) -> Document | None:
    """Return the policy as it should be, every other statement untouched; None for no policy at all.

    Raises AnsibleOrgTrailError, before anything is written, when the policy would be too large for S3, or holds an
    explicit Deny that would keep the trail out whatever is added; PolicyError when it is malformed.
    """
    place = wanted.place
    if wanted.state == "absent":
        changed = remove_trail(policy, place) if policy else None
    else:
        changed = merge_policy(policy, place)
        if wanted.tls_only:
            changed = require_tls(changed, place.bucket_arn)
    if policy and changed == {**policy, "Statement": _listed(policy["Statement"])}:
        changed = policy  # the same but for a lone statement that stood without a list
    if changed is not None and wanted.state == "present":
        refuse_blocked(changed, place)
        if problem := size_problem(changed):
            raise AnsibleOrgTrailError(f"Bucket {place.bucket}: {problem}")
    return changed


def _listed(statement: object) -> list[object]:
    return statement if isinstance(statement, list) else [statement]


def refuse_blocked(policy: Document, place: LogPlace) -> None:
    """Raise AnsibleOrgTrailError when an explicit Deny keeps the trail out, or may do so."""
    verdict = judge_policy(policy, place)
    if verdict.admits:
        return
    reasons = "; ".join(f"{one.statement}: {one.found}. {one.fix}" for one in verdict.problems)
    raise AnsibleOrgTrailError(
        f"The policy of bucket {place.bucket} would not admit trail {place.trail} even with the trail's "
        f"statements added. {reasons}"
    )


def describe_change(before: Document | None, after: Document | None) -> Result:
    """Return changed and diff as Ansible shows them."""
    shown = {name: json.dumps(one, indent=2) if one else "" for name, one in (("before", before), ("after", after))}
    return {"changed": before != after, "diff": {side: f"{text}\n" if text else "" for side, text in shown.items()}}


def ensure_policy(
    reader: Client,
    writer: Client,
    owner: str,
    wanted: Wanted,
    check_mode: bool,
    pause: Callable[[float], None] = time.sleep,
) -> tuple[Document | None, Document | None]:
    """Bring the policy to what is wanted and answer it as it was and as it is (in check mode: would be).

    S3 has no conditional write of a policy, so two runs at once can overwrite each other. Each therefore looks again
    some time after its write and repeats until a read leaves nothing to do.
    """
    bucket = wanted.place.bucket
    first = before = read_policy(reader, bucket, owner)
    for _attempt in range(ATTEMPTS):
        after = change_policy(before, wanted)
        if after == before or check_mode:
            return first, after
        write_policy(writer, bucket, owner, after)
        pause(random.uniform(*SETTLE))
        before = read_policy(reader, bucket, owner)
    raise AnsibleOrgTrailError(
        f"The policy of bucket {bucket} was written {ATTEMPTS} times and was different each time afterwards; "
        "expected it to stay. Something else keeps writing it: stop that, or let it hold the statements too."
    )


def read_policy(client: Client, bucket: str, owner: str) -> Document | None:
    """Read the policy; None when there is none.

    Raises AnsibleOrgTrailError when the account has no such bucket, or the policy is malformed: what cannot be
    understood is not changed.
    """
    try:
        text = get_own_policy(client, bucket, owner)
        if text is None:
            return None
        parse_policy(text, "resource")
    except PolicyError as error:
        raise AnsibleOrgTrailError(
            f"The policy of bucket {bucket} is malformed: {error} Correct it by hand first."
        ) from error
    except BucketChoiceError as error:
        raise AnsibleOrgTrailError(str(error)) from error
    except s3.AnsibleS3Error as error:
        if code_of(error) == "NoSuchBucket":
            raise AnsibleOrgTrailError(no_such_bucket(bucket, owner)) from error
        raise
    document: Document = json.loads(text)
    return document


def write_policy(client: Client, bucket: str, owner: str, policy: Document | None) -> None:
    """Write or delete the policy. A lost answer is no failure: the next read shows what happened."""
    try:
        if policy is None:
            s3.delete_bucket_policy(client, bucket, owner)
        else:
            s3.put_bucket_policy(client, bucket, owner, policy)
    except s3.AnsibleS3Error as error:
        if not outcome_unknown(error):
            raise
