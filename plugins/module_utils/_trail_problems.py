# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in the way of an organization trail, judged before the first write."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ._policy import Policy, PolicyError, Request, evaluate, parse_policy
from ._trail import Options, Settings
from ._trail_arn import TrailArn, build_trail_arn, is_trail_arn, parse_trail_arn, partition_of, trail_name_problem
from ._trail_selectors import logs_management_events

CLOUDTRAIL = "cloudtrail.amazonaws.com"
SERVICE_LINKED_ROLE = "AWSServiceRoleForCloudTrail"
TRAILS_PER_REGION = 5  # aws-facts 2.7

DEFAULT_ACTIONS = {
    "bucket_outside_organization": "fail",
    "delivery_error": "warn",
    "foreign_trail": "fail",
    "kms_key_outside_organization": "fail",
    "kms_key_policy": "fail",
    "kms_key_region": "fail",
    "log_role_too_narrow": "fail",
    "opt_in_home_region": "warn",
    "overlapping_trail": "warn",
    "service_linked_role_missing": "warn",
    "trail_quota": "fail",
}
"""Names of the problems, and what the module does about each unless told otherwise."""

ACTIONS = ("fail", "warn", "ignore")

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

FOREIGN_NAMES: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("AWS Control Tower", lambda name: name.startswith("aws-controltower-")),
    ("Landing Zone Accelerator", lambda name: name.endswith("-Organizations-CloudTrail")),
)
"""Tools that make organization trails of their own, and how their trails are named (aws-facts 7.7)."""


@dataclass(frozen=True)
class Problem:
    """Something that stands in the way; ``severity`` is error or warning."""

    name: str
    severity: str
    object: str
    found: str
    expected: str
    remedy: str

    @property
    def sentence(self) -> str:
        return f"{self.object}: found {self.found}, expected {self.expected}. {self.remedy}"


@dataclass(frozen=True)
class Unread:
    """A read that AWS refused, in words."""

    reason: str


@dataclass(frozen=True)
class OtherTrail:
    """Another trail of the management account, as far as it matters here."""

    arn: str
    logging: bool
    management_events: bool


@dataclass(frozen=True)
class Situation:
    """All that the judgement rests on. ``before`` and ``after`` are settings; the rest is None where not read."""

    arn: TrailArn
    organization_id: str
    before: Settings | None
    after: Settings
    options: Options
    trails: Sequence[Mapping[str, str]] = ()
    delivery_error: str = ""
    others: Sequence[OtherTrail] | Unread | None = None
    key_policy: str | Unread | None = None
    key_account_known: bool | Unread | None = None
    bucket_account_known: bool | Unread | None = None
    role_policies: Sequence[Mapping[str, Any]] | Unread | None = None
    service_linked_role: bool | Unread | None = None
    changed_fields: Sequence[str] = field(default=())

    @property
    def key(self) -> str:
        return str(self.after["kms_key_id"])

    @property
    def log_role(self) -> str:
        return str(self.after["cloud_watch_logs_role_arn"])

    @property
    def becomes_organization_trail(self) -> bool:
        return bool(self.after["is_organization_trail"] and not (self.before or {}).get("is_organization_trail"))


# --- refusals that no option lifts: one sentence, or None ---


def name_refusal(name: str) -> str | None:
    """Why a trail cannot be named so; a name or an ARN."""
    if is_trail_arn(name):
        return trail_name_problem(parse_trail_arn(name).name)
    if name.startswith("arn:"):
        return f"The option name is {name!r}, expected a trail's name or its ARN arn:…:cloudtrail:…:trail/NAME."
    return trail_name_problem(name)


