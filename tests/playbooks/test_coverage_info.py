# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module cloudtrail_coverage_info against the lab."""

from __future__ import annotations

import gzip
import json
import os
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.ansible_run import TaskResult, member_role, run_module, run_playbook
from tests.coverage_world import ONE, REGIONS, calls, found, make_wrong, turn_on
from tests.lab_process import Lab

RECENT = (datetime.now(UTC) - timedelta(hours=23)).isoformat()
OLD = (datetime.now(UTC) - timedelta(hours=25)).isoformat()
TWO = ["eu-west-1", "us-east-1"]


@pytest.fixture(scope="module")
def shared() -> Iterator[Lab]:
    with Lab("--accounts", "60") as lab:
        turn_on(lab)
        yield lab


@pytest.fixture
def lab(shared: Lab) -> Lab:
    shared.control("POST", "faults", [])
    shared.control("DELETE", "members")
    shared.clear_journal()
    return shared


def members(lab: Lab) -> list[str]:
    pages = lab.client("organizations").get_paginator("list_accounts").paginate().build_full_result()
    return [one["Id"] for one in pages["Accounts"] if one["Id"] not in (lab.management, lab.log_archive)]


def ask(lab: Lab, *arguments: str, account: str = "", **options: Any) -> TaskResult:
    result = run_module(
        lab, "cloudtrail_coverage_info", {"trail_arn": lab.trail_arn, **options}, *arguments, account=account
    )
    assert not result.failed, result.msg
    return result


def given(*accounts: str, **fields: Any) -> list[dict[str, Any]]:
    return [{"id": account, **fields} for account in accounts]


def test_everything_is_covered(lab: Lab) -> None:
    result = ask(lab)
    assert found(result["coverage"]) == {}
    assert result["exceptions"] == []
    assert not result.changed
    assert result["regions"] == REGIONS
    summary = result["summary"]
    assert (summary["covered"], summary["account_regions"], summary["complete"]) == (1020, 1020, True)
    assert summary["calls"] == 59 + 59 + 1020  # a role, the account's regions, and the status in each
    assert {(row["account_id"], row["region"]) for row in result["coverage"]} == {
        (account, region) for account in (*members(lab), lab.management, lab.log_archive) for region in REGIONS
    }


def test_calls_once_and_no_more(lab: Lab) -> None:
    ask(lab, regions=TWO)
    made = calls(lab)
    assert made["AssumeRole"] == 59
    assert made["GetTrailStatus"] == 120
    places = Counter((one["account"], one["region"]) for one in lab.journal(operation="GetTrailStatus"))
    assert set(places.values()) == {1}
    once = {"ListAccounts", "DescribeOrganization", "GetCallerIdentity", "ListRegions", "GetEventSelectors"}
    assert set(made) == {"AssumeRole", "GetTrailStatus", *once}
    assert (made["ListRegions"], made["GetEventSelectors"]) == (1, 1)


def test_own_account_needs_no_role(lab: Lab) -> None:
    ask(lab, accounts=given(lab.management), regions=TWO)
    assert calls(lab)["AssumeRole"] == 0


def test_throttling_of_a_third_of_the_calls(lab: Lab) -> None:
    lab.control(
        "POST",
        "faults",
        [
            {"service": "cloudtrail", "operation": "GetTrailStatus", "fault": "throttle", "every": 3},
            {"service": "sts", "operation": "AssumeRole", "fault": "throttle", "every": 3},
        ],
    )
    result = ask(lab, regions=REGIONS[:5])
    assert result["summary"]["covered"] == 300
    assert result["summary"]["calls"] > 359


def test_regions_that_no_account_has_enabled(lab: Lab) -> None:
    result = ask(lab, accounts=given(*members(lab)[:2]), regions=["af-south-1", ONE])
    assert {place[1]: status for place, status in found(result["coverage"]).items()} == {
        "af-south-1": "region_disabled"
    }
    assert result["exceptions"] == []


