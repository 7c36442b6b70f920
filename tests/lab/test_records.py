# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudTrail's records in the lab have the form of AWS's (aws-facts section 15)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from tests.lab.organization_trail import member_of, refusal
from tests.lab_process import MEMBER_ROLE, Lab

REGION = "us-east-1"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab("--scenario", "lesson", "--enforce-iam") as lab:
        yield lab


def listed(lab: Lab, account: str = "", **attribute: str) -> dict[str, Any]:
    """The newest event that has an attribute, as LookupEvents lists it."""
    [(key, value)] = attribute.items()
    client = lab.client("cloudtrail", account, REGION)
    events = client.lookup_events(LookupAttributes=[{"AttributeKey": key, "AttributeValue": value}])["Events"]
    newest: dict[str, Any] = events[0]
    return newest


def newest(lab: Lab, name: str, account: str = "") -> dict[str, Any]:
    """The record of the newest event of a name."""
    record: dict[str, Any] = json.loads(listed(lab, account, EventName=name)["CloudTrailEvent"])
    return record


BLOCK = {"PublicAccessBlockConfiguration": {"BlockPublicAcls": True}}
S3_CALLS = [
    ("put_public_access_block", BLOCK, "PutBucketPublicAccessBlock"),
    ("get_public_access_block", {}, "GetBucketPublicAccessBlock"),
    ("delete_public_access_block", {}, "DeleteBucketPublicAccessBlock"),
    ("put_bucket_versioning", {"VersioningConfiguration": {"Status": "Enabled"}}, "PutBucketVersioning"),
    ("get_bucket_notification_configuration", {}, "GetBucketNotification"),
    ("get_bucket_lifecycle_configuration", {}, "GetBucketLifecycle"),
    ("get_object_lock_configuration", {}, "GetBucketObjectLockConfiguration"),
]


@pytest.mark.parametrize(("operation", "given", "name"), S3_CALLS, ids=[call[2] for call in S3_CALLS])
def test_fact_15_1_s3_has_names_of_its_own(lab: Lab, operation: str, given: dict[str, Any], name: str) -> None:
    s3 = lab.client("s3")
    if "mine" not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket="mine")
    with suppress(s3.exceptions.ClientError):  # there may be no such configuration
        getattr(s3, operation)(Bucket="mine", **given)
    asked = newest(lab, name)["requestParameters"]
    assert asked["bucketName"] == "mine"
    assert asked["Host"]
    assert "bucket" not in asked


def test_fact_15_1_a_bucket_policy_is_no_text(lab: Lab) -> None:
    s3 = lab.client("s3", lab.log_archive)
    policy = s3.get_bucket_policy(Bucket=lab.bucket)["Policy"]
    s3.put_bucket_policy(Bucket=lab.bucket, Policy=policy)
    asked = newest(lab, "PutBucketPolicy", lab.log_archive)["requestParameters"]
    assert (asked["bucketPolicy"], asked["policy"]) == (json.loads(policy), "")


def test_fact_15_2_a_refusal_by_iam_has_one_name(lab: Lab) -> None:
    iam = lab.client("iam")
    iam.create_user(UserName="nobody")
    keys = iam.create_access_key(UserName="nobody")["AccessKey"]
    assert refusal(lab.client_with(keys, "cloudtrail").stop_logging, Name="default") == "AccessDeniedException"
    record = newest(lab, "StopLogging")
    assert (record["errorCode"], record["responseElements"]) == ("AccessDenied", None)
    assert record["userIdentity"]["userName"] == "nobody"


def test_fact_15_3_writes_show_their_answer(lab: Lab) -> None:
    cloudtrail = lab.client("cloudtrail")
    cloudtrail.update_trail(Name="default", IncludeGlobalServiceEvents=True)
    assert newest(lab, "UpdateTrail")["responseElements"]["trailARN"] == lab.trail_arn
    cloudtrail.get_trail(Name="default")
    assert newest(lab, "GetTrail")["responseElements"] is None
    cloudtrail.start_logging(Name="default")
    assert newest(lab, "StartLogging")["responseElements"] is None
    lab.client("sqs").create_queue(QueueName="queue")  # by moto
    assert newest(lab, "CreateQueue")["responseElements"]["queueUrl"].endswith("/queue")


