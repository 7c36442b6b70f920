# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of what stands in the way of a trail: refusals and problems."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import TrailArn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.problems import (
    DEFAULT_ACTIONS,
    JUDGES,
    find_problems,
    foreign_trail,
    sort_problems,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.refusals import (
    arn_refusal,
    choose_trail,
    name_refusal,
    settings_refusal,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.settings import NEW_TRAIL
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.situation import (
    OtherTrail,
    Situation,
    Unread,
)

ME, OTHER = "111122223333", "444455556666"
HOME = TrailArn("aws", "eu-central-1", ME, "default")
ARN = str(HOME)
KEY = f"arn:aws:kms:eu-central-1:{ME}:key/0a1b"
GROUP = f"arn:aws:logs:eu-central-1:{ME}:log-group:trail:*"
ROLE = f"arn:aws:iam::{ME}:role/logs"
AFTER: dict[str, Any] = {
    **NEW_TRAIL,
    "s3_bucket_name": "bucket",
    "is_organization_trail": True,
    "is_multi_region_trail": True,
    "logging": True,
}


def trail(region: str, account: str = ME, name: str = "default") -> dict[str, str]:
    return {"TrailARN": f"arn:aws:cloudtrail:{region}:{account}:trail/{name}", "Name": name, "HomeRegion": region}


# --- refusals ---

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
    refusal = name_refusal(name)
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
    ("cloud_watch_logs_log_group_arn", GROUP, True),
    ("cloud_watch_logs_log_group_arn", GROUP.removesuffix(":*"), True),
    ("cloud_watch_logs_log_group_arn", "", True),
    ("cloud_watch_logs_log_group_arn", "trail", False),
    ("cloud_watch_logs_role_arn", ROLE, True),
    ("cloud_watch_logs_role_arn", "logs", False),
]


@pytest.mark.parametrize(("option", "value", "good"), ARNS)
def test_arn_refusal(option: str, value: str, good: bool) -> None:
    refusal = arn_refusal({option: value})
    assert (refusal is None) if good else (refusal is not None and option in refusal and repr(value) in refusal)


CHOICES: list[tuple[str, list[dict[str, str]], str, str]] = [
    (
        "the one of that name",
        [trail("us-west-2"), trail("us-east-1", name="other")],
        "default",
        trail("us-west-2")["TrailARN"],
    ),
    ("named twice by AWS", [trail("us-west-2"), trail("us-west-2")], "default", trail("us-west-2")["TrailARN"]),
    ("none yet", [trail("us-west-2", name="other")], "default", ARN),
    ("another account's is not ours", [trail("us-west-2", OTHER)], "default", ARN),
    (
        "ours beside another account's",
        [trail("us-west-2"), trail("us-east-1", OTHER)],
        "default",
        trail("us-west-2")["TrailARN"],
    ),
    (
        "by ARN",
        [trail("us-west-2"), trail("us-east-1")],
        trail("us-east-1")["TrailARN"],
        trail("us-east-1")["TrailARN"],
    ),
    ("by an ARN that is not there", [], trail("us-east-1")["TrailARN"], trail("us-east-1")["TrailARN"]),
]


@pytest.mark.parametrize(("case", "trails", "name", "expected"), CHOICES, ids=[row[0] for row in CHOICES])
def test_choose_trail(case: str, trails: list[dict[str, str]], name: str, expected: str) -> None:
    assert str(choose_trail(trails, name, ME, "eu-central-1")) == expected


def test_choose_trail_refuses_two_of_a_name() -> None:
    trails = [trail("us-west-2"), trail("us-east-1")]
    refusal = choose_trail(trails, "default", ME, "eu-central-1")
    assert isinstance(refusal, str)
    assert all(one["TrailARN"] in refusal for one in trails)
    assert "giving its ARN as name" in refusal


def test_choose_trail_refuses_the_arn_of_another_account() -> None:
    refusal = choose_trail([], trail("us-west-2", OTHER)["TrailARN"], ME, "eu-central-1")
    assert isinstance(refusal, str)
    assert OTHER in refusal
    assert ME in refusal


