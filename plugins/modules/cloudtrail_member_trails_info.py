#!/usr/bin/python
# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module cloudtrail_member_trails_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudtrail_member_trails_info
version_added: 1.2.0
short_description: Lists trails of members, and what would be lost without each
description:
  - Once an organization trail logs an account, the account's own trail of management events is a second copy, which is
    billed. This module asks each member for its own trails, in one process, and says of each what it logs or serves
    that the organization trail does not.
  - A trail is redundant only where nothing would be lost without it, see RV(member_trails[].redundant). The comparison
    of event selectors errs on one side only. What it cannot tell apart counts as something that would be lost.
  - The trail of O(trail_arn) may still be an account trail that is to become the organization trail. Then nothing is
    redundant yet, and RV(member_trails[].second_copy) and RV(member_trails[].keeps) tell what would be.
  - What fails in one account is in RV(unread). The module itself fails only when nothing at all can be asked.
author:
  - The cloudsec.org_trail maintainers (@cloudsec)
options:
  trail_arn:
    description: ARN of the organization trail, or of the trail that is to become it. Its owner's trails are not listed.
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
        description: Not used; the list is one that M(cloudsec.org_trail.cloudtrail_coverage_info) takes, too.
        type: str
      ou_names:
        description: Not used.
        type: raw
      joined_at:
        description: Not used.
        type: str
      tags:
        description: Not used.
        type: dict
      assume_role_arn:
        description: ARN of the role to assume in this account, instead of O(role_arn_pattern).
        type: str
      assume_role_external_id:
        description: External id for this account, instead of O(role_external_id).
        type: str
  unread_buckets:
    description:
      - Names of buckets of which you know that nobody needs further files in them. They are not searched for readers.
    type: list
    elements: str
    default: []
  costs:
    description:
      - Ask Cost Explorer about the last full month, and tell what second copies cost, as an estimate with its inputs.
      - It is one request for each few thousand rows of accounts and regions, and AWS takes 0.01 USD for each.
      - The caller must be the management account; others are told of their own costs only. Prices are known for the
        partition V(aws).
    type: bool
    default: false
  deadline_minutes:
    description: Stop asking after so many minutes. RV(summary.complete) is then false.
    type: float
    default: 120
  max_concurrency:
    description: Number of calls at the same time.
    type: int
    default: 64
  progress_path:
    description: Append a line every few seconds to this file, on the machine that the module runs on.
    type: path
extends_documentation_fragment:
  - cloudsec.org_trail.assume_role
  - cloudsec.org_trail.member_role
  - amazon.aws.common.modules
  - amazon.aws.region.modules
notes:
  - "IAM actions: the caller needs C(sts:AssumeRole) on the roles, and C(cloudtrail:GetTrail),
    C(cloudtrail:GetTrailStatus), C(cloudtrail:GetEventSelectors), C(cloudtrail:GetInsightSelectors) and
    C(cloudtrail:GetEventConfiguration) of the trail; without O(accounts) C(organizations:ListAccounts) and
    C(organizations:DescribeOrganization). The roles need C(cloudtrail:ListTrails), C(cloudtrail:GetTrail),
    C(cloudtrail:GetTrailStatus), C(cloudtrail:GetEventSelectors), C(cloudtrail:GetInsightSelectors),
    C(cloudtrail:GetEventConfiguration) and C(cloudtrail:ListTags)."
  - "IAM actions only where a trail's own bucket is searched for readers, because nothing else would be lost:
    C(s3:GetBucketPolicy), C(s3:GetBucketNotification) and C(s3:GetReplicationConfiguration) of the roles. Where they
    are denied the trail is not redundant."
  - "IAM actions only with O(costs): C(ce:GetCostAndUsage) of the caller. Without it, or where Cost Explorer was never
    enabled, RV(costs.problem) says why nothing is known."
  - Who reads a bucket by a policy of its own, such as a role of the same account, is not told by the bucket.
seealso:
  - name: Managing CloudTrail trail costs
    description: What a second copy costs.
    link: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-trail-manage-costs.html
  - name: Viewing your CloudTrail cost and usage with AWS Cost Explorer
    description: The usage types that O(costs) reads.
    link: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-costs.html
  - module: cloudsec.org_trail.cloudtrail_coverage_info
attributes:
  check_mode:
    description: Changes nothing, so check mode is no different.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
