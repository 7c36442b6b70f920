# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A delegated administrator of CloudTrail: how it is made, and what it does instead of the management account."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ansible_run import run_module
from tests.lab.organization_trail import SERVICE, member_of, organization_trail
from tests.lab_process import Lab

MODULE = "cloudtrail_delegated_administrator"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


def writes(lab: Lab) -> list[str]:
    return [entry["operation"] for entry in lab.journal(writes=True)]


def test_the_module_does_what_check_mode_said_and_never_touches_the_trail(lab: Lab) -> None:
    wanted = {"member_account_id": lab.log_archive}
    with organization_trail(lab):
        lab.clear_journal()
        predicted = run_module(lab, MODULE, wanted, "--check", "--diff")
        done = run_module(lab, MODULE, wanted, "--diff")
        assert (predicted.changed, predicted.diff) == (done.changed, done.diff)
        assert done["delegated_administrators"] == [{"account_id": lab.log_archive, "name": "SecurityAudit"}]
        assert [role["exists"] for role in done["service_linked_roles"]] == [True, True]
        assert not run_module(lab, MODULE, wanted).changed
        assert run_module(lab, MODULE, {**wanted, "state": "absent"}).changed
        assert not run_module(lab, MODULE, {**wanted, "state": "absent"}).changed
        assert writes(lab) == ["RegisterOrganizationDelegatedAdmin", "DeregisterOrganizationDelegatedAdmin"]


def test_what_aws_would_refuse_is_refused_before_the_call(lab: Lab) -> None:
    member = member_of(lab)
    off = run_module(lab, MODULE, {"member_account_id": member}, "--check")
    assert f"Trusted access for {SERVICE} is off" in off.msg
    with organization_trail(lab):
        lab.clear_journal()
        for account, found in (
            (lab.management, "is the management account"),
            ("999999999999", "is not in the organization"),
        ):
            assert found in run_module(lab, MODULE, {"member_account_id": account}).msg
        refused = run_module(lab, MODULE, {"member_account_id": member}, account=lab.log_archive)
        assert f"needs the management account {lab.management}" in refused.msg
        assert "Run delegate_org_trail.yml" in refused.msg
        assert [one for one in writes(lab) if "Delegated" in one] == []
