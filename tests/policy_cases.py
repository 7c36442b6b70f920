# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Policies that look harmless, or hopeless, and what they mean for an organization trail: what is to be said of them.

As they are met in real buckets: Denies of a part of the objects, enforced encryption, guards against confused deputies,
buckets that are shared with other accounts or other prefixes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.log_place import LogPlace

from tests.broken_policies import ACL, ORGANIZATION_WRITE, SSE, SSE_KEY, WRITE, Document, Scene

ARCHIVE, MEMBER, OTHER = "222233334444", "444455556666", "999999999999"
KEY = f"arn:aws:kms:us-east-1:{ARCHIVE}:key/11111111-2222-3333-4444-555555555555"
OTHER_KEY = f"arn:aws:kms:us-east-1:{ARCHIVE}:key/11111111-2222-3333-4444-666666666666"
NEXT_YEAR = datetime.now(UTC).year + 1


@dataclass(frozen=True)
class PolicyCase:
    """A policy, for a place of its own, and the verdict on it.

    admits: None where it cannot be known. says: words of the problems. fix: how the first problem's remedy begins.
    """

    name: str
    place: LogPlace
    policy: Document
    admits: bool | None
    says: tuple[str, ...] = ()
    fix: str = ""


def policy_cases(place: LogPlace) -> list[PolicyCase]:
    """The cases for a bucket of the account ARCHIVE."""
    scene = Scene(replace(place, owner=ARCHIVE))
    return [*_partial(scene), *_encryption(scene), *_guards(scene), *_times(scene), *_shared(scene)]


def _partial(scene: Scene) -> Iterator[PolicyCase]:
    place = scene.place
    bucket, below = place.bucket_arn, place.object_arn(place.organization_logs)
    spare = '{"Bool": {"aws:PrincipalIsAWSService": "false"}}'
    fix = f"Let this Deny spare AWS services: add {spare} to its Condition."

    def denied(name: str, resource: Any, *says: str, **more: Any) -> PolicyCase:
        policy = scene.with_deny("Narrow", more.pop("condition", {}), Resource=resource, **more)
        return PolicyCase(name, place, policy, False, ("Narrow", *says), fix)

    def spared(name: str, resource: Any, **more: Any) -> PolicyCase:
        return PolicyCase(
            name, place, scene.with_deny("Narrow", more.pop("condition", {}), Resource=resource, **more), True
        )

    yield denied("deny_object_suffix", f"{bucket}/*.json.gz", ".json.gz")
    yield denied("deny_one_region", f"{below}*/CloudTrail/eu-west-1/*", "_CloudTrail_eu-west-1_")
    yield denied("deny_a_region_of_tomorrow", f"{below}*/CloudTrail/xy-middle-9/*", "_CloudTrail_xy-middle-9_")
    yield denied("deny_one_member", f"{below}{MEMBER}/*", f"{MEMBER}_CloudTrail_")
    yield denied("deny_digests_below", f"{bucket}/AWSLogs/*/CloudTrail-Digest/*/*", "_CloudTrail-Digest_")
    yield denied("deny_a_future_month", f"{below}*/{NEXT_YEAR}/03/*", f"/{NEXT_YEAR}/03/")
    yield denied("deny_file_names_of_a_day", f"{bucket}/*_{NEXT_YEAR}0401T*", f"_{NEXT_YEAR}0401T")
    yield denied("deny_insights", f"{bucket}/*/CloudTrail-Insight/*", "_CloudTrail-Insight_")
    yield denied("deny_backfilled_digests", f"{bucket}/*Z_backfill.json.gz", "_backfill.json.gz")
    yield denied("deny_by_question_marks", f"{below}????5555????/*", "5555")
    yield denied("deny_management_in_its_own_path", f"{bucket}/AWSLogs/{scene.account_id}/*/eu-west-1/*", "eu-west-1")
    yield denied("deny_all_but_one_region", None, "NotResource", NotResource=f"{below}*/*/us-east-1/*")
    yield denied("deny_all_but_json", None, "NotResource", NotResource=[bucket, f"{bucket}/*/", f"{bucket}/*.json"])
    yield denied(
        "deny_one_member_to_the_service",
        f"{below}{MEMBER}/*",
        MEMBER,
        condition={"StringEquals": {"aws:PrincipalServiceName": "cloudtrail.amazonaws.com"}},
    )
    yield denied("deny_with_a_variable", f"{bucket}/*/${{aws:SourceAccount}}_*", f"{scene.account_id}_")
    yield spared("deny_elsewhere", f"{bucket}/reports/*")
    yield spared("deny_the_past", f"{below}*/2019/*")
    yield spared("deny_other_organization", f"{bucket}/AWSLogs/o-zzzzzzzzzz/*")
    yield spared("deny_thirteen_digits", f"{below}?????????????/*")
    yield spared("deny_folders_that_are_none", f"{below}*/CloudTrail/us-east-1/")
    yield spared("deny_all_but_logs", None, NotResource=[f"{bucket}/AWSLogs/*"])
    yield spared(
        "deny_member_sparing_services", f"{below}{MEMBER}/*", condition={"Bool": {"aws:PrincipalIsAWSService": "false"}}
    )
    yield spared("deny_member_without_tls", f"{below}{MEMBER}/*", condition={"Bool": {"aws:SecureTransport": "false"}})


