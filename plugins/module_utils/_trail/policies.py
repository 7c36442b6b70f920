# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge the policies besides the bucket's that a trail depends on: of the KMS key, the SNS topic and the log role."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .._aws.arn import CLOUDTRAIL
from .._policy.evaluation import Policy, PolicyError, Request, evaluate, parse_policy
from .situation import Problem, Situation, Unread, unread_problem


def kms_key_policy(situation: Situation) -> Problem | None:
    """Whether the key's policy lets CloudTrail encrypt with it (aws-facts 3.7)."""
    text = situation.key_policy
    what = f"Policy of the KMS key {situation.key}"
    if isinstance(text, Unread):
        return unread_problem("kms_key_policy", what, "the policy", text)
    if text is None:
        return None
    try:
        policy = parse_policy(text)
    except PolicyError as error:
        return unread_problem("kms_key_policy", what, "the policy", Unread(str(error)))
    effects = {request.action: _effect(policy, request, situation) for request in _key_requests(situation)}
    refused = [action for action, effect in effects.items() if effect in ("Deny", "ImplicitDeny")]
    unknown = [action for action, effect in effects.items() if effect == "Unknown"]
    if not refused and not unknown:
        return None
    return Problem(
        "kms_key_policy",
        "error" if refused else "unknown",
        what,
        f"{CLOUDTRAIL} {'may not' if refused else 'perhaps may not'} call {' and '.join(refused or unknown)}",
        f"both kms:GenerateDataKey* and kms:DescribeKey allowed with aws:SourceArn {situation.arn}",
        "Add them to the key's policy, see "
        "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html",
    )


def _source(situation: Situation) -> dict[str, str | None]:
    """What is known of each request that CloudTrail makes for the trail."""
    return {
        "aws:SourceArn": str(situation.arn),
        "aws:SourceAccount": situation.arn.account_id,
        "aws:PrincipalIsAWSService": "true",
        "aws:PrincipalServiceName": CLOUDTRAIL,
        "aws:SecureTransport": "true",
        "aws:PrincipalOrgID": None,
        "aws:PrincipalArn": None,
    }


def _effect(policy: Policy, request: Request, situation: Situation) -> str:
    """What the policy says of a call of CloudTrail's, of which nobody knows whether it tells the organization.

    aws-facts 3.8 knows that of objects only. "Unknown" where it makes a difference.
    """
    told: tuple[str | None, ...] = (situation.organization_id, None)
    calls = [replace(request, context={**request.context, "aws:SourceOrgID": organization}) for organization in told]
    effects = {evaluate(policy, call).effect for call in calls}
    return effects.pop() if len(effects) == 1 or effects <= {"Deny", "ImplicitDeny"} else "Unknown"


def _key_requests(situation: Situation) -> list[Request]:
    """The two calls that CloudTrail makes with the key (aws-facts 3.7)."""
    source = _source(situation)
    context: dict[str, str | None] = {
        "kms:EncryptionContext:aws:cloudtrail:arn": str(situation.arn),
        "kms:EncryptionContextKeys": "aws:cloudtrail:arn",
    }
    service = {"Service": CLOUDTRAIL}
    return [
        Request("kms:GenerateDataKey", situation.key, service, source | context, complete=False),
        Request("kms:DescribeKey", situation.key, service, source, complete=False),
    ]


def sns_topic_policy(situation: Situation) -> Problem | None:
    """Whether the topic's policy lets CloudTrail publish for the trail (aws-facts 2.18)."""
    text, topic = situation.topic_policy, situation.after["sns_topic_name"]
    what = f"SNS topic {topic}"
    if isinstance(text, Unread):
        return unread_problem("sns_topic_policy", what, "its policy", text)
    if text is None:
        return None
    try:
        # SNS's own policy for a new topic asks for aws:SourceOwner, and does not let CloudTrail publish.
        context = _source(situation) | {"aws:SourceOwner": None}
        request = Request("sns:Publish", topic, {"Service": CLOUDTRAIL}, context, complete=False)
        effect = _effect(parse_policy(text), request, situation) if text else "Missing"
    except PolicyError as error:
        return unread_problem("sns_topic_policy", what, "its policy", Unread(str(error)))
    if effect == "Allow":
        return None
    found = {"Missing": "no such topic", "Unknown": f"that {CLOUDTRAIL} perhaps may not publish to it"}
    return Problem(
        "sns_topic_policy",
        "unknown" if effect == "Unknown" else "error",
        what,
        found.get(effect, f"that {CLOUDTRAIL} may not publish to it"),
        f"a topic whose policy allows {CLOUDTRAIL} sns:Publish with aws:SourceArn {situation.arn}",
        "Correct sns_topic_name, or add that to the topic's policy, see "
        "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-permissions-for-sns-notifications.html",
    )


def log_role_too_narrow(situation: Situation) -> Problem | None:
    """Whether the log group's role may write the members' streams, too (aws-facts 2.15)."""
    documents = situation.role_policies
    what = f"Role {situation.log_role}"
    if isinstance(documents, Unread):
        return unread_problem("log_role_too_narrow", what, "its policies", documents)
    if documents is None:
        return None
    stream = f"{situation.organization_id}_*"
    try:
        policies = [parse_policy(document) for document in documents]
    except PolicyError as error:
        return unread_problem("log_role_too_narrow", what, "its policies", Unread(str(error)))
    refused = [request.action for request in _log_requests(situation) if not _allowed(policies, request)]
    if not refused:
        return None
    return Problem(
        "log_role_too_narrow",
        "error",
        what,
        f"{' and '.join(refused)} not allowed for the members' log streams {stream}",
        f"both logs:CreateLogStream and logs:PutLogEvents allowed for {_streams(situation)}{stream}",
        "Add that resource to the role's policy; without it the members' events do not reach CloudWatch Logs.",
    )


def _streams(situation: Situation) -> str:
    return f"{situation.after['cloud_watch_logs_log_group_arn'].removesuffix(':*')}:log-stream:"


def _log_requests(situation: Situation) -> list[Request]:
    """What CloudTrail does with the role for a member, whose streams are named <o-id>_<account>_… (aws-facts 2.15)."""
    stream = f"{_streams(situation)}{situation.organization_id}_000000000000_CloudTrail_{situation.arn.region}"
    return [
        Request(action, stream, {"AWS": situation.log_role}) for action in ("logs:CreateLogStream", "logs:PutLogEvents")
    ]


def _allowed(policies: Sequence[Policy], request: Request) -> bool:
    effects = {evaluate(policy, request, identity_policy=True).effect for policy in policies}
    return "Allow" in effects and not effects & {"Deny", "Unknown"}
