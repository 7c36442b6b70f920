#!/usr/bin/python
# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module cloudtrail_coverage_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudtrail_coverage_info
version_added: 1.0.0
short_description: Asks every account and region whether an organization trail works there
description:
  - An organization trail can report success while member accounts are blind. This module asks each account in each
    region itself. It assumes a role once in each account, asks it once which regions it has enabled, and calls
    C(GetTrailStatus) once in each region of it.
  - It also reads once which events the trail logs. A trail that logs no management events, or only those that
    read or those that write, covers nothing.
  - Many calls are made at the same time, one call per account and region at a time, which is far below CloudTrail's
    rate of ten per second for each account and region. Throttled calls are tried again. Large organizations are shared
    among processes, one for each processor. When one of them ends early, because it is killed or memory is short, the
    module fails, names accounts that are unchecked, and writes no result.
  - What fails in one account is a row in the result. The module itself fails only when nothing at all can be asked.
author:
  - The cloudsec.org_trail maintainers (@cloudsec)
options:
  trail_arn:
    description: ARN of the trail.
    type: str
    required: true
  accounts:
    description:
      - The accounts to ask. Without it the module lists the accounts of the organization itself.
    type: list
    elements: dict
    suboptions:
      id:
        description: Id of the account, quoted in YAML.
        type: str
        required: true
      name:
        description: Name of the account.
        type: str
      state:
        description: State of the account. One in the state V(PENDING_ACTIVATION), V(SUSPENDED), V(PENDING_CLOSURE) or
          V(CLOSED) is not asked.
        type: str
      ou_path:
        description: Where the account is in the organization. Passed on into the result.
        type: str
      ou_names:
        description: Names of the organizational units in O(accounts[].ou_path). Passed on into the result.
        type: list
        elements: str
        version_added: 1.2.0
      joined_at:
        description: When the account joined the organization, ISO 8601.
        type: str
      tags:
        description: Tags of the account. Passed on into the result.
        type: dict
      assume_role_arn:
        description: ARN of the role to assume in this account, instead of O(role_arn_pattern).
        type: str
      assume_role_external_id:
        description: External id for this account, instead of O(role_external_id).
        type: str
  accounts_from_hosts:
    description:
      - Take the play's hosts for the accounts, by the host variables that the inventory
        P(cloudsec.org_trail.organizations_accounts#inventory) sets. Not together with O(accounts).
      - The play's hosts are those that C(hosts), C(--limit) or a slice of a job leaves.
      - None of them says in which account the module itself works, so their variable C(account_id) is not taken
        for that.
    type: bool
    default: false
  regions:
    description:
      - The regions to ask. Without it, all that the caller's account has enabled, and those that another account has
        enabled by itself, because the trail logs these, too; each account is asked for them, one more call.
      - Where an account has not enabled a region its status is V(region_disabled). A trail's home region that an
        account may disable is always asked, because an account that has not enabled it sends nothing from any region.
      - A region that does not exist is refused. That only some regions were asked is told in RV(scope).
    type: list
    elements: str
    default: []
  trail_changed_at:
    description:
      - When the trail was created or became an organization trail, ISO 8601. A trail that is missing within 24 hours
        of that, or of an account's joining, has the status V(pending), because AWS may take so long.
      - Without it the module looks into CloudTrail's event history, when a trail is missing somewhere and the caller
        is in the account that owns the trail.
    type: str
  wait_minutes:
    description:
      - Ask again, for so many minutes, until each account and region is covered or waiting cannot help it.
      - The keys of O(assume_role_arn) are valid for an hour. For longer waits run the module again.
    type: float
    default: 0
  wait_interval:
    description: Seconds between two rounds of asking.
    type: float
    default: 60
  deadline_minutes:
    description:
      - Stop after so many minutes. Accounts and regions that were not asked have no row, and RV(summary.complete) is
        false.
    type: float
    default: 120
  max_concurrency:
    description:
      - The greatest number of calls at the same time. How many there are is found out while the module
        runs. It is more as long as that makes it faster, and fewer while more than a tenth of the calls has to be made
        again.
      - The default was 64 before version 1.2.0, and so many calls were made from the start.
    type: int
    default: 512
  max_processes:
    description:
      - The greatest number of processes to ask in. Each takes 50 accounts at least. V(0) means as many as there are
        processors, at most 8. On macOS it means one.
      - The result is the same for any number.
    type: int
    default: 0
    version_added: 1.2.0
  ou_names:
    description:
      - Without O(accounts), also read the names of the organizational units, one more call for each of them.
    type: bool
    default: false
    version_added: 1.2.0
  event_history:
    description: Also look for the newest event in the event history of each account and region, one more call each.
    type: bool
    default: false
  log_delivery:
    description:
      - Whether to look into the trail's bucket, too. V(prefix) looks for the newest log file of each account and
        region, one to three more calls each. V(digest) also verifies the signature of the newest digest file, and of
        the newest backfill digest file where its day has one, which lists what an hour's digest missed. That needs the
        Python package cryptography, which ansible-core brings to its own Python.
      - An account of which no file came within 30 days gets the status V(delivery_error), and so does an account and
        region whose newest digest does not verify.
      - What could not be read is in RV(coverage[].log_delivery_error) and a warning, and changes no status.
    type: str
    choices: [none, prefix, digest]
    default: none
  log_archive_role_arn:
    description: ARN of a role that may list and read the bucket. Without it the caller must be able to.
    type: str
  log_archive_role_external_id:
    description: External id for O(log_archive_role_arn).
    type: str
  output_path:
    description:
      - Write the whole result to this file on the machine that the module runs on, and return only the summary and the
        exceptions. Meant for large organizations.
      - "The file is one JSON object: C(format) (1), C(trail_arn), C(checked_at) (ISO 8601, UTC), C(checked_by) (the ARN
        of who asked), and C(scope),
        C(management_events), C(summary), C(regions), C(accounts) and C(coverage) as they are returned without this
        option. Each row of C(coverage) has a line of its own; rows are in the order of account id and region. It is
        written whole or not at all."
    type: path
  max_exceptions:
    description: Return at most so many exceptions.
    type: int
    default: 1000
  preflight:
    description:
      - Only look whether the module could do its work, for plays that write something else before.
      - V(options) checks the options and calls nothing but STS. V(member) also enters a member, the first one but
        management that lets itself be entered, and O(log_archive_role_arn) where the bucket is to be searched. It fails
        when none of the first five lets itself be entered.
      - The only return value then is RV(entered_account_id), and no file is written.
    type: str
    choices: [options, member]
    version_added: 1.2.0
  progress_path:
    description:
      - Append a line every few seconds to this file, on the machine that the module runs on.
      - A module cannot print while it runs. Without this option the lines appear in the output of the play, where the
        module runs in a fork of Ansible's process (with a local connection and Ansible's own Python). A short run has
        none.
    type: path