def _encryption(scene: Scene) -> Iterator[PolicyCase]:
    enforced = scene.with_deny("OnlyKms", {"StringNotEquals": {SSE: "aws:kms"}})
    this_key = scene.with_deny("OnlyThisKey", {"StringNotEqualsIfExists": {SSE_KEY: KEY}})
    both = {**enforced, "Statement": [*enforced["Statement"], this_key["Statement"][-1]]}
    aes = scene.with_deny("OnlyAes", {"StringNotEquals": {SSE: "AES256"}})

    def case(
        name: str, key: str | None, policy: Document, admits: bool | None, *says: str, fix: str = ""
    ) -> PolicyCase:
        return PolicyCase(name, replace(scene.place, kms_key_arn=key), policy, admits, says, fix)

    give = "Give the trail "
    yield case("kms_enforced_right", KEY, both, True)
    yield case(
        "kms_enforced_no_key", "", enforced, False, "OnlyKms", fix=f"{give}a KMS key (organization_trail_kms_key_id"
    )
    yield case("kms_enforced_unknown_key", None, enforced, None, "AWS does not say", fix=f"{give}a KMS key")
    yield case("kms_enforced_alias", "alias/logs", enforced, True)
    yield case(
        "this_key_enforced_alias", "alias/logs", this_key, None, "OnlyThisKey", fix=f"{give}the KMS key {KEY} instead"
    )
    yield case(
        "kms_enforced_other_key",
        OTHER_KEY,
        this_key,
        False,
        "OnlyThisKey",
        KEY,
        fix=f"{give}the KMS key {KEY} instead of {OTHER_KEY} (organization_trail_kms_key_id, here kms_key_id), or add",
    )
    yield case("aes_enforced", KEY, aes, False, "OnlyAes", fix="Let this Deny spare AWS services")


def _guards(scene: Scene) -> Iterator[PolicyCase]:
    place = scene.place
    service = {"aws:PrincipalIsAWSService": "true"}

    def guard(key: str, value: str, **more: Any) -> Document:
        return scene.with_deny("Perimeter", {"StringNotEqualsIfExists": {key: value}, "Bool": service, **more})

    organization = "${aws:ResourceOrgID}"
    yield PolicyCase(
        "resource_org_variable",
        place,
        guard("aws:SourceOrgID", organization, Null={"aws:SourceAccount": "false"}),
        True,
    )
    own = {"s3:ResourceAccount": ARCHIVE, "aws:SourceArn": str(place.trail)}
    policy = scene.changed((ACL, WRITE, ORGANIZATION_WRITE), lambda one: one.update(Condition={"StringEquals": own}))
    yield PolicyCase("resource_account", place, policy, True)
    unknown = "AWS does not say whether CloudTrail's request fits"
    yield PolicyCase("resource_account_not_known", replace(place, owner=""), policy, None, (unknown,))
    names = {"ForAnyValue:StringEquals": {"aws:PrincipalServiceNamesList": ["cloudtrail.amazonaws.com"]}}
    yield PolicyCase("services_by_name", place, scene.with_deny("D", names), False, ("Deny that applies",))
    wrong = "confused_deputy_wrong_"
    fix = f"Add {scene.account_id} to Condition StringNotEqualsIfExists aws:SourceAccount."
    yield PolicyCase(f"{wrong}account", place, guard("aws:SourceAccount", ARCHIVE), False, ("Perimeter",), fix)
    fix = f"Add {place.organization_id} to Condition StringNotEqualsIfExists aws:SourceOrgID."
    yield PolicyCase(f"{wrong}organization", place, guard("aws:SourceOrgID", "o-zzzzzzzzzz"), False, (), fix)
    admin = {"AWS": f"arn:aws:iam::{ARCHIVE}:role/Admin"}
    everything = {"Action": "s3:*", "Resource": [place.bucket_arn, place.object_arn("*")]}
    yield PolicyCase(
        "not_principal",
        place,
        scene.with_deny("OnlyAdmin", {}, Principal=None, Condition=None, NotPrincipal=admin, **everything),
        False,
        ("NotPrincipal", "s3:GetBucketAcl and s3:PutObject"),
        'Add {"Service": "cloudtrail.amazonaws.com"} to NotPrincipal.',
    )
    yield PolicyCase(
        "not_action",
        place,
        scene.with_deny("ReadOnly", {}, Action=None, Condition=None, NotAction=["s3:Get*", "s3:List*"]),
        False,
        ('NotAction ["s3:Get*", "s3:List*"]',),
        "Let this Deny spare AWS services",
    )
    certain = {"StringEquals": {"aws:SourceAccount": scene.account_id}}
    two = scene.with_deny("Certain", certain, Resource=place.object_arn(f"{place.organization_logs}*"))
    two["Statement"].append(scene.with_deny("Open", {"Null": {SSE: "true"}})["Statement"][-1])
    yield PolicyCase("two_denies", place, two, False, ("Certain", "Deny that applies", "Open", "Deny that may apply"))
    anywhere = scene.with_source("StringEquals", "aws:SourceOrgID", place.organization_id)
    yield PolicyCase("source_org_id_everywhere", place, anywhere, None, (unknown,), "Add {")
    writes = scene.with_source("StringEquals", "aws:SourceOrgID", place.organization_id)
    writes["Statement"][0] = scene.good()["Statement"][0]
    yield PolicyCase("source_org_id_writes_only", place, writes, True)
    paths = {"ForAllValues:StringLike": {"aws:SourceOrgPaths": [f"{place.organization_id}/*"]}}
    carried = scene.changed((WRITE,), lambda one: one["Condition"].update(paths))
    yield PolicyCase("source_org_paths", place, carried, None, (unknown,))


