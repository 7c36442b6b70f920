# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of what no option lifts."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import TrailArn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.refusals import (
    arn_refusal,
    choose_trail,
    name_refusal,
    settings_refusal,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.settings import Settings

from tests.trail_options import AFTER, ARN, GROUP, HOME, KEY, ME, ROLE, options

OTHER = "444455556666"
LOG_GROUP = f"{GROUP}:*"


def trail(region: str, account: str = ME, name: str = "default") -> TrailArn:
    return TrailArn("aws", region, account, name)


NAMES = [
    ("default", ""),
    (ARN, ""),
    ("ab", "2 characters"),
    ("a..b", "'a..b'"),
    ("10.0.0.1", "IP address"),
    ("arn:aws:s3:::x", "ARN"),
    (ARN.replace("arn:aws:", "arn:aws-cn:"), "found the partition aws-cn, expected aws"),
    (ARN.replace("arn:aws:", "arn:aws-new:"), ""),
]


@pytest.mark.parametrize(("name", "part"), NAMES)
def test_name_refusal(name: str, part: str) -> None:
    refusal = name_refusal(options(name=name).name)
    assert (refusal is None) if not part else (refusal is not None and part in refusal)


ARNS: list[tuple[str, str, bool]] = [
    ("kms_key_id", KEY, True),
    ("kms_key_id", KEY.replace("key/", "alias/"), True),
    ("kms_key_id", "alias/trail", True),
    ("kms_key_id", "", True),
    ("kms_key_id", "arn:aws:kms:eu-central-1", False),
    ("kms_key_id", "arn:aws:s3:::bucket", False),
    ("sns_topic_name", f"arn:aws:sns:eu-central-1:{ME}:trail", True),
    ("sns_topic_name", "trail", True),
    ("sns_topic_name", "arn:aws:sqs:eu-central-1:1:trail", False),
    ("cloud_watch_logs_log_group_arn", LOG_GROUP, True),
    ("cloud_watch_logs_log_group_arn", LOG_GROUP.removesuffix(":*"), True),
    ("cloud_watch_logs_log_group_arn", "", True),
    ("cloud_watch_logs_log_group_arn", "trail", False),
    ("cloud_watch_logs_role_arn", ROLE, True),
    ("cloud_watch_logs_role_arn", "logs", False),
]


@pytest.mark.parametrize(("option", "value", "good"), ARNS)
def test_arn_refusal(option: str, value: str, good: bool) -> None:
    refusal = arn_refusal(options(**{option: value}))
    assert (refusal is None) if good else (refusal is not None and option in refusal and repr(value) in refusal)


CHOICES: list[tuple[str, list[TrailArn], str, TrailArn]] = [
    ("the one of that name", [trail("us-west-2"), trail("us-east-1", name="other")], "default", trail("us-west-2")),
    ("named twice by AWS", [trail("us-west-2"), trail("us-west-2")], "default", trail("us-west-2")),
    ("none yet", [trail("us-west-2", name="other")], "default", HOME),
    ("another account's is not ours", [trail("us-west-2", OTHER)], "default", HOME),
    ("ours beside another account's", [trail("us-west-2"), trail("us-east-1", OTHER)], "default", trail("us-west-2")),
    ("by ARN", [trail("us-west-2"), trail("us-east-1")], str(trail("us-east-1")), trail("us-east-1")),
    ("by an ARN that is not there", [], str(trail("us-east-1")), trail("us-east-1")),
]


@pytest.mark.parametrize(("case", "trails", "name", "expected"), CHOICES, ids=[row[0] for row in CHOICES])
def test_choose_trail(case: str, trails: list[TrailArn], name: str, expected: TrailArn) -> None:
    assert choose_trail(trails, options(name=name).name, ME, "eu-central-1") == expected


def test_choose_trail_makes_one_in_the_partition_of_the_region() -> None:
    assert choose_trail([], "default", ME, "cn-north-1") == TrailArn("aws-cn", "cn-north-1", ME, "default")


def test_choose_trail_refuses_two_of_a_name() -> None:
    trails = [trail("us-west-2"), trail("us-east-1")]
    refusal = choose_trail(trails, "default", ME, "eu-central-1")
    assert isinstance(refusal, str)
    assert f"2 trails, {trails[1]} and {trails[0]}, expected one" in refusal
    assert "giving its ARN as name" in refusal


def test_choose_trail_refuses_the_arn_of_another_account() -> None:
    refusal = choose_trail([], trail("us-west-2", OTHER), ME, "eu-central-1")
    assert isinstance(refusal, str)
    assert OTHER in refusal
    assert ME in refusal


