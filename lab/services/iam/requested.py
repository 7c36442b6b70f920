# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a call asks for, in the words of policies: action, resources, condition keys.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/ and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lab.kernel.call import Call, Principal
from lab.kernel.world import World
from lab.services import s3
from lab.services.iam import api as iam
from lab.services.organizations.state import Organization

Context = dict[str, str | list[str] | None]

# --- actions ----------------------------------------------------------------------------------------

PREFIX_OF_SERVICE = {"monitoring": "cloudwatch", "resourcegroupstaggingapi": "tag"}

S3_ACTIONS = {
    "ListBuckets": "ListAllMyBuckets",
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListParts": "ListMultipartUploadParts",
    "HeadObject": "GetObject",
    "CopyObject": "PutObject",
    "DeleteObjects": "DeleteObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "GetBucketLifecycle": "GetLifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "PutBucketLifecycle": "PutLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "GetBucketReplication": "GetReplicationConfiguration",
    "PutBucketReplication": "PutReplicationConfiguration",
    "DeleteBucketReplication": "PutReplicationConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
    "GetBucketCors": "GetBucketCORS",
    "PutBucketCors": "PutBucketCORS",
    "DeleteBucketCors": "PutBucketCORS",
    "ListBucketInventoryConfigurations": "GetInventoryConfiguration",
    "GetBucketInventoryConfiguration": "GetInventoryConfiguration",
    "PutBucketInventoryConfiguration": "PutInventoryConfiguration",
    "DeleteBucketInventoryConfiguration": "PutInventoryConfiguration",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
}
"""S3's actions that are not called like the operation."""


OF_VERSIONS = ("DeleteObject", "GetObject")
"""S3's operations whose action is another one where a version is named."""


def action_of(call: Call) -> str:
    """The action that policies name, for example ``cloudtrail:UpdateTrail``."""
    if call.service == "s3" and call.operation in OF_VERSIONS and call.parameters.get("VersionId"):
        return f"s3:{call.operation}Version"
    if call.service == "s3":
        return f"s3:{S3_ACTIONS.get(call.operation, call.operation)}"
    return f"{PREFIX_OF_SERVICE.get(call.service, call.service)}:{call.operation}"


# --- resources --------------------------------------------------------------------------------------

CLOUDTRAIL_LISTS = ("DescribeTrails", "ListTrails", "LookupEvents", "ListPublicKeys", "ListEventDataStores")


def resources_of(world: World, call: Call) -> list[str]:
    """The ARNs that the call needs permission for, ``["*"]`` when its action knows no resource."""
    find = RESOURCES.get(call.service)
    return (find(world, call) if find else []) or ["*"]


def cloudtrail_resources(world: World, call: Call) -> list[str]:
    parameters = call.parameters
    if call.operation in CLOUDTRAIL_LISTS:
        return []
    names = [parameters.get(key) for key in ("Name", "TrailName", "ResourceId", "EventDataStore")]
    names += parameters.get("ResourceIdList") or []
    home = f"arn:{world.partition}:cloudtrail:{call.region}:{call.account}:trail/"
    return [name if name.startswith("arn:") else home + name for name in names if name]


def organizations_resources(world: World, call: Call) -> list[str]:
    org = world.organization
    if org is None:
        return []
    if call.operation == "CreatePolicy":
        return [org.arn("policy", call.parameters["Type"].lower(), "p-*")]
    keys = (
        "AccountId",
        "OrganizationalUnitId",
        "ParentId",
        "SourceParentId",
        "DestinationParentId",
        "RootId",
        "PolicyId",
        "TargetId",
        "ResourceId",
    )
    return [organization_arn(org, call.parameters[key]) for key in keys if call.parameters.get(key)]


def organization_arn(org: Organization, identifier: str) -> str:
    """The ARN of an account, root, unit or policy of the organization by its id."""
    if identifier.startswith("r-"):
        return org.arn("root", identifier)
    if identifier.startswith("ou-"):
        return org.arn("ou", identifier)
    if identifier.startswith("p-"):
        policy = org.policies.get(identifier)
        if policy and policy.aws_managed:
            return f"arn:{org.partition}:organizations::aws:policy/{policy.type.lower()}/{identifier}"
        return org.arn("policy", policy.type.lower() if policy else "service_control_policy", identifier)
    return org.arn("account", identifier)


