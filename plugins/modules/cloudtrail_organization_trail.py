#!/usr/bin/python
# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module cloudtrail_organization_trail."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudtrail_organization_trail
version_added: 1.0.0
short_description: Creates, converts or repairs the CloudTrail organization trail
description:
  - Creates an organization trail, turns an account trail into one, or repairs what drifted on one.
  - Finds the trail by name in every region of the account, reads what it is, and sends only what differs; the
    organization flag and the bucket go in one C(UpdateTrail). Logging is never stopped for a change.
  - An option that is not set leaves the trail's setting as it is. An empty string or an empty list clears the setting.
    The defaults guarantee what an organization trail is for - all accounts, all regions, global service events, log
    file validation, logging, and all management events.
  - Everything that can be refused is refused before the first write. After writing, the module reads the trail again
    and fails unless it is as wanted.
  - Runs with credentials of the management account. An unchanged organization trail takes six calls.
  - Runs as well with those of a delegated administrator of CloudTrail, see
    M(cloudsec.org_trail.cloudtrail_delegated_administrator). The trail is still management's. An administrator may not
    convert a trail in either direction, sees no account trails of management, and sets a log group of its own account
    only; management's is left as it is.
author:
  - The cloudsec.org_trail maintainers (@cloudsec)
options:
  name:
    description:
      - Name of the trail, or its ARN when the account has trails of the same name in two regions.
      - 3 to 128 letters, digits and single V(.), V(_) or V(-) between them.
    type: str
    default: default
  state:
    description:
      - V(present) creates, converts or repairs the trail.
      - V(absent) deletes it, in every member account, too. Log files stay in the bucket.
    type: str
    choices: [present, absent]
    default: present
  s3_bucket_name:
    description:
      - Name of the bucket for the log files, in any account and region of the organization. Its policy must already
        admit the trail.
      - Required to create a trail, here or in O(looked_up_bucket).
    type: str
  s3_key_prefix:
    description:
      - Prefix of the log files' keys, before C(AWSLogs/). The bucket's policy must name it. At most 200 characters.
    type: str
  is_organization_trail:
    description:
      - Whether the trail logs every account of the organization. V(false) turns it back into an account trail, and
        removes it from every member.
    type: bool
    default: true
  is_multi_region_trail:
    description:
      - Whether the trail logs every region. Needs O(include_global_service_events=true).
    type: bool
    default: true
  include_global_service_events:
    description:
      - Whether events of global services such as IAM are logged.
    type: bool
    default: true
  enable_log_file_validation:
    description:
      - Whether CloudTrail delivers signed digest files, hourly.
    type: bool
    default: true
  logging:
    description:
      - Whether the trail logs. It is stopped only for V(false).
    type: bool
    default: true
  kms_key_id:
    description:
      - KMS key that encrypts the log files, by id, alias (C(alias/NAME)) or ARN. All of them name the same key and
        cause no change.
      - An id or alias is one of the trail's account, in O(bucket_region) or else the trail's home region. The key must
        be in the bucket's region.
    type: str
  sns_topic_name:
    description:
      - SNS topic that is told of each log file, by name or ARN. A name is one of the trail's account and home region.
    type: str
  cloud_watch_logs_log_group_arn:
    description:
      - ARN of the CloudWatch Logs log group in the management account and the trail's home region that gets the events,
        with or without the final C(:*). Clearing it clears O(cloud_watch_logs_role_arn), too.
    type: str
  cloud_watch_logs_role_arn:
    description:
      - ARN of the role of the management account with which CloudTrail writes to the log group.
    type: str
  event_selectors:
    description:
      - Basic event selectors, up to five. Compared by meaning, not by order.
      - An empty list sets AWS's default, which is all management events and nothing else.
      - Without this and O(advanced_event_selectors) the selectors stay as they are as long as all management events
        are logged, read and write and of every source. If not, that is repaired, and the selectors of other events are
        kept.
      - Mutually exclusive with O(advanced_event_selectors).
    type: list
    elements: dict
    suboptions:
      read_write_type:
        description: Which management and data events are logged.
        type: str
        choices: [All, ReadOnly, WriteOnly]
        default: All
      include_management_events:
        description: Whether management events are logged.
        type: bool
        default: true
      data_resources:
        description: Resources whose data events are logged.
        type: list
        elements: dict
        default: []
        suboptions:
          type:
            description: Type of the resources, one of C(AWS::S3::Object), C(AWS::Lambda::Function) and
              C(AWS::DynamoDB::Table).
            type: str
            required: true
          values:
            description: ARNs, or beginnings of ARNs, of the resources.
            type: list
            elements: str
            default: []
      exclude_management_event_sources:
        description: Event sources whose management events are not logged, for example C(kms.amazonaws.com).
        type: list
        elements: str
        default: []
  advanced_event_selectors:
    description:
      - Advanced event selectors, for data events of all resource types and network activity events. They replace
        basic ones. Compared by meaning, not by order; names are compared where they are given.
      - An empty list sets AWS's default, which is all management events and nothing else.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the selector.
        type: str
      field_selectors:
        description: Conditions that an event must meet, all of them.
        type: list
        elements: dict
        required: true
        suboptions:
          field:
            description: Field of the event, for example C(eventCategory), C(resources.type) or C(eventName).
            type: str
            required: true
          equals:
            description: Values, one of which the field has.
            type: list
            elements: str
          not_equals:
            description: Values, none of which the field has.
            type: list
            elements: str
          starts_with:
            description: Beginnings, one of which the field has.
            type: list
            elements: str
          not_starts_with:
            description: Beginnings, none of which the field has.
            type: list
            elements: str
          ends_with:
            description: Ends, one of which the field has.
            type: list
            elements: str
          not_ends_with:
            description: Ends, none of which the field has.
            type: list
            elements: str
  insight_selectors:
    description:
      - Kinds of unusual activity that CloudTrail Insights looks for; they are billed. An empty list turns them off.
    type: list
    elements: dict
    suboptions:
      insight_type:
        description: Kind of activity.
        type: str
        required: true
        choices: [ApiCallRateInsight, ApiErrorRateInsight]
      event_categories:
        description:
          - Categories of events that are analysed. V(Data) needs a recent botocore.
        type: list
        elements: str
        choices: [Management, Data]
        default: [Management]
  recursive_logging:
    description:
      - Whether the trail logs the events that its own delivery of log files causes. Needs a recent botocore.
    type: bool
  aggregation_configurations:
    description:
      - Events that CloudTrail aggregates. An empty list turns aggregation off. Needs a recent botocore.
    type: list
    elements: dict
    suboptions:
      event_category:
        description: Category of the events.
        type: str
        choices: [Data]
        default: Data
      templates:
        description: Templates of the aggregation.
        type: list
        elements: str
        required: true
        choices: [API_ACTIVITY, RESOURCE_ACCESS, USER_ACTIONS]
  expected_admitted_home_regions:
    description:
      - Home regions of the trail that the bucket's policy admits, as M(cloudsec.org_trail.cloudtrail_log_bucket_info)
        returns them. The module refuses a trail whose home region is not among them.
    type: list
    elements: str
  expected_admitted_s3_key_prefix:
    description:
      - Prefix that the bucket's policy was judged for, as M(cloudsec.org_trail.cloudtrail_log_bucket_info) returns it.
        The module refuses a trail that has, or would have, another.
    type: str
  bucket_account_id:
    description:
      - Id of the account that owns the bucket. The module looks it up in the organization, unless
        O(bucket_organization_id) is set.
    type: str
  bucket_organization_id:
    description:
      - Id of the organization that the bucket's account belongs to.
    type: str
  bucket_region:
    description:
      - Region of the bucket, in which O(kms_key_id) must be.
    type: str
  bucket_is_named:
    description:
      - Whether the bucket is one that you named. With V(false), which is for one that a look-up found, an organization
        trail that writes to another bucket is not moved, but refused.
      - By default whether O(s3_bucket_name) is set.
    type: bool
    version_added: 1.2.0
  looked_up_bucket:
    description:
      - The bucket that a look-up found and judged, one element of C(buckets) as
        M(cloudsec.org_trail.cloudtrail_log_bucket_info) returns it. Without O(s3_bucket_name), this one is meant.
      - Where it is the trail's, O(expected_admitted_home_regions), O(expected_admitted_s3_key_prefix),
        O(bucket_account_id), O(bucket_organization_id) and O(bucket_region) are by default what it says.
      - When O(s3_bucket_name) is another one, that is the problem V(bucket_not_looked_up).
    type: dict
    version_added: 1.2.0
  log_archive_role_arn:
    description:
      - ARN of a role in the log archive account that the module's own credentials may assume. Used only to read the
        policy of a bucket or KMS key of that account that nobody has judged yet.
    type: str
    version_added: 1.2.0
  log_archive_role_external_id:
    description:
      - External id for O(log_archive_role_arn).
    type: str
    version_added: 1.2.0
  adopt_foreign:
    description:
      - Take over a trail that by its name belongs to another tool - to AWS Control Tower (C(aws-controltower-*)), the
        Landing Zone Accelerator (C(*-Organizations-CloudTrail)), Account Factory for Terraform
        (C(aws-aft-CustomizationsCloudTrail)), the AWS Security Reference Architecture (C(sra-org-trail)) or the AWS
        Secure Environment Accelerator (C(ASEA-Org-Trail), C(PBMMAccel-Org-Trail)).
    type: bool
    default: false
  access_propagation_timeout:
    description:
      - How long to wait, in seconds, until CloudTrail accepts that trusted access was just turned on. V(0) does not
        wait.
    type: int
    default: 120
  policy_propagation_timeout:
    description:
      - How long to wait, in seconds, until CloudTrail accepts a bucket policy, a role or a log group that was written a
        moment ago. While it does not, it refuses them as if they were wrong. V(0) does not wait.
      - RV(waited) says what was waited for.
    type: int
    default: 30
    version_added: 1.2.0
  trail_propagation_timeout:
    description:
      - How long to wait, in seconds, until AWS answers the trail as it was just written. Reads may tell of the state
        before for a while. Nothing is written again. V(0) reads once.
    type: int
    default: 30
    version_added: 1.2.0
  on_problem:
    description:
      - What to do about a problem that is found before the first write - V(fail), V(warn), or V(ignore), which does not
        look for it. What could not be read is a warning at most.
    type: dict
    suboptions:
      bucket_not_looked_up:
        description: The bucket is another one than O(looked_up_bucket), which was judged.
        type: str
        choices: [fail, warn, ignore]
        default: fail
      bucket_outside_organization:
        description: The bucket's account is in no organization or in another one.
        type: str
        choices: [fail, warn, ignore]
        default: fail
      bucket_policy:
        description:
          - The policy of a bucket that no look-up judged keeps out the trail.
          - A bucket that does not exist is refused in any case, unless this is V(ignore).
        type: str
        choices: [fail, warn, ignore]
        default: fail
      delivery_error:
        description: The latest delivery of log files, digests, notifications or to CloudWatch Logs failed.
        type: str
        choices: [fail, warn, ignore]
        default: warn
      foreign_trail:
        description: The trail belongs to another tool, see O(adopt_foreign).
        type: str
        choices: [fail, warn, ignore]
        default: fail
      kms_key_outside_organization:
        description: The KMS key's account is not in the organization.
        type: str
        choices: [fail, warn, ignore]
        default: fail
      kms_key_policy:
        description: The policy of the KMS key does not let CloudTrail use the key. It is read with the credentials of
          the key's account, which are the module's or those of O(log_archive_role_arn).
        type: str
        choices: [fail, warn, ignore]
        default: fail
      kms_key_region:
        description: The KMS key is not in the bucket's region.
        type: str
        choices: [fail, warn, ignore]
        default: fail
      log_role_too_narrow:
        description:
          - The role may not write the members' log streams C(<organization id>_*), so that their events do not
            reach CloudWatch Logs.
        type: str
        choices: [fail, warn, ignore]
        default: fail
      management_events_missing:
        description:
          - The trail would log no management events, or only read or only write ones. Sources that are left out are no
            problem.
        type: str
        choices: [fail, warn, ignore]
        default: fail
      opt_in_home_region:
        description: Accounts have to opt in to the trail's home region; those that have not send nothing.
        type: str
        choices: [fail, warn, ignore]
        default: warn
      overlapping_trail:
        description: Another trail of the account logs management events as well, which is billed.
        type: str
        choices: [fail, warn, ignore]
        default: warn
      service_linked_role_missing:
        description: The management account has no role C(AWSServiceRoleForCloudTrail) although trusted access is on.
        type: str
        choices: [fail, warn, ignore]
        default: warn
      setting_lost:
        description:
          - The run takes away what no option names - event sources that are left out, data events, selectors, insights,
            aggregations or tags that lists in the options do not hold. The message says what, and how to keep it.
        type: str
        choices: [fail, warn, ignore]
        default: warn
      sns_topic_policy:
        description: There is no such SNS topic, or its policy does not let CloudTrail publish to it.
        type: str
        choices: [fail, warn, ignore]
        default: fail
      trail_quota:
        description: The region has five trails already, so that none can be created.
        type: str
        choices: [fail, warn, ignore]
        default: fail
