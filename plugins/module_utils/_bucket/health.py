# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict on a log bucket's settings: what is weak, what was expected, what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .._aws.arn import arn_owner
from .._aws.log_place import LogPlace
from .._aws.untyped import Structure
from .._policy.document import Document
from .._work.options import Result
from .forwarding import plain_notifications, plain_replication, weak_notifications, weak_replication
from .lifecycle import plain_rules, weak_lifecycle
from .reach import plain_acl, weak_acl, weak_policy
from .tls_only import is_tls_only
from .weakness import ExpectedHealth, Weakness

ALWAYS = ("public_access_block", "versioning", "encryption", "object_ownership", "tls_only")
"""Settings that every log bucket is to have."""

SWITCHES = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


@dataclass(frozen=True)
class Settings:
    """What S3 answered; ``raw`` by setting, ``denied`` the reasons why a setting could not be read."""

    raw: Structure
    denied: Mapping[str, str]
    policy: str | Document | None
    place: LogPlace


def judge_health(settings: Settings, expected: ExpectedHealth) -> Result:
    """Return each setting in plain form (None when it could not be read), and the problems found in them."""
    health: Structure = {
        setting: None if setting in settings.denied else view(settings.raw.get(setting))
        for setting, view in _VIEWS.items()
    }
    health["tls_only"] = (
        None if "tls_only" in settings.denied else is_tls_only(settings.policy, settings.place.bucket_arn)
    )
    problems = [
        Weakness(setting, f"not readable: {reason}", "a setting that the caller may read", "Allow the call.", False)
        for setting, reason in settings.denied.items()
    ]
    problems += [weak for weak in _weaknesses(health, expected, settings) if health[_SOURCE[weak.setting]] is not None]
    return {**health, "problems": [_told(one) for one in problems]}


def _told(weakness: Weakness) -> Result:
    """A weakness by the names of the module's result."""
    told = asdict(weakness)
    del told["advice"]
    return {**told, "severity": weakness.severity, "weakened": weakness.weakened}


def undeliverable(bucket: str, health: Result | None) -> str | None:
    """Why CloudTrail cannot deliver to a bucket of this health, in one sentence (aws-facts 3.10)."""
    for problem in (health or {}).get("problems", []):
        if problem["severity"] == "error":
            return f"Bucket {bucket}: {problem['found']}, expected {problem['expected']}. {problem['fix']}"
    return None


def asked_settings(expected: ExpectedHealth) -> list[str]:
    """The settings that every log bucket is to have, and those asked for besides."""
    rule = bool(expected.expiration_days or expected.transition_days)
    lock, logging = bool(expected.object_lock_mode), bool(expected.access_log_bucket)
    more = {"lifecycle_rule": rule, "object_lock": lock, "object_lock_retention": lock, "access_logging": logging}
    return [*ALWAYS, *(setting for setting, asked in more.items() if asked)]


def settings_to_change(health: Result | None, expected: ExpectedHealth) -> list[str]:
    """Those of the asked settings that a bucket of this health lacks; of a bucket that does not exist (None), all."""
    weak = None if health is None else {problem["setting"] for problem in health["problems"]}
    return [setting for setting in asked_settings(expected) if weak is None or setting in weak]


def retention_to_set(health: Result | None, expected: ExpectedHealth) -> dict[str, object]:
    """The default retention that is asked for, never weaker than the one that is there."""
    lock = (health or {}).get("object_lock") or {}
    mode = lock["mode"] if lock.get("mode") == "COMPLIANCE" else expected.object_lock_mode
    return {"mode": mode, "days": max(expected.object_lock_days, lock.get("days", 0))}


# --- plain forms ----------------------------------------------------------------------------------


def _public_access_block(raw: Mapping[str, bool] | None) -> dict[str, bool]:
    names = ("block_public_acls", "ignore_public_acls", "block_public_policy", "restrict_public_buckets")
    return {name: bool((raw or {}).get(switch)) for name, switch in zip(names, SWITCHES, strict=True)}


def _encryption(raw: list[Structure] | None) -> Structure:
    rule = (raw or [{}])[0]
    default = rule.get("ApplyServerSideEncryptionByDefault", {})
    algorithm, key = default.get("SSEAlgorithm", "none"), default.get("KMSMasterKeyID", "")
    if algorithm.startswith("aws:kms"):
        owner = arn_owner(key) or ("bucket" if key and not key.startswith("alias/aws/") else "aws")
    else:
        owner = "s3" if algorithm == "AES256" else "none"
    return {
        "algorithm": algorithm,
        "kms_key": key,
        "key_owner": owner,
        "bucket_key_enabled": bool(rule.get("BucketKeyEnabled")),
    }


def _object_lock(raw: Structure | None) -> Structure:
    lock = raw or {}
    retention = lock.get("Rule", {}).get("DefaultRetention", {})
    return {
        "enabled": lock.get("ObjectLockEnabled") == "Enabled",
        "mode": retention.get("Mode", ""),
        "days": retention.get("Days") or 365 * retention.get("Years", 0),
    }


