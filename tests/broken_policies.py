# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bucket policies that do not admit an organization trail, each with its true cause; and some that do.

The tables serve the unit tests and the tests against the lab: they are built for any bucket, trail and organization.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import TrailArn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.log_place import LogPlace
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.verdict import required_statements

ACL = "AWSCloudTrailAclCheck20150319"
WRITE = "AWSCloudTrailWrite20150319"
ORGANIZATION_WRITE = "AWSCloudTrailOrganizationWrite20150319"
ALL = (ACL, WRITE, ORGANIZATION_WRITE)
OTHER_ACCOUNT = "999988887777"
SSE = "s3:x-amz-server-side-encryption"
SSE_KEY = f"{SSE}-aws-kms-key-id"

PLACE = LogPlace(
    "aws-cloudtrail-logs-222233334444-abcd",
    TrailArn("aws", "us-east-1", "111122223333", "default"),
    "o-abc1234567",
    kms_key_arn="",
)
"""Where unit tests need one that no lab made."""

Document = dict[str, Any]


@dataclass(frozen=True)
class BrokenPolicy:
    """One policy that does not admit the trail.

    blamed: the statements the verdict has to name, and no other. says: what it has to say of them.
    repairable: merge_policy mends it. prefix: the trail's S3KeyPrefix. storable: S3 would take the document.
    admitted: CloudTrail's admission lets it pass, and the members' files are refused later.
    """

    name: str
    policy: Document | None
    blamed: tuple[str, ...]
    says: str
    repairable: bool = True
    prefix: str = ""
    storable: bool = True
    admitted: bool = False


@dataclass(frozen=True)
class Scene:
    """The bucket, the trail and the organization a policy is made for."""

    place: LogPlace

    @property
    def account_id(self) -> str:
        return self.place.trail.account_id

    def good(self, prefix: str = "") -> Document:
        """Return the policy AWS documents."""
        return {"Version": "2012-10-17", "Statement": required_statements(replace(self.place, prefix=prefix))}

    def arn(self, **changes: str) -> str:
        """Return the trail's ARN with some of its parts changed."""
        return str(replace(self.place.trail, **changes))

    def without(self, *sids: str) -> Document:
        policy = self.good()
        policy["Statement"] = [one for one in policy["Statement"] if one["Sid"] not in sids]
        return policy

    def changed(self, sids: tuple[str, ...], change: Callable[[Document], None]) -> Document:
        policy = self.good()
        for statement in policy["Statement"]:
            if statement["Sid"] in sids:
                change(statement)
        return policy

    def with_source(self, operator: str, key: str, value: Any) -> Document:
        """Return the good policy with another condition in the place of aws:SourceArn."""

        def change(statement: Document) -> None:
            del statement["Condition"]["StringEquals"]["aws:SourceArn"]
            statement["Condition"].setdefault(operator, {})[key] = value

        return self.changed(ALL, change)

    def with_resource(self, sid: str, old: str, new: str) -> Document:
        return self.changed((sid,), lambda one: one.update(Resource=one["Resource"].replace(old, new)))

    def with_deny(self, sid: str, condition: Document, **changes: Any) -> Document:
        bucket_arn = self.good()["Statement"][0]["Resource"]
        deny = {
            "Sid": sid,
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:PutObject",
            "Resource": f"{bucket_arn}/*",
            "Condition": condition,
        } | changes
        policy = self.good()
        policy["Statement"].append({key: value for key, value in deny.items() if value is not None})
        return policy


def broken_policies(place: LogPlace) -> list[BrokenPolicy]:
    """Return every breakage of aws-facts 3.3, and those people write besides."""
    scene = Scene(place)
    return [*_incomplete(scene), *_mistaken(scene), *_wrong_source(scene), *_denying(scene)]


def _incomplete(scene: Scene) -> list[BrokenPolicy]:
    return [
        BrokenPolicy("no_policy", None, ("absent",), ACL),
        BrokenPolicy("acl_check_missing", scene.without(ACL), ("absent",), ACL),
        BrokenPolicy("management_write_missing", scene.without(WRITE), ("absent",), WRITE),
        BrokenPolicy("organization_write_missing", scene.without(ORGANIZATION_WRITE), ("absent",), ORGANIZATION_WRITE),
        BrokenPolicy("both_writes_missing", scene.without(WRITE, ORGANIZATION_WRITE), ("absent",), "s3:PutObject"),
        BrokenPolicy("prefix_not_in_policy", scene.good(), ALL[1:], "/audit/AWSLogs/", prefix="audit"),
        BrokenPolicy("prefix_only_in_policy", scene.good("audit"), ALL[1:], f"{scene.place.bucket}/AWSLogs/"),
        BrokenPolicy("other_prefix", scene.good("audit"), ALL[1:], "/trail/AWSLogs/", prefix="trail"),
    ]


