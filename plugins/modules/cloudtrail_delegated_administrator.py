#!/usr/bin/python
# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module cloudtrail_delegated_administrator."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudtrail_delegated_administrator
version_added: 1.2.0
short_description: Registers a member account as delegated administrator of AWS CloudTrail, or takes that away
description:
  - Registers a member of the organization as CloudTrail's delegated administrator. From then on it may create, update,
    start, stop and delete organization trails, which stay the management account's, so that nobody has to enter that
    account for them. It may not turn an account trail into an organization trail or the reverse, turn trusted access
    on, or register others.
  - CloudTrail then also makes its two service-linked roles in the management account, without which a delegated
    administrator is refused.
  - With O(state=absent) no trail is deleted, stopped or changed.
  - Refuses before the first write what AWS would refuse - the management account itself, an account of another
    organization, one that is not active, a fourth administrator, and trusted access that is off.
  - Runs with credentials of the management account, in any region; with O(state=proven) with those of the member.
author:
  - The cloudsec.org_trail maintainers (@cloudsec)
options:
  member_account_id:
    description:
      - Id of the member account, 12 digits. It is not O(account_id), which is the account to work in.
    type: str
    required: true
  state:
    description:
      - Whether the member is a delegated administrator of CloudTrail.
      - V(proven) registers nobody. It proves with the member's own credentials that it is one, sees O(trail_arn), and
        may change it. For this it calls C(StartLogging), which does nothing to a trail that logs; not in check mode.
    type: str
    choices: [present, absent, proven]
    default: present
  exclusive:
    description:
      - With O(state=present), deregister every other delegated administrator of CloudTrail, before the member is
        registered.
    type: bool
    default: false
  trusted_access_follows:
    description:
      - Do not refuse because trusted access is still off. For check mode in a play whose other tasks turn it on.
    type: bool
    default: false
  trail_arn:
    description:
      - ARN of the organization trail. Required with O(state=proven).
    type: str
  propagation_timeout:
    description:
      - How long to wait, in seconds, with O(state=proven), until CloudTrail knows a new administrator. V(0) does not
        wait.
    type: int
    default: 120
extends_documentation_fragment:
  - cloudsec.org_trail.assume_role
  - amazon.aws.common.modules
  - amazon.aws.region.modules
notes:
  - "IAM actions: C(organizations:DescribeOrganization), C(organizations:DescribeAccount),
    C(organizations:ListDelegatedAdministrators), C(organizations:ListAWSServiceAccessForOrganization) and
    C(iam:GetRole) always; to register C(cloudtrail:RegisterOrganizationDelegatedAdmin),
    C(organizations:RegisterDelegatedAdministrator), and C(iam:CreateServiceLinkedRole) for
    C(cloudtrail.amazonaws.com) and C(context.cloudtrail.amazonaws.com)."
  - "IAM actions only with O(state=absent): C(cloudtrail:DeregisterOrganizationDelegatedAdmin) and
    C(organizations:DeregisterDelegatedAdministrator), with O(exclusive), too."
  - "IAM actions only with O(state=proven), in the member: C(organizations:ListDelegatedAdministrators),
    C(cloudtrail:DescribeTrails), C(cloudtrail:GetTrailStatus) and C(cloudtrail:StartLogging)."
seealso:
  - name: Organization delegated administrator
    description: What a delegated administrator of CloudTrail may and may not do.
    link: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-delegated-administrator.html
  - name: RegisterOrganizationDelegatedAdmin
    description: The call that registers it.
    link: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_RegisterOrganizationDelegatedAdmin.html
  - module: cloudsec.org_trail.organizations_service_access
  - module: cloudsec.org_trail.cloudtrail_organization_trail
attributes:
  check_mode:
    description: Can run in check mode and returns the result that the run would have.
    support: full
  diff_mode:
    description: Returns the delegated administrators and the service-linked roles before and after.
    support: full
