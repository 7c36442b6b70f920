# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import AnsibleOrgTrailError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.organizations import (
    AnsibleOrganizationsError,
    Organization,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.membership import require_membership
from botocore.exceptions import ClientError

ORGANIZATION = Organization("o-abc1234567", "ALL", "111122223333")
ANSWER = {"Id": "o-abc1234567", "FeatureSet": "ALL", "MasterAccountId": "111122223333"}


def session(code: str = "") -> Any:
    def describe_organization() -> dict[str, Any]:
        if code:
            raise ClientError({"Error": {"Code": code}}, "DescribeOrganization")
        return {"Organization": ANSWER}

    client = SimpleNamespace(describe_organization=describe_organization)
    return SimpleNamespace(account_id="222233334444", client=lambda _service: client)


@pytest.mark.parametrize("organization_id", [None, "", "o-abc1234567"])
def test_require_membership(organization_id: str | None) -> None:
    assert require_membership(session(), organization_id) == ORGANIZATION


REFUSED = [
    ("", "o-other12345", "belongs to organization o-abc1234567; expected a member of o-other12345"),
    ("AWSOrganizationsNotInUseException", None, "Account 222233334444, .* belongs to no organization"),
]


@pytest.mark.parametrize(("code", "organization_id", "says"), REFUSED)
def test_require_membership_refuses(code: str, organization_id: str | None, says: str) -> None:
    with pytest.raises(AnsibleOrgTrailError, match=says):
        require_membership(session(code), organization_id)


def test_require_membership_passes_a_denial_on() -> None:
    with pytest.raises(AnsibleOrganizationsError):
        require_membership(session("AccessDeniedException"))
