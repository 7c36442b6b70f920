# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is refused or warned of before the first write, against the lab."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import sentence

from tests import trail_run
from tests.lab_process import MEMBER_ROLE, Lab
from tests.trail_run import document, make_key, make_log_group, make_topic, statement, trust

STRANGER = "999999999999"


@pytest.fixture
def fresh() -> Iterator[Lab]:
    """A lab of the test's own, with trusted access on."""
    with Lab() as lab:
        trust(lab)
        lab.clear_journal()
        yield lab


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A lab whose trail nobody converts, with trusted access on."""
    with Lab() as lab:
        trust(lab)
        yield lab


@pytest.fixture(scope="module")
def landing_zone() -> Iterator[Lab]:
    with Lab("--scenario", "landing_zone") as lab:
        yield lab


def run_trail(lab: Lab, options: dict[str, Any], check_mode: bool = False, region: str = "") -> dict[str, Any]:
    """A run with the log archive's role, as the main job has it."""
    role = f"arn:aws:iam::{lab.log_archive}:role/{MEMBER_ROLE}"
    return trail_run.run_trail(lab, {"log_archive_role_arn": role, **options}, check_mode, region)


WITHOUT_THE_ROLE = {"log_archive_role_arn": None}


def refusal(lab: Lab, options: dict[str, Any], region: str = "") -> str:
    """The sentence that a run and a run in check mode both end with; nothing was written."""
    lab.clear_journal()
    sentences = []
    for check_mode in (True, False):
        with pytest.raises(AnsibleAWSError) as error:
            run_trail(lab, options, check_mode, region)
        sentences.append(sentence(error.value))
    assert sentences[0] == sentences[1]
    assert lab.journal(writes=True) == []
    return sentences[0]


def problems(result: dict[str, Any]) -> dict[str, str]:
    return {problem["name"]: problem["severity"] for problem in result["problems"]}


def reads(lab: Lab) -> list[str]:
    return sorted(entry["operation"] for entry in lab.journal(writes=False))


SHORTEST = [
    "DescribeOrganization",
    "DescribeTrails",
    "GetEventSelectors",
    "GetTrailStatus",
    "ListAWSServiceAccessForOrganization",
    "ListTrails",
]


def test_fewest_calls(fresh: Lab) -> None:
    options = {"s3_bucket_name": fresh.bucket}
    run_trail(fresh, options)
    unjudged = ["GetBucketPolicy", "HeadBucket", "AssumeRole", "GetBucketPolicy"]
    again = ["DescribeTrails", "GetEventSelectors", "GetTrailStatus"]
    assert reads(fresh) == sorted(["GetRole", *SHORTEST, *unjudged, *again])
    fresh.clear_journal()
    run_trail(fresh, options)
    assert reads(fresh) == SHORTEST
    fresh.clear_journal()
    run_trail(fresh, {**options, "tags": {}, "insight_selectors": [], "aggregation_configurations": []})
    assert reads(fresh) == sorted([*SHORTEST, "ListTags", "GetInsightSelectors", "GetEventConfiguration"])


def test_fact_7_7_control_tower(landing_zone: Lab) -> None:
    name = "aws-controltower-BaselineCloudTrail"
    others: list[dict[str, Any]] = [{}, {"state": "absent"}, {"expected_admitted_home_regions": []}]
    for options in others:
        text = refusal(landing_zone, {"name": name, **options})
        assert f"trail/{name}: found a trail that belongs to AWS Control Tower by its name, expected" in text
        assert "adopt_foreign=true" in text
    assert not run_trail(landing_zone, {"name": name, "adopt_foreign": True})["changed"]


def test_fact_7_8_overlapping_trail(landing_zone: Lab) -> None:
    options = {"expected_admitted_home_regions": [landing_zone.home_region]}
    overlap = run_trail(landing_zone, options, check_mode=True)
    assert problems(overlap) == {"overlapping_trail": "warning"}
    assert "aws-controltower-BaselineCloudTrail" in overlap["warnings"][0]
    assert "overlapping" not in str(overlap["actions"])
    landing_zone.clear_journal()
    quiet = run_trail(landing_zone, {**options, "on_problem": {"overlapping_trail": "ignore"}}, check_mode=True)
    assert problems(quiet) == {}
    assert reads(landing_zone) == sorted([*SHORTEST, "GetRole"])
    assert "overlapping" not in str(quiet)
    text = refusal(landing_zone, {**options, "on_problem": {"overlapping_trail": "fail"}})
    assert "expected one trail that logs them" in text


