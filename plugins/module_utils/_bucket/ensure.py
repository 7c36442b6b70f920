# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a bucket's policy to what one trail needs, while others may be writing the same policy."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from .._aws import s3
from .._aws.arn import TrailArn, parse_trail_arn, possible_trail_arn
from .._aws.errors import AnsibleOrgTrailError, code_of, outcome_unknown, parsed, refuse
from .._aws.log_place import LogPlace
from .._aws.session import Session
from .._aws.untyped import Client
from .._organization.membership import require_membership
from .._policy.document import Document
from .._policy.evaluation import PolicyError, parse_policy
from .._work.options import Result
from .candidate import require_owner
from .choice import BucketChoiceError, no_such_bucket
from .refusals import denial_problem, public_problem, public_statements, size_problem, text_of
from .scan import get_own_policy
from .tls_only import require_tls
from .verdict import judge_policy, merge_policy, remove_trail

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
    trail = parsed(parse_trail_arn if absent else possible_trail_arn, params["trail_arn"])
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
    """What the policy is to hold of one trail; ``caller``: the ARN of who writes it, "" where that is not known."""

    place: LogPlace
    state: Literal["present", "absent"] = "present"
    tls_only: bool = False
    caller: str = ""


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
    return Wanted(place, options.state, options.tls_only, session.arn)


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


def _listed(statement: object) -> list[Any]:
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


@dataclass(frozen=True)
class PolicyChange:
    """The policy as it was and as it is (in check mode: would be).

    lost: statements of others that were there and that no run of ours removed, gone after the write.
    """

    before: Document | None
    after: Document | None
    lost: tuple[Document, ...] = ()


def describe_change(change: PolicyChange, bucket: str) -> Result:
    """Return changed and diff as Ansible shows them."""
    header = f"policy of bucket {bucket}"
    before_and_after = (("before", change.before), ("after", change.after))
    shown = {name: json.dumps(one, indent=2) if one else "" for name, one in before_and_after}
    return {
        "changed": change.before != change.after,
        "diff": {
            "before_header": header,
            "after_header": header,
            **{side: f"{text}\n" if text else "" for side, text in shown.items()},
        },
    }


def ensure_policy(
    reader: Client,
    writer: Client,
    owner: str,
    wanted: Wanted,
    check_mode: bool,
    pause: Callable[[float], None] = time.sleep,
) -> PolicyChange:
    """Bring the policy to what is wanted.

    S3 has no conditional write of a policy, so two who write at once can overwrite each other. What is written is
    therefore planned from a read directly before the write; some time later the policy is read once more, until a read
    leaves nothing to do.
    """
    bucket = wanted.place.bucket
    first = before = read_policy(reader, bucket, owner)
    lost: list[Document] = []
    for _attempt in range(ATTEMPTS):
        after = change_policy(before, wanted)
        if after != before:
            refuse_unwritable(reader, owner, before, after, wanted)
        if after == before or check_mode:
            return PolicyChange(first, after, tuple(one for one in lost if one in _missing(lost, after)))
        latest = read_policy(reader, bucket, owner)
        if latest == before:
            write_policy(writer, bucket, owner, after)
            pause(random.uniform(*SETTLE))
            latest = read_policy(reader, bucket, owner)
            kept = [one for one in _statements(before) if one in _statements(after)]
            lost += [one for one in _missing(kept, latest) if one not in lost]
        before = latest
    raise AnsibleOrgTrailError(
        f"The policy of bucket {bucket} was written {ATTEMPTS} times and was different each time afterwards; "
        "expected it to stay. Something else keeps writing it: stop that, or let it hold the statements too."
    )


def _statements(policy: Document | None) -> list[Any]:
    return _listed(policy["Statement"]) if policy else []


def _missing(statements: Iterable[Document], policy: Document | None) -> list[Document]:
    """Those of the statements that the policy has neither as they are nor under the same Sid."""
    there = _statements(policy)
    sids = {one["Sid"] for one in there if one.get("Sid")}
    return [one for one in statements if one not in there and one.get("Sid") not in sids]


def loss_warnings(change: PolicyChange, bucket: str) -> list[str]:
    """A sentence for each statement of others that somebody else's write took away meanwhile."""
    return [
        f"Statement {one.get('Sid') or 'without a Sid'} of the policy of bucket {bucket} ({one['Effect']} for "
        f"{json.dumps(one.get('Principal', one.get('NotPrincipal')))}) was there before and is gone: somebody else "
        f"wrote the policy at the same time. Ask whose it is; to bring it back, add {json.dumps(one)}"
        for one in change.lost
    ]


def refuse_unwritable(
    reader: Client, owner: str, before: Document | None, after: Document | None, wanted: Wanted
) -> None:
    """Raise AnsibleOrgTrailError when it can be seen that S3 will refuse the write.

    The public access block is read only where it counts; where that is denied S3 decides.
    """
    action = "s3:DeleteBucketPolicy" if after is None else "s3:PutBucketPolicy"
    refuse(denial_problem(before, wanted.place, wanted.caller, action))
    if after is not None and public_statements(after):
        with suppress(s3.AnsibleS3Error):
            block = s3.get_public_access_block(reader, wanted.place.bucket, owner) or {}
            if block.get("BlockPublicPolicy"):
                raise AnsibleOrgTrailError(public_problem(after, wanted.place))


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
            s3.put_bucket_policy(client, bucket, owner, text_of(policy))
    except s3.AnsibleS3Error as error:
        if not outcome_unknown(error):
            raise