def choose_trail(trails: Sequence[Mapping[str, str]], name: str, owner: str, region: str) -> TrailArn | str:
    """The ARN of the owner's trail of that name, or of the one to be created in ``region``; a refusal in words.

    ``trails`` is the answer of ListTrails; trails of other accounts in it are not ours.
    """
    if is_trail_arn(name):
        arn = parse_trail_arn(name)
        if arn.account_id != owner:
            return (
                f"The trail {name} belongs to account {arn.account_id}, expected the account {owner}. "
                "Name one of its trails."
            )
        return arn
    own = sorted({trail["TrailARN"] for trail in trails if parse_trail_arn(trail["TrailARN"]).account_id == owner})
    named = [arn for arn in own if parse_trail_arn(arn).name == name]
    if len(named) > 1:
        return (
            f"The name {name} belongs to {len(named)} trails, {' and '.join(named)}, expected one. "
            "Say which by giving its ARN as name."
        )
    return parse_trail_arn(named[0] if named else build_trail_arn(region, owner, name))


def organization_refusal(organization: Mapping[str, Any], account: str | None) -> str | None:
    """Why this organization, seen from this account (None: known to be right), can have no organization trail."""
    if account is not None and account != organization["MasterAccountId"]:
        return (
            f"Account {account} is a member of the organization {organization['Id']}, expected its management account "
            f"{organization['MasterAccountId']}. Run with credentials of that account, or set assume_role_arn to a "
            "role in it."
        )
    if organization["FeatureSet"] != "ALL":
        return (
            f"The organization {organization['Id']} has the feature set {organization['FeatureSet']}, expected ALL. "
            "Enable all features in AWS Organizations first; every member account has to accept."
        )
    return None


def settings_refusal(arn: TrailArn, before: Settings | None, after: Settings, options: Options) -> str | None:
    """Why these settings cannot be (aws-facts 2.5, 3.3)."""
    if before is None and not after["s3_bucket_name"]:
        return (
            f"The trail {arn} does not exist and s3_bucket_name is not set, expected a bucket's name to create it. "
            "Set s3_bucket_name, or correct name."
        )
    if not after["s3_bucket_name"]:
        return (
            f"The option s3_bucket_name is empty for {arn}, expected a bucket's name. Leave it out to keep the bucket."
        )
    if after["is_multi_region_trail"] and not after["include_global_service_events"]:
        return (
            f"The trail {arn} would be multi-region without global service events, expected both or neither. "
            "Set include_global_service_events=true, or is_multi_region_trail=false."
        )
    admitted = options.get("expected_admitted_home_regions")
    if admitted is not None and arn.region not in admitted:
        return (
            f"The policy of the bucket {after['s3_bucket_name']} admits the trail {arn.name} with the home region "
            f"{' or '.join(admitted) or '(none)'}, found the trail in {arn.region}. "
            f"Let aws:SourceArn in the bucket's policy be {arn}."
        )
    return None


# --- problems that on_problem decides about ---


def actions_refusal(actions: Mapping[str, str]) -> str | None:
    """Why the option on_problem cannot be so."""
    for name, action in actions.items():
        if name not in DEFAULT_ACTIONS:
            return (
                f"The option on_problem names {name!r}, expected one of {', '.join(DEFAULT_ACTIONS)}. Correct the name."
            )
        if action not in ACTIONS:
            return (
                f"The option on_problem says {action!r} for {name}, expected one of {', '.join(ACTIONS)}. Correct it."
            )
    return None


def find_problems(situation: Situation) -> list[Problem]:
    """Every problem of the situation, in the order of their names."""
    return [problem for _, judge in sorted(JUDGES.items()) if (problem := judge(situation)) is not None]


def sort_problems(problems: Sequence[Problem], actions: Mapping[str, str]) -> dict[str, list[Problem]]:
    """Problems by what to do about them: fail, warn, ignore. A problem that only may exist never fails."""
    sorted_out: dict[str, list[Problem]] = {action: [] for action in ACTIONS}
    for problem in problems:
        action = actions.get(problem.name, DEFAULT_ACTIONS[problem.name])
        if action == "fail" and problem.severity == "unknown":
            action = "warn"
        sorted_out[action].append(problem)
    return sorted_out


