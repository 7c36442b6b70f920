# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies of AWS Organizations: one call per function. The management account calls them (and some administrators)."""

from __future__ import annotations

from .organizations import OrganizationsErrorHandler
from .retry import retry_read, retry_write
from .untyped import Client, Structure


@OrganizationsErrorHandler.common_error_handler("list the policies of the organization")
@retry_read
def list_policies(client: Client, policy_type: str) -> list[Structure]:
    """The summaries of all policies of a type, with Id, Arn, Name and AwsManaged each.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListPolicies.html
    """
    pages = client.get_paginator("list_policies").paginate(Filter=policy_type)
    policies: list[Structure] = pages.build_full_result()["Policies"]
    return policies


@OrganizationsErrorHandler.common_error_handler("describe a policy of the organization")
@retry_read
def describe_policy(client: Client, policy_id: str) -> Structure:
    """A policy's PolicySummary and Content, a JSON text.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribePolicy.html
    """
    policy: Structure = client.describe_policy(PolicyId=policy_id)["Policy"]
    return policy


@OrganizationsErrorHandler.common_error_handler("list what a policy is attached to")
@retry_read
def list_targets(client: Client, policy_id: str) -> list[str]:
    """The ids of the root, OUs and accounts that a policy is attached to, sorted.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListTargetsForPolicy.html
    """
    pages = client.get_paginator("list_targets_for_policy").paginate(PolicyId=policy_id)
    return sorted(target["TargetId"] for target in pages.build_full_result()["Targets"])


@OrganizationsErrorHandler.common_error_handler("list the policies that are attached to a root, OU or account")
@retry_read
def list_attached(client: Client, target_id: str, policy_type: str) -> list[Structure]:
    """The summaries of the policies of a type that are attached to a target itself.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListPoliciesForTarget.html
    """
    pages = client.get_paginator("list_policies_for_target").paginate(TargetId=target_id, Filter=policy_type)
    policies: list[Structure] = pages.build_full_result()["Policies"]
    return policies


@OrganizationsErrorHandler.common_error_handler("list the tags of a policy")
@retry_read
def list_policy_tags(client: Client, policy_id: str) -> list[Structure]:
    """A policy's tags, as Key and Value each.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListTagsForResource.html
    """
    pages = client.get_paginator("list_tags_for_resource").paginate(ResourceId=policy_id)
    tags: list[Structure] = pages.build_full_result()["Tags"]
    return tags


@OrganizationsErrorHandler.common_error_handler("create a policy of the organization")
@retry_write
def create_policy(client: Client, policy: Structure) -> str:
    """CreatePolicy with the members of its request; answers the policy's id.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreatePolicy.html
    """
    return str(client.create_policy(**policy)["Policy"]["PolicySummary"]["Id"])


@OrganizationsErrorHandler.common_error_handler("update a policy of the organization")
@retry_write
def update_policy(client: Client, policy_id: str, changed: Structure) -> None:
    """UpdatePolicy with what changes: Content, Description. It counts everywhere at once.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_UpdatePolicy.html
    """
    client.update_policy(PolicyId=policy_id, **changed)


@OrganizationsErrorHandler.common_error_handler("tag a policy of the organization")
@retry_write
def tag_policy(client: Client, policy_id: str, tags: list[Structure]) -> None:
    """TagResource: adds tags, or gives them other values.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_TagResource.html
    """
    client.tag_resource(ResourceId=policy_id, Tags=tags)


@OrganizationsErrorHandler.common_error_handler("attach a policy of the organization")
@retry_write
def attach_policy(client: Client, policy_id: str, target_id: str) -> None:
    """AttachPolicy to a root, OU or account.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_AttachPolicy.html
    """
    client.attach_policy(PolicyId=policy_id, TargetId=target_id)


@OrganizationsErrorHandler.common_error_handler("detach a policy of the organization")
@retry_write
def detach_policy(client: Client, policy_id: str, target_id: str) -> None:
    """DetachPolicy from a root, OU or account.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_DetachPolicy.html
    """
    client.detach_policy(PolicyId=policy_id, TargetId=target_id)


@OrganizationsErrorHandler.common_error_handler("delete a policy of the organization")
@retry_write
def delete_policy(client: Client, policy_id: str) -> None:
    """DeletePolicy, which must be attached to nothing.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_DeletePolicy.html
    """
    client.delete_policy(PolicyId=policy_id)


@OrganizationsErrorHandler.common_error_handler("enable a type of policies for the organization")
@retry_write
def enable_policy_type(client: Client, root_id: str, policy_type: str) -> None:
    """EnablePolicyType: asynchronous, ListRoots tells when it is done (aws-facts 10.5).

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_EnablePolicyType.html
    """
    client.enable_policy_type(RootId=root_id, PolicyType=policy_type)
