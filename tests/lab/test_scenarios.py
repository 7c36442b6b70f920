# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The worlds that the lab starts with: aws-facts 9.1, 7.5, 7.7 and 4.6."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.organization_trail import refusal
from tests.lab_process import Lab

SIDS = ["AWSCloudTrailAclCheck20150319", "AWSCloudTrailWrite20150319", "AWSCloudTrailOrganizationWrite20150319"]


@pytest.fixture(scope="module")
def lesson() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


@pytest.fixture(scope="module")
def zone() -> Iterator[Lab]:
    with Lab("--scenario", "landing_zone") as lab:
        yield lab


def described(lab: Lab) -> dict[str, Any]:
    """What makes two worlds the same: all ids and names."""
    organizations = lab.client("organizations")
    pages = organizations.get_paginator("list_accounts").paginate()
    return {
        **{key: value for key, value in lab.ready.items() if key not in ("endpoint", "env", "pid")},
        "accounts": [
            (account["Id"], account["Name"], account["Paths"]) for page in pages for account in page["Accounts"]
        ],
        "role": lab.client("iam", lab.log_archive).get_role(RoleName="OrganizationAccountAccessRole")["Role"]["RoleId"],
    }


def test_the_same_arguments_give_the_same_world(zone: Lab) -> None:
    with Lab("--scenario", "landing_zone") as other:
        assert described(zone) == described(other)


# --- lesson -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("region", ["us-west-2", "eu-central-1"])
def test_fact_9_1_the_trail_in_any_home_region(region: str) -> None:
    with Lab("--home-region", region) as lab:
        trail = lab.client("cloudtrail", region=region).get_trail(Name="default")["Trail"]
        assert trail["TrailARN"] == lab.trail_arn == f"arn:aws:cloudtrail:{region}:{lab.management}:trail/default"
        assert trail["HomeRegion"] == region
        assert trail["IsMultiRegionTrail"]
        assert trail["LogFileValidationEnabled"]
        assert not trail["IsOrganizationTrail"]
        assert not {"S3KeyPrefix", "SnsTopicARN", "KmsKeyId", "CloudWatchLogsLogGroupArn"} & set(trail)
        assert lab.client("cloudtrail", region=region).get_trail_status(Name="default")["IsLogging"]
        assert not refusal(lab.client("s3").head_bucket, Bucket=trail["S3BucketName"])
        policy = lab.client("s3", lab.log_archive).get_bucket_policy(Bucket=lab.bucket)["Policy"]
        assert all(sid in policy for sid in SIDS)
        assert policy.count(lab.trail_arn) == 3
        assert lab.environment["AWS_DEFAULT_REGION"] == "us-east-1"


def test_fact_9_1_the_organization(lesson: Lab) -> None:
    client = lesson.client("organizations")
    assert client.describe_organization()["Organization"]["FeatureSet"] == "ALL"
    assert client.list_aws_service_access_for_organization()["EnabledServicePrincipals"] == []
    accounts = {one["Name"]: one["Id"] for one in client.list_accounts()["Accounts"]}
    assert accounts["SecurityAudit"] == lesson.log_archive
    assert len(accounts) >= 5
    parent = client.list_parents(ChildId=lesson.log_archive)["Parents"][0]["Id"]
    unit = client.describe_organizational_unit(OrganizationalUnitId=parent)["OrganizationalUnit"]
    assert unit["Name"] == "Security"
    for account in set(accounts.values()) - {lesson.management}:
        assert lesson.client("sts", account).get_caller_identity()["Account"] == account


def test_fact_9_1_nobody_leaves(lesson: Lab) -> None:
    assert refusal(lesson.client("organizations", lesson.log_archive).leave_organization) == "AccessDeniedException"
    policies = lesson.client("organizations").list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"]
    assert {"DenyLeaveOrganization", "DenyMemberRoot"} <= {policy["Name"] for policy in policies}


