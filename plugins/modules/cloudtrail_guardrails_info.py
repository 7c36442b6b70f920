#!/usr/bin/python
# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module cloudtrail_guardrails_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudtrail_guardrails_info
version_added: 1.2.0
short_description: Builds the guardrails of an organization trail and proves whom they bind
description:
  - Builds the service control policies (SCP) and the resource control policy (RCP) that keep members from weakening the
    organization trail, its log bucket and the bucket's key. M(cloudsec.org_trail.organizations_policy) writes them, the
    role R(cloudsec.org_trail.guardrails, ansible_collections.cloudsec.org_trail.guardrails_role) does it all.
  - Judges them before they are written. Every role that keeps the trail must still be allowed what C(docs/iam) lists
    for it, and CloudTrail its own requests. Who would be locked out is in RV(lockout), and then nothing is proved.
  - Proves in chosen accounts what is denied, by calls that change nothing whether they are denied or not. These are
    C(cloudtrail:StopLogging) of a trail C(org-trail-guardrails-probe), which nobody has; in the log archive
    C(s3:PutBucketPolicy) with a text that is no policy, which S3 refuses as malformed, and C(s3:DeleteObjectVersion) of
    an object that nobody has; and C(kms:PutKeyPolicy) with a text that is no policy, which KMS refuses as malformed.
  - The resource control policy is proved by no call, because it denies only who is outside the organization.
  - Changes nothing. Runs with credentials of the management account.
author:
  - The cloudsec.org_trail maintainers (@cloudsec)
options:
  trail_arn:
    description:
      - ARN of the organization trail.
    type: str
    required: true
  log_bucket:
    description:
      - Name of the bucket that the trail writes to.
    type: str
    required: true
  log_bucket_account_id:
    description:
      - Id of the account that the bucket belongs to, which must be a member. Quote it in YAML.
    type: str
    required: true
  s3_key_prefix:
    description:
      - The trail's key prefix.
    type: str
    default: ""
  kms_key_arn:
    description:
      - ARN of the KMS key that the trail encrypts with. A key of the management account cannot be guarded.
    type: str
    default: ""
  name_prefix:
    description:
      - What the names of the policies begin with.
    type: str
    default: org-trail
  exempt_principal_arns:
    description:
      - ARNs of the IAM roles and users that the guardrails spare, as IAM has them, with their path; V(*) and V(?) are
        wildcards in a name. The role that repairs the log bucket is one of them.
      - Nobody is spared in leaving the organization and in deleting CloudTrail's service-linked roles.
      - Nobody but they may make or change one of them, because who may do that could act as one of them. Name what
        deploys these roles, too.
    type: list
    elements: str
    default: []
  coverage_role_name:
    description:
      - Name of the role by which the coverage enters members. It cannot be changed there.
    type: str
    default: OrganizationAccountAccessRole
  member_trails:
    description:
      - Also guard members' own trails. Otherwise only the organization trail is.
    type: bool
    default: true
  regions:
    description:
      - Deny members to disable regions.
    type: bool
    default: true
  watch_rule_names:
    description:
      - Names of the EventBridge rules that watch the trail; V(*) is a wildcard.
    type: list
    elements: str
    default: []
  watch_queue_names:
    description:
      - Names of the queues that their events go to; V(*) is a wildcard.
    type: list
    elements: str
    default: []
  repair_role_arn:
    description:
      - ARN of the role that repairs the log bucket. It must go on working.
    type: str
    required: true
  lookup_role_arn:
    description:
      - ARN of the role that looks at the log bucket. It must go on working.
    type: str
    default: ""
  delegated_administrator_role_arns:
    description:
      - ARNs of the roles with which a delegated administrator changes the trail. They must go on working.
    type: list
    elements: str
    default: []
  member_trails_role_name:
    description:
      - Name of the role in members that retires their trails. It must go on working.
    type: str
    default: ""
  watch_role_name:
    description:
      - Name of the role in members that sets up rules and queues. It must go on working.
    type: str
    default: ""
  attached_to:
    description:
      - Ids of what the policies for members are attached to. With it the accounts that stand below none of them are in
        RV(outside).
    type: list
    elements: str
  policy_arns:
    description:
      - ARNs of the policies, to tell them from other policies that deny. Without it each one counts as ours.
    type: list
    elements: str
    default: []
  prove_in_accounts:
    description:
      - Accounts to prove the guardrails in. The bucket's account is asked for the bucket, too.
    type: list
    elements: dict
    default: []
    suboptions:
      id:
        description: Id of the account. Quote it in YAML.
        type: str
        required: true
      assume_role_arn:
        description: ARN of a role in this account that is not exempt. It needs no permission at all.
        type: str
        required: true
      assume_role_external_id:
        description: External id that the role's trust policy asks for.
        type: str
  proof_timeout:
    description:
      - Ask again, for so many seconds, where a call was not denied, because a policy that was attached a moment ago may
        not count yet.
    type: float
    default: 0
