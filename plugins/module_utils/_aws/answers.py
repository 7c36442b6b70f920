# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every answer is checked as it comes in: what is not AWS's, or lacks what is read of it, is an error.

A proxy may answer in AWS's place, with status 200, too. botocore makes an empty answer of a page and of ``{}``, and
raises errors of its parsers for what it cannot read. An answer that passes fits what the code reads of it; whether it
is whole, `whole_answer` finds out for those that are written back.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

try:
    from botocore.exceptions import ClientError
    from botocore.parsers import create_parser
except ImportError:  # AnsibleAWSModule says what is missing
    ClientError = Exception

from .untyped import Client, Structure

NOT_AWS = "The answer is not one of AWS: a proxy or a login page of the network may have sent it."
"""Said in place of botocore's text, which is a parser's."""

CODE = "NoAnswerOfAWS"
"""In the place of AWS's error code. Reads are made again; the outcome of a write is unknown."""

NEEDED = {
    # AWS Account Management
    "ListRegions": ("Regions[].RegionName",),
    # CloudTrail
    "AddTags": (),
    "CreateTrail": ("TrailARN",),
    "DeleteTrail": (),
    "DeregisterOrganizationDelegatedAdmin": (),
    "DescribeTrails": (
        "trailList[].TrailARN",
        "trailList[].HomeRegion",
        "trailList[].S3BucketName",
        "trailList[].IsMultiRegionTrail",
        "trailList[].IsOrganizationTrail",
        "trailList[].IncludeGlobalServiceEvents",
        "trailList[].LogFileValidationEnabled",
    ),
    "GetEventConfiguration": (
        "TrailARN",
        "AggregationConfigurations?[].EventCategory",
        "AggregationConfigurations?[].Templates[]",
    ),
    "GetEventDataStore": ("EventDataStoreArn", "OrganizationEnabled"),
    "GetEventSelectors": (
        "TrailARN",
        "EventSelectors?[].ReadWriteType?",
        "EventSelectors?[].DataResources?[].Type",
        "AdvancedEventSelectors?[].FieldSelectors[].Field",
    ),
    "GetInsightSelectors": ("TrailARN", "InsightSelectors?[].InsightType"),
    "GetTrail": (
        "Trail.TrailARN",
        "Trail.HomeRegion",
        "Trail.S3BucketName",
        "Trail.IsMultiRegionTrail",
        "Trail.IsOrganizationTrail",
    ),
    "GetTrailStatus": ("IsLogging",),
    "ListEventDataStores": ("EventDataStores[].EventDataStoreArn",),
    "ListPublicKeys": ("PublicKeyList[].Fingerprint", "PublicKeyList[].Value"),
    "ListTags": ("ResourceTagList[].ResourceId", "ResourceTagList[].TagsList?[].Key"),
    "ListTrails": ("Trails[].TrailARN", "Trails[].HomeRegion"),
    "LookupEvents": ("Events[].EventName", "Events[].EventTime", "Events[].CloudTrailEvent"),
    "PutEventConfiguration": ("TrailARN",),
    "PutEventSelectors": ("TrailARN",),
    "PutInsightSelectors": ("TrailARN",),
    "RegisterOrganizationDelegatedAdmin": (),
    "RemoveTags": (),
    "StartLogging": (),
    "StopLogging": (),
    "UpdateTrail": ("TrailARN",),
    # Cost Explorer
    "GetCostAndUsage": (
        "ResultsByTime[].Groups[].Keys[]",
        "ResultsByTime[].Groups[].Metrics.UsageQuantity.Amount",
        "ResultsByTime[].Groups[].Metrics.UnblendedCost.Amount",
    ),
    # CloudWatch
    "GetMetricStatistics": ("Datapoints[].Timestamp", "Datapoints[].Maximum"),
    # EventBridge
    "DescribeRule": ("Name", "Arn", "State", "EventPattern?"),
    "ListTargetsByRule": ("Targets[].Id", "Targets[].Arn"),
    # IAM
    "GetPolicy": ("Policy.DefaultVersionId",),
    "GetPolicyVersion": ("PolicyVersion.Document",),
    "GetRole": ("Role.Arn",),
    "GetRolePolicy": ("PolicyDocument",),
    "ListAttachedRolePolicies": ("AttachedPolicies[].PolicyArn",),
    "ListRolePolicies": ("PolicyNames[]",),
    # KMS
    "DescribeKey": ("KeyMetadata.Arn",),
    "GetKeyPolicy": ("Policy",),
    "PutKeyPolicy": (),
    # Organizations
    "AttachPolicy": (),
    "CreatePolicy": ("Policy.PolicySummary.Id",),
    "DeletePolicy": (),
    "DescribeAccount": ("Account.Id",),
    "DescribeOrganization": ("Organization.Id", "Organization.FeatureSet", "Organization.MasterAccountId"),
    "DescribePolicy": ("Policy.PolicySummary.Id", "Policy.Content"),
    "DetachPolicy": (),
    "DisableAWSServiceAccess": (),
    "EnableAWSServiceAccess": (),
    "EnablePolicyType": ("Root.Id",),
    "ListAWSServiceAccessForOrganization": ("EnabledServicePrincipals[].ServicePrincipal",),
    "ListAccounts": ("Accounts[].Id",),
    "ListAccountsForParent": ("Accounts[].Id",),
    "ListDelegatedAdministrators": ("DelegatedAdministrators[].Id",),
    "ListOrganizationalUnitsForParent": ("OrganizationalUnits[].Id", "OrganizationalUnits[].Name"),
    "ListPolicies": ("Policies[].Id", "Policies[].Name", "Policies[].Arn"),
    "ListPoliciesForTarget": ("Policies[].Id", "Policies[].Name"),
    "ListRoots": ("Roots[].Id", "Roots[].Name"),
    "ListTagsForResource": ("Tags[].Key", "Tags[].Value"),
    "ListTargetsForPolicy": ("Targets[].TargetId",),
    "TagResource": (),
    "UpdatePolicy": ("Policy.PolicySummary.Id",),
    # S3
    "DeleteBucketPolicy": (),
    "DeleteObject": (),
    "GetBucketAcl": ("Owner.ID",),
    "GetBucketEncryption": ("ServerSideEncryptionConfiguration.Rules[]",),
    "GetBucketLifecycleConfiguration": ("Rules[]",),
    "GetBucketLocation": (),
    "GetBucketLogging": (),
    "GetBucketNotificationConfiguration": (),
    "GetBucketOwnershipControls": ("OwnershipControls.Rules[].ObjectOwnership",),
    "GetBucketPolicy": ("Policy",),
    "GetBucketReplication": ("ReplicationConfiguration.Rules[]",),
    "GetBucketRequestPayment": ("Payer",),
    "GetBucketTagging": ("TagSet[].Key", "TagSet[].Value"),
    "GetBucketVersioning": (),
    "GetObject": (),
    "GetObjectLockConfiguration": ("ObjectLockConfiguration",),
    "GetPublicAccessBlock": ("PublicAccessBlockConfiguration",),
    "HeadBucket": (),
    "ListBuckets": ("Buckets[].Name",),
    "ListObjectsV2": ("Contents?[].Key", "Contents?[].LastModified", "CommonPrefixes?[].Prefix"),
    "PutBucketPolicy": (),
    # SNS
    "GetTopicAttributes": ("Attributes.Policy",),
    # SQS
    "GetQueueAttributes": ("Attributes.QueueArn", "Attributes.Policy?", "Attributes.RedrivePolicy?"),
    "GetQueueUrl": ("QueueUrl",),
    "ListQueueTags": ("Tags?",),
    # STS
    "AssumeRole": (
        "Credentials.AccessKeyId",
        "Credentials.SecretAccessKey",
        "Credentials.SessionToken",
        "AssumedRoleUser.Arn",
    ),
    "GetCallerIdentity": ("Account", "Arn"),
}
"""What is read of each operation's answer and AWS always gives. ``[]``: of each one in a list; ``?``: if there is any.

Every operation that is called stands here, with its answer's members by the names of the API reference.
"""

