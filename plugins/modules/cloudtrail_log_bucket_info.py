#!/usr/bin/python
# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module cloudtrail_log_bucket_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudtrail_log_bucket_info
version_added: 1.0.0
short_description: Finds the bucket that admits an organization trail, and says of others why they do not
description:
  - Judges the policies of S3 buckets as AWS CloudTrail does before it accepts a bucket for an organization trail,
    and names each statement that is missing or wrong. CloudTrail itself only says that the policy is incorrect.
  - Runs with credentials of the account that owns the bucket, which must be a member of the organization. The trail
    need not exist yet, and its home region need not be known.
  - Can also judge the bucket's settings, such as public access block, versioning and encryption.
author:
  - The cloudsec.org_trail maintainers (@cloudsec)
options:
  name:
    description:
      - Name of the bucket. Only this bucket is read.
      - Without it every bucket of the account that fits O(name_pattern) and O(tags) is a candidate.
    type: str
  name_pattern:
    description:
      - Shell wildcard that the bucket's name fits, for example V(aws-cloudtrail-logs-*).
    type: str
  tags:
    description:
      - Tags that the bucket carries, all of them.
    type: dict
  trail_name:
    description:
      - Name of the trail, or its ARN.
    type: str
    default: default
  trail_arn:
    description:
      - ARN of the trail, when its home region is known. It takes the place of O(trail_name).
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
      - Without it, and where a policy is of that kind, the key that the trail has now is read from the trail, if it is
        an organization trail already. Otherwise such a policy is taken for one that may not admit the trail.
    type: str
    version_added: 1.2.0
  organization_id:
    description:
      - Organization that the bucket's account must belong to.
      - Without it, the one that it belongs to.
    type: str
  select:
    description:
      - V(all) returns every candidate with the verdict on it, and an empty list when there is none.
      - V(one) returns the one candidate, or the one that admits the trail among several, and fails otherwise.
      - V(admitted) returns the one candidate that admits the trail, and fails otherwise.
      - Where the trail is an organization trail already and its bucket is in the account, V(one) and V(admitted) mean
        that bucket and no other, and fail where it does not fit O(name_pattern) and O(tags). Give O(name) to have the
        trail write to another one.
    type: str
    choices: [all, one, admitted]
    default: all
  health:
    description:
      - Whether to read and judge the settings of the returned buckets too. It takes twelve more calls per bucket, made
        at the same time.
      - A bucket that is to admit the trail is refused when CloudTrail cannot deliver to it, because of Requester Pays.
    type: bool
    default: false
  expected_health:
    description:
      - What the settings are judged against, beyond public access block, versioning, default encryption,
        disabled ACLs and a policy that denies requests without TLS, which are always expected. Always told are also
        Requester Pays, a policy that lets others in or keeps readers out, ACL grants to others, and lifecycle rules
        that delete, or make unreadable, log files or their noncurrent versions within a week.
    type: dict
    default: {}
    suboptions:
      minimum_retention_days:
        description: Lifecycle rules that delete log files after fewer days are a problem.
        type: int
        default: 90
      kms_key_arn:
        description: ARN of the key that encrypts by default.
        type: str
      expiration_days:
        description: A lifecycle rule for the whole bucket deletes after so many days.
        type: int
      transition_days:
        description: A lifecycle rule for the whole bucket moves to O(expected_health.transition_storage_class) after
          so many days.
        type: int
      transition_storage_class:
        description: Storage class of O(expected_health.transition_days).
        type: str
        default: GLACIER
      object_lock_mode:
        description: Object lock is on, with this mode of default retention or the stronger one.
        type: str
        choices: [GOVERNANCE, COMPLIANCE]
      object_lock_days:
        description: Shortest default retention, in days.
        type: int
      access_log_bucket:
        description: Bucket that receives the server access logs.
        type: str
      access_log_prefix:
        description: Prefix of the server access logs.
        type: str
        default: ""
      replication_buckets:
        description: Names of the buckets that replication copies to, all of them. Without it any replication is right.
        type: list
        elements: str
        default: []
        version_added: 1.2.0
      notification_targets:
        description:
          - ARNs of topics, queues and functions that are notified of new objects, or V(EventBridge). Others may be
            notified, too.
        type: list
        elements: str
        default: []
        version_added: 1.2.0
