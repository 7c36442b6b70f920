# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Admission: whether CloudTrail may write to a trail's bucket, use its key, and reach its topic and log group.

CreateTrail and UpdateTrail ask before they change anything (aws-facts section 3); every delivery asks again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.accounts import parent_path
from ansible_collections.cloudsec.org_trail.plugins.module_utils._policy.evaluation import (
    Policy,
    PolicyError,
    Request,
    evaluate,
    parse_policy,
)
from moto.backends import get_backend

from lab.kernel.call import LabError
from lab.kernel.world import World
from lab.services import kms
from lab.services.cloudtrail.trails import Settings
from lab.services.iam import api as iam
from lab.services.iam.authorizer import judge
from lab.services.organizations.api import is_member, ou_path, rcps_for
from lab.services.s3 import find_bucket
from lab.services.sns import find_topic

SERVICE = "cloudtrail.amazonaws.com"
BUCKET_NAME = re.compile(r"(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
LOG_GROUP_ARN = re.compile(r"arn:aws[a-z-]*:logs:([a-z0-9-]+):(\d{12}):log-group:([^:*]+):\*")
TOPIC_ARN = re.compile(r"arn:aws[a-z-]*:sns:([a-z0-9-]+):(\d{12}):([A-Za-z0-9_-]{1,256})")


# --- the bucket -------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def parsed(document: str) -> Policy | None:
    """A policy document; None when it is malformed."""
    try:
        return parse_policy(document)
    except PolicyError:
        return None


def allows(document: bytes | str | None, request: Request) -> bool:
    """Whether a resource policy allows a service's request: what is not known is not allowed."""
    text = document.decode() if isinstance(document, bytes) else document
    policy = parsed(text) if text else None
    return policy is not None and evaluate(policy, request).effect == "Allow"


def admits(world: World, bucket: Any, request: Request) -> bool:
    """Whether a bucket's policy allows a service's request, and no resource control policy denies it (10.3)."""
    controls = [parsed(policy.content) for policy in rcps_for(world, bucket.account_id)]
    denied = any(policy is None or evaluate(policy, request).effect == "Deny" for policy in controls)
    return not denied and allows(bucket.policy, request)


def service_request(world: World, action: str, resource: str, trail_arn: str, **more: str) -> Request:
    """A request that CloudTrail makes for a trail, with every condition key that such a request carries.

    Whether others than PutObject tell of the organization are options (aws-facts 3.8).
    """
    owner = trail_arn.split(":")[4]
    context = {
        "aws:SourceArn": trail_arn,
        "aws:SourceAccount": owner,
        "aws:PrincipalIsAWSService": "true",
        "aws:PrincipalServiceName": SERVICE,
        "aws:PrincipalServiceNamesList": [SERVICE],
        "aws:SecureTransport": "true",
        "s3:TlsVersion": "1.3",
        "aws:CurrentTime": world.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:EpochTime": str(int(world.now().timestamp())),
        **more,
    }
    tells = action == "s3:PutObject" or (
        world.options.source_org_id_on_bucket_acl
        if action == "s3:GetBucketAcl"
        else world.options.source_org_id_on_keys_and_topics
    )
    if tells and is_member(world, owner) and world.organization_id:
        context["aws:SourceOrgID"] = world.organization_id
        context["aws:SourceOrgPaths"] = [parent_path(ou_path(world, owner))]
    return Request(action, resource, {"Service": SERVICE}, context)


def may_write(world: World, trail_arn: str, settings: Settings, bucket: Any, key: str) -> bool:
    """Whether the bucket's policy lets CloudTrail put an object of this key for the trail (aws-facts 3.1, 3.3)."""
    headers = {"s3:x-amz-acl": "bucket-owner-full-control", **bucket_keys(world, bucket)}
    if settings.kms_key_id:
        headers["s3:x-amz-server-side-encryption"] = "aws:kms"
        headers["s3:x-amz-server-side-encryption-aws-kms-key-id"] = settings.kms_key_id
    resource = f"arn:{world.partition}:s3:::{bucket.name}/{key}"
    return admits(world, bucket, service_request(world, "s3:PutObject", resource, trail_arn, **headers))


def may_read_acl(world: World, trail_arn: str, bucket: Any) -> bool:
    resource = f"arn:{world.partition}:s3:::{bucket.name}"
    more = bucket_keys(world, bucket)
    return admits(world, bucket, service_request(world, "s3:GetBucketAcl", resource, trail_arn, **more))


def read_acl(world: World, bucket: Any) -> None:
    """CloudTrail reads a bucket's ACL before it writes there, and the bucket's owner sees it (aws-facts 15.4)."""
    place = (bucket.account_id, bucket.region_name, world.now())
    world.journal.record_service(SERVICE, *place, "GetBucketAcl", Bucket=bucket.name)


def bucket_keys(world: World, bucket: Any) -> dict[str, str]:
    """Condition keys that tell of the bucket."""
    keys = {
        "aws:RequestedRegion": bucket.region_name,
        "aws:ResourceAccount": bucket.account_id,
        "s3:ResourceAccount": bucket.account_id,
    }
    if is_member(world, bucket.account_id) and world.organization_id:
        keys["aws:ResourceOrgID"] = world.organization_id
    return keys


def base_of(world: World, settings: Settings, organization: bool) -> str:
    """The key prefix of a trail's files up to the account id (aws-facts section 6)."""
    prefix = f"{settings.s3_key_prefix}/" if settings.s3_key_prefix else ""
    return f"{prefix}AWSLogs/{world.organization_id}/" if organization else f"{prefix}AWSLogs/"


def marker_keys(world: World, owner: str, settings: Settings) -> Iterator[str]:
    """The keys that admission tries to write, all of them in the owner's account (aws-facts 3.1, 3.6)."""
    for organization in (False, True) if settings.is_organization_trail else (False,):
        for kind in ("CloudTrail", "CloudTrail-Digest") if settings.log_file_validation_enabled else ("CloudTrail",):
            yield f"{base_of(world, settings, organization)}{owner}/{kind}/"


def admit(world: World, trail_arn: str, settings: Settings) -> None:
    """Refuse settings whose bucket or key CloudTrail could not use; leave the markers when it can.

    Raises LabError: S3BucketDoesNotExistException, InsufficientS3BucketPolicyException (which never says why,
    aws-facts 3.2, and comes for a while after a policy was written, 2.17), InsufficientEncryptionPolicyException or
    those of `kms.find_key`.
    """
    name = settings.s3_bucket_name
    bucket = find_bucket(name)
    if bucket is None:
        raise LabError("S3BucketDoesNotExistException", f"S3 bucket {name} does not exist!")
    keys = list(marker_keys(world, trail_arn.split(":")[4], settings))
    late = world.policy_refusals_left > 0
    world.policy_refusals_left -= late
    writable = all(may_write(world, trail_arn, settings, bucket, key) for key in keys)
    if late or not (writable and may_read_acl(world, trail_arn, bucket)):
        raise LabError(
            "InsufficientS3BucketPolicyException", f"Incorrect S3 bucket policy is detected for bucket: {name}"
        )
    if settings.kms_key_id and not may_encrypt(world, trail_arn, settings, bucket):
        raise LabError(
            "InsufficientEncryptionPolicyException",
            f"Insufficient permissions to access S3 bucket {name} or KMS key {settings.kms_key_id}.",
        )
    read_acl(world, bucket)
    if world.options.admission_markers:
        for key in keys:
            put_object(bucket, key, b"")


def put_object(bucket: Any, key: str, body: bytes, metadata: dict[str, str] | None = None, kms_key: str = "") -> None:
    """Write an object as CloudTrail does, past the lab's front door: the caller has asked `may_write`."""
    backend = get_backend("s3")[bucket.account_id][get_backend("s3").bucket_accounts[bucket.name][0]]
    encryption = "aws:kms" if kms_key else "AES256"
    made = backend.put_object(bucket.name, key, body, encryption=encryption, kms_key_id=kms_key or None)
    if metadata:
        made.set_metadata({f"x-amz-meta-{name}": value for name, value in metadata.items()})


# --- key, topic, log group --------------------------------------------------------------------------


def may_encrypt(world: World, trail_arn: str, settings: Settings, bucket: Any) -> bool:
    """Whether the key's policy lets CloudTrail encrypt for the trail (aws-facts 3.7)."""
    key = kms.find_key(world, settings.kms_key_id, trail_arn.split(":")[4], bucket.region_name)
    wanted = ["kms:GenerateDataKey", "kms:DescribeKey"]
    if bucket.encryption and bucket.encryption["Rule"].get("BucketKeyEnabled"):
        wanted.append("kms:Decrypt")
    for action in wanted:
        more = {} if action == "kms:DescribeKey" else {"kms:EncryptionContext:aws:cloudtrail:arn": trail_arn}
        if not allows(key.policy, service_request(world, action, key.arn, trail_arn, **more)):
            return False
    return True


def check_topic(world: World, trail_arn: str, topic_arn: str) -> None:
    """Raise InsufficientSnsTopicPolicyException unless the topic exists and lets CloudTrail publish."""
    if topic_error(world, trail_arn, topic_arn):
        raise LabError(
            "InsufficientSnsTopicPolicyException", "SNS Topic does not exist or the topic policy is incorrect!"
        )


def topic_error(world: World, trail_arn: str, topic_arn: str) -> str:
    """SNS's error for a notification of the trail, "" for none (aws-facts 2.18)."""
    topic = find_topic(world, topic_arn)
    if topic is None:
        return "NotFound"
    request = service_request(world, "SNS:Publish", topic_arn, trail_arn)
    return "" if allows(topic.policy, request) else "AuthorizationError"


def topic_arn(world: World, account: str, region: str, text: str) -> str:
    """The ARN of a topic given by name or ARN (aws-facts 2.11). Raises InvalidSnsTopicNameException."""
    arn = text if text.startswith("arn:") else f"arn:{world.partition}:sns:{region}:{account}:{text}"
    if not TOPIC_ARN.fullmatch(arn):
        raise LabError("InvalidSnsTopicNameException", f"Invalid SNS topic name or ARN: {text}")
    return arn


def check_log_group(world: World, settings: Settings, account: str, home_region: str) -> None:
    """Raise CloudTrail's errors unless log group and role come together, are well formed and exist.

    Both belong to the calling account, the group to the trail's home region (aws-facts 2.16). A role that was written
    a moment ago does not count yet (2.17).
    """
    group, role = settings.cloud_watch_logs_log_group_arn, settings.cloud_watch_logs_role_arn
    if role and not group:
        raise LabError(
            "InvalidCloudWatchLogsLogGroupArnException", "You must specify a log group as well as a role ARN."
        )
    if group and not role:
        raise LabError("InvalidCloudWatchLogsRoleArnException", "You must specify a role ARN as well as a log group.")
    if not group:
        return
    match = LOG_GROUP_ARN.fullmatch(group)
    if match is None or (match[1], match[2]) != (home_region, account) or not log_group_exists(world, group):
        raise LabError(
            "InvalidCloudWatchLogsLogGroupArnException", "CloudTrail cannot validate the specified log group ARN."
        )
    if world.role_refusals_left > 0:
        world.role_refusals_left -= 1
        raise LabError(world.options.late_role_code, "Access denied. Check the permissions for your role.")
    parts = role.split(":")
    if len(parts) != 6 or parts[4] != account or not parts[5].startswith("role/") or not role_exists(world, role):
        raise LabError("InvalidCloudWatchLogsRoleArnException", "Access denied. Check the permissions for your role.")


def log_group_exists(world: World, group: str) -> bool:
    match = LOG_GROUP_ARN.fullmatch(group)
    return match is not None and match[3] in world.moto("logs", match[2], match[1]).groups


def role_exists(world: World, role_arn: str) -> bool:
    return any(role.arn == role_arn for role in world.moto("iam", role_arn.split(":")[4]).roles.values())


def stream_error(world: World, trail_arn: str, settings: Settings, account: str, region: str) -> str:
    """CloudWatch Logs' error for the log stream of an account and region, "" for none."""
    if not log_group_exists(world, settings.cloud_watch_logs_log_group_arn):
        return "ResourceNotFoundException"
    return "" if may_log(world, trail_arn, settings, account, region) else "AccessDenied"


def may_log(world: World, trail_arn: str, settings: Settings, account: str, region: str) -> bool:
    """Whether the trail's role lets CloudTrail write the log stream of an account and region.

    The streams of members begin with the organization's id, which nobody checks earlier (aws-facts 2.15).
    """
    role_arn = settings.cloud_watch_logs_role_arn
    roles = world.moto("iam", role_arn.split(":")[4]).roles.values()
    found = [role for role in roles if role.arn == role_arn]
    texts = [text for role in found for text in role.policies.values()]
    texts += [iam.document_of(policy) for role in found for policy in role.managed_policies.values()]
    owner = account if account == trail_arn.split(":")[4] else f"{world.organization_id}_{account}"
    group = settings.cloud_watch_logs_log_group_arn.removesuffix("*")
    stream = f"{group}log-stream:{owner}_CloudTrail_{region}"
    actions = ("logs:CreateLogStream", "logs:PutLogEvents")
    return all(judge(texts, Request(action, stream, {"AWS": role_arn})).allowed for action in actions)