def s3_resources(world: World, call: Call) -> list[str]:
    bucket = call.parameters.get("Bucket")
    if not bucket:
        return []
    arn = f"arn:{world.partition}:s3:::{bucket}"
    if call.operation == "DeleteObjects":
        return [f"{arn}/{item['Key']}" for item in call.parameters["Delete"]["Objects"]]
    key = call.parameters.get("Key")
    return [f"{arn}/{key}" if key else arn]


def sts_resources(world: World, call: Call) -> list[str]:
    return [call.parameters["RoleArn"]] if call.parameters.get("RoleArn") else []


def iam_resources(world: World, call: Call) -> list[str]:
    parameters, account = call.parameters, f"arn:{world.partition}:iam::{call.account}"
    if call.operation == "CreateServiceLinkedRole":
        service = parameters["AWSServiceName"]
        return [f"{account}:role/aws-service-role/{service}/{iam.LINKED_ROLES.get(service, '*')}"]
    if name := parameters.get("RoleName"):
        role = iam.find_role(world, call.account, name)
        return [role.arn if role else f"{account}:role{parameters.get('Path') or '/'}{name}"]
    if name := parameters.get("UserName"):
        user = iam.backend_of(world, call.account).users.get(name)
        return [user.arn if user else f"{account}:user{parameters.get('Path') or '/'}{name}"]
    if name := parameters.get("PolicyName"):
        return [f"{account}:policy{parameters.get('Path') or '/'}{name}"]
    return [parameters["PolicyArn"]] if parameters.get("PolicyArn") else []


def kms_resources(world: World, call: Call) -> list[str]:
    key = str(call.parameters.get("KeyId") or "")
    if not key or key.startswith("arn:"):
        return [key] if key else []
    account = f"arn:{world.partition}:kms:{call.region}:{call.account}"
    if key.startswith("alias/"):
        found = world.moto("kms", call.account, call.region).get_key_id_from_alias(key)
        return [f"{account}:key/{found}"] if found else []
    return [f"{account}:key/{key}"]


def sns_resources(world: World, call: Call) -> list[str]:
    return [call.parameters["TopicArn"]] if call.parameters.get("TopicArn") else []


def events_resources(world: World, call: Call) -> list[str]:
    """Rules of the default bus, or the bus that events are put on."""
    account = f"arn:{world.partition}:events:{call.region}:{call.account}"
    if call.operation == "PutEvents":
        names = {entry.get("EventBusName") or "default" for entry in call.parameters["Entries"]}
        return sorted(name if name.startswith("arn:") else f"{account}:event-bus/{name}" for name in names)
    about_rules = "Rule" in call.operation or "Target" in call.operation
    name = call.parameters.get("Rule") or call.parameters.get("Name")
    return [f"{account}:rule/{name}"] if about_rules and name else []


def sqs_resources(world: World, call: Call) -> list[str]:
    """Queues by their address, whose last two parts are account and name, or by the name alone."""
    account, _slash, name = str(call.parameters.get("QueueUrl") or "").rpartition("/")
    name, account = name or call.parameters.get("QueueName", ""), account.rpartition("/")[2] or call.account
    return [f"arn:{world.partition}:sqs:{call.region}:{account}:{name}"] if name else []


def account_resources(world: World, call: Call) -> list[str]:
    account = call.parameters.get("AccountId")
    arn = f"arn:{world.partition}:account::{call.account}:account"
    return [f"{arn}/{world.organization_id}/{account}" if account and world.organization else arn]


RESOURCES: dict[str, Callable[[World, Call], list[str]]] = {
    "account": account_resources,
    "cloudtrail": cloudtrail_resources,
    "events": events_resources,
    "organizations": organizations_resources,
    "s3": s3_resources,
    "sts": sts_resources,
    "iam": iam_resources,
    "kms": kms_resources,
    "sns": sns_resources,
    "sqs": sqs_resources,
}


def bucket_of(call: Call) -> s3.Bucket | None:
    """The bucket that an S3 call is about, None when there is none (moto answers NoSuchBucket)."""
    name = call.parameters.get("Bucket")
    return s3.find_bucket(name) if name and call.service == "s3" and call.operation != "CreateBucket" else None


# --- condition keys ---------------------------------------------------------------------------------

