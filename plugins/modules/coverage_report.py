#!/usr/bin/python
# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module coverage_report; its work is done by the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: coverage_report
version_added: 1.0.0
short_description: Writes the report about the coverage of accounts and regions
description:
  - Judges what M(cloudsec.org_trail.cloudtrail_coverage_info) found and writes C(coverage.html), one file that works
    offline, C(coverage.json), and C(coverage.csv) with the exceptions.
  - Or writes one part of a report, for a slice of the accounts, and makes one report of many parts. Parts may come in
    any order and more than once; the report is the same. Of an account that is in several parts the newest look counts.
  - Runs on the controller, whatever host the task is for, and calls nothing in AWS. Files are written as a whole or not
    at all.
author:
  - The cloudsec.org_trail maintainers (@cloudsec)
options:
  found:
    description:
      - File that M(cloudsec.org_trail.cloudtrail_coverage_info) wrote. It is removed when the report is written.
      - Exactly one of O(found) and O(parts) is needed.
    type: path
  parts:
    description:
      - Parts or whole reports (C(coverage.json)) to merge.
    type: list
    elements: path
    default: []
  expected_parts:
    description:
      - Fail when there are fewer or more O(parts) than this, which is the number of slices.
    type: int
  dest:
    description:
      - Directory for the files. It is made when it is missing.
    type: path
    required: true
  part:
    description:
      - Write only a part, named after its accounts, so that a slice that runs again replaces its own part.
    type: bool
    default: false
  findings:
    description:
      - Also write C(coverage.ocsf.json), a JSON array with a compliance finding of the Open Cybersecurity Schema
        Framework (1.3) for each account and region, covered or not. A finding has the same C(finding_info.uid) in each
        run. One takes about 1 kB.
      - Not for a part.
    type: bool
    default: false
    version_added: 1.2.0
  log_bucket:
    description:
      - The bucket, as the role R(cloudsec.org_trail.log_bucket_lookup,
        ansible_collections.cloudsec.org_trail.log_bucket_lookup_role) reports it.
    type: dict
    default: {}
  trusted_access:
    description:
      - What M(cloudsec.org_trail.organizations_service_access) returned in this run, to tell what changed.
    type: dict
    default: {}
  organization_trail:
    description:
      - What M(cloudsec.org_trail.cloudtrail_organization_trail) returned in this run, to describe the trail and to tell
        what changed.
    type: dict
    default: {}
  member_trails:
    description:
      - What M(cloudsec.org_trail.cloudtrail_member_trails_info) returned, also where it failed, to list members' own
        trails in the report. It changes no verdict.
    type: dict
    default: {}
    version_added: 1.2.0
  guardrails:
    description:
      - The fact C(guardrails) of the role R(cloudsec.org_trail.guardrails,
        ansible_collections.cloudsec.org_trail.guardrails_role), to tell in the report what members cannot do, and in
        which accounts that was proved. It changes no verdict.
    type: dict
    default: {}
    version_added: 1.2.0
  fail_on:
    description:
      - Statuses with which the verdict is V(failed). V(unchecked), an account and region without any answer, always
        fails, and so does a report in which nothing is covered, unless it is one of O(part=true).
      - V(denied) names V(denied_by_scp), too, and V(missing) V(home_region_disabled), which were a part of them before
        1.2.0.
    type: list
    elements: str
    choices:
      - missing
      - not_logging
      - management_events_missing
      - delivery_error
      - home_region_disabled
      - silent
      - denied
      - denied_by_scp
      - unreachable
      - unchecked
      - pending
      - region_disabled
      - account_closed
      - covered
    default:
      - missing
      - not_logging
      - management_events_missing
      - delivery_error
      - home_region_disabled
      - silent
      - denied
      - denied_by_scp
      - unreachable
seealso:
  - module: cloudsec.org_trail.cloudtrail_coverage_info
attributes:
  check_mode:
    description: Writes the report in check mode, too; it changes nothing in AWS and is never reported as a change.
    support: none
  diff_mode:
    description: Shows no difference.
    support: none
"""

EXAMPLES = r"""
- name: Look at every account
  cloudsec.org_trail.cloudtrail_coverage_info:
    trail_arn: arn:aws:cloudtrail:us-east-1:111122223333:trail/default
    output_path: /var/tmp/found.json

- name: Write the report
  cloudsec.org_trail.coverage_report:
    found: /var/tmp/found.json
    dest: /srv/reports
  register: coverage

- name: Make one report of the parts that slices wrote
  cloudsec.org_trail.coverage_report:
    parts: "{{ query('ansible.builtin.fileglob', '/srv/reports/parts/*.json') }}"
    expected_parts: 8
    dest: /srv/reports
"""

RETURN = r"""
verdict:
  description: V(passed), V(pending) (nothing failed, but the trail is still on its way) or V(failed).
  returned: success
  type: str
  sample: failed
headline:
  description: The verdict in a few words. What was not asked, and what the trail does not log, stands in parentheses.
  returned: success
  type: str
  sample: 4 account regions are not covered
sentence:
  description: The verdict with its numbers.
  returned: success
  type: str
  sample: "4 of 340 account regions in 1 of 20 accounts cannot be relied on: trail missing 4."
failed_account_regions:
  description: How many account regions fail.
  returned: success
  type: int
  sample: 4
statuses:
  description: How many account regions have each status.
  returned: success
  type: dict
  sample: {missing: 4, covered: 336}
accounts:
  description: Number of accounts.
  returned: success
  type: int
  sample: 20
regions:
  description: Number of regions.
  returned: success
  type: int
  sample: 17
exceptions:
  description: One line for each kind of exception, the worst first, at most 20.
  returned: success
  type: list
  elements: str
  sample: ["Trail missing: blind (444455556666) eu-west-1, eu-west-2."]
more_exceptions:
  description: How many kinds of exceptions are not in RV(exceptions).
  returned: success
  type: int
  sample: 0
failures:
  description: The account regions that fail, the worst first, at most 50.
  returned: success
  type: list
  elements: dict
  contains:
    account_id:
      description: Id of the account.
      type: str
      sample: "444455556666"
    region:
      description: The region.
      type: str
      sample: eu-west-1
    status:
      description: What the account sees there.
      type: str
      sample: missing
    reason:
      description: Why it fails.
      type: str
      sample: The account has not enabled this region.
lines:
  description: What to print.
  returned: success
  type: list
  elements: str
  sample:
    - 340 of 340 account regions in 20 accounts log to the organization trail.
    - "Report: /srv/reports/coverage.html"
html_path:
  description: The report to look at.
  returned: unless O(part=true)
  type: str
  sample: /srv/reports/coverage.html
csv_path:
  description: The exceptions as comma-separated values, one account and region a line.
  returned: unless O(part=true)
  type: str
  sample: /srv/reports/coverage.csv
findings_path:
  description: The findings for security tools.
  returned: with O(findings=true)
  type: str
  sample: /srv/reports/coverage.ocsf.json
json_path:
  description: The report to work with, or the part.
  returned: success
  type: str
  sample: /srv/reports/coverage.json
"""