def _times(scene: Scene) -> Iterator[PolicyCase]:
    def case(name: str, operator: str, key: str, value: str, admits: bool | None, *says: str) -> PolicyCase:
        return PolicyCase(name, scene.place, scene.with_deny("Until", {operator: {key: value}}), admits, says)

    soon = f"{NEXT_YEAR}-01-01T00:00:00Z"
    yield case("deny_before_2020", "DateLessThan", "aws:CurrentTime", "2020-01-01T00:00:00Z", True)
    yield case("deny_since_2020", "DateGreaterThan", "aws:CurrentTime", "2020-01-01T00:00:00Z", False, "Until")
    yield case("deny_from_soon_on", "DateGreaterThan", "aws:CurrentTime", soon, None, "changes within a year")
    yield case("deny_since_epoch", "NumericGreaterThan", "aws:EpochTime", "1577836800", False, "Until")


def _shared(scene: Scene) -> Iterator[PolicyCase]:
    place, bucket = scene.place, scene.place.bucket_arn
    logs = place.object_arn(place.organization_logs)
    own = place.object_arn(f"{place.logs}{scene.account_id}/*")

    def writing(sid: str, resource: Any) -> Document:
        return scene.changed((sid,), lambda one: one.update(Resource=resource))

    yield PolicyCase("twelve_question_marks", place, writing(ORGANIZATION_WRITE, f"{logs}????????????/*"), True)
    kinds = [f"{logs}*/CloudTrail/*", f"{logs}*/CloudTrail-Digest/*"]
    yield PolicyCase("one_path_for_each_kind", place, writing(ORGANIZATION_WRITE, kinds), True)
    for name, resource in (
        ("eleven_question_marks", f"{logs}???????????/*"),
        ("accounts_that_begin_with_one", f"{logs}1*"),
        ("accounts_one_by_one", [f"{logs}{scene.account_id}/*", f"{logs}{MEMBER}/*"]),
        ("one_region_only", f"{logs}*/us-east-1/*"),
        ("this_year_only", f"{logs}*/*/*/{NEXT_YEAR - 1}/*"),
    ):
        policy = writing(ORGANIZATION_WRITE, resource)
        yield PolicyCase(name, place, policy, False, (ORGANIZATION_WRITE,), f"Add {logs}* to Resource, or add")
    policy = writing(WRITE, [f"{bucket}/AWSLogs/{OTHER}/*"])
    yield PolicyCase("shared_accounts", place, policy, False, (WRITE, OTHER), f"Add {own} to Resource, or add")
    prefix = "Set organization_trail_s3_key_prefix (here s3_key_prefix) to "
    says = ("the statement is for the prefix 'audit'",)
    yield PolicyCase("other_prefix", place, scene.good("audit"), False, says, f"{prefix}'audit', or add")
    says = ("the statement is for no prefix",)
    yield PolicyCase(
        "prefix_too_many", replace(place, prefix="audit"), scene.good(), False, says, f"{prefix}'', or add"
    )
    one = scene.without(WRITE)
    paths = [f"{bucket}/audit/AWSLogs/{owner}/*" for owner in (scene.account_id, place.organization_id)]
    one["Statement"][1]["Resource"] = paths
    yield PolicyCase("both_paths_one_statement", place, one, False, (ORGANIZATION_WRITE, "'audit'"), prefix)
    literal = scene.with_source("StringEquals", "aws:SourceArn", scene.arn(name="*"))
    yield PolicyCase("literal_wildcard", place, literal, False, ("under StringEquals a * is no wildcard",))
    former = [f"arn:aws:iam::{account}:root" for account in ("086441151436", "388731089494")]
    policy = scene.changed((ACL,), lambda one: one.update(Principal={"AWS": former}))
    yield PolicyCase("former_accounts", place, policy, False, ("from which CloudTrail wrote before 2015",))
