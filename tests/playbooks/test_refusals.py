# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every refusal of the main job: one sentence, and nothing written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import parse_trail_arn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.log_place import LogPlace
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.verdict import required_statements

from tests.ansible_run import run_module, run_playbook
from tests.lab_process import Lab
from tests.playbooks.test_enable_org_trail import enable, writes


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


def refuse(lab: Lab, tmp_path: Path, *arguments: str) -> str:
    """Run the main job, which must fail and write nothing; its one message."""
    lab.clear_journal()
    result = enable(lab, tmp_path, *arguments)
    assert result.rc != 0
    assert writes(lab) == []
    assert len(result.failures) == 1
    assert "Traceback" not in result.stdout + result.stderr
    return result.msg


@contextmanager
def bucket_policy(lab: Lab, bucket: str, change: Callable[[str], str], account: str = "") -> Iterator[None]:
    """The policy of a bucket, of the log archive or another account, changed for a while."""
    client = lab.client("s3", account or lab.log_archive)
    before = client.get_bucket_policy(Bucket=bucket)["Policy"]
    client.put_bucket_policy(Bucket=bucket, Policy=change(before))
    yield
    client.put_bucket_policy(Bucket=bucket, Policy=before)


def without_organization_statement(policy: str) -> str:
    document = json.loads(policy)
    document["Statement"] = [one for one in document["Statement"] if "OrganizationWrite" not in one["Sid"]]
    return json.dumps(document)


def test_no_bucket_admits_the_trail(lab: Lab, tmp_path: Path) -> None:
    with bucket_policy(lab, lab.bucket, without_organization_statement):
        message = refuse(lab, tmp_path)
    assert lab.bucket in message
    assert f"AWSLogs/{lab.organization_id}/" in message


def test_two_buckets_admit_the_trail(lab: Lab, tmp_path: Path) -> None:
    client = lab.client("s3", lab.log_archive)
    policy = client.get_bucket_policy(Bucket=lab.bucket)["Policy"]
    client.create_bucket(Bucket="second-log-bucket")
    client.put_bucket_policy(Bucket="second-log-bucket", Policy=policy.replace(lab.bucket, "second-log-bucket"))
    message = refuse(lab, tmp_path)
    client.delete_bucket(Bucket="second-log-bucket")
    assert lab.bucket in message
    assert "second-log-bucket" in message
    assert "name" in message


def test_another_bucket_than_the_one_that_was_looked_up(lab: Lab, tmp_path: Path) -> None:
    own = lab.client("cloudtrail").get_trail(Name=lab.trail_arn)["Trail"]["S3BucketName"]
    message = refuse(lab, tmp_path, "-e", f"organization_trail_bucket={own}")
    assert f"Bucket {own}: found another one than {lab.bucket}, which was looked up and judged, expected" in message
    assert f"Set log_bucket_lookup_name={own}" in message
    assert f"Bucket {own}: found a policy that keeps out the trail {lab.trail_arn}" in message


def test_bucket_admits_the_trail_in_another_home_region_only(lab: Lab, tmp_path: Path) -> None:
    with bucket_policy(lab, lab.bucket, lambda policy: policy.replace(f":{lab.home_region}:", ":eu-west-3:")):
        message = refuse(lab, tmp_path)
    assert "eu-west-3" in message
    assert lab.trail_arn in message


def test_trail_has_a_prefix_that_the_bucket_does_not_admit(lab: Lab, tmp_path: Path) -> None:
    client = lab.client("cloudtrail")
    bucket = client.get_trail(Name=lab.trail_arn)["Trail"]["S3BucketName"]
    with bucket_policy(lab, bucket, lambda policy: policy.replace("/AWSLogs/", "/audit/AWSLogs/"), lab.management):
        client.update_trail(Name=lab.trail_arn, S3KeyPrefix="audit")
        message = refuse(lab, tmp_path)
        judged = refuse(lab, tmp_path, "-e", "organization_trail_s3_key_prefix=audit")
    client.update_trail(Name=lab.trail_arn, S3KeyPrefix="")
    assert message.startswith(f"The trail {lab.trail_arn} has the prefix 'audit', expected '', for which the policy of")
    assert f"{lab.bucket}/audit/AWSLogs/" in judged


