# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a policy of the organization, and finding what it is to be attached to."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import AnsibleOrgTrailError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.policies import (
    OrganizationPolicy,
    Situation,
    Wanted,
    read_situation,
    resolve_targets,
)

from tests.canned_aws import CannedSession, client_error

WANTED = Wanted("guard", "service_control_policy", {"Statement": []}, ("root",), "d", {}, True, False, 1.0, "present")
ARN = "arn:aws:organizations::1:policy/o/p-1"
SUMMARY = {"Id": "p-1", "Arn": ARN, "Name": "guard", "AwsManaged": False}
TYPES = [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}]
UNITS = {"r-abcd": [("ou-abcd-11111111", "Workloads")], "ou-abcd-11111111": [("ou-abcd-22222222", "Production")]}


def client(*names: str) -> Any:
    def units(ParentId: str) -> Any:
        return {"OrganizationalUnits": [{"Id": unit, "Name": name} for unit, name in UNITS.get(ParentId, [])]}

    def account(AccountId: str) -> Any:
        known = AccountId == "111122223333"
        return {"Account": {"Id": AccountId}} if known else client_error("AccountNotFoundException")

    answers = {
        "list_roots": {"Roots": [{"Id": "r-abcd", "Name": "Root", "PolicyTypes": TYPES}]},
        "list_policies": {"Policies": [{**SUMMARY, "Name": name} for name in names]},
        "describe_policy": {
            "Policy": {"PolicySummary": {**SUMMARY, "Description": "d"}, "Content": '{"Statement":[]}'}
        },
        "list_targets_for_policy": {"Targets": [{"TargetId": "r-abcd"}, {"TargetId": "111122223333"}]},
        "list_tags_for_resource": {"Tags": [{"Key": "ManagedBy", "Value": "somebody"}]},
        "list_organizational_units_for_parent": units,
        "describe_account": account,
    }
    return CannedSession("111122223333", "us-east-1", answers).client("organizations")


def test_read_situation() -> None:
    tags = {"ManagedBy": "somebody"}
    policy = OrganizationPolicy("p-1", ARN, "d", {"Statement": []}, tags, ("111122223333", "r-abcd"))
    assert read_situation(client("other", "guard"), WANTED) == Situation("r-abcd", "ENABLED", policy)
    assert read_situation(client("other"), WANTED) == Situation("r-abcd", "ENABLED", OrganizationPolicy())


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("root", "r-abcd"),
        ("r-abcd", "r-abcd"),
        ("Workloads", "ou-abcd-11111111"),
        ("Workloads/Production", "ou-abcd-22222222"),
        ("ou-abcd-22222222", "ou-abcd-22222222"),
        ("111122223333", "111122223333"),
    ],
)
def test_resolve_targets(target: str, found: str) -> None:
    assert resolve_targets(client(), [target], "r-abcd") == (found,)


@pytest.mark.parametrize("target", ["Production", "workloads", "ou-abcd-99999999", "444455556666", "r-zzzz", ""])
def test_a_target_that_is_not_there(target: str) -> None:
    with pytest.raises(AnsibleOrgTrailError, match="which the organization does not have"):
        resolve_targets(client(), ["root", target], "r-abcd")