def test_fact_4_6_opt_in_home_region(landing_zone: Lab) -> None:
    options = {
        "name": "zurich",
        "s3_bucket_name": landing_zone.bucket,
        "expected_admitted_home_regions": ["eu-central-2"],
    }
    found = run_trail(landing_zone, options, check_mode=True, region="eu-central-2")
    assert problems(found)["opt_in_home_region"] == "warning"
    assert found["trail"]["home_region"] == "eu-central-2"


def test_a_trail_without_management_events(lab: Lab) -> None:
    data = {"field": "eventCategory", "equals": ["Data"]}, {"field": "resources.type", "equals": ["AWS::S3::Object"]}
    options = {"s3_bucket_name": lab.bucket, "advanced_event_selectors": [{"field_selectors": list(data)}]}
    text = refusal(lab, options)
    assert f"Trail {lab.trail_arn}: found event selectors that log no management events, expected both read" in text
    told = run_trail(lab, {**options, "on_problem": {"management_events_missing": "warn"}}, check_mode=True)
    assert problems(told) == {"management_events_missing": "error"}


def test_fact_7_8_what_left_out_events_is_kept_or_told(fresh: Lab) -> None:
    client = fresh.client("cloudtrail")
    selector = {"ReadWriteType": "All", "ExcludeManagementEventSources": ["kms.amazonaws.com"]}
    client.put_event_selectors(TrailName=fresh.trail_arn, EventSelectors=[selector])
    options = {"s3_bucket_name": fresh.bucket}
    lost = run_trail(fresh, options, check_mode=True)
    assert problems(lost) == {"setting_lost": "warning"}
    [warning] = lost["warnings"]
    assert "that management events of kms.amazonaws.com are left out, which this run takes away" in warning
    keep = json.loads(warning[warning.index("{") : warning.rindex("}") + 1])
    kept = run_trail(fresh, {**options, "event_selectors": [keep]})
    assert kept["warnings"] == []
    assert [action["operation"] for action in kept["actions"]] == ["UpdateTrail"]


def test_fact_2_7_quota(fresh: Lab) -> None:
    mine = fresh.client("s3").list_buckets()["Buckets"][0]["Name"]
    to_cloudtrail = {"Principal": {"Service": "cloudtrail.amazonaws.com"}}
    policy = document(*(statement(["s3:*"], f"arn:aws:s3:::{mine}{rest}", **to_cloudtrail) for rest in ("", "/*")))
    fresh.client("s3").put_bucket_policy(Bucket=mine, Policy=policy)
    for number in range(3):
        fresh.client("cloudtrail").create_trail(Name=f"more-{number}", S3BucketName=mine)
    fresh.client("cloudtrail", region="eu-west-1").create_trail(
        Name="wide", S3BucketName=mine, IsMultiRegionTrail=True, IncludeGlobalServiceEvents=True
    )
    text = refusal(fresh, {"name": "sixth", "s3_bucket_name": mine})
    assert (
        f"Account {fresh.management} in {fresh.home_region}: found 5 trails (default, more-0, more-1, more-2, wide)"
        in text
    )
    elsewhere = run_trail(fresh, {"name": "sixth", "s3_bucket_name": mine}, check_mode=True, region="us-west-1")
    assert "trail_quota" not in problems(elsewhere)


def test_fact_3_7_key_that_cloudtrail_may_not_use(lab: Lab) -> None:
    make_key(lab, "alias/narrow", for_cloudtrail=False)
    options = {"s3_bucket_name": lab.bucket, "kms_key_id": "alias/narrow"}
    text = refusal(lab, options)
    assert "cloudtrail.amazonaws.com may not call kms:GenerateDataKey and kms:DescribeKey" in text
    assert f"aws:SourceArn {lab.trail_arn}" in text
    lenient = run_trail(lab, {**options, "on_problem": {"kms_key_policy": "warn"}}, check_mode=True)
    assert problems(lenient) == {"kms_key_policy": "error"}


