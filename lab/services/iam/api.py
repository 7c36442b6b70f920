# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IAM: roles, keys that the lab knows, and CloudTrail's service-linked role (aws-facts 1.5). State is moto's."""

from __future__ import annotations

import json
import string
from collections.abc import Iterable
from functools import cache
from random import Random
from typing import Any
from urllib.parse import quote

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, IAMBackend, Role

from lab.kernel.call import Call, LabError, Principal
from lab.kernel.service import answers, guards
from lab.kernel.world import World
from lab.services.organizations.state import word

MEMBER_ROLE = "OrganizationAccountAccessRole"
CLOUDTRAIL_ROLE = "AWSServiceRoleForCloudTrail"
CLOUDTRAIL = "cloudtrail.amazonaws.com"
EVENT_CONTEXT = "context.cloudtrail.amazonaws.com"
LINKED_ROLES = {CLOUDTRAIL: CLOUDTRAIL_ROLE, EVENT_CONTEXT: "AWSServiceRoleForCloudTrailEventContext"}
"""Names that moto makes wrongly from the service's principal (aws-facts 1.8)."""

ADMINISTRATOR = "AdministratorAccess"
ID_LETTERS = string.ascii_uppercase + string.digits


def backend_of(world: World, account: str) -> IAMBackend:
    """moto's IAM state of an account, with its roles made."""
    made: IAMBackend = world.moto("iam", account)
    for name, trust, policy in world.unmade_roles.pop(account, ()):
        role = made.create_role(name, json.dumps(trust), "/", None, "", [], "3600")
        made.roles[role_id(account, name)] = made.roles.pop(role.id)
        role.id = role_id(account, name)
        if isinstance(policy, str):
            role.managed_policies[managed_policy_arn(world, policy)] = managed_policy(world, account, policy)
        else:
            role.put_policy(name, json.dumps(policy))
    return made


def role_id(account: str, name: str) -> str:
    """The same id whenever the role is made."""
    return "AROA" + "".join(Random(f"{account}/{name}").choices(ID_LETTERS, k=17))


def find_role(world: World, account: str, name: str) -> Role | None:
    """A role by its name, None when the account has none of this name."""
    return next((role for role in backend_of(world, account).get_roles() if role.name == name), None)


def make_role(world: World, account: str, name: str, trust: dict[str, Any], policy: str | dict[str, Any]) -> None:
    """Make a role with a trust policy, when somebody first looks at the account's IAM.

    policy: the name of an AWS managed policy, or the document of the role's own.

    (With 10,000 accounts, making their roles at once would take seconds.)
    """
    world.unmade_roles.setdefault(account, []).append((name, trust, policy))


def make_member_role(world: World, account: str, management: str, name: str = MEMBER_ROLE) -> None:
    """The role that Organizations makes in an account it creates: management may do everything."""
    principal = {"AWS": f"arn:{world.partition}:iam::{management}:root"}
    make_role(world, account, name, trust_policy(principal), ADMINISTRATOR)


def make_in_members(world: World, members: Iterable[str], name: str, trust: Any, policy: Any) -> list[str]:
    """Make a role in members, and in each account that comes later, as a service-managed StackSet does; their ids."""
    world.stack_roles.append((name, trust, policy))
    made = sorted(members)
    for account in made:
        make_role(world, account, name, trust, policy)
    return made


def trust_policy(principal: dict[str, str], condition: dict[str, Any] | None = None) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    if condition:
        statement["Condition"] = condition
    return {"Version": "2012-10-17", "Statement": [statement]}


def make_user(world: World, account: str, name: str, access_key: str, secret: str) -> Principal:
    """An IAM user with AdministratorAccess and one access key that the lab knows."""
    backend = backend_of(world, account)
    user = backend.create_user(world.home_region, name, "/", None)
    user.managed_policies[managed_policy_arn(world, ADMINISTRATOR)] = managed_policy(world, account, ADMINISTRATOR)
    key = backend.create_access_key(name)
    del backend.access_keys[key.physical_resource_id]
    key.access_key_id, key.secret_access_key = access_key, secret
    backend.access_keys[access_key] = key
    world.sessions[access_key] = Principal(account, user.arn, access_key, user_id=user.id)
    return world.sessions[access_key]


def make_root_keys(world: World, account: str) -> dict[str, str]:
    """New access keys of an account's root user, in the shape in which IAM answers them."""
    key = "AKIA" + word(world.random, 16).upper()
    arn = f"arn:{world.partition}:iam::{account}:root"
    world.sessions[key] = Principal(account, arn, key, user_id=account)
    return {"AccessKeyId": key, "SecretAccessKey": word(world.random, 40)}


# --- service-linked roles ---------------------------------------------------------------------------


def has_service_linked_role(world: World, account: str, service: str = CLOUDTRAIL) -> bool:
    """Whether the service's role, as a rule AWSServiceRoleForCloudTrail, exists in the account."""
    return find_role(world, account, LINKED_ROLES[service]) is not None


def make_service_linked_role(world: World, account: str, service: str = CLOUDTRAIL) -> None:
    """Make the service's role in the account unless it has it."""
    if not has_service_linked_role(world, account, service):
        linked_role(world, account, service, LINKED_ROLES[service], "")


