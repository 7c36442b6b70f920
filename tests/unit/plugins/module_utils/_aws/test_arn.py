# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import (
    TrailArn,
    arn_account,
    arn_owner,
    is_account_id,
    is_region,
    is_trail_arn,
    named_trail,
    parse_trail_arn,
    partition_of,
    trail_name_problem,
)


@pytest.mark.parametrize(
    ("arn", "parts"),
    [
        ("arn:aws:cloudtrail:us-east-1:111122223333:trail/default", ("aws", "us-east-1", "111122223333", "default")),
        ("arn:aws-cn:cloudtrail:cn-north-1:111122223333:trail/a-b", ("aws-cn", "cn-north-1", "111122223333", "a-b")),
        (
            "arn:aws-us-gov:cloudtrail:us-gov-west-1:111122223333:trail/a.b",
            ("aws-us-gov", "us-gov-west-1", "111122223333", "a.b"),
        ),
    ],
)
def test_parse_trail_arn_and_back(arn: str, parts: tuple[str, str, str, str]) -> None:
    assert parse_trail_arn(arn) == TrailArn(*parts)
    assert str(parse_trail_arn(arn)) == arn


@pytest.mark.parametrize(
    ("arn", "account"),
    [
        ("arn:aws:iam::111122223333:role/path/R", "111122223333"),
        ("arn:aws-us-gov:iam::111122223333:user/u", "111122223333"),
        ("arn:aws:iam::111122223333:root", "111122223333"),
        ("arn:aws-cn:sts::111122223333:assumed-role/R/name", "111122223333"),
        ("arn:aws:sts::111122223333:federated-user/u", "111122223333"),
        ("arn:aws:iam::1111:role/R", ""),
        ("arn:aws:s3:::bucket", ""),
        ("arn:aws:kms:us-east-1:111122223333:key/k", ""),
        ("R", ""),
        ("", ""),
    ],
)
def test_the_account_of_a_caller_or_a_role(arn: str, account: str) -> None:
    assert arn_account(arn) == account


@pytest.mark.parametrize(
    ("arn", "owner"),
    [
        ("arn:aws:kms:us-east-1:111122223333:key/k", "111122223333"),
        ("arn:aws-us-gov:iam::111122223333:role/R", "111122223333"),
        ("arn:aws:sns:us-east-1:111122223333:topic", "111122223333"),
        ("arn:aws:s3:::bucket", ""),
        ("alias/aws/s3", ""),
        ("EventBridge", ""),
        ("", ""),
    ],
)
def test_the_owner_of_a_resource(arn: str, owner: str) -> None:
    assert arn_owner(arn) == owner


def test_an_account_id_is_12_digits() -> None:
    assert is_account_id("011122223333")
    assert not any(map(is_account_id, ("", "1234", "1111222233334", "11112222333a", "111122223333\n", "١١١١٢٢٢٢٣٣٣٣")))


@pytest.mark.parametrize(
    "text",
    [
        "default",
        "",
        "arn:aws:cloudtrail:us-east-1:111122223333:eventdatastore/x",
        "arn:aws:cloudtrail:us-east-1:1111:trail/default",
        "arn:aws:s3:::bucket",
        "arn:aws:cloudtrail:us-east-1:111122223333:trail/",
        " arn:aws:cloudtrail:us-east-1:111122223333:trail/default",
    ],
)
def test_parse_trail_arn_refuses(text: str) -> None:
    assert not is_trail_arn(text)
    with pytest.raises(ValueError, match="is not a trail ARN"):
        parse_trail_arn(text)


def test_is_trail_arn() -> None:
    assert is_trail_arn("arn:aws:cloudtrail:us-east-1:111122223333:trail/default")


@pytest.mark.parametrize(
    "name",
    ["abc", "default", "a.b-c_d", "A1-b2", "x" * 128, "1.2.3", "1.2.3.4.5", "aws-controltower-BaselineCloudTrail"],
)
def test_trail_name_problem_accepts(name: str) -> None:
    assert trail_name_problem(name) is None


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "has 0 characters"),
        ("ab", "has 2 characters"),
        ("x" * 129, "has 129 characters"),
        ("192.168.5.4", "IP address"),
        ("my..trail", "single . _ -"),
        ("my-_trail", "single . _ -"),
        ("-trail", "beginning and ending"),
        ("trail.", "beginning and ending"),
        ("my trail", "letters, digits"),
        ("spur/weg", "letters, digits"),
        ("gerät", "letters, digits"),
        ("trail\n", "letters, digits"),
    ],
)
def test_trail_name_problem_tells_why(name: str, reason: str) -> None:
    assert reason in str(trail_name_problem(name))
    with pytest.raises(ValueError, match="Trail name"):
        named_trail(name)


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("us-east-1", "aws"),
        ("ap-southeast-5", "aws"),
        ("cn-northwest-1", "aws-cn"),
        ("us-gov-east-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("eu-isoe-west-1", "aws-iso-e"),
        ("us-isof-south-1", "aws-iso-f"),
        ("eusc-de-east-1", "aws-eusc"),
    ],
)
def test_partition_of(region: str, partition: str) -> None:
    assert partition_of(region) == partition


def test_a_region_is_told_from_what_is_none() -> None:
    assert all(map(is_region, ("us-east-1", "us-gov-east-1", "eusc-de-east-1", "ap-southeast-7")))
    assert not any(map(is_region, ("", "us-east", "us-east-1\n", "*", "US-EAST-1")))
