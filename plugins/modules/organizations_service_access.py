#!/usr/bin/python
# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module organizations_service_access."""

from __future__ import annotations

DOCUMENTATION = r"""
module: organizations_service_access
version_added: 1.0.0
short_description: Turns trusted access of an AWS service to the organization on or off
description:
  - Turns on trusted access of one AWS service to the whole organization, by default of AWS CloudTrail, whose
    organization trails need it.
  - Turning it off for CloudTrail deletes the trail in every member account and turns each organization trail into an
    account trail; turning it on again restores none of that. With O(state=absent) the module therefore refuses while
    organization trails or organization event data stores exist, unless O(allow_trail_downgrade=true).
  - Runs with credentials of the management account, in any region.
author:
  - The cloudsec.org_trail maintainers (@cloudsec)
options:
  service_principal:
    description:
      - Service principal of the AWS service.
    type: str
    default: cloudtrail.amazonaws.com
  state:
    description:
      - Whether the service has trusted access.
    type: str
    choices: [present, absent]
    default: present
  allow_trail_downgrade:
    description:
      - With O(state=absent), accept that every member account loses its organization trails.
    type: bool
    default: false
  organization:
    description:
      - Deprecated, will be removed in cloudsec.org_trail 2.0.0. It does nothing, because the module asks AWS itself.
    type: dict
    suboptions:
      id:
        description: Id of the organization.
        type: str
        required: true
      feature_set:
        description: V(ALL) or V(CONSOLIDATED_BILLING).
        type: str
        required: true
      management_account_id:
        description: Id of the management account.
        type: str
        required: true
extends_documentation_fragment:
  - cloudsec.org_trail.assume_role
  - amazon.aws.common.modules
  - amazon.aws.region.modules
notes:
  - "IAM actions: C(organizations:DescribeOrganization) and C(organizations:ListAWSServiceAccessForOrganization);
    to turn it on C(organizations:EnableAWSServiceAccess), and C(iam:CreateServiceLinkedRole) for the service."
  - "IAM actions only with O(state=absent): C(organizations:DisableAWSServiceAccess), and for CloudTrail
    C(cloudtrail:ListTrails), C(cloudtrail:GetTrail), C(cloudtrail:ListEventDataStores),
    C(cloudtrail:GetEventDataStore) and C(account:ListRegions)."
seealso:
  - name: Enabling trusted access for CloudTrail
    description: What AWS does when trusted access is turned on and off.
    link: https://docs.aws.amazon.com/organizations/latest/userguide/services-that-can-integrate-cloudtrail.html
  - module: cloudsec.org_trail.cloudtrail_organization_trail
attributes:
  check_mode:
    description: Can run in check mode and returns the result that the run would have.
    support: full
  diff_mode:
    description: Returns the trusted services before and after.
    support: full
"""

EXAMPLES = r"""
- name: Let CloudTrail act in every account of the organization
  cloudsec.org_trail.organizations_service_access:

- name: The same for AWS Config, with a role in the management account
  cloudsec.org_trail.organizations_service_access:
    service_principal: config.amazonaws.com
    assume_role_arn: arn:aws:iam::111122223333:role/LandingZone

- name: Turn it off, although organization trails become account trails
  cloudsec.org_trail.organizations_service_access:
    state: absent
    allow_trail_downgrade: true
"""

RETURN = r"""
organization:
  description: The organization that the caller belongs to.
  returned: success
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
trusted_services:
  description: Service principals with trusted access after the run, sorted.
  returned: success
  type: list
  elements: str
  sample: [cloudtrail.amazonaws.com]
"""

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import sentence
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.session import (
    ASSUME_ROLE_ARGUMENTS,
    Session,
    connection_of,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.service_access import (
    Wanted,
    describe_service_access,
    ensure_service_access,
    summarize,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._work.options import options_of

ORGANIZATION = {name: {"type": "str", "required": True} for name in ("id", "feature_set", "management_account_id")}
ARGUMENTS: dict[str, dict[str, object]] = {
    **ASSUME_ROLE_ARGUMENTS,
    "service_principal": {"type": "str", "default": "cloudtrail.amazonaws.com"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "allow_trail_downgrade": {"type": "bool", "default": False},
    "organization": {
        "type": "dict",
        "options": ORGANIZATION,
        "removed_in_version": "2.0.0",
        "removed_from_collection": "cloudsec.org_trail",
    },
}


def main() -> None:
    module = AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    wanted = options_of(Wanted, module.params)
    try:
        session = Session(connection_of(module))
        before = describe_service_access(session)
        after = ensure_service_access(session, before, wanted, module.check_mode)
    except AnsibleAWSError as error:
        module.fail_json(msg=sentence(error))
    module.exit_json(**summarize(before, after))


if __name__ == "__main__":
    main()