LOG_GROUP, LOG_ROLE = "cloud_watch_logs_log_group_arn", "cloud_watch_logs_role_arn"
LOGS = {LOG_GROUP: "g", LOG_ROLE: "r"}
SETTINGS: list[tuple[str, dict[str, Any] | None, dict[str, Any], dict[str, Any], str]] = [
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
    ("a log group and a role", AFTER, {**AFTER, **LOGS}, LOGS, ""),
    ("a role without a log group", AFTER, {**AFTER, LOG_ROLE: "r"}, {LOG_ROLE: "r"}, f"{LOG_ROLE} without {LOG_GROUP}"),
    (
        "a log group without a role",
        AFTER,
        {**AFTER, LOG_GROUP: "g"},
        {LOG_GROUP: "g"},
        f"{LOG_GROUP} without {LOG_ROLE}",
    ),
    (
        "a role taken away",
        {**AFTER, **LOGS},
        {**AFTER, LOG_GROUP: "g"},
        {LOG_ROLE: ""},
        f"{LOG_GROUP} without {LOG_ROLE}",
    ),
    ("a role left alone", {**AFTER, LOG_ROLE: "r"}, {**AFTER, LOG_ROLE: "r"}, {}, ""),
    ("no home region admitted", AFTER, AFTER, {"expected_admitted_home_regions": []}, "(none)"),
]


@pytest.mark.parametrize(("case", "before", "after", "options", "part"), SETTINGS, ids=[row[0] for row in SETTINGS])
def test_settings_refusal(
    case: str, before: dict[str, Any] | None, after: dict[str, Any], options: dict[str, Any], part: str
) -> None:
    refusal = settings_refusal(HOME, before, after, options)
    assert (refusal is None) if not part else (refusal is not None and part in refusal)


# --- problems ---

GOOD = Situation(arn=HOME, organization_id="o-exampleorgid", before=AFTER, after=AFTER, options={})
NEW = replace(GOOD, before=None)


def with_key(policy: Any, **fields: Any) -> Situation:
    text = policy if isinstance(policy, str | Unread) else json.dumps({"Version": "2012-10-17", "Statement": policy})
    return replace(GOOD, after={**AFTER, "kms_key_id": KEY}, key_policy=text, **fields)


def key_statement(*actions: str, **condition: Any) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Action": list(actions),
        "Resource": "*",
        "Condition": condition,
    }


FROM_TRAIL = {"StringEquals": {"aws:SourceArn": ARN}}
ENCRYPT = key_statement(
    "kms:GenerateDataKey*",
    **FROM_TRAIL,
    StringLike={"kms:EncryptionContext:aws:cloudtrail:arn": f"arn:aws:cloudtrail:*:{ME}:trail/*"},
)
DESCRIBE = key_statement("kms:DescribeKey", **FROM_TRAIL)
ELSEWHERE = {"StringEquals": {"aws:SourceArn": ARN.replace("default", "other")}}


def with_role(
    *resources: str, effect: str = "Allow", action: Any = ("logs:PutLogEvents", "logs:CreateLogStream")
) -> Situation:
    statement = {"Effect": effect, "Action": list(action), "Resource": list(resources)}
    after = {**AFTER, "cloud_watch_logs_log_group_arn": GROUP, "cloud_watch_logs_role_arn": ROLE}
    allow = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}
    documents = [{"Version": "2012-10-17", "Statement": [statement]}]
    if effect == "Deny":
        documents.append({"Version": "2012-10-17", "Statement": [allow]})
    return replace(GOOD, after=after, role_policies=documents)


STREAMS = GROUP.removesuffix(":*") + ":log-stream:"
OVERLAP = OtherTrail(trail("us-east-1", name="old")["TrailARN"], logging=True, management_events=True)
CONTROL_TOWER = replace(HOME, name="aws-controltower-BaselineCloudTrail")

