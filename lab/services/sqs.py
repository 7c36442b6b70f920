# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SQS where moto differs from it: names of deleted queues, late policies (aws-facts 12.5), the age of messages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from moto.backends import get_backend

from lab.kernel.call import Call, LabError
from lab.kernel.service import answers, guards
from lab.kernel.world import World

NAME_IS_FREE_AFTER = timedelta(seconds=60)


def queue_of(world: World, arn: str) -> Any | None:
    """moto's queue of an ARN, in whichever account and region it is; None when there is none."""
    _arn, _partition, _sqs, region, account, name = arn.split(":", 5)
    backends = dict.get(get_backend("sqs"), account) or {}
    backend = dict.get(backends, region)
    return backend.queues.get(name) if backend else None


def put_message(queue: Any, body: str, attributes: dict[str, str] | None = None) -> None:
    """Put a message into a queue, as a service does it."""
    shown = {name: {"DataType": "String", "StringValue": value} for name, value in (attributes or {}).items()}
    backend = get_backend("sqs")[queue.account_id][queue.region]
    backend.send_message(queue.name, body, message_attributes=shown)


def policy_in_force(world: World, queue: Any) -> str | None:
    """The queue's policy, or the one before for as long as the option says that a change takes."""
    since, before = world.late_queue_policies.get(queue.queue_arn, (None, None))
    if since and world.now() < since + timedelta(seconds=world.options.queue_policy_seconds):
        return before
    policy: str | None = queue.policy
    return policy


@guards("sqs")
def keep_names(world: World, call: Call) -> None:
    """Refuse a queue whose name was deleted less than a minute ago; remember deletions and former policies."""
    if call.operation == "CreateQueue":
        freed = world.deleted_queues.get((call.account, call.region, call.parameters["QueueName"]))
        if freed and call.time < freed + NAME_IS_FREE_AFTER:
            raise LabError(
                "AWS.SimpleQueueService.QueueDeletedRecently",
                "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
            )
    if call.operation not in ("DeleteQueue", "SetQueueAttributes"):
        return
    name = call.parameters["QueueUrl"].rpartition("/")[2]
    queue = queue_of(world, f"arn:{world.partition}:sqs:{call.region}:{call.account}:{name}")
    if queue and call.operation == "DeleteQueue":
        world.deleted_queues[call.account, call.region, name] = call.time
    elif queue and "Policy" in call.parameters["Attributes"]:
        world.late_queue_policies[queue.queue_arn] = (call.time, policy_in_force(world, queue))


@answers("cloudwatch", "GetMetricStatistics")
def get_metric_statistics(world: World, call: Call) -> dict[str, Any]:
    """The metric ApproximateAgeOfOldestMessage of a queue in seconds, as of now; no other metric has values here."""
    given = call.parameters
    answer: dict[str, Any] = {"Label": given["MetricName"], "Datapoints": []}
    names = [pair["Value"] for pair in given.get("Dimensions", ()) if pair["Name"] == "QueueName"]
    if (given["Namespace"], given["MetricName"]) != ("AWS/SQS", "ApproximateAgeOfOldestMessage") or not names:
        return answer
    queue = queue_of(world, f"arn:{world.partition}:sqs:{call.region}:{call.account}:{names[0]}")
    if queue is not None:
        sent = [message.sent_timestamp / 1000 for message in queue._messages]
        age = max(0.0, world.now().timestamp() - min(sent)) if sent else 0.0
        answer["Datapoints"] = [{"Timestamp": call.time, "Maximum": age, "Unit": "Seconds"}]
    return answer
