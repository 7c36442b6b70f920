# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""KMS as CloudTrail asks it: find a key by whatever names it (aws-facts 2.11). moto answers KMS's own calls."""

from __future__ import annotations

from typing import Any

from ansible_collections.cloudsec.org_trail.plugins.module_utils._policy.evaluation import (
    PolicyError,
    Request,
    evaluate,
    parse_policy,
)

from lab.kernel.call import Call, LabError
from lab.kernel.service import guards
from lab.kernel.world import World
from lab.services.iam.authorizer import MISSING, denial, document, judge, names_caller, obey, obey_identity
from lab.services.iam.requested import context_of
from lab.services.organizations.api import scps_for
from lab.services.s3 import find_bucket


def find_key(world: World, text: str, account: str, bucket_region: str) -> Any:
    """moto's key for a key id, key ARN, alias name or alias ARN; it must be in the bucket's region.

    Raises LabError: InvalidKmsKeyIdException, KmsKeyNotFoundException (also for another region) or
    KmsKeyDisabledException.
    """
    region = bucket_region
    if text.startswith("arn:"):
        parts = text.split(":", 5)
        if len(parts) != 6 or parts[2] != "kms" or not parts[5].startswith(("key/", "alias/")):
            raise LabError("InvalidKmsKeyIdException", f"Invalid KMS key ID or ARN: {text}")
        region, account, text = parts[3], parts[4], parts[5].removeprefix("key/")
    backend = world.moto("kms", account, region)
    identifier = backend.get_key_id_from_alias(text) if text.startswith("alias/") else text
    key = backend.keys.get(identifier)
    if key is None or region != bucket_region:
        raise LabError(
            "KmsKeyNotFoundException",
            f"KMS key {text} does not exist in region {bucket_region}, the region of the S3 bucket.",
        )
    if key.key_state != "Enabled":
        raise LabError("KmsKeyDisabledException", f"KMS key {key.arn} is disabled.")
    return key


@guards("kms")
def refuse_bad_policy(world: World, call: Call) -> None:
    """KMS takes no text for a policy that is none; moto does."""
    if call.operation == "PutKeyPolicy":
        try:
            parse_policy(call.parameters["Policy"], "resource")
        except PolicyError as error:
            raise LabError("MalformedPolicyDocumentException", str(error)) from None


@guards("s3")
def refuse_without_key(world: World, call: Call) -> None:
    """Who reads an object that is encrypted with a KMS key needs kms:Decrypt, in the key's policy and in its own."""
    bucket = find_bucket(call.parameters["Bucket"]) if call.operation == "GetObject" else None
    found = bucket.keys.get(call.parameters["Key"]) if bucket else None
    if not bucket or not found or found.encryption != "aws:kms" or not found.kms_key_id:
        return
    key = find_key(world, found.kms_key_id, bucket.account_id, bucket.region_name)
    request = Request("kms:Decrypt", key.arn, {"AWS": call.principal.arn}, context_of(world, call))
    for level in scps_for(world, call.account):
        obey(call, request, judge((policy.content for policy in level), request), "service control policy", "a ")
    decision = evaluate(document(key.policy), request)
    if decision.effect != "Allow":
        raise denial(call, request, MISSING.format("resource-based policy", request.action))
    own = key.arn.split(":")[4] == call.account
    if world.enforce_iam:
        obey_identity(world, call, request, own and names_caller(decision, call.account))
