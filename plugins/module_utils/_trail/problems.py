# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in the way of an organization trail, judged before the first write."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from .._aws.arn import CLOUDTRAIL, TrailArn, arn_owner, partition_of
from .._aws.trail_status import DELIVERY_WORDS, DeliveryError, DeliveryKind
from .._organization.tools import tool_of_trail
from .changes import losses
from .options import ACTIONS, Action, ProblemName
from .policies import kms_key_policy, log_role_too_narrow, sns_topic_policy
from .selectors import logged_management_events
from .settings import REQUEST_FIELDS, Settings
from .situation import Problem, Situation, Unread, unread_problem

SERVICE_LINKED_ROLE = "AWSServiceRoleForCloudTrail"
TRAILS_PER_REGION = 5  # aws-facts 2.7

ENABLED_BY_DEFAULT = frozenset(
    [
        *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2"),
        *("ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1"),
        *("us-east-1", "us-east-2", "us-west-1", "us-west-2"),
    ]
)
"""Regions of the partition aws that no account has to opt in to; every later one is an opt-in region.

https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html
"""


def find_problems(situation: Situation) -> list[Problem]:
    """Every problem of the situation, in the order of their names."""
    return [problem for _name, judge in sorted(JUDGES.items()) if (problem := judge(situation)) is not None]


def sort_problems(problems: Sequence[Problem], actions: Mapping[ProblemName, Action]) -> dict[Action, list[Problem]]:
    """Problems by what to do about them: fail, warn, ignore. A problem that only may exist never fails."""
    sorted_out: dict[Action, list[Problem]] = {action: [] for action in ACTIONS}
    for problem in problems:
        action = actions[problem.name]
        if action == "fail" and problem.severity == "unknown":
            action = "warn"
        sorted_out[action].append(problem)
    return sorted_out


def foreign_trail(arn: TrailArn, before: Settings | None) -> Problem | None:
    """Whether an existing trail belongs to another tool (aws-facts 7.7)."""
    owner = tool_of_trail(arn.name)
    if not owner or before is None:
        return None
    return Problem(
        "foreign_trail",
        "error",
        f"Trail {arn}",
        f"a trail that belongs to {owner} by its name",
        "a trail of your own",
        f"Change it with {owner}, choose another name, or set adopt_foreign=true to take it over.",
    )


def _foreign_trail(situation: Situation) -> Problem | None:
    if situation.options.adopt_foreign:
        return None
    return foreign_trail(situation.arn, situation.before)


def _trail_quota(situation: Situation) -> Problem | None:
    arn, own = situation.arn, situation.trails_here
    if isinstance(own, Unread):
        return unread_problem("trail_quota", f"Account {arn.account_id} in {arn.region}", "its trails", own)
    if own is None or len(own) < TRAILS_PER_REGION:
        return None
    return Problem(
        "trail_quota",
        "error",
        f"Account {arn.account_id} in {arn.region}",
        f"{len(own)} trails ({', '.join(own)})",
        f"fewer than {TRAILS_PER_REGION} before {arn.name} can be created",
        "Delete one that is no longer needed, convert one of them by its name, or create the trail in another region.",
    )


def _opt_in_home_region(situation: Situation) -> Problem | None:
    region = situation.arn.region
    if not situation.after["is_organization_trail"] or partition_of(region) != "aws" or region in ENABLED_BY_DEFAULT:
        return None
    return Problem(
        "opt_in_home_region",
        "warning",
        f"Trail {situation.arn}",
        f"the home region {region}, which accounts have to opt in to",
        "a region that is enabled in every account",
        "Members that have not opted in send nothing: enable the region in all of them, or create the trail elsewhere.",
    )


def _overlapping_trail(situation: Situation) -> Problem | None:
    if isinstance(situation.others, Unread):
        return unread_problem("overlapping_trail", f"Trail {situation.arn}", "other trails", situation.others)
    paid = [one.arn for one in situation.others or () if one.logging and one.management_events]
    after = situation.after
    if not paid or not logged_management_events(after["event_selectors"], after["advanced_event_selectors"]).some:
        return None
    return Problem(
        "overlapping_trail",
        "warning",
        f"Account {situation.arn.account_id}",
        f"management events logged by {', '.join(map(str, paid))} beside {situation.arn}",
        "one trail that logs them, because each further copy is billed",
        "Delete the other trail once its log files are no longer needed, or take management events out of its "
        "selectors.",
    )


