# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls that change nothing whether they are denied or not: what AWS answers them tells whether a guardrail denies.

Authorization comes before everything else (aws-facts 10.7). A call that is not denied is refused for another reason, or
finds nothing to do.
"""

from __future__ import annotations

from .cloudtrail import CloudTrailErrorHandler
from .kms import KMSErrorHandler
from .retry import retry_write
from .s3 import S3ErrorHandler
from .untyped import Client

NO_POLICY = "{}"
"""A text that S3 and KMS never take for a policy: it has no Statement."""


@CloudTrailErrorHandler.common_error_handler("stop a trail that does not exist")
@retry_write
def stop_no_trail(client: Client, arn: str) -> None:
    """StopLogging of a trail that nobody has; not denied, it answers TrailNotFoundException.

    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_StopLogging.html
    """
    client.stop_logging(Name=arn)


@S3ErrorHandler.common_error_handler("put a bucket policy that S3 never takes")
@retry_write
def put_no_bucket_policy(client: Client, bucket: str, owner: str) -> None:
    """PutBucketPolicy with no policy; not denied, it answers MalformedPolicy and leaves the policy that is there.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html
    """
    client.put_bucket_policy(Bucket=bucket, ExpectedBucketOwner=owner, Policy=NO_POLICY)


@S3ErrorHandler.common_error_handler("delete a version of an object that does not exist")
@retry_write
def delete_no_version(client: Client, bucket: str, owner: str, key: str) -> None:
    """DeleteObject of the version ``null`` of an object that nobody has; not denied, it finds nothing to delete.

    Only without a version S3 would put a delete marker there.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeletingObjectVersions.html
    """
    client.delete_object(Bucket=bucket, ExpectedBucketOwner=owner, Key=key, VersionId="null")


@KMSErrorHandler.common_error_handler("put a key policy that KMS never takes")
@retry_write
def put_no_key_policy(client: Client, key: str) -> None:
    """PutKeyPolicy with no policy; not denied, it answers MalformedPolicyDocumentException and changes nothing.

    https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
    """
    client.put_key_policy(KeyId=key, PolicyName="default", Policy=NO_POLICY)
