# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why an account can do nothing for its organization, in one sentence each; None when it can."""

from __future__ import annotations

from .._aws.organizations import Organization


def caller_refusal(organization: Organization, account: str) -> str | None:
    """Why this account cannot act for the organization (aws-facts 1.2)."""
    management = organization.management_account_id
    if account == management:
        return None
    return (
        f"Account {account} is a member of the organization {organization.id}, expected its management account "
        f"{management}. Run with credentials of that account, or set assume_role_arn to a role in it."
    )


def management_refusal(organization: Organization, account: str, what: str, command: str) -> str | None:
    """Why an account cannot do what only management may, a delegated administrator neither (aws-facts 11.1).

    what: begins the sentence. command: the playbook that does it.
    """
    management = organization.management_account_id
    if account == management:
        return None
    return (
        f"{what} needs the management account {management} of the organization {organization.id}, found credentials of "
        f"account {account}. Run {command} once with credentials of {management}."
    )


def feature_refusal(organization: Organization) -> str | None:
    """Why this organization can have neither trusted access nor an organization trail (aws-facts 1.1)."""
    if organization.feature_set == "ALL":
        return None
    return (
        f"The organization {organization.id} has the feature set {organization.feature_set}, expected ALL. "
        "Enable all features in AWS Organizations first; every member account has to accept."
    )