def test_fact_15_3_secrets_are_left_out(lab: Lab) -> None:
    lab.client("iam").create_user(UserName="somebody")
    key = lab.client("iam").create_access_key(UserName="somebody")["AccessKey"]
    text = json.dumps(newest(lab, "CreateAccessKey"))
    assert key["AccessKeyId"] in text
    assert key["SecretAccessKey"] not in text
    role = f"arn:aws:iam::{lab.log_archive}:role/{MEMBER_ROLE}"
    keys = lab.client("sts").assume_role(RoleArn=role, RoleSessionName="secrets")["Credentials"]
    answer = newest(lab, "AssumeRole")["responseElements"]
    assert answer["credentials"]["accessKeyId"] == keys["AccessKeyId"]
    assert keys["SecretAccessKey"] not in json.dumps(answer)


def test_fact_15_4_cloudtrail_reads_the_acl_of_the_log_bucket(lab: Lab) -> None:
    lab.client("organizations").enable_aws_service_access(ServicePrincipal="cloudtrail.amazonaws.com")
    calls = len(lab.journal())
    update = {"Name": "default", "IsOrganizationTrail": True, "S3BucketName": lab.bucket}
    lab.client("cloudtrail").update_trail(**update)
    record = newest(lab, "GetBucketAcl", lab.log_archive)
    assert record["userIdentity"] == {"type": "AWSService", "invokedBy": "cloudtrail.amazonaws.com"}
    assert (record["sourceIPAddress"], record["requestParameters"]["bucketName"]) == (
        "cloudtrail.amazonaws.com",
        lab.bucket,
    )
    names = [entry["operation"] for entry in lab.journal()[calls:]]
    assert "GetBucketAcl" not in names, "it is no call of a client"


def test_fact_15_5_who_it_was(lab: Lab) -> None:
    member = member_of(lab, 0)
    role = f"arn:aws:iam::{member}:role/{MEMBER_ROLE}"
    keys = lab.client("sts").assume_role(RoleArn=role, RoleSessionName="who")["Credentials"]
    taken = newest(lab, "AssumeRole")
    cloudtrail = lab.client_with(keys, "cloudtrail", REGION)
    given = json.loads(cloudtrail.lookup_events()["Events"][-1]["CloudTrailEvent"])
    admin = taken["userIdentity"]
    assert (admin["type"], admin["userName"]) == ("IAMUser", "admin")
    assert admin["accessKeyId"] == lab.environment["AWS_ACCESS_KEY_ID"]
    assert given["userIdentity"] == {
        "type": "AWSAccount",
        "principalId": admin["principalId"],
        "accountId": lab.management,
    }
    assert taken["sharedEventID"] == given["sharedEventID"]
    assert taken["eventID"] != given["eventID"]
    assert taken["resources"] == [{"accountId": member, "type": "AWS::IAM::Role", "ARN": role}]
    lab.client_with(keys, "kms", REGION).list_aliases()
    record = newest(lab, "ListAliases", member)
    who = record["userIdentity"]
    assert (who["type"], who["accessKeyId"]) == ("AssumedRole", keys["AccessKeyId"])
    issuer = who["sessionContext"]["sessionIssuer"]
    assert (issuer["arn"], who["principalId"]) == (role, f"{issuer['principalId']}:who")
    assert set(who["sessionContext"]["attributes"]) == {"creationDate", "mfaAuthenticated"}
    assert record["tlsDetails"]["tlsVersion"] == "TLSv1.3"
    assert "sharedEventID" not in record


def test_fact_15_6_a_user_is_looked_up_by_its_name_and_key(lab: Lab) -> None:
    lab.client("kms").list_keys()
    event = listed(lab, EventName="ListKeys")
    assert (event["Username"], event["AccessKeyId"]) == ("admin", lab.environment["AWS_ACCESS_KEY_ID"])