def foreign_trail(arn: TrailArn, before: Settings | None) -> Problem | None:
    owner = next((tool for tool, owns in FOREIGN_NAMES if owns(arn.name)), None)
    if owner is None or before is None:
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
    if situation.options.get("adopt_foreign"):
        return None
    return foreign_trail(situation.arn, situation.before)


def _trail_quota(situation: Situation) -> Problem | None:
    arn = situation.arn
    names = [parse_trail_arn(one["TrailARN"]) for one in situation.trails if one["HomeRegion"] == arn.region]
    own = sorted(one.name for one in names if one.account_id == arn.account_id)
    if situation.before is not None or len(own) < TRAILS_PER_REGION:
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
        return _unread("overlapping_trail", f"Trail {situation.arn}", "other trails", situation.others)
    paid = [one.arn for one in situation.others or () if one.logging and one.management_events]
    after = situation.after
    if not paid or not logs_management_events(after["event_selectors"], after["advanced_event_selectors"]):
        return None
    return Problem(
        "overlapping_trail",
        "warning",
        f"Account {situation.arn.account_id}",
        f"management events logged by {', '.join(paid)} beside {situation.arn}",
        "one trail that logs them, because each further copy is billed",
        "Delete the other trail once its log files are no longer needed, or take management events out of its "
        "selectors.",
    )


def _delivery_error(situation: Situation) -> Problem | None:
    if not situation.delivery_error or "s3_bucket_name" in situation.changed_fields:
        return None
    return Problem(
        "delivery_error",
        "warning",
        f"Trail {situation.arn}",
        f"the delivery error {situation.delivery_error}",
        f"log files delivered to {situation.after['s3_bucket_name']}",
        "The module cloudtrail_log_bucket_info says what is wrong with the bucket; the error stays until the next "
        "delivery.",
    )


def _service_linked_role_missing(situation: Situation) -> Problem | None:
    role = situation.service_linked_role
    if isinstance(role, Unread):
        what = f"Role {SERVICE_LINKED_ROLE} of account {situation.arn.account_id}"
        return _unread("service_linked_role_missing", what, "the role", role)
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
    organization_id = options.get("bucket_organization_id")
    known = situation.bucket_account_known
    if isinstance(known, Unread):
        return _unread("bucket_outside_organization", bucket, "its account", known)
    if known is not False and organization_id in (None, situation.organization_id):
        return None
    account = f"account {options['bucket_account_id']}" if options.get("bucket_account_id") else "an account"
    where = f" of the organization {organization_id}" if organization_id else ""
    return Problem(
        "bucket_outside_organization",
        "error",
        bucket,
        f"in {account}{where or ' outside the organization'}",
        f"a bucket in an account of the organization {situation.organization_id}",
        "Choose a bucket of a member account, such as the log archive's.",
    )


def _kms_key_outside_organization(situation: Situation) -> Problem | None:
    known = situation.key_account_known
    if isinstance(known, Unread):
        return _unread("kms_key_outside_organization", f"KMS key {situation.key}", "its account", known)
    if known is not False:
        return None
    return Problem(
        "kms_key_outside_organization",
        "error",
        f"KMS key {situation.key}",
        f"in account {situation.key.split(':')[4]}, which is not in the organization",
        f"a key in an account of the organization {situation.organization_id}",
        "Set kms_key_id to a key of the log archive or management account; its owner can make the logs unreadable.",
    )


def _kms_key_region(situation: Situation) -> Problem | None:
    region = situation.options.get("bucket_region")
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


