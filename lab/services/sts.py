# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""STS: keys only for roles that exist, trust the caller, and stand in an account that can be entered.

Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""

from __future__ import annotations

import base64
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ansible_collections.cloudsec.org_trail.plugins.module_utils._policy.evaluation import (
    PolicyError,
    Request,
    evaluate,
)
from moto.iam.models import Role

from lab.kernel.call import Call, LabError, Principal
from lab.kernel.service import answers
from lab.kernel.world import World
from lab.services.iam import api as iam
from lab.services.iam.authorizer import caller_context, document
from lab.services.iam.requested import is_root
from lab.services.organizations.state import ENTERABLE

HOUR = 3600
SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)


@dataclass(frozen=True)
class RoleArn:
    account: str
    name: str


def role_arn(world: World, arn: str) -> RoleArn | None:
    match = re.fullmatch(rf"arn:{world.partition}:iam::(\d{{12}}):role/(?:[\w+=,.@/-]*/)?([\w+=,.@-]+)", arn)
    return RoleArn(match[1], match[2]) if match else None


@answers("sts", "AssumeRole")
def assume_role(world: World, call: Call) -> dict[str, Any]:
    parameters = call.parameters
    if is_root(call.principal):
        raise LabError("AccessDenied", "Roles may not be assumed by root accounts.", 403)
    refuse_bad_session_name(parameters["RoleSessionName"])
    wanted = role_arn(world, parameters["RoleArn"])
    if wanted is None:
        raise LabError("ValidationError", f"{parameters['RoleArn']} is invalid", 400)
    role = admitting_role(world, call, wanted)
    if role is None:
        raise not_authorized(call)
    seconds = duration(call, role)
    policies = session_policies(world, call, wanted.account)
    account, name = wanted.account, parameters["RoleSessionName"]
    principal = Principal(
        account=account,
        arn=f"arn:{world.partition}:sts::{account}:assumed-role/{role.name}/{name}",
        access_key=new_access_key(),
        role=role.name,
        session_policies=policies,
        expires=world.now() + timedelta(seconds=seconds),
        user_id=f"{role.id}:{name}",
        since=world.now(),
    )
    world.sessions[principal.access_key] = principal
    return {
        "Credentials": credentials(principal),
        "AssumedRoleUser": {"AssumedRoleId": principal.user_id, "Arn": principal.arn},
        **({"PackedPolicySize": min(100, sum(map(len, policies)) // 20)} if policies else {}),
    }


def admitting_role(world: World, call: Call, wanted: RoleArn) -> Role | None:
    """The role, None when it does not exist, does not trust the caller, or its account is not active (4.8)."""
    org = world.organization
    account = org.accounts.get(wanted.account) if org else None
    if account and account.state not in ENTERABLE:
        return None
    role = iam.find_role(world, wanted.account, wanted.name)
    if role is None or role.arn != call.parameters["RoleArn"] or not trusts(world, call, role):
        return None
    return role


def trusts(world: World, call: Call, role: Role) -> bool:
    """Whether the role's trust policy lets the caller in."""
    context = caller_context(world, call)
    context |= {
        "sts:ExternalId": call.parameters.get("ExternalId"),
        "sts:RoleSessionName": call.parameters["RoleSessionName"],
        "sts:SourceIdentity": call.parameters.get("SourceIdentity"),
    }
    request = Request("sts:AssumeRole", role.arn, {"AWS": call.principal.arn}, context)
    return evaluate(document(role.assume_role_policy_document), request).effect == "Allow"


def not_authorized(call: Call) -> LabError:
    arn = call.parameters["RoleArn"]
    return LabError(
        "AccessDenied",
        f"User: {call.principal.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}",
        403,
    )


def refuse_bad_session_name(name: str) -> None:
    if SESSION_NAME.fullmatch(name):
        return
    found = f"Value '{name}' at 'roleSessionName'"
    wanted = "Member must satisfy regular expression pattern: [\\w+=,.@-]*"
    if not 2 <= len(name) <= 64:
        wanted = (
            f"Member must have length {'less than or equal to 64' if len(name) > 64 else 'greater than or equal to 2'}"
        )
    raise LabError(
        "ValidationError", f"1 validation error detected: {found} failed to satisfy constraint: {wanted}", 400
    )


def duration(call: Call, role: Role) -> int:
    """How long the session lasts, in seconds: at most the role's maximum, and an hour for a role's session."""
    seconds = int(call.parameters.get("DurationSeconds", HOUR))
    if not 900 <= seconds <= 12 * HOUR:
        raise LabError("ValidationError", f"The requested DurationSeconds {seconds} is not within 900 and 43200.", 400)
    if call.principal.role and seconds > HOUR:
        raise LabError(
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
            400,
        )
    if seconds > int(role.max_session_duration or HOUR):
        raise LabError(
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            400,
        )
    return seconds


def session_policies(world: World, call: Call, account: str) -> tuple[str, ...]:
    """The session's own policies: the inline one, and the managed ones named by PolicyArns."""
    found = [call.parameters["Policy"]] if call.parameters.get("Policy") else []
    for descriptor in call.parameters.get("PolicyArns") or []:
        arn = descriptor["arn"]
        name = arn.rpartition("/")[2]
        if ":iam::aws:" in arn and name in iam.aws_managed_policies():
            iam.managed_policy(world, account, name)
        policy = iam.backend_of(world, account).managed_policies.get(arn)
        if policy is None:
            raise LabError("ValidationError", f"Policy {arn} does not exist.", 400)
        found.append(iam.document_of(policy))
    for text in found:
        try:
            document(text)
        except PolicyError as error:
            raise LabError("MalformedPolicyDocument", str(error), 400) from error
    return tuple(found)


def new_access_key() -> str:
    return "ASIA" + base64.b32encode(secrets.token_bytes(10)).decode()


def credentials(principal: Principal) -> dict[str, Any]:
    return {
        "AccessKeyId": principal.access_key,
        "SecretAccessKey": secrets.token_urlsafe(30),
        "SessionToken": secrets.token_urlsafe(96),
        "Expiration": principal.expires,
    }


@answers("sts", "GetCallerIdentity")
def get_caller_identity(world: World, call: Call) -> dict[str, Any]:
    principal = call.principal
    return {"UserId": principal.user_id or principal.access_key, "Account": principal.account, "Arn": principal.arn}


@answers("sts", "GetSessionToken")
def get_session_token(world: World, call: Call) -> dict[str, Any]:
    """Temporary keys of the same user."""
    if call.principal.role:
        raise LabError("AccessDenied", "Cannot call GetSessionToken with session credentials", 403)
    seconds = int(call.parameters.get("DurationSeconds", 12 * HOUR))
    principal = Principal(
        account=call.account,
        arn=call.principal.arn,
        access_key=new_access_key(),
        expires=world.now() + timedelta(seconds=seconds),
        user_id=call.principal.user_id,
        since=world.now(),
    )
    world.sessions[principal.access_key] = principal
    return {"Credentials": credentials(principal)}
