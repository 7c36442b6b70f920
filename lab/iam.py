# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IAM: roles, and CloudTrail's service-linked role (aws-facts 1.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.world import World


def has_service_linked_role(world: World, account: str) -> bool:
    """Whether AWSServiceRoleForCloudTrail exists in the account."""
    return True
