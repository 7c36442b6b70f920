# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run changes, in words, and what it takes away."""

from __future__ import annotations

from typing import cast

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.changes import changes_in_words, losses
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.plan import Plan, plan_for
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.selectors import (
    AdvancedEventSelector,
    EventSelector,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.settings import NEW_TRAIL, Settings

from tests.trail_options import AFTER, ARN, HOME, options

S3 = "AWS::S3::Object"
ALL = NEW_TRAIL["event_selectors"][0]
NO_KMS: EventSelector = {**ALL, "exclude_management_event_sources": ["kms.amazonaws.com"]}
CUSTOMERS: EventSelector = {**ALL, "data_resources": [{"type": S3, "values": ["arn:aws:s3:::customers/"]}]}
ADVANCED: AdvancedEventSelector = {
    "name": "",
    "field_selectors": [{"field": "eventCategory", "equals": ["Management"]}],
}
ADVANCED_NO_KMS: AdvancedEventSelector = {
    "name": "",
    "field_selectors": [*ADVANCED["field_selectors"], {"field": "eventSource", "not_equals": ["kms.amazonaws.com"]}],
}
DATA: AdvancedEventSelector = {
    "name": "",
    "field_selectors": [{"field": "eventCategory", "equals": ["Data"]}, {"field": "resources.type", "equals": [S3]}],
}
NAMED: AdvancedEventSelector = {**DATA, "name": "customers"}
KEEP_NO_KMS = (
    'let event_selectors hold {"read_write_type": "All", "include_management_events": true, "data_resources": [], '
    '"exclude_management_event_sources": ["kms.amazonaws.com"]}'
)
INSIGHT = {"insight_type": "ApiCallRateInsight", "event_categories": ["Data", "Management"]}
AGGREGATION = {"event_category": "Data", "templates": ["API_ACTIVITY"]}


def trail(**settings: object) -> Settings:
    return cast(Settings, {**AFTER, **settings})


def advanced(*selectors: AdvancedEventSelector) -> Settings:
    return trail(event_selectors=[], advanced_event_selectors=list(selectors))


LOSSES: list[tuple[str, Settings, dict[str, object], list[tuple[str, str]]]] = [
    ("nothing", AFTER, {}, []),
    ("an option of one value", trail(kms_key_id="arn:aws:kms:x"), {"kms_key_id": ""}, []),
    ("reads only, which is repaired", trail(event_selectors=[{**ALL, "read_write_type": "ReadOnly"}]), {}, []),
    (
        "a source that was left out",
        trail(event_selectors=[NO_KMS]),
        {},
        [("that management events of kms.amazonaws.com are left out", KEEP_NO_KMS)],
    ),
    ("a source that stays left out", trail(event_selectors=[NO_KMS]), {"event_selectors": [NO_KMS]}, []),
    ("a source that one of two leaves out", trail(event_selectors=[NO_KMS, ALL]), {"event_selectors": []}, []),
    (
        "a source that an advanced selector left out",
        advanced(ADVANCED_NO_KMS, DATA),
        {},
        [
            (
                "that management events of kms.amazonaws.com are left out",
                (
                    'let advanced_event_selectors hold {"name": "", "field_selectors": [{"field": "eventCategory", '
                    '"equals": ["Management"]}, {"field": "eventSource", "not_equals": ["kms.amazonaws.com"]}]}'
                ),
            )
        ],
    ),
    (
        "data events",
        trail(event_selectors=[CUSTOMERS]),
        {"event_selectors": []},
        [
            (
                f"data events of {S3} arn:aws:s3:::customers/",
                (
                    'let event_selectors hold {"read_write_type": "All", "include_management_events": true, '
                    f'"data_resources": [{{"type": "{S3}", "values": ["arn:aws:s3:::customers/"]}}], '
                    '"exclude_management_event_sources": []}'
                ),
            )
        ],
    ),
    (
        "data events that another selector has",
        trail(event_selectors=[CUSTOMERS]),
        {
            "event_selectors": [
                {**CUSTOMERS, "read_write_type": "WriteOnly"},
                {**CUSTOMERS, "read_write_type": "ReadOnly"},
            ]
        },
        [],
    ),
    (
        "data events of a type that an advanced selector has",
        trail(event_selectors=[CUSTOMERS]),
        {"advanced_event_selectors": [ADVANCED, DATA]},
        [],
    ),
    (
        "data events beside management events that are repaired",
        trail(event_selectors=[{**CUSTOMERS, "include_management_events": False}]),
        {},
        [],
    ),
    (
        "an advanced selector under another name",
        advanced(ADVANCED, DATA),
        {"advanced_event_selectors": [ADVANCED, NAMED]},
        [],
    ),
    (
        "advanced selectors",
        advanced(ADVANCED, NAMED),
        {"advanced_event_selectors": [ADVANCED]},
        [
            (
                "the selector customers",
                (
                    'let advanced_event_selectors hold {"name": "customers", "field_selectors": [{"field": '
                    f'"eventCategory", "equals": ["Data"]}}, {{"field": "resources.type", "equals": ["{S3}"]}}]}}'
                ),
            )
        ],
    ),
    (
        "insights",
        trail(insight_selectors=[INSIGHT]),
        {"insight_selectors": []},
        [
            (
                "ApiCallRateInsight of Data and Management events",
                (
                    'let insight_selectors hold {"insight_type": "ApiCallRateInsight", "event_categories": ["Data", '
                    '"Management"]}'
                ),
            )
        ],
    ),
    (
        "aggregations",
        trail(aggregation_configurations=[AGGREGATION]),
        {"aggregation_configurations": []},
        [
            (
                "the aggregation API_ACTIVITY",
                'let aggregation_configurations hold {"event_category": "Data", "templates": ["API_ACTIVITY"]}',
            )
        ],
    ),
    (
        "tags",
        trail(tags={"Owner": "me", "Cost": "1", "a": "b"}),
        {"tags": {"Owner": "you"}},
        [("the tags Cost, a", "set purge_tags=false")],
    ),
    ("tags that stay", trail(tags={"Owner": "me"}), {"tags": {"a": "b"}, "purge_tags": False}, []),
]


def planned(before: Settings | None, **given: object) -> Plan:
    return plan_for(HOME, options(**given), before)


@pytest.mark.parametrize(("case", "before", "given", "expected"), LOSSES, ids=[row[0] for row in LOSSES])
def test_losses(case: str, before: Settings, given: dict[str, object], expected: list[tuple[str, str]]) -> None:
    plan = planned(before, **given)
    assert plan.after
    assert [(one.what, one.keep) for one in losses(before, plan.after, plan.changed_fields)] == expected


WORDS: list[tuple[str, Settings | None, dict[str, object], list[str]]] = [
    ("nothing", trail(enable_log_file_validation=True), {}, ["nothing to change"]),
    ("a new trail", None, {"s3_bucket_name": "bucket"}, ["absent → present"]),
    ("a trail that goes", AFTER, {"state": "absent"}, ["present → absent"]),
    (
        "some settings",
        trail(is_organization_trail=False, enable_log_file_validation=True, tags={}),
        {"s3_bucket_name": "new", "kms_key_id": "", "tags": {"a": "b"}},
        ["s3_bucket_name: bucket → new", "is_organization_trail: false → true", 'tags: {} → {"a": "b"}'],
    ),
]


@pytest.mark.parametrize(("case", "before", "given", "expected"), WORDS, ids=[row[0] for row in WORDS])
def test_changes_in_words(case: str, before: Settings | None, given: dict[str, object], expected: list[str]) -> None:
    plan = planned(before, **given)
    assert changes_in_words(HOME, before, plan, plan.after) == [f"{ARN}: {line}" for line in expected]