"""

EXAMPLES = r"""
- name: Look for trails that nobody needs any more
  cloudsec.org_trail.cloudtrail_member_trails_info:
    trail_arn: arn:aws:cloudtrail:us-east-1:111122223333:trail/default
  register: result

- name: Show them
  ansible.builtin.debug:
    msg: "{{ result.member_trails | selectattr('redundant') | map(attribute='arn') }}"

- name: Tell what second copies cost, too
  cloudsec.org_trail.cloudtrail_member_trails_info:
    trail_arn: arn:aws:cloudtrail:us-east-1:111122223333:trail/default
    costs: true
"""

RETURN = r"""
organization_trail:
  description: The trail that the others were compared with.
  returned: success
  type: dict
  contains:
    arn:
      description: Its ARN.
      type: str
      sample: arn:aws:cloudtrail:us-east-1:111122223333:trail/default
    is_organization_trail:
      description: Whether it is an organization trail already.
      type: bool
      sample: true
    is_logging:
      description: Whether it logs.
      type: bool
      sample: true
    management_events:
      description: Which management events it logs, in words.
      type: str
      sample: all management events
member_trails:
  description: Members' own trails, sorted by account and ARN.
  returned: success
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
    arn:
      description: ARN of the trail.
      type: str
      sample: arn:aws:cloudtrail:us-east-1:444455556666:trail/team
    home_region:
      description: Its home region.
      type: str
      sample: us-east-1
    is_multi_region_trail:
      description: Whether it logs all regions.
      type: bool
      sample: true
    is_logging:
      description: Whether it logs at present.
      type: bool
      sample: true
    s3_bucket_name:
      description: The bucket that it writes to.
      type: str
      sample: team-logs
    management_events:
      description: Which management events it logs, in words.
      type: str
      sample: all management events
    second_copy:
      description: Whether it logs management events that the other trail logs, too, or would as an organization trail.
      type: bool
      sample: true
    redundant:
      description: Whether nothing would be lost without it, beside an organization trail that logs.
      type: bool
      sample: false
    keeps:
      description: What would be lost without it.
      type: list
      elements: dict
      contains:
        kind:
          description: V(regions), V(global_service_events), V(management_events), V(data_events),
            V(network_activity_events), V(other_events), V(insights), V(aggregations), V(log_file_validation),
            V(log_group), V(topic), V(bucket_readers) or V(bucket_unread), which is a bucket that could not be searched.
          type: str
          sample: data_events
        text:
          description: It in words.
          type: str
          sample: data events of AWS::S3::Object
    owner:
      description: Whose trail it is by its tags or its name. Absent where neither tells.
      type: dict
      contains:
        kind:
          description: V(cloudformation_stack), V(stack_set), V(terraform) or V(tool).
          type: str
          sample: stack_set
        name:
          description: Name of the stack, the stack set or the tool.
          type: str
          sample: baseline-trail
        stack_id:
          description: ARN of the stack, where it is one's.
          type: str
          sample: arn:aws:cloudformation:us-east-1:444455556666:stack/StackSet-baseline-trail/0a1b2c3d
    monthly_events:
      description:
        - How many management events a month it logs a second time, at most. It is the number of the account's first
          copies in the last full month, of all regions and kinds; a trail of one region or of some events logs fewer.
        - V(0) for a trail that does not log, or logs no such events. Absent where Cost Explorer tells nothing of the
          account.
      type: int
      sample: 1250000
    monthly_usd:
      description: What they cost at AWS's list price, in USD. Absent with RV(member_trails[].monthly_events).
      type: float
      sample: 25.0
unread:
  description: The accounts that could not be looked at, or not all of their trails, sorted by id.
  returned: success
  type: list
  elements: dict
  contains:
    account_id:
      description: Id of the account.
      type: str
      sample: "777788889999"
    account_name:
      description: Name of the account.
      type: str
      sample: Sandbox
    reason:
      description: Why, in one sentence.
      type: str
      sample: "cloudtrail:ListTrails 777788889999: Access denied (AccessDeniedException)."
summary:
  description: Numbers of the run.
  returned: success
  type: dict
  contains:
    accounts:
      description: Number of members that were to be asked.
      type: int
      sample: 1000
    unread:
      description: How many of them could not be looked at, or not all of their trails.
      type: int
      sample: 2
    accounts_with_trails:
      description: How many have trails of their own.
      type: int
      sample: 300
    trails:
      description: How many trails these are.
      type: int
      sample: 300
    second_copies:
      description: How many of them are copies that are billed, or would be.
      type: int
      sample: 275
    redundant:
      description: How many of them are redundant.
      type: int
      sample: 150
    redundant_of_others:
      description: How many of the redundant ones belong to a stack or a tool, which would make them again.
      type: int
      sample: 50
    calls:
      description: Number of calls to AWS for the trails, with those that were tried again.
      type: int
      sample: 3298
    seconds:
      description: How long it took.
      type: float
      sample: 9.4
    complete:
      description: Whether all were asked.
      type: bool
      sample: true