CLOSED = {"ReadWriteType"}
"""Members whose values are all known: with another one, settings that nobody understands would be written back."""

DOCUMENTS = {"CloudTrailEvent", "Content", "Document", "EventPattern", "Policy", "PolicyDocument", "RedrivePolicy"}
"""Texts that hold a JSON object, which IAM encodes as in a URL."""

KINDS: dict[str, Any] = {"boolean": bool, "list": list, "map": dict, "string": str, "structure": dict}
"""botocore's types and Python's. Times are what the parser makes of them, and it makes sure that they are any."""


FLAT: dict[str, type] = {"boolean": bool, "string": str, "timestamp": float}
"""Of botocore's types, those that ``flat_reader`` reads, and Python's in JSON; for times, whole numbers too."""


class NoAnswerError(ClientError):  # type: ignore[misc, unused-ignore]
    """An answer that AWS cannot have given. The message says what is wrong with it, without any of its text."""

    def __init__(self, operation: str, problem: str, status: int = 200) -> None:
        self.sentence = f"{operation} answered {problem}. {NOT_AWS}"
        error = {"Code": CODE, "Message": self.sentence}
        super().__init__({"Error": error, "ResponseMetadata": {"HTTPStatusCode": status}}, operation)


def with_checked_answers(client: Client) -> Client:
    """The client, whose calls raise NoAnswerError for what is not AWS's answer."""
    parser = create_parser(protocol_of(client.meta.service_model))
    told_early = False  # old botocore tells only after it has parsed; what it cannot parse is an error of its own

    def check(operation_model: Any, response_dict: Structure, **_more: Any) -> None:
        if not operation_model.has_streaming_output:
            read_answer(parser, operation_model, response_dict)

    def check_early(**response: Any) -> None:
        nonlocal told_early
        told_early = True
        check(**response)

    def check_late(event_name: str, response_dict: Structure | None, **_more: Any) -> None:
        if response_dict and not told_early:
            check(client.meta.service_model.operation_model(event_name.rpartition(".")[2]), response_dict)

    client.meta.events.register_first("before-parse", check_early, unique_id=__name__)
    client.meta.events.register_first("response-received", check_late, unique_id=f"{__name__}.late")
    return client