extends_documentation_fragment:
  - cloudsec.org_trail.assume_role
  - cloudsec.org_trail.member_role
  - amazon.aws.common.modules
  - amazon.aws.region.modules
notes:
  - "IAM actions: the caller needs C(sts:AssumeRole) on the roles; without O(accounts) C(organizations:ListAccounts) and
    C(organizations:DescribeOrganization); C(account:ListRegions), which it may lack with O(regions);
    C(cloudtrail:GetEventSelectors); without O(trail_changed_at) C(cloudtrail:LookupEvents), without which a trail that
    is younger than a day counts as missing or silent, not as pending or covered, where it is not there yet. The roles,
    and the caller for its own account, need C(cloudtrail:GetTrailStatus), and without O(regions)
    C(account:ListRegions)."
  - Where C(cloudtrail:GetEventSelectors) of the caller or C(account:ListRegions) of a role is denied, the run goes on
    and says so, in a warning, in RV(management_events.error) or RV(accounts[].regions_error), and in the report, whose
    verdict is a failure without the former.
  - "IAM actions only without O(accounts) and with O(ou_names): C(organizations:ListRoots) and
    C(organizations:ListOrganizationalUnitsForParent). Where botocore is too old to know C(Account.Paths) these are
    always needed, and C(organizations:ListAccountsForParent)."
  - "IAM actions only with certain options: O(event_history) C(cloudtrail:LookupEvents) of the roles. O(log_delivery)
    C(cloudtrail:GetTrail) and C(organizations:DescribeOrganization) of the caller, C(s3:ListBucket) of
    O(log_archive_role_arn), and with V(digest) C(s3:GetObject) there and C(cloudtrail:ListPublicKeys) of the caller.
    Where the trail has a KMS key, V(digest) also needs C(kms:Decrypt) of O(log_archive_role_arn), in its policy and in
    the key's."
  - "RV(coverage[].status) is one of V(covered) (the trail is there, logs management events, and reports no error),
    V(pending) (not there yet, within 24 hours), V(missing), V(not_logging), V(management_events_missing) (its event
    selectors leave out all of them, or those that read or those that write), V(delivery_error) (of log files, digest
    files, CloudWatch Logs or SNS), V(home_region_disabled) (the account has not enabled the trail's home region, and so
    sends nothing), V(silent) (it logs for more than a day, but nothing ever arrived), V(denied) (the role cannot be
    assumed, or may not ask), V(denied_by_scp) (a service control policy denies it), V(region_disabled),
    V(account_closed) and V(unreachable) (no useful answer)."
  - A call of this module is an event in the region that it asks. So a region without any event is V(silent) at most
    until the second run, half an hour later; with O(log_delivery) what lies in the bucket decides.
