#!/usr/bin/python
# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module cloudtrail_log_bucket_policy."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudtrail_log_bucket_policy
version_added: 1.0.0
short_description: Lets an organization trail into a bucket's policy, or takes it out, and leaves the rest as it is
description:
  - Adds to a bucket's policy what an organization trail lacks. Where a statement lacks nothing but the trail's ARN in
    C(aws:SourceArn), because another trail shares the bucket, the ARN is added there. What the policy already allows
    is not added again. Every other statement, the order and the Sids stay as they are.
  - Refuses, before it writes, when an explicit Deny would or may keep the trail out all the same, when the policy would
    be larger than the 20 KiB that S3 takes, and when the policy is malformed.
  - Refuses, before it writes, when the bucket's own policy denies the caller the change, and when the bucket blocks
    public policies and a statement of others makes its policy public.
  - S3 cannot write a policy on condition that it has not changed. The module therefore plans from a read directly
    before the write, looks again one and a half to three seconds after it, and repeats when another run has overwritten
    it meanwhile. It warns, with the statement, when one of others was lost in between.
  - Runs with credentials of the account that owns the bucket. The trail need not exist yet; write the policy first.
author:
  - The cloudsec.org_trail maintainers (@cloudsec)
options:
  bucket:
    description:
      - Name of the bucket.
    type: str
    required: true
    aliases: [name]
  trail_arn:
    description:
      - ARN of the trail, with the id of the management account and the trail's home region.
    type: str
    required: true
  organization_id:
    description:
      - Id of the organization. Without it, that of the organization which the bucket's account belongs to.
      - With O(state=present) the account must belong to it.
    type: str
  s3_key_prefix:
    description:
      - Prefix that the trail has or is to have.
    type: str
    default: ""
  kms_key_id:
    description:
      - ARN of the KMS key that the trail encrypts its files with, or is to; V("") when it has none. A policy that
        denies what is not encrypted, or not with a certain key, is judged by it.
      - With a key id or an alias the judge knows that files are encrypted, but not with which key.
      - Without it, such a policy is taken for one that may not admit the trail.
    type: str
    version_added: 1.2.0
  state:
    description:
      - V(present) lets the trail in.
      - V(absent) removes the statements that serve this trail alone, and its ARN from those that serve others too.
        A policy that is empty then is deleted.
    type: str
    choices: [present, absent]
    default: present
  tls_only:
    description:
      - With O(state=present), also add a statement that denies requests without TLS, unless the policy has one.
      - With V(false) nothing of the kind is added or removed.
    type: bool
    default: false
extends_documentation_fragment:
  - cloudsec.org_trail.assume_role
  - amazon.aws.common.modules
  - amazon.aws.region.modules
notes:
  - "IAM actions: C(s3:GetBucketPolicy), C(s3:PutBucketPolicy), and C(organizations:DescribeOrganization) with
    O(state=present) or without O(organization_id)."
  - "IAM actions only where a statement allows everybody: C(s3:GetBucketPublicAccessBlock)."
  - "IAM actions only with O(state=absent): C(s3:DeleteBucketPolicy), where nothing else stands in the policy."
seealso:
  - name: Amazon S3 bucket policy for CloudTrail
    description: What CloudTrail asks of the policy.
    link: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
  - module: cloudsec.org_trail.cloudtrail_log_bucket_info
attributes:
  check_mode:
    description: Can run in check mode and returns the policy that the run would leave.
    support: full
  diff_mode:
    description: Returns the policy before and after.
    support: full
"""

EXAMPLES = r"""
- name: Let the organization trail write to the log bucket
  cloudsec.org_trail.cloudtrail_log_bucket_policy:
    bucket: aws-cloudtrail-logs-444455556666-example
    trail_arn: arn:aws:cloudtrail:us-east-1:111122223333:trail/default
    assume_role_arn: arn:aws:iam::444455556666:role/OrganizationAccountAccessRole

- name: Take it out again
  cloudsec.org_trail.cloudtrail_log_bucket_policy:
    bucket: aws-cloudtrail-logs-444455556666-example
    trail_arn: arn:aws:cloudtrail:us-east-1:111122223333:trail/default
    assume_role_arn: arn:aws:iam::444455556666:role/OrganizationAccountAccessRole
    state: absent
"""

RETURN = r"""
bucket:
  description: Name of the bucket.
  returned: success
  type: str
  sample: aws-cloudtrail-logs-444455556666-example
policy:
  description: The policy after the run; null when the bucket has none.
  returned: success
  type: dict
  sample:
    Version: "2012-10-17"
    Statement: []
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
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.ensure import (
    describe_change,
    ensure_policy,
    loss_warnings,
    policy_options,
    wanted_policy,
)

ARGUMENTS: dict[str, dict[str, Any]] = {
    **ASSUME_ROLE_ARGUMENTS,
    "bucket": {"type": "str", "required": True, "aliases": ["name"]},
    "trail_arn": {"type": "str", "required": True},
    "organization_id": {"type": "str"},
    "s3_key_prefix": {"type": "str", "default": "", "no_log": False},
    "kms_key_id": {"type": "str", "no_log": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "tls_only": {"type": "bool", "default": False},
}


def main() -> None:
    module = AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    caller = ""
    try:
        options = policy_options(module.params)
        session = Session(connection_of(module))
        caller = session.arn
        wanted = wanted_policy(session, options)
        writer = session.client("s3", once=True)
        change = ensure_policy(session.client("s3"), writer, session.account_id, wanted, module.check_mode)
    except AnsibleAWSError as error:
        module.fail_json(msg=sentence(error, caller))
    for warning in loss_warnings(change, options.bucket):
        warn(printable(warning))
    module.exit_json(bucket=options.bucket, policy=change.after, **describe_change(change, options.bucket))


if __name__ == "__main__":
    main()
