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
    policy = {"id": "p-1" if before else ""}
    return {"changed": before != THERE, "diff": diff, "item": ITEM, "policy": policy, "type_enabled": type_enabled}


@pytest.mark.parametrize(
    ("guardrails", "rows"),
    [
        ({}, []),
        ({"results": [result(THERE)], "outside": []}, []),
        ({"results": [result({})]}, [("policy org-trail-members", "policy", "present", "absent")]),
        (
            {"results": [result({**THERE, "statements": {"Keep": OTHER}})]},
            [("policy org-trail-members p-1", "statements", [KEEP], [OTHER])],
        ),
        (
            {"results": [result({**THERE, "statements": {}})]},
            [("policy org-trail-members p-1", "statements", [KEEP], ["no Keep"])],
        ),
        (
            {"results": [result({**THERE, "targets": []})]},
            [("policy org-trail-members p-1", "targets", ["r-1"], [])],
        ),
        (
            {"results": [result({**THERE, "targets": []}, type_enabled=True)]},
            [
                ("policies of the type service_control_policy", "policy type", "enabled", "disabled"),
                ("policy org-trail-members p-1", "targets", ["r-1"], []),
            ],
        ),
        (
            {"left_over": ["org-trail-members-2"]},
            [("policy org-trail-members-2", "policy", "absent", "present, and needed no more")],
        ),
        (
            {"outside": [{"id": "1", "name": "a"}]},
            [("account a 1", "guardrails", "below one of guardrails_targets", "below none of them")],
        ),
    ],
)
def test_guardrail_drift(guardrails: dict[str, Any], rows: list[Any]) -> None:
    found = guardrail_drift(guardrails)
    assert [(one.object, one.what, one.expected, one.found) for one in found] == rows
    assert all("guard_org_trail" in one.remedy for one in found)


@pytest.mark.parametrize(
    ("before", "events"),
    [
        ({"targets": []}, ("DetachPolicy",)),
        ({"targets": ["r-1", "ou-1"]}, ("AttachPolicy",)),
        ({"targets": ["ou-1"]}, ("DetachPolicy", "AttachPolicy")),
        ({"statements": {}}, ("UpdatePolicy",)),
        ({"tags": {"a": "b"}}, ("UntagResource", "TagResource")),
    ],
)
def test_a_drift_names_the_events_that_may_have_caused_it(before: dict[str, Any], events: tuple[str, ...]) -> None:
    (found,) = guardrail_drift({"results": [result({**THERE, **before})]})
    assert found.events == events