def test_dead_endpoint_holds_nobody_up(lab: Lab) -> None:
    lab.control("POST", "faults", [{"service": "cloudtrail", "region": ONE, "fault": "reset"}])
    result = ask(lab, regions=TWO)
    assert Counter(row["status"] for row in result["coverage"]) == {"covered": 60, "unreachable": 60}
    assert {row["region"] for row in result["exceptions"]} == {ONE}


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"trail_changed_at": RECENT}, "pending"),
        ({"trail_changed_at": OLD}, "missing"),
        ({}, "missing"),
        ({"joined_at": RECENT}, "pending"),
    ],
)
def test_missing_is_pending_for_a_day(lab: Lab, options: dict[str, str], status: str) -> None:
    member = members(lab)[0]
    lab.control("POST", "members", [{"account": member, "missing": True}])
    changed = {name: value for name, value in options.items() if name == "trail_changed_at"}
    joined = {name: value for name, value in options.items() if name == "joined_at"}
    result = ask(lab, accounts=given(member, **joined), regions=[ONE], **changed)
    assert [row["status"] for row in result["coverage"]] == [status]


def test_conversion_is_found_in_event_history() -> None:
    with Lab("--accounts", "5") as lab:
        lab.control("POST", "options", {"member_propagation": "delayed"})
        lab.client("organizations").enable_aws_service_access(ServicePrincipal="cloudtrail.amazonaws.com")
        lab.client("cloudtrail").update_trail(Name=lab.trail_arn, IsOrganizationTrail=True, S3BucketName=lab.bucket)
        result = ask(lab, regions=TWO)
        assert Counter(row["status"] for row in result["coverage"]) == {"covered": 2, "pending": 8}
        assert result["exceptions"] == []


def test_waits_until_covered(lab: Lab) -> None:
    missing = {"service": "cloudtrail", "operation": "GetTrailStatus", "fault": "code:TrailNotFoundException"}
    lab.control("POST", "faults", [{**missing, "times": 3}])
    result = ask(lab, accounts=given(*members(lab)[:3]), regions=TWO, wait_minutes=5, wait_interval=0.1)
    assert result["summary"]["covered"] == 6
    assert calls(lab)["GetTrailStatus"] == 9


def test_regions_that_only_a_member_has_enabled_are_asked(lab: Lab) -> None:
    """Management has 17 regions; the trail logs the member's 18th, too (aws-facts 4.9)."""
    one, other, third = members(lab)[:3]
    account = lab.client("account", one)
    account.enable_region(RegionName="ap-east-1")
    lab.control(
        "POST",
        "faults",
        [{"service": "account", "operation": "ListRegions", "account": third, "fault": "code:AccessDeniedException"}],
    )
    try:
        result = ask(lab, accounts=given(lab.management, one, other, third))
    finally:
        account.disable_region(RegionName="ap-east-1")
    rows = {row["account_id"]: row["status"] for row in result["coverage"] if row["region"] == "ap-east-1"}
    disabled = dict.fromkeys((lab.management, other, third), "region_disabled")
    assert rows == {one: "covered", **disabled}
    assert result["regions"] == sorted([*REGIONS, "ap-east-1"])
    assert calls(lab)["ListRegions"] == 4
    assert [one["id"] for one in result["accounts"] if "regions_error" in one] == [third]
    assert "1 accounts did not tell which regions they have enabled" in str(result["warnings"])


def test_deadline_leaves_rows_out(lab: Lab) -> None:
    lab.control("POST", "faults", [{"service": "cloudtrail", "region": ONE, "fault": "throttle"}])
    result = ask(lab, accounts=given(*members(lab)[:3]), regions=TWO, deadline_minutes=0.05)
    summary = result["summary"]
    assert (summary["complete"], summary["unchecked"], summary["covered"]) == (False, 3, 3)