extends_documentation_fragment:
  - cloudsec.org_trail.assume_role
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags.modules
notes:
  - "IAM actions: C(cloudtrail:ListTrails), C(cloudtrail:DescribeTrails), C(cloudtrail:GetTrailStatus),
    C(cloudtrail:GetEventSelectors), C(organizations:DescribeOrganization) and, for an organization trail,
    C(organizations:ListAWSServiceAccessForOrganization) always; C(cloudtrail:UpdateTrail), C(cloudtrail:CreateTrail),
    C(cloudtrail:StartLogging) and C(cloudtrail:PutEventSelectors) where something is to be done. To create or convert
    an organization trail also C(iam:GetRole) and C(iam:CreateServiceLinkedRole) for C(cloudtrail.amazonaws.com)."
  - "IAM actions only with certain options: O(insight_selectors) C(cloudtrail:GetInsightSelectors) and
    C(cloudtrail:PutInsightSelectors); O(aggregation_configurations) C(cloudtrail:GetEventConfiguration) and
    C(cloudtrail:PutEventConfiguration); O(tags) C(cloudtrail:ListTags), C(cloudtrail:AddTags) and
    C(cloudtrail:RemoveTags); O(kms_key_id) C(kms:DescribeKey) for an alias and C(kms:GetKeyPolicy), or
    C(organizations:DescribeAccount) for another account's key; O(cloud_watch_logs_role_arn) C(iam:PassRole),
    C(iam:ListRolePolicies), C(iam:GetRolePolicy), C(iam:ListAttachedRolePolicies), C(iam:GetPolicy) and
    C(iam:GetPolicyVersion); O(sns_topic_name) C(sns:GetTopicAttributes);
    O(bucket_account_id) C(organizations:DescribeAccount); O(logging=false)
    C(cloudtrail:StopLogging); O(state=absent) C(cloudtrail:DeleteTrail)."
  - "IAM actions only for a bucket that no look-up judged, when the trail is created or converted or gets another
    bucket, prefix or key: C(s3:GetBucketPolicy) and C(s3:ListBucket). With O(log_archive_role_arn) C(sts:AssumeRole),
    and in that account C(s3:GetBucketPolicy) and C(kms:GetKeyPolicy)."
  - "Where C(iam:GetRole), C(organizations:DescribeAccount), C(kms:GetKeyPolicy), C(sns:GetTopicAttributes),
    C(s3:GetBucketPolicy) or a read of a role's policies is denied, the module warns that it could not check, and goes
    on. Without C(organizations:ListAWSServiceAccessForOrganization) it returns no RV(trusted_access)."
  - "IAM actions only for a delegated administrator: C(organizations:ListDelegatedAdministrators)."
  - The option O(region) says where a trail is created that does not exist. An existing one is found in any region.
