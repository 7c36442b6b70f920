# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module's options as one value."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, get_args

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import TrailArn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import AnsibleOrgTrailError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.session import ASSUME_ROLE_ARGUMENTS
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.options import (
    ACTIONS,
    DEFAULT_ACTIONS,
    Action,
    LookedUpBucket,
    ProblemName,
    TrailOptions,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.selectors import FieldSelector
from ansible_collections.cloudsec.org_trail.plugins.modules.cloudtrail_organization_trail import ARGUMENTS

from tests.trail_options import options

ARN = "arn:aws:cloudtrail:eu-central-1:111122223333:trail/default"
ALWAYS_SET = ("bucket_is_named", "on_problem")
LOOKED_UP = {
    "name": "logs",
    "admitted_home_regions": ["eu-central-1"],
    "s3_key_prefix": "audit",
    "account_id": "444455556666",
    "organization_id": "o-exampleorgid",
    "region": "eu-west-1",
    "trail_arn": ARN,
    "health": None,
}
OF_LOGS: dict[str, Any] = {
    "expected_admitted_home_regions": ["eu-central-1"],
    "expected_admitted_s3_key_prefix": "audit",
    "bucket_account_id": "444455556666",
    "bucket_organization_id": "o-exampleorgid",
    "bucket_region": "eu-west-1",
}
UNSET = dict.fromkeys(OF_LOGS)
LOGS = LookedUpBucket("logs", TrailArn("aws", "eu-central-1", "111122223333", "default"), **OF_LOGS)


def test_every_option_of_the_module_is_in_it() -> None:
    assert {field.name for field in fields(TrailOptions)} == set(ARGUMENTS) - set(ASSUME_ROLE_ARGUMENTS)


def test_problems_and_actions_are_those_of_the_module() -> None:
    assert set(DEFAULT_ACTIONS) == set(get_args(ProblemName))
    assert set(ACTIONS) == set(get_args(Action))
    assert options().on_problem == DEFAULT_ACTIONS


def test_nothing_set_is_none() -> None:
    asked = options()
    assert asked.name == "default"
    unset = {field.name for field in fields(TrailOptions) if getattr(asked, field.name) is None}
    assert unset == {
        name for name, argument in ARGUMENTS.items() if "default" not in argument and name not in ALWAYS_SET
    } - set(ASSUME_ROLE_ARGUMENTS)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"s3_bucket_name": None, "looked_up_bucket": None, "bucket_is_named": False, **UNSET}),
        (
            {"s3_bucket_name": "mine"},
            {"s3_bucket_name": "mine", "looked_up_bucket": None, "bucket_is_named": True, **UNSET},
        ),
        (
            {"looked_up_bucket": LOOKED_UP},
            {"s3_bucket_name": "logs", "looked_up_bucket": LOGS, "bucket_is_named": False, **OF_LOGS},
        ),
        (
            {"looked_up_bucket": LOOKED_UP, "bucket_is_named": True},
            {"s3_bucket_name": "logs", "looked_up_bucket": LOGS, "bucket_is_named": True, **OF_LOGS},
        ),
        (
            {"looked_up_bucket": LOOKED_UP, "s3_bucket_name": "logs"},
            {"s3_bucket_name": "logs", "looked_up_bucket": LOGS, "bucket_is_named": True, **OF_LOGS},
        ),
        (
            {"looked_up_bucket": LOOKED_UP, "s3_bucket_name": "mine"},
            {"s3_bucket_name": "mine", "looked_up_bucket": LOGS, "bucket_is_named": True, **UNSET},
        ),
        (
            {"looked_up_bucket": LOOKED_UP, "s3_bucket_name": ""},
            {"s3_bucket_name": "", "looked_up_bucket": LOGS, "bucket_is_named": True, **UNSET},
        ),
        (
            {"looked_up_bucket": LOOKED_UP, "bucket_region": "us-east-1", "expected_admitted_home_regions": []},
            {"s3_bucket_name": "logs", **OF_LOGS, "bucket_region": "us-east-1", "expected_admitted_home_regions": []},
        ),
        (
            {"looked_up_bucket": {"name": "logs"}},
            {"s3_bucket_name": "logs", "looked_up_bucket": LookedUpBucket("logs"), "bucket_is_named": False, **UNSET},
        ),
    ],
)
def test_the_bucket_that_was_looked_up(given: dict[str, object], expected: dict[str, object]) -> None:
    asked = options(**given)
    assert {name: getattr(asked, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("changed", "trail"),
    [
        ({}, LOGS.trail),
        ({"admitted_home_regions": ["eu-central-1", "us-east-1"]}, None),  # the ARN names the likeliest
        ({"admitted_home_regions": []}, None),
        ({"admitted_home_regions": None}, None),
        ({"trail_arn": None}, None),
        ({"trail_arn": 7}, None),
    ],
)
def test_the_trail_of_the_look_up_is_known_when_one_region_is_admitted(
    changed: dict[str, object], trail: TrailArn | None
) -> None:
    found = options(looked_up_bucket={**LOOKED_UP, **changed}).looked_up_bucket
    assert found is not None
    assert found.trail == trail


def test_an_account_that_yaml_made_a_number_is_taken() -> None:
    asked = options(looked_up_bucket={**LOOKED_UP, "account_id": 444455556666})
    assert asked.bucket_account_id == "444455556666"


@pytest.mark.parametrize(
    "found",
    [
        *({}, {"nam": "logs"}, {"name": ""}, {"name": None}, {"name": 7}, {"buckets": [LOOKED_UP]}),
        {**LOOKED_UP, "admitted_home_regions": "us-east-1"},
    ],
)
def test_what_is_no_looked_up_bucket_is_refused(found: dict[str, object]) -> None:
    with pytest.raises(AnsibleOrgTrailError, match=r"^The option looked_up_bucket has the name .* Pass the fact"):
        options(looked_up_bucket=found)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("default", "default"),
        (ARN, TrailArn("aws", "eu-central-1", "111122223333", "default")),
        ("arn:aws:s3:::bucket", "arn:aws:s3:::bucket"),
    ],
)
def test_the_arn_of_a_trail_is_parsed(name: str, expected: str | TrailArn) -> None:
    assert options(name=name).name == expected


