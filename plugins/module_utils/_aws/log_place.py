# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a trail's log files go: what the judgement of buckets, their repair and the coverage have in common."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .arn import TrailArn, is_account_id

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{2,254}", re.ASCII)
"""Buckets of us-east-1 from before 2018 may have long names, and capitals and underscores in them.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
"""


@dataclass(frozen=True)
class LogPlace:
    """A bucket, and the trail of an organization that writes to it (aws-facts sections 3 and 6).

    prefix: the trail's S3KeyPrefix without slashes around it, "" for none. kms_key_arn: the key that the trail encrypts
    its files with, "" for none, None where that is not known; an id or alias where its ARN is not known. owner: account
    that the bucket belongs to, "" where that is not known.
    """

    bucket: str
    trail: TrailArn
    organization_id: str
    prefix: str = ""
    kms_key_arn: str | None = None
    owner: str = ""

    @property
    def bucket_arn(self) -> str:
        return f"arn:{self.trail.partition}:s3:::{self.bucket}"

    @property
    def logs(self) -> str:
        """Beginning of every key that CloudTrail writes: ``[prefix/]AWSLogs/``."""
        return f"{self.prefix}/AWSLogs/" if self.prefix else "AWSLogs/"

    @property
    def organization_logs(self) -> str:
        """Beginning of the keys of every account's files: ``[prefix/]AWSLogs/<organization>/``."""
        return f"{self.logs}{self.organization_id}/"

    def object_arn(self, key: str) -> str:
        """ARN of an object, or of a pattern of objects, in the bucket."""
        return f"{self.bucket_arn}/{key}"


def place_refusal(bucket: str, owner: str) -> str | None:
    """Why the options log_bucket and log_bucket_account_id name no bucket, in one sentence; None when they may.

    Policies and event patterns are built of them: with "" or a wildcard they would be about no bucket, or about others.
    """
    if not _BUCKET.fullmatch(bucket):
        return (
            f"log_bucket is {bucket!r}, expected the name of a bucket: at least 3 letters, digits, dots, hyphens and "
            "underscores. Correct it."
        )
    if not is_account_id(owner):
        return f"The log bucket is of account {owner!r}, expected 12 digits. Quote the id in YAML."
    return None