def _access_logging(raw: Structure | None) -> dict[str, str]:
    target = raw or {}
    return {"target_bucket": target.get("TargetBucket", ""), "target_prefix": target.get("TargetPrefix", "")}


_VIEWS: dict[str, Callable[[Any], object]] = {
    "public_access_block": _public_access_block,
    "versioning": lambda raw: raw or "Disabled",
    "encryption": _encryption,
    "object_ownership": lambda raw: raw or "ObjectWriter",
    "lifecycle": plain_rules,
    "object_lock": _object_lock,
    "access_logging": _access_logging,
    "request_payment": lambda raw: raw or "BucketOwner",
    "acl": plain_acl,
    "replication": plain_replication,
    "notifications": plain_notifications,
}
_SOURCE = {
    **{name: name for name in (*_VIEWS, "tls_only")},
    "outside_access": "tls_only",
    "readers": "tls_only",
    "lifecycle_rule": "lifecycle",
    "object_lock_retention": "object_lock",
}

# --- verdicts -------------------------------------------------------------------------------------


def _weaknesses(health: Structure, expected: ExpectedHealth, settings: Settings) -> Iterator[Weakness]:
    off = [name for name, on in (health["public_access_block"] or {}).items() if not on]
    if off:
        yield Weakness("public_access_block", f"{', '.join(off)} off", "all four on", "Turn them on.")
    if health["versioning"] != "Enabled":
        yield Weakness("versioning", str(health["versioning"]), "Enabled", "Turn versioning on.")
    if health["object_ownership"] != "BucketOwnerEnforced":
        fix = "Set it; first remove what the bucket's ACL grants to others."
        yield Weakness("object_ownership", str(health["object_ownership"]), "BucketOwnerEnforced", fix)
    if not health["tls_only"]:
        fix = "Add a Deny on aws:SecureTransport false (tls_only in the module cloudtrail_log_bucket_policy)."
        yield Weakness("tls_only", "requests without TLS are not denied", "a Deny for everybody", fix)
    known = frozenset({settings.place.owner, settings.place.trail.account_id})
    yield from _weak_payment(health["request_payment"], settings.place.bucket)
    yield from weak_policy(settings.policy, settings.place)
    yield from weak_acl(health["acl"] or [], health["object_ownership"])
    yield from _weak_encryption(health["encryption"] or {}, expected, known)
    yield from weak_lifecycle(health["lifecycle"] or [], expected, settings.place.logs)
    yield from weak_replication(health["replication"] or [], expected, known)
    yield from weak_notifications(health["notifications"] or [], expected, known)
    yield from _weak_lock(health["object_lock"] or {}, expected)
    yield from _weak_logging(health["access_logging"] or {}, expected)


def _weak_payment(found: object, bucket: str) -> Iterator[Weakness]:
    if found == "Requester":
        yield Weakness(
            "request_payment",
            "Requester Pays is on, so that CloudTrail cannot deliver",
            "off",
            f"Turn it off: aws s3api put-bucket-request-payment --bucket {bucket} --request-payment-configuration "
            "Payer=BucketOwner",
        )


def _weak_encryption(found: Structure, expected: ExpectedHealth, known: frozenset[str]) -> Iterator[Weakness]:
    key = expected.kms_key_arn
    if key and found.get("kms_key") != key:
        now = f"{found.get('algorithm')} {found.get('kms_key')}".strip()
        yield Weakness("encryption", now, f"aws:kms {key}", "Set the bucket's default encryption.")
    elif found.get("algorithm") == "none":
        yield Weakness("encryption", "no default encryption", "AES256 or aws:kms", "Set it.")
    elif str(found.get("key_owner")).isdigit() and found["key_owner"] not in known and not key:
        fix = "Set another key: its owner can make the logs unreadable."
        now = f"the key {found['kms_key']} of account {found['key_owner']}"
        yield Weakness("encryption", now, "a key of the organization", fix, account_id=found["key_owner"])


def _weak_lock(found: Structure, expected: ExpectedHealth) -> Iterator[Weakness]:
    if not expected.object_lock_mode:
        return
    if not found.get("enabled"):
        fix = "Turn it on with aws s3api put-object-lock-configuration, or choose a new bucket."
        yield Weakness("object_lock", "off", "on", fix)
    weaker_mode = expected.object_lock_mode == "COMPLIANCE" != found.get("mode")
    if weaker_mode or not found.get("mode") or found.get("days", 0) < expected.object_lock_days:
        now = f"{found.get('mode') or 'no default retention'} {found.get('days') or ''}".strip()
        wanted = f"{expected.object_lock_mode} {expected.object_lock_days} days at least"
        yield Weakness("object_lock_retention", now, wanted, "Set the default retention.")


def _weak_logging(found: Mapping[str, str], expected: ExpectedHealth) -> Iterator[Weakness]:
    target = {"target_bucket": expected.access_log_bucket, "target_prefix": expected.access_log_prefix}
    if expected.access_log_bucket and found != target:
        now = "/".join(value for value in found.values() if value) or "off"
        wanted = "/".join(value for value in target.values() if value)
        yield Weakness("access_logging", now, wanted, "Turn on access logging to that bucket.")
