# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a delegated administrator may not do to an organization trail, which stays management's (aws-facts 11.1)."""

from __future__ import annotations

from .._aws.arn import TrailArn
from .settings import Settings

NOT_MANAGEMENT = "NotOrganizationMasterAccountException"
"""How CloudTrail refuses a delegated administrator that it does not know yet, as any member (aws-facts 11.5)."""


def conversion_refusal(
    arn: TrailArn, administrator: str, before: Settings | None, after: Settings | None
) -> str | None:
    """Why an administrator cannot bring a trail to these settings; None when it can.

    administrator: its account. before: what it sees, which are organization trails alone. after: None for no trail.
    """
    if after is None or after["is_organization_trail"]:
        return None
    if before is None:
        return (
            f"The trail {arn} does not exist and would be an account trail, which needs the management account "
            f"{arn.account_id}, found credentials of {administrator}, a delegated administrator of CloudTrail. Set "
            f"is_organization_trail=true, or run with credentials of {arn.account_id}."
        )
    return (
        f"The organization trail {arn} would become an account trail, which needs the management account "
        f"{arn.account_id}, found credentials of {administrator}, a delegated administrator of CloudTrail. Run "
        f"revert_org_trail.yml with credentials of {arn.account_id}."
    )


def hidden_trail(arn: TrailArn, administrator: str) -> str:
    """Why an administrator cannot create a trail although it sees none."""
    return (
        f"The trail {arn} is an account trail, which account {administrator}, a delegated administrator of CloudTrail, "
        f"cannot see. To make it an organization trail needs the management account {arn.account_id}. Run "
        f"enable_org_trail.yml once with credentials of {arn.account_id}."
    )