def test_fact_3_7_key_of_another_region_and_organization(lab: Lab) -> None:
    key = f"arn:aws:kms:eu-west-1:{STRANGER}:key/0a1b"
    text = refusal(lab, {"s3_bucket_name": lab.bucket, "kms_key_id": key, "bucket_region": lab.home_region})
    assert f"KMS key {key}: found in account {STRANGER}, which is not in the organization" in text
    assert f"KMS key {key}: found in eu-west-1, expected a key in {lab.home_region}" in text
    member = key.replace(STRANGER, lab.log_archive)
    found = run_trail(lab, {"s3_bucket_name": lab.bucket, "kms_key_id": member}, check_mode=True)
    assert problems(found) == {"kms_key_policy": "unknown"}


def test_a_bucket_that_is_not_there(lab: Lab) -> None:
    text = refusal(lab, {"s3_bucket_name": "nobody-has-this-bucket"})
    assert text.startswith("Bucket nobody-has-this-bucket does not exist, expected a bucket whose policy admits")
    assert "does not exist" in refusal(
        lab, {"s3_bucket_name": "nobody-has-this-bucket", "is_organization_trail": False}
    )


def test_a_bucket_that_no_look_up_judged_is_judged_by_whoever_may(fresh: Lab) -> None:
    """Management's own, the log archive's with its role; what cannot be read is said."""
    options = {"s3_bucket_name": fresh.bucket}
    unread = run_trail(fresh, {**options, **WITHOUT_THE_ROLE}, check_mode=True)
    assert problems(unread) == {"bucket_policy": "unknown"}
    assert problems(run_trail(fresh, options, check_mode=True)) == {}
    s3 = fresh.client("s3", fresh.log_archive)
    policy = json.loads(s3.get_bucket_policy(Bucket=fresh.bucket)["Policy"])
    policy["Statement"] = [one for one in policy["Statement"] if "OrganizationWrite" not in one["Sid"]]
    s3.put_bucket_policy(Bucket=fresh.bucket, Policy=json.dumps(policy))
    text = refusal(fresh, options)
    assert f"Bucket {fresh.bucket}: found a policy that keeps out the trail {fresh.trail_arn}: absent: found no" in text
    own = fresh.client("cloudtrail").get_trail(Name=fresh.trail_arn)["Trail"]["S3BucketName"]
    text = refusal(fresh, {"s3_bucket_name": own})
    assert f"found a policy that keeps out the trail {fresh.trail_arn}: absent: found no such statement" in text


def test_an_organization_trail_is_not_moved_to_a_look_alike(fresh: Lab) -> None:
    """Attack: weaken the trail's own bucket, and offer another one to whoever repairs by look-up."""
    run_trail(fresh, {"s3_bucket_name": fresh.bucket})
    s3 = fresh.client("s3", fresh.log_archive)
    policy = s3.get_bucket_policy(Bucket=fresh.bucket)["Policy"]
    s3.create_bucket(Bucket="look-alike")
    s3.put_bucket_policy(Bucket="look-alike", Policy=policy.replace(fresh.bucket, "look-alike"))
    document = json.loads(policy)
    document["Statement"] = document["Statement"][:-1]
    s3.put_bucket_policy(Bucket=fresh.bucket, Policy=json.dumps(document))
    found = {
        "looked_up_bucket": {"name": "look-alike", "admitted_home_regions": [fresh.home_region]},
    }
    text = refusal(fresh, found)
    known = "absent: found no such statement as AWSCloudTrailOrganizationWrite20150319"
    assert f"writes to the bucket {fresh.bucket}, of which is known: {known}" in text
    assert "its policy could not be read" in refusal(fresh, {**found, **WITHOUT_THE_ROLE})
    named = run_trail(fresh, {**found, "bucket_is_named": True}, check_mode=True)
    assert named["changed_fields"] == ["s3_bucket_name"]


