#!/usr/bin/python
# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module cloudtrail_watch_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudtrail_watch_info
version_added: 1.2.0
short_description: Tells which EventBridge rules watch an organization trail, and what is wrong with them
description:
  - Builds the EventBridge rules that see calls which weaken the organization trail, trusted access, the log bucket or
    its key, and the Amazon SQS queue that their events go to. Looks at what there is of them in one account, and tells
    what has to change. The role
    R(cloudsec.org_trail.drift_events, ansible_collections.cloudsec.org_trail.drift_events_role) does that, with
    C(amazon.aws.cloudwatchevent_rule), which knows no check mode, and C(community.aws.sqs_queue).
  - AWS shows an event in the account and region of the call, Organizations' in one region of the partition. The queue
    is in the management account, in the trail's home region. A rule hands its events to a queue of the same region,
    also in another account, with a role; from another region first to the home region's default bus of its own account.
  - Rules and queues are known as ours by their description C(Managed by cloudsec.org_trail.) and their tag
    C(ManagedBy=cloudsec.org_trail). Others of the same name are in RV(refusals).
  - Changes nothing. Runs with credentials of the management account or of the log bucket's account, and tells of the
    rules of that account.
author:
  - The cloudsec.org_trail maintainers (@cloudsec)
options:
  state:
    description:
      - What is wanted. With V(absent) there is to be none of these rules and queues.
    type: str
    choices: [present, absent]
    default: present
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
      - Id of the account that the bucket belongs to. Quote it in YAML.
    type: str
    required: true
  log_bucket_region:
    description:
      - Region of the bucket.
    type: str
    required: true
  kms_key_arn:
    description:
      - ARN of the KMS key that the trail encrypts with. It is watched where it belongs to the management account or to
        the log bucket's; otherwise it is in RV(not_watched).
    type: str
    default: ""
  name_prefix:
    description:
      - What the names of rules and queues begin with.
    type: str
    default: org-trail
  guardduty:
    description:
      - Also watch for GuardDuty's finding that a trail was disabled, which comes even where no trail logs any more.
        GuardDuty must be on in the trail's home region.
    type: bool
    default: false
  forward_role_arn:
    description:
      - ARN of the role in this account with which its rules reach the queue of another account, or the bus of another
        region. C(events.amazonaws.com) must be able to assume it.
      - Rules in the trail's home region of the management account need none.
    type: str
    default: ""
  sender_role_arns:
    description:
      - ARNs of such roles in other accounts, whose rules may put events into the queue.
    type: list
    elements: str
    default: []
  queue_kms_key_id:
    description:
      - Id, alias or ARN of a KMS key to encrypt the queues with. Its policy must allow GenerateDataKey and
        Decrypt to C(events.amazonaws.com). Without it SQS encrypts with a key of its own.
    type: str
    default: ""
  message_age:
    description:
      - Whether CloudWatch is asked how long the oldest message waits in the queues.
    type: bool
    default: false
extends_documentation_fragment:
  - cloudsec.org_trail.assume_role
  - amazon.aws.common.modules
  - amazon.aws.region.modules
notes:
  - "IAM actions: C(events:DescribeRule), C(events:ListTargetsByRule); in the management account C(sqs:GetQueueUrl),
    C(sqs:GetQueueAttributes), C(sqs:ListQueueTags)."
  - "IAM actions only with O(message_age): C(cloudwatch:GetMetricStatistics)."
seealso:
  - name: Sending events to an AWS service in another account
    description: What the role and the queue's policy have to allow.
    link: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-cross-account.html
  - name: Sending events between Regions
    description: How events of one region get to a bus of another one.
    link: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-region.html
attributes:
  check_mode:
    description: Can run in check mode, and changes nothing in any mode.
    support: full
  diff_mode:
    description: Changes nothing.
    support: none
"""

EXAMPLES = r"""
- name: See whether the trail is watched
  cloudsec.org_trail.cloudtrail_watch_info:
    trail_arn: arn:aws:cloudtrail:us-east-1:111122223333:trail/default
    log_bucket: aws-cloudtrail-logs-444455556666-0a1b2c3d
    log_bucket_account_id: "444455556666"
    log_bucket_region: us-east-1
    sender_role_arns: [arn:aws:iam::444455556666:role/OrgTrailEvents]
  register: watch

- name: Show what has to change
  ansible.builtin.debug:
    msg: "{{ (watch.rules + watch.queues) | selectattr('differences') | map(attribute='arn') }}"
