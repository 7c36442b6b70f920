# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import inspect
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import boto3
import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws import s3
from botocore.stub import ANY, Stubber

OWNER = "222233334444"
CALLS: list[tuple[str, tuple[Any, ...], str, Any, Any]] = [
    ("get_bucket_policy", (), "get_bucket_policy", {"Policy": "{}"}, "{}"),
    ("put_bucket_policy", ("{}",), "put_bucket_policy", {}, None),
    ("delete_bucket_policy", (), "delete_bucket_policy", {}, None),
    ("get_bucket_region", (), "get_bucket_location", {}, "us-east-1"),
    ("get_bucket_region", (), "get_bucket_location", {"LocationConstraint": "EU"}, "eu-west-1"),
    ("get_bucket_region", (), "get_bucket_location", {"LocationConstraint": "us-west-2"}, "us-west-2"),
    ("get_bucket_tags", (), "get_bucket_tagging", {"TagSet": [{"Key": "a", "Value": "b"}]}, ANY),
    (
        "get_public_access_block",
        (),
        "get_public_access_block",
        {"PublicAccessBlockConfiguration": {"BlockPublicAcls": True}},
        {"BlockPublicAcls": True},
    ),
    ("get_bucket_versioning", (), "get_bucket_versioning", {"Status": "Suspended"}, "Suspended"),
    ("get_bucket_versioning", (), "get_bucket_versioning", {}, None),
    (
        "get_bucket_encryption",
        (),
        "get_bucket_encryption",
        {"ServerSideEncryptionConfiguration": {"Rules": [{"BucketKeyEnabled": True}]}},
        [{"BucketKeyEnabled": True}],
    ),
    (
        "get_object_ownership",
        (),
        "get_bucket_ownership_controls",
        {"OwnershipControls": {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}},
        "ObjectWriter",
    ),
    ("get_lifecycle_rules", (), "get_bucket_lifecycle_configuration", {"Rules": [{"Status": "Enabled"}]}, ANY),
    (
        "get_object_lock",
        (),
        "get_object_lock_configuration",
        {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}},
        {"ObjectLockEnabled": "Enabled"},
    ),
    (
        "get_access_logging",
        (),
        "get_bucket_logging",
        {"LoggingEnabled": {"TargetBucket": "t", "TargetPrefix": "p"}},
        {"TargetBucket": "t", "TargetPrefix": "p"},
    ),
    ("get_access_logging", (), "get_bucket_logging", {}, None),
    ("get_request_payment", (), "get_bucket_request_payment", {"Payer": "Requester"}, "Requester"),
    ("get_bucket_acl", (), "get_bucket_acl", {"Owner": {"ID": "a"}, "Grants": []}, ANY),
    (
        "get_replication",
        (),
        "get_bucket_replication",
        {"ReplicationConfiguration": {"Role": "r", "Rules": []}},
        {"Role": "r", "Rules": []},
    ),
    ("get_notifications", (), "get_bucket_notification_configuration", {"EventBridgeConfiguration": {}}, ANY),
    ("list_objects", ("p/", "a"), "list_objects_v2", {"Contents": [{"Key": "p/b"}]}, [{"Key": "p/b"}]),
    ("first_object", ("p/", "a"), "list_objects_v2", {"Contents": [{"Key": "p/b"}]}, "p/b"),
    ("first_object", ("p/", "a"), "list_objects_v2", {}, ""),
    ("list_folders", ("p/",), "list_objects_v2", {"CommonPrefixes": [{"Prefix": "p/q/"}]}, ["p/q/"]),
    ("get_object", ("k",), "get_object", {"Body": BytesIO(b"log"), "Metadata": {"a": "b"}}, (b"log", {"a": "b"})),
]
PARAMETERS: dict[str, dict[str, Any]] = {
    "put_bucket_policy": {"Policy": "{}"},
    "list_objects": {"Prefix": "p/", "StartAfter": "a"},
    "first_object": {"Prefix": "p/", "StartAfter": "a", "MaxKeys": 1},
    "list_folders": {"Prefix": "p/", "Delimiter": "/"},
    "get_object": {"Key": "k"},
}
"""What a call sends beside the bucket and its owner."""

MISSING = [
    ("get_bucket_policy", "get_bucket_policy", "NoSuchBucketPolicy"),
    ("get_bucket_tags", "get_bucket_tagging", "NoSuchTagSet"),
    ("get_public_access_block", "get_public_access_block", "NoSuchPublicAccessBlockConfiguration"),
    ("get_bucket_encryption", "get_bucket_encryption", "ServerSideEncryptionConfigurationNotFoundError"),
    ("get_object_ownership", "get_bucket_ownership_controls", "OwnershipControlsNotFoundError"),
    ("get_lifecycle_rules", "get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration"),
    ("get_object_lock", "get_object_lock_configuration", "ObjectLockConfigurationNotFoundError"),
    ("get_replication", "get_bucket_replication", "ReplicationConfigurationNotFoundError"),
]


@pytest.fixture
def client() -> Any:
    return boto3.client("s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")


@pytest.fixture
def stubber(client: Any) -> Iterator[Stubber]:
    with Stubber(client) as stubber:
        yield stubber


@pytest.mark.parametrize(("function", "arguments", "operation", "answer", "result"), CALLS)
def test_calls_name_the_owner(
    client: Any, stubber: Stubber, function: str, arguments: tuple[Any, ...], operation: str, answer: Any, result: Any
) -> None:
    expected = {"Bucket": "b", "ExpectedBucketOwner": OWNER, **PARAMETERS.get(function, {})}
    stubber.add_response(operation, answer, expected)
    assert result == getattr(s3, function)(client, "b", OWNER, *arguments)


def test_every_call_on_a_bucket_is_in_the_table() -> None:
    functions = {
        name
        for name, function in inspect.getmembers(s3, inspect.isfunction)
        if function.__module__ == s3.__name__ and "owner" in inspect.signature(function).parameters
    }
    assert functions == {call[0] for call in CALLS}


@pytest.mark.parametrize(("function", "operation", "code"), MISSING)
def test_what_is_missing_is_none(client: Any, stubber: Stubber, function: str, operation: str, code: str) -> None:
    stubber.add_client_error(operation, code, http_status_code=404)
    assert getattr(s3, function)(client, "b", OWNER) is None


def test_errors_name_the_bucket(client: Any, stubber: Stubber) -> None:
    stubber.add_client_error("get_bucket_policy", "AccessDenied", http_status_code=403)
    with pytest.raises(s3.AnsibleS3Error, match="Failed to get the policy of bucket example-logs"):
        s3.get_bucket_policy(client, "example-logs", OWNER)


class OldClient:
    """botocore before pages of ListBuckets."""

    def can_paginate(self, _operation: str) -> bool:
        return False

    def list_buckets(self) -> dict[str, Any]:
        return {"Buckets": [{"Name": "a"}]}


def test_list_buckets_without_pages() -> None:
    assert s3.list_buckets(OldClient()) == [{"Name": "a"}]


def test_list_buckets_with_pages(client: Any, stubber: Stubber) -> None:
    first = {"Buckets": [{"Name": "a"}], "ContinuationToken": "next"}
    stubber.add_response("list_buckets", first, {"MaxBuckets": 1000})
    stubber.add_response(
        "list_buckets", {"Buckets": [{"Name": "b"}]}, {"MaxBuckets": 1000, "ContinuationToken": "next"}
    )
    assert [bucket["Name"] for bucket in s3.list_buckets(client)] == ["a", "b"]
