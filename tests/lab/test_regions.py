# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Regions of the lab's accounts, by aws-facts 4.6."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.organization_trail import options, refusal
from tests.lab_process import MEMBER_ROLE, Lab

OPT_IN = "me-south-1"
CODES = ["UnrecognizedClientException", "InvalidClientTokenId", "AuthFailure"]


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


def names(regions: list[dict[str, Any]]) -> set[str]:
    return {region["RegionName"] for region in regions}


@pytest.fixture
def opted_in(lab: Lab) -> Iterator[str]:
    account = lab.client("account", lab.log_archive)
    account.enable_region(RegionName=OPT_IN)
    yield OPT_IN
    account.disable_region(RegionName=OPT_IN)


def test_fact_4_6_seventeen_regions_by_default(lab: Lab) -> None:
    found = lab.client("ec2", lab.log_archive).describe_regions()["Regions"]
    assert len(found) == 17
    assert {region["OptInStatus"] for region in found} == {"opt-in-not-required"}
    enabled = lab.client("account").list_regions(RegionOptStatusContains=["ENABLED", "ENABLED_BY_DEFAULT"])["Regions"]
    assert names(enabled) == names(found)


def test_fact_4_6_ec2_and_account_agree_on_opted_in_regions(lab: Lab, opted_in: str) -> None:
    ec2, account = lab.client("ec2", lab.log_archive), lab.client("account", lab.log_archive)
    assert opted_in in names(ec2.describe_regions()["Regions"])
    assert account.get_region_opt_status(RegionName=opted_in)["RegionOptStatus"] == "ENABLED"
    assert names(account.list_regions(RegionOptStatusContains=["ENABLED"])["Regions"]) == {opted_in}
    assert opted_in not in names(lab.client("ec2").describe_regions()["Regions"])


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({"AllRegions": True}, 34),
        ({"AllRegions": True, "Filters": [{"Name": "opt-in-status", "Values": ["not-opted-in"]}]}, 16),
        ({"Filters": [{"Name": "opt-in-status", "Values": ["opt-in-not-required", "opted-in"]}]}, 18),
        ({"Filters": [{"Name": "region-name", "Values": ["eu-*"]}]}, 6),
        ({"RegionNames": ["us-east-1", "af-south-1"]}, 2),
    ],
    ids=str,
)
def test_describe_regions_honours_what_is_asked(lab: Lab, opted_in: str, asked: dict[str, Any], count: int) -> None:
    expected = count - 1 if "eu-*" in str(asked) else count
    assert len(lab.client("ec2", lab.log_archive).describe_regions(**asked)["Regions"]) == expected


def test_regions_that_do_not_exist(lab: Lab) -> None:
    assert refusal(lab.client("ec2").describe_regions, RegionNames=["mars-1"]) == "InvalidParameterValue"
    wrong = {"Filters": [{"Name": "nonsense", "Values": ["x"]}]}
    assert refusal(lab.client("ec2").describe_regions, **wrong) == "InvalidParameterValue"
    account = lab.client("account")
    for method in (account.get_region_opt_status, account.enable_region):
        assert refusal(method, RegionName="mars-1") == "ValidationException"
    assert refusal(account.disable_region, RegionName="us-east-1") == "ValidationException"


@pytest.mark.parametrize("code", CODES)
def test_fact_4_6_calls_to_a_region_that_is_not_enabled_fail(lab: Lab, code: str) -> None:
    with options(lab, disabled_region_code=code):
        for service, operation in (
            ("cloudtrail", "describe_trails"),
            ("sts", "get_caller_identity"),
            ("ec2", "describe_regions"),
            ("sqs", "list_queues"),
        ):
            assert refusal(getattr(lab.client(service, region=OPT_IN), operation)) == code


def test_fact_4_6_calls_to_an_enabled_region_succeed(lab: Lab, opted_in: str) -> None:
    role = f"arn:aws:iam::{lab.log_archive}:role/{MEMBER_ROLE}"
    keys = lab.client("sts").assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
    assert not refusal(lab.client_with(keys, "cloudtrail", opted_in).describe_trails)


def test_list_regions_in_pages(lab: Lab) -> None:
    account = lab.client("account")
    found = account.get_paginator("list_regions").paginate(PaginationConfig={"PageSize": 10}).build_full_result()
    assert len(found["Regions"]) == 34
    assert refusal(account.list_regions, NextToken="x") == "ValidationException"


def test_only_management_asks_for_another_account(lab: Lab, opted_in: str) -> None:
    asked = {"AccountId": lab.log_archive, "RegionName": opted_in}
    assert lab.client("account").get_region_opt_status(**asked)["RegionOptStatus"] == "ENABLED"
    other = {**asked, "AccountId": lab.management}
    assert refusal(lab.client("account", lab.log_archive).get_region_opt_status, **other) == "AccessDeniedException"


def test_another_partition() -> None:
    home, partition = "us-gov-east-1", "aws-us-gov"
    with Lab("--home-region", home) as lab:
        assert lab.trail_arn.startswith(f"arn:{partition}:cloudtrail:{home}:")
        assert len(lab.client("ec2").describe_regions()["Regions"]) == 2
        arn = lab.client("organizations").describe_organization()["Organization"]["Arn"]
        assert arn.startswith(f"arn:{partition}:organizations:")
        assert lab.client("cloudtrail").describe_trails()["trailList"][0]["TrailARN"] == lab.trail_arn
        user = lab.client("iam").get_user()["User"]["Arn"]
        assert user.startswith(f"arn:{partition}:iam::")
        role = f"arn:{partition}:iam::{lab.log_archive}:role/OrganizationAccountAccessRole"
        entered = lab.client("sts").assume_role(RoleArn=role, RoleSessionName="tests")["AssumedRoleUser"]["Arn"]
        assert entered.startswith(f"arn:{partition}:sts::{lab.log_archive}:assumed-role/")
