# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does a CloudTrail digest file carry AWS's signature?

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html
"""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
import zlib
from collections.abc import Mapping
from contextlib import suppress

with suppress(ImportError):  # `missing_cryptography` says so before anything is verified
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_der_public_key

ALGORITHM = "SHA256withRSA"
BACKFILL = "_backfill.json.gz"
"""How the key of a digest ends that lists what the hour's digest missed (aws-facts 6.1)."""


def missing_cryptography() -> str:
    """One sentence where the package that verifies signatures is missing, "" where it is there."""
    if "RSAPublicKey" in globals():
        return ""
    return (
        f"The Python package cryptography is missing for {sys.executable}, expected it to verify digest files "
        "(log_delivery is digest). Install it there, or set log_delivery to prefix."
    )


def digest_problem(
    bucket: str, key: str, data: bytes, metadata: Mapping[str, str], public_keys: Mapping[str, bytes]
) -> str:
    """Why a digest file does not verify, "" when it does.

    data: the object as it is in S3. metadata: the object's. public_keys: PKCS #1 in DER by fingerprint, as
    ListPublicKeys answers them for the digest's region.
    """
    try:
        body = gzip.decompress(data)
        digest = json.loads(body)
    except (OSError, EOFError, zlib.error, ValueError):
        return "it cannot be read"
    if (digest.get("digestS3Bucket"), digest.get("digestS3Object")) != (bucket, key):
        return f"it was written for {digest.get('digestS3Bucket')}/{digest.get('digestS3Object')}"
    if key.endswith(BACKFILL) and not metadata.get("backfill-generation-timestamp"):
        return "it is a backfill digest that does not say when it was made"
    if metadata.get("signature-algorithm", ALGORITHM) != ALGORITHM:
        return f"its signature algorithm is {metadata['signature-algorithm']}, expected {ALGORITHM}"
    public_key = public_keys.get(digest.get("digestPublicKeyFingerprint", ""))
    if public_key is None:
        return "no public key of the region has its fingerprint"
    text = "\n".join(
        (
            str(digest.get("digestEndTime")),
            f"{bucket}/{key}",
            hashlib.sha256(body).hexdigest(),
            digest.get("previousDigestSignature") or "null",
        )
    )
    try:
        good = is_signed(public_key, text.encode(), bytes.fromhex(metadata.get("signature", "")))
    except ValueError:
        good = False
    return "" if good else "its signature is wrong"


def is_signed(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a signature is RSASSA-PKCS1-v1_5 with SHA-256 of a message.

    Raises ValueError for a public key that is not RSA's, PKCS #1 in DER.
    """
    key = load_der_public_key(public_key)
    if not isinstance(key, RSAPublicKey):
        raise ValueError("This is no RSA public key.")
    try:
        key.verify(signature, message, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True
