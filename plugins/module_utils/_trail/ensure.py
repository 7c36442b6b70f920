# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of the module cloudtrail_organization_trail: look, refuse, plan, write, answer."""

from __future__ import annotations

from dataclasses import asdict, replace

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .._aws.errors import AnsibleOrgTrailError, refuse
from .._aws.session import Session
from .._work.options import Result
from .administrator import conversion_refusal
from .bucket import BucketJudge
from .changes import changes_in_words
from .options import TrailOptions
from .plan import Call, Plan, plan_for
from .preflight import judge, unsupported_option
from .reader import View, look
from .refusals import arn_refusal
from .settings import Settings, names, pick
from .situation import Problem
from .writer import Writer


def ensure_trail(
    session: Session, options: TrailOptions, check_mode: bool, judge_bucket: BucketJudge
) -> tuple[Result, list[str]]:
    """Make the trail what the module's options say; the module's result, and what it should warn about.

    judge_bucket: says whether a bucket admits the trail.

    Raises AnsibleOrgTrailError for a refusal of ours and AnsibleAWSError for one of AWS's, before the first write
    wherever that can be known.
    """
    refuse(arn_refusal(options) or unsupported_option(session, options))
    view = look(session, options)
    if view.key:
        options = replace(options, kms_key_id=view.key)
    before = view.now.settings if view.now else None
    plan = plan_for(view.arn, options, before)
    if view.administrator:
        refuse(conversion_refusal(view.arn, view.administrator, before, plan.after))
    problems = judge(session, view, options, plan, judge_bucket)
    if problems["fail"]:
        raise AnsibleOrgTrailError(
            message=" ".join(problem.sentence for problem in problems["fail"]),
            problems=[problem.to_dict() for problem in [*problems["fail"], *problems["warn"]]],
        )
    after, actions, waited = plan.after, list(plan.calls), {}
    if plan.calls and not check_mode:
        writer = Writer(session, view.arn, options, view.administrator)
        try:
            now = writer.carry_out(view.now)
        except AnsibleAWSError as error:
            error.kwargs |= {"changed": bool(writer.actions), "actions": _described_actions(view, writer.actions)}
            raise
        after, actions, waited = now.settings if now else None, writer.actions, writer.waited
    result = _result(view, plan, after, actions, problems["warn"])
    result["waited"] = [{"operation": call, "code": code, "seconds": time} for (call, code), time in waited.items()]
    return result, [problem.sentence for problem in problems["warn"]]


def _result(view: View, plan: Plan, after: Settings | None, actions: list[Call], problems: list[Problem]) -> Result:
    before = view.now.settings if view.now else None
    return {
        "changed": bool(plan.calls),
        "trail": _described(view, after),
        "before": _described(view, before),
        "organization": asdict(view.organization) if view.organization.id else {},
        "trusted_access": view.trusted_access if isinstance(view.trusted_access, bool) else None,
        "changed_fields": list(plan.changed_fields),
        "summary": changes_in_words(view.arn, before, plan, after),
        "actions": _described_actions(view, actions),
        "problems": [problem.to_dict() for problem in problems],
        "diff": {
            "before_header": f"trail {view.arn}",
            "after_header": f"trail {view.arn}",
            "before": _managed(plan, before),
            "after": _managed(plan, after),
        },
    }


def _described_actions(view: View, actions: list[Call]) -> list[Result]:
    return [{"operation": call.operation, "region": view.arn.region, "parameters": call.parameters} for call in actions]


def _managed(plan: Plan, settings: Settings | None) -> Settings:
    """The settings that the options manage; all of them for a trail that is deleted."""
    if settings is None:
        return {}
    return pick(settings, (name for name in names(settings) if name in plan.managed or plan.after is None))


def _described(view: View, settings: Settings | None) -> Result:
    if settings is None:
        return {}
    arn = view.arn
    return {
        "arn": str(arn),
        "name": arn.name,
        "home_region": arn.region,
        "account_id": arn.account_id,
        "organization_id": view.organization.id,
        **settings,
    }
