# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An inventory that fits a running lab, in the form of ``playbooks/inventory/static.yml``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

STATIC_INVENTORY = """\
all:
  vars:
    ansible_connection: local
    ansible_python_interpreter: "{{{{ ansible_playbook_python }}}}"
    coverage_report_dir: "{{{{ inventory_dir }}}}/report"
  children:
    management:
      hosts:
        management_account:
          account_id: "{management}"
    log_archive:
      hosts:
        security_audit:
          account_id: "{log_archive}"
          assume_role_arn: "arn:{partition}:iam::{{{{ account_id }}}}:role/OrganizationAccountAccessRole"
"""


def write_inventory(path: Path, ready: dict[str, Any]) -> Path:
    """Write the inventory of the lab that said ``ready`` to ``path`` and answer the path."""
    text = STATIC_INVENTORY.format(
        partition=ready["trail_arn"].split(":")[1],
        management=ready["management_account_id"],
        log_archive=ready["log_archive_account_id"],
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
