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

from tests.lab_process import Lab
from tests.trail_run import document, make_key, make_log_group, run_trail, statement, trust

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


SHORTEST = ["DescribeOrganization", "DescribeTrails", "GetEventSelectors", "GetTrailStatus", "ListTrails"]


def test_fewest_calls(fresh: Lab) -> None:
    options = {"s3_bucket_name": fresh.bucket}
    run_trail(fresh, options)
    assert reads(fresh) == sorted(["GetRole", *SHORTEST, *("DescribeTrails", "GetEventSelectors", "GetTrailStatus")])
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
    overlap = run_trail(landing_zone, {}, check_mode=True)
    assert problems(overlap) == {"overlapping_trail": "warning"}
    assert "aws-controltower-BaselineCloudTrail" in overlap["warnings"][0]
    assert "overlapping" not in str(overlap["actions"])
    landing_zone.clear_journal()
    quiet = run_trail(landing_zone, {"on_problem": {"overlapping_trail": "ignore"}}, check_mode=True)
    assert problems(quiet) == {}
    assert reads(landing_zone) == sorted([*SHORTEST, "GetRole"])
    assert "overlapping" not in str(quiet)
    text = refusal(landing_zone, {"on_problem": {"overlapping_trail": "fail"}})
    assert "expected one trail that logs them" in text


def test_fact_4_6_opt_in_home_region(landing_zone: Lab) -> None:
    options = {"name": "zurich", "s3_bucket_name": landing_zone.bucket}
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
    assert problems(found) == {}


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
