# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that every module of the collection shares."""

from __future__ import annotations


class ModuleDocFragment:
    """Role assumption, done by the module itself so that no key is ever in a fact."""

    DOCUMENTATION = r"""
options:
  account_id:
    description:
      - Id of the account to work in, 12 digits, quoted in YAML. When the credentials or the role are those of another
        account, the module fails before it calls anything but STS.
      - The default is the variable C(account_id) of the host that the task is delegated to, else of the task's host.
        Where neither has one, any account will do.
    type: str
    version_added: 1.2.0
  assume_role_arn:
    description:
      - ARN of a role to assume before any other call.
      - Without it the module works with the credentials that it was given.
    type: str
  assume_role_external_id:
    description:
      - External id that the role's trust policy asks for.
    type: str
  assume_role_session_name:
    description:
      - Name of the role session, as it appears in CloudTrail's own records. 2 to 64 characters.
    type: str
    default: cloudsec.org_trail
requirements:
  - python >= 3.11
  - boto3 >= 1.35.0
  - botocore >= 1.35.0
"""
