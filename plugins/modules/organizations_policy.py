#!/usr/bin/python
# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module organizations_policy."""

from __future__ import annotations

DOCUMENTATION = r"""
module: organizations_policy
version_added: 1.2.0
short_description: Manages a service or resource control policy and where it is attached
description:
  - Creates, updates, attaches, detaches and deletes one service control policy (SCP) or resource control policy (RCP)
    of the organization.
  - The policies that it manages have the tag C(ManagedBy=cloudsec.org_trail). One of the same name without that tag,
    one of AWS and those of Control Tower, C(aws-guardrails-*), are refused and left alone.
  - The content is compared by its meaning and sent without white space, which AWS counts. Sizes and numbers of
    attachments beyond AWS's limits are refused before the first write.
  - New attachments are made before others are taken away, so that nothing is unguarded in between. An update counts at
    once wherever the policy is attached.
  - Runs with credentials of the management account, in any region.
author:
  - The cloudsec.org_trail maintainers (@cloudsec)
options:
  name:
    description:
      - Name of the policy.
    type: str
    required: true
  type:
    description:
      - Type of the policy.
    type: str
    choices: [service_control_policy, resource_control_policy]
    default: service_control_policy
  content:
    description:
      - The policy document. Required with O(state=present).
    type: dict
  targets:
    description:
      - What the policy is attached to. The id of an account, an OU or the root, the path of an OU by the names that
        lead to it from the root, such as V(Workloads/Production), or V(root).
      - Without it attachments are left as they are.
    type: list
    elements: str
  purge_targets:
    description:
      - Whether to detach the policy from what O(targets) does not name.
    type: bool
    default: true
  description:
    description:
      - Description of the policy.
    type: str
    default: Managed by cloudsec.org_trail.
  tags:
    description:
      - Tags to add to the policy, beside C(ManagedBy). Other tags are left as they are.
    type: dict
    default: {}
  enable_type:
    description:
      - Enable the policy type in the organization when it is not, and wait until AWS has done so.
      - Nothing is denied by that. AWS attaches a policy of its own that allows everything to the root and all OUs and
        accounts.
    type: bool
    default: false
  enable_type_timeout:
    description:
      - How long to wait for that, in seconds.
    type: float
    default: 120
  state:
    description:
      - V(absent) detaches the policy from everything and deletes it.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - cloudsec.org_trail.assume_role
  - amazon.aws.common.modules
  - amazon.aws.region.modules
notes:
  - "IAM actions: C(organizations:DescribeOrganization), C(organizations:ListRoots), C(organizations:ListPolicies),
    C(organizations:DescribePolicy), C(organizations:ListTargetsForPolicy), C(organizations:ListTagsForResource),
    C(organizations:ListPoliciesForTarget), C(organizations:CreatePolicy), C(organizations:UpdatePolicy),
    C(organizations:TagResource), C(organizations:AttachPolicy), C(organizations:DetachPolicy)."
  - "IAM actions only with some options: C(organizations:DescribeAccount) and
    C(organizations:ListOrganizationalUnitsForParent) for targets that are accounts or OUs,
    C(organizations:EnablePolicyType) with O(enable_type), C(organizations:DeletePolicy) with O(state=absent)."
seealso:
  - name: Service control policies
    description: What they bind and what they do not.
    link: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
  - name: Resource control policies
    description: The services whose resources they bind, and how they are written.
    link: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
attributes:
  check_mode:
    description: Can run in check mode and returns the result that the run would have.
    support: full
  diff_mode:
    description: Returns the statements, the description, the tags and the targets before and after.
    support: full
"""

EXAMPLES = r"""
- name: Nobody leaves the organization
  cloudsec.org_trail.organizations_policy:
    name: org-trail-members
    content:
      Version: "2012-10-17"
      Statement:
        - Sid: KeepMembership
          Effect: Deny
          Action: organizations:LeaveOrganization
          Resource: "*"
    targets: [root]

- name: Take the policy away again
  cloudsec.org_trail.organizations_policy:
    name: org-trail-members
    state: absent
"""

RETURN = r"""
policy:
  description: The policy after the run; empty when it is absent.
  returned: success
  type: dict
  contains:
    id:
      description: Id of the policy; empty in check mode for one that would be created.
      type: str
      sample: p-examplepolicyid1
    arn:
      description: ARN of the policy.
      type: str
      sample: arn:aws:organizations::111122223333:policy/o-exampleorgid/service_control_policy/p-examplepolicyid1
    name:
      description: Name of the policy.
      type: str
      sample: org-trail-members
    type:
      description: Type of the policy.
      type: str
      sample: service_control_policy
    description:
      description: Description of the policy.
      type: str
      sample: Managed by cloudsec.org_trail.
    content:
      description: The policy document.
      type: dict
      sample: {Version: "2012-10-17", Statement: []}
    tags:
      description: Tags of the policy.
      type: dict
      sample: {ManagedBy: cloudsec.org_trail}
targets:
  description: Ids of what the policy is attached to after the run, sorted.
  returned: success
  type: list
  elements: str
  sample: [r-abcd]
attached:
  description: Ids of what the run attached the policy to.
  returned: success
  type: list
  elements: str
  sample: [r-abcd]
detached:
  description: Ids of what the run detached the policy from.
  returned: success
  type: list
  elements: str
  sample: [ou-abcd-11111111]
type_enabled:
  description: Whether the run enabled the policy type.
  returned: success
  type: bool
  sample: false
size:
  description: Size of the policy document without white space.
  returned: success
  type: dict
  contains:
    characters:
      description: Number of its characters.
      type: int
      sample: 912
    limit:
      description: AWS's limit.
      type: int
      sample: 10240
"""

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import sentence
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.session import (
    ASSUME_ROLE_ARGUMENTS,
    Session,
    connection_of,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.policies import Wanted
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.policy_change import ensure_policy
from ansible_collections.cloudsec.org_trail.plugins.module_utils._work.options import options_of

TYPES = ["service_control_policy", "resource_control_policy"]
ARGUMENTS: dict[str, dict[str, object]] = {
    **ASSUME_ROLE_ARGUMENTS,
    "name": {"type": "str", "required": True},
    "type": {"type": "str", "choices": TYPES, "default": "service_control_policy"},
    "content": {"type": "dict"},
    "targets": {"type": "list", "elements": "str"},
    "purge_targets": {"type": "bool", "default": True},
    "description": {"type": "str", "default": "Managed by cloudsec.org_trail."},
    "tags": {"type": "dict", "default": {}},
    "enable_type": {"type": "bool", "default": False},
    "enable_type_timeout": {"type": "float", "default": 120},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec=ARGUMENTS,
        required_if=[("state", "present", ["content"])],
        supports_check_mode=True,
    )
    targets = module.params["targets"]
    wanted = options_of(Wanted, module.params, targets=None if targets is None else tuple(targets))
    try:
        session = Session(connection_of(module))
        result = ensure_policy(session, wanted, module.check_mode)
    except AnsibleAWSError as error:
        module.fail_json(msg=sentence(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
