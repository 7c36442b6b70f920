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
from typing import Any

from .._aws import s3
from .._aws.arn import parse_trail_arn
from .._aws.errors import AnsibleOrgTrailError, code_of, outcome_unknown
from .._aws.session import Session
from .._organization.membership import require_membership
from .._policy.evaluation import PolicyError, parse_policy
from .candidate import require_owner
from .choice import BucketChoiceError, no_such_bucket
from .scan import get_own_policy
from .tls_only import require_tls
from .verdict import judge_policy, merge_policy, remove_trail, size_problem

ATTEMPTS = 8
SETTLE = (1.5, 3.0)
"""Seconds to wait before a write is looked at again: longer than another run takes from its read to its write."""

Document = dict[str, Any]


@dataclass(frozen=True)
class Wanted:
    """What the policy is to hold of one trail."""

    bucket: str
    trail_arn: str
    organization_id: str
    prefix: str = ""
    state: str = "present"
    tls_only: bool = False

    @property
    def bucket_arn(self) -> str:
        return f"arn:{self.trail_arn.split(':')[1]}:s3:::{self.bucket}"


def wanted_policy(session: Session, params: Mapping[str, Any]) -> Wanted:
    """Build what is wanted from the module's options.

    Raises AnsibleOrgTrailError for an ARN that is not of the organization's management account, or when the bucket's
    account is outside the organization.
    """
    organization_id = params["organization_id"]
    try:
        parse_trail_arn(params["trail_arn"])
        if params["state"] == "present" or not organization_id:
            organization = require_membership(session, organization_id)
            organization_id = organization.id
            if params["state"] == "present":
                require_owner(params["trail_arn"], organization)
    except ValueError as error:
        raise AnsibleOrgTrailError(str(error)) from error
    return Wanted(
        params["bucket"],
        params["trail_arn"],
        organization_id,
        params["s3_key_prefix"],
        params["state"],
        params["tls_only"],
    )


def change_policy(policy: Document | None, wanted: Wanted) -> Document | None:
    """Return the policy as it should be, every other statement untouched; None for no policy at all.

    Raises AnsibleOrgTrailError, before anything is written, when the policy would be too large for S3, or holds an
    explicit Deny that would keep the trail out whatever is added; PolicyError when it is malformed.
    """
    where = (wanted.bucket, wanted.trail_arn, wanted.organization_id, wanted.prefix)
    if wanted.state == "absent":
        changed = remove_trail(policy, *where) if policy else None
    else:
        changed = merge_policy(policy, *where)
        if wanted.tls_only:
            changed = require_tls(changed, wanted.bucket_arn)
    if policy and changed == {**policy, "Statement": _listed(policy["Statement"])}:
        changed = policy  # the same but for a lone statement that stood without a list
    if changed is not None and wanted.state == "present":
        refuse_blocked(changed, wanted)
        if problem := size_problem(changed):
            raise AnsibleOrgTrailError(f"Bucket {wanted.bucket}: {problem}")
    return changed


def _listed(statement: Any) -> list[Any]:
    return statement if isinstance(statement, list) else [statement]


def refuse_blocked(policy: Document, wanted: Wanted) -> None:
    """Raise AnsibleOrgTrailError when an explicit Deny keeps the trail out, or may do so."""
    verdict = judge_policy(policy, wanted.bucket, wanted.trail_arn, wanted.organization_id, wanted.prefix)
    if verdict.admits:
        return
    reasons = "; ".join(f"{one.statement}: {one.found}. {one.fix}" for one in verdict.problems)
    raise AnsibleOrgTrailError(
        f"The policy of bucket {wanted.bucket} would not admit trail {wanted.trail_arn} even with the trail's "
        f"statements added. {reasons}"
    )


def describe_change(before: Document | None, after: Document | None) -> dict[str, Any]:
    """Return changed and diff as Ansible shows them."""
    shown = {name: json.dumps(one, indent=2) if one else "" for name, one in (("before", before), ("after", after))}
    return {"changed": before != after, "diff": {side: f"{text}\n" if text else "" for side, text in shown.items()}}


def ensure_policy(
    reader: Any, writer: Any, owner: str, wanted: Wanted, check_mode: bool, pause: Callable[[float], None] = time.sleep
) -> tuple[Document | None, Document | None]:
    """Bring the policy to what is wanted and answer it as it was and as it is (in check mode: would be).

    S3 has no conditional write of a policy, so two runs at once can overwrite each other. Each therefore looks again
    some time after its write and repeats until a read leaves nothing to do.
    """
    first = before = read_policy(reader, wanted.bucket, owner)
    for _attempt in range(ATTEMPTS):
        after = change_policy(before, wanted)
        if after == before or check_mode:
            return first, after
        write_policy(writer, wanted.bucket, owner, after)
        pause(random.uniform(*SETTLE))
        before = read_policy(reader, wanted.bucket, owner)
    raise AnsibleOrgTrailError(
        f"The policy of bucket {wanted.bucket} was written {ATTEMPTS} times and was different each time afterwards; "
        "expected it to stay. Something else keeps writing it: stop that, or let it hold the statements too."
    )


def read_policy(client: Any, bucket: str, owner: str) -> Document | None:
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


def write_policy(client: Any, bucket: str, owner: str, policy: Document | None) -> None:
    """Write or delete the policy. A lost answer is no failure: the next read shows what happened."""
    try:
        if policy is None:
            s3.delete_bucket_policy(client, bucket, owner)
        else:
            s3.put_bucket_policy(client, bucket, owner, policy)
    except s3.AnsibleS3Error as error:
        if not outcome_unknown(error):
            raise
