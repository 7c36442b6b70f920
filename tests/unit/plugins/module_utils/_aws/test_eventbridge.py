# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EventBridge's calls: what each sends, and what it makes of the answer."""

from __future__ import annotations

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.eventbridge import (
    AnsibleEventBridgeError,
    describe_rule,
    list_targets,
)

from tests.canned_aws import CannedSession, client_error

RULE = {"Name": "org-trail-trail", "Arn": "arn", "State": "ENABLED"}
TARGETS = [{"Id": "org-trail", "Arn": "arn"}]


def test_a_rule_and_its_targets() -> None:
    session = CannedSession("1", "r", {"describe_rule": RULE, "list_targets_by_rule": {"Targets": TARGETS}})
    client = session.client("events")
    assert (describe_rule(client, "org-trail-trail"), list_targets(client, "org-trail-trail")) == (RULE, TARGETS)
    assert [parameters for _region, _method, parameters in session.calls] == [
        {"Name": "org-trail-trail"},
        {"Rule": "org-trail-trail"},
    ]


def test_a_rule_that_is_missing_is_none_without_targets() -> None:
    missing = client_error("ResourceNotFoundException")
    client = CannedSession("1", "r", {"describe_rule": missing, "list_targets_by_rule": missing}).client("events")
    assert (describe_rule(client, "x"), list_targets(client, "x")) == (None, [])


def test_a_denial_is_an_error() -> None:
    client = CannedSession("1", "r", {"describe_rule": client_error("AccessDeniedException")}).client("events")
    with pytest.raises(AnsibleEventBridgeError, match="describe the rule"):
        describe_rule(client, "x")