seealso:
  - name: Creating a trail for an organization
    description: What AWS says about organization trails.
    link: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/creating-trail-organization.html
  - name: Prepare for creating a trail for your organization
    description: Who may create one, and what happens to members' trails.
    link: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/creating-an-organizational-trail-prepare.html
  - name: UpdateTrail
    description: The call that converts a trail.
    link: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_UpdateTrail.html
  - module: cloudsec.org_trail.cloudtrail_log_bucket_info
  - module: cloudsec.org_trail.organizations_service_access
attributes:
  check_mode:
    description: Makes the same reads and refusals, and returns the result that the run would have.
    support: full
  diff_mode:
    description: Returns the managed settings before and after.
    support: full
"""

EXAMPLES = r"""
- name: Turn the trail "default" into an organization trail that writes to the log archive
  cloudsec.org_trail.cloudtrail_organization_trail:
    s3_bucket_name: aws-cloudtrail-logs-444455556666-0a1b2c3d

- name: The same with a role in the management account, and with what the bucket's look-up found
  cloudsec.org_trail.cloudtrail_organization_trail:
    assume_role_arn: arn:aws:iam::111122223333:role/LandingZone
    looked_up_bucket: "{{ log_bucket }}"

- name: Create one in Frankfurt, encrypted, with tags and data events of one bucket
  cloudsec.org_trail.cloudtrail_organization_trail:
    name: organization
    region: eu-central-1
    s3_bucket_name: aws-cloudtrail-logs-444455556666-0a1b2c3d
    kms_key_id: alias/cloudtrail
    tags:
      Owner: security
    advanced_event_selectors:
      - name: Management events
        field_selectors:
          - field: eventCategory
            equals: [Management]
      - name: Customer data
        field_selectors:
          - field: eventCategory
            equals: [Data]
          - field: resources.type
            equals: ["AWS::S3::Object"]
          - field: resources.ARN
            starts_with: ["arn:aws:s3:::customer-data/"]

