# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of the policies of KMS keys and of log groups' roles: which let CloudTrail do its work."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.policies import (
    kms_key_policy,
    log_role_too_narrow,
    sns_topic_policy,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.settings import Settings
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.situation import (
    Problem,
    Situation,
    Unread,
)

from tests.trail_options import AFTER, ARN, GROUP, HOME, KEY, ME, ROLE, TOPIC, options

LOG_GROUP = f"{GROUP}:*"

GOOD = Situation(arn=HOME, organization_id="o-exampleorgid", before=AFTER, after=AFTER, options=options())


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
    after: Settings = {**AFTER, "cloud_watch_logs_log_group_arn": LOG_GROUP, "cloud_watch_logs_role_arn": ROLE}
    allow = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}
    documents = [{"Version": "2012-10-17", "Statement": [statement]}]
    if effect == "Deny":
        documents.append({"Version": "2012-10-17", "Statement": [allow]})
    return replace(GOOD, after=after, role_policies=documents)


STREAMS = LOG_GROUP.removesuffix(":*") + ":log-stream:"


def judged(situation: Situation) -> dict[str, str]:
    """Name and severity of each problem."""
    problems: list[Problem | None] = [kms_key_policy(situation), log_role_too_narrow(situation)]
    return {problem.name: problem.severity for problem in problems if problem}


POLICIES: list[tuple[str, Situation, dict[str, str]]] = [
    ("neither key nor role", GOOD, {}),
    ("key for this trail", with_key([ENCRYPT, DESCRIBE]), {}),
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


@pytest.mark.parametrize(("case", "situation", "expected"), POLICIES, ids=[row[0] for row in POLICIES])
def test_policies(case: str, situation: Situation, expected: dict[str, str]) -> None:
    assert judged(situation) == expected


REFUSED = [
    ([ENCRYPT], "may not call kms:DescribeKey"),
    ([DESCRIBE], "may not call kms:GenerateDataKey"),
    ([key_statement("kms:Decrypt")], "may not call kms:GenerateDataKey and kms:DescribeKey"),
    (
        [ENCRYPT, key_statement("kms:DescribeKey", StringEquals={"kms:ViaService": "s3.eu-central-1.amazonaws.com"})],
        "perhaps may not call kms:DescribeKey",
    ),
]


@pytest.mark.parametrize(("policy", "found"), REFUSED)
def test_kms_key_policy_names_what_is_refused(policy: list[Any], found: str) -> None:
    problem = kms_key_policy(with_key(policy))
    assert problem
    assert problem.found == f"cloudtrail.amazonaws.com {found}"
    assert f"aws:SourceArn {ARN}" in problem.expected


ORGANIZATION: list[tuple[str, list[Any], str | None]] = [
    ("its own only", [key_statement("kms:*", StringEquals={"aws:SourceOrgID": "o-exampleorgid"})], "unknown"),
    ("its own, if told", [key_statement("kms:*", StringEqualsIfExists={"aws:SourceOrgID": "o-exampleorgid"})], None),
    ("another", [key_statement("kms:*", StringEquals={"aws:SourceOrgID": "o-other"})], "error"),
    ("another, if told", [key_statement("kms:*", StringEqualsIfExists={"aws:SourceOrgID": "o-other"})], "unknown"),
    (
        "the others are denied",
        [
            key_statement("kms:*"),
            {
                **key_statement("kms:*", StringNotEquals={"aws:SourceOrgID": "o-exampleorgid"}),
                "Effect": "Deny",
            },
        ],
        "unknown",
    ),
    (
        "the trail is enough",
        [ENCRYPT, DESCRIBE, key_statement("kms:*", StringEquals={"aws:SourceOrgID": "o-exampleorgid"})],
        None,
    ),
]


@pytest.mark.parametrize(("case", "policy", "severity"), ORGANIZATION, ids=[row[0] for row in ORGANIZATION])
def test_fact_3_8_whether_calls_for_the_key_and_topic_tell_the_organization_is_not_known(
    case: str, policy: list[Any], severity: str | None
) -> None:
    problem = kms_key_policy(with_key(policy))
    assert (problem.severity if problem else None) == severity
    text = json.dumps({"Version": "2012-10-17", "Statement": policy}).replace("kms:*", "sns:*")
    for action in ("kms:GenerateDataKey*", "kms:DescribeKey"):
        text = text.replace(action, "sns:Publish")
    if case != "the trail is enough":  # its statement asks for the key's context
        problem = sns_topic_policy(replace(GOOD, after={**AFTER, "sns_topic_name": TOPIC}, topic_policy=text))
        assert (problem.severity if problem else None) == severity


NARROW = [
    (with_role("*", action=["logs:CreateLogStream"]), "logs:PutLogEvents not allowed"),
    (with_role("*", action=["logs:PutLogEvents"]), "logs:CreateLogStream not allowed"),
    (with_role(f"{STREAMS}{ME}_*"), "logs:CreateLogStream and logs:PutLogEvents not allowed"),
]


@pytest.mark.parametrize(("situation", "found"), NARROW)
def test_log_role_too_narrow_names_what_is_refused(situation: Situation, found: str) -> None:
    problem = log_role_too_narrow(situation)
    assert problem
    assert problem.object == f"Role {ROLE}"
    assert problem.found.startswith(found)
    assert f"{STREAMS}o-exampleorgid_*" in problem.sentence


def topic_statement(effect: str = "Allow", action: str = "SNS:Publish", condition: Any = None) -> dict[str, Any]:
    statement = {"Effect": effect, "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": action}
    return {**statement, "Resource": TOPIC, "Condition": condition or {}}


OWN = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "SNS:Publish", "Resource": TOPIC}
TOPICS: list[tuple[str, Any, str, str]] = [
    ("for this trail", [topic_statement(condition=FROM_TRAIL)], "", ""),
    ("for the account", [topic_statement(condition={"StringEquals": {"aws:SourceAccount": ME}})], "", ""),
    ("without a condition", [topic_statement()], "", ""),
    ("for another trail", [topic_statement(condition=ELSEWHERE)], "error", "may not publish"),
    (
        "SNS's own",
        [{**OWN, "Condition": {"StringEquals": {"AWS:SourceOwner": ME}}}],
        "error",
        "may not publish",
    ),
    ("for subscribers", [topic_statement(action="SNS:Subscribe")], "error", "may not publish"),
    ("with a Deny", [topic_statement(), topic_statement("Deny")], "error", "may not publish"),
    ("no topic", "", "error", "no such topic"),
    ("malformed", "{}", "unknown", "could not be read"),
    ("unread", Unread("denied"), "unknown", "could not be read (denied)"),
]


@pytest.mark.parametrize(("case", "policy", "severity", "found"), TOPICS, ids=[row[0] for row in TOPICS])
def test_fact_2_18_sns_topic_policy(case: str, policy: Any, severity: str, found: str) -> None:
    text = policy if isinstance(policy, str | Unread) else json.dumps({"Version": "2012-10-17", "Statement": policy})
    problem = sns_topic_policy(replace(GOOD, after={**AFTER, "sns_topic_name": TOPIC}, topic_policy=text))
    assert (problem.severity if problem else "") == severity
    assert problem is None or (found in problem.found and problem.object == f"SNS topic {TOPIC}")


def test_a_topic_that_was_not_read_is_no_problem() -> None:
    assert sns_topic_policy(GOOD) is None
