# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delegated administrators: what is refused before the call, and what a run reads and writes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import CLOUDTRAIL
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import AnsibleOrgTrailError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.organizations import (
    AnsibleOrganizationsError,
    Organization,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.session import Session
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.accounts import Account
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.delegated_administrator import (
    LINKED_ROLES,
    Administration,
    Wanted,
    change_refusal,
    describe_administration,
    ensure_administrator,
    is_administrator,
    summarize,
)

from tests.canned_aws import CannedSession, client_error

MANAGEMENT, MEMBER, OTHER = "111122223333", "444455556666", "777788889999"
ORGANIZATION = Organization("o-exampleorgid", "ALL", MANAGEMENT)
FOUND = Administration(
    ORGANIZATION, {}, Account(MEMBER, "SecurityAudit", "ACTIVE"), True, dict.fromkeys(LINKED_ROLES, False)
)
PRESENT, ABSENT = Wanted(MEMBER, "present"), Wanted(MEMBER, "absent")


@pytest.mark.parametrize(
    ("found", "wanted", "refusal"),
    [
        (FOUND, PRESENT, None),
        (replace(FOUND, trusted=False), PRESENT, f"Trusted access for {CLOUDTRAIL} is off in the organization"),
        (replace(FOUND, trusted=False), ABSENT, f"Trusted access for {CLOUDTRAIL} is off in the organization"),
        (FOUND, Wanted(MANAGEMENT, "present"), f"Account {MANAGEMENT} is the management account"),
        (replace(FOUND, member=None), PRESENT, f"Account {MEMBER} is not in the organization o-exampleorgid"),
        (replace(FOUND, member=None), ABSENT, None),
        (
            replace(FOUND, member=Account(MEMBER, "Old", "SUSPENDED")),
            PRESENT,
            f"Account {MEMBER} (Old) is SUSPENDED, expected an ACTIVE member",
        ),
        (replace(FOUND, member=Account(MEMBER, "Old", "SUSPENDED")), ABSENT, None),
        (replace(FOUND, administrators={"1": "", "2": ""}), PRESENT, None),
        (
            replace(FOUND, administrators={"3": "", "1": "", "2": ""}),
            PRESENT,
            "CloudTrail has 3 delegated administrators, 1, 2, 3, expected fewer than 3",
        ),
        (replace(FOUND, administrators={"3": "", "1": "", "2": ""}), ABSENT, None),
    ],
)
def test_what_aws_would_refuse(found: Administration, wanted: Wanted, refusal: str | None) -> None:
    told = change_refusal(found, wanted)
    assert told is None if refusal is None else (told or "").startswith(refusal)


class Aws(CannedSession):
    """An organization with one member; registering works unless ``lost`` says that the answer was lost."""

    def __init__(self, account_id: str = MANAGEMENT, administrators: tuple[str, ...] = (), deaf: bool = False) -> None:
        self.administrators = dict.fromkeys(administrators, "SecurityAudit")
        self.deaf = deaf
        self.roles = set(LINKED_ROLES) if administrators else set()
        missing = client_error("NoSuchEntity", 404)
        super().__init__(
            account_id,
            "us-east-1",
            {
                "describe_organization": {
                    "Organization": {"Id": "o-exampleorgid", "FeatureSet": "ALL", "MasterAccountId": MANAGEMENT}
                },
                "describe_account": {"Account": {"Id": MEMBER, "Name": "SecurityAudit", "State": "ACTIVE"}},
                "list_aws_service_access_for_organization": {
                    "EnabledServicePrincipals": [{"ServicePrincipal": CLOUDTRAIL}]
                },
                "list_delegated_administrators": lambda **asked: {
                    "DelegatedAdministrators": [{"Id": one, "Name": name} for one, name in self.administrators.items()]
                },
                "get_role": lambda RoleName: {"Role": {}} if RoleName in self.roles else missing,
                "register_organization_delegated_admin": self.register,
                "deregister_organization_delegated_admin": self.deregister,
            },
        )

    def register(self, MemberAccountId: str) -> Any:
        self.administrators |= {} if self.deaf else {MemberAccountId: "SecurityAudit"}
        self.roles = set(LINKED_ROLES)
        return {}

    def deregister(self, DelegatedAdminAccountId: str) -> Any:
        del self.administrators[DelegatedAdminAccountId]
        return {}

    def writes(self) -> list[str]:
        return [one for one in self.called() if "register" in one]


def run(aws: Any, wanted: Wanted, check_mode: bool = False) -> Any:
    before = describe_administration(aws, wanted)
    return summarize(before, ensure_administrator(aws, before, wanted, check_mode))


def test_check_mode_predicts_what_the_run_does() -> None:
    aws = Aws()
    predicted = run(aws, PRESENT, check_mode=True)
    assert aws.writes() == []
    assert run(aws, PRESENT) == predicted
    assert predicted["delegated_administrators"] == [{"account_id": MEMBER, "name": "SecurityAudit"}]
    assert predicted["service_linked_roles"] == [{"name": name, "exists": True} for name in LINKED_ROLES]
    assert aws.writes() == ["register_organization_delegated_admin"]
    assert not run(aws, PRESENT)["changed"]
    gone = run(aws, ABSENT, check_mode=True)
    assert run(aws, ABSENT) == gone
    assert (gone["changed"], gone["delegated_administrators"]) == (True, [])
    assert not run(aws, ABSENT)["changed"]


def test_an_answer_that_does_not_show_it_is_no_success() -> None:
    with pytest.raises(AnsibleOrgTrailError, match="but Organizations then listed none, expected 444455556666"):
        run(Aws(deaf=True), PRESENT)


def test_a_member_is_told_that_management_is_needed_before_anything_else_is_read() -> None:
    aws = Aws(account_id=OTHER, administrators=(OTHER,))
    with pytest.raises(AnsibleOrgTrailError, match="needs the management account 111122223333"):
        run(aws, PRESENT)
    assert aws.called() == ["describe_organization"]


def test_an_id_that_yaml_made_a_number_of_is_refused_before_any_call() -> None:
    aws = Aws()
    with pytest.raises(AnsibleOrgTrailError, match="Quote the id in YAML"):
        run(aws, Wanted("4455", "present"))
    assert aws.called() == []


def test_whether_a_member_is_one() -> None:
    assert is_administrator(cast(Session, Aws(MEMBER, (MEMBER,))))
    assert not is_administrator(cast(Session, Aws(OTHER, (MEMBER,))))
    aws = Aws(OTHER)
    aws.answers["list_delegated_administrators"] = client_error("AccessDeniedException")
    assert not is_administrator(cast(Session, aws))
    denied = client_error("AccessDeniedException")
    denied.response["Error"]["Message"] = "not authorized to perform: organizations:ListDelegatedAdministrators"
    denied.operation_name = "ListDelegatedAdministrators"
    aws.answers["list_delegated_administrators"] = denied
    with pytest.raises(AnsibleOrganizationsError):
        is_administrator(cast(Session, aws))


def test_exclusive_takes_the_others_away_first_and_so_makes_room() -> None:
    aws = Aws(administrators=("1", "2", "3"))
    alone = Wanted(MEMBER, "present", exclusive=True)
    predicted = run(aws, alone, check_mode=True)
    assert run(aws, alone) == predicted
    assert [one["account_id"] for one in predicted["delegated_administrators"]] == [MEMBER]
    written = [method for _region, method, _parameters in aws.calls if "register" in method]
    assert written == [*["deregister_organization_delegated_admin"] * 3, "register_organization_delegated_admin"]


def test_trusted_access_may_follow() -> None:
    off = replace(FOUND, trusted=False)
    assert change_refusal(off, replace(PRESENT, trusted_access_follows=True)) is None