- name: Say what would change, and tolerate a second, paid trail
  cloudsec.org_trail.cloudtrail_organization_trail:
    s3_bucket_name: aws-cloudtrail-logs-444455556666-0a1b2c3d
    on_problem:
      overlapping_trail: ignore
  check_mode: true
  diff: true

- name: Back to an account trail with a bucket of the management account
  cloudsec.org_trail.cloudtrail_organization_trail:
    is_organization_trail: false
    s3_bucket_name: aws-cloudtrail-logs-111122223333-9f8e7d6c
"""

RETURN = r"""
trail:
  description: The trail after the run, in check mode as it would be. Empty when there is none.
  returned: success
  type: dict
  contains: &trail
    arn:
      description: ARN of the trail.
      type: str
      sample: arn:aws:cloudtrail:us-east-1:111122223333:trail/default
    name:
      description: Name of the trail.
      type: str
      sample: default
    home_region:
      description: Region that the trail was created in.
      type: str
      sample: us-east-1
    account_id:
      description: Id of the account that owns the trail.
      type: str
      sample: "111122223333"
    organization_id:
      description: Id of the account's organization, empty when it is in none.
      type: str
      sample: o-exampleorgid
    s3_bucket_name:
      description: Name of the bucket.
      type: str
      sample: aws-cloudtrail-logs-444455556666-0a1b2c3d
    s3_key_prefix:
      description: Prefix of the keys, empty when there is none.
      type: str
      sample: ""
    is_organization_trail:
      description: Whether the trail logs every account of the organization.
      type: bool
      sample: true
    is_multi_region_trail:
      description: Whether the trail logs every region.
      type: bool
      sample: true
    include_global_service_events:
      description: Whether the trail logs events of global services.
      type: bool
      sample: true
    enable_log_file_validation:
      description: Whether digest files are delivered.
      type: bool
      sample: true
    logging:
      description: Whether the trail logs.
      type: bool
      sample: true
    kms_key_id:
      description: ARN of the KMS key, empty when there is none.
      type: str
      sample: ""
    sns_topic_name:
      description: ARN of the SNS topic, empty when there is none.
      type: str
      sample: ""
    cloud_watch_logs_log_group_arn:
      description: ARN of the log group, empty when there is none.
      type: str
      sample: ""
    cloud_watch_logs_role_arn:
      description: ARN of the role that writes to the log group, empty when there is none.
      type: str
      sample: ""
    recursive_logging:
      description: Whether events caused by the trail's own delivery are logged.
      type: bool
      sample: true
    event_selectors:
      description: Basic event selectors, in the form of the option; empty when there are advanced ones.
      type: list
      elements: dict
      sample:
        - read_write_type: All
          include_management_events: true
          data_resources: []
          exclude_management_event_sources: []
    advanced_event_selectors:
      description: Advanced event selectors, in the form of the option; empty when there are basic ones.
      type: list
      elements: dict
      sample: []
    insight_selectors:
      description: Insight selectors, in the form of the option. Only when the option is set.
      type: list
      elements: dict
      sample: []
    aggregation_configurations:
      description: Aggregations, in the form of the option. Only when the option is set.
      type: list
      elements: dict
      sample: []
    tags:
      description: Tags of the trail. Only when the option is set.
      type: dict
      sample: {Owner: security}
