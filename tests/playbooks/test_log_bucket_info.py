# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudtrail_log_bucket_info and the role log_bucket_lookup against the lab."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ansible_run import TaskResult, member_role, run_module, run_playbook
from tests.lab_process import Lab

MODULE = "cloudtrail_log_bucket_info"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab("--scenario", "lesson", "--home-region", "us-west-2") as lab:
        lab.client("s3").create_bucket(
            Bucket="is-foreign", CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
        )
        yield lab


@pytest.fixture(autouse=True)
def fresh_journal(lab: Lab) -> Iterator[None]:
    lab.clear_journal()
    yield
    lab.control("POST", "faults", [])


def look(lab: Lab, account: str | None = None, **options: Any) -> TaskResult:
    return run_module(lab, MODULE, options, account=lab.log_archive if account is None else account)


def make_bucket(lab: Lab, name: str, policy: dict[str, Any] | None = None, tags: dict[str, str] | None = None) -> None:
    s3 = lab.client("s3", lab.log_archive)
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": lab.home_region})
    if policy:
        s3.put_bucket_policy(Bucket=name, Policy=json.dumps(policy))
    if tags:
        s3.put_bucket_tagging(
            Bucket=name, Tagging={"TagSet": [{"Key": key, "Value": value} for key, value in tags.items()]}
        )


def delete_bucket(lab: Lab, name: str) -> None:
    lab.client("s3", lab.log_archive).delete_bucket(Bucket=name)


def operations(lab: Lab) -> list[str]:
    return sorted(call["operation"] for call in lab.journal() if call["service"] != "sts")


# --- which bucket, with how many calls ------------------------------------------------------------


def test_finds_the_bucket_by_admission_before_the_home_region_is_known(lab: Lab) -> None:
    (bucket,) = look(lab, select="admitted", region="eu-central-1")["buckets"]
    assert bucket["name"] == lab.bucket
    assert (bucket["admits"], bucket["admitted_home_regions"], bucket["problems"]) == (True, ["us-west-2"], [])
    assert (bucket["account_id"], bucket["region"], bucket["trail_arn"]) == (
        lab.log_archive,
        "us-west-2",
        lab.trail_arn,
    )
    assert operations(lab) == ["DescribeOrganization", "DescribeTrails", "GetBucketPolicy", "ListBuckets"]


def test_a_named_bucket_takes_one_call_to_s3(lab: Lab) -> None:
    (bucket,) = look(lab, name=lab.bucket, select="admitted")["buckets"]
    assert bucket["name"] == lab.bucket
    assert operations(lab) == ["DescribeOrganization", "GetBucketPolicy"]


def test_every_call_names_the_owner(lab: Lab) -> None:
    look(lab, name=lab.bucket, health=True)
    calls = lab.journal(service="s3")
    assert len(calls) == 13
    assert all(call["parameters"].get("ExpectedBucketOwner") == lab.log_archive for call in calls)


def test_required_policy_is_what_admits(lab: Lab) -> None:
    (bucket,) = look(lab, name=lab.bucket)["buckets"]
    policy = json.loads(lab.client("s3", lab.log_archive).get_bucket_policy(Bucket=lab.bucket)["Policy"])
    assert bucket["required_policy"]["Statement"] == policy["Statement"]


def test_finds_by_tags_and_by_pattern(lab: Lab) -> None:
    make_bucket(lab, "tagged-one", tags={"use": "logs", "stage": "prod"})
    make_bucket(lab, "tagged-two", tags={"use": "logs"})
    try:
        by_tags = look(lab, tags={"use": "logs", "stage": "prod"}, select="one")
        by_pattern = look(lab, name_pattern="tagged-*")
        ambiguous = look(lab, name_pattern="tagged-*", select="one")
    finally:
        delete_bucket(lab, "tagged-one")
        delete_bucket(lab, "tagged-two")
    assert [bucket["name"] for bucket in by_tags["buckets"]] == ["tagged-one"]
    assert [bucket["name"] for bucket in by_pattern["buckets"]] == ["tagged-one", "tagged-two"]
    assert "Or choose it with name" in ambiguous.msg
    assert "bucket tagged-one: " in ambiguous.msg
    assert "bucket tagged-two: " in ambiguous.msg


