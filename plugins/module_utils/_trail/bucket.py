# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bucket that a trail writes to, or is to write to, as far as the run may read its policy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .._aws.arn import TrailArn
from .._aws.errors import DENIED, code_of, sentence
from .._aws.log_place import LogPlace
from .._aws.s3 import AnsibleS3Error, bucket_exists, get_bucket_policy
from .._aws.session import Session
from .options import TrailOptions
from .settings import Settings
from .situation import Unread

BucketJudge: TypeAlias = "Callable[[str | None, LogPlace, bool], Sequence[str]]"
"""Why a bucket's policy (JSON text, None for none) keeps out an organization trail (true) or an account's (false)."""


class NoSuchBucket(Exception):
    """There is no bucket of that name, in no account."""


@dataclass(frozen=True)
class BucketReader:
    """Reads and judges buckets with the credentials that there are: the caller's, then the log archive's role.

    caller: the session's account, which is the trail's owner or a delegated administrator.
    archive: makes the session of the log archive; None without a role.
    """

    session: Session
    caller: str
    arn: TrailArn
    organization_id: str
    judge: BucketJudge
    archive: Callable[[], Session] | None

    def problems(self, settings: Settings) -> Sequence[str] | Unread:
        """Why the bucket in a trail's settings does not admit the trail. Raises NoSuchBucket."""
        bucket = settings["s3_bucket_name"]
        place = LogPlace(
            bucket, self.arn, self.organization_id, settings["s3_key_prefix"], kms_key_arn=settings["kms_key_id"]
        )
        try:
            policy = self._policy(bucket)
        except AnsibleAWSError as error:
            return Unread(sentence(error))
        return self.judge(policy, place, settings["is_organization_trail"])

    def _policy(self, bucket: str) -> str | None:
        client = self.session.client("s3")
        try:
            return get_bucket_policy(client, bucket, self.caller)
        except AnsibleS3Error as error:
            if code_of(error) == "NoSuchBucket" or not bucket_exists(client, bucket):
                raise NoSuchBucket from error
            if code_of(error) not in DENIED or self.archive is None:
                raise
        archive = self.archive()
        return get_bucket_policy(archive.client("s3"), bucket, archive.account_id)


def missing_bucket(settings: Settings) -> str:
    """The sentence about a bucket that is not there."""
    return (
        f"Bucket {settings['s3_bucket_name']} does not exist, expected a bucket whose policy admits the trail. Correct "
        "the name, or create the bucket with the role log_bucket."
    )


def move_refusal(reader: BucketReader, before: Settings | None, after: Settings, options: TrailOptions) -> str | None:
    """Why an organization trail stays with its bucket: a look-up found another one, but nobody named it.

    A look-alike that somebody made beside the trail's own bucket would get every log file of the organization.
    """
    if options.bucket_is_named or before is None or not before["is_organization_trail"]:
        return None
    old, new = before["s3_bucket_name"], after["s3_bucket_name"]
    if old == new:
        return None
    try:
        found = reader.problems(before)
    except NoSuchBucket:
        found = ["it does not exist"]
    told = (
        f"its policy could not be read ({found.reason.rstrip('.')})" if isinstance(found, Unread) else "; ".join(found)
    )
    return (
        f"The organization trail {reader.arn} writes to the bucket {old}, of which is known: "
        f"{told or 'it admits the trail'}. A look-up found the bucket {new} in its place, expected the same bucket or "
        f"one that you name. Repair {old} with the module cloudtrail_log_bucket_policy. Only to move the trail, set "
        f"organization_trail_bucket={new} (in the module, bucket_is_named=true)."
    )