before:
  description: The trail before the run. Empty when there was none.
  returned: success
  type: dict
  contains: *trail
organization:
  description: The organization that the account belongs to; empty when it is in none.
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
trusted_access:
  description:
    - Whether CloudTrail has trusted access to the organization, read before anything is done.
    - V(null) where no organization trail is wanted, and where it could not be read.
  returned: success
  type: bool
  sample: true
  version_added: 1.2.0
changed_fields:
  description: Options that differed from what the trail was; for a new trail all that are managed, for a deleted one
    V(state).
  returned: success
  type: list
  elements: str
  sample: [s3_bucket_name, is_organization_trail]
summary:
  description: What changed, a line for each setting, in check mode what would change; one line when nothing does.
  returned: success
  version_added: 1.2.0
  type: list
  elements: str
  sample:
    - "arn:aws:cloudtrail:us-east-1:111122223333:trail/default: is_organization_trail: false → true"
actions:
  description: The calls that changed something, in check mode those that the run would make. After a failure, those
    that worked or may have worked.
  returned: success, and failure of a write
  type: list
  elements: dict
  contains:
    operation:
      description: AWS's name of the call.
      type: str
      sample: UpdateTrail
    region:
      description: Region that it was sent to.
      type: str
      sample: us-east-1
    parameters:
      description: What was sent.
      type: dict
      sample:
        Name: arn:aws:cloudtrail:us-east-1:111122223333:trail/default
        S3BucketName: aws-cloudtrail-logs-444455556666-0a1b2c3d
        IsOrganizationTrail: true
