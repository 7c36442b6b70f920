# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of what stands in the way of a trail."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.trail_status import (
    DELIVERY_WORDS,
    DeliveryError,
    DeliveryKind,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.options import (
    DEFAULT_ACTIONS,
    Action,
    ProblemName,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.problems import (
    DELIVERY_REMEDIES,
    JUDGES,
    KEY_POLICY_REMEDY,
    find_problems,
    foreign_trail,
    sort_problems,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.settings import NEW_TRAIL, Settings
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.situation import (
    OtherTrail,
    Situation,
    Unread,
)

from tests.trail_options import AFTER, GROUP, HOME, KEY, ROLE, options

OTHER = "444455556666"
LOG_GROUP = f"{GROUP}:*"

GOOD = Situation(arn=HOME, organization_id="o-exampleorgid", before=AFTER, after=AFTER, options=options())
NEW = replace(GOOD, before=None)
WITH_KEY = replace(GOOD, after={**AFTER, "kms_key_id": KEY})
LOGS: Settings = {**AFTER, "cloud_watch_logs_log_group_arn": LOG_GROUP, "cloud_watch_logs_role_arn": ROLE}
WITHOUT_KMS: Settings = {
    **AFTER,
    "event_selectors": [{**NEW_TRAIL["event_selectors"][0], "exclude_management_event_sources": ["kms.amazonaws.com"]}],
}
OVERLAP = OtherTrail(replace(HOME, region="us-east-1", name="old"), logging=True, management_events=True)
CONTROL_TOWER = replace(HOME, name="aws-controltower-BaselineCloudTrail")

PROBLEMS: list[tuple[str, Situation, dict[str, str]]] = [
    ("nothing", GOOD, {}),
    ("a new trail", NEW, {}),
    ("Control Tower's", replace(GOOD, arn=CONTROL_TOWER), {"foreign_trail": "error"}),
    ("Control Tower's, adopted", replace(GOOD, arn=CONTROL_TOWER, options=options(adopt_foreign=True)), {}),
    (
        "LZA's",
        replace(GOOD, arn=replace(HOME, name="AWSAccelerator-Organizations-CloudTrail")),
        {"foreign_trail": "error"},
    ),
    *(
        (f"{name} of another tool, fact 7.9", replace(GOOD, arn=replace(HOME, name=name)), {"foreign_trail": "error"})
        for name in ("aws-aft-CustomizationsCloudTrail", "sra-org-trail", "ASEA-Org-Trail", "PBMMAccel-Org-Trail")
    ),
    ("a name like another tool's", replace(GOOD, arn=replace(HOME, name="our-Org-Trail")), {}),
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
        {"management_events_missing": "error"},
    ),
    (
        "read events only",
        replace(
            GOOD,
            after={**AFTER, "event_selectors": [{**NEW_TRAIL["event_selectors"][0], "read_write_type": "ReadOnly"}]},
        ),
        {"management_events_missing": "error"},
    ),
    ("a source left out", replace(GOOD, after=WITHOUT_KMS), {}),
    (
        "a source is not left out any more",
        replace(GOOD, before=WITHOUT_KMS, changed_fields=["event_selectors"]),
        {"setting_lost": "warning"},
    ),
    (
        "delivery fails",
        replace(GOOD, delivery_errors=(DeliveryError("log_files", "NoSuchBucket"),)),
        {"delivery_error": "warning"},
    ),
    (
        "delivery failed to the old bucket",
        replace(GOOD, delivery_errors=(DeliveryError("log_files", "NoSuchBucket"),), changed_fields=["s3_bucket_name"]),
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
        replace(GOOD, bucket_account_known=False, options=options(bucket_account_id=OTHER)),
        {"bucket_outside_organization": "error"},
    ),
    ("bucket's account known", replace(GOOD, bucket_account_known=True, options=options(bucket_account_id=OTHER)), {}),
    (
        "bucket in another organization",
        replace(GOOD, options=options(bucket_organization_id="o-other")),
        {"bucket_outside_organization": "error"},
    ),
    ("bucket in this organization", replace(GOOD, options=options(bucket_organization_id="o-exampleorgid")), {}),
    (
        "bucket's account unread",
        replace(GOOD, bucket_account_known=Unread("denied")),
        {"bucket_outside_organization": "unknown"},
    ),
    (
        "key's account unknown",
        replace(WITH_KEY, key_account_known=False),
        {"kms_key_outside_organization": "error"},
    ),
    ("key in the bucket's region", replace(WITH_KEY, options=options(bucket_region="eu-central-1")), {}),
    (
        "key elsewhere",
        replace(WITH_KEY, options=options(bucket_region="us-east-1")),
        {"kms_key_region": "error"},
    ),
    ("key's policy malformed", replace(WITH_KEY, key_policy="{}"), {"kms_key_policy": "unknown"}),
    ("bucket that admits", replace(GOOD, bucket_problems=[]), {}),
    ("bucket that keeps out", replace(GOOD, bucket_problems=["why"]), {"bucket_policy": "error"}),
    ("bucket unread", replace(GOOD, bucket_problems=Unread("denied.")), {"bucket_policy": "unknown"}),
    (
        "another bucket than looked up",
        replace(GOOD, options=options(looked_up_bucket={"name": "found"})),
        {"bucket_not_looked_up": "error"},
    ),
    ("the bucket that was looked up", replace(GOOD, options=options(looked_up_bucket={"name": "bucket"})), {}),
    ("no such topic", replace(GOOD, topic_policy=""), {"sns_topic_policy": "error"}),
    ("role without policies", replace(GOOD, after=LOGS, role_policies=[]), {"log_role_too_narrow": "error"}),
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


def test_sort_problems() -> None:
    problems = find_problems(replace(NEW, trails_here=list("abcde"), others=[OVERLAP], service_linked_role=Unread("x")))
    names = {action: [one.name for one in ones] for action, ones in sort_problems(problems, DEFAULT_ACTIONS).items()}
    assert names == {
        "fail": ["trail_quota"],
        "warn": ["overlapping_trail", "service_linked_role_missing"],
        "ignore": [],
    }
    actions: dict[ProblemName, Action] = {
        **DEFAULT_ACTIONS,
        "trail_quota": "ignore",
        "overlapping_trail": "fail",
        "service_linked_role_missing": "fail",
    }
    names = {action: [one.name for one in ones] for action, ones in sort_problems(problems, actions).items()}
    assert names == {"fail": ["overlapping_trail"], "warn": ["service_linked_role_missing"], "ignore": ["trail_quota"]}


def test_foreign_trail_may_be_made() -> None:
    assert foreign_trail(CONTROL_TOWER, None) is None


BUCKET = "The module cloudtrail_log_bucket_info"
KEY_DISABLED = "Enable the trail's KMS key"
LOG_GROUP = "Make the log group again"
TOPIC = "Make the SNS topic again"
DELIVERIES: list[tuple[tuple[DeliveryError, ...], str, list[str]]] = [
    ((DeliveryError("log_files", "AccessDenied"),), "the error AccessDenied for log files", [BUCKET]),
    ((DeliveryError("digest_files", "AccessDenied"),), "the error AccessDenied for digest files", [BUCKET]),
    ((DeliveryError("log_files", "KMS.DisabledException"),), "KMS.DisabledException for log files", [KEY_DISABLED]),
    ((DeliveryError("cloud_watch_logs", "NotFound"),), "NotFound for events to CloudWatch Logs", [LOG_GROUP]),
    ((DeliveryError("notifications", "NotFound"),), "the error NotFound for notifications to SNS", [TOPIC]),
    (
        (DeliveryError("log_files", "NoSuchBucket"), DeliveryError("digest_files", "NoSuchBucket")),
        "the error NoSuchBucket for log files and the error NoSuchBucket for digest files",
        [BUCKET],
    ),
    (
        (DeliveryError("log_files", "KMS.NotFound"), DeliveryError("notifications", "NotFound")),
        "the error KMS.NotFound for log files and the error NotFound for notifications to SNS",
        [KEY_DISABLED, TOPIC],
    ),
]


@pytest.mark.parametrize(("errors", "found", "remedies"), DELIVERIES, ids=[row[1] for row in DELIVERIES])
def test_a_delivery_error_says_what_to_do(errors: tuple[DeliveryError, ...], found: str, remedies: list[str]) -> None:
    [problem] = find_problems(replace(GOOD, delivery_errors=errors))
    assert problem.found.endswith(found)
    assert [one for one in (BUCKET, KEY_DISABLED, LOG_GROUP, TOPIC) if one in problem.remedy] == remedies
    assert problem.remedy.count(remedies[0]) == 1
    assert ("resource control policy" in problem.remedy) == any(error.is_denial for error in errors)


@pytest.mark.parametrize(
    ("error", "key", "told"),
    [
        (DeliveryError("log_files", "AccessDenied"), KEY, True),
        (DeliveryError("digest_files", "AccessDeniedException"), KEY, True),
        (DeliveryError("log_files", "AccessDenied"), "", False),
        (DeliveryError("log_files", "NoSuchBucket"), KEY, False),
        (DeliveryError("log_files", "KMS.DisabledException"), KEY, False),
        (DeliveryError("cloud_watch_logs", "AccessDenied"), KEY, False),
    ],
)
def test_a_denial_may_be_the_keys(error: DeliveryError, key: str, told: bool) -> None:
    [problem] = find_problems(replace(GOOD, after={**AFTER, "kms_key_id": key}, delivery_errors=(error,)))
    assert (KEY_POLICY_REMEDY in problem.remedy) is told
    assert (BUCKET in problem.remedy) is (told or not key or error.text == "NoSuchBucket")


@pytest.mark.parametrize("kind", DELIVERY_WORDS)
def test_fact_4_5_each_kind_of_delivery_has_words_and_a_remedy(kind: DeliveryKind) -> None:
    [problem] = find_problems(replace(GOOD, delivery_errors=(DeliveryError(kind, "Code"),)))
    assert problem.found == f"the error Code for {DELIVERY_WORDS[kind]}"
    assert problem.remedy.startswith(DELIVERY_REMEDIES[kind])
