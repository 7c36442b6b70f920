# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS Organizations: policies and tags (aws-facts 7.6, 10.1 to 10.5)."""

from __future__ import annotations

from ansible_collections.cloudsec.org_trail.plugins.module_utils._policy.evaluation import (
    PolicyError,
    Statement,
    parse_policy,
)

from lab.kernel.call import Call, LabError
from lab.kernel.world import World
from lab.services.organizations.api import (
    Reply,
    invalid,
    operation,
    paged,
    policy_of,
    root_of,
    tags_in,
    target_of,
    violation,
)
from lab.services.organizations.state import (
    RCP,
    RCP_FULL_ACCESS_ID,
    SCP,
    Account,
    Organization,
    OrganizationPolicy,
    word,
)
from lab.services.organizations.tree import describe_root_of

LARGEST_CONTENT = {SCP: 10_240, RCP: 5_120}
"""Characters, white space included (aws-facts 10.1)."""
MOST_ATTACHMENTS = {SCP: 10, RCP: 5}
"""Directly on a root, unit or account (aws-facts 10.2)."""

# --- policies ---------------------------------------------------------------------------------------


def summary_of(org: Organization, policy: OrganizationPolicy) -> Reply:
    kind = policy.type.lower()
    arn = (
        f"arn:{org.partition}:organizations::aws:policy/{kind}/{policy.id}"
        if policy.aws_managed
        else org.arn("policy", kind, policy.id)
    )
    return {
        "Id": policy.id,
        "Arn": arn,
        "Name": policy.name,
        "Description": policy.description,
        "Type": policy.type,
        "AwsManaged": policy.aws_managed,
    }


def described_policy(org: Organization, policy: OrganizationPolicy) -> Reply:
    return {"Policy": {"PolicySummary": summary_of(org, policy), "Content": policy.content}}


def refuse_bad_content(policy_type: str, content: str) -> None:
    if policy_type not in LARGEST_CONTENT:
        return
    if len(content) > LARGEST_CONTENT[policy_type]:
        raise violation(
            f"You have exceeded the maximum policy size: {LARGEST_CONTENT[policy_type]} characters.",
            "POLICY_CONTENT_LIMIT_EXCEEDED",
        )
    try:
        policy = parse_policy(content, "identity" if policy_type == SCP else "resource")
    except PolicyError as error:
        raise LabError("MalformedPolicyDocumentException", "The provided policy document is not valid.") from error
    if policy_type == RCP and not all(map(may_control_resources, policy.statements)):
        raise LabError("MalformedPolicyDocumentException", "The provided policy document is not valid.")


def may_control_resources(statement: Statement) -> bool:
    """Whether a resource control policy may have a statement (aws-facts 10.4)."""
    everybody = statement.raw["Effect"] == "Deny" and statement.raw.get("Principal") == "*"
    return everybody and "Action" in statement.raw and "*" not in statement.action


@operation("CreatePolicy")
def create_policy(world: World, org: Organization, call: Call) -> Reply:
    parameters = call.parameters
    refuse_same_name(org, parameters["Name"])
    refuse_bad_content(parameters["Type"], parameters["Content"])
    policy = add_policy(world, org, parameters["Name"], parameters["Content"], parameters["Type"])
    policy.description, policy.tags = parameters["Description"], tags_in(call)
    return described_policy(org, policy)


def refuse_same_name(org: Organization, name: str) -> None:
    if any(policy.name == name for policy in org.policies.values()):
        raise LabError("DuplicatePolicyException", "A policy with the same name already exists.")


def add_policy(world: World, org: Organization, name: str, content: str, kind: str = SCP) -> OrganizationPolicy:
    """A new policy, attached to nothing."""
    policy = OrganizationPolicy("p-" + word(world.random, 8), name, "", kind, content)
    org.policies[policy.id] = policy
    return policy


@operation("UpdatePolicy")
def update_policy(world: World, org: Organization, call: Call) -> Reply:
    policy = changeable(org, call.parameters["PolicyId"])
    content, name = call.parameters.get("Content", policy.content), call.parameters.get("Name", policy.name)
    if name != policy.name:
        refuse_same_name(org, name)
    refuse_bad_content(policy.type, content)
    policy.content, policy.name = content, name
    policy.description = call.parameters.get("Description", policy.description)
    return described_policy(org, policy)


@operation("DeletePolicy")
def delete_policy(world: World, org: Organization, call: Call) -> Reply:
    policy = changeable(org, call.parameters["PolicyId"])
    if policy.targets:
        raise LabError("PolicyInUseException", "The policy is attached to one or more entities; detach it first.")
    del org.policies[policy.id]
    return {}


def changeable(org: Organization, policy_id: str) -> OrganizationPolicy:
    policy = policy_of(org, policy_id)
    if policy.aws_managed:
        raise invalid("You specified a policy that is managed by AWS and can't be modified.")
    return policy


@operation("DescribePolicy")
def describe_policy(world: World, org: Organization, call: Call) -> Reply:
    return described_policy(org, policy_of(org, call.parameters["PolicyId"]))


