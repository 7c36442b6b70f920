# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab delivers, and that the real AWS CLI believes it (aws-facts sections 4 and 6)."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.lab.organization_trail import (
    SERVICE,
    make_bucket,
    member_of,
    options,
    organization_trail,
    put_policy,
    refusal,
    refused,
    statements,
)
from tests.lab_process import MEMBER_ROLE, Lab
from tests.trail_run import make_key

LOG = (
    r"AWSLogs/ORG/ACCOUNT/CloudTrail/(?P<region>[a-z0-9-]+)/\d{4}/\d{2}/\d{2}/"
    r"ACCOUNT_CloudTrail_(?P=region)_\d{8}T\d{4}Z_[A-Za-z0-9]{16}\.json\.gz"
)
DIGEST = (
    r"AWSLogs/ORG/ACCOUNT/CloudTrail-Digest/(?P<region>[a-z0-9-]+)/\d{4}/\d{2}/\d{2}/"
    r"ACCOUNT_CloudTrail-Digest_(?P=region)_default_us-east-1_\d{8}T\d{6}Z\.json\.gz"
)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab("--scenario", "lesson") as lab:
        lab.control("POST", "options", {"admission_markers": False})
        yield lab


@pytest.fixture
def shared(lab: Lab) -> Iterator[str]:
    """The ARN of the lesson's trail while it is an organization trail; what happened before is delivered."""
    deliver(lab)
    with organization_trail(lab) as arn:
        yield arn


def deliver(lab: Lab, **body: Any) -> dict[str, Any]:
    answer: dict[str, Any] = lab.control("POST", "deliver", body or {"hours": 1})
    return answer


def keys(lab: Lab, bucket: str, prefix: str = "", account: str = "") -> list[str]:
    pages = (
        lab.client("s3", account or lab.log_archive)
        .get_paginator("list_objects_v2")
        .paginate(Bucket=bucket, Prefix=prefix)
    )
    return [item["Key"] for page in pages for item in page.get("Contents", [])]


def organization_keys(lab: Lab, account: str, kind: str = "CloudTrail") -> list[str]:
    return keys(lab, lab.bucket, f"AWSLogs/{lab.organization_id}/{account}/{kind}/")


def read(lab: Lab, bucket: str, key: str, account: str = "") -> dict[str, Any]:
    body = lab.client("s3", account or lab.log_archive).get_object(Bucket=bucket, Key=key)["Body"].read()
    content: dict[str, Any] = json.loads(gzip.decompress(body))
    return content


def records(lab: Lab, account: str) -> list[dict[str, Any]]:
    """All events in the organization's files of an account."""
    return [record for key in organization_keys(lab, account) for record in read(lab, lab.bucket, key)["Records"]]


def call_in(lab: Lab, account: str, region: str = "us-east-1") -> None:
    lab.client("cloudtrail", account, region).list_trails()


def now(lab: Lab) -> datetime:
    return datetime.fromisoformat(lab.control("GET", "time")["time"])


