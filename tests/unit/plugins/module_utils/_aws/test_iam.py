# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A role and its policies."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws import iam
from botocore.exceptions import ClientError


class Iam:
    """One role, logs, with an inline and a managed policy."""

    def __init__(self, error: str = "NoSuchEntity") -> None:
        self.error = error

    def known(self, name: str) -> None:
        if name != "logs":
            raise ClientError({"Error": {"Code": self.error}}, "X")

    def get_role(self, *, RoleName: str) -> Any:
        self.known(RoleName)
        return {"Role": {"RoleName": RoleName}}

    def get_paginator(self, operation: str) -> Any:
        answers = {
            "list_role_policies": {"PolicyNames": ["inline"]},
            "list_attached_role_policies": {"AttachedPolicies": [{"PolicyName": "m", "PolicyArn": "arn:m"}]},
        }

        def paginate(*, RoleName: str) -> Any:
            self.known(RoleName)
            return SimpleNamespace(build_full_result=lambda: answers[operation])

        return SimpleNamespace(paginate=paginate)

    def get_role_policy(self, *, RoleName: str, PolicyName: str) -> Any:
        self.known(RoleName)
        return {"PolicyDocument": {"of": PolicyName}}

    def get_policy(self, *, PolicyArn: str) -> Any:
        return {"Policy": {"Arn": PolicyArn, "DefaultVersionId": "v2"}}

    def get_policy_version(self, *, PolicyArn: str, VersionId: str) -> Any:
        return {"PolicyVersion": {"Document": {"of": f"{PolicyArn} {VersionId}"}}}


def test_a_role_with_its_policies() -> None:
    client = Iam()
    assert iam.get_role(client, "logs") == {"RoleName": "logs"}
    assert iam.list_role_policies(client, "logs") == ["inline"]
    assert iam.get_role_policy(client, "logs", "inline") == {"of": "inline"}
    assert iam.list_attached_role_policies(client, "logs") == ["arn:m"]
    version = iam.get_policy_version_id(client, "arn:m")
    assert iam.get_policy_version(client, "arn:m", version) == {"of": "arn:m v2"}


def test_a_role_that_is_missing_has_no_policies() -> None:
    assert iam.get_role(Iam(), "other") is None
    assert iam.list_role_policies(Iam(), "other") == []
    assert iam.list_attached_role_policies(Iam(), "other") == []


@pytest.mark.parametrize(
    "call", [iam.get_role, iam.list_role_policies, iam.list_attached_role_policies], ids=lambda one: one.__name__
)
def test_a_denial_is_not_taken_for_nothing(call: Any) -> None:
    with pytest.raises(iam.AnsibleIAMError, match="Failed to"):
        call(Iam("AccessDenied"), "other")