def test_two_admitting_buckets_are_both_named(lab: Lab) -> None:
    (bucket,) = look(lab, name=lab.bucket)["buckets"]
    policy = json.loads(json.dumps(bucket["required_policy"]).replace(lab.bucket, "second-logs"))
    make_bucket(lab, "second-logs", policy)
    try:
        result = look(lab, select="admitted")
    finally:
        delete_bucket(lab, "second-logs")
    assert result.failed
    assert f"Buckets {lab.bucket} (for home region us-west-2) and second-logs (for home region us-west-2)" in result.msg
    assert "Choose it with name" in result.msg


def test_a_bucket_that_denies_reading_is_reported_not_fatal(lab: Lab) -> None:
    make_bucket(lab, "a-secret")
    rule = {"fault": "code:AccessDenied", "service": "s3", "operation": "GetBucketPolicy", "nth": 1}
    lab.control("POST", "faults", [rule])
    try:
        result = look(lab)
    finally:
        delete_bucket(lab, "a-secret")
    (unreadable,) = result["unreadable"]
    problems = {bucket["name"]: bucket["problems"] for bucket in result["buckets"]}
    assert set(problems) == {"a-secret", lab.bucket}
    assert "s3:GetBucketPolicy" in problems[unreadable][0]["found"]


REFUSALS: list[tuple[dict[str, Any], list[str]]] = [
    ({"name": "is-nowhere", "select": "one"}, ["Bucket is-nowhere does not exist", "role log_bucket"]),
    ({"name": "is-foreign"}, ["Bucket is-foreign does not belong to account {log_archive}", "assume_role_arn"]),
    ({"name_pattern": "zz*", "select": "one"}, ["No bucket of account {log_archive} fits name_pattern zz*"]),
    ({"tags": {"a": "b"}, "select": "admitted"}, ["No bucket of account {log_archive} fits tag a=b"]),
    (
        {"trail_name": "other", "select": "admitted"},
        [
            "Bucket {bucket} of account {log_archive} does not admit trail other of management account {management}",
            "AWSCloudTrailAclCheck20150319: found Condition StringEquals aws:SourceArn {trail_arn}, expected",
            "AWSCloudTrailWrite20150319: found",
            "AWSCloudTrailOrganizationWrite20150319: found",
            "cloudtrail_log_bucket_policy",
        ],
    ),
    ({"trail_name": "a"}, ["Trail name 'a' has 1 characters"]),
    ({"trail_arn": "arn:aws:cloudtrail:us-west-2:{log_archive}:trail/default"}, ["expected the management account"]),
    ({"organization_id": "o-other12345"}, ["belongs to organization {organization_id}; expected a member of o-other"]),
]


@pytest.mark.parametrize(("options", "says"), REFUSALS)
def test_refusals_name_object_found_expected_remedy(lab: Lab, options: dict[str, Any], says: list[str]) -> None:
    names = {
        name: getattr(lab, name) for name in ("log_archive", "management", "bucket", "trail_arn", "organization_id")
    }
    given = {name: value.format(**names) if isinstance(value, str) else value for name, value in options.items()}
    result = look(lab, **given)
    assert result.failed
    for text in says:
        assert text.format(**names) in result.msg


DENIALS = [
    ({"name": "{bucket}"}, "s3", "GetBucketPolicy", "s3:GetBucketPolicy"),
    ({}, "s3", "ListBuckets", "s3:ListAllMyBuckets"),
    ({}, "organizations", "DescribeOrganization", "organizations:DescribeOrganization"),
]


@pytest.mark.parametrize(("options", "service", "operation", "action"), DENIALS)
def test_denials_name_the_missing_action(
    lab: Lab, options: dict[str, str], service: str, operation: str, action: str
) -> None:
    code = "AccessDenied" if service == "s3" else "AccessDeniedException"
    lab.control("POST", "faults", [{"fault": f"code:{code}", "service": service, "operation": operation}])
    result = look(lab, **{name: value.format(bucket=lab.bucket) for name, value in options.items()})
    assert result.failed
    assert action in result.msg


