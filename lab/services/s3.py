# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amazon S3 where moto differs from it: new buckets' defaults, Requester Pays, lists, malformed policies."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import Any

from ansible_collections.cloudsec.org_trail.plugins.module_utils._policy.evaluation import (
    PolicyError,
    Statement,
    parse_policy,
)
from moto.backends import get_backend
from moto.iam.access_control import PermissionResult
from moto.s3 import models
from moto.s3.utils import bucket_policy_is_public

from lab.kernel.call import Call, LabError
from lab.kernel.service import answers, guards
from lab.kernel.world import World

LARGEST_POLICY = 20 * 1024
MOST_BUCKETS = 10_000


# --- buckets ----------------------------------------------------------------------------------------


class Bucket(models.FakeBucket):
    """A bucket as AWS makes them since April 2023: encrypted, closed to the public, without ACLs."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.public_access_block = models.PublicAccessBlock(True, True, True, True)
        self.encryption = default_encryption()
        self.ownership_rule = "BucketOwnerEnforced"
        self.payer = "BucketOwner"

    def get_permission(self, action: str, resource: str) -> PermissionResult:
        """Neither allowed nor denied: moto's reading of the policy knows no conditions; `lab.authorizer` decides."""
        return PermissionResult.NEUTRAL


models.FakeBucket = Bucket


def default_encryption() -> dict[str, Any]:
    return {"Rule": {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}}


def find_bucket(name: str) -> Any | None:
    """moto's bucket of a name, in whichever account it is; None when there is none."""
    backends = get_backend("s3")
    place = backends.bucket_accounts.get(name)
    return backends[place[1]][place[0]].buckets.get(name) if place else None


@answers("s3", "DeleteBucketEncryption")
def delete_bucket_encryption(world: World, call: Call) -> dict[str, Any]:
    """A bucket without encryption settings is encrypted with S3's own keys all the same."""
    required_bucket(call).encryption = default_encryption()
    return {}


@answers("s3", "GetBucketRequestPayment")
def get_bucket_request_payment(world: World, call: Call) -> dict[str, Any]:
    """Who pays for requests; moto does not know."""
    return {"Payer": required_bucket(call).payer}


@answers("s3", "PutBucketRequestPayment")
def put_bucket_request_payment(world: World, call: Call) -> dict[str, Any]:
    """Let the requester pay, or the owner again. CloudTrail pays nobody (aws-facts 3.10)."""
    required_bucket(call).payer = call.parameters["RequestPaymentConfiguration"]["Payer"]
    return {}


def required_bucket(call: Call) -> Any:
    bucket = find_bucket(call.parameters["Bucket"])
    if bucket is None:
        raise LabError("NoSuchBucket", "The specified bucket does not exist", 404)
    return bucket


@answers("s3", "ListBuckets")
def list_buckets(world: World, call: Call) -> dict[str, Any]:
    """The account's buckets of all regions by name, in pages when MaxBuckets is given."""
    given = call.parameters
    size = int(given.get("MaxBuckets") or MOST_BUCKETS)
    if not 1 <= size <= MOST_BUCKETS:
        raise LabError("InvalidArgument", f"Argument max-buckets must be an integer between 1 and {MOST_BUCKETS}", 400)
    prefix, region, after = given.get("Prefix", ""), given.get("BucketRegion"), read_token(given)
    buckets = get_backend("s3")[call.account][world.partition].buckets
    found = [
        bucket
        for name, bucket in sorted(buckets.items())
        if name.startswith(prefix) and name > after and region in (None, bucket.region_name)
    ]
    page = found[:size]
    asked = {"MaxBuckets", "Prefix", "BucketRegion", "ContinuationToken"} & set(given)
    answer: dict[str, Any] = {
        "Buckets": [described(bucket, with_region=bool(asked)) for bucket in page],
        "Owner": {"ID": f"{int(call.account):064x}"},
    }
    if prefix:
        answer["Prefix"] = prefix
    if len(found) > size:
        answer["ContinuationToken"] = base64.urlsafe_b64encode(page[-1].name.encode()).decode()
    return answer


def described(bucket: Any, with_region: bool) -> dict[str, Any]:
    """A bucket in the list; its region only when the request had some parameter."""
    made = {"Name": bucket.name, "CreationDate": bucket.creation_date}
    return {**made, "BucketRegion": bucket.region_name} if with_region else made


def read_token(given: dict[str, Any]) -> str:
    """The name after which a page begins."""
    try:
        return base64.b64decode(given.get("ContinuationToken", ""), altchars=b"-_", validate=True).decode()
    except ValueError:
        raise LabError("InvalidArgument", "The continuation token provided is incorrect", 400) from None


# --- policies ---------------------------------------------------------------------------------------


@guards("s3")
def refuse_bad_policy(world: World, call: Call) -> None:
    """Refuse what PutBucketPolicy refuses: too long, malformed, for another bucket, public where that is blocked.

    CloudTrail may see what it takes only later (aws-facts 2.17).
    """
    if call.operation != "PutBucketPolicy":
        return
    name, text = call.parameters["Bucket"], call.parameters["Policy"]
    text = text.decode() if isinstance(text, bytes) else text
    if policy_size(text, world.options.policy_size) > LARGEST_POLICY:
        raise LabError("PolicyTooLarge", f"The bucket policy exceeds the maximum of {LARGEST_POLICY} bytes.", 400)
    try:
        policy = parse_policy(text, kind="resource")
    except PolicyError as error:
        raise LabError("MalformedPolicy", str(error), 400) from None
    sids = [statement.sid for statement in policy.statements if statement.sid]
    if len(set(sids)) < len(sids):
        raise LabError("MalformedPolicy", "Statement IDs (SID) in a single policy must be unique.", 400)
    for statement in policy.statements:
        if "Resource" not in statement.negated and not all(is_of(world, name, arn) for arn in resources(statement)):
            raise LabError("MalformedPolicy", "Policy has invalid resource", 400)
    bucket = find_bucket(name)
    block = bucket.public_access_block if bucket else None
    if block and block.block_public_policy and bucket_policy_is_public(text):
        raise LabError(
            "AccessDenied",
            f"User: {call.principal.arn} is not authorized to perform: s3:PutBucketPolicy on resource: "
            f'"arn:{world.partition}:s3:::{name}" because public policies are prevented by the BlockPublicPolicy '
            "setting in S3 Block Public Access.",
            403,
        )
    world.policy_refusals_left = world.options.policy_propagation_calls


def policy_size(text: str, counted: str) -> int:
    """The bytes of a policy as S3 counts them, by the option ``policy_size`` (aws-facts 3.11)."""
    if counted == "sent":
        return len(text.encode())
    with suppress(ValueError):
        text = json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False)
    return len(text.encode())


def resources(statement: Statement) -> tuple[str, ...]:
    return statement.resource or ()


def is_of(world: World, bucket: str, arn: str) -> bool:
    """Whether a resource of a bucket's policy is the bucket or something in it."""
    parts = arn.split(":", 5)
    return (
        len(parts) == 6
        and parts[1:5] == [world.partition, "s3", "", ""]
        and parts[5].partition("/")[0] in (bucket, "*")
    )
