#!/usr/bin/python
# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module check_run; its work is done by the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: check_run
version_added: 1.2.0
short_description: Refuses a run that was started with misspelt variables or without an inventory
description:
  - The collection's playbooks do this before anything else. A misspelt variable would be passed over in silence, and
    the run would do something else than asked for.
  - Variables are known when they are an input of one of the collection's roles or playbooks. Unknown is one that
    begins like those, with C(coverage_), C(delegated_administrator_), C(detect_drift_), C(drift_events_),
    C(guard_org_trail_), C(guardrails_), C(log_bucket_), C(member_trails_), C(organization_trail_),
    C(revert_org_trail_) or C(trusted_access_), or that nearly has the name of one.
  - Looked at are the variables of the task, and of the hosts in the groups C(management) and C(log_archive).
  - Variables of your own with such a name are let through by the variable C(org_trail_other_variables), a list of names
    and of patterns such as V(coverage_team*).
  - In a task with the tag C(always) it warns, in place of all else, where the tags of the command line leave out the
    tasks of its block that have no tags of their own.
  - Runs on the controller, whatever host the task is for, and calls nothing.
author:
  - The cloudsec.org_trail maintainers (@cloudsec)
options:
  inventory:
    description:
      - Whether the inventory must have exactly one host in each of the groups C(management) and C(log_archive), which
        C(--limit) leaves in the play.
    type: bool
    default: false
seealso:
  - name: Tags
    description: How Ansible chooses tasks by their tags.
    link: https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_tags.html
attributes:
  check_mode:
    description: Does the same, and changes nothing.
    support: full
  diff_mode:
    description: Shows no difference.
    support: none
"""

EXAMPLES = r"""
- name: Check how the run was started
  cloudsec.org_trail.check_run:
    inventory: true
  run_once: true

- name: Warn where tags leave out the tasks beside this one
  cloudsec.org_trail.check_run:
  tags: always
"""

RETURN = r"""{}"""