extends_documentation_fragment:
  - cloudsec.org_trail.assume_role
  - amazon.aws.common.modules
  - amazon.aws.region.modules
notes:
  - "IAM actions: C(organizations:DescribeOrganization), C(organizations:ListPolicies); with O(attached_to)
    C(organizations:ListAccounts), C(organizations:ListPoliciesForTarget) and C(organizations:DescribePolicy), with
    O(prove_in_accounts) C(sts:AssumeRole) on its roles."
seealso:
  - module: cloudsec.org_trail.organizations_policy
  - name: Service control policies
    description: What they bind and what they do not.
    link: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
attributes:
  check_mode:
    description: Can run in check mode, and changes nothing in any mode.
    support: full
  diff_mode:
    description: Changes nothing.
    support: none
"""

EXAMPLES = r"""
- name: Build the guardrails, and see whom they would lock out
  cloudsec.org_trail.cloudtrail_guardrails_info:
    trail_arn: arn:aws:cloudtrail:us-east-1:111122223333:trail/default
    log_bucket: aws-cloudtrail-logs-444455556666-0a1b2c3d
    log_bucket_account_id: "444455556666"
    repair_role_arn: arn:aws:iam::444455556666:role/OrgTrailLogArchiveRepair
    exempt_principal_arns: [arn:aws:iam::444455556666:role/OrgTrailLogArchiveRepair]
  register: guardrails

- name: Prove that they bind an account
  cloudsec.org_trail.cloudtrail_guardrails_info:
    trail_arn: arn:aws:cloudtrail:us-east-1:111122223333:trail/default
    log_bucket: aws-cloudtrail-logs-444455556666-0a1b2c3d
    log_bucket_account_id: "444455556666"
    repair_role_arn: arn:aws:iam::444455556666:role/OrgTrailLogArchiveRepair
    exempt_principal_arns: [arn:aws:iam::444455556666:role/OrgTrailLogArchiveRepair]
    prove_in_accounts:
      - id: "777788889999"
        assume_role_arn: arn:aws:iam::777788889999:role/OrganizationAccountAccessRole
"""

RETURN = r"""
policies:
  description: The policies, as few as AWS's limits of size allow.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the policy.
      type: str
      sample: org-trail-members
    type:
      description: Type of the policy.
      type: str
      sample: service_control_policy
    scope:
      description: Whom it binds, V(members) or V(log_archive), or what, V(resources).
      type: str
      sample: members
    accounts:
      description: Ids of the accounts that it is for; empty for one that is for all members.
      type: list
      elements: str
      sample: []
    content:
      description: The policy document.
      type: dict
      sample: {Version: "2012-10-17", Statement: []}
    characters:
      description: Number of its characters without white space.
      type: int
      sample: 1720
    limit:
      description: AWS's limit.
      type: int
      sample: 10240
existing:
  description: The policies of the organization that have such a name, whether they are still needed or not.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the policy.
      type: str
      sample: org-trail-members
    type:
      description: Type of the policy.
      type: str
      sample: service_control_policy
lockout:
  description: Who would be locked out.
  returned: success
  type: list
  elements: dict
  contains:
    who:
      description: What the role is for.
      type: str
      sample: the role that repairs the log bucket
    principal:
      description: ARN of the role, or CloudTrail.
      type: str
      sample: arn:aws:iam::444455556666:role/OrgTrailLogArchiveRepair
    actions:
      description: What it would be denied.
      type: list
      elements: str
      sample: [s3:PutBucketPolicy]
    policy:
      description: Name of the policy that would deny it.
      type: str
      sample: org-trail-log-archive
    statement:
      description: Sid of the statement.
      type: str
      sample: OrgTrailKeepBucket
    sentence:
      description: All of this as a sentence, with what to do.
      type: str
      sample: The guardrail org-trail-log-archive would deny s3:PutBucketPolicy to …