seealso:
  - name: GetTrailStatus
    description: What AWS answers.
    link: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetTrailStatus.html
  - plugin: cloudsec.org_trail.organizations_accounts
    plugin_type: inventory
  - module: cloudsec.org_trail.cloudtrail_organization_trail
attributes:
  check_mode:
    description: Changes nothing in AWS, so check mode is no different. O(output_path) is written in check mode, too.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
"""

EXAMPLES = r"""
- name: Ask every account of the organization
  cloudsec.org_trail.cloudtrail_coverage_info:
    trail_arn: arn:aws:cloudtrail:us-east-1:111122223333:trail/default
  register: result

- name: Show what is wrong
  ansible.builtin.debug:
    var: result.exceptions

- name: Ask two accounts in two regions and wait until both are covered
  cloudsec.org_trail.cloudtrail_coverage_info:
    trail_arn: arn:aws:cloudtrail:us-east-1:111122223333:trail/default
    accounts:
      - id: "111122223333"
      - id: "444455556666"
        assume_role_arn: arn:aws:iam::444455556666:role/TrailReader
    regions: [us-east-1, eu-central-1]
    wait_minutes: 30

- name: Ask ten thousand accounts and keep the rows in a file
  cloudsec.org_trail.cloudtrail_coverage_info:
    trail_arn: arn:aws:cloudtrail:us-east-1:111122223333:trail/default
    output_path: coverage.json
"""

RETURN = r"""
summary:
  description: Numbers of the run, and how many accounts' regions have each status.
  returned: success
  type: dict
  contains:
    covered:
      description: How many are covered. There is such a number for each status.
      type: int
      sample: 336
    unchecked:
      description: How many were not asked before the deadline.
      type: int
      sample: 0
    accounts:
      description: Number of accounts.
      type: int
      sample: 20
    regions:
      description: Number of regions.
      type: int
      sample: 17
    account_regions:
      description: Number of accounts times number of regions.
      type: int
      sample: 340
    calls:
      description: Number of calls to AWS for the rows, with those that were tried again.
      type: int
      sample: 359
    seconds:
      description: How long it took.
      type: float
      sample: 1.4
    complete:
      description: Whether all were asked.
      type: bool
      sample: true