LOG_GROUP, LOG_ROLE = "cloud_watch_logs_log_group_arn", "cloud_watch_logs_role_arn"
LOGS: Settings = {"cloud_watch_logs_log_group_arn": f"{GROUP}:*", "cloud_watch_logs_role_arn": ROLE}
NO_GROUP: Settings = {**AFTER, "cloud_watch_logs_role_arn": "r"}
NO_ROLE: Settings = {**AFTER, "cloud_watch_logs_log_group_arn": "g"}
SETTINGS: list[tuple[str, Settings | None, Settings, dict[str, object], str]] = [
    ("right", AFTER, AFTER, {}, ""),
    ("new", None, AFTER, {}, ""),
    ("new without a bucket", None, {**AFTER, "s3_bucket_name": ""}, {}, "does not exist and s3_bucket_name is not set"),
    ("an empty bucket", AFTER, {**AFTER, "s3_bucket_name": ""}, {}, "s3_bucket_name is empty"),
    ("no global events", AFTER, {**AFTER, "include_global_service_events": False}, {}, "multi-region without global"),
    (
        "no global events in a single region",
        AFTER,
        {**AFTER, "include_global_service_events": False, "is_multi_region_trail": False},
        {},
        "",
    ),
    ("home region admitted", AFTER, AFTER, {"expected_admitted_home_regions": ["us-east-1", "eu-central-1"]}, ""),
    ("home region not admitted", AFTER, AFTER, {"expected_admitted_home_regions": ["us-east-1"]}, ARN),
    ("prefix admitted", AFTER, {**AFTER, "s3_key_prefix": "a"}, {"expected_admitted_s3_key_prefix": "a/"}, ""),
    (
        "other prefix",
        AFTER,
        {**AFTER, "s3_key_prefix": "a"},
        {"expected_admitted_s3_key_prefix": ""},
        "'a', expected ''",
    ),
    ("a log group and a role", AFTER, {**AFTER, **LOGS}, {LOG_GROUP: "g", LOG_ROLE: "r"}, ""),
    (
        "a log group of another account",
        AFTER,
        {**AFTER, **LOGS, "cloud_watch_logs_log_group_arn": GROUP.replace(ME, OTHER)},
        {LOG_GROUP: "g"},
        f"is one of account {OTHER} in eu-central-1, expected one of account {ME}, which owns the trail {ARN}",
    ),
    (
        "a log group of another region",
        AFTER,
        {**AFTER, **LOGS, "cloud_watch_logs_log_group_arn": GROUP.replace("eu-central-1", "us-east-1")},
        {LOG_GROUP: "g"},
        f"is one of account {ME} in us-east-1, expected one of account {ME}, which owns the trail {ARN}, in eu-",
    ),
    (
        "a role of another account",
        AFTER,
        {**AFTER, **LOGS, "cloud_watch_logs_role_arn": ROLE.replace(ME, OTHER)},
        {LOG_ROLE: "r"},
        f"is one of account {OTHER}, expected one of account {ME}",
    ),
    (
        "a delegated administrator's log group, left alone (aws-facts 2.16)",
        {**AFTER, **LOGS, "cloud_watch_logs_log_group_arn": GROUP.replace(ME, OTHER)},
        {**AFTER, **LOGS, "cloud_watch_logs_log_group_arn": GROUP.replace(ME, OTHER)},
        {},
        "",
    ),
    ("a role without a log group", AFTER, NO_GROUP, {LOG_ROLE: "r"}, f"{LOG_ROLE} without {LOG_GROUP}"),
    (
        "a log group without a role",
        AFTER,
        NO_ROLE,
        {LOG_GROUP: "g"},
        f"{LOG_GROUP} without {LOG_ROLE}",
    ),
    (
        "a role taken away",
        {**AFTER, **LOGS},
        NO_ROLE,
        {LOG_ROLE: ""},
        f"{LOG_GROUP} without {LOG_ROLE}",
    ),
    ("a role left alone", NO_GROUP, NO_GROUP, {}, ""),
    ("no home region admitted", AFTER, AFTER, {"expected_admitted_home_regions": []}, "(none)"),
]


@pytest.mark.parametrize(("case", "before", "after", "given", "part"), SETTINGS, ids=[row[0] for row in SETTINGS])
def test_settings_refusal(
    case: str, before: Settings | None, after: Settings, given: dict[str, object], part: str
) -> None:
    refusal = settings_refusal(HOME, before, after, options(**given), ME)
    assert (refusal is None) if not part else (refusal is not None and part in refusal)


@pytest.mark.parametrize(
    ("account", "part"),
    [
        (ME, f"needs the management account {ME}. Run enable_org"),
        (OTHER, ""),
        ("3" * 12, f"expected one of account {OTHER}"),
    ],
)
def test_a_delegated_administrator_sets_a_log_group_of_its_own(account: str, part: str) -> None:
    logs = {"cloud_watch_logs_log_group_arn": GROUP, "cloud_watch_logs_role_arn": ROLE}
    after: Any = {**AFTER, **{name: arn.replace(ME, account) for name, arn in logs.items()}}
    refusal = settings_refusal(HOME, AFTER, after, options(**{LOG_GROUP: "g"}), OTHER)
    assert (refusal is None) if not part else (refusal is not None and part in refusal)
    kept = settings_refusal(HOME, after, after, options(**{LOG_GROUP: "g"}), OTHER)
    assert kept is None  # nothing is sent that CloudTrail could refuse (aws-facts 11.2)
