# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which management events selectors log, in GetEventSelectors's own form."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.selectors import (
    ManagementEvents,
    management_events,
)

NONE: frozenset[str] = frozenset()
KMS, BOTH = frozenset({"kms"}), frozenset({"kms", "rdsdata"})
DATA = {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}


def basic(*selectors: dict[str, Any]) -> dict[str, Any]:
    return {"EventSelectors": list(selectors)}


def field(name: str, *values: str, operator: str = "Equals") -> dict[str, Any]:
    return {"Field": name, operator: list(values)}


def management(*fields: dict[str, Any]) -> dict[str, Any]:
    return {"FieldSelectors": [field("eventCategory", "Management"), *fields]}


def advanced(*selectors: dict[str, Any]) -> dict[str, Any]:
    return {"AdvancedEventSelectors": list(selectors)}


READ, WRITE = field("readOnly", "true"), field("readOnly", "false")
NO_KMS = field("eventSource", "kms", operator="NotEquals")
DATA_ONLY = {"FieldSelectors": [field("eventCategory", "Data"), field("resources.type", "AWS::S3::Object")]}

LOGGED: list[tuple[str, dict[str, Any], ManagementEvents, str]] = [
    ("AWS's defaults", basic({}), ManagementEvents(NONE, NONE, True), "all management events"),
    (
        "empty operators",
        advanced(management({**READ, "NotEquals": []}, field("readOnly", operator="StartsWith"))),
        ManagementEvents(None, None, True),
        "only some management events",
    ),
    ("reads", basic({"ReadWriteType": "ReadOnly"}), ManagementEvents(NONE, None, True), "only read management events"),
    (
        "writes",
        basic({"ReadWriteType": "WriteOnly"}),
        ManagementEvents(None, NONE, True),
        "only write management events",
    ),
    (
        "reads and writes by two selectors",
        basic({"ReadWriteType": "ReadOnly"}, {"ReadWriteType": "WriteOnly"}),
        ManagementEvents(NONE, NONE, True),
        "all management events",
    ),
    (
        "data events alone",
        basic({"IncludeManagementEvents": False, "DataResources": [DATA]}),
        ManagementEvents(None, None, False),
        "no management events",
    ),
    (
        "sources left out",
        basic({"ExcludeManagementEventSources": ["rdsdata", "kms"]}),
        ManagementEvents(BOTH, BOTH, True),
        "all management events but those of kms, rdsdata",
    ),
    (
        "sources left out by each of two",
        basic({"ExcludeManagementEventSources": ["rdsdata", "kms"]}, {"ExcludeManagementEventSources": ["kms"]}),
        ManagementEvents(KMS, KMS, True),
        "all management events but those of kms",
    ),
    (
        "sources left out by one of two",
        basic({"ExcludeManagementEventSources": ["kms"]}, {}),
        ManagementEvents(NONE, NONE, True),
        "all management events",
    ),
    (
        "a source left out of reads",
        basic({"ReadWriteType": "ReadOnly", "ExcludeManagementEventSources": ["kms"]}, {"ReadWriteType": "WriteOnly"}),
        ManagementEvents(KMS, NONE, True),
        "all management events but some of kms",
    ),
    ("nothing answered", {}, ManagementEvents(None, None, False), "no management events"),
    ("nulls answered", {"EventSelectors": None}, ManagementEvents(None, None, False), "no management events"),
    ("advanced", advanced(management()), ManagementEvents(NONE, NONE, True), "all management events"),
    ("advanced data events", advanced(DATA_ONLY), ManagementEvents(None, None, False), "no management events"),
    (
        "advanced reads",
        advanced(management(READ), DATA_ONLY),
        ManagementEvents(NONE, None, True),
        "only read management events",
    ),
    (
        "advanced reads and writes apart",
        advanced(management(READ), management(WRITE, NO_KMS)),
        ManagementEvents(NONE, KMS, True),
        "all management events but some of kms",
    ),
    (
        "advanced with both values",
        advanced(management(field("readOnly", "true", "False"))),
        ManagementEvents(NONE, NONE, True),
        "all management events",
    ),
    (
        "advanced writes without a source",
        advanced(management(NO_KMS, WRITE)),
        ManagementEvents(None, KMS, True),
        "only write management events but those of kms",
    ),
    (
        "advanced by name",
        advanced(management(field("eventName", "ConsoleLogin"))),
        ManagementEvents(None, None, True),
        "only some management events",
    ),
    (
        "advanced by source",
        advanced(management(field("eventSource", "s3"))),
        ManagementEvents(None, None, True),
        "only some management events",
    ),
]


@pytest.mark.parametrize(("case", "answer", "logged", "words"), LOGGED, ids=[row[0] for row in LOGGED])
def test_management_events(case: str, answer: dict[str, Any], logged: ManagementEvents, words: str) -> None:
    found = management_events(answer)
    assert found == logged
    assert str(found) == words
    assert found.all is (words == "all management events")
    assert found.both_kinds is words.startswith("all ")
