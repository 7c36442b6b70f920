# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The account's organization: is the bucket's account a member of it (aws-facts 3.5)."""

from __future__ import annotations

from .._aws.errors import AnsibleOrgTrailError, code_of
from .._aws.organizations import AnsibleOrganizationsError, Organization, describe_organization
from .._aws.session import Session


def require_membership(session: Session, organization_id: str | None = None) -> Organization:
    """The organization of the session's account.

    Raises AnsibleOrgTrailError when the account belongs to none, or not to ``organization_id``: nothing in AWS stops
    a trail from writing to a bucket outside the organization.
    """
    expected = organization_id or "the organization whose trail is to write there"
    remedy = (
        f"expected a member of {expected}. Set assume_role_arn to a role in the account that keeps the organization's "
        "logs, or invite the account."
    )
    try:
        organization = describe_organization(session.client("organizations"))
    except AnsibleOrganizationsError as error:
        if code_of(error) == "AWSOrganizationsNotInUseException":
            raise AnsibleOrgTrailError(
                f"Account {session.account_id}, which owns the bucket, belongs to no organization; {remedy}"
            ) from error
        raise
    if organization_id not in (None, "", organization.id):
        raise AnsibleOrgTrailError(
            f"Account {session.account_id}, which owns the bucket, belongs to organization {organization.id}; {remedy}"
        )
    return organization