def test_fact_2_16_log_group_and_role_of_another_account_or_region(lab: Lab) -> None:
    group = f"arn:aws:logs:{lab.home_region}:{lab.management}:log-group:trail"
    role = f"arn:aws:iam::{lab.management}:role/trail-logs"
    own = {"cloud_watch_logs_log_group_arn": group, "cloud_watch_logs_role_arn": role}
    for wrong, says in (
        ({"cloud_watch_logs_log_group_arn": group.replace(lab.management, lab.log_archive)}, "log group"),
        ({"cloud_watch_logs_log_group_arn": group.replace(lab.home_region, "eu-west-1")}, "in eu-west-1, expected"),
        ({"cloud_watch_logs_role_arn": role.replace(lab.management, lab.log_archive)}, "The role arn:aws:iam"),
    ):
        text = refusal(lab, {"s3_bucket_name": lab.bucket, **own, **wrong})
        assert says in text
        assert f"expected one of account {lab.management}" in text


def test_fact_2_18_a_topic_that_cloudtrail_may_not_publish_to(fresh: Lab) -> None:
    options = {"s3_bucket_name": fresh.bucket}
    closed = fresh.client("sns").create_topic(Name="closed")["TopicArn"]
    text = refusal(fresh, {**options, "sns_topic_name": "closed"})
    assert f"SNS topic {closed}: found that cloudtrail.amazonaws.com may not publish to it, expected a topic" in text
    assert "found no such topic" in refusal(fresh, {**options, "sns_topic_name": "none"})
    elsewhere = fresh.client("sns", fresh.log_archive).create_topic(Name="theirs")["TopicArn"]
    unread = run_trail(fresh, {**options, "sns_topic_name": elsewhere}, check_mode=True)
    assert problems(unread) == {"sns_topic_policy": "unknown"}
    make_topic(fresh, "open")
    assert run_trail(fresh, {**options, "sns_topic_name": "open"})["problems"] == []


def test_fact_3_7_a_key_of_the_log_archive_is_judged_with_its_role(lab: Lab) -> None:
    kms = lab.client("kms", lab.log_archive)
    owner = statement(["kms:*"], "*", Principal={"AWS": f"arn:aws:iam::{lab.log_archive}:root"})
    key = kms.create_key(Policy=document(owner))["KeyMetadata"]["Arn"]
    options = {"s3_bucket_name": lab.bucket, "kms_key_id": key}
    told = f"Policy of the KMS key {key}: found cloudtrail.amazonaws.com may not call kms:GenerateDataKey"
    assert told in refusal(lab, options)
    unread = run_trail(lab, {**options, **WITHOUT_THE_ROLE}, check_mode=True)
    assert problems(unread) == {"bucket_policy": "unknown", "kms_key_policy": "unknown"}


def test_an_alias_that_is_not_there(lab: Lab) -> None:
    text = refusal(lab, {"kms_key_id": "alias/none"})
    assert text.startswith("Failed to describe the KMS key: ")
    assert "alias/none" in text


def test_fact_3_5_bucket_outside_the_organization(lab: Lab) -> None:
    options = {"s3_bucket_name": lab.bucket}
    text = refusal(lab, {**options, "bucket_account_id": STRANGER})
    assert f"Bucket {lab.bucket}: found in account {STRANGER} outside the organization, expected a bucket" in text
    text = refusal(lab, {**options, "bucket_organization_id": "o-another123"})
    assert "of the organization o-another123" in text
    lab.clear_journal()
    both = {"bucket_account_id": lab.log_archive, "bucket_organization_id": lab.organization_id}
    assert problems(run_trail(lab, {**options, **both}, check_mode=True)) == {}
    assert "DescribeAccount" not in reads(lab)
    assert problems(run_trail(lab, {**options, "bucket_account_id": lab.log_archive}, check_mode=True)) == {}
    assert "DescribeAccount" in reads(lab)