def _mistaken(scene: Scene) -> list[BrokenPolicy]:
    partition, bucket = scene.place.trail.partition, scene.place.bucket
    other = "aws-cn" if partition == "aws" else "aws"
    start = f"arn:{partition}:s3:::"

    def row(name: str, sid: str, old: str, new: str, says: str) -> BrokenPolicy:
        return BrokenPolicy(name, scene.with_resource(sid, old, new), (sid,), says)

    def change(name: str, sid: str, says: str, **changes: Any) -> BrokenPolicy:
        return BrokenPolicy(name, scene.changed((sid,), lambda one: one.update(changes)), (sid,), says)

    return [
        row("organization_resource_without_arn", ORGANIZATION_WRITE, start, "", "Resource"),
        row("management_resource_without_arn", WRITE, start, "", "Resource"),
        row("acl_resource_without_arn", ACL, start, "", "Resource"),
        row("wrong_partition", ORGANIZATION_WRITE, f"arn:{partition}:", f"arn:{other}:", f"arn:{other}:s3"),
        row("other_organization", ORGANIZATION_WRITE, scene.place.organization_id, "o-zzzzzzzzzz", "o-zzzzzzzzzz"),
        row("other_bucket", ORGANIZATION_WRITE, bucket, f"{bucket}-old", f"{bucket}-old"),
        row("wildcard_missing", ORGANIZATION_WRITE, "/*", "", "Resource"),
        row("lower_case_path", ORGANIZATION_WRITE, "AWSLogs", "awslogs", "awslogs"),
        replace(
            row("one_account_only", ORGANIZATION_WRITE, "/*", f"/{scene.account_id}/*", f"/{scene.account_id}/*"),
            admitted=True,
        ),
        row("only_log_files_no_digests", ORGANIZATION_WRITE, "/*", "/*/CloudTrail/*", "Resource"),
        change("principal_is_an_account", WRITE, "Principal", Principal={"AWS": scene.account_id}),
        change("principal_misspelt", WRITE, "amazon.com", Principal={"Service": "cloudtrail.amazon.com"}),
        change("principal_is_another_service", WRITE, "config", Principal={"Service": "config.amazonaws.com"}),
        change("action_is_not_put", ORGANIZATION_WRITE, "s3:PutObjectAcl", Action="s3:PutObjectAcl"),
        BrokenPolicy(
            "other_canned_acl",
            scene.changed((WRITE,), lambda one: one["Condition"]["StringEquals"].update({"s3:x-amz-acl": "private"})),
            (WRITE,),
            "s3:x-amz-acl private",
        ),
        BrokenPolicy(
            "not_principal_with_allow",
            scene.changed((WRITE,), _allow_all_but_one),
            (WRITE,),
            "NotPrincipal",
        ),
        BrokenPolicy(
            "unknown_operator",
            scene.changed((WRITE,), lambda one: one["Condition"].update({"StringMatches": {"aws:userid": "x"}})),
            (WRITE,),
            "StringMatches",
            storable=False,
        ),
        BrokenPolicy(
            "effect_misspelt",
            scene.changed((WRITE,), lambda one: one.update(Effect="Alow")),
            ("policy",),
            "'Alow'",
            repairable=False,
            storable=False,
        ),
    ]


def _allow_all_but_one(statement: Document) -> None:
    del statement["Principal"]
    statement["NotPrincipal"] = {"AWS": OTHER_ACCOUNT}


def _wrong_source(scene: Scene) -> list[BrokenPolicy]:
    here, organization_id = scene.place.trail.region, scene.place.organization_id
    region = "us-west-2" if here != "us-west-2" else "us-east-1"
    trails = scene.arn(name="*")
    key = "aws:SourceArn"

    def row(
        name: str, operator: str, condition_key: str, value: Any, says: str, blamed: tuple[str, ...] = ALL
    ) -> BrokenPolicy:
        return BrokenPolicy(name, scene.with_source(operator, condition_key, value), blamed, says)

    return [
        row("source_arn_other_region", "StringEquals", key, scene.arn(region=region), region),
        row("source_arn_other_trail", "StringEquals", key, scene.arn(name="other"), "trail/other"),
        row("source_arn_of_log_account", "StringEquals", key, scene.arn(account_id=OTHER_ACCOUNT), OTHER_ACCOUNT),
        row("source_arn_other_partition", "StringEquals", key, scene.arn(partition="aws-us-gov"), "aws-us-gov"),
        row("source_arn_list_without_it", "StringEquals", key, [scene.arn(name="a-1"), scene.arn(name="b-2")], "a-1"),
        row("source_arn_wildcard_under_string_equals", "StringEquals", key, trails, "trail/*"),
        row("source_arn_like_other_account", "ArnLike", key, scene.arn(account_id=OTHER_ACCOUNT, name="*"), "ArnLike"),
        row("source_account_of_log_account", "StringEquals", "aws:SourceAccount", OTHER_ACCOUNT, "aws:SourceAccount"),
        row("source_org_id_everywhere", "StringEquals", "aws:SourceOrgID", organization_id, "AWS does not say", (ACL,)),
        row("source_org_id_other", "StringEquals", "aws:SourceOrgID", "o-zzzzzzzzzz", "o-zzzzzzzzzz"),
        row("principal_org_id", "StringEquals", "aws:PrincipalOrgID", organization_id, "aws:PrincipalOrgID"),
    ]