def validate(lab: Lab, home: Path, account: str, hours: float = 2, region: str = "us-east-1") -> tuple[int, str]:
    """Run ``aws cloudtrail validate-logs`` as the log archive; answers exit status and output."""
    role = f"arn:aws:iam::{lab.log_archive}:role/{MEMBER_ROLE}"
    keys = lab.client("sts").assume_role(RoleArn=role, RoleSessionName="validate")["Credentials"]
    environment = {
        **lab.child_environment(str(home)),
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }
    start, end = now(lab) - timedelta(hours=hours), now(lab) + timedelta(minutes=1)
    command = [sys.executable, "-m", "awscli", "cloudtrail", "validate-logs", "--trail-arn", lab.trail_arn]
    command += ["--account-id", account, "--region", region, "--verbose"]
    command += ["--start-time", f"{start:%Y-%m-%dT%H:%M:%SZ}", "--end-time", f"{end:%Y-%m-%dT%H:%M:%SZ}"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


# --- layout -----------------------------------------------------------------------------------------


def test_fact_6_3_layout_of_log_and_digest_files(lab: Lab, shared: str) -> None:
    member = member_of(lab)
    call_in(lab, member, "eu-west-1")
    call_in(lab, lab.management, "eu-west-1")
    deliver(lab)
    for account in (member, lab.management):
        for kind, pattern in (("CloudTrail", LOG), ("CloudTrail-Digest", DIGEST)):
            expected = re.compile(pattern.replace("ORG", lab.organization_id).replace("ACCOUNT", account))
            matches = [expected.fullmatch(key) for key in organization_keys(lab, account, kind)]
            assert all(matches)
            assert "eu-west-1" in {match["region"] for match in matches if match}


def test_fact_6_3_what_stands_in_a_log_file(lab: Lab, shared: str) -> None:
    member = member_of(lab)
    region = "ap-south-1"
    call_in(lab, member, region)
    refusal(lab.client("cloudtrail", member, region).stop_logging, Name=shared)
    deliver(lab)
    found = [record for record in records(lab, member) if record["awsRegion"] == region]
    described, stopped = found
    assert (described["eventSource"], described["eventName"]) == ("cloudtrail.amazonaws.com", "ListTrails")
    assert (described["readOnly"], described["managementEvent"]) == (True, True)
    assert described["recipientAccountId"] == member
    assert described["userIdentity"]["sessionContext"]["sessionIssuer"]["userName"] == MEMBER_ROLE
    assert "errorCode" not in described
    assert stopped["errorCode"] == "NotOrganizationMasterAccountException"
    assert stopped["requestParameters"] == {"name": shared}


def test_fact_15_5_the_role_owner_sees_who_came(lab: Lab, shared: str) -> None:
    quiet = member_of(lab, 1)
    lab.client("sts", quiet)
    deliver(lab)
    [assumed] = [record for record in records(lab, quiet) if record["eventName"] == "AssumeRole"]
    assert assumed["userIdentity"]["accountId"] == lab.management
    assert assumed["recipientAccountId"] == quiet


def test_fact_6_3_only_management_events_are_logged(lab: Lab, shared: str) -> None:
    member = member_of(lab, 2)
    s3 = lab.client("s3", member)
    s3.create_bucket(Bucket="data-events")
    s3.put_object(Bucket="data-events", Key="a", Body=b"b")
    deliver(lab)
    assert {"AssumeRole", "CreateBucket"} == {record["eventName"] for record in records(lab, member)}


def advanced(field: dict[str, Any]) -> dict[str, Any]:
    """An advanced selector for the management events whose field fits."""
    category = {"Field": "eventCategory", "Equals": ["Management"]}
    return {"AdvancedEventSelectors": [{"FieldSelectors": [category, field]}]}


@pytest.mark.parametrize(
    ("selectors", "logged"),
    [
        ({"EventSelectors": [{"ReadWriteType": "All"}]}, {"ListTrails", "ListKeys", "CreateKey"}),
        ({"EventSelectors": [{"ReadWriteType": "WriteOnly"}]}, {"CreateKey"}),
        ({"EventSelectors": [{"ExcludeManagementEventSources": ["kms.amazonaws.com"]}]}, {"ListTrails"}),
        (advanced({"Field": "readOnly", "Equals": ["true"]}), {"ListTrails", "ListKeys"}),
        (advanced({"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]}), {"ListTrails"}),
        (advanced({"Field": "eventName", "StartsWith": ["List"], "NotEndsWith": ["Keys"]}), {"ListTrails"}),
    ],
)
def test_selectors_decide_what_is_logged(lab: Lab, shared: str, selectors: dict[str, Any], logged: set[str]) -> None:
    cloudtrail, member = lab.client("cloudtrail"), member_of(lab)
    region = "eu-north-1"
    cloudtrail.put_event_selectors(TrailName="default", **selectors)
    before = {record["eventID"] for record in records(lab, member)}
    kms = lab.client("kms", member, region)
    kms.list_keys()
    kms.create_key()
    call_in(lab, member, region)
    deliver(lab)
    cloudtrail.put_event_selectors(TrailName="default", EventSelectors=[{"ReadWriteType": "All"}])
    new = [record for record in records(lab, member) if record["eventID"] not in before]
    assert {record["eventName"] for record in new if record["awsRegion"] == region} == logged


def test_stopped_trail_logs_nothing(lab: Lab, shared: str) -> None:
    cloudtrail, member = lab.client("cloudtrail"), member_of(lab)
    cloudtrail.stop_logging(Name="default")
    call_in(lab, member, "ap-northeast-3")
    cloudtrail.start_logging(Name="default")
    deliver(lab)
    assert "ap-northeast-3" not in {record["awsRegion"] for record in records(lab, member)}


def test_fact_4_6_opt_in_home_region(lab: Lab, shared: str) -> None:
    home, opted_in, other = "af-south-1", member_of(lab, 0), member_of(lab, 1)
    for account in (lab.management, opted_in):
        lab.client("account", account).enable_region(RegionName=home)
    name = "opt-in-home"
    arn = f"arn:aws:cloudtrail:{home}:{lab.management}:trail/far"
    make_bucket(lab, name, statements(name, arn, lab.organization_id))
    cloudtrail = lab.client("cloudtrail", region=home)
    cloudtrail.create_trail(Name="far", S3BucketName=name, IsOrganizationTrail=True, IsMultiRegionTrail=True)
    cloudtrail.start_logging(Name="far")
    for account in (lab.management, opted_in, other):
        call_in(lab, account)
    deliver(lab)
    cloudtrail.delete_trail(Name="far")
    assert {key.split("/")[2] for key in keys(lab, name)} == {lab.management, opted_in}


# --- status -----------------------------------------------------------------------------------------


def test_fact_4_5_status_follows_deliveries(lab: Lab, shared: str) -> None:
    member = member_of(lab)
    client = lab.client("cloudtrail", member, "us-west-1")
    assert "LatestDeliveryTime" not in client.get_trail_status(Name=shared)
    deliver(lab)
    status = client.get_trail_status(Name=shared)
    assert {"LatestDeliveryTime", "LatestDigestDeliveryTime"} <= set(status)
    assert "LatestDeliveryError" not in status
    elsewhere = lab.client("cloudtrail", member, "us-west-2")
    assert "LatestDeliveryTime" not in elsewhere.get_trail_status(Name=shared)


def test_deliver_without_files_tells_every_region_of_every_account(lab: Lab, shared: str) -> None:
    before = keys(lab, lab.bucket)
    deliver(lab, hours=1, files=False)
    assert keys(lab, lab.bucket) == before
    for account in (member_of(lab, 0), member_of(lab, 2)):
        for region in ("us-west-2", "sa-east-1"):
            status = lab.client("cloudtrail", account, region).get_trail_status(Name=shared)
            assert {"LatestDeliveryTime", "LatestDigestDeliveryTime"} <= set(status)


@pytest.mark.parametrize(("streams", "error"), [("", "AccessDenied"), ("ORGANIZATION_", None)])
def test_fact_2_15_the_role_must_allow_the_members_streams(lab: Lab, streams: str, error: str | None) -> None:
    name = f"trail-logs-{bool(streams)}".lower()
    lab.client("logs").create_log_group(logGroupName=name)
    group = f"arn:aws:logs:us-east-1:{lab.management}:log-group:{name}"
    trust = {"Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": "sts:AssumeRole"}
    beginnings = [f"{lab.management}_", *([streams.replace("ORGANIZATION", lab.organization_id)] if streams else [])]
    allow = {
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": [f"{group}:log-stream:{beginning}*" for beginning in beginnings],
    }
    iam, cloudtrail = lab.client("iam"), lab.client("cloudtrail")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy_text(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="streams", PolicyDocument=policy_text(allow))
    cloudtrail.update_trail(
        Name="default", CloudWatchLogsLogGroupArn=f"{group}:*", CloudWatchLogsRoleArn=role, EnableLogFileValidation=True
    )
    with organization_trail(lab) as arn:
        member = member_of(lab)
        call_in(lab, member)
        deliver(lab)
        own = cloudtrail.get_trail_status(Name=arn)
        shadow = lab.client("cloudtrail", member).get_trail_status(Name=arn)
    cloudtrail.update_trail(Name="default", CloudWatchLogsLogGroupArn="", CloudWatchLogsRoleArn="")
    assert "LatestCloudWatchLogsDeliveryError" not in own
    assert shadow.get("LatestCloudWatchLogsDeliveryError") == error
    assert "LatestDeliveryError" not in shadow


def test_fact_2_18_a_topic_that_refuses_is_told_of(lab: Lab) -> None:
    sns, cloudtrail = lab.client("sns"), lab.client("cloudtrail")
    topic = sns.create_topic(Name="told")["TopicArn"]
    allow = {"Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": "SNS:Publish", "Resource": topic}
    admitting = policy_text(allow)
    errors = []
    for policy in (admitting, admitting.replace("SNS:Publish", "SNS:Subscribe"), "gone"):
        if policy == "gone":
            sns.delete_topic(TopicArn=topic)
        else:
            sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
        if policy == admitting:
            cloudtrail.update_trail(Name="default", SnsTopicName="told")
        call_in(lab, lab.management)
        deliver(lab)
        errors.append(cloudtrail.get_trail_status(Name=lab.trail_arn).get("LatestNotificationError"))
    cloudtrail.update_trail(Name="default", SnsTopicName="")
    assert errors == [None, "AuthorizationError", "NotFound"]


def policy_text(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.mark.parametrize("code", ["AccessDenied", "NoSuchBucket"])
def test_fact_6_6_broken_bucket_is_told_and_tried_again(lab: Lab, shared: str, code: str) -> None:
    member, name = member_of(lab), f"breaks-{code.lower()}"
    policy = statements(name, lab.trail_arn, lab.organization_id)
    make_bucket(lab, name, policy)
    lab.client("cloudtrail").update_trail(Name="default", S3BucketName=name)
    region = "us-west-1"
    client = lab.client("cloudtrail", member, region)
    s3 = lab.client("s3", lab.log_archive)
    call_in(lab, member, region)
    if code == "AccessDenied":
        put_policy(lab, name, policy[:2])
    else:
        s3.delete_bucket(Bucket=name)
    report = deliver(lab)
    assert {"trail": shared, "account": member, "region": region, "error": code} in report["refused"]
    status = client.get_trail_status(Name=shared)
    assert (status["LatestDeliveryError"], status["LatestDigestDeliveryError"]) == (code, code)
    if code == "NoSuchBucket":
        s3.create_bucket(Bucket=name)
    put_policy(lab, name, policy)
    lab.control("POST", "time", {"hours": 24})
    deliver(lab)
    status = lab.client("cloudtrail", member, region).get_trail_status(Name=shared)
    assert "LatestDeliveryError" not in status
    [first, *_later] = keys(lab, name, f"AWSLogs/{lab.organization_id}/{member}/CloudTrail/{region}/")
    assert "ListTrails" in {record["eventName"] for record in read(lab, name, first)["Records"]}
    lab.control("POST", "time", {"hours": -24})


def test_fact_6_6_after_30_days_events_are_lost(lab: Lab, shared: str) -> None:
    member, name = member_of(lab), "broken-for-long"
    policy = statements(name, lab.trail_arn, lab.organization_id)
    make_bucket(lab, name, policy)
    lab.client("cloudtrail").update_trail(Name="default", S3BucketName=name)
    put_policy(lab, name, policy[:2])
    call_in(lab, member, "us-west-1")
    deliver(lab)
    put_policy(lab, name, policy)
    lab.control("POST", "time", {"hours": 31 * 24})
    deliver(lab)
    assert keys(lab, name, f"AWSLogs/{lab.organization_id}/{member}/CloudTrail/us-west-1/") == []
    lab.control("POST", "time", {"hours": -31 * 24})


def test_fact_6_5_conversion_leaves_the_old_bucket_as_it_is(lab: Lab) -> None:
    old = lab.client("cloudtrail").get_trail(Name="default")["Trail"]["S3BucketName"]
    call_in(lab, lab.management)
    deliver(lab)
    before = keys(lab, old, account=lab.management)
    assert any(f"AWSLogs/{lab.management}/CloudTrail/us-east-1/" in key for key in before)
    with organization_trail(lab):
        known = organization_keys(lab, lab.management)
        call_in(lab, lab.management)
        deliver(lab, hours=3)
        assert keys(lab, old, account=lab.management) == before
        assert len(organization_keys(lab, lab.management)) > len(known)


# --- validation with the real AWS CLI ---------------------------------------------------------------


def test_validate_logs_accepts_a_chain_of_hours_and_reports_tampering(tmp_path: Path) -> None:
    with Lab("--scenario", "lesson") as lab:
        member = member_of(lab)
        lab.client("organizations").enable_aws_service_access(ServicePrincipal=SERVICE)
        lab.client("cloudtrail").update_trail(Name="default", IsOrganizationTrail=True, S3BucketName=lab.bucket)
        for _hour in range(3):
            call_in(lab, member)
            deliver(lab)
            lab.control("POST", "time", {"hours": 1})
        status, output = validate(lab, tmp_path, member, hours=6)
        assert (status, "3/3 digest files valid" in output, "3/3 log files valid" in output) == (0, True, True), output
        tampered = organization_keys(lab, member)[2]
        content = read(lab, lab.bucket, tampered)
        content["Records"][0]["sourceIPAddress"] = "192.0.2.1"
        body = gzip.compress(json.dumps(content).encode())
        s3 = lab.client("s3", lab.log_archive)
        s3.put_object(Bucket=lab.bucket, Key=tampered, Body=body)
        s3.delete_object(Bucket=lab.bucket, Key=organization_keys(lab, member, "CloudTrail-Digest")[1])
        status, output = validate(lab, tmp_path, member, hours=6)
        assert status == 1
        assert f"{tampered}\tINVALID: hash value doesn't match" in output
        assert "1/3 digest files INVALID" in output


def test_fact_6_1_backfill_digests_list_what_the_hour_missed(tmp_path: Path) -> None:
    with Lab("--scenario", "lesson") as lab:
        member = member_of(lab)
        lab.client("organizations").enable_aws_service_access(ServicePrincipal=SERVICE)
        lab.client("cloudtrail").update_trail(Name="default", IsOrganizationTrail=True, S3BucketName=lab.bucket)
        for backfill in (False, True, True):
            call_in(lab, member)
            deliver(lab, hours=1, backfill=backfill)
            lab.control("POST", "time", {"hours": 1})
        keys = organization_keys(lab, member, "CloudTrail-Digest")
        assert [key.endswith("Z_backfill.json.gz") for key in keys] == [False, False, True, False, True]
        second, first = (read(lab, lab.bucket, key) for key in (keys[4], keys[2]))
        assert (second["previousDigestS3Object"], first["previousDigestS3Object"]) == (keys[2], None)
        status, output = validate(lab, tmp_path, member, hours=6)
        assert status == 0, output
        for told in ("3/3 digest files valid", "2/2 backfill digest files valid", "3/3 log files valid"):
            assert told in output, output


def test_fact_6_2_a_digest_of_a_trail_with_a_key_needs_kms_decrypt() -> None:
    with Lab("--scenario", "lesson", "--enforce-iam") as lab:
        key = make_key(lab)
        lab.client("organizations").enable_aws_service_access(ServicePrincipal=SERVICE)
        update = {"IsOrganizationTrail": True, "S3BucketName": lab.bucket, "KmsKeyId": key}
        lab.client("cloudtrail").update_trail(Name="default", **update)
        call_in(lab, lab.management)
        deliver(lab)
        digest = organization_keys(lab, lab.management, "CloudTrail-Digest")[-1]
        s3, wanted = lab.client("s3", lab.log_archive), {"Bucket": lab.bucket, "Key": digest}
        assert s3.head_object(**wanted)["SSEKMSKeyId"] == key
        assert refusal(s3.get_object, **wanted) == "AccessDenied"
        kms = lab.client("kms")
        policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
        reader = {"AWS": f"arn:aws:iam::{lab.log_archive}:role/{MEMBER_ROLE}"}
        policy["Statement"].append(
            {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*", "Principal": reader},
        )
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))
        assert s3.get_object(**wanted)["Metadata"]["signature"]
        iam = lab.client("iam", lab.log_archive)
        denied = {"Effect": "Deny", "Action": "kms:Decrypt", "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": denied})
        iam.put_role_policy(RoleName=MEMBER_ROLE, PolicyName="no", PolicyDocument=document)
        assert refusal(s3.get_object, **wanted) == "AccessDenied"


def test_fact_6_4_validate_logs_follows_the_chain_through_conversion_and_change_of_bucket(tmp_path: Path) -> None:
    with Lab("--scenario", "lesson") as lab:
        cloudtrail = lab.client("cloudtrail")
        old = cloudtrail.get_trail(Name="default")["Trail"]["S3BucketName"]
        call_in(lab, lab.management)
        deliver(lab)
        lab.control("POST", "time", {"hours": 1})
        lab.client("organizations").enable_aws_service_access(ServicePrincipal=SERVICE)
        cloudtrail.update_trail(Name="default", IsOrganizationTrail=True, S3BucketName=lab.bucket)
        deliver(lab)
        make_bucket(lab, "third-bucket", statements("third-bucket", lab.trail_arn, lab.organization_id))
        lab.control("POST", "time", {"hours": 1})
        cloudtrail.update_trail(Name="default", S3BucketName="third-bucket")
        deliver(lab)
        reader = {"AWS": f"arn:aws:iam::{lab.log_archive}:root"}
        put_policy(
            lab,
            old,
            [
                *statements(old, lab.trail_arn),
                {"Effect": "Allow", "Principal": reader, "Action": "s3:*", "Resource": f"arn:aws:s3:::{old}"},
                {"Effect": "Allow", "Principal": reader, "Action": "s3:*", "Resource": f"arn:aws:s3:::{old}/*"},
            ],
            lab.management,
        )
        status, output = validate(lab, tmp_path, lab.management, hours=12)
        assert (status, "INVALID" in output) == (0, False), output
        found = re.findall(r"Digest file\ts3://([^/]+)/\S+\tvalid", output)
        assert list(dict.fromkeys(found)) == ["third-bucket", lab.bucket, old]


def test_public_keys_belong_to_a_region_and_a_time(lab: Lab) -> None:
    cloudtrail = lab.client("cloudtrail")
    [key] = cloudtrail.list_public_keys()["PublicKeyList"]
    [other] = lab.client("cloudtrail", region="eu-west-1").list_public_keys()["PublicKeyList"]
    assert key["Fingerprint"] != other["Fingerprint"]
    long_ago = {"StartTime": datetime(2001, 1, 1), "EndTime": datetime(2001, 1, 2)}  # noqa: DTZ001
    assert cloudtrail.list_public_keys(**long_ago)["PublicKeyList"] == []
    turned = {"StartTime": long_ago["EndTime"], "EndTime": long_ago["StartTime"]}
    assert refusal(cloudtrail.list_public_keys, **turned) == "InvalidTimeRangeException"


def test_delivery_goes_by_hours(lab: Lab) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        deliver(lab, hours=0)


def test_fact_10_3_a_resource_control_policy_binds_members_buckets(lab: Lab, shared: str) -> None:
    organizations, cloudtrail = lab.client("organizations"), lab.client("cloudtrail")
    root, rcp = organizations.list_roots()["Roots"][0]["Id"], "RESOURCE_CONTROL_POLICY"
    organizations.enable_policy_type(RootId=root, PolicyType=rcp)
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "*"}
    content = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    made = organizations.create_policy(Name="buckets", Description="none", Type=rcp, Content=content)
    attachment = {"PolicyId": made["Policy"]["PolicySummary"]["Id"], "TargetId": root}
    organizations.attach_policy(**attachment)
    call_in(lab, lab.management)
    deliver(lab)
    assert cloudtrail.get_trail_status(Name=shared)["LatestDeliveryError"] == "AccessDenied"
    put = {"Bucket": lab.bucket, "Key": "k", "Body": b""}
    for names_policy, end in ((False, "a resource control policy"), (True, f"/{attachment['PolicyId']}")):
        with options(lab, scp_arn_in_denials=names_policy):
            code, message = refused(lab.client("s3", lab.log_archive).put_object, **put)
        assert (code, message.endswith(end)) == ("AccessDenied", True), message
    own = lab.client("s3")
    own.create_bucket(Bucket="of-management")
    own.put_object(Bucket="of-management", Key="k", Body=b"")  # management's resources are not bound
    organizations.detach_policy(**attachment)
    call_in(lab, lab.management)
    deliver(lab)
    assert "LatestDeliveryError" not in cloudtrail.get_trail_status(Name=shared)


def test_fact_3_10_nothing_is_delivered_where_the_requester_pays(lab: Lab, shared: str) -> None:
    s3, cloudtrail = lab.client("s3", lab.log_archive), lab.client("cloudtrail")
    for payer, error in (("Requester", "AccessDenied"), ("BucketOwner", None)):
        s3.put_bucket_request_payment(Bucket=lab.bucket, RequestPaymentConfiguration={"Payer": payer})
        assert s3.get_bucket_request_payment(Bucket=lab.bucket)["Payer"] == payer
        call_in(lab, lab.management)
        deliver(lab)
        assert cloudtrail.get_trail_status(Name=shared).get("LatestDeliveryError") == error
