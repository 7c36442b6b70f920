# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys that sign digests, the signed digests themselves, and ListPublicKeys.

Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lab.kernel.call import Call, LabError
from lab.kernel.service import answers
from lab.kernel.world import World
from lab.services.cloudtrail.event_history import as_time

ALGORITHM = "SHA256withRSA"
VALID_FROM = datetime(2013, 11, 13, tzinfo=UTC)
VALID_TO = datetime(2099, 12, 31, tzinfo=UTC)


@cache
def private_key(region: str) -> RSAPrivateKey:
    """The lab's signing key of a region, made when it is first needed: AWS has one set of keys per region."""
    return generate_private_key(public_exponent=65537, key_size=2048)


def public_key(region: str) -> bytes:
    """The public key of a region in the form that ListPublicKeys answers: PKCS #1, DER."""
    return private_key(region).public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)


@cache
def fingerprint(region: str) -> str:
    return hashlib.md5(public_key(region), usedforsecurity=False).hexdigest()


def sign(region: str, digest: dict[str, Any], body: bytes) -> str:
    """The signature over a digest's end time, place, hash and predecessor's signature, in hexadecimal."""
    text = "\n".join(
        (
            digest["digestEndTime"],
            f"{digest['digestS3Bucket']}/{digest['digestS3Object']}",
            hashlib.sha256(body).hexdigest(),
            digest["previousDigestSignature"] or "null",
        )
    )
    return private_key(region).sign(text.encode(), PKCS1v15(), SHA256()).hex()


def encode(digest: dict[str, Any]) -> bytes:
    return json.dumps(digest, separators=(",", ":")).encode()


@answers("cloudtrail", "ListPublicKeys")
def list_public_keys(world: World, call: Call) -> dict[str, Any]:
    """The public keys whose private keys signed digests in this region in a time range."""
    start = as_time(call.parameters.get("StartTime")) or call.time
    end = as_time(call.parameters.get("EndTime")) or call.time
    if start > end:
        raise LabError("InvalidTimeRangeException", "The start time is after the end time.")
    if start > VALID_TO or end < VALID_FROM:
        return {"PublicKeyList": []}
    return {
        "PublicKeyList": [
            {
                "Value": public_key(call.region),
                "ValidityStartTime": VALID_FROM,
                "ValidityEndTime": VALID_TO,
                "Fingerprint": fingerprint(call.region),
            }
        ]
    }
