# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that stands in the way of a plan, found before the first write with the reads that it calls for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal, NoReturn

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .._aws.arn import arn_owner, parse_trail_arn
from .._aws.cloudtrail import describe_trails
from .._aws.errors import AnsibleOrgTrailError, refuse
from .._aws.iam import (
    get_policy_version,
    get_policy_version_id,
    get_role,
    get_role_policy,
    list_attached_role_policies,
    list_role_policies,
)
from .._aws.kms import get_key_policy
from .._aws.organizations import describe_account
from .._aws.session import Session
from .._aws.sns import get_topic_policy
from .._aws.untyped import Client, Structure
from .._aws.whole_answer import unknown_call
from .._work.reads import Reads, read_all
from .bucket import BucketJudge, BucketReader, NoSuchBucket, missing_bucket, move_refusal
from .options import Action, ProblemName, TrailOptions
from .plan import Plan
from .problems import SERVICE_LINKED_ROLE, TRAILS_PER_REGION, find_problems, foreign_trail, sort_problems
from .reader import View, read_or_unread
from .refusals import settings_refusal
from .settings import Settings
from .situation import Problem, Situation, Unread

NewerOption = Literal["recursive_logging", "aggregation_configurations", "event_categories"]

NEWER_PARAMETERS: dict[NewerOption, tuple[str, Structure]] = {
    "recursive_logging": ("UpdateTrail", {"RecursiveLogging": True}),
    "aggregation_configurations": ("PutEventConfiguration", {"AggregationConfigurations": []}),
    "event_categories": ("PutInsightSelectors", {"InsightSelectors": [{"EventCategories": []}]}),
}
"""Options that old botocore does not know, each with a call that sends it (aws-facts 2.14)."""


def unsupported_option(session: Session, options: TrailOptions) -> str | None:
    """A sentence about the first option that the installed botocore does not know."""
    for option in newer_options(options):
        operation, parameters = NEWER_PARAMETERS[option]
        if unknown := unknown_call(session.client("cloudtrail"), operation, parameters, option):
            return unknown
    return None


def newer_options(options: TrailOptions) -> list[NewerOption]:
    """The options among ``NEWER_PARAMETERS`` that would be sent; AWS's default categories would not."""
    asked: dict[NewerOption, bool] = {
        "recursive_logging": options.recursive_logging is not None,
        "aggregation_configurations": options.aggregation_configurations is not None,
        "event_categories": any(one["event_categories"] != ["Management"] for one in options.insight_selectors or []),
    }
    return [name for name, given in asked.items() if given]


def look_further(session: Session, view: View, situation: Situation) -> Situation:
    """The situation with the reads that only it calls for: bucket's and key's account, key's policy, roles."""
    reads: Reads = {}
    options, account = situation.options, situation.arn.account_id
    if situation.organization_id:
        bucket_account, key_account = options.bucket_account_id, arn_owner(situation.key)
        known = partial(_account_known, session.client("organizations"))
        if bucket_account and bucket_account != account and not options.bucket_organization_id:
            reads["bucket_account_known"] = partial(known, bucket_account)
        if key_account and key_account != account:
            reads["key_account_known"] = partial(known, key_account)
    if situation.key and not options.ignores("kms_key_policy"):
        reads["key_policy"] = _read_of_key(session, situation, view.caller)
    # A log role of management is left untouched by a delegated administrator, who may not read it (aws-facts 11.2).
    unseen = view.administrator and arn_owner(situation.log_role) != view.caller
    if situation.log_role and situation.after["is_organization_trail"] and not unseen:
        reads["role_policies"] = partial(_role_policies, session.client("iam"), situation.log_role, view.caller)
    if topic := situation.after["sns_topic_name"]:
        reads["topic_policy"] = partial(get_topic_policy, session.client("sns", topic.split(":")[3]), topic)
    if situation.before is None and len(view.trails) >= TRAILS_PER_REGION:
        reads["trails_here"] = partial(_trails_here, session.client("cloudtrail", situation.arn.region), account)
    if situation.becomes_organization_trail and not view.administrator:  # the role is management's
        reads["service_linked_role"] = partial(_has_service_linked_role, session.client("iam"), view.trusted_access)
    wanted = {
        name: partial(read_or_unread, read) for name, read in reads.items() if not options.ignores(_PROBLEMS[name])
    }
    return replace(situation, **read_all(wanted))


_PROBLEMS: dict[str, ProblemName] = {
    "bucket_account_known": "bucket_outside_organization",
    "key_account_known": "kms_key_outside_organization",
    "key_policy": "kms_key_policy",
    "role_policies": "log_role_too_narrow",
    "service_linked_role": "service_linked_role_missing",
    "topic_policy": "sns_topic_policy",
    "trails_here": "trail_quota",
}


