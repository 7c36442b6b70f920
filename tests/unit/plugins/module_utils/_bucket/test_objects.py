# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The forms of the trail's objects, against the names that AWS documents."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.objects import insight_objects, log_objects
from ansible_collections.cloudsec.org_trail.plugins.module_utils._policy.names import find_name, usual_name

from tests.broken_policies import PLACE

TODAY = date(2026, 11, 26)
FORMS = [*log_objects(PLACE, TODAY), *insight_objects(PLACE, TODAY)]
MANAGEMENT, MEMBER = PLACE.trail.account_id, "444455556666"
BELOW, DIGEST = f"{PLACE.organization_id}/", "CloudTrail-Digest"


def key(start: str, account: str, kind: str, region: str, day: str, end: str) -> str:
    return f"AWSLogs/{start}{account}/{kind}/{region}/{day}/{account}_{kind}_{region}_{end}.json.gz"


@pytest.mark.parametrize(
    ("index", "key"),
    [
        (0, key("", MANAGEMENT, "CloudTrail", "eu-west-3", "2026/11/26", "20261126T2355Z_aBcDeFgHiJkL0123")),
        (2, key(BELOW, MEMBER, "CloudTrail", "ap-southeast-2", "2027/01/01", "20270101T0000Z_0r6Vjc9bKCZFZH5L")),
        (2, key(BELOW, MEMBER, "CloudTrail", "us-gov-west-1", "2035/12/31", "20351231T1015Z_0r6Vjc9bKCZFZH5L")),
        (3, key(BELOW, MEMBER, DIGEST, "eusc-de-east-1", "2026/11/26", "default_us-east-1_20261126T101500Z")),
        (3, key(BELOW, MEMBER, DIGEST, "eu-west-1", "2026/11/26", "default_us-west-2_20261126T101500Z_backfill")),
        (4, key(BELOW, MEMBER, "CloudTrail-Insight", "eu-west-1", "2026/11/26", "20261126T1015Z_0r6Vjc9bKCZFZH5L")),
    ],
)
def test_the_forms_hold_real_keys(index: int, key: str) -> None:
    arn = PLACE.object_arn(key)
    assert find_name(FORMS[index], (((arn,), False),), True) == arn
    assert [find_name(form, (((arn,), False),), True) for form in FORMS].count(None) == len(FORMS) - 1


@pytest.mark.parametrize(
    "part",
    [
        "/11112222333/",  # eleven digits
        "/CloudTrail/us-east/",
        "/2025/",
        "/2026/13/",
        "_CloudTrail_us-east-1_default_",
        ".json.gz.asc",
    ],
)
def test_no_form_holds_what_no_key_has(part: str) -> None:
    assert [find_name(form, (((f"*{part}*",), False),), True) for form in FORMS] == [None] * len(FORMS)


def test_the_usual_key_is_of_management_today() -> None:
    usual = key(BELOW, MANAGEMENT, "CloudTrail", "us-east-1", "2026/11/26", "20261126T0900Z_0000000000000000")
    form = log_objects(replace(PLACE, prefix="audit"), TODAY)[2]
    assert usual_name(form) == PLACE.object_arn(f"audit/{usual}")