def test_long_run_shows_progress(lab: Lab, tmp_path: Path) -> None:
    lab.control("POST", "faults", [{"service": "cloudtrail", "region": ONE, "fault": "throttle"}])
    options = {
        "trail_arn": lab.trail_arn,
        "accounts": given(members(lab)[0]),
        "regions": [ONE],
        "deadline_minutes": 0.15,
    }
    task = {"name": "ask", "cloudsec.org_trail.cloudtrail_coverage_info": options}
    line = "coverage: 0 of 1 accounts' regions"
    direct = os.environ.get("ORG_TRAIL_DIRECT") != "0"  # an ordinary module has nobody to read its lines
    assert (line in run_playbook(lab, [task]).ok().stdout) is direct
    options["progress_path"] = str(tmp_path / "progress")
    assert line not in run_playbook(lab, [task]).ok().stdout
    assert (tmp_path / "progress").read_text().startswith(line)


def test_event_history(lab: Lab, tmp_path: Path) -> None:
    path, accounts = tmp_path / "coverage.json", given(lab.management, lab.log_archive)
    ask(lab, accounts=accounts, regions=["us-east-1"], event_history=True, output_path=str(path))
    times = [row["latest_event_time"] for row in json.loads(path.read_text())["coverage"]]
    assert [(len(time), time[:2], time[-1]) for time in times] == [(20, "20", "Z")] * 2


def test_output_path(lab: Lab, tmp_path: Path) -> None:
    path = tmp_path / "coverage.json"
    lab.control("POST", "members", [{"account": one, "IsLogging": False} for one in members(lab)[:3]])
    whole = ask(lab, regions=TWO)
    short = ask(lab, regions=TWO, output_path=str(path), max_exceptions=4)
    document = json.loads(path.read_text())
    assert "coverage" not in short.result
    assert (len(short["exceptions"]), short["exceptions_cut"]) == (4, 2)
    assert document["coverage"] == whole["coverage"]
    assert document["accounts"] == whole["accounts"]
    assert document["trail_arn"] == lab.trail_arn
    assert document["summary"]["not_logging"] == 6
    assert [one.name for one in tmp_path.iterdir()] == ["coverage.json"]
    ask(lab, regions=TWO, output_path=str(path))
    assert json.loads(path.read_text())["coverage"] == document["coverage"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"trail_arn": "default"}, "not a trail ARN"),
        ({"accounts": [{"id": "12"}]}, "expected 12 digits"),
        ({"accounts_from_hosts": "maybe"}, "accounts_from_hosts"),
        ({"role_arn_pattern": "arn:x"}, "role_arn_pattern"),
        ({"max_concurrency": 0}, "max_concurrency is 0"),
        ({"trail_changed_at": "yesterday"}, "trail_changed_at is 'yesterday', expected ISO 8601"),
        ({"accounts": given("1" * 12, joined_at="x")}, "joined_at of account 111111111111"),
        ({"output_path": "/dev/null/coverage.json"}, "output_path /dev/null/coverage.json"),
        ({"regions": ["eu-wst-1"]}, "'eu-wst-1' in regions is no region of the partition aws; did you mean eu-west-1?"),
        ({"regions": [ONE, "us-gov-west-1"]}, "'us-gov-west-1' in regions is no region of the partition aws."),
    ],
)
def test_errors(lab: Lab, options: dict[str, Any], words: str) -> None:
    result = run_module(lab, "cloudtrail_coverage_info", {"trail_arn": lab.trail_arn, **options})
    assert result.failed
    assert words in result.msg
    assert lab.journal(operation="AssumeRole") == []


def test_hosts_are_no_accounts_beside_those_that_are_given(lab: Lab) -> None:
    options = {"trail_arn": lab.trail_arn, "accounts": [], "accounts_from_hosts": True}
    lab.clear_journal()
    result = run_playbook(lab, [{"name": "ask", "cloudsec.org_trail.cloudtrail_coverage_info": options}])
    assert result.task("ask")["msg"] == "parameters are mutually exclusive: accounts|accounts_from_hosts"
    assert lab.journal() == []


def test_external_id_and_session_name(lab: Lab) -> None:
    ask(lab, accounts=given(members(lab)[0]), regions=[ONE], assume_role_session_name="audit")
    entry = lab.journal(operation="GetTrailStatus")[0]
    assert entry["principal"].endswith("/audit")