extends_documentation_fragment:
  - cloudsec.org_trail.assume_role
  - amazon.aws.common.modules
  - amazon.aws.region.modules
notes:
  - "IAM actions: C(organizations:DescribeOrganization), C(s3:GetBucketPolicy); without O(name)
    C(s3:ListAllMyBuckets); with O(health=true) C(s3:GetBucketLocation), C(s3:GetBucketPublicAccessBlock),
    C(s3:GetBucketVersioning), C(s3:GetEncryptionConfiguration), C(s3:GetBucketOwnershipControls),
    C(s3:GetLifecycleConfiguration), C(s3:GetBucketObjectLockConfiguration), C(s3:GetBucketLogging),
    C(s3:GetBucketRequestPayment), C(s3:GetBucketAcl), C(s3:GetReplicationConfiguration), C(s3:GetBucketNotification).
    A setting that may not be read is reported in RV(buckets[].health.problems)."
  - "IAM actions only with O(tags): C(s3:GetBucketTagging)."
  - "IAM actions only with O(select=one) or O(select=admitted), without O(name), and where a policy speaks of encryption
    and O(kms_key_id) is no ARN: C(cloudtrail:DescribeTrails). Without the permission the module does not know which
    bucket and which key the trail has, and warns where it chooses the bucket."
  - The public access block is the bucket's own. The account's, which may make up for it, is not read.
  - A KMS key's policy is not read.
  - Whether an account that a setting lets in is a member of the organization can be asked in management only; the
    module M(cloudsec.org_trail.cloudtrail_drift_info) does.
seealso:
  - name: Amazon S3 bucket policy for CloudTrail
    description: What CloudTrail asks of the policy.
    link: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
  - module: cloudsec.org_trail.cloudtrail_log_bucket_policy
  - module: cloudsec.org_trail.cloudtrail_organization_trail
attributes:
  check_mode:
    description: Can run in check mode, and only reads.
    support: full
  diff_mode:
    description: Changes nothing.
    support: none
"""

EXAMPLES = r"""
- name: Find the one bucket of the log archive account that admits the trail
  cloudsec.org_trail.cloudtrail_log_bucket_info:
    select: admitted
    assume_role_arn: arn:aws:iam::444455556666:role/OrganizationAccountAccessRole
  register: found

- name: Show its name and the home regions that the trail may have
  ansible.builtin.debug:
    msg: "{{ found.buckets[0].name }}: {{ found.buckets[0].admitted_home_regions | join(', ') }}"

- name: Judge one bucket for a certain trail, with its settings
  cloudsec.org_trail.cloudtrail_log_bucket_info:
    name: aws-cloudtrail-logs-444455556666-example
    trail_arn: arn:aws:cloudtrail:us-east-1:111122223333:trail/default
    health: true
    assume_role_arn: arn:aws:iam::444455556666:role/OrganizationAccountAccessRole
"""

RETURN = r"""
settings_to_change:
  description:
    - Which settings have to be changed for the bucket O(name) to be as O(expected_health) asks, besides those that
      every log bucket is to have. All of them when there is no such bucket.
    - The names are those of RV(buckets[].health.problems[].setting).
  returned: with O(name) and O(health=true)
  type: list
  elements: str
  sample: [versioning, lifecycle_rule]
retention_to_set:
  description: The default retention of object lock that is asked for, never weaker than the one that is there.
  returned: with O(name) and O(health=true)
  type: dict
  sample: {mode: GOVERNANCE, days: 90}
account_id:
  description: Id of the account whose buckets were looked at.
  returned: success
  type: str
  sample: "444455556666"
organization:
  description: The organization that the account belongs to.
  returned: success
  type: dict
  contains:
    id:
      description: Id of the organization.
      type: str
      sample: o-exampleorgid
    management_account_id:
      description: Id of the management account.
      type: str
      sample: "111122223333"
unreadable:
  description: Names of candidates that could not be read.
  returned: success
  type: list
  elements: str
  sample: []
current_bucket:
  description:
    - Bucket that the trail writes to now, if it is an organization trail already; empty when this account sees none.
  returned: with O(select=one) and O(select=admitted), without O(name)
  version_added: 1.2.0
  type: str
  sample: aws-cloudtrail-logs-444455556666-example