PARAMETER_KEYS = {
    "cloudtrail": {"EventCategory": "cloudtrail:EventCategory"},
    "iam": {
        "AWSServiceName": "iam:AWSServiceName",
        "PolicyArn": "iam:PolicyARN",
        "PermissionsBoundary": "iam:PermissionsBoundary",
    },
    "organizations": {
        "ServicePrincipal": "organizations:ServicePrincipal",
        "PolicyType": "organizations:PolicyType",
        "Type": "organizations:PolicyType",
        "Filter": "organizations:PolicyType",
    },
    "sts": {
        "ExternalId": "sts:ExternalId",
        "RoleSessionName": "sts:RoleSessionName",
        "SourceIdentity": "sts:SourceIdentity",
    },
    "s3": {
        "Prefix": "s3:prefix",
        "Delimiter": "s3:delimiter",
        "MaxKeys": "s3:max-keys",
        "VersionId": "s3:VersionId",
    },
}
"""Condition keys that are a parameter of the call, by service and parameter."""

HEADER_KEYS = (
    "x-amz-acl",
    "x-amz-content-sha256",
    "x-amz-copy-source",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-storage-class",
)
"""S3's condition keys that are a header of the request."""


def context_of(world: World, call: Call) -> Context:
    """Every condition key that the call has; a key that is not here is absent from the request."""
    context = caller_context(world, call)
    for parameter, key in PARAMETER_KEYS.get(call.service, {}).items():
        if call.parameters.get(parameter) is not None:
            context[key] = str(call.parameters[parameter])
    if call.service == "s3":
        context |= {f"s3:{name}": call.headers[name] for name in HEADER_KEYS if name in call.headers}
    context |= owner_context(world, call)
    tags: Any = call.parameters.get("Tags") or call.parameters.get("TagsList") or []
    if isinstance(tags, list) and all(isinstance(tag, dict) and "Key" in tag for tag in tags):
        context["aws:TagKeys"] = [tag["Key"] for tag in tags]
        context |= {f"aws:RequestTag/{tag['Key']}": tag.get("Value", "") for tag in tags}
    return context


def owner_of(call: Call, resource: str) -> str:
    """The account that a resource of the call belongs to: the bucket's, the one in its ARN, or else the caller's."""
    bucket = bucket_of(call)
    if bucket:
        return str(bucket.account_id)
    parts = resource.split(":", 5)
    return parts[4] if call.service in ("cloudtrail", "kms", "sqs", "sts") and len(parts) == 6 else call.account


def owner_context(world: World, call: Call) -> Context:
    """Whose the resource is."""
    named = next(iter(resources_of(world, call)))
    owner = owner_of(call, named)
    context: Context = {"aws:ResourceAccount": owner}
    if call.service == "s3":
        context["s3:ResourceAccount"] = owner
    if world.organization and owner in world.organization.accounts:
        context["aws:ResourceOrgID"] = world.organization.id
    return context


def is_root(principal: Principal) -> bool:
    """Whether the root user of an account calls."""
    return principal.arn.endswith(":root")


def caller_context(world: World, call: Call) -> Context:
    """The global condition keys: who calls, from where, and when."""
    principal, now = call.principal, world.now()
    context: Context = {
        "aws:PrincipalArn": iam_arn(world, call),
        "aws:PrincipalAccount": principal.account,
        "aws:PrincipalType": "AssumedRole" if principal.role else "Account" if is_root(principal) else "User",
        "aws:PrincipalIsAWSService": "false",
        "aws:ViaAWSService": "false",
        "aws:userid": principal.user_id or principal.access_key,
        "aws:RequestedRegion": call.region,
        "aws:SourceIp": call.source_ip,
        "aws:UserAgent": call.headers.get("user-agent", ""),
        # The lab stands in for an https endpoint, so a policy that insists on https is satisfied.
        "aws:SecureTransport": "true",
        "aws:CurrentTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:EpochTime": str(int(now.timestamp())),
    }
    if not principal.role and not is_root(principal):
        context["aws:username"] = principal.arn.rpartition("/")[2]
    if principal.expires:
        context["aws:MultiFactorAuthPresent"] = "false"
    org = world.organization
    if org and principal.account in org.accounts:
        context["aws:PrincipalOrgID"] = org.id
        context["aws:PrincipalOrgMasterAccountId"] = org.management_account
        units = [part for part in org.lineage(principal.account) if part != principal.account]
        context["aws:PrincipalOrgPaths"] = ["/".join((org.id, *units)) + "/"]
    return context


def iam_arn(world: World, call: Call) -> str:
    """The ARN of the IAM user, or of the role behind a session (which has the role's path)."""
    if call.principal.role is None:
        return call.principal.arn
    role = iam.find_role(world, call.account, call.principal.role)
    return str(role.arn) if role else f"arn:{world.partition}:iam::{call.account}:role/{call.principal.role}"