PROBLEMS: list[tuple[str, Situation, dict[str, str]]] = [
    ("nothing", GOOD, {}),
    ("a new trail", NEW, {}),
    ("Control Tower's", replace(GOOD, arn=CONTROL_TOWER), {"foreign_trail": "error"}),
    ("Control Tower's, adopted", replace(GOOD, arn=CONTROL_TOWER, options={"adopt_foreign": True}), {}),
    (
        "LZA's",
        replace(GOOD, arn=replace(HOME, name="AWSAccelerator-Organizations-CloudTrail")),
        {"foreign_trail": "error"},
    ),
    ("room for one more", replace(NEW, trails_here=list("abcd")), {}),
    ("five trails", replace(NEW, trails_here=list("abcde")), {"trail_quota": "error"}),
    ("trails unread", replace(NEW, trails_here=Unread("denied.")), {"trail_quota": "unknown"}),
    ("opt-in region", replace(GOOD, arn=replace(HOME, region="eu-central-2")), {"opt_in_home_region": "warning"}),
    ("China has none", replace(GOOD, arn=replace(HOME, partition="aws-cn", region="cn-north-1")), {}),
    (
        "opt-in region of an account trail",
        replace(GOOD, arn=replace(HOME, region="eu-central-2"), after={**AFTER, "is_organization_trail": False}),
        {},
    ),
    ("another trail", replace(GOOD, others=[OVERLAP]), {"overlapping_trail": "warning"}),
    ("another trail, stopped", replace(GOOD, others=[replace(OVERLAP, logging=False)]), {}),
    ("another trail of data events", replace(GOOD, others=[replace(OVERLAP, management_events=False)]), {}),
    ("other trails unread", replace(GOOD, others=Unread("denied.")), {"overlapping_trail": "unknown"}),
    (
        "this trail has no management events",
        replace(
            GOOD,
            others=[OVERLAP],
            after={
                **AFTER,
                "event_selectors": [{**NEW_TRAIL["event_selectors"][0], "include_management_events": False}],
            },
        ),
        {},
    ),
    (
        "delivery fails",
        replace(GOOD, delivery_error="the error NoSuchBucket for log files"),
        {"delivery_error": "warning"},
    ),
    (
        "delivery failed to the old bucket",
        replace(GOOD, delivery_error="the error NoSuchBucket for log files", changed_fields=["s3_bucket_name"]),
        {},
    ),
    ("no service-linked role", replace(GOOD, service_linked_role=False), {"service_linked_role_missing": "warning"}),
    ("service-linked role", replace(GOOD, service_linked_role=True), {}),
    (
        "service-linked role unread",
        replace(GOOD, service_linked_role=Unread("denied")),
        {"service_linked_role_missing": "unknown"},
    ),
    (
        "bucket's account unknown",
        replace(GOOD, bucket_account_known=False, options={"bucket_account_id": OTHER}),
        {"bucket_outside_organization": "error"},
    ),
    ("bucket's account known", replace(GOOD, bucket_account_known=True, options={"bucket_account_id": OTHER}), {}),
    (
        "bucket in another organization",
        replace(GOOD, options={"bucket_organization_id": "o-other"}),
        {"bucket_outside_organization": "error"},
    ),
    ("bucket in this organization", replace(GOOD, options={"bucket_organization_id": "o-exampleorgid"}), {}),
    (
        "bucket's account unread",
        replace(GOOD, bucket_account_known=Unread("denied")),
        {"bucket_outside_organization": "unknown"},
    ),
    (
        "key's account unknown",
        with_key([ENCRYPT, DESCRIBE], key_account_known=False),
        {"kms_key_outside_organization": "error"},
    ),
    ("key in the bucket's region", with_key([ENCRYPT, DESCRIBE], options={"bucket_region": "eu-central-1"}), {}),
    (
        "key elsewhere",
        with_key([ENCRYPT, DESCRIBE], options={"bucket_region": "us-east-1"}),
        {"kms_key_region": "error"},
    ),
    ("key without describe", with_key([ENCRYPT]), {"kms_key_policy": "error"}),
    ("key without encrypt", with_key([DESCRIBE]), {"kms_key_policy": "error"}),
    ("key for all services of the account", with_key([key_statement("kms:*")]), {}),
    ("key for another trail", with_key([key_statement("kms:*", **ELSEWHERE)]), {"kms_key_policy": "error"}),
    (
        "key for another context",
        with_key(
            [
                DESCRIBE,
                key_statement("kms:GenerateDataKey*", StringEquals={"kms:EncryptionContext:aws:cloudtrail:arn": "x"}),
            ]
        ),
        {"kms_key_policy": "error"},
    ),
    (
        "key under a condition that nobody can judge",
        with_key([key_statement("kms:*", StringEquals={"kms:ViaService": "s3.eu-central-1.amazonaws.com"})]),
        {"kms_key_policy": "unknown"},
    ),
    ("key's policy unread", with_key(Unread("denied")), {"kms_key_policy": "unknown"}),
    ("key's policy malformed", with_key("{}"), {"kms_key_policy": "unknown"}),
    ("role for the members, too", with_role(f"{STREAMS}{ME}_*", f"{STREAMS}o-exampleorgid_*"), {}),
    ("role for everything", with_role("*"), {}),
    ("role of an account trail", with_role(f"{STREAMS}{ME}_*"), {"log_role_too_narrow": "error"}),
    (
        "role that may only create streams",
        with_role("*", action=["logs:CreateLogStream"]),
        {"log_role_too_narrow": "error"},
    ),
    ("role for another group", with_role(f"{STREAMS}*".replace("trail", "other")), {"log_role_too_narrow": "error"}),
    ("role with a Deny", with_role(f"{STREAMS}o-*", effect="Deny"), {"log_role_too_narrow": "error"}),
    ("role without policies", replace(with_role("*"), role_policies=[]), {"log_role_too_narrow": "error"}),
    ("role with a malformed policy", replace(with_role("*"), role_policies=[{}]), {"log_role_too_narrow": "unknown"}),
    ("role unread", replace(with_role("*"), role_policies=Unread("denied")), {"log_role_too_narrow": "unknown"}),
]