@operation("ListPolicies")
def list_policies(world: World, org: Organization, call: Call) -> Reply:
    found = [policy for policy in org.policies.values() if policy.type == call.parameters["Filter"]]
    return paged(world, call, "Policies", found, lambda policy: summary_of(org, policy))


@operation("ListPoliciesForTarget")
def list_policies_for_target(world: World, org: Organization, call: Call) -> Reply:
    target = target_of(org, call.parameters["TargetId"])
    found = org.attached_policies(target.id, call.parameters["Filter"])
    return paged(world, call, "Policies", found, lambda policy: summary_of(org, policy))


@operation("ListTargetsForPolicy")
def list_targets_for_policy(world: World, org: Organization, call: Call) -> Reply:
    def describe(target_id: str) -> Reply:
        target = target_of(org, target_id)
        kind = "ACCOUNT" if isinstance(target, Account) else "ROOT" if not target.parent else "ORGANIZATIONAL_UNIT"
        arn = org.arn({"ACCOUNT": "account", "ROOT": "root"}.get(kind, "ou"), target_id)
        return {"TargetId": target_id, "Arn": arn, "Name": target.name, "Type": kind}

    return paged(world, call, "Targets", policy_of(org, call.parameters["PolicyId"]).targets, describe)


@operation("AttachPolicy")
def attach_policy(world: World, org: Organization, call: Call) -> Reply:
    policy, target = policy_of(org, call.parameters["PolicyId"]), target_of(org, call.parameters["TargetId"])
    if policy.type not in org.policy_types:
        raise LabError("PolicyTypeNotEnabledException", "The policy type is not enabled for the root.")
    if target.id in policy.targets:
        raise LabError("DuplicatePolicyAttachmentException", "The policy is already attached to the target.")
    most = MOST_ATTACHMENTS.get(policy.type)
    if most and len(org.attached_policies(target.id, policy.type)) >= most:
        raise violation(
            f"You have exceeded the number of policies of this type attached to the target: {most}.",
            "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED",
        )
    org.attach(policy.id, target.id)
    return {}


@operation("DetachPolicy")
def detach_policy(world: World, org: Organization, call: Call) -> Reply:
    policy, target = policy_of(org, call.parameters["PolicyId"]), target_of(org, call.parameters["TargetId"])
    if target.id not in policy.targets:
        raise LabError("PolicyNotAttachedException", "The policy isn't attached to the specified target.")
    if policy.id == RCP_FULL_ACCESS_ID:
        raise invalid("You cannot detach RCPFullAWSAccess.")
    if policy.type == SCP and len(org.attached_policies(target.id, SCP)) == 1:
        raise violation(
            "You cannot remove the last SCP attached to an entity.", "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED"
        )
    org.detach(policy.id, target.id)
    return {}


@operation("EnablePolicyType")
def enable_policy_type(world: World, org: Organization, call: Call) -> Reply:
    root_of(org, call.parameters["RootId"])
    policy_type = call.parameters["PolicyType"]
    if org.feature_set != "ALL":
        raise LabError("PolicyTypeNotAvailableForOrganizationException", "All features must be enabled first.")
    if policy_type in org.policy_types:
        raise LabError("PolicyTypeAlreadyEnabledException", "The specified policy type is already enabled.")
    if policy_type in org.pending_types:
        raise LabError("PolicyChangesInProgressException", "Changes to the policy type are in progress.")
    if world.options.policy_type_propagation_calls:
        org.pending_types[policy_type] = world.options.policy_type_propagation_calls
    else:
        org.enable_policy_type(policy_type)
    return {"Root": describe_root_of(org)}


@operation("DisablePolicyType")
def disable_policy_type(world: World, org: Organization, call: Call) -> Reply:
    """All policies of the type are detached from everything."""
    root_of(org, call.parameters["RootId"])
    policy_type = call.parameters["PolicyType"]
    if policy_type not in org.policy_types:
        raise LabError("PolicyTypeNotEnabledException", "The policy type is not enabled for the root.")
    del org.policy_types[policy_type]
    for policy in org.policies.values():
        if policy.type == policy_type:
            for target in list(policy.targets):
                org.detach(policy.id, target)
    return {"Root": describe_root_of(org)}


# --- tags -------------------------------------------------------------------------------------------


def tagged(org: Organization, resource_id: str) -> dict[str, str]:
    resource = org.policies.get(resource_id) or target_of(org, resource_id)
    return resource.tags


@operation("ListTagsForResource")
def list_tags_for_resource(world: World, org: Organization, call: Call) -> Reply:
    found = tagged(org, call.parameters["ResourceId"])
    return paged(world, call, "Tags", found.items(), lambda tag: {"Key": tag[0], "Value": tag[1]})


@operation("TagResource")
def tag_resource(world: World, org: Organization, call: Call) -> Reply:
    tagged(org, call.parameters["ResourceId"]).update(tags_in(call))
    return {}


@operation("UntagResource")
def untag_resource(world: World, org: Organization, call: Call) -> Reply:
    found = tagged(org, call.parameters["ResourceId"])
    for key in call.parameters["TagKeys"]:
        found.pop(key, None)
    return {}