waited:
  description: Refusals of AWS that went away by waiting.
  returned: success
  version_added: 1.2.0
  type: list
  elements: dict
  contains:
    operation:
      description: AWS's name of the call.
      type: str
      sample: UpdateTrail
    code:
      description: AWS's code of the refusal.
      type: str
      sample: InsufficientS3BucketPolicyException
    seconds:
      description: For how long.
      type: float
      sample: 3.0
problems:
  description: Problems that were found and not ignored.
  returned: success, and failure because of a problem
  type: list
  elements: dict
  contains:
    name:
      description: Name of the problem, as in O(on_problem).
      type: str
      sample: overlapping_trail
    severity:
      description: V(error), V(warning), or V(unknown) for what could not be read.
      type: str
      sample: warning
    object:
      description: What the problem is about.
      type: str
      sample: Account 111122223333
    found:
      description: What was found.
      type: str
      sample: management events logged by arn:aws:cloudtrail:us-east-1:111122223333:trail/old beside the trail
    expected:
      description: What was expected.
      type: str
      sample: one trail that logs them, because each further copy is billed
    remedy:
      description: What to do.
      type: str
      sample: Delete the other trail once its log files are no longer needed.
"""

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
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.admission import admission_problems
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.ensure import ensure_trail
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.options import (
    ACTIONS,
    DEFAULT_ACTIONS,
    trail_options,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.selectors import OPERATORS

STRINGS: dict[str, object] = {"type": "list", "elements": "str"}
EMPTY: dict[str, object] = {**STRINGS, "default": []}
DATA_RESOURCE = {"type": {"type": "str", "required": True}, "values": EMPTY}
EVENT_SELECTOR = {
    "read_write_type": {"type": "str", "choices": ["All", "ReadOnly", "WriteOnly"], "default": "All"},
    "include_management_events": {"type": "bool", "default": True},
    "data_resources": {"type": "list", "elements": "dict", "options": DATA_RESOURCE, "default": []},
    "exclude_management_event_sources": EMPTY,
}
FIELD_SELECTOR = {"field": {"type": "str", "required": True}, **dict.fromkeys(map(str, OPERATORS), STRINGS)}
ADVANCED_EVENT_SELECTOR = {
    "name": {"type": "str"},
    "field_selectors": {"type": "list", "elements": "dict", "options": FIELD_SELECTOR, "required": True},
}
INSIGHT_SELECTOR = {
    "insight_type": {"type": "str", "required": True, "choices": ["ApiCallRateInsight", "ApiErrorRateInsight"]},
    "event_categories": {**STRINGS, "choices": ["Management", "Data"], "default": ["Management"]},
}
AGGREGATION = {
    "event_category": {"type": "str", "choices": ["Data"], "default": "Data"},
    "templates": {**STRINGS, "required": True, "choices": ["API_ACTIVITY", "RESOURCE_ACCESS", "USER_ACTIONS"]},
}
ON_PROBLEM = {
    name: {"type": "str", "choices": list(ACTIONS), "default": action} for name, action in DEFAULT_ACTIONS.items()
}
ARGUMENTS: dict[str, dict[str, object]] = {
    **ASSUME_ROLE_ARGUMENTS,
    "name": {"type": "str", "default": "default"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "s3_bucket_name": {"type": "str"},
    "s3_key_prefix": {"type": "str", "no_log": False},
    "is_organization_trail": {"type": "bool", "default": True},
    "is_multi_region_trail": {"type": "bool", "default": True},
    "include_global_service_events": {"type": "bool", "default": True},
    "enable_log_file_validation": {"type": "bool", "default": True},
    "logging": {"type": "bool", "default": True},
    "kms_key_id": {"type": "str", "no_log": False},
    "sns_topic_name": {"type": "str"},
    "cloud_watch_logs_log_group_arn": {"type": "str"},
    "cloud_watch_logs_role_arn": {"type": "str"},
    "event_selectors": {"type": "list", "elements": "dict", "options": EVENT_SELECTOR},
    "advanced_event_selectors": {"type": "list", "elements": "dict", "options": ADVANCED_EVENT_SELECTOR},
    "insight_selectors": {"type": "list", "elements": "dict", "options": INSIGHT_SELECTOR},
    "recursive_logging": {"type": "bool"},
    "aggregation_configurations": {"type": "list", "elements": "dict", "options": AGGREGATION},
    "expected_admitted_home_regions": STRINGS,
    "expected_admitted_s3_key_prefix": {"type": "str", "no_log": False},
    "bucket_account_id": {"type": "str"},
    "bucket_organization_id": {"type": "str"},
    "bucket_region": {"type": "str"},
    "bucket_is_named": {"type": "bool"},
    "looked_up_bucket": {"type": "dict"},
    "log_archive_role_arn": {"type": "str"},
    "log_archive_role_external_id": {"type": "str"},
    "adopt_foreign": {"type": "bool", "default": False},
    "access_propagation_timeout": {"type": "int", "default": 120},
    "policy_propagation_timeout": {"type": "int", "default": 30},
    "trail_propagation_timeout": {"type": "int", "default": 30},
    "on_problem": {"type": "dict", "options": ON_PROBLEM, "apply_defaults": True},
    "tags": {"type": "dict", "aliases": ["resource_tags"]},
    "purge_tags": {"type": "bool", "default": True},
}


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec=ARGUMENTS,
        supports_check_mode=True,
        mutually_exclusive=[("event_selectors", "advanced_event_selectors")],
    )
    try:
        session, options = Session(connection_of(module)), trail_options(module.params)
        result, warnings = ensure_trail(session, options, module.check_mode, admission_problems)
    except AnsibleAWSError as error:
        module.fail_json(msg=sentence(error), **error.kwargs)
    for warning in warnings:
        warn(printable(warning))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