def protocol_of(service: Any) -> str:
    """The protocol that a client speaks, by botocore's model of its service; older botocore knows one for each."""
    return str(service.resolved_protocol if hasattr(service, "resolved_protocol") else service.metadata["protocol"])


def read_answer(parser: Any, operation: Any, response: Structure) -> Structure:
    """What botocore's parser makes of a response: status_code, headers and body. Raises NoAnswerError.

    operation: botocore's model of it.
    """
    status, body, shape = response["status_code"], response["body"], operation.output_shape
    try:
        parsed: Structure = parser.parse(response, shape)
    except Exception as error:  # parsers raise whatever they meet
        raise NoAnswerError(operation.name, "what cannot be read", status) from error
    problem = None
    if status >= 300:  # botocore reads some of S3's errors once more, and raises its parser's errors then
        bodiless = operation.http["method"] == "HEAD"
        problem = None if _is_json(operation) or bodiless or is_xml(body) else "what cannot be read"
    else:
        problem = _form_problem(body, operation) or next(
            filter(None, (_problem(shape, parsed, path) for path in NEEDED.get(operation.name, ()))), None
        )
    if problem:
        raise NoAnswerError(operation.name, problem, status)
    return parsed


def flat_reader(operation: Any, text_of_time: Callable[[float], str]) -> Callable[[bytes], Structure | None]:
    """A quick reader of an operation's good answers: JSON objects of texts, truth values and times as numbers.

    What it answers is what ``read_answer`` does, without botocore's metadata. It answers None for any other body, of
    which ``read_answer`` knows more, and for operations that answer anything else. text_of_time: what a time becomes.
    """
    shape = operation.output_shape
    members = {} if shape is None else shape.members
    kinds = {name: FLAT[member.type_name] for name, member in members.items() if member.type_name in FLAT}
    needed = NEEDED.get(operation.name, ())
    is_flat = _is_json(operation) and len(kinds) == len(members)
    is_proved = needed and all(kinds.get(name) is bool for name in needed)
    if not is_flat or not is_proved or any(member.serialization for member in members.values()):
        return lambda _body: None

    def read(body: bytes) -> Structure | None:
        try:
            found = json.loads(body.decode())
            if not isinstance(found, dict) or any(name not in found for name in needed):
                return None
            for name, value in found.items():
                kind = kinds[name]
                if kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
                    found[name] = text_of_time(value)
                elif not isinstance(value, kind):
                    return None
        except (KeyError, ValueError, OverflowError, OSError):
            return None
        return found

    return read


def _form_problem(body: bytes, operation: Any) -> str | None:
    """What is wrong with the form of a good answer's body, of which botocore's parsers make an empty answer."""
    text, shape = body.strip(), operation.output_shape
    payload = None if shape is None else shape.members.get(shape.serialization.get("payload"))
    if payload is not None and payload.type_name == "string":
        return None  # a text of its own, such as a policy
    if not text:
        members = () if shape is None else shape.members.values()
        return "nothing" if any("location" not in member.serialization for member in members) else None
    if text[:9].lower() == b"<!doctype" or text[:5].lower() == b"<html":
        return "a page"
    if _is_json(operation):
        return None if is_object(text) else "no JSON object"
    return None if text[:1] == b"<" else "no XML"


def _problem(shape: Any, value: Any, path: str) -> str | None:
    """Why a parsed answer does not have what a path of NEEDED names, as words behind "answered"."""
    name, _dot, rest = path.partition(".")
    bare = name.removesuffix("[]").removesuffix("?")
    member = shape.value if shape.type_name == "map" else shape.members[bare]
    found = value.get(bare)
    if found is None:
        return None if "?" in name else f"without {bare}"
    if not isinstance(found, KINDS.get(member.type_name, object)):
        return f"{bare} in another form"
    if name.endswith("[]"):
        if any(one is None for one in found):
            return f"{bare} in another form"
        return next(filter(None, (_problem(member.member, one, rest) for one in found)), None) if rest else None
    if rest:
        return _problem(member, found, rest)
    if bare in CLOSED and found not in member.enum:
        return f"{bare} of an unknown kind"
    if bare.lower().endswith("arn") and found.count(":") < 5:
        return f"{bare} that is no ARN"
    if bare in DOCUMENTS and member.type_name == "string" and not is_object(unquote(found)) and not is_object(found):
        return f"{bare} that is no JSON object"
    return None


def _is_json(operation: Any) -> bool:
    return "json" in protocol_of(operation.service_model)


def is_xml(text: bytes) -> bool:
    """Whether a body is XML."""
    try:
        ElementTree.fromstring(text)
    except ElementTree.ParseError:
        return False
    return True


def is_object(text: str | bytes) -> bool:
    """Whether a text is a JSON object."""
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
