# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Digest files that AWS signed, and others."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage import digest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage.digest import (
    digest_problem,
    is_signed,
    missing_cryptography,
)
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec_key
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

BUCKET, KEY = "logs", "AWSLogs/o-1/1/CloudTrail-Digest/us-east-1/2026/01/02/x.json.gz"


@cache
def private_key(size: int = 2048) -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=size)


def der(key: RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)


def signed(previous: str | None = None, key: str = KEY) -> tuple[bytes, dict[str, str]]:
    """A digest as CloudTrail writes it, and its metadata."""
    content = {
        "digestEndTime": "2026-01-02T12:00:00Z",
        "digestS3Bucket": BUCKET,
        "digestS3Object": key,
        "digestPublicKeyFingerprint": "f",
        "previousDigestSignature": previous,
    }
    body = json.dumps(content).encode()
    text = f"2026-01-02T12:00:00Z\n{BUCKET}/{key}\n{hashlib.sha256(body).hexdigest()}\n{previous or 'null'}"
    signature = private_key().sign(text.encode(), PKCS1v15(), SHA256()).hex()
    return gzip.compress(body), {"signature": signature, "signature-algorithm": "SHA256withRSA"}


@pytest.mark.parametrize("previous", [None, "ab12"])
def test_digest_problem_of_a_true_digest(previous: str | None) -> None:
    data, metadata = signed(previous)
    assert digest_problem(BUCKET, KEY, data, metadata, {"f": der(private_key())}) == ""


Change = Callable[[dict[str, Any]], None]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda it: it.update(bucket="other"), "was written for logs/"),
        (lambda it: it.update(key="moved"), "was written for logs/"),
        (lambda it: it.update(data=b"nothing"), "cannot be read"),
        (lambda it: it.update(data=it["data"][:-9]), "cannot be read"),
        (lambda it: it.update(data=gzip.compress(gzip.decompress(it["data"]) + b" ")), "signature is wrong"),
        (lambda it: it.update(metadata={}), "signature is wrong"),
        (lambda it: it.update(metadata={"signature": "xyz"}), "signature is wrong"),
        (lambda it: it.update(metadata={"signature": "00" * 256}), "signature is wrong"),
        (lambda it: it["metadata"].update({"signature-algorithm": "MD5withRSA"}), "MD5withRSA"),
        (lambda it: it.update(public_keys={}), "no public key"),
        (lambda it: it.update(public_keys={"f": der(generate_private_key(65537, 2048))}), "signature is wrong"),
        (lambda it: it.update(public_keys={"f": b"\x30\x01"}), "signature is wrong"),
    ],
)
def test_digest_problem_of_others(change: Change, words: str) -> None:
    data, metadata = signed()
    it: dict[str, Any] = {
        "bucket": BUCKET,
        "key": KEY,
        "data": data,
        "metadata": metadata,
        "public_keys": {"f": der(private_key())},
    }
    change(it)
    assert words in digest_problem(**it)


@pytest.mark.parametrize("size", [2048, 3072])
def test_is_signed(size: int) -> None:
    key = private_key(size)
    good = key.sign(b"text", PKCS1v15(), SHA256())
    assert is_signed(der(key), b"text", good)
    assert not is_signed(der(key), b"other", good)
    assert not is_signed(der(key), b"text", good[:-1] + bytes([good[-1] ^ 1]))
    assert not is_signed(der(key), b"text", b"\x00" + good)
    assert not is_signed(der(key), b"text", key.sign(b"text", PKCS1v15(), SHA512()))


OTHER_KEY = generate_ec_key(SECP256R1()).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    "data",
    [b"", b"\x30", b"\x31\x00", der(private_key()) + b"\x00", OTHER_KEY],
    ids=["nothing", "cut", "another tag", "a byte too many", "elliptic curve"],
)
def test_is_signed_refuses_what_is_no_public_key_of_rsa(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        is_signed(data, b"text", b"")


def test_a_backfill_digest_says_when_it_was_made() -> None:
    key = KEY.replace(".json.gz", "_backfill.json.gz")
    data, metadata = signed(key=key)
    assert "when it was made" in digest_problem(BUCKET, key, data, metadata, {"f": der(private_key())})
    metadata["backfill-generation-timestamp"] = "2026-01-02T15:00:00Z"
    assert digest_problem(BUCKET, key, data, metadata, {"f": der(private_key())}) == ""


def test_the_package_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert missing_cryptography() == ""
    monkeypatch.delattr(digest, "RSAPublicKey")
    assert missing_cryptography().startswith("The Python package cryptography is missing for ")
