# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cloudtrail_watch_info takes, which calls it makes, and what it answers."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import AnsibleOrgTrailError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.policies import OWNER
from ansible_collections.cloudsec.org_trail.plugins.module_utils._watch.describe import describe_watch, watch_options
from ansible_collections.cloudsec.org_trail.plugins.module_utils._watch.rules import OURS

from tests.canned_aws import CannedSession, client_error

from .test_rules import ARCHIVE, MANAGEMENT, ROLE, THIRD, TRAIL

PARAMS: dict[str, Any] = {
    "state": "present",
    "trail_arn": str(TRAIL),
    "log_bucket": "logs",
    "log_bucket_account_id": ARCHIVE,
    "log_bucket_region": "us-west-2",
    "kms_key_arn": "",
    "name_prefix": "org-trail",
    "guardduty": False,
    "forward_role_arn": "",
    "sender_role_arns": [],
    "queue_kms_key_id": "",
    "message_age": False,
}
NOTHING = {
    "describe_rule": client_error("ResourceNotFoundException"),
    "get_queue_url": client_error("AWS.SimpleQueueService.NonExistentQueue"),
}


def describe(session: Any, **options: Any) -> dict[str, Any]:
    return describe_watch(session, watch_options({**PARAMS, **options}))


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("trail_arn", "default", "is not a trail ARN"),
        ("kms_key_arn", "alias/logs", "kms_key_arn is 'alias/logs', expected the ARN"),
        ("log_bucket_account_id", "4444", "The log bucket is of account '4444', expected 12 digits"),
        ("log_bucket", "", "log_bucket is ''"),
        ("log_bucket_region", "", "log_bucket_region is ''"),
        ("name_prefix", "*", "name_prefix is '\\*'"),
    ],
)
def test_options_that_cannot_be(name: str, value: str, problem: str) -> None:
    with pytest.raises(AnsibleOrgTrailError, match=problem):
        watch_options({**PARAMS, name: value})


def test_management_has_rules_and_queues() -> None:
    session = CannedSession(MANAGEMENT, "us-west-2", NOTHING)
    result = describe(session, forward_role_arn=ROLE.format(MANAGEMENT))
    assert [(one["arn"].split(":", 5)[5], one["differences"]) for one in (*result["queues"], *result["rules"])] == [
        ("org-trail-events-failed", ["missing"]),
        ("org-trail-events", ["missing"]),
        ("rule/org-trail-trail", ["missing"]),
        ("rule/org-trail-organization", ["missing"]),
        ("rule/org-trail-organization", ["missing"]),
    ]
    assert (result["account_id"], result["refusals"], result["not_watched"]) == (MANAGEMENT, [], [])
    assert session.regions_of("describe_rule") == ["us-west-2", "us-west-2", "us-east-1"]
    assert {method for _region, method, _parameters in session.calls} == {"describe_rule", "get_queue_url"}


def test_the_log_archive_has_rules_alone() -> None:
    session = CannedSession(ARCHIVE, "us-west-2", NOTHING)
    result = describe(session, forward_role_arn=ROLE.format(ARCHIVE))
    assert ([rule["name"] for rule in result["rules"]], result["queues"]) == (["org-trail-bucket"], [])


OUR_RULE = {"Name": "n", "Arn": "a", "State": "DISABLED", "EventPattern": "{}", "Description": OURS}
FULL: dict[str, Any] = {
    "describe_rule": OUR_RULE,
    "list_targets_by_rule": {"Targets": []},
    "get_queue_url": {"QueueUrl": "url"},
    "get_queue_attributes": {"Attributes": {"QueueArn": "a", "SqsManagedSseEnabled": "true"}},
    "list_queue_tags": {"Tags": OWNER},
}


def test_what_is_not_ours_is_told_and_left_alone() -> None:
    foreign = {**FULL, "describe_rule": {**OUR_RULE, "Description": "x"}, "list_queue_tags": {"Tags": {}}}
    result = describe(CannedSession(MANAGEMENT, "us-west-2", foreign))
    assert len(result["refusals"]) == 6  # two queues, three rules, and a role that is missing
    gone = describe(CannedSession(MANAGEMENT, "us-west-2", foreign), state="absent")
    assert (gone["refusals"], gone["diff"]) == ([], {"before": {}, "after": {}})


def test_what_is_to_go() -> None:
    result = describe(CannedSession(MANAGEMENT, "us-west-2", FULL), state="absent")
    items = [*result["queues"], *result["rules"]]
    assert [(one["differences"], one["refusals"], one["wanted"]) for one in items] == [(["present"], [], {})] * 5
    assert (len(result["diff"]["before"]), result["diff"]["after"]) == (5, {})


def test_a_rule_with_others_targets_is_neither_written_nor_removed() -> None:
    others = {**FULL, "list_targets_by_rule": {"Targets": [{"Id": "mine", "Arn": "a"}]}}
    for state in ("present", "absent"):
        result = describe(
            CannedSession(ARCHIVE, "us-west-2", others), state=state, forward_role_arn=ROLE.format(ARCHIVE)
        )
        assert ["(mine)" in one for one in result["refusals"]] == [True]


def test_the_difference_shows_what_is_wanted_of_what_was_found() -> None:
    result = describe(CannedSession(ARCHIVE, "us-west-2", FULL), forward_role_arn=ROLE.format(ARCHIVE))
    [rule] = result["rules"]
    assert result["diff"]["before"] == {rule["arn"]: {"state": "DISABLED", "event_pattern": {}, "targets": []}}
    assert result["diff"]["after"] == {rule["arn"]: rule["wanted"]}


@pytest.mark.parametrize(
    ("messages", "points", "age"),
    [("0", [], 0), ("3", [], None), ("3", [(1, 60.0), (2, 120.0)], 120), (None, [], None)],
)
def test_the_age_of_the_oldest_message(messages: str | None, points: list[tuple[int, float]], age: int | None) -> None:
    counts = {"ApproximateNumberOfMessages": messages, "ApproximateNumberOfMessagesNotVisible": "0"}
    answers = {
        **FULL,
        "get_queue_attributes": {"Attributes": {"QueueArn": "a", **counts}},
        "get_metric_statistics": {"Datapoints": [{"Timestamp": time, "Maximum": value} for time, value in points]},
    }
    session = CannedSession(MANAGEMENT, "us-west-2", answers if messages else {**answers, **NOTHING})
    assert describe(session, message_age=True)["queues"][1]["oldest_message_seconds"] == age
    assert describe(session)["queues"][1]["oldest_message_seconds"] is None


def test_a_key_of_a_third_account_is_told_as_not_watched() -> None:
    key = f"arn:aws:kms:us-west-2:{THIRD}:key/k"
    result = describe(CannedSession(MANAGEMENT, "us-west-2", NOTHING), kms_key_arn=key)
    assert result["not_watched"] == [key]


def test_a_third_account_has_nothing_to_watch() -> None:
    with pytest.raises(AnsibleOrgTrailError, match=f"belong to account {THIRD}, expected the trail's"):
        describe(CannedSession(THIRD, "us-west-2", NOTHING))