def _kms_key_policy(situation: Situation) -> Problem | None:
    text = situation.key_policy
    what = f"Policy of the KMS key {situation.key}"
    if isinstance(text, Unread):
        return _unread("kms_key_policy", what, "the policy", text)
    if text is None:
        return None
    try:
        policy = parse_policy(text)
    except PolicyError as error:
        return _unread("kms_key_policy", what, "the policy", Unread(str(error)))
    effects = {request.action: evaluate(policy, request).effect for request in _key_requests(situation)}
    refused = [action for action, effect in effects.items() if effect in ("Deny", "ImplicitDeny")]
    unknown = [action for action, effect in effects.items() if effect == "Unknown"]
    if not refused and not unknown:
        return None
    return Problem(
        "kms_key_policy",
        "error" if refused else "unknown",
        what,
        f"{CLOUDTRAIL} {'may not' if refused else 'perhaps may not'} call {' and '.join(refused or unknown)}",
        f"both kms:GenerateDataKey* and kms:DescribeKey allowed with aws:SourceArn {situation.arn}",
        "Add them to the key's policy, see "
        "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html",
    )


def _key_requests(situation: Situation) -> list[Request]:
    """The two calls that CloudTrail makes with the key (aws-facts 3.7)."""
    arn = str(situation.arn)
    source = {"aws:SourceArn": arn, "aws:SourceAccount": situation.arn.account_id}
    context = {
        **source,
        "kms:EncryptionContext:aws:cloudtrail:arn": arn,
        "kms:EncryptionContextKeys": "aws:cloudtrail:arn",
    }
    service = {"Service": CLOUDTRAIL}
    return [
        Request("kms:GenerateDataKey", situation.key, service, context),
        Request("kms:DescribeKey", situation.key, service, source),
    ]


def _log_role_too_narrow(situation: Situation) -> Problem | None:
    documents = situation.role_policies
    what = f"Role {situation.log_role}"
    if isinstance(documents, Unread):
        return _unread("log_role_too_narrow", what, "its policies", documents)
    if documents is None:
        return None
    stream = f"{situation.organization_id}_*"
    refused = [request.action for request in _log_requests(situation) if not _allowed(documents, request)]
    if not refused:
        return None
    return Problem(
        "log_role_too_narrow",
        "error",
        what,
        f"{' and '.join(refused)} not allowed for the members' log streams {stream}",
        f"both logs:CreateLogStream and logs:PutLogEvents allowed for {_streams(situation)}{stream}",
        "Add that resource to the role's policy; without it the members' events do not reach CloudWatch Logs.",
    )


def _streams(situation: Situation) -> str:
    return f"{situation.after['cloud_watch_logs_log_group_arn'].removesuffix(':*')}:log-stream:"


def _log_requests(situation: Situation) -> list[Request]:
    """What CloudTrail does with the role for a member, whose streams are named <o-id>_<account>_… (aws-facts 2.15)."""
    stream = f"{_streams(situation)}{situation.organization_id}_000000000000_CloudTrail_{situation.arn.region}"
    return [
        Request(action, stream, {"AWS": situation.log_role}) for action in ("logs:CreateLogStream", "logs:PutLogEvents")
    ]


def _allowed(documents: Sequence[Mapping[str, Any]], request: Request) -> bool:
    policies: list[Policy] = [parse_policy(document) for document in documents]
    effects = {evaluate(policy, request, identity_policy=True).effect for policy in policies}
    return "Allow" in effects and not effects & {"Deny", "Unknown"}


def _unread(name: str, what: str, missing: str, unread: Unread) -> Problem:
    return Problem(
        name,
        "unknown",
        what,
        f"that {missing} could not be read ({unread.reason.rstrip('.')})",
        "a read that succeeds",
        f"Allow it, or set on_problem={{{name}: ignore}}.",
    )


JUDGES: dict[str, Callable[[Situation], Problem | None]] = {
    "bucket_outside_organization": _bucket_outside_organization,
    "delivery_error": _delivery_error,
    "foreign_trail": _foreign_trail,
    "kms_key_outside_organization": _kms_key_outside_organization,
    "kms_key_policy": _kms_key_policy,
    "kms_key_region": _kms_key_region,
    "log_role_too_narrow": _log_role_too_narrow,
    "opt_in_home_region": _opt_in_home_region,
    "overlapping_trail": _overlapping_trail,
    "service_linked_role_missing": _service_linked_role_missing,
    "trail_quota": _trail_quota,
}