def make_linked_keys(world: World, account: str) -> dict[str, str]:
    """Keys of CloudTrail's service-linked role, which is made where it is missing, as IAM answers keys."""
    make_service_linked_role(world, account)
    key = "ASIA" + word(world.random, 16).upper()
    arn = f"arn:{world.partition}:sts::{account}:assumed-role/{CLOUDTRAIL_ROLE}/cloudtrail"
    world.sessions[key] = Principal(account, arn, key, role=CLOUDTRAIL_ROLE)
    return {"AccessKeyId": key, "SecretAccessKey": word(world.random, 40)}


def delete_service_linked_role(world: World, account: str) -> None:
    """Remove AWSServiceRoleForCloudTrail from the account if it has it."""
    role = find_role(world, account, CLOUDTRAIL_ROLE)
    if role is not None:
        del backend_of(world, account).roles[role.id]


def linked_role(world: World, account: str, service: str, name: str, description: str) -> Role:
    trust = trust_policy({"Service": service})
    path = f"/aws-service-role/{service}/"
    return backend_of(world, account).create_role(
        name, json.dumps(trust), path, None, description, [], "3600", linked_service=service
    )


@answers("iam", "CreateServiceLinkedRole")
def create_service_linked_role(world: World, call: Call) -> dict[str, Any]:
    service = call.parameters["AWSServiceName"]
    description = call.parameters.get("Description") or ""
    name = LINKED_ROLES.get(service)
    if name is None:
        suffix = call.parameters.get("CustomSuffix", "")
        return {
            "Role": described(backend_of(world, call.account).create_service_linked_role(service, description, suffix))
        }
    if find_role(world, call.account, name):
        raise LabError(
            "InvalidInput",
            f"Service role name {name} has been taken in this account, please try a different suffix.",
        )
    return {"Role": described(linked_role(world, call.account, service, name, description))}


def described(role: Role) -> dict[str, Any]:
    return {
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.id,
        "Arn": role.arn,
        "CreateDate": role.create_date,
        "AssumeRolePolicyDocument": quote(role.assume_role_policy_document),
        "Description": role.description,
        "MaxSessionDuration": int(role.max_session_duration or 3600),
    }


# --- AWS managed policies ---------------------------------------------------------------------------


@cache
def aws_managed_policies() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(aws_managed_policies_data)
    return found


def managed_policy_arn(world: World, name: str) -> str:
    return f"arn:{world.partition}:iam::aws:policy{aws_managed_policies()[name]['Path']}{name}"


def managed_policy(world: World, account: str, name: str) -> AWSManagedPolicy:
    """One of AWS's managed policies in an account. moto would load all 1,500 into each of 10,000 accounts."""
    known: dict[str, AWSManagedPolicy] = world.moto("iam", account).managed_policies
    arn = managed_policy_arn(world, name)
    if arn not in known:
        known[arn] = shared_policy(world.partition, name)
    return known[arn]


def document_of(policy: Any) -> str:
    """The text of a managed policy's default version."""
    return str(next(version.document for version in policy.versions if version.is_default))


@cache
def shared_policy(partition: str, name: str) -> AWSManagedPolicy:
    region = {"aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}.get(partition, "us-east-1")
    return AWSManagedPolicy.from_data(name, "aws", region, aws_managed_policies()[name])


ROLE_WRITES = ("AttachRolePolicy", "CreateRole", "PutRolePolicy", "UpdateAssumeRolePolicy")


@guards("iam")
def note_late_roles(world: World, call: Call) -> None:
    """CloudTrail may see a role only some time after it was written (aws-facts 2.17)."""
    if call.operation in ROLE_WRITES:
        world.role_refusals_left = world.options.policy_propagation_calls


@guards("iam")
def make_ready(world: World, call: Call) -> None:
    """Before moto looks at an account's IAM, or for an AWS managed policy, put there what it will look for."""
    backend_of(world, call.account)
    arn = str(call.parameters.get("PolicyArn", ""))
    name = arn.rpartition("/")[2]
    if ":iam::aws:policy/" in arn and name in aws_managed_policies() and arn == managed_policy_arn(world, name):
        managed_policy(world, call.account, name)


# --- access keys ------------------------------------------------------------------------------------


def user_name(call: Call) -> str:
    """The user that a call about access keys means: the one named, or the caller."""
    return str(call.parameters.get("UserName") or call.principal.arn.rpartition("/")[2])


@answers("iam", "CreateAccessKey")
def create_access_key(world: World, call: Call) -> dict[str, Any]:
    backend = backend_of(world, call.account)
    name = user_name(call)
    key, user = backend.create_access_key(name), backend.get_user(name)
    world.sessions[key.access_key_id] = Principal(call.account, user.arn, key.access_key_id, user_id=user.id)
    return {
        "AccessKey": {
            "UserName": name,
            "AccessKeyId": key.access_key_id,
            "Status": "Active",
            "SecretAccessKey": key.secret_access_key,
            "CreateDate": world.now(),
        }
    }


@answers("iam", "DeleteAccessKey")
def delete_access_key(world: World, call: Call) -> dict[str, Any]:
    access_key = call.parameters["AccessKeyId"]
    backend_of(world, call.account).delete_access_key(access_key, user_name(call))
    world.sessions.pop(access_key, None)
    return {}
