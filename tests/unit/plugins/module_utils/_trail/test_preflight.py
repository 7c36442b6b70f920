# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the preflight asks of the installed botocore and of AWS, and what it makes of the answers."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any, cast

import boto3
import botocore
import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import TrailArn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import AnsibleOrgTrailError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.organizations import Organization
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.session import Session
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.trail_status import DeliveryError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.whole_answer import unknown_call
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail import preflight
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.options import ProblemName
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.plan import plan_for
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.preflight import (
    NEWER_PARAMETERS,
    judge,
    look_further,
    newer_options,
    unsupported_option,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.reader import TrailNow, View
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.settings import NEW_TRAIL, Settings
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.situation import Situation, Unread

from tests.canned_aws import CannedSession, client_error
from tests.trail_options import options

ME, OTHER = "111122223333", "444455556666"
HOME = TrailArn("aws", "eu-central-1", ME, "default")
KEY = f"arn:aws:kms:us-west-2:{ME}:key/0a1b"
ROLE = f"arn:aws:iam::{ME}:role/path/logs"
ORGANIZATION = Organization("o-exampleorgid", "ALL", ME)
GOOD: Settings = {
    **NEW_TRAIL,
    "s3_bucket_name": "bucket",
    "is_organization_trail": True,
    "is_multi_region_trail": True,
    "enable_log_file_validation": True,
    "logging": True,
}
ACCOUNT_TRAIL: Settings = {**GOOD, "is_organization_trail": False}
SITUATION = Situation(HOME, "o-exampleorgid", GOOD, GOOD, options())
VIEW = View(HOME, ORGANIZATION, frozenset({HOME}), TrailNow(GOOD), [], None)
FIVE = frozenset(replace(HOME, name=f"trail{number}") for number in range(5))


@pytest.mark.parametrize(
    ("given", "newer"),
    [
        ({}, []),
        ({"recursive_logging": False}, ["recursive_logging"]),
        ({"aggregation_configurations": []}, ["aggregation_configurations"]),
        ({"insight_selectors": []}, []),
        ({"insight_selectors": [{"insight_type": "ApiCallRateInsight"}]}, []),
        (
            {"insight_selectors": [{"insight_type": "ApiCallRateInsight", "event_categories": ["Data", "Management"]}]},
            ["event_categories"],
        ),
    ],
)
def test_fact_2_14_newer_options(given: dict[str, object], newer: list[str]) -> None:
    assert newer_options(options(**given)) == newer


def test_fact_2_14_newer_parameters_are_named_as_botocore_names_them() -> None:
    if tuple(map(int, botocore.__version__.split(".")[:2])) < (1, 41):
        pytest.skip("an older botocore does not know them")
    client = boto3.client("cloudtrail", region_name="us-east-1")
    assert [unknown_call(client, *call, option) for option, call in NEWER_PARAMETERS.items()] == ["", "", ""]


def test_fact_2_14_unsupported_option(monkeypatch: pytest.MonkeyPatch) -> None:
    session = cast(Session, CannedSession(ME, "us-east-1", {}))
    unknown = {"recursive_logging": ("UpdateTrail", {"NoSuchThing": True})}
    assert unsupported_option(session, options()) is None
    monkeypatch.setattr(preflight, "NEWER_PARAMETERS", unknown)
    assert unsupported_option(session, options(recursive_logging=True)) == (
        "The installed botocore knows no NoSuchThing of UpdateTrail, which recursive_logging needs. Update boto3."
    )


EXCHANGE: dict[str, Any] = {
    "describe_account": {"Account": {"Id": OTHER}},
    "get_key_policy": {"Policy": "{}"},
    "get_topic_attributes": {"Attributes": {"Policy": "{}"}},
    "get_bucket_policy": {"Policy": "[]"},
    "get_role": {"Role": {"RoleName": "AWSServiceRoleForCloudTrail"}},
    "list_role_policies": {"PolicyNames": ["inline"]},
    "get_role_policy": {"PolicyDocument": {"inline": True}},
    "list_attached_role_policies": {"AttachedPolicies": [{"PolicyArn": "arn"}]},
    "get_policy": {"Policy": {"DefaultVersionId": "v2"}},
    "get_policy_version": {"PolicyVersion": {"Document": {"managed": True}}},
    "describe_trails": {
        "trailList": [
            {"TrailARN": str(replace(HOME, name="b"))},
            {"TrailARN": str(replace(HOME, name="a", region="us-east-1"))},
            {"TrailARN": str(replace(HOME, account_id=OTHER))},
        ]
    },
}
NO_ROLE = client_error("NoSuchEntity")
DENIED = client_error("AccessDeniedException")
WITH_KEY: Settings = {**GOOD, "kms_key_id": KEY}
FOREIGN_KEY: Settings = {**GOOD, "kms_key_id": KEY.replace(ME, OTHER)}
WITH_ROLE: Settings = {**GOOD, "cloud_watch_logs_role_arn": ROLE}
IN_OTHER = options(bucket_account_id=OTHER)
WITH_TOPIC: Settings = {**GOOD, "sns_topic_name": f"arn:aws:sns:us-west-2:{ME}:trail"}
IN_ARCHIVE = options(log_archive_role_arn=f"arn:aws:iam::{OTHER}:role/reader")

Read = tuple[str, Situation, dict[str, Any], dict[str, Any]]
READS: list[Read] = [
    ("nothing", SITUATION, {}, {}),
    ("bucket's account", replace(SITUATION, options=IN_OTHER), {}, {"bucket_account_known": True}),
    (
        "bucket's account, unknown",
        replace(SITUATION, options=IN_OTHER),
        {"describe_account": client_error("AccountNotFoundException")},
        {"bucket_account_known": False},
    ),
    ("bucket in this account", replace(SITUATION, options=options(bucket_account_id=ME)), {}, {}),
    (
        "bucket's organization known",
        replace(SITUATION, options=options(bucket_account_id=OTHER, bucket_organization_id="o-exampleorgid")),
        {},
        {},
    ),
    ("no organization", replace(SITUATION, organization_id="", options=IN_OTHER), {}, {}),
    ("own key", replace(SITUATION, after=WITH_KEY), {}, {"key_policy": "{}"}),
    (
        "key of another account",
        replace(SITUATION, after=FOREIGN_KEY),
        {},
        {
            "key_account_known": True,
            "key_policy": Unread(f"it is a key of account {OTHER}, and log_archive_role_arn names no role there"),
        },
    ),
    (
        "key of the log archive",
        replace(SITUATION, after=FOREIGN_KEY, options=IN_ARCHIVE),
        {},
        {"key_account_known": True, "key_policy": "{}"},
    ),
    ("topic", replace(SITUATION, after=WITH_TOPIC), {}, {"topic_policy": "{}"}),
    (
        "no such topic",
        replace(SITUATION, after=WITH_TOPIC),
        {"get_topic_attributes": client_error("NotFound", 404)},
        {"topic_policy": ""},
    ),
    (
        "role of another account",
        replace(SITUATION, after={**GOOD, "cloud_watch_logs_role_arn": ROLE.replace(ME, OTHER)}),
        {},
        {"role_policies": Unread(f"it is a role of account {OTHER}, not of {ME}")},
    ),
    (
        "role of the log group",
        replace(SITUATION, after=WITH_ROLE),
        {},
        {"role_policies": [{"inline": True}, {"managed": True}]},
    ),
    (
        "role of an account trail",
        replace(SITUATION, after={**WITH_ROLE, "is_organization_trail": False}),
        {},
        {},
    ),
    ("conversion", replace(SITUATION, before=ACCOUNT_TRAIL), {}, {"service_linked_role": True}),
    (
        "conversion without the role, which trusted access is to make",
        replace(SITUATION, before=ACCOUNT_TRAIL),
        {"get_role": NO_ROLE},
        {"service_linked_role": None},
    ),
    (
        "conversion without the role, although access is on",
        replace(SITUATION, before=ACCOUNT_TRAIL),
        {"get_role": NO_ROLE, "trusted_access": True},
        {"service_linked_role": False},
    ),
    (
        "conversion without the role, and whether access is on is not known",
        replace(SITUATION, before=ACCOUNT_TRAIL),
        {"get_role": NO_ROLE, "trusted_access": Unread("denied")},
        {"service_linked_role": Unread("denied")},
    ),
]


def further(session: CannedSession, view: View, situation: Situation) -> Situation:
    return look_further(cast(Session, session), view, situation)


@pytest.mark.parametrize(("case", "situation", "answers", "expected"), READS, ids=[row[0] for row in READS])
def test_look_further(case: str, situation: Situation, answers: dict[str, Any], expected: dict[str, Any]) -> None:
    view = replace(VIEW, trusted_access=answers.get("trusted_access", False))
    found = further(CannedSession(ME, "us-east-1", EXCHANGE | answers), view, situation)
    assert {name: getattr(found, name) for name in expected} == expected
    assert found == replace(situation, **expected)


def test_look_further_reads_a_key_in_its_region_and_a_role_by_its_name() -> None:
    session = CannedSession(ME, "us-east-1", EXCHANGE)
    further(session, VIEW, replace(SITUATION, after={**WITH_KEY, **WITH_ROLE, "kms_key_id": KEY}))
    assert session.regions_of("get_key_policy") == ["us-west-2"]
    assert ("us-east-1", "list_role_policies", {"RoleName": "logs"}) in session.calls
    assert ("us-east-1", "get_policy_version", {"PolicyArn": "arn", "VersionId": "v2"}) in session.calls


def test_fact_2_7_trails_are_counted_only_when_there_may_be_too_many() -> None:
    new = replace(SITUATION, before=None, after=ACCOUNT_TRAIL)
    session = CannedSession(ME, "us-east-1", EXCHANGE)
    assert further(session, VIEW, new).trails_here is None
    assert session.called() == []
    assert further(session, replace(VIEW, trails=FIVE), new).trails_here == ["a", "b"]
    assert session.regions_of("describe_trails") == ["eu-central-1"]
    assert further(session, replace(VIEW, trails=FIVE), SITUATION).trails_here is None


IGNORABLE: list[tuple[ProblemName, Situation, str]] = [
    ("bucket_outside_organization", replace(SITUATION, options=IN_OTHER), "bucket_account_known"),
    ("kms_key_outside_organization", replace(SITUATION, after=FOREIGN_KEY), "key_account_known"),
    ("kms_key_policy", replace(SITUATION, after=WITH_KEY), "key_policy"),
    ("log_role_too_narrow", replace(SITUATION, after=WITH_ROLE), "role_policies"),
    ("sns_topic_policy", replace(SITUATION, after=WITH_TOPIC), "topic_policy"),
    ("service_linked_role_missing", replace(SITUATION, before=ACCOUNT_TRAIL), "service_linked_role"),
    ("trail_quota", replace(SITUATION, before=None, after=ACCOUNT_TRAIL), "trails_here"),
]


@pytest.mark.parametrize(("problem", "situation", "name"), IGNORABLE, ids=[row[0] for row in IGNORABLE])
def test_what_is_ignored_is_not_read_and_what_is_denied_is_unread(
    problem: ProblemName, situation: Situation, name: str
) -> None:
    view = replace(VIEW, trails=FIVE)
    denied = CannedSession(ME, "us-east-1", dict.fromkeys(EXCHANGE, DENIED))
    assert isinstance(getattr(further(denied, view, situation), name), Unread)
    ignoring = replace(situation.options, on_problem={**situation.options.on_problem, problem: "ignore"})
    session = CannedSession(ME, "us-east-1", EXCHANGE)
    assert getattr(further(session, view, replace(situation, options=ignoring)), name) is None
    assert session.called() == []


def test_each_read_is_a_field_of_the_situation() -> None:
    assert set(preflight._PROBLEMS) <= {field.name for field in fields(Situation)}


def judged(view: View, given: dict[str, object], **answers: Any) -> dict[str, list[str]]:
    """Names of the problems by what is done about them."""
    asked = options(**given)
    plan = plan_for(view.arn, asked, view.now.settings if view.now else None)
    session = CannedSession(ME, "us-east-1", EXCHANGE | answers)
    problems = judge(
        cast(Session, session), view, asked, plan, lambda policy, place, organization_trail: json.loads(str(policy))
    )
    return {action: [one.name for one in ones] for action, ones in problems.items() if ones}


FOREIGN = replace(HOME, name="aws-controltower-BaselineCloudTrail")
FAILING = replace(VIEW, now=TrailNow(GOOD, (DeliveryError("log_files", "NoSuchBucket"),)))
JUDGED: list[tuple[str, View, dict[str, object], dict[str, list[str]]]] = [
    ("good", VIEW, {}, {}),
    ("delivery fails", FAILING, {}, {"warn": ["delivery_error"]}),
    ("delivery fails, to the old bucket", FAILING, {"s3_bucket_name": "new"}, {}),
    ("a bucket that was looked up", VIEW, {"s3_bucket_name": "new", "looked_up_bucket": {"name": "new"}}, {}),
    (
        "another bucket than was looked up",
        VIEW,
        {"s3_bucket_name": "new", "looked_up_bucket": {"name": "bucket"}},
        {"fail": ["bucket_not_looked_up"]},
    ),
    ("nothing matters about a trail that goes", FAILING, {"state": "absent"}, {}),
    ("another tool's", replace(FAILING, arn=FOREIGN), {}, {"fail": ["foreign_trail"]}),
    ("another tool's, to be deleted", replace(VIEW, arn=FOREIGN), {"state": "absent"}, {"fail": ["foreign_trail"]}),
    ("another tool's, adopted", replace(FAILING, arn=FOREIGN), {"adopt_foreign": True}, {"warn": ["delivery_error"]}),
    (
        "another tool's, as a warning",
        replace(FAILING, arn=FOREIGN),
        {"on_problem": {"foreign_trail": "warn"}},
        {"warn": ["delivery_error", "foreign_trail"]},
    ),
]


@pytest.mark.parametrize(("case", "view", "given", "expected"), JUDGED, ids=[row[0] for row in JUDGED])
def test_judge(case: str, view: View, given: dict[str, object], expected: dict[str, list[str]]) -> None:
    assert judged(view, given) == expected


def test_judge_refuses_what_no_option_lifts() -> None:
    with pytest.raises(AnsibleOrgTrailError, match="s3_bucket_name is empty"):
        judged(VIEW, {"s3_bucket_name": ""})


def test_judge_looks_further() -> None:
    view = replace(VIEW, now=TrailNow(ACCOUNT_TRAIL), trusted_access=True)
    assert judged(view, {}, get_role=NO_ROLE) == {"warn": ["service_linked_role_missing"]}


KEEPING_OUT = {"get_bucket_policy": {"Policy": '["why"]'}}
BUCKETS: list[tuple[str, dict[str, object], bool]] = [
    ("another bucket", {"s3_bucket_name": "new"}, True),
    ("another prefix", {"s3_key_prefix": "new"}, True),
    ("another kind of trail", {"is_organization_trail": False}, True),
    ("another key", {"kms_key_id": KEY, "on_problem": {"kms_key_policy": "ignore"}}, True),
    ("nothing that matters to it", {"recursive_logging": False}, False),
    ("judged by a look-up", {"s3_bucket_name": "new", "expected_admitted_home_regions": ["eu-central-1"]}, False),
]


@pytest.mark.parametrize(("case", "given", "told"), BUCKETS, ids=[row[0] for row in BUCKETS])
def test_a_bucket_that_nobody_judged_is_judged(case: str, given: dict[str, object], told: bool) -> None:
    assert judged(VIEW, given, **KEEPING_OUT) == ({"fail": ["bucket_policy"]} if told else {})


def test_a_bucket_that_is_not_there_is_refused_unless_nobody_wants_to_know() -> None:
    gone = {"get_bucket_policy": client_error("NoSuchBucket", 404)}
    with pytest.raises(AnsibleOrgTrailError, match="Bucket new does not exist"):
        judged(VIEW, {"s3_bucket_name": "new"}, **gone)
    assert judged(VIEW, {"s3_bucket_name": "new", "on_problem": {"bucket_policy": "ignore"}}, **gone) == {}


def test_an_organization_trail_is_not_moved_to_a_bucket_that_was_found() -> None:
    given = {"s3_bucket_name": "new", "bucket_is_named": False, "expected_admitted_home_regions": ["eu-central-1"]}
    with pytest.raises(AnsibleOrgTrailError, match="writes to the bucket bucket, of which is known: why"):
        judged(VIEW, given, **KEEPING_OUT)