def _delivery_error(situation: Situation) -> Problem | None:
    errors = situation.delivery_errors
    if not errors or set(situation.changed_fields) & set(REQUEST_FIELDS):
        return None  # what is about to change may well be the cause
    remedies = dict.fromkeys(_delivery_remedy(error, situation.key) for error in errors)
    return Problem(
        "delivery_error",
        "warning",
        f"Trail {situation.arn}",
        " and ".join(f"the error {error.text} for {DELIVERY_WORDS[error.kind]}" for error in errors),
        "no error of the latest delivery",
        f"{' '.join(remedies)} The error stays until the next delivery.",
    )


KEY_REMEDY = "Enable the trail's KMS key, cancel its deletion, or set kms_key_id to another key."
KEY_POLICY_REMEDY = (
    "If it admits the trail, the policy of the KMS key does not: let it allow cloudtrail.amazonaws.com "
    "kms:GenerateDataKey* and kms:DescribeKey."
)
BUCKET_REMEDY = "The module cloudtrail_log_bucket_info says what is wrong with the bucket."
RCP_REMEDY = (
    "If nothing else keeps CloudTrail out, look for a resource control policy that binds the bucket's account, and let "
    "it spare the trail."
)
DELIVERY_REMEDIES: dict[DeliveryKind, str] = {
    "log_files": BUCKET_REMEDY,
    "digest_files": BUCKET_REMEDY,
    "cloud_watch_logs": "Make the log group again, and let the trail's role write to it.",
    "notifications": "Make the SNS topic again, and let cloudtrail.amazonaws.com publish to it.",
}
"""What to do about a delivery error that is not the key's."""


def _delivery_remedy(error: DeliveryError, key: str) -> str:
    if error.is_of_the_key:
        return KEY_REMEDY
    remedy = DELIVERY_REMEDIES[error.kind]
    if remedy != BUCKET_REMEDY or not error.is_denial:
        return remedy
    return " ".join([remedy, *([KEY_POLICY_REMEDY] if key else []), RCP_REMEDY])


def _management_events_missing(situation: Situation) -> Problem | None:
    after = situation.after
    logged = logged_management_events(after["event_selectors"], after["advanced_event_selectors"])
    if logged.both_kinds:
        return None
    return Problem(
        "management_events_missing",
        "error",
        f"Trail {situation.arn}",
        f"event selectors that log {logged}",
        "both read and write management events, perhaps without some event sources",
        "Add a selector of management events, in advanced_event_selectors {field_selectors: [{field: eventCategory, "
        "equals: [Management]}]}; or set neither event_selectors nor advanced_event_selectors.",
    )


def _setting_lost(situation: Situation) -> Problem | None:
    if situation.before is None:
        return None
    lost = losses(situation.before, situation.after, situation.changed_fields)
    if not lost:
        return None
    return Problem(
        "setting_lost",
        "warning",
        f"Trail {situation.arn}",
        f"{', '.join(one.what for one in lost)}, which this run takes away",
        "options that name what shall go",
        f"To keep it, {' and '.join(one.keep for one in lost)}; in the role these options begin with "
        "organization_trail_.",
    )


def _service_linked_role_missing(situation: Situation) -> Problem | None:
    role = situation.service_linked_role
    if isinstance(role, Unread):
        what = f"Role {SERVICE_LINKED_ROLE} of account {situation.arn.account_id}"
        return unread_problem("service_linked_role_missing", what, "the role", role)
    if role is not False:
        return None
    return Problem(
        "service_linked_role_missing",
        "warning",
        f"Account {situation.arn.account_id}",
        f"no role {SERVICE_LINKED_ROLE}",
        "that role, with which CloudTrail makes the trail in the members",
        "CloudTrail creates it if the caller has iam:CreateServiceLinkedRole; otherwise run "
        f"aws iam create-service-linked-role --aws-service-name {CLOUDTRAIL}",
    )


