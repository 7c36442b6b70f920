# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amazon S3: one call per function, each on a bucket of the account given as ``owner``.

Every call carries ExpectedBucketOwner, so that a bucket of the same name in another account is never read or written
(aws-facts 3.5). API reference: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, cast

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .errors import DENIED, ErrorHandler, code_of
from .retry import retry_read, retry_write
from .untyped import Client, Function, Structure


class AnsibleS3Error(AnsibleAWSError):
    """An error of Amazon S3."""

    iam_prefix = "s3"


class S3ErrorHandler(ErrorHandler):
    _CUSTOM_EXCEPTION = AnsibleS3Error


def of_bucket(description: str, missing: str = "") -> Callable[[Function], Function]:
    """Decorate a call whose second argument is a bucket, so that its errors name the bucket.

    missing: the error code that means "there is none"; the call then answers None.
    """

    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def call(client: Client, bucket: str, *arguments: Any) -> Any:
            guarded = S3ErrorHandler.common_error_handler(f"{description} of bucket {bucket}")(function)
            try:
                return guarded(client, bucket, *arguments)
            except AnsibleS3Error as error:
                if missing and code_of(error) == missing:
                    return None
                raise

        return cast(Function, call)

    return decorate


@S3ErrorHandler.common_error_handler("list the buckets of the account")
@retry_read
def list_buckets(client: Client) -> list[Structure]:
    """Name and, where AWS tells it, BucketRegion of every bucket of the account."""
    if client.can_paginate("list_buckets"):  # botocore of late 2024
        pages = client.get_paginator("list_buckets").paginate(PaginationConfig={"PageSize": 1000})
        return list(pages.build_full_result().get("Buckets", []))
    return list(client.list_buckets()["Buckets"])


@of_bucket("get the policy", missing="NoSuchBucketPolicy")
@retry_read
def get_bucket_policy(client: Client, bucket: str, owner: str) -> str | None:
    """The policy's JSON text; None when the bucket has none."""
    return str(client.get_bucket_policy(Bucket=bucket, ExpectedBucketOwner=owner)["Policy"])


@of_bucket("change the policy")
@retry_write
def put_bucket_policy(client: Client, bucket: str, owner: str, text: str) -> None:
    """Replace the bucket's policy. S3 has no conditional form of it."""
    client.put_bucket_policy(Bucket=bucket, ExpectedBucketOwner=owner, Policy=text)


@of_bucket("delete the policy")
@retry_write
def delete_bucket_policy(client: Client, bucket: str, owner: str) -> None:
    """Leave the bucket without a policy."""
    client.delete_bucket_policy(Bucket=bucket, ExpectedBucketOwner=owner)


@of_bucket("get the region")
@retry_read
def get_bucket_region(client: Client, bucket: str, owner: str) -> str:
    """The bucket's region. AWS gives us-east-1 as none and eu-west-1, for old buckets, as EU."""
    region = client.get_bucket_location(Bucket=bucket, ExpectedBucketOwner=owner).get("LocationConstraint")
    return str({None: "us-east-1", "EU": "eu-west-1"}.get(region, region))


@of_bucket("get the tags", missing="NoSuchTagSet")
@retry_read
def get_bucket_tags(client: Client, bucket: str, owner: str) -> list[dict[str, str]] | None:
    """Tags as Key and Value; None when there are none."""
    tags: list[dict[str, str]] = client.get_bucket_tagging(Bucket=bucket, ExpectedBucketOwner=owner)["TagSet"]
    return tags


@of_bucket("get the public access block", missing="NoSuchPublicAccessBlockConfiguration")
@retry_read
def get_public_access_block(client: Client, bucket: str, owner: str) -> dict[str, bool] | None:
    """The bucket's own four switches; None when it has none. The account's are another API's."""
    answer = client.get_public_access_block(Bucket=bucket, ExpectedBucketOwner=owner)
    switches: dict[str, bool] = answer["PublicAccessBlockConfiguration"]
    return switches


@of_bucket("get the versioning")
@retry_read
def get_bucket_versioning(client: Client, bucket: str, owner: str) -> str | None:
    """Enabled or Suspended; None when versioning never was on."""
    status: str | None = client.get_bucket_versioning(Bucket=bucket, ExpectedBucketOwner=owner).get("Status")
    return status


@of_bucket("get the default encryption", missing="ServerSideEncryptionConfigurationNotFoundError")
@retry_read
def get_bucket_encryption(client: Client, bucket: str, owner: str) -> list[Structure] | None:
    """Rules of the default encryption."""
    answer = client.get_bucket_encryption(Bucket=bucket, ExpectedBucketOwner=owner)
    rules: list[Structure] = answer["ServerSideEncryptionConfiguration"]["Rules"]
    return rules


@of_bucket("get the object ownership", missing="OwnershipControlsNotFoundError")
@retry_read
def get_object_ownership(client: Client, bucket: str, owner: str) -> str | None:
    """BucketOwnerEnforced, BucketOwnerPreferred or ObjectWriter; None when never set."""
    answer = client.get_bucket_ownership_controls(Bucket=bucket, ExpectedBucketOwner=owner)
    return str(answer["OwnershipControls"]["Rules"][0]["ObjectOwnership"])