proof:
  description: What each call in each account showed.
  returned: success
  type: list
  elements: dict
  contains:
    account_id:
      description: Id of the account.
      type: str
      sample: "777788889999"
    statement:
      description: Sid of the statement that is proved.
      type: str
      sample: OrgTrailKeepTrail
    action:
      description: Action of the call.
      type: str
      sample: cloudtrail:StopLogging
    status:
      description:
        - V(bound), denied by one of the policies; V(bound_unnamed), denied by a policy that AWS's answer does not name;
          V(bound_by_other), denied by another policy; V(not_bound), denied by none; V(exempt), the role is spared, so
          that nothing is proved; V(unknown), the account could not be asked.
      type: str
      sample: bound
    policy_arn:
      description: ARN of the policy that AWS's answer names; empty where it names none.
      type: str
      sample: arn:aws:organizations::111122223333:policy/o-exampleorgid/service_control_policy/p-examplepolicyid1
    reason:
      description: AWS's answer where no policy is named.
      type: str
      sample: ""
summary:
  description: The accounts by what was proved in them.
  returned: success
  type: dict
  contains:
    bound:
      description: Accounts in which one of the policies denied every call.
      type: list
      elements: str
      sample: ["777788889999"]
    denied:
      description:
        - Accounts in which every call was denied, but some by another policy of the organization, or by one that AWS's
          answer does not name. That these policies bind there is not proved.
      type: list
      elements: str
      sample: []
    not_bound:
      description: Accounts in which a call was not.
      type: list
      elements: str
      sample: []
    unknown:
      description: Accounts that could not be asked.
      type: list
      elements: str
      sample: []
outside:
  description: Active accounts below none of O(attached_to). Empty without it.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Id of the account.
      type: str
      sample: "777788889999"
    name:
      description: Name of the account.
      type: str
      sample: Sandbox
guarded_by:
  description:
    - What other service control policies, such as those of Control Tower, deny already in the log bucket's account, of
      what the guardrails deny there. They are only read. Empty without O(attached_to).
  returned: success
  type: list
  elements: dict
  contains:
    policy_id:
      description: Id of the other policy.
      type: str
      sample: p-examplepolicyid2
    policy_name:
      description: Name of the other policy.
      type: str
      sample: aws-guardrails-AbCdEf
    target:
      description: Id of the root, OU or account that it is attached to.
      type: str
      sample: ou-abcd-11111111
    statement:
      description: Sid of the statement of the guardrails that denies the same.
      type: str
      sample: OrgTrailKeepBucket
    actions:
      description: What it denies of that statement.
      type: list
      elements: str
      sample: [s3:DeleteBucket]
"""

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import sentence
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.session import (
    ASSUME_ROLE_ARGUMENTS,
    Session,
    connection_of,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._guardrails.describe import (
    describe_guardrails,
    guardrail_options,
)

TEXT: dict[str, object] = {"type": "str", "default": ""}
TEXTS: dict[str, object] = {"type": "list", "elements": "str", "default": []}
MEMBER: dict[str, dict[str, object]] = {
    "id": {"type": "str", "required": True},
    "assume_role_arn": {"type": "str", "required": True},
    "assume_role_external_id": {"type": "str"},
}
ARGUMENTS: dict[str, dict[str, object]] = {
    **ASSUME_ROLE_ARGUMENTS,
    "trail_arn": {"type": "str", "required": True},
    "log_bucket": {"type": "str", "required": True},
    "log_bucket_account_id": {"type": "str", "required": True},
    "s3_key_prefix": {"type": "str", "default": "", "no_log": False},
    "kms_key_arn": {"type": "str", "default": "", "no_log": False},
    "name_prefix": {"type": "str", "default": "org-trail"},
    "exempt_principal_arns": TEXTS,
    "coverage_role_name": {"type": "str", "default": "OrganizationAccountAccessRole"},
    "member_trails": {"type": "bool", "default": True},
    "regions": {"type": "bool", "default": True},
    "watch_rule_names": TEXTS,
    "watch_queue_names": TEXTS,
    "repair_role_arn": {"type": "str", "required": True},
    "lookup_role_arn": TEXT,
    "delegated_administrator_role_arns": TEXTS,
    "member_trails_role_name": TEXT,
    "watch_role_name": TEXT,
    "attached_to": {"type": "list", "elements": "str"},
    "policy_arns": TEXTS,
    "prove_in_accounts": {"type": "list", "elements": "dict", "default": [], "options": MEMBER},
    "proof_timeout": {"type": "float", "default": 0},
}


def main() -> None:
    module = AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        options = guardrail_options(module.params)
        result = describe_guardrails(Session(connection_of(module)), options)
    except AnsibleAWSError as error:
        module.fail_json(msg=sentence(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