def test_fact_2_15_role_that_may_write_managements_streams_only(lab: Lab) -> None:
    group = make_log_group(lab, f"{lab.management}_*")
    text = refusal(lab, {"s3_bucket_name": lab.bucket, **group})
    assert f"log streams {lab.organization_id}_*" in text
    assert group["cloud_watch_logs_role_arn"] in text
    everything = document(statement(["logs:*"], "*"))
    managed = lab.client("iam").create_policy(PolicyName="logs", PolicyDocument=everything)["Policy"]["Arn"]
    lab.client("iam").attach_role_policy(RoleName="trail-logs", PolicyArn=managed)
    assert problems(run_trail(lab, {"s3_bucket_name": lab.bucket, **group}, check_mode=True)) == {}


def test_fact_1_5_service_linked_role(fresh: Lab) -> None:
    fresh.client("organizations").disable_aws_service_access(ServicePrincipal="cloudtrail.amazonaws.com")
    fresh.client("iam").delete_service_linked_role(RoleName="AWSServiceRoleForCloudTrail")
    assert problems(run_trail(fresh, {"s3_bucket_name": fresh.bucket}, check_mode=True)) == {}
    fresh.control("POST", "options", {"service_linked_role": False})
    trust(fresh)
    found = run_trail(fresh, {"s3_bucket_name": fresh.bucket}, check_mode=True)
    assert problems(found) == {"service_linked_role_missing": "warning"}


def test_fact_2_17_a_policy_that_does_not_count_yet_is_waited_for(fresh: Lab) -> None:
    s3 = fresh.client("s3", fresh.log_archive)
    fresh.control("POST", "options", {"policy_propagation_calls": 1})
    policy = s3.get_bucket_policy(Bucket=fresh.bucket)["Policy"]
    options = {"s3_bucket_name": fresh.bucket}
    s3.put_bucket_policy(Bucket=fresh.bucket, Policy=policy)
    with pytest.raises(AnsibleAWSError) as error:
        run_trail(fresh, {**options, "policy_propagation_timeout": 0})
    assert "What was written a moment ago may not count yet: then run again" in sentence(error.value)
    s3.put_bucket_policy(Bucket=fresh.bucket, Policy=policy)
    done = run_trail(fresh, options)
    refusal = {"operation": "UpdateTrail", "code": "InsufficientS3BucketPolicyException", "seconds": 1}
    assert done["waited"] == [refusal]
    assert [action["operation"] for action in done["actions"]] == ["UpdateTrail"]
    assert run_trail(fresh, options)["waited"] == []


def test_a_read_that_is_denied_is_a_warning(fresh: Lab) -> None:
    rule = {"service": "iam", "operation": "GetRole", "fault": "code:AccessDenied"}
    fresh.control("POST", "faults", [rule])
    found = run_trail(fresh, {"s3_bucket_name": fresh.bucket, "on_problem": {"service_linked_role_missing": "fail"}})
    fresh.control("POST", "faults", [])
    assert found["changed"]
    assert problems(found) == {"service_linked_role_missing": "unknown"}
    assert "iam:GetRole" in found["warnings"][0]


def test_a_failure_says_what_was_done_before_it(fresh: Lab) -> None:
    rule = {"service": "cloudtrail", "operation": "AddTags", "fault": "code:AccessDeniedException"}
    fresh.control("POST", "faults", [rule])
    with pytest.raises(AnsibleAWSError) as error:
        run_trail(fresh, {"s3_bucket_name": fresh.bucket, "tags": {"a": "b"}})
    assert "cloudtrail:AddTags" in sentence(error.value)
    assert fresh.trail_arn in sentence(error.value)
    assert error.value.kwargs["changed"] is True
    assert [action["operation"] for action in error.value.kwargs["actions"]] == ["UpdateTrail"]


def test_delivery_error_is_told(fresh: Lab) -> None:
    run_trail(fresh, {"s3_bucket_name": fresh.bucket})
    body = {"account": fresh.management, "region": fresh.home_region, "LatestDeliveryError": "NoSuchBucket"}
    fresh.control("POST", "members", [body])
    assert problems(run_trail(fresh, {"s3_bucket_name": fresh.bucket})) == {"delivery_error": "warning"}