def test_every_wrong_account_is_found_and_none_invented() -> None:
    with Lab("--accounts", "60") as lab:
        turn_on(lab)
        expected = make_wrong(lab, members(lab)[:40])
        result = ask(lab)
        assert found(result["coverage"]) == expected
        assert all(row["reason"] for row in result["coverage"] if row["status"] != "covered")
        wanted = {place for place, status in expected.items() if status != "account_closed"}
        assert {(row["account_id"], row["region"]) for row in result["exceptions"]} == wanted


@pytest.fixture(scope="module")
def delivered() -> Iterator[Lab]:
    """A lab in whose bucket files of one member arrived."""
    with Lab("--accounts", "8") as lab:
        turn_on(lab)
        member = members(lab)[0]
        for region in TWO:
            lab.client("sts", member, region).get_caller_identity()
            lab.client("cloudtrail", member, region).describe_trails()
        lab.control("POST", "deliver", {"hours": 1})
        yield lab


def test_log_delivery_finds_files_and_verifies_digests(delivered: Lab) -> None:
    lab = delivered
    role = member_role(lab, lab.log_archive)["assume_role_arn"]
    one, other = members(lab)[:2]
    result = ask(lab, accounts=given(one, other), regions=TWO, log_delivery="digest", log_archive_role_arn=role)
    rows = {(row["account_id"], row["region"]): row for row in result["coverage"]}
    for region in TWO:
        assert rows[one, region]["latest_file_time"].startswith("20")
        assert rows[one, region]["digest_valid"] is True
        assert rows[one, region]["status"] == "covered"
        assert rows[other, region]["status"] == "delivery_error"
        assert "no log file of this account" in rows[other, region]["reason"]


def test_log_delivery_finds_forged_digests(delivered: Lab) -> None:
    lab = delivered
    s3 = lab.client("s3", lab.log_archive)
    one = members(lab)[0]
    prefix = f"AWSLogs/{lab.organization_id}/{one}/CloudTrail-Digest/{ONE}/"
    key = s3.list_objects_v2(Bucket=lab.bucket, Prefix=prefix)["Contents"][-1]["Key"]
    true = s3.get_object(Bucket=lab.bucket, Key=key)
    body, metadata = true["Body"].read(), true["Metadata"]
    forged = gzip.compress(gzip.decompress(body).replace(b'"logFiles":[', b'"logFiles": ['))
    s3.put_object(Bucket=lab.bucket, Key=key, Body=forged, Metadata=metadata)
    role = member_role(lab, lab.log_archive)["assume_role_arn"]
    result = ask(lab, accounts=given(one), regions=TWO, log_delivery="digest", log_archive_role_arn=role)
    s3.put_object(Bucket=lab.bucket, Key=key, Body=body, Metadata=metadata)
    assert found(result["coverage"]) == {(one, ONE): "delivery_error"}
    assert "signature is wrong" in result["exceptions"][0]["reason"]


def test_log_delivery_warns_of_what_it_could_not_read(delivered: Lab) -> None:
    lab = delivered
    role, one = member_role(lab, lab.log_archive)["assume_role_arn"], members(lab)[0]
    lab.control("POST", "faults", [{"service": "s3", "operation": "GetObject", "fault": "code:AccessDenied"}])
    result = ask(lab, accounts=given(one), regions=TWO, log_delivery="digest", log_archive_role_arn=role)
    lab.control("POST", "faults", [])
    assert found(result["coverage"]) == {}
    assert "The log files of 2 accounts' regions could not be read" in str(result["warnings"])


def test_log_delivery_refuses_a_bucket_that_it_may_not_list(delivered: Lab) -> None:
    lab = delivered
    role = member_role(lab, members(lab)[0])["assume_role_arn"]
    options = {"trail_arn": lab.trail_arn, "log_delivery": "prefix", "log_archive_role_arn": role}
    result = run_module(lab, "cloudtrail_coverage_info", options)
    assert result.failed
    assert lab.bucket in result.msg