current_bucket_unread:
  description: Why RV(current_bucket) could not be read; empty when it could.
  returned: with O(select=one) and O(select=admitted), without O(name)
  version_added: 1.2.0
  type: str
  sample: ""
buckets:
  description: The buckets that O(select) asks for, sorted by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the bucket.
      type: str
      sample: aws-cloudtrail-logs-444455556666-example
    account_id:
      description: Id of the account that owns the bucket.
      type: str
      sample: "444455556666"
    organization_id:
      description: Id of the organization that the account belongs to.
      type: str
      sample: o-exampleorgid
    region:
      description: Region of the bucket; null when no call told it. With O(health=true) it is always read.
      type: str
      sample: us-east-1
    admits:
      description: Whether the policy admits the trail, for at least one home region.
      type: bool
      sample: true
    admitted_home_regions:
      description: The home regions that the trail may have; with O(trail_arn) only that of the ARN.
      type: list
      elements: str
      sample: [us-east-1]
    s3_key_prefix:
      description: The trail's prefix that the policy was judged for.
      type: str
      sample: ""
    problems:
      description: Why the policy does not admit the trail; empty when it does.
      type: list
      elements: dict
      contains:
        statement:
          description: Sid of the statement, its place in the policy, V(absent), or V(policy) for the whole.
          type: str
          sample: AWSCloudTrailOrganizationWrite20150319
        found:
          description: What was found.
          type: str
          sample: Resource example-org-trail-logs/AWSLogs/o-exampleorgid/*
        expected:
          description: What was expected.
          type: str
          sample: arn:aws:s3:::example-org-trail-logs/AWSLogs/o-exampleorgid/*
        fix:
          description: What to do.
          type: str
          sample: Set Resource to arn:aws:s3:::example-org-trail-logs/AWSLogs/o-exampleorgid/*.
        repairable:
          description: Whether the module M(cloudsec.org_trail.cloudtrail_log_bucket_policy) mends it.
          type: bool
          sample: true
    trail_arn:
      description:
        - ARN that RV(buckets[].problems) and RV(buckets[].required_policy) are told for.
        - While the home region is not known it names the admitted or the likeliest one.
      type: str
      sample: arn:aws:cloudtrail:us-east-1:111122223333:trail/default
    required_policy:
      description: The policy document that AWS itself writes for such a trail.
      type: dict
      sample:
        Version: "2012-10-17"
        Statement: []
    health:
      description: The bucket's settings, each null when it could not be read; null without O(health=true).
      type: dict
      contains:
        public_access_block:
          description: The four switches of the bucket itself.
          type: dict
          sample:
            block_public_acls: true
            ignore_public_acls: true
            block_public_policy: true
            restrict_public_buckets: true
        versioning:
          description: V(Enabled), V(Suspended) or V(Disabled).
          type: str
          sample: Enabled
        encryption:
          description:
            - Default encryption. C(key_owner) is V(s3) for keys of S3, V(aws) for the key that AWS manages, or the id
              of the account that owns the key (V(bucket) when only a key id is given, which is one of the bucket's
              account).
          type: dict
          sample:
            algorithm: aws:kms
            kms_key: arn:aws:kms:us-east-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab
            key_owner: "444455556666"
            bucket_key_enabled: true
        object_ownership:
          description: V(BucketOwnerEnforced), V(BucketOwnerPreferred) or V(ObjectWriter).
          type: str
          sample: BucketOwnerEnforced
        lifecycle:
          description: The lifecycle rules.
          type: list
          elements: dict
          sample:
            - id: archive
              enabled: true
              prefix: ""
              tags: false
              expiration_days: 2555
              expiration_date: ""
              noncurrent_expiration_days: null
              transitions:
                - days: 90
                  storage_class: GLACIER
        object_lock:
          description: Object lock and its default retention; C(days) is 0 when there is none.
          type: dict
          sample:
            enabled: true
            mode: GOVERNANCE
            days: 365
        access_logging:
          description: Where server access logs go; empty when they are off.
          type: dict
          sample:
            target_bucket: example-access-logs
            target_prefix: org-trail/
        request_payment:
          description: V(BucketOwner) or V(Requester).
          type: str
          version_added: 1.2.0
          sample: BucketOwner
        acl:
          description: Grants of the ACL to others than the bucket's owner and S3's log delivery.
          type: list
          elements: dict
          version_added: 1.2.0
          sample: []
        replication:
          description: Where enabled replication rules copy to; C(account_id) is empty where a rule does not tell.
          type: list
          elements: dict
          version_added: 1.2.0
          sample:
            - bucket: example-org-trail-copy
              account_id: "444455556666"
        notifications:
          description: ARNs of topics, queues and functions that are notified, and V(EventBridge).
          type: list
          elements: str
          version_added: 1.2.0
          sample: [EventBridge]
        tls_only:
          description: Whether the policy denies requests without TLS.
          type: bool
          sample: true
        problems:
          description:
            - Settings that are weaker than expected, or could not be read. All have the same keys.
          type: list
          elements: dict
          contains:
            setting:
              description:
                - Which setting, by its name in RV(buckets[].health). V(lifecycle_rule) and V(object_lock_retention) are
                  what O(expected_health) asks for; V(outside_access) and V(readers) are the policy's, who is let in and
                  who is kept from reading.
              type: str
              sample: versioning
            found:
              description: What was found.
              type: str
              sample: Suspended
            expected:
              description: What was expected.
              type: str
              sample: Enabled
            fix:
              description: What to do.
              type: str
              sample: Turn versioning on.
            readable:
              description: Whether the setting could be read; if not, RV(buckets[].health.problems[].found) says why.
              type: bool
              sample: true
            account_id:
              description:
                - The account that the setting lets in, where only AWS Organizations can say whether it is a member;
                  empty otherwise.
              type: str
              version_added: 1.2.0
              sample: ""
            severity:
              description:
                - V(error) where CloudTrail cannot deliver; V(warning) where somebody changed the setting for the worse;
                  V(advice) for what a bucket lacks when nobody configured it, and for Denies on single readers;
                  V(unknown) where the setting could not be read, or where there is an
                  RV(buckets[].health.problems[].account_id).
              type: str
              version_added: 1.2.0
              sample: warning
            weakened:
              description:
                - Whether somebody changed the setting for the worse, so that it is a drift.
                - V(false) for what a bucket lacks when nobody configured it.
              type: bool
              sample: true
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
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.search import (
    describe_log_buckets,
    search_options,
    warnings_of,
)

ARGUMENTS: dict[str, dict[str, Any]] = {
    **ASSUME_ROLE_ARGUMENTS,
    "name": {"type": "str"},
    "name_pattern": {"type": "str"},
    "tags": {"type": "dict"},
    "trail_name": {"type": "str", "default": "default"},
    "trail_arn": {"type": "str"},
    "s3_key_prefix": {"type": "str", "default": "", "no_log": False},
    "kms_key_id": {"type": "str", "no_log": False},
    "organization_id": {"type": "str"},
    "select": {"type": "str", "choices": ["all", "one", "admitted"], "default": "all"},
    "health": {"type": "bool", "default": False},
    "expected_health": {
        "type": "dict",
        "default": {},
        "options": {
            "minimum_retention_days": {"type": "int", "default": 90},
            "kms_key_arn": {"type": "str", "no_log": False},
            "expiration_days": {"type": "int"},
            "transition_days": {"type": "int"},
            "transition_storage_class": {"type": "str", "default": "GLACIER"},
            "object_lock_mode": {"type": "str", "choices": ["GOVERNANCE", "COMPLIANCE"]},
            "object_lock_days": {"type": "int"},
            "access_log_bucket": {"type": "str"},
            "access_log_prefix": {"type": "str", "default": ""},
            "replication_buckets": {"type": "list", "elements": "str", "default": []},
            "notification_targets": {"type": "list", "elements": "str", "default": []},
        },
    },
}


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec=ARGUMENTS,
        supports_check_mode=True,
        mutually_exclusive=[("name", "name_pattern"), ("name", "tags")],
    )
    caller = ""
    try:
        options = search_options(module.params)
        session = Session(connection_of(module))
        caller = session.arn
        answer = describe_log_buckets(session, options)
    except AnsibleAWSError as error:
        module.fail_json(msg=sentence(error, caller))
    for warning in warnings_of(answer):
        warn(printable(warning))
    module.exit_json(changed=False, **answer)


if __name__ == "__main__":
    main()
