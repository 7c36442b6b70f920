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
import zlib
from collections.abc import Mapping

ALGORITHM = "SHA256withRSA"
_SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")  # RFC 8017, section 9.2, note 1
_INTEGER, _SEQUENCE = 0x02, 0x30


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
    """Whether a signature is RSASSA-PKCS1-v1_5 with SHA-256 of a message (RFC 8017, section 8.2.2).

    Raises ValueError for a key that is not PKCS #1 in DER. Python has no RSA; verifying needs no secret.
    """
    modulus, exponent = rsa_numbers(public_key)
    size = (modulus.bit_length() + 7) // 8
    if len(signature) != size:
        return False
    opened = pow(int.from_bytes(signature), exponent, modulus).to_bytes(size)
    end = _SHA256_INFO + hashlib.sha256(message).digest()
    return opened == b"\x00\x01" + b"\xff" * (size - len(end) - 3) + b"\x00" + end


def rsa_numbers(public_key: bytes) -> tuple[int, int]:
    """Modulus and exponent of RSAPublicKey in DER (RFC 8017, appendix A.1.1). Raises ValueError."""
    sequence, rest = _read(public_key, _SEQUENCE)
    modulus, sequence = _read(sequence, _INTEGER)
    exponent, sequence = _read(sequence, _INTEGER)
    if rest or sequence:
        raise ValueError("There is something after the public key.")
    return int.from_bytes(modulus), int.from_bytes(exponent)


def _read(data: bytes, tag: int) -> tuple[bytes, bytes]:
    """The content of the first value and what follows it."""
    if len(data) < 2 or data[0] != tag:
        raise ValueError("This is no RSA public key in DER.")
    size, start = data[1], 2
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(data[2:start])
    if len(data) < start + size:
        raise ValueError("The public key is cut off.")
    return data[start : start + size], data[start + size :]