lines:
  description: What to print.
  returned: success
  type: list
  elements: str
  sample:
    - 300 trails of members' own in 300 accounts (999 members asked).
    - 275 of them log events twice; 175 are redundant, 50 of which belong to a stack or a tool.
costs:
  description: What second copies cost, an estimate by the last full month, and its inputs.
  returned: with O(costs)
  type: dict
  contains:
    month:
      description: The month.
      type: str
      sample: 2026-10
    problem:
      description: Why nothing is known, in one sentence. Nothing but RV(costs.month) stands beside it then.
      type: str
      sample: "Failed to get cost and usage: Access denied."
    estimated:
      description: Whether AWS may still correct the month's figures.
      type: bool
      sample: false
    usd_per_100000_events:
      description: The price of a paid copy that was reckoned with.
      type: float
      sample: 2.0
    paid_events:
      description: How many management events AWS billed as further copies in that month, where accounts have trails.
      type: int
      sample: 1200000
    paid_usd:
      description: What it took for them, in USD.
      type: float
      sample: 24.0
    monthly_events:
      description: The sum of RV(member_trails[].monthly_events).
      type: int
      sample: 1250000
    monthly_usd:
      description: The sum of RV(member_trails[].monthly_usd). Before a conversion it is what would be billed.
      type: float
      sample: 25.0
    redundant_monthly_usd:
      description: How much of it is for redundant trails.
      type: float
      sample: 25.0
    trails_without_figures:
      description: Number of trails of which nobody knows what they cost; the sums are without them.
      type: int
      sample: 0
    accounts:
      description: The same of each account that has trails of its own, sorted by id.
      type: list
      elements: dict
      contains:
        account_id:
          description: Id of the account.
          type: str
          sample: "444455556666"
        paid_events:
          description: How many management events AWS billed as further copies in that month.
          type: int
          sample: 1200000
        paid_usd:
          description: What it took for them, in USD.
          type: float
          sample: 24.0
        monthly_events:
          description: The sum of RV(member_trails[].monthly_events).
          type: int
          sample: 1250000
        monthly_usd:
          description: The sum of RV(member_trails[].monthly_usd). Before a conversion it is what would be billed.
          type: float
          sample: 25.0
        redundant_monthly_usd:
          description: How much of it is for redundant trails.
          type: float
          sample: 25.0
        trails_without_figures:
          description: Number of trails of which nobody knows what they cost; the sums are without them.
          type: int
          sample: 0
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
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.find import (
    find_member_trails,
    summarize,
    warnings_of,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.options import trails_options
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.entry import MEMBER_ROLE_ARGUMENTS

ACCOUNT: dict[str, dict[str, Any]] = {
    "id": {"type": "str", "required": True},
    "name": {"type": "str"},
    "state": {"type": "str"},
    "ou_path": {"type": "str"},
    "ou_names": {"type": "raw"},
    "joined_at": {"type": "str"},
    "tags": {"type": "dict"},
    "assume_role_arn": {"type": "str"},
    "assume_role_external_id": {"type": "str"},
}
ARGUMENTS: dict[str, dict[str, Any]] = {
    **ASSUME_ROLE_ARGUMENTS,
    "trail_arn": {"type": "str", "required": True},
    "accounts": {"type": "list", "elements": "dict", "options": ACCOUNT},
    **MEMBER_ROLE_ARGUMENTS,
    "unread_buckets": {"type": "list", "elements": "str", "default": []},
    "costs": {"type": "bool", "default": False},
    "deadline_minutes": {"type": "float", "default": 120},
    "max_concurrency": {"type": "int", "default": 64},
    "progress_path": {"type": "path"},
}


def main() -> None:
    module = AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        options = trails_options(module.params)
        found = find_member_trails(Session(connection_of(module)), options)
    except AnsibleAWSError as error:
        module.fail_json(msg=sentence(error))
    for warning in warnings_of(found):
        warn(printable(warning))
    module.exit_json(**summarize(found))


if __name__ == "__main__":
    main()