"""

RETURN = r"""
account_id:
  description: Id of the account that was looked at.
  returned: success
  type: str
  sample: "111122223333"
rules:
  description: The rules that are wanted in this account, those in the trail's home region before others they serve.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the rule.
      type: str
      sample: org-trail-trail
    region:
      description: Region of the rule.
      type: str
      sample: us-east-1
    arn:
      description: ARN of the rule.
      type: str
      sample: arn:aws:events:us-east-1:111122223333:rule/org-trail-trail
    description:
      description: The description that is wanted.
      type: str
      sample: Managed by cloudsec.org_trail.
    wanted:
      description:
        - Its settings as they are wanted, by the names of C(amazon.aws.cloudwatchevent_rule); empty with
          O(state=absent).
      type: dict
      sample:
        state: ENABLED
        event_pattern: {source: [aws.cloudtrail]}
        targets: [{id: org-trail, arn: "arn:aws:sqs:us-east-1:111122223333:org-trail-events"}]
    found:
      description: Its settings as they are; empty when there is none.
      type: dict
      sample: {}
    differences:
      description: What has to change, V(missing), V(present), or some of V(state), V(event_pattern) and V(targets).
      type: list
      elements: str
      sample: [missing]
    refusals:
      description: Why it must not be changed, as sentences.
      type: list
      elements: str
      sample: []
queues:
  description: The dead-letter queue and the queue; empty outside the management account.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the queue.
      type: str
      sample: org-trail-events
    region:
      description: Region of the queue.
      type: str
      sample: us-east-1
    arn:
      description: ARN of the queue.
      type: str
      sample: arn:aws:sqs:us-east-1:111122223333:org-trail-events
    url:
      description: Address of the queue; empty when there is none.
      type: str
      sample: https://sqs.us-east-1.amazonaws.com/111122223333/org-trail-events
    tags:
      description: The tags that are wanted.
      type: dict
      sample: {ManagedBy: cloudsec.org_trail}
    oldest_message_seconds:
      description:
        - Seconds that the oldest message waits; V(0) for an empty queue, null without O(message_age) and where
          CloudWatch has no figure.
      type: int
      sample: 0
    wanted:
      description:
        - Its settings as they are wanted, by the names of C(community.aws.sqs_queue); empty with O(state=absent).
      type: dict
      sample:
        visibility_timeout: 300
        message_retention_period: 345600
        policy: {Version: "2012-10-17", Statement: []}
        redrive_policy:
          deadLetterTargetArn: arn:aws:sqs:us-east-1:111122223333:org-trail-events-failed
          maxReceiveCount: 5
        sqs_managed_sse_enabled: true
    found:
      description: Its settings as they are; empty when there is none.
      type: dict
      sample: {}
    differences:
      description: What has to change, V(missing), V(present), or some of those settings.
      type: list
      elements: str
      sample: [missing]
    refusals:
      description: Why it must not be changed, as sentences.
      type: list
      elements: str
      sample: []
refusals:
  description: All those sentences.
  returned: success
  type: list
  elements: str
  sample: []
diff:
  description: Found and wanted settings of each rule and queue that has to change, by its ARN.
  returned: success
  type: dict
  sample: {before: {}, after: {}}
not_watched:
  description: What no rule watches because it belongs to a third account.
  returned: success
  type: list
  elements: str
  sample: []
"""

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import sentence
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.session import (
    ASSUME_ROLE_ARGUMENTS,
    Session,
    connection_of,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._watch.describe import describe_watch, watch_options

REQUIRED: dict[str, object] = {"type": "str", "required": True}
TEXT: dict[str, object] = {"type": "str", "default": ""}
ARGUMENTS: dict[str, dict[str, object]] = {
    **ASSUME_ROLE_ARGUMENTS,
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "trail_arn": REQUIRED,
    "log_bucket": REQUIRED,
    "log_bucket_account_id": REQUIRED,
    "log_bucket_region": REQUIRED,
    "kms_key_arn": {**TEXT, "no_log": False},
    "name_prefix": {"type": "str", "default": "org-trail"},
    "guardduty": {"type": "bool", "default": False},
    "forward_role_arn": TEXT,
    "sender_role_arns": {"type": "list", "elements": "str", "default": []},
    "queue_kms_key_id": {**TEXT, "no_log": False},
    "message_age": {"type": "bool", "default": False},
}


def main() -> None:
    module = AnsibleAWSModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        options = watch_options(module.params)
        result = describe_watch(Session(connection_of(module)), options)
    except AnsibleAWSError as error:
        module.fail_json(msg=sentence(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
