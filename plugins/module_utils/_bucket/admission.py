# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a bucket does not admit a trail that is about to write to it: an organization trail, or an account's own."""

from __future__ import annotations

from .._aws.log_place import LogPlace
from .._policy.evaluation import PolicyError, Request, parse_policy
from .statements import admission_requests, decide
from .verdict import judge_policy


def admission_problems(policy: str | None, place: LogPlace, organization_trail: bool) -> list[str]:
    """A text for each reason why CloudTrail would refuse the bucket; none when it would not.

    policy: JSON text; None for a bucket that has none.
    """
    if organization_trail:
        return [str(problem) for problem in judge_policy(policy, place).problems]
    return _problems_of_account_trail(policy, place)


def _problems_of_account_trail(policy: str | None, place: LogPlace) -> list[str]:
    """The same for an account trail, which writes nothing below the organization's id (aws-facts section 3)."""
    if not policy:
        return ["found no policy, expected one that allows cloudtrail.amazonaws.com s3:GetBucketAcl and s3:PutObject"]
    try:
        parsed = parse_policy(policy, "resource")
    except PolicyError as error:
        return [f"{str(error).rstrip('.')}, expected a well-formed policy"]
    of_members = place.object_arn(place.organization_logs)
    problems = []
    for one in admission_requests(place):
        request: Request = one.request
        if request.resource.startswith(of_members):
            continue
        decision = decide(parsed, request)
        if decision.effect != "Allow":
            denies = [match.statement.label for match in decision.statements if match.statement.effect == "Deny"]
            found = f"the Deny {' and '.join(denies)}" if denies else "no statement"
            problems.append(
                f"found {found} for {request.action} on {request.resource} by cloudtrail.amazonaws.com with "
                f"aws:SourceArn {place.trail}, expected that it is allowed"
            )
    return problems