scope:
  description: How much of the whole was asked.
  returned: success
  version_added: 1.2.0
  type: dict
  contains:
    accounts:
      description: V(organization), or V(given) with O(accounts) or O(accounts_from_hosts).
      type: str
      sample: organization
    regions:
      description: V(enabled), or V(given) with O(regions).
      type: str
      sample: enabled
    enabled_regions:
      description: The regions that the caller's account has enabled. Absent where it may not tell.
      type: list
      elements: str
      sample: [eu-central-1, us-east-1]
management_events:
  description: Which management events the trail logs.
  returned: success
  version_added: 1.2.0
  type: dict
  contains:
    logged:
      description: They in words. Absent where it could not be read.
      type: str
      sample: only write management events
    all:
      description: Whether all are logged, read and write, of every source.
      type: bool
      sample: false
    error:
      description: Why the event selectors could not be read. Absent where they were.
      type: str
      sample: "Failed to get the event selectors of the trail: Access denied (AccessDeniedException)."
exceptions:
  description: The rows of RV(coverage) whose status is neither V(covered), V(pending), V(region_disabled) nor
    V(account_closed), at most O(max_exceptions).
  returned: success
  type: list
  elements: dict
  sample:
    - account_id: "444455556666"
      account_name: Workload
      region: eu-west-1
      status: not_logging
      reason: "Logging is stopped since 2026-11-24T02:00:00Z."
exceptions_cut:
  description: How many exceptions were left out.
  returned: success
  type: int
  sample: 0
regions:
  description: The regions that were asked.
  returned: success
  type: list
  elements: str
  sample: [eu-central-1, us-east-1]
accounts:
  description: The accounts that were asked, sorted by id.
  returned: without O(output_path)
  type: list
  elements: dict
  contains:
    id:
      description: Id of the account.
      type: str
      sample: "444455556666"
    name:
      description: Name of the account.
      type: str
      sample: Workload
    state:
      description: State of the account.
      type: str
      sample: ACTIVE
    ou_path:
      description: Where the account is in the organization.
      type: str
      sample: o-exampleorgid/r-abcd/ou-abcd-11111111/
    tags:
      description: Tags of the account, where some were given.
      type: dict
      sample: {}
    regions_error:
      description: Why the account did not tell which regions it has enabled. Absent where it did or was not asked.
      version_added: 1.2.0
      type: str
      sample: "account:ListRegions 444455556666: Access denied (AccessDeniedException)."
coverage:
  description: One row for each account and region, sorted by both. What is not known is absent.
  returned: without O(output_path)
  type: list
  elements: dict
  contains:
    account_id:
      description: Id of the account.
      type: str
      sample: "444455556666"
    account_name:
      description: Name of the account.
      type: str
      sample: Workload
    region:
      description: The region.
      type: str
      sample: eu-central-1
    status:
      description: What the account sees, see the notes.
      type: str
      sample: covered
    reason:
      description: Why it is not covered, one sentence.
      type: str
      sample: "Logging is stopped since 2026-11-24T02:00:00Z."
    error_code:
      description: AWS's error code, where a call failed.
      type: str
      sample: AccessDeniedException
    latest_delivery_time:
      description: When CloudTrail last delivered log files of this account and region.
      type: str
      sample: "2026-11-24T03:05:00Z"
    latest_delivery_error:
      description: S3's error of the last delivery of log files.
      type: str
      sample: AccessDenied
    latest_digest_delivery_time:
      description: When CloudTrail last delivered a digest file.
      type: str
      sample: "2026-11-24T02:40:00Z"
    latest_digest_delivery_error:
      description: S3's error of the last delivery of a digest file.
      type: str
      sample: AccessDenied
    latest_event_time:
      description: Time of the newest event in event history, with O(event_history).
      type: str
      sample: "2026-11-24T03:01:12Z"
    latest_file_time:
      description: When the newest log file in the bucket was written, with O(log_delivery).
      type: str
      sample: "2026-11-24T03:05:02Z"
    latest_digest_time:
      description: When the newest digest file in the bucket was written, with O(log_delivery=digest).
      type: str
      sample: "2026-11-24T02:40:11Z"
    digest_valid:
      description: Whether that digest file carries AWS's signature.
      type: bool
      sample: true
    log_delivery_error:
      description: Why the bucket could not be searched for this account and region.
      type: str
      sample: "Failed to list the objects of bucket logs: Access Denied (AccessDenied)."
    logging_since:
      description: Since when logging is on, where CloudTrail never delivered anything.
      version_added: 1.2.0
      type: str
      sample: "2026-11-20T03:05:00Z"
