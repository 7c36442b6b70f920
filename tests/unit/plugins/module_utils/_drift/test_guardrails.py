# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role guardrails reports, as rows of drift."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._drift.guardrails import guardrail_drift

KEEP, OTHER = {"Sid": "Keep", "Action": "a:B"}, {"Sid": "Keep", "Action": "a:C"}
THERE: dict[str, Any] = {"description": "d", "statements": {"Keep": KEEP}, "tags": {}, "targets": ["r-1"]}
ITEM = {"name": "org-trail-members", "type": "service_control_policy"}


def result(before: dict[str, Any], *, type_enabled: bool = False) -> dict[str, Any]:
    diff = {"before": before, "after": THERE}
    return {"changed": before != THERE, "diff": diff, "item": ITEM, "type_enabled": type_enabled}


@pytest.mark.parametrize(
    ("guardrails", "rows"),
    [
        ({}, []),
        ({"results": [result(THERE)], "outside": []}, []),
        ({"results": [result({})]}, [("policy org-trail-members", "policy", "present", "absent")]),
        (
            {"results": [result({**THERE, "statements": {"Keep": OTHER}})]},
            [("policy org-trail-members", "statements", [KEEP], [OTHER])],
        ),
        (
            {"results": [result({**THERE, "statements": {}})]},
            [("policy org-trail-members", "statements", [KEEP], ["no Keep"])],
        ),
        (
            {"results": [result({**THERE, "targets": []})]},
            [("policy org-trail-members", "targets", ["r-1"], [])],
        ),
        (
            {"results": [result({**THERE, "targets": []}, type_enabled=True)]},
            [
                ("policies of the type service_control_policy", "policy type", "enabled", "disabled"),
                ("policy org-trail-members", "targets", ["r-1"], []),
            ],
        ),
        (
            {"left_over": ["org-trail-members-2"]},
            [("policy org-trail-members-2", "policy", "absent", "present, and needed no more")],
        ),
        (
            {"outside": [{"id": "1", "name": "a"}]},
            [("account 1 a", "guardrails", "below one of guardrails_targets", "below none of them")],
        ),
    ],
)
def test_guardrail_drift(guardrails: dict[str, Any], rows: list[Any]) -> None:
    found = guardrail_drift(guardrails)
    assert [(one.object, one.what, one.expected, one.found) for one in found] == rows
    assert all("guard_org_trail" in one.remedy for one in found)