def test_an_account_without_an_organization_is_refused(lab: Lab) -> None:
    rule = {"fault": "code:AWSOrganizationsNotInUseException", "operation": "DescribeOrganization"}
    lab.control("POST", "faults", [rule])
    assert f"Account {lab.log_archive}, which owns the bucket, belongs to no organization" in look(lab).msg


# --- health ---------------------------------------------------------------------------------------


def test_health_is_read_and_judged(lab: Lab) -> None:
    s3 = lab.client("s3", lab.log_archive)
    make_bucket(lab, "is-weak")
    s3.delete_public_access_block(Bucket="is-weak")
    s3.delete_bucket_ownership_controls(Bucket="is-weak")
    s3.put_bucket_versioning(Bucket="is-weak", VersioningConfiguration={"Status": "Suspended"})
    rule = {"ID": "quick", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 30}}
    s3.put_bucket_lifecycle_configuration(Bucket="is-weak", LifecycleConfiguration={"Rules": [rule]})
    try:
        health = look(lab, name="is-weak", health=True)["buckets"][0]["health"]
    finally:
        delete_bucket(lab, "is-weak")
    found = {problem["setting"]: problem["found"] for problem in health["problems"]}
    assert "block_public_acls" in found.pop("public_access_block")
    assert found == {
        "versioning": "Suspended",
        "object_ownership": "ObjectWriter",
        "tls_only": "requests without TLS are not denied",
        "lifecycle": "rule quick deletes log files after 30 days",
    }
    assert health["encryption"]["algorithm"] == "AES256"


def test_a_setting_that_may_not_be_read_is_reported(lab: Lab) -> None:
    rule = {"fault": "code:AccessDenied", "service": "s3", "operation": "GetBucketEncryption"}
    lab.control("POST", "faults", [rule])
    health = look(lab, name=lab.bucket, health=True)["buckets"][0]["health"]
    assert health["encryption"] is None
    found = {problem["setting"]: problem["found"] for problem in health["problems"]}
    assert "s3:GetEncryptionConfiguration" in found["encryption"]


# --- the role -------------------------------------------------------------------------------------


def lookup(lab: Lab, *arguments: str, assume: bool = True, **inputs: Any) -> Any:
    """Use the role from a playbook on localhost that knows nothing of our inventory."""
    play = {
        "vars": {f"log_bucket_lookup_{name}": value for name, value in inputs.items()},
        "module_defaults": {
            "group/cloudsec.org_trail.assume_role": member_role(lab, lab.log_archive) if assume else {},
        },
    }
    tasks = [
        {"name": "look", "ansible.builtin.include_role": {"name": "cloudsec.org_trail.log_bucket_lookup"}},
        {"name": "fact", "ansible.builtin.debug": {"var": "log_bucket"}},
    ]
    return run_playbook(lab, tasks, *arguments, play=play)


def test_role_reports_the_bucket(lab: Lab) -> None:
    run = lookup(lab, "--check").ok()
    assert run.changed == 0
    assert run.task("fact")["log_bucket"]["name"] == lab.bucket
    assert run.task("fact")["log_bucket"]["health"]["versioning"] == "Disabled"


def test_role_takes_four_calls_without_health(lab: Lab) -> None:
    run = lookup(lab, health=False).ok()
    assert run.task("fact")["log_bucket"]["health"] is None
    assert operations(lab) == ["DescribeOrganization", "DescribeTrails", "GetBucketPolicy", "ListBuckets"]


def test_role_reports_a_bucket_that_does_not_admit_when_told_to(lab: Lab) -> None:
    refused = lookup(lab, s3_key_prefix="audit")
    assert "does not admit trail default with prefix audit" in refused.msg
    run = lookup(lab, s3_key_prefix="audit", require_admission="false").ok()
    assert run.task("fact")["log_bucket"]["admits"] is False


def test_role_main_is_short() -> None:
    lines = Path("roles/log_bucket_lookup/tasks/main.yml").read_text().splitlines()
    assert len(lines) <= 30