def test_selectors_hold_only_what_was_set() -> None:
    asked = options(
        advanced_event_selectors=[{"field_selectors": [{"field": "eventCategory", "equals": ["Data"]}]}],
        insight_selectors=[
            {"insight_type": "ApiErrorRateInsight", "event_categories": ["Management", "Data", "Data"]},
            {"insight_type": "ApiCallRateInsight"},
        ],
        aggregation_configurations=[{"templates": ["USER_ACTIONS", "API_ACTIVITY"]}],
    )
    condition: FieldSelector = {"field": "eventCategory", "equals": ["Data"]}
    assert asked.advanced_event_selectors == [{"name": "", "field_selectors": [condition]}]
    assert asked.insight_selectors == [
        {"insight_type": "ApiCallRateInsight", "event_categories": ["Management"]},
        {"insight_type": "ApiErrorRateInsight", "event_categories": ["Data", "Management"]},
    ]
    assert asked.aggregation_configurations == [
        {"event_category": "Data", "templates": ["API_ACTIVITY", "USER_ACTIONS"]}
    ]


def test_an_empty_list_is_not_unset() -> None:
    lists = ["event_selectors", "advanced_event_selectors", "insight_selectors", "aggregation_configurations"]
    assert all(getattr(options(**{name: []}), name) == [] for name in lists)
    assert options(tags={}).tags == {}


def test_values_of_tags_are_text() -> None:
    assert options(tags={"cost": 12, "yes": True}).tags == {"cost": "12", "yes": "True"}


@pytest.mark.parametrize(
    ("given", "needs"),
    [({}, True), ({"state": "absent"}, False), ({"is_organization_trail": False}, False)],
)
def test_needs_organization(given: dict[str, object], needs: bool) -> None:
    assert options(**given).needs_organization is needs


@pytest.mark.parametrize("given", [{"trail_quota": "ignore"}, '{"trail_quota": "ignore"}', "trail_quota=ignore"])
def test_on_problem_may_be_a_string(given: object) -> None:
    asked = options(on_problem=given)
    assert asked.on_problem == DEFAULT_ACTIONS | {"trail_quota": "ignore"}
    assert asked.ignores("trail_quota")
    assert not asked.ignores("delivery_error")
