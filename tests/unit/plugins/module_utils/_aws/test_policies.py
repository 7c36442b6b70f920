# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies of AWS Organizations: which call each function makes, and which errors it carries on."""

from __future__ import annotations

from typing import Any, cast

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws import policies
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.organizations import AnsibleOrganizationsError

from tests.canned_aws import CannedSession, client_error

CREATED = {"Policy": {"PolicySummary": {"Id": "p-1"}}}


@pytest.mark.parametrize(
    ("function", "arguments", "method", "parameters"),
    [
        (policies.update_policy, ("p-1", {"Content": "{}"}), "update_policy", {"PolicyId": "p-1", "Content": "{}"}),
        (policies.tag_policy, ("p-1", []), "tag_resource", {"ResourceId": "p-1", "Tags": []}),
        (policies.attach_policy, ("p-1", "r-1"), "attach_policy", {"PolicyId": "p-1", "TargetId": "r-1"}),
        (policies.detach_policy, ("p-1", "r-1"), "detach_policy", {"PolicyId": "p-1", "TargetId": "r-1"}),
        (policies.delete_policy, ("p-1",), "delete_policy", {"PolicyId": "p-1"}),
        (policies.enable_policy_type, ("r-1", "X"), "enable_policy_type", {"RootId": "r-1", "PolicyType": "X"}),
        (policies.create_policy, ({"Name": "n"},), "create_policy", {"Name": "n"}),
    ],
)
def test_writes(function: Any, arguments: tuple[Any, ...], method: str, parameters: dict[str, Any]) -> None:
    session = CannedSession("111122223333", "us-east-1", {method: CREATED})
    function(cast(Any, session.client("organizations", once=True)), *arguments)
    assert session.calls == [("us-east-1", method, parameters)]
    session.answers[method] = client_error("AccessDeniedException")
    with pytest.raises(AnsibleOrganizationsError, match="Failed to "):
        function(cast(Any, session.client("organizations", once=True)), *arguments)


def test_describe_policy() -> None:
    answer = {"Policy": {"PolicySummary": {"Id": "p-1"}, "Content": "{}"}}
    session = CannedSession("111122223333", "us-east-1", {"describe_policy": answer})
    assert policies.describe_policy(cast(Any, session.client("organizations")), "p-1") == answer["Policy"]
