# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace

from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.organizations import Organization
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.refusals import (
    caller_refusal,
    feature_refusal,
    management_refusal,
)

ME, OTHER = "111122223333", "444455556666"
ORGANIZATION = Organization("o-exampleorgid", "ALL", ME)


def test_caller_refusal() -> None:
    assert caller_refusal(ORGANIZATION, ME) is None
    assert caller_refusal(ORGANIZATION, OTHER) == (
        "Account 444455556666 is a member of the organization o-exampleorgid, expected its management account "
        "111122223333. Run with credentials of that account, or set assume_role_arn to a role in it."
    )


def test_feature_refusal() -> None:
    assert feature_refusal(ORGANIZATION) is None
    assert feature_refusal(replace(ORGANIZATION, feature_set="CONSOLIDATED_BILLING")) == (
        "The organization o-exampleorgid has the feature set CONSOLIDATED_BILLING, expected ALL. "
        "Enable all features in AWS Organizations first; every member account has to accept."
    )


def test_management_refusal() -> None:
    assert management_refusal(ORGANIZATION, ME, "It", "enable_org_trail.yml") is None
    assert management_refusal(ORGANIZATION, OTHER, "It", "enable_org_trail.yml") == (
        "It needs the management account 111122223333 of the organization o-exampleorgid, found credentials of account "
        "444455556666. Run enable_org_trail.yml once with credentials of 111122223333."
    )
