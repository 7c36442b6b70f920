# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that stands in the way of a plan, found before the first write with the reads that it calls for."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Literal

from .._aws.arn import CLOUDTRAIL, parse_trail_arn
from .._aws.cloudtrail import describe_trails, knows_parameter
from .._aws.errors import refuse
from .._aws.iam import (
    get_policy_version,
    get_policy_version_id,
    get_role,
    get_role_policy,
    list_attached_role_policies,
    list_role_policies,
)
from .._aws.kms import get_key_policy
from .._aws.organizations import describe_account, has_service_access
from .._aws.session import Session
from .._aws.untyped import Client, Structure
from .._work.reads import Reads, read_all
from .options import Action, ProblemName, TrailOptions
from .plan import Plan
from .problems import SERVICE_LINKED_ROLE, TRAILS_PER_REGION, find_problems, foreign_trail, sort_problems
from .reader import View, read_or_unread
from .refusals import settings_refusal
from .situation import Problem, Situation

NewerOption = Literal["recursive_logging", "aggregation_configurations", "event_categories"]

NEWER_PARAMETERS: dict[NewerOption, tuple[str, ...]] = {
    "recursive_logging": ("UpdateTrail", "RecursiveLogging"),
    "aggregation_configurations": ("PutEventConfiguration", "AggregationConfigurations"),
    "event_categories": ("PutInsightSelectors", "InsightSelectors", "EventCategories"),
}
"""Options that old botocore does not know (aws-facts 2.14)."""


def unsupported_option(session: Session, options: TrailOptions) -> str | None:
    """A sentence about the first option that the installed botocore does not know."""
    for option in newer_options(options):
        operation, *path = NEWER_PARAMETERS[option]
        if not knows_parameter(session.client("cloudtrail"), operation, *path):
            return f"The installed botocore knows no {path[-1]} of {operation}, which {option} needs. Update boto3."
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
        bucket_account, key_account = options.bucket_account_id, (situation.key.split(":") + [""] * 5)[4]
        known = partial(_account_known, session.client("organizations"))
        if bucket_account and bucket_account != account and not options.bucket_organization_id:
            reads["bucket_account_known"] = partial(known, bucket_account)
        if key_account and key_account != account:
            reads["key_account_known"] = partial(known, key_account)
    if situation.key and situation.key.split(":")[4] == account:
        kms = session.client("kms", situation.key.split(":")[3])
        reads["key_policy"] = partial(get_key_policy, kms, situation.key)
    if situation.log_role and situation.after["is_organization_trail"]:
        reads["role_policies"] = partial(_role_policies, session.client("iam"), situation.log_role.rpartition("/")[2])
    if situation.before is None and len(view.trails) >= TRAILS_PER_REGION:
        reads["trails_here"] = partial(_trails_here, session.client("cloudtrail", situation.arn.region), account)
    if situation.becomes_organization_trail:
        clients = (session.client("iam"), session.client("organizations"))
        reads["service_linked_role"] = partial(_has_service_linked_role, *clients)
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
    "trails_here": "trail_quota",
}


def _account_known(client: Client, account_id: str) -> bool:
    return describe_account(client, account_id) is not None


def _has_service_linked_role(iam: Client, organizations: Client) -> bool | None:
    """Whether the role exists; None while it need not, because trusted access makes it (aws-facts 1.5)."""
    if get_role(iam, SERVICE_LINKED_ROLE):
        return True
    return False if has_service_access(organizations, CLOUDTRAIL) else None


def _trails_here(client: Client, account_id: str) -> list[str]:
    """Names of the account's trails that count in the client's region, multi-region ones of other regions too."""
    arns = {trail["TrailARN"] for trail in describe_trails(client)}
    return sorted(arn.name for arn in map(parse_trail_arn, arns) if arn.account_id == account_id)


def _role_policies(client: Client, role: str) -> list[Structure]:
    """Every policy document of a role, inline and managed."""
    inline = [get_role_policy(client, role, name) for name in list_role_policies(client, role)]
    managed = [
        get_policy_version(client, arn, get_policy_version_id(client, arn))
        for arn in list_attached_role_policies(client, role)
    ]
    return inline + managed


def judge(session: Session, view: View, options: TrailOptions, plan: Plan) -> dict[Action, list[Problem]]:
    """What stands in the way of a plan, by what to do about it: fail, warn, ignore.

    Raises AnsibleOrgTrailError for what no option lifts.
    """
    before = view.now.settings if view.now else None
    foreign = None if options.adopt_foreign else foreign_trail(view.arn, before)
    owner = sort_problems([foreign] if foreign else [], options.on_problem)
    if plan.after is None or owner["fail"]:  # nothing else matters about a trail that is not ours
        return owner
    refuse(settings_refusal(view.arn, before, plan.after, options))
    situation = Situation(
        arn=view.arn,
        organization_id=view.organization.id,
        before=before,
        after=plan.after,
        options=options,
        delivery_errors=view.now.delivery_errors if view.now else (),
        others=view.others,
        changed_fields=plan.changed_fields,
    )
    return sort_problems(find_problems(look_further(session, view, situation)), options.on_problem)