INVALID_NAMES = ["a", "-trail", "trail--x", "tr ail", "192.168.5.4", "x" * 129]


@pytest.mark.parametrize("name", INVALID_NAMES)
def test_fact_2_8_trail_name_is_invalid(lab: Lab, tmp_path: Path, name: str) -> None:
    assert name in refuse(lab, tmp_path, "-e", json.dumps({"organization_trail_name": name}))


def test_name_belongs_to_two_trails(lab: Lab, tmp_path: Path) -> None:
    other = lab.client("cloudtrail", region="eu-west-1")
    own_bucket = lab.client("cloudtrail").get_trail(Name=lab.trail_arn)["Trail"]["S3BucketName"]
    client = lab.client("s3")
    policy = client.get_bucket_policy(Bucket=own_bucket)["Policy"]
    client.put_bucket_policy(
        Bucket=own_bucket, Policy=policy.replace(f":{lab.home_region}:", ":*:").replace("StringEquals", "StringLike")
    )
    lab.client("cloudtrail").update_trail(Name=lab.trail_arn, IsMultiRegionTrail=False)
    other.create_trail(Name="default", S3BucketName=own_bucket)
    message = refuse(lab, tmp_path)
    named = enable(lab, tmp_path, "--check", "-e", f"organization_trail_name={lab.trail_arn}").ok()
    other.delete_trail(Name="default")
    lab.client("cloudtrail").update_trail(Name=lab.trail_arn, IsMultiRegionTrail=True)
    client.put_bucket_policy(Bucket=own_bucket, Policy=policy)
    assert named.changed == 2  # the message's remedy is one
    assert lab.trail_arn in message
    assert f"arn:aws:cloudtrail:eu-west-1:{lab.management}:trail/default" in message


def test_role_cannot_be_assumed(lab: Lab, tmp_path: Path) -> None:
    role = f"arn:aws:iam::{lab.log_archive}:role/NoSuchRole"
    message = refuse(lab, tmp_path, "-e", f"assume_role_arn={role}")
    assert role in message
    assert "trust policy" in message


def test_caller_is_a_member(lab: Lab, tmp_path: Path) -> None:
    """The inventory's management host works, by mistake, in the log archive account."""
    role = f"arn:aws:iam::{lab.log_archive}:role/OrganizationAccountAccessRole"
    message = refuse(lab, tmp_path, "-e", f"assume_role_arn={role}")
    assert lab.log_archive in message
    assert lab.management in message


DENIED = [
    ("organizations", "ListAWSServiceAccessForOrganization", "organizations:ListAWSServiceAccessForOrganization"),
    ("organizations", "DescribeOrganization", "organizations:DescribeOrganization"),
    ("cloudtrail", "ListTrails", "cloudtrail:ListTrails"),
    ("cloudtrail", "GetTrailStatus", "cloudtrail:GetTrailStatus"),
    ("s3", "GetBucketPolicy", "s3:GetBucketPolicy"),
    ("s3", "ListBuckets", "s3:ListAllMyBuckets"),
]


@pytest.mark.parametrize(("service", "operation", "action"), DENIED, ids=[row[2] for row in DENIED])
def test_denial_names_the_action(lab: Lab, tmp_path: Path, service: str, operation: str, action: str) -> None:
    code = "AccessDenied" if service == "s3" else "AccessDeniedException"
    lab.control("POST", "faults", [{"service": service, "operation": operation, "fault": f"code:{code}"}])
    try:
        assert action in refuse(lab, tmp_path)
    finally:
        lab.control("POST", "faults", [])


def test_no_organization(tmp_path: Path) -> None:
    with Lab("--scenario", "empty") as empty:
        empty.ready = {**empty.ready, "log_archive_account_id": empty.management}
        message = refuse(empty, tmp_path, "-e", '{"assume_role_arn": ""}')
    assert "no organization" in message


