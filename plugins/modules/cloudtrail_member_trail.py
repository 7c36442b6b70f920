#!/usr/bin/python
# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module cloudtrail_member_trail."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudtrail_member_trail
version_added: 1.2.0
short_description: Stops, deletes or brings back trails of members that the organization trail made redundant
description:
  - Takes trails of members, in one process and with one role in each account, to the state that is asked for. The first
    step is O(state=stopped), which records a trail and stops it. The second one, days later, is O(state=absent).
    O(state=present) brings a trail back from its record at any time.
  - A trail is stopped or deleted only where all of this holds, which is looked at again in every run, seconds before.
    Nothing would be lost without it, as P(cloudsec.org_trail.cloudtrail_member_trails_info#module) judges. No
    CloudFormation stack or StackSet, Terraform, Control Tower or landing zone owns it. The organization trail covers
    its account in every region that the trail logs. A log file of the account arrived in the log bucket at least 24
    hours ago, and another one within the last 24 hours.
  - A trail is deleted only when it is stopped, when its record holds exactly what it is, and O(stopped_days) after it
    was stopped and recorded.
  - What is refused or fails of a trail is in RV(trails[].problem), and the others are done. The module fails in the end
    when there was any, and its message names them.
  - Log files are never touched, and neither is the organization trail.
author:
  - The cloudsec.org_trail maintainers (@cloudsec)
options:
  organization_trail_arn:
    description:
      - ARN of the organization trail.
      - Required but with O(state=present), which asks nothing of it.
    type: str
  trail_arns:
    description:
      - ARNs of the members' trails. A bare name is refused, because it means another trail in every account.
      - Either this or O(all_recorded) is required.
    type: list
    elements: str
  all_recorded:
    description:
      - Instead of O(trail_arns), confirms that every trail is meant that has a record in O(record_dir). Not with
        O(state=stopped).
      - With O(state=absent), trails that log and those that are not stopped for O(stopped_days) yet are left alone, and
        are no failure.
    type: bool
    default: false
  state:
    description:
      - V(stopped) writes a trail's record and then stops it. One that is stopped already is only recorded, unless its
        record says what it is.
      - V(absent) deletes a stopped trail that has a record. One that is not there is no change.
      - V(present) makes a trail what its record holds, and creates it where it was deleted. Settings, event selectors,
        insight selectors, aggregations, tags and logging are restored. A trail that logs is never stopped by that.
    type: str
    choices: [stopped, absent, present]
    required: true
  record_dir:
    description:
      - Directory of the records, on the machine that the module runs on, a file for each trail. It must outlast the
        run. Without its record no trail is deleted or brought back.
      - A record holds what AWS answered about the trail, when, and who asked. It holds no credentials. It is readable
        as the umask says.
    type: path
    required: true
  stopped_days:
    description: For how many days, at least V(1), a trail must be stopped and recorded before O(state=absent) deletes
      it.
    type: float
    default: 7
  log_archive_role_arn:
    description: ARN of the role with which the log bucket is listed. Without it the caller lists it.
    type: str
  log_archive_role_external_id:
    description: External id that this role's trust policy asks for.
    type: str
  unread_buckets:
    description:
      - Names of buckets of which you know that nobody needs further files in them. They are not searched for readers.
    type: list
    elements: str
    default: []
  max_concurrency:
    description: Number of calls at the same time, while the coverage is proved.
    type: int
    default: 64
extends_documentation_fragment:
  - cloudsec.org_trail.assume_role
  - cloudsec.org_trail.member_role
  - amazon.aws.common.modules
  - amazon.aws.region.modules
notes:
  - "IAM actions: the caller needs C(sts:AssumeRole) on the roles, C(cloudtrail:GetTrail), C(cloudtrail:GetTrailStatus),
    C(cloudtrail:GetEventSelectors), C(cloudtrail:GetInsightSelectors) and C(cloudtrail:GetEventConfiguration) of the
    organization trail, C(organizations:DescribeOrganization) and C(account:ListRegions). O(log_archive_role_arn) needs
    C(s3:ListBucket) of the log bucket. The roles in members need C(cloudtrail:GetTrail), C(cloudtrail:GetTrailStatus),
    C(cloudtrail:GetEventSelectors), C(cloudtrail:GetInsightSelectors), C(cloudtrail:GetEventConfiguration) and
    C(cloudtrail:ListTags) of their trails, C(cloudtrail:GetTrailStatus) of the organization trail,
    C(account:ListRegions), C(s3:GetBucketPolicy), C(s3:GetBucketNotification), C(s3:GetReplicationConfiguration) and
    C(cloudtrail:StopLogging)."
  - "IAM actions only with certain states: V(absent) C(cloudtrail:DeleteTrail), V(present) C(cloudtrail:StartLogging),
    C(cloudtrail:CreateTrail), C(cloudtrail:UpdateTrail), C(cloudtrail:PutEventSelectors),
    C(cloudtrail:PutInsightSelectors), C(cloudtrail:PutEventConfiguration), C(cloudtrail:AddTags) and
    C(cloudtrail:RemoveTags) of the roles in members."
seealso:
  - module: cloudsec.org_trail.cloudtrail_member_trails_info
  - name: Managing CloudTrail trail costs
    description: What a second copy costs.
    link: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-trail-manage-costs.html
  - name: Prepare for creating a trail for your organization
    description: AWS's advice to keep members' own trails for a day, and then to stop or delete them.
    link: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/creating-an-organizational-trail-prepare.html
attributes:
  check_mode:
    description: Reads and proves all that a run does, and tells what it would do. Writes no record.
    support: full
  diff_mode:
    description: Tells the state of each trail that changes before and after.
    support: full
"""

EXAMPLES = r"""
- name: Stop trails that nobody needs any more
  cloudsec.org_trail.cloudtrail_member_trail:
    organization_trail_arn: arn:aws:cloudtrail:us-east-1:111122223333:trail/default
    trail_arns:
      - arn:aws:cloudtrail:us-east-1:444455556666:trail/team
    state: stopped
    record_dir: /srv/org_trail/member_trails
    role_name: OrgTrailRetireMemberTrails
    log_archive_role_arn: arn:aws:iam::777788889999:role/OrgTrailLogArchiveLookup

- name: Delete them a week later
  cloudsec.org_trail.cloudtrail_member_trail:
    organization_trail_arn: arn:aws:cloudtrail:us-east-1:111122223333:trail/default
    trail_arns:
      - arn:aws:cloudtrail:us-east-1:444455556666:trail/team
    state: absent
    record_dir: /srv/org_trail/member_trails
    role_name: OrgTrailRetireMemberTrails
    log_archive_role_arn: arn:aws:iam::777788889999:role/OrgTrailLogArchiveLookup

- name: Bring one back
  cloudsec.org_trail.cloudtrail_member_trail:
    trail_arns:
      - arn:aws:cloudtrail:us-east-1:444455556666:trail/team
    state: present
    record_dir: /srv/org_trail/member_trails
    role_name: OrgTrailRetireMemberTrails
"""

RETURN = r"""
trails:
  description: What became of each trail, in the order of the option; in check mode, what would.
  returned: when the trails could be looked at, even when some of them failed
  type: list
  elements: dict
  contains:
    account_id:
      description: Id of the account.
      type: str
      sample: "444455556666"
    arn:
      description: ARN of the trail.
      type: str
      sample: arn:aws:cloudtrail:us-east-1:444455556666:trail/team
    action:
      description: V(none), V(recorded) (its record was written, nothing else), V(stopped), V(deleted), V(created),
        V(changed) or V(started).
      type: str
      sample: stopped
    before:
      description: V(logging), V(stopped), V(absent), or V(unknown) where nobody could look.
      type: str
      sample: logging
    after:
      description: The state after it, likewise.
      type: str
      sample: stopped
    record:
      description: Where its record lies, or would.
      type: str
      sample: /srv/org_trail/member_trails/444455556666_us-east-1_team.json
    problem:
      description: Why it is not in the state that was asked for, in one sentence or two. Absent where it is.
      type: str
      sample: "arn:aws:cloudtrail:us-east-1:444455556666:trail/team is not redundant: without it you would lose data
        events of AWS::S3::Object. Let the organization trail log that, too, or keep the trail."
    waiting:
      description: Why it is too early to delete it. Only with O(all_recorded); else that is a problem.
      type: str
      sample: arn:aws:cloudtrail:us-east-1:444455556666:trail/team is stopped since 2026-11-20 08:00 UTC, expected at
        least 7 days. Run again after 2026-11-27 08:00 UTC.
summary:
  description: Numbers of the run.
  returned: like RV(trails)
  type: dict
  contains:
    trails:
      description: Number of trails that were meant.
      type: int
      sample: 12
    recorded:
      description: How many were recorded, and not changed.
      type: int
      sample: 0
    stopped:
      description: How many were stopped.
      type: int
      sample: 11
    deleted:
      description: How many were deleted.
      type: int
      sample: 0
    created:
      description: How many were created from their records.
      type: int
      sample: 0
    changed:
      description: How many were brought back to what their records hold, and were there.
      type: int
      sample: 0
    started:
      description: How many were only started.
      type: int
      sample: 0
    waiting:
      description: How many are not stopped for long enough.
      type: int
      sample: 0
    failed:
      description: How many have a problem.
      type: int
      sample: 1
lines:
  description: What to print.
  returned: like RV(trails)
  type: list
  elements: str
  sample: ["12 trails of members: 12 stopped."]
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import TrailArn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import sentence
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.session import (
    ASSUME_ROLE_ARGUMENTS,
    Session,
    connection_of,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage.check import Coverage, check_coverage
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage.options import CoverageOptions
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage.statuses import NOT_COUNTED
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.options import (
    RetireOptions,
    retire_options,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.proof import Place, Seen
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.retire import (
    change_trails,
    failure_of,
    summarize,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.accounts import Account
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.entry import (
    MEMBER_ROLE_ARGUMENTS,
    GivenAccount,
)

ARGUMENTS: dict[str, dict[str, Any]] = {
    **ASSUME_ROLE_ARGUMENTS,
    "organization_trail_arn": {"type": "str"},
    "trail_arns": {"type": "list", "elements": "str"},
    "all_recorded": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["stopped", "absent", "present"], "required": True},
    "record_dir": {"type": "path", "required": True},
    "stopped_days": {"type": "float", "default": 7},
    **MEMBER_ROLE_ARGUMENTS,
    "log_archive_role_arn": {"type": "str"},
    "log_archive_role_external_id": {"type": "str"},
    "unread_buckets": {"type": "list", "elements": "str", "default": []},
    "max_concurrency": {"type": "int", "default": 64},
}
DEADLINE_MINUTES = 60.0


def coverage_of(options: RetireOptions, trail: TrailArn, session_name: str, accounts: Sequence[str]) -> CoverageOptions:
    """The question to the coverage: every region of some accounts. What arrived of them is looked for apart."""
    return CoverageOptions(
        preflight=None,
        trail_arn=trail,
        accounts=[GivenAccount(Account(one, "", "")) for one in accounts],
        regions=[],
        role_name=options.role_name,
        role_arn_pattern=options.role_arn_pattern,
        role_external_id=options.role_external_id,
        assume_role_session_name=session_name,
        trail_changed_at="",
        wait_minutes=0,
        wait_interval=0,
        deadline_minutes=DEADLINE_MINUTES,
        max_concurrency=options.max_concurrency,
        max_processes=1,
        ou_names=False,
        event_history=False,
        log_delivery="none",
        log_archive_role_arn=None,
        log_archive_role_external_id=None,
        output_path=None,
        max_exceptions=0,
        progress_path=None,
    )


def seen_of(found: Coverage, accounts: Sequence[str]) -> Mapping[str, Seen]:
    """What the coverage says of each account; what it does not know is not covered."""
    unknown = dict(found.own_errors)
    if not found.complete:
        unknown = dict.fromkeys(accounts, "The coverage did not come to an end.")
    places: dict[str, list[Place]] = {account: [] for account in accounts}
    for row in found.rows:
        if row.status not in NOT_COUNTED:
            problem = "" if row.status == "covered" else row.reason or row.status
            places[row.account_id].append(Place(row.region, problem))
    return {account: Seen(places[account], unknown.get(account, "")) for account in accounts}


def main() -> None:
    module = AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        options = retire_options(module.params)
        session = Session(connection_of(module))

        def cover(trail: TrailArn, accounts: Sequence[str]) -> Mapping[str, Seen]:
            name = module.params["assume_role_session_name"]
            return seen_of(check_coverage(session, coverage_of(options, trail, name, accounts)), accounts)

        outcomes = change_trails(session, options, cover, check_mode=module.check_mode)
    except AnsibleAWSError as error:
        module.fail_json(msg=sentence(error))
    result = summarize(outcomes, options)
    if failure := failure_of(outcomes, options):
        module.fail_json(msg=failure, **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