def test_fact_9_1_the_bucket_is_kept_as_aws_makes_them(lesson: Lab) -> None:
    s3 = lesson.client("s3", lesson.log_archive)
    block = s3.get_public_access_block(Bucket=lesson.bucket)["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True}
    rules = s3.get_bucket_encryption(Bucket=lesson.bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


# --- landing zone -----------------------------------------------------------------------------------


@pytest.fixture
def accounts(zone: Lab) -> dict[str, dict[str, Any]]:
    return {one["Name"]: one for one in zone.client("organizations").list_accounts()["Accounts"]}


def test_fact_7_5_a_renamed_log_archive_beside_a_new_security_audit(
    zone: Lab, accounts: dict[str, dict[str, Any]]
) -> None:
    assert accounts["LogArchive"]["Id"] == zone.log_archive
    assert "SecurityAudit" in accounts


def test_fact_4_8_some_accounts_are_not_active(accounts: dict[str, dict[str, Any]]) -> None:
    assert {one["State"] for one in accounts.values()} == {"ACTIVE", "SUSPENDED", "CLOSED", "PENDING_CLOSURE"}
    assert {one["Status"] for one in accounts.values()} == {"ACTIVE", "SUSPENDED", "PENDING_CLOSURE"}


def test_some_names_are_odd(accounts: dict[str, dict[str, Any]]) -> None:
    assert {"<script>alert(1)</script>", 'Büro "Süd" & O\'Brien'} <= set(accounts)


def test_fact_7_7_control_tower_guards_its_trail(zone: Lab) -> None:
    cloudtrail = zone.client("cloudtrail")
    trails = {trail["Name"]: trail for trail in cloudtrail.describe_trails()["trailList"]}
    tower = trails["aws-controltower-BaselineCloudTrail"]
    assert tower["IsOrganizationTrail"]
    assert not trails["default"]["IsOrganizationTrail"]
    member = zone.client("cloudtrail", zone.log_archive)
    assert refusal(member.stop_logging, Name=tower["TrailARN"]) == "AccessDeniedException"
    access = zone.client("organizations").list_aws_service_access_for_organization()["EnabledServicePrincipals"]
    assert "cloudtrail.amazonaws.com" in {one["ServicePrincipal"] for one in access}


def test_fact_4_6_an_opt_in_region_here_and_there(zone: Lab, accounts: dict[str, dict[str, Any]]) -> None:
    def enabled(account: str) -> bool:
        found = zone.client("ec2", account).describe_regions()["Regions"]
        return "eu-central-2" in {region["RegionName"] for region in found}

    assert enabled(zone.log_archive)
    assert not enabled(accounts["Payments"]["Id"])


def test_fact_3_3_several_buckets_of_which_some_nearly_fit(zone: Lab) -> None:
    buckets = [bucket["Name"] for bucket in zone.client("s3", zone.log_archive).list_buckets()["Buckets"]]
    assert zone.bucket in buckets
    assert len([bucket for bucket in buckets if bucket.startswith("aws-cloudtrail-logs-")]) >= 4


def test_fact_3_3_only_one_bucket_admits_the_trail(zone: Lab) -> None:
    cloudtrail = zone.client("cloudtrail")
    admitted = []
    for bucket in zone.client("s3", zone.log_archive).list_buckets()["Buckets"]:
        change = {"Name": "default", "S3BucketName": bucket["Name"], "IsOrganizationTrail": True}
        if not refusal(cloudtrail.update_trail, **change):
            admitted.append(bucket["Name"])
    assert admitted == [zone.bucket]


# --- empty, and many --------------------------------------------------------------------------------


def test_empty_has_an_account_and_nothing_else() -> None:
    with Lab("--scenario", "empty") as lab:
        assert lab.ready["organization_id"] is None
        assert lab.client("sts").get_caller_identity()["Account"] == lab.management
        assert refusal(lab.client("organizations").describe_organization) == "AWSOrganizationsNotInUseException"
        assert lab.client("cloudtrail").describe_trails()["trailList"] == []


def test_ten_thousand_accounts() -> None:
    with Lab("--accounts", "10000") as lab:
        pages = lab.client("organizations").get_paginator("list_accounts").paginate()
        accounts = [account for page in pages for account in page["Accounts"]]
        assert len({account["Id"] for account in accounts}) == 10_000
        last = accounts[-1]["Id"]
        assert lab.client("sts", last).get_caller_identity()["Account"] == last
        parents = {account["Paths"][0].split("/")[-3] for account in accounts}
        assert len(parents) > 30


def test_fact_3_9_control_tower_keeps_its_log_buckets(zone: Lab) -> None:
    bucket = f"aws-controltower-logs-{zone.log_archive}-{zone.home_region}"
    change = {
        "Bucket": bucket,
        "Policy": zone.client("s3", zone.log_archive).get_bucket_policy(Bucket=bucket)["Policy"],
    }
    assert refusal(zone.client("s3", zone.log_archive).put_bucket_policy, **change) == "AccessDenied"
    tower = zone.client("s3", zone.log_archive, role="AWSControlTowerExecution")
    assert not refusal(tower.put_bucket_policy, **change)
