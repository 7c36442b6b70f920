# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A queue in the lab that gets the events of a few calls in management's home region."""

from __future__ import annotations

import json

from tests.lab_process import Lab

CALLS = ["StopLogging", "UpdateTrail", "DisableAWSServiceAccess"]


def make_queue(lab: Lab, name: str) -> str:
    """Make a queue, and a rule of the same name that sends it the events; the queue's URL."""
    sqs, events = lab.client("sqs"), lab.client("events")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    queue = f"arn:aws:sqs:{lab.home_region}:{lab.management}:{name}"
    pattern = {"detail-type": ["AWS API Call via CloudTrail"], "detail": {"eventName": CALLS}}
    rule = events.put_rule(Name=name, EventPattern=json.dumps(pattern))["RuleArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": queue}])
    return str(url)