def _bucket_outside_organization(situation: Situation) -> Problem | None:
    options, bucket = situation.options, f"Bucket {situation.after['s3_bucket_name']}"
    organization_id = options.bucket_organization_id
    known = situation.bucket_account_known
    if isinstance(known, Unread):
        return unread_problem("bucket_outside_organization", bucket, "its account", known)
    same = not organization_id or not situation.organization_id or organization_id == situation.organization_id
    if known is not False and same:
        return None
    account = f"account {options.bucket_account_id}" if options.bucket_account_id else "an account"
    where = f" of the organization {organization_id}" if organization_id else " outside the organization"
    return Problem(
        "bucket_outside_organization",
        "error",
        bucket,
        f"in {account}{where}",
        f"a bucket in an account of the organization {situation.organization_id}",
        "Choose a bucket of a member account, such as the log archive's.",
    )


def _bucket_policy(situation: Situation) -> Problem | None:
    found, bucket = situation.bucket_problems, f"Bucket {situation.after['s3_bucket_name']}"
    if isinstance(found, Unread):
        return unread_problem("bucket_policy", bucket, "its policy", found)
    if not found:
        return None
    return Problem(
        "bucket_policy",
        "error",
        bucket,
        f"a policy that keeps out the trail {situation.arn}: {'; '.join(found)}",
        "a policy that admits it",
        "Repair an organization trail's with the module cloudtrail_log_bucket_policy; for an account trail AWS has the "
        "statements, see https://docs.aws.amazon.com/awscloudtrail/latest/userguide/"
        "create-s3-bucket-policy-for-cloudtrail.html",
    )


def _bucket_not_looked_up(situation: Situation) -> Problem | None:
    bucket, looked_up = situation.after["s3_bucket_name"], situation.options.looked_up_bucket
    if not looked_up or looked_up.name == bucket:
        return None
    return Problem(
        "bucket_not_looked_up",
        "error",
        f"Bucket {bucket}",
        f"another one than {looked_up.name}, which was looked up and judged",
        "the bucket that was looked up",
        f"Set log_bucket_lookup_name={bucket}, so that it is judged as well, or leave organization_trail_bucket out.",
    )


def _kms_key_outside_organization(situation: Situation) -> Problem | None:
    known = situation.key_account_known
    if isinstance(known, Unread):
        return unread_problem("kms_key_outside_organization", f"KMS key {situation.key}", "its account", known)
    if known is not False:
        return None
    return Problem(
        "kms_key_outside_organization",
        "error",
        f"KMS key {situation.key}",
        f"in account {arn_owner(situation.key)}, which is not in the organization",
        f"a key in an account of the organization {situation.organization_id}",
        "Set kms_key_id to a key of the log archive or management account; its owner can make the logs unreadable.",
    )


def _kms_key_region(situation: Situation) -> Problem | None:
    region = situation.options.bucket_region
    if not situation.key or not region or situation.key.split(":")[3] == region:
        return None
    return Problem(
        "kms_key_region",
        "error",
        f"KMS key {situation.key}",
        f"in {situation.key.split(':')[3]}",
        f"a key in {region}, the region of the bucket {situation.after['s3_bucket_name']}",
        "Set kms_key_id to a key of that region.",
    )


JUDGES: dict[ProblemName, Callable[[Situation], Problem | None]] = {
    "bucket_not_looked_up": _bucket_not_looked_up,
    "bucket_outside_organization": _bucket_outside_organization,
    "bucket_policy": _bucket_policy,
    "delivery_error": _delivery_error,
    "foreign_trail": _foreign_trail,
    "kms_key_outside_organization": _kms_key_outside_organization,
    "kms_key_policy": kms_key_policy,
    "kms_key_region": _kms_key_region,
    "log_role_too_narrow": log_role_too_narrow,
    "management_events_missing": _management_events_missing,
    "opt_in_home_region": _opt_in_home_region,
    "overlapping_trail": _overlapping_trail,
    "service_linked_role_missing": _service_linked_role_missing,
    "setting_lost": _setting_lost,
    "sns_topic_policy": sns_topic_policy,
    "trail_quota": _trail_quota,
}
