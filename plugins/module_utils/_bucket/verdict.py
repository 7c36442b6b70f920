# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verdict on a bucket policy: does it admit an organization trail, and if not, why (aws-facts section 3)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from .._aws.arn import partition_of
from .._aws.log_place import LogPlace
from .._policy.document import Document
from .._policy.evaluation import Policy, PolicyError, Request, Statement, explain, parse_policy
from .change import merge_policy, remove_trail
from .problem import Problem, absent, denied, differs
from .statements import AdmissionRequest, admission_requests, decide, required_statements

__all__ = [
    "Problem",
    "Verdict",
    "admission_requests",
    "admitted_home_regions",
    "judge_policy",
    "merge_policy",
    "remove_trail",
    "required_statements",
]


@dataclass(frozen=True)
class Verdict:
    """admits: True, False, or None when it cannot be known; problems: why it is not True."""

    admits: bool | None
    problems: tuple[Problem, ...] = ()


def judge_policy(policy: str | Document | None, place: LogPlace) -> Verdict:
    """Say whether a bucket policy admits the trail, and name each cause when it does not.

    policy: JSON text or mapping; None for a bucket that has none. A malformed policy is a problem, not an error.
    """
    required = {one["Sid"]: one for one in required_statements(place)}
    if not policy:
        return Verdict(False, tuple(absent(statement) for statement in required.values()))
    try:
        parsed = parse_policy(policy, "resource")
    except PolicyError as error:
        fix = "Correct the policy document by hand."
        return Verdict(False, (Problem("policy", str(error), "a well-formed policy", fix, repairable=False),))
    requests = admission_requests(place, parsed)
    effects = {decide(parsed, one.request).effect for one in requests}
    denies = [statement for statement in parsed.statements if statement.effect == "Deny"]
    found = (denied(statement, [one.request for one in requests], place) for statement in denies)
    problems = [problem for problem in found if problem]
    for admission in requests:
        if not _is_allowed(parsed, admission.request):
            problems.extend(_not_allowed(parsed, admission, requests, required, place))
    admits = True if effects == {"Allow"} else None if effects <= {"Allow", "Unknown"} else False
    return Verdict(admits, tuple(dict.fromkeys(problems)))


def admitted_home_regions(policy: str | Document | None, place: LogPlace, regions: Iterable[str]) -> list[str]:
    """Return those of the regions in which the trail may have its home and be admitted.

    The bucket is looked for before the trail's home region is known: the region of ``place`` does not count.
    A malformed policy admits none.
    """
    if not policy:
        return []
    try:
        parsed = parse_policy(policy, "resource")
    except PolicyError:
        return []
    admitted: list[str] = []
    hopeless: dict[str, bool] = {}
    for region in regions:
        partition = partition_of(region)
        there = replace(place, trail=replace(place.trail, partition=partition, region=region))
        usual = admission_requests(there)
        if partition not in hopeless:
            hopeless[partition] = not all(_may_be_allowed(parsed, one.request) for one in usual)
        if hopeless[partition] or not _are_allowed(parsed, usual):
            continue
        if _are_allowed(parsed, admission_requests(there, parsed)):
            admitted.append(region)
    return admitted


def _may_be_allowed(policy: Policy, request: Request) -> bool:
    """Leave the trail's ARN open: what is refused now is refused for every home region."""
    context = {key: value for key, value in request.context.items() if key != "aws:SourceArn"}
    return decide(policy, replace(request, context=context)).effect in ("Allow", "Unknown")


def _are_allowed(policy: Policy, requests: Iterable[AdmissionRequest]) -> bool:
    return all(decide(policy, one.request).effect == "Allow" for one in requests)


def _is_allowed(policy: Policy, request: Request) -> bool:
    allowing = Policy(policy.version, tuple(one for one in policy.statements if one.effect == "Allow"))
    return decide(allowing, request).effect == "Allow"


# --- naming the cause -----------------------------------------------------------------------------


def _not_allowed(
    policy: Policy,
    admission: AdmissionRequest,
    requests: Sequence[AdmissionRequest],
    required: Mapping[str, Document],
    place: LogPlace,
) -> list[Problem]:
    wanted = required[admission.sid]
    nearest = _nearest(policy, admission, requests, required)
    if nearest is None:
        return [absent(wanted)]
    mismatches = explain(nearest, admission.request)
    return [differs(nearest, mismatch, wanted, place) for mismatch in mismatches]


def _nearest(
    policy: Policy,
    admission: AdmissionRequest,
    requests: Sequence[AdmissionRequest],
    required: Mapping[str, Document],
) -> Statement | None:
    """Find the statement that was meant to allow the request; None when there is none.

    A statement counts for that one of the three purposes which it comes nearest to, so that the statement
    for one path is never blamed for the lack of the other; and for each purpose whose path it has.
    """
    wanted = required[admission.sid]
    candidates = []
    for statement in policy.statements:
        if statement.effect == "Allow" and _is_candidate(statement, admission):
            purpose = min(requests, key=lambda one: _distance(statement, one, required[one.sid]))
            if purpose.sid == admission.sid or _has_path(statement, wanted):
                candidates.append(statement)
    return min(candidates, key=lambda one: _distance(one, admission, wanted), default=None)


def _has_path(statement: Statement, wanted: Document) -> bool:
    """Whether one of the statement's resources has every folder of the wanted one."""
    return any(_folders(wanted["Resource"]) <= _folders(one) for one in statement.resource or ())


def _folders(resource: str) -> set[str]:
    return set(re.split("[:/]", resource))


def _is_candidate(statement: Statement, admission: AdmissionRequest) -> bool:
    elements = {mismatch.element for mismatch in explain(statement, admission.request)}
    if statement.sid == admission.sid or not elements & {"Action", "NotAction", "Principal", "NotPrincipal"}:
        return True
    return elements <= {"Principal", "NotPrincipal"} and ":cloudtrail:" in json.dumps(statement.raw)


def _distance(statement: Statement, admission: AdmissionRequest, wanted: Document) -> tuple[bool, int, int]:
    missing = _folders(wanted["Resource"]) - _folders("/".join(statement.resource or ()))
    return statement.sid != admission.sid, len(explain(statement, admission.request)), len(missing)