def _account_known(client: Client, account_id: str) -> bool:
    return describe_account(client, account_id) is not None


def _has_service_linked_role(iam: Client, trusted_access: bool | Unread | None) -> bool | Unread | None:
    """Whether the role exists; None while it need not, because trusted access makes it (aws-facts 1.5)."""
    if get_role(iam, SERVICE_LINKED_ROLE):
        return True
    return False if trusted_access is True else trusted_access or None


def _trails_here(client: Client, account_id: str) -> list[str]:
    """Names of the account's trails that count in the client's region, multi-region ones of other regions too."""
    arns = {trail["TrailARN"] for trail in describe_trails(client)}
    return sorted(arn.name for arn in map(parse_trail_arn, arns) if arn.account_id == account_id)


def _read_of_key(session: Session, situation: Situation, caller: str) -> Callable[[], str]:
    """The read of the key's policy with the credentials of the key's account: its owner alone may make it.

    caller: the session's account.
    """
    _arn, _partition, _kms, region, account = situation.key.split(":")[:5]
    role_arn = situation.options.log_archive_role_arn
    try:
        if account != caller:
            if arn_owner(role_arn or "") != account:
                raise AnsibleOrgTrailError(
                    f"it is a key of account {account}, and log_archive_role_arn names no role there"
                )
            session = archive_of(session, situation.options)
    except AnsibleAWSError as error:
        return partial(_raise, error)
    return partial(get_key_policy, session.client("kms", region), situation.key)


def _raise(error: AnsibleAWSError) -> NoReturn:
    raise error


def archive_of(session: Session, options: TrailOptions) -> Session:
    """A session of the log archive, by the role that the options name. Raises AnsibleSTSError."""
    return session.assume(options.log_archive_role_arn or "", options.log_archive_role_external_id)


def _role_policies(client: Client, role_arn: str, account: str) -> list[Structure]:
    """Every policy document of a role, inline and managed."""
    if arn_owner(role_arn) != account:
        raise AnsibleOrgTrailError(f"it is a role of account {arn_owner(role_arn)}, not of {account}")
    role = role_arn.rpartition("/")[2]
    inline = [get_role_policy(client, role, name) for name in list_role_policies(client, role)]
    managed = [
        get_policy_version(client, arn, get_policy_version_id(client, arn))
        for arn in list_attached_role_policies(client, role)
    ]
    return inline + managed


JUDGED_FIELDS = frozenset({"s3_bucket_name", "s3_key_prefix", "is_organization_trail", "kms_key_id"})
"""Settings on which it depends whether a bucket admits a trail."""


def judge(
    session: Session, view: View, options: TrailOptions, plan: Plan, judge_bucket: BucketJudge
) -> dict[Action, list[Problem]]:
    """What stands in the way of a plan, by what to do about it: fail, warn, ignore.

    judge_bucket: of a bucket that no look-up judged. Raises AnsibleOrgTrailError for what no option lifts.
    """
    before = view.now.settings if view.now else None
    foreign = None if options.adopt_foreign else foreign_trail(view.arn, before)
    owner = sort_problems([foreign] if foreign else [], options.on_problem)
    if plan.after is None or owner["fail"]:  # nothing else matters about a trail that is not ours
        return owner
    refuse(settings_refusal(view.arn, before, plan.after, options, view.caller))
    archive = partial(archive_of, session, options) if options.log_archive_role_arn else None
    reader = BucketReader(session, view.caller, view.arn, view.organization.id, judge_bucket, archive)
    refuse(move_refusal(reader, before, plan.after, options))
    situation = Situation(
        arn=view.arn,
        organization_id=view.organization.id,
        before=before,
        after=plan.after,
        options=options,
        delivery_errors=view.now.delivery_errors if view.now else (),
        others=view.others,
        changed_fields=plan.changed_fields,
        bucket_problems=_bucket_problems(reader, before, plan, options),
    )
    return sort_problems(find_problems(look_further(session, view, situation)), options.on_problem)


def _bucket_problems(
    reader: BucketReader, before: Settings | None, plan: Plan, options: TrailOptions
) -> Sequence[str] | Unread | None:
    """Why the bucket that the trail is to write to does not admit it; None where that was or need not be looked at.

    Raises AnsibleOrgTrailError for a bucket that does not exist.
    """
    looked_up = options.expected_admitted_home_regions is not None
    changes = before is None or bool(JUDGED_FIELDS & set(plan.changed_fields))
    if looked_up or not changes or plan.after is None or options.ignores("bucket_policy"):
        return None
    try:
        return reader.problems(plan.after)
    except NoSuchBucket as error:
        raise AnsibleOrgTrailError(missing_bucket(plan.after)) from error
