#!/usr/bin/python
# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module cloudtrail_drift_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudtrail_drift_info
version_added: 1.0.0
short_description: Lists what drifted from an organization trail, since when, and by whom
description:
  - Takes what the roles of this collection found in check mode, and makes one list of it. Each row says what was
    expected, what was found, and what to do.
  - Looks into CloudTrail's event history of the last 90 days for the change that caused each row.
  - Writes the list as JSON, and as JUnit for pipelines, if asked to. Changes nothing in AWS.
author:
  - The cloudsec.org_trail maintainers (@cloudsec)
options:
  organization_trail:
    description:
      - Result of M(cloudsec.org_trail.cloudtrail_organization_trail) in check mode.
    type: dict
    default: {}
  trusted_access:
    description:
      - Result of M(cloudsec.org_trail.organizations_service_access) in check mode.
    type: dict
    default: {}
  service_principal:
    description:
      - Service principal that O(trusted_access) is about.
    type: str
    default: cloudtrail.amazonaws.com
  log_bucket:
    description:
      - The trail's bucket, as M(cloudsec.org_trail.cloudtrail_log_bucket_info) returns it in RV(ignore:buckets).
    type: dict
    default: {}
  coverage_exceptions:
    description:
      - Rows of M(cloudsec.org_trail.cloudtrail_coverage_info) that are not covered, or
        RV(cloudsec.org_trail.coverage_report#module:failures).
    type: list
    elements: dict
    default: []
  coverage_exceptions_total:
    description:
      - Number of account regions that are not covered, where O(coverage_exceptions) holds the first of them. A row
        says how many are not in the list. V(0) stands for as many as there are in O(coverage_exceptions).
    type: int
    default: 0
    version_added: 1.2.0
  refusals:
    description:
      - Messages with which other tasks failed.
    type: list
    elements: str
    default: []
  checks:
    description:
      - What was to be judged. Each that could not be is a row, an error in O(junit_path), so that a list without rows
        says that all of them were judged.
    type: list
    elements: dict
    default: []
    version_added: 1.2.0
    suboptions:
      object:
        description: What was to be judged, for example V(log bucket).
        type: str
        required: true
      reason:
        description: Why it could not be judged; empty when it was.
        type: str
        default: ""
      value:
        description: What was found, where it was judged and is as wanted. With it the check is in RV(passed).
        type: str
        default: ""
  delegated_administrators:
    description:
      - Ids of the member accounts that are to be delegated administrators of CloudTrail, who may change and stop the
        organization trail. Any other one is a drift, and so is one of these that is not registered.
      - Without it nobody looks. With an empty list every delegated administrator is a drift.
    type: list
    elements: str
    version_added: 1.2.0
  trusted_accounts:
    description:
      - Ids of accounts outside the organization that the bucket may let in, such as that of a company which analyses
        the logs. Any other one that O(log_bucket) names in its settings is a drift, unless AWS Organizations says that
        it is a member.
    type: list
    elements: str
    default: []
    version_added: 1.2.0
  guardrails:
    description:
      - What the role R(cloudsec.org_trail.guardrails, ansible_collections.cloudsec.org_trail.guardrails_role) reports
        in check mode.
    type: dict
    default: {}
    version_added: 1.2.0
  watch:
    description:
      - Results of M(cloudsec.org_trail.cloudtrail_watch_info), one of the management account and one of the log
        bucket's.
    type: list
    elements: dict
    default: []
    version_added: 1.2.0
  event_history:
    description:
      - Whether to look for the change that caused a row.
    type: bool
    default: true
  log_archive_role_arn:
    description:
      - ARN of a role in the bucket's account that may read event history there. Without it, and where it cannot be
        assumed, rows about the bucket tell no time and say why.
    type: str
  log_archive_role_external_id:
    description:
      - External id for O(log_archive_role_arn).
    type: str
  json_path:
    description:
      - File that gets the list as JSON, with what is as wanted, who looked (C(checked_by)), when (C(checked_at)), with
        which version of the collection, at which organization and trail.
    type: path
  junit_path:
    description:
      - File that gets the list as JUnit XML, one test case per row, which failed, or is in error where something could
        not be judged. What is as wanted is a passed case with its value, and advice is a skipped one.
    type: path
  findings_path:
    description:
      - File that gets the list, and what is as wanted, as a JSON array of compliance findings of the Open Cybersecurity
        Schema Framework (1.3). A finding has the same C(finding_info.uid) in each run, whether it drifted or not.
    type: path
    version_added: 1.2.0
extends_documentation_fragment:
  - cloudsec.org_trail.assume_role
  - amazon.aws.common.modules
  - amazon.aws.region.modules
notes:
  - "IAM actions only with O(event_history=true): C(cloudtrail:LookupEvents), in the management account and with
    O(log_archive_role_arn); C(sts:AssumeRole) for that role. Without the permission the rows tell no time."
  - "IAM actions only with O(delegated_administrators): C(organizations:ListDelegatedAdministrators). Without the
    permission a row says so."
  - "IAM actions only with an account in O(log_bucket) that is neither its own nor management nor trusted:
    C(organizations:DescribeAccount)."
seealso:
  - name: LookupEvents
    description: What event history holds.
    link: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
  - module: cloudsec.org_trail.cloudtrail_organization_trail
attributes:
  check_mode:
    description: Changes nothing in AWS. In check mode it writes no files either.
    support: full
  diff_mode:
    description: There is no diff.
    support: none
"""

EXAMPLES = r"""
- name: Look at the trail
  cloudsec.org_trail.cloudtrail_organization_trail:
    s3_bucket_name: example-org-trail-logs
  check_mode: true
  register: organization_trail

- name: List what drifted
  cloudsec.org_trail.cloudtrail_drift_info:
    organization_trail: "{{ organization_trail }}"
    junit_path: drift.xml
  register: drift

- name: Fail with the table
  ansible.builtin.fail:
    msg: "{{ drift.table }}"
  when: drift.drift | length > 0
"""

RETURN = r"""
drift:
  description: What drifted; empty when nothing did.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: V(trail), V(log bucket), V(organization), V(watch), V(coverage) or V(check).
      type: str
      sample: trail
    object:
      description: What the row is about.
      type: str
      sample: arn:aws:cloudtrail:us-east-1:111122223333:trail/default
    what:
      description: The setting.
      type: str
      sample: logging
    expected:
      description: What was expected.
      type: raw
      sample: true
    found:
      description: What was found.
      type: raw
      sample: false
    remedy:
      description: What to do.
      type: str
      sample: Run ansible-playbook cloudsec.org_trail.enable_org_trail.
    events:
      description: Names of the events that may have caused it.
      type: list
      elements: str
      sample: [StopLogging]
    since:
      description: Time of the newest such event, UTC; empty when event history does not tell.
      type: str
      sample: "2026-01-31T12:00:00Z"
    by:
      description: ARN of the caller of that event, or what else names it where the event has no ARN.
      type: str
      sample: arn:aws:sts::111122223333:assumed-role/Admin/alice
    unattributed:
      description:
        - Why RV(drift[].since) is empty although RV(drift[].events) are known; empty otherwise. For example event
          history could not be read, or the change was not among the events that were looked at.
      version_added: 1.2.0
      type: str
      sample: ""
advice:
  description:
    - What the log bucket lacks although nobody weakened it, such as versioning that never was on. It is no drift. Each
      has the keys of RV(drift).
  returned: success
  version_added: 1.2.0
  type: list
  elements: dict
  sample: []
passed:
  description: What was looked at and is as wanted. What nobody read is not in it.
  returned: success
  version_added: 1.2.0
  type: list
  elements: dict
  contains:
    kind:
      description: As in RV(drift[].kind).
      type: str
      sample: trail
    object:
      description: What it is about.
      type: str
      sample: arn:aws:cloudtrail:us-east-1:111122223333:trail/default
    what:
      description: The setting.
      type: str
      sample: logging
    found:
      description: What it is.
      type: raw
      sample: true
table:
  description: RV(drift) for a person to read.
  returned: success
  type: str
  sample: "1 drifted: ..."
"""

from pathlib import Path
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import sentence
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.session import (
    ASSUME_ROLE_ARGUMENTS,
    connection_of,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._drift.drifts import DriftOptions
from ansible_collections.cloudsec.org_trail.plugins.module_utils._drift.find import judge_drift
from ansible_collections.cloudsec.org_trail.plugins.module_utils._drift.judged import (
    as_json,
    as_junit,
    findings_json,
    summarize_judged,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._work.files import write_whole
from ansible_collections.cloudsec.org_trail.plugins.module_utils._work.options import options_of
from ansible_collections.cloudsec.org_trail.plugins.module_utils._work.times import now_text

ARGUMENTS: dict[str, dict[str, Any]] = {
    **ASSUME_ROLE_ARGUMENTS,
    "organization_trail": {"type": "dict", "default": {}},
    "trusted_access": {"type": "dict", "default": {}},
    "service_principal": {"type": "str", "default": "cloudtrail.amazonaws.com"},
    "log_bucket": {"type": "dict", "default": {}},
    "coverage_exceptions": {"type": "list", "elements": "dict", "default": []},
    "coverage_exceptions_total": {"type": "int", "default": 0},
    "refusals": {"type": "list", "elements": "str", "default": []},
    "checks": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "object": {"type": "str", "required": True},
            "reason": {"type": "str", "default": ""},
            "value": {"type": "str", "default": ""},
        },
    },
    "delegated_administrators": {"type": "list", "elements": "str"},
    "trusted_accounts": {"type": "list", "elements": "str", "default": []},
    "guardrails": {"type": "dict", "default": {}},
    "watch": {"type": "list", "elements": "dict", "default": []},
    "event_history": {"type": "bool", "default": True},
    "log_archive_role_arn": {"type": "str"},
    "log_archive_role_external_id": {"type": "str"},
    "json_path": {"type": "path"},
    "junit_path": {"type": "path"},
    "findings_path": {"type": "path"},
}


def main() -> None:
    module = AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    options = options_of(DriftOptions, module.params)
    try:
        judged = judge_drift(connection_of(module), options, now_text())
        files = (
            (options.json_path, [as_json(judged)]),
            (options.junit_path, [as_junit(judged)]),
            (options.findings_path, findings_json(judged)),
        )
        for path, parts in files:
            if path and not module.check_mode:
                write_whole(Path(path), parts)
    except AnsibleAWSError as error:
        module.fail_json(msg=sentence(error))
    except OSError as error:
        module.fail_json(msg=f"The list of drifts cannot be written to {error.filename}: {error.strerror}.")
    module.exit_json(**summarize_judged(judged))


if __name__ == "__main__":
    main()
