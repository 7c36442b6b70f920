# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the candidates for the log bucket, many at a time, with as few calls as the question needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial

from .._aws import s3
from .._aws.errors import DENIED, code_of, sentence
from .._aws.untyped import Client
from .._work.reads import Answers, read_all, read_each
from .candidate import Candidate, SoughtTrail, judge_bucket, unreadable
from .choice import BucketChoiceError, Criteria, foreign_bucket
from .health import Settings

WORKERS = 10  # as many as botocore keeps connections; more at once would open new ones each time

SETTINGS: dict[str, Callable[[Client, str, str], object]] = {
    "region": s3.get_bucket_region,
    "public_access_block": s3.get_public_access_block,
    "versioning": s3.get_bucket_versioning,
    "encryption": s3.get_bucket_encryption,
    "object_ownership": s3.get_object_ownership,
    "lifecycle": s3.get_lifecycle_rules,
    "object_lock": s3.get_object_lock,
    "access_logging": s3.get_access_logging,
    "request_payment": s3.get_request_payment,
    "acl": s3.get_bucket_acl,
    "replication": s3.get_replication,
    "notifications": s3.get_notifications,
}


def read_named(client: Client, name: str, owner: str, sought: SoughtTrail) -> list[Candidate]:
    """Judge the bucket of that name; an empty list when there is none. Raises what ``get_own_policy`` raises."""
    try:
        return [judge_bucket(name, get_own_policy(client, name, owner), sought)]
    except s3.AnsibleS3Error as error:
        if code_of(error) == "NoSuchBucket":
            return []
        raise


def get_own_policy(client: Client, name: str, owner: str) -> str | None:
    """The policy of a bucket that was named; None when it has none.

    Raises BucketChoiceError for a bucket of another account, AnsibleS3Error when there is none or S3 denies reading.
    """
    try:
        return s3.get_bucket_policy(client, name, owner)
    except s3.AnsibleS3Error as error:
        # S3 answers alike to a missing permission and to ExpectedBucketOwner naming another account.
        if code_of(error) in DENIED and _is_foreign(client, name):
            raise BucketChoiceError(foreign_bucket(name, owner)) from error
        raise


def _is_foreign(client: Client, name: str) -> bool:
    with suppress(s3.AnsibleS3Error):
        return name not in list_names(client)
    return False


def list_names(client: Client) -> dict[str, str | None]:
    """The account's buckets, each with its region where AWS tells it."""
    return {bucket["Name"]: bucket.get("BucketRegion") for bucket in s3.list_buckets(client)}


def read_candidates(
    client: Client, names: Iterable[str], owner: str, criteria: Criteria, sought: SoughtTrail
) -> list[Candidate]:
    """Judge those of the buckets that fit the criteria. One that cannot be read is reported, not fatal."""

    def read(name: str) -> Candidate | None:
        try:
            if criteria.tags and not criteria.fits_tags(s3.get_bucket_tags(client, name, owner) or []):
                return None
            return judge_bucket(name, s3.get_bucket_policy(client, name, owner), sought)
        except s3.AnsibleS3Error as error:
            return None if code_of(error) == "NoSuchBucket" else unreadable(name, sentence(error), sought)

    candidates = read_each(read, [name for name in names if criteria.fits_name(name)], WORKERS)
    return [candidate for candidate in candidates if candidate is not None]


def read_settings(client: Client, name: str, owner: str) -> Answers:
    """A bucket's settings, each as S3 answers it, or the error where the caller may not read it."""

    def read(setting: str) -> object:
        try:
            return SETTINGS[setting](client, name, owner)
        except s3.AnsibleS3Error as error:
            return error

    return read_all({setting: partial(read, setting) for setting in SETTINGS})


def settings_of(answers: Answers, candidate: Candidate) -> Settings:
    """The settings of a bucket in the answers of ``read_settings``; what was not read is named with the reason."""
    denied = {name: sentence(one) for name, one in answers.items() if isinstance(one, s3.AnsibleS3Error)}
    if not candidate.readable:  # it is the policy that tells
        denied["tls_only"] = candidate.problems[0].found
    return Settings(answers, denied, candidate.policy, candidate.place)
