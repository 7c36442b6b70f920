# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SNS where moto differs from it: a topic's policy decides who of other accounts may call it."""

from __future__ import annotations

from typing import Any

from ansible_collections.cloudsec.org_trail.plugins.module_utils._policy.evaluation import Request, evaluate

from lab.kernel.call import Call
from lab.kernel.service import guards
from lab.kernel.world import World
from lab.services.iam.authorizer import MISSING, denial, document
from lab.services.iam.requested import context_of


def find_topic(world: World, arn: str) -> Any | None:
    """moto's topic of an ARN, in whichever account and region it is; None when there is none."""
    _arn, _partition, _sns, region, account, _name = arn.split(":")
    return world.moto("sns", account, region).topics.get(arn)


@guards("sns")
def obey_policy(world: World, call: Call) -> None:
    """Refuse a call from another account that the topic's policy does not allow."""
    arn = call.parameters.get("TopicArn", "")
    topic = find_topic(world, arn) if arn.count(":") == 5 else None
    if topic is None or topic.account_id == call.account:
        return
    request = Request(f"sns:{call.operation}", arn, {"AWS": call.principal.arn}, context_of(world, call))
    if evaluate(document(topic.policy), request).effect != "Allow":
        refusal = denial(call, request, MISSING.format("resource-based policy", request.action))
        refusal.code = "AuthorizationError"
        raise refusal