def test_consolidated_billing_only(tmp_path: Path) -> None:
    with Lab("--scenario", "empty") as empty:
        organization = empty.client("organizations").create_organization(FeatureSet="CONSOLIDATED_BILLING")
        organization_id = organization["Organization"]["Id"]
        empty.ready = {**empty.ready, "log_archive_account_id": empty.management}
        statements = required_statements(LogPlace("some-logs", parse_trail_arn(empty.trail_arn), organization_id))
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        empty.client("s3").create_bucket(Bucket="some-logs")
        empty.client("s3").put_bucket_policy(Bucket="some-logs", Policy=policy)
        message = refuse(empty, tmp_path, "-e", '{"assume_role_arn": ""}')
    assert message.startswith(f"The organization {organization_id} has the feature set CONSOLIDATED_BILLING, expected")
    assert "Enable all features" in message


def test_account_of_the_bucket_is_outside_the_organization(lab: Lab, tmp_path: Path) -> None:
    rule = {"account": lab.log_archive, "operation": "DescribeOrganization"}
    lab.control("POST", "faults", [{**rule, "fault": "code:AWSOrganizationsNotInUseException"}])
    try:
        message = refuse(lab, tmp_path)
    finally:
        lab.control("POST", "faults", [])
    assert message.startswith(f"Account {lab.log_archive}, which owns the bucket, belongs to no organization; expected")
    assert "assume_role_arn" in message
    assert "expected a member of o-another123" in refuse(
        lab, tmp_path, "-e", "log_bucket_lookup_organization_id=o-another123"
    )


def test_control_tower_trail(tmp_path: Path) -> None:
    with Lab("--scenario", "landing_zone") as zone:
        name = "aws-controltower-BaselineCloudTrail"
        bucket = {"log_bucket_lookup_name": zone.bucket, "log_bucket_lookup_require_admission": False}
        variables = {"organization_trail_name": name, **bucket}
        message = refuse(zone, tmp_path, "-e", json.dumps(variables))
    assert "Control Tower" in message
    assert "adopt_foreign" in message


def test_an_endpoint_that_is_none(lab: Lab) -> None:
    lab.clear_journal()
    result = run_module(lab, "organizations_service_access", {"endpoint_url": "nowhere"})
    assert result.failed
    assert result.msg.startswith("Could not connect to AWS: Invalid endpoint: nowhere")
    assert result.msg.endswith("Check the options profile, region and endpoint_url.")
    assert lab.journal() == []


NO_BUCKET = "Set organization_trail_bucket, or run the role log_bucket_lookup before."
NEITHER: list[tuple[dict[str, Any], str]] = [
    ({}, NO_BUCKET),
    ({"organization_trail_bucket": ""}, NO_BUCKET),
    ({"organization_trail_bucket": None}, NO_BUCKET),
    ({"log_bucket": {}}, NO_BUCKET),
    ({"log_bucket": None}, NO_BUCKET),
    ({"log_bucket": {"name": ""}}, "looked_up_bucket has the name ''"),
    ({"organization_trail_bucket": None, "log_bucket": {"buckets": []}}, "looked_up_bucket has the name None"),
]


def test_a_role_without_a_bucket_does_not_take_the_trails_own(lab: Lab) -> None:
    """Whoever wanted another one would be told that nothing is to be changed."""
    role = {"name": "cloudsec.org_trail.organization_trail", "tasks_from": "preflight"}
    tasks = [
        {"name": "run", "ansible.builtin.import_role": role, "vars": given, "ignore_errors": True}
        for given, _says in NEITHER
    ]
    lab.clear_journal()
    failed = [one for one in run_playbook(lab, tasks).results if one.failed]
    assert [(given, one.msg) for one, (given, says) in zip(failed, NEITHER, strict=True) if says not in one.msg] == []
    assert lab.journal(service="cloudtrail") == []