def _denying(scene: Scene) -> list[BrokenPolicy]:
    role = f"arn:aws:iam::{OTHER_ACCOUNT}:role/Writer"
    outside = {"StringNotEquals": {"aws:PrincipalOrgID": scene.place.organization_id}}

    def row(name: str, condition: Document | None, says: str, **changes: Any) -> BrokenPolicy:
        sid = "".join(word.capitalize() for word in name.split("_"))
        return BrokenPolicy(name, scene.with_deny(sid, condition or {}, **changes), (sid,), says, repairable=False)

    return [
        row("deny_sse_header_absent", {"Null": {SSE: "true"}}, "may apply"),
        row("deny_sse_not_kms", {"StringNotEquals": {SSE: "aws:kms"}}, "Deny that applies"),
        row("deny_sse_not_kms_if_exists", {"StringNotEqualsIfExists": {SSE: "aws:kms"}}, "Deny that applies"),
        row("deny_sse_not_aes256", {"StringNotEquals": {SSE: "AES256"}}, "may apply"),
        row("deny_sse_not_aes256_if_exists", {"StringNotEqualsIfExists": {SSE: "AES256"}}, "may apply"),
        row("deny_wrong_kms_key", {"StringNotEquals": {SSE_KEY: "arn:aws:kms:us-east-1:1:key/x"}}, SSE_KEY),
        row("deny_outside_organization", outside, "OrgID"),
        row("deny_secure_transport_inverted", {"Bool": {"aws:SecureTransport": "true"}}, "aws:SecureTransport"),
        row("deny_other_source_arn", {"ArnNotLike": {"aws:SourceArn": scene.arn(name="other")}}, "trail/other"),
        row("deny_other_source_account", {"StringNotEquals": {"aws:SourceAccount": OTHER_ACCOUNT}}, OTHER_ACCOUNT),
        row("deny_all_but_one_role", {"ArnNotLike": {"aws:PrincipalArn": role}}, "may apply"),
        row("deny_outside_endpoint", {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}, "may apply"),
        row("deny_all_but_one_principal", None, "Deny", Principal=None, NotPrincipal={"AWS": role}),
        row("deny_without_condition", None, "Deny", Action=["s3:Put*"], Condition=None),
        row("deny_reading_the_acl", None, "s3:GetBucketAcl", Action="s3:GetBucketA?l", Resource="*"),
    ]


def admitting_policies(place: LogPlace) -> dict[str, Document]:
    """Return policies that admit the trail though they are not AWS's own, by name."""
    scene = Scene(place)
    combined = scene.without(WRITE)
    combined["Statement"][1]["Resource"] = [one["Resource"] for one in scene.good()["Statement"][1:]]
    bare = scene.good()
    for statement in bare["Statement"]:
        del statement["Condition"]
    anyone = scene.changed(ALL, lambda one: one.update(Principal="*"))
    kms_but_no_header = {"StringNotEquals": {SSE: ["aws:kms", "AES256"]}, "Null": {SSE: "false"}}
    outside = {"StringNotEquals": {"aws:PrincipalOrgID": place.organization_id}}
    spare = {**outside, "Bool": {"aws:PrincipalIsAWSService": "false"}}
    both = [scene.arn(name="other"), scene.arn()]
    return {
        "aws_documented": scene.good(),
        "source_account": scene.with_source("StringEquals", "aws:SourceAccount", scene.account_id),
        "source_arn_like": scene.with_source("ArnLike", "AWS:SourceArn", scene.arn(region="*", name="*")),
        "source_arn_string_like": scene.with_source("StringLike", "aws:SourceArn", scene.arn(region="*")),
        "two_trails": scene.with_source("StringEquals", "aws:SourceArn", both),
        "one_statement_for_both_writes": combined,
        "no_condition": bare,
        "anyone": anyone,
        "old_version": copy.deepcopy(scene.good()) | {"Version": "2008-10-17"},
        "deny_insecure_transport": scene.with_deny("D", {"Bool": {"aws:SecureTransport": "false"}}, Action="s3:*"),
        "deny_old_tls": scene.with_deny("D", {"NumericLessThan": {"s3:TlsVersion": "1.2"}}, Action="s3:*"),
        "deny_other_sse_where_sent": scene.with_deny("D", kms_but_no_header),
        "deny_outside_organization_sparing_services": scene.with_deny("D", spare),
        "deny_all_but_cloudtrail": scene.with_deny(
            "D", {}, Principal=None, NotPrincipal={"Service": "cloudtrail.amazonaws.com"}
        ),
        "deny_deleting": scene.with_deny("D", {}, Action=["s3:DeleteObject", "s3:DeleteBucket*"]),
        "deny_elsewhere": scene.with_deny("D", {}, Resource=f"arn:aws:s3:::{place.bucket}/private/*"),
        "deny_users_of_one_role": scene.with_deny("D", {}, Principal={"AWS": f"arn:aws:iam::{OTHER_ACCOUNT}:role/x"}),
    }