"""

EXAMPLES = r"""
- name: Let SecurityAudit administer the organization trail
  cloudsec.org_trail.cloudtrail_delegated_administrator:
    member_account_id: "444455556666"

- name: Prove it with keys of SecurityAudit
  cloudsec.org_trail.cloudtrail_delegated_administrator:
    member_account_id: "444455556666"
    state: proven
    trail_arn: arn:aws:cloudtrail:us-east-1:111122223333:trail/default
    assume_role_arn: arn:aws:iam::444455556666:role/OrgTrailAdministrator

- name: Take it away again, with a role in the management account; the trail stays as it is
  cloudsec.org_trail.cloudtrail_delegated_administrator:
    member_account_id: "444455556666"
    state: absent
    assume_role_arn: arn:aws:iam::111122223333:role/OrgTrailManagement
"""

RETURN = r"""
caller_account_id:
  description: Id of the account whose credentials proved it.
  returned: with O(state=proven)
  type: str
  sample: "444455556666"
sees_trail:
  description: That the account sees the organization trail.
  returned: with O(state=proven)
  type: bool
  sample: true
may_change:
  description: That CloudTrail took a change of the account.
  returned: with O(state=proven), but in check mode
  type: bool
  sample: true
delegated_administrators:
  description: All delegated administrators of CloudTrail after the run, sorted by account.
  returned: with O(state=present) and O(state=absent)
  type: list
  elements: dict
  contains:
    account_id:
      description: Id of the account.
      type: str
      sample: "444455556666"
    name:
      description: Name of the account.
      type: str
      sample: SecurityAudit
service_linked_roles:
  description: CloudTrail's service-linked roles in the management account after the run.
  returned: with O(state=present) and O(state=absent)
  type: list
  elements: dict
  contains:
    name:
      description: Name of the role.
      type: str
      sample: AWSServiceRoleForCloudTrail
    exists:
      description: Whether the account has it.
      type: bool
      sample: true
organization:
  description: The organization that the caller belongs to.
  returned: with O(state=present) and O(state=absent)
  type: dict
  contains:
    id:
      description: Id of the organization.
      type: str
      sample: o-exampleorgid
    feature_set:
      description: V(ALL) or V(CONSOLIDATED_BILLING).
      type: str
      sample: ALL
    management_account_id:
      description: Id of the management account.
      type: str
      sample: "111122223333"
"""

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import possible_trail_arn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import sentence
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.session import (
    ASSUME_ROLE_ARGUMENTS,
    Session,
    connection_of,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.delegated_administrator import (
    Wanted,
    describe_administration,
    ensure_administrator,
    summarize,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.proof import prove
from ansible_collections.cloudsec.org_trail.plugins.module_utils._work.options import options_of

ARGUMENTS: dict[str, dict[str, object]] = {
    **ASSUME_ROLE_ARGUMENTS,
    "member_account_id": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent", "proven"], "default": "present"},
    "exclusive": {"type": "bool", "default": False},
    "trusted_access_follows": {"type": "bool", "default": False},
    "trail_arn": {"type": "str"},
    "propagation_timeout": {"type": "int", "default": 120},
}


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec=ARGUMENTS, supports_check_mode=True, required_if=[("state", "proven", ["trail_arn"])]
    )
    wanted = options_of(Wanted, module.params)
    try:
        arn = possible_trail_arn(module.params["trail_arn"]) if wanted.state == "proven" else None
        session = Session(connection_of(module))
        if arn:
            proof = prove(session, arn, module.params["propagation_timeout"], module.check_mode)
            module.exit_json(changed=False, **proof)
        before = describe_administration(session, wanted)
        after = ensure_administrator(session, before, wanted, module.check_mode)
    except ValueError as error:
        module.fail_json(msg=str(error))
    except AnsibleAWSError as error:
        module.fail_json(msg=sentence(error))
    module.exit_json(**summarize(before, after))


if __name__ == "__main__":
    main()
