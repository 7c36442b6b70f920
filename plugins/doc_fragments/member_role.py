# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules that enter every account of the organization."""

from __future__ import annotations


class ModuleDocFragment:
    """The role that leads into each account."""

    DOCUMENTATION = r"""
options:
  role_name:
    description:
      - Name of the role to assume in each account but the caller's own.
    type: str
    default: OrganizationAccountAccessRole
  role_arn_pattern:
    description:
      - ARN of that role. C({partition}), C({account_id}) and C({role_name}) stand for the account's values.
    type: str
    default: arn:{partition}:iam::{account_id}:role/{role_name}
  role_external_id:
    description:
      - External id that the trust policies of these roles ask for.
    type: str
"""