@of_bucket("get the lifecycle rules", missing="NoSuchLifecycleConfiguration")
@retry_read
def get_lifecycle_rules(client: Client, bucket: str, owner: str) -> list[Structure] | None:
    """The lifecycle rules; None when there are none."""
    answer = client.get_bucket_lifecycle_configuration(Bucket=bucket, ExpectedBucketOwner=owner)
    rules: list[Structure] = answer["Rules"]
    return rules


@of_bucket("get the object lock", missing="ObjectLockConfigurationNotFoundError")
@retry_read
def get_object_lock(client: Client, bucket: str, owner: str) -> Structure | None:
    """The object lock configuration; None when the bucket has none."""
    answer = client.get_object_lock_configuration(Bucket=bucket, ExpectedBucketOwner=owner)
    lock: Structure = answer["ObjectLockConfiguration"]
    return lock


@of_bucket("get the access logging")
@retry_read
def get_access_logging(client: Client, bucket: str, owner: str) -> Structure | None:
    """Target of the server access logs; None when logging is off."""
    answer = client.get_bucket_logging(Bucket=bucket, ExpectedBucketOwner=owner)
    logging: Structure | None = answer.get("LoggingEnabled")
    return logging


@of_bucket("get the request payment")
@retry_read
def get_request_payment(client: Client, bucket: str, owner: str) -> str:
    """Who pays for requests: BucketOwner or Requester."""
    return str(client.get_bucket_request_payment(Bucket=bucket, ExpectedBucketOwner=owner)["Payer"])


@of_bucket("get the ACL")
@retry_read
def get_bucket_acl(client: Client, bucket: str, owner: str) -> Structure:
    """Owner and Grants of the bucket's ACL."""
    acl: Structure = client.get_bucket_acl(Bucket=bucket, ExpectedBucketOwner=owner)
    return acl


@of_bucket("get the replication", missing="ReplicationConfigurationNotFoundError")
@retry_read
def get_replication(client: Client, bucket: str, owner: str) -> Structure | None:
    """The replication configuration; None when the bucket has none."""
    answer = client.get_bucket_replication(Bucket=bucket, ExpectedBucketOwner=owner)
    replication: Structure = answer["ReplicationConfiguration"]
    return replication


@of_bucket("get the notifications")
@retry_read
def get_notifications(client: Client, bucket: str, owner: str) -> Structure:
    """Where events of the bucket are sent, by kind of target; empty when nowhere."""
    notifications: Structure = client.get_bucket_notification_configuration(Bucket=bucket, ExpectedBucketOwner=owner)
    return notifications


@of_bucket("list the objects")
@retry_read
def list_objects(client: Client, bucket: str, owner: str, prefix: str, after: str) -> list[Structure]:
    """Key, LastModified and Size of all objects below a prefix whose keys sort behind ``after``, in that order."""
    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, ExpectedBucketOwner=owner, Prefix=prefix, StartAfter=after
    )
    return [found for page in pages for found in page.get("Contents", [])]


@of_bucket("list the objects")
@retry_read
def first_object(client: Client, bucket: str, owner: str, prefix: str, after: str) -> str:
    """The key of the first object below a prefix whose key sorts behind ``after``; "" where there is none."""
    answer = client.list_objects_v2(
        Bucket=bucket, ExpectedBucketOwner=owner, Prefix=prefix, StartAfter=after, MaxKeys=1
    )
    return next((str(found["Key"]) for found in answer.get("Contents", [])), "")


@of_bucket("list the folders")
@retry_read
def list_folders(client: Client, bucket: str, owner: str, prefix: str) -> list[str]:
    """The first folders below a prefix that ends in ``/``, at most a thousand."""
    answer = client.list_objects_v2(Bucket=bucket, ExpectedBucketOwner=owner, Prefix=prefix, Delimiter="/")
    return [folder["Prefix"] for folder in answer.get("CommonPrefixes", [])]


@of_bucket("read an object")
@retry_read
def get_object(client: Client, bucket: str, owner: str, key: str) -> tuple[bytes, dict[str, str]]:
    """An object's content and its own metadata."""
    answer = client.get_object(Bucket=bucket, ExpectedBucketOwner=owner, Key=key)
    return answer["Body"].read(), dict(answer["Metadata"])


@of_bucket("look at the name", missing="404")
@retry_read
def _head_bucket(client: Client, bucket: str) -> bool | None:
    client.head_bucket(Bucket=bucket)
    return True


def bucket_exists(client: Client, bucket: str) -> bool:
    """Whether there is a bucket of that name in any account; S3 denies a look at one that the caller may not read."""
    try:
        return _head_bucket(client, bucket) is not None
    except AnsibleS3Error as error:
        if code_of(error) in DENIED:
            return True
        raise