entered_account_id:
  description: The member that was entered; empty when there was none to enter.
  returned: with O(preflight)
  version_added: 1.2.0
  type: str
  sample: "444455556666"
output_path:
  description: The file with the whole result.
  returned: with O(output_path)
  type: str
  sample: coverage.json
"""

from typing import Any

from ansible.module_utils.common.warnings import warn
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import sentence
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.session import (
    ASSUME_ROLE_ARGUMENTS,
    Session,
    connection_of,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.text import printable
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage.check import (
    check_coverage,
    summarize,
    warnings_of,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage.options import (
    CoverageOptions,
    coverage_options,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage.preflight import enter_member
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.entry import MEMBER_ROLE_ARGUMENTS

ACCOUNT: dict[str, dict[str, Any]] = {
    "id": {"type": "str", "required": True},
    "name": {"type": "str"},
    "state": {"type": "str"},
    "ou_path": {"type": "str"},
    "ou_names": {"type": "list", "elements": "str"},
    "joined_at": {"type": "str"},
    "tags": {"type": "dict"},
    "assume_role_arn": {"type": "str"},
    "assume_role_external_id": {"type": "str"},
}
ARGUMENTS: dict[str, dict[str, Any]] = {
    **ASSUME_ROLE_ARGUMENTS,
    "trail_arn": {"type": "str", "required": True},
    "accounts": {"type": "list", "elements": "dict", "options": ACCOUNT},
    "accounts_from_hosts": {"type": "bool", "default": False},
    "regions": {"type": "list", "elements": "str", "default": []},
    **MEMBER_ROLE_ARGUMENTS,
    "trail_changed_at": {"type": "str"},
    "wait_minutes": {"type": "float", "default": 0},
    "wait_interval": {"type": "float", "default": 60},
    "deadline_minutes": {"type": "float", "default": 120},
    "max_concurrency": {"type": "int", "default": 512},
    "max_processes": {"type": "int", "default": 0},
    "ou_names": {"type": "bool", "default": False},
    "event_history": {"type": "bool", "default": False},
    "log_delivery": {"type": "str", "choices": ["none", "prefix", "digest"], "default": "none"},
    "log_archive_role_arn": {"type": "str"},
    "log_archive_role_external_id": {"type": "str"},
    "output_path": {"type": "path"},
    "max_exceptions": {"type": "int", "default": 1000},
    "preflight": {"type": "str", "choices": ["options", "member"]},
    "progress_path": {"type": "path"},
}


def check_entry(session: Session, options: CoverageOptions) -> str:
    """The member that was entered, with a warning where none could be tried."""
    entered = enter_member(session, options) if options.preflight == "member" else ""
    if options.preflight == "member" and not entered:
        warn("There is no active member to enter, so nobody knows whether coverage could enter one.")
    return entered


def main() -> None:
    module = AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        options = coverage_options(module.params)
        session = Session(connection_of(module))
        if options.preflight:
            module.exit_json(changed=False, entered_account_id=check_entry(session, options))
        found = check_coverage(session, options)
        result = summarize(found, options)
    except AnsibleAWSError as error:
        module.fail_json(msg=sentence(error))
    for warning in warnings_of(found):
        warn(printable(warning))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