@pytest.mark.parametrize(("case", "situation", "expected"), PROBLEMS, ids=[row[0] for row in PROBLEMS])
def test_find_problems(case: str, situation: Situation, expected: dict[str, str]) -> None:
    found = find_problems(situation)
    assert {problem.name: problem.severity for problem in found} == expected
    for problem in found:
        assert f"{problem.object}: found {problem.found}, expected {problem.expected}." in problem.sentence
        assert problem.sentence.count("\n") == 0


def test_every_problem_is_shown_in_the_table() -> None:
    shown = {name for _case, _situation, expected in PROBLEMS for name in expected}
    assert shown == set(DEFAULT_ACTIONS) == set(JUDGES)


def test_the_organization_statement_of_a_role_names_its_resource() -> None:
    [problem] = find_problems(with_role(f"{STREAMS}{ME}_*"))
    assert f"{STREAMS}o-exampleorgid_*" in problem.sentence


def test_sort_problems() -> None:
    problems = find_problems(replace(NEW, trails_here=list("abcde"), others=[OVERLAP], service_linked_role=Unread("x")))
    names = {action: [one.name for one in ones] for action, ones in sort_problems(problems, {}).items()}
    assert names == {
        "fail": ["trail_quota"],
        "warn": ["overlapping_trail", "service_linked_role_missing"],
        "ignore": [],
    }
    actions = {"trail_quota": "ignore", "overlapping_trail": "fail", "service_linked_role_missing": "fail"}
    names = {action: [one.name for one in ones] for action, ones in sort_problems(problems, actions).items()}
    assert names == {"fail": ["overlapping_trail"], "warn": ["service_linked_role_missing"], "ignore": ["trail_quota"]}


def test_foreign_trail_may_be_made() -> None:
    assert foreign_trail(CONTROL_TOWER, None) is None


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        ("the error AccessDenied for log files", "cloudtrail_log_bucket_info"),
        ("the error KMS.DisabledException for log files", "Enable the trail's KMS key"),
        ("the error ResourceNotFoundException for CloudWatch Logs", "Make the log group again"),
        ("the error NotFound for notifications", "Make the SNS topic again"),
    ],
)
def test_a_delivery_error_says_what_to_do(error: str, remedy: str) -> None:
    [problem] = find_problems(replace(GOOD, delivery_error=error))
    assert remedy in problem.remedy
