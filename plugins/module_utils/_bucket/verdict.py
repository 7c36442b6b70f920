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
from .._policy.evaluation import Match, Mismatch, Policy, PolicyError, Request, Statement, explain, parse_policy
from .change import merge_policy, remove_trail, size_problem
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
    "size_problem",
]

_SPARE_SERVICES = '{"Bool": {"aws:PrincipalIsAWSService": "false"}}'


@dataclass(frozen=True)
class Problem:
    """One reason why the policy does not admit the trail.

    statement: its Sid, "statement 3", "absent", or "policy" when the whole document is malformed.
    repairable: merge_policy mends it; False for an explicit Deny, which only its owner may change.
    """

    statement: str
    found: str
    expected: str
    fix: str
    repairable: bool = True


@dataclass(frozen=True)
class Verdict:
    """admits: True, False, or None when it cannot be known; problems: why it is not True."""

    admits: bool | None
    problems: tuple[Problem, ...] = ()

    @property
    def blocking(self) -> tuple[Problem, ...]:
        """The problems that remain after merge_policy: explicit Denies, and a malformed document."""
        return tuple(problem for problem in self.problems if not problem.repairable)


def judge_policy(policy: str | Document | None, place: LogPlace) -> Verdict:
    """Say whether a bucket policy admits the trail, and name each cause when it does not.

    policy: JSON text or mapping; None for a bucket that has none. A malformed policy is a problem, not an error.
    """
    required = {one["Sid"]: one for one in required_statements(place)}
    requests = admission_requests(place)
    if not policy:
        return Verdict(False, tuple(_absent(statement) for statement in required.values()))
    try:
        parsed = parse_policy(policy, "resource")
    except PolicyError as error:
        fix = "Correct the policy document by hand."
        return Verdict(False, (Problem("policy", str(error), "a well-formed policy", fix, repairable=False),))
    decisions = [(admission, decide(parsed, admission.request)) for admission in requests]
    problems: list[Problem] = []
    for admission, decision in decisions:
        denies = [match for match in decision.statements if match.statement.effect == "Deny"]
        problems.extend(_denied(match, admission.request) for match in denies)
        if decision.effect != "Allow" and not _is_allowed(parsed, admission.request):
            problems.extend(_not_allowed(parsed, admission, requests, required))
    effects = {decision.effect for _admission, decision in decisions}
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
        requests = admission_requests(replace(place, trail=replace(place.trail, partition=partition, region=region)))
        if partition not in hopeless:
            hopeless[partition] = not all(_may_be_allowed(parsed, one.request) for one in requests)
        if not hopeless[partition] and all(decide(parsed, one.request).effect == "Allow" for one in requests):
            admitted.append(region)
    return admitted


def _may_be_allowed(policy: Policy, request: Request) -> bool:
    """Leave the trail's ARN open: what is refused now is refused for every home region."""
    context = {key: value for key, value in request.context.items() if key != "aws:SourceArn"}
    return decide(policy, replace(request, context=context)).effect in ("Allow", "Unknown")


def _is_allowed(policy: Policy, request: Request) -> bool:
    allowing = Policy(policy.version, tuple(one for one in policy.statements if one.effect == "Allow"))
    return decide(allowing, request).effect == "Allow"


# --- naming the cause -----------------------------------------------------------------------------


def _denied(match: Match, request: Request) -> Problem:
    statement = match.statement
    condition = json.dumps(statement.raw.get("Condition", {}))
    if match.doubts:
        doubts = "; ".join(f"{doubt.element}: {doubt.found}" for doubt in match.doubts)
        found = f"Deny that may apply to {request.action} by CloudTrail, Condition {condition} ({doubts})"
    else:
        found = f"Deny that applies to {request.action} by CloudTrail, Condition {condition}"
    fix = f"Let this Deny spare AWS services: add {_SPARE_SERVICES} to its Condition"
    if "s3:x-amz-server-side-encryption" in condition:
        fix += ", or remove it and set the bucket's default encryption instead"
    return Problem(statement.label, found, "a Deny that spares cloudtrail.amazonaws.com", fix + ".", repairable=False)


def _not_allowed(
    policy: Policy,
    admission: AdmissionRequest,
    requests: Sequence[AdmissionRequest],
    required: Mapping[str, Document],
) -> list[Problem]:
    wanted = required[admission.sid]
    nearest = _nearest(policy, admission, requests, required)
    if nearest is None:
        return [_absent(wanted)]
    mismatches = explain(nearest, admission.request)
    return [_differs(nearest, mismatch, wanted) for mismatch in mismatches]


def _absent(wanted: Document) -> Problem:
    expected = f"a statement that allows cloudtrail.amazonaws.com {wanted['Action']} on {wanted['Resource']}"
    return Problem("absent", f"no such statement as {wanted['Sid']}", expected, f"Add {json.dumps(wanted)}")


def _differs(statement: Statement, mismatch: Mismatch, wanted: Document) -> Problem:
    element = mismatch.element
    if element.endswith("Principal"):
        expected = json.dumps(wanted["Principal"])
    elif element.startswith("Condition "):
        expected = mismatch.found
    else:
        expected = wanted[element.removeprefix("Not")]
    if element.lower().endswith(" aws:sourcearn"):
        fix = f"Add {expected} to {element}."
    elif not mismatch.carried:
        expected = f"no condition on a key that CloudTrail's request does not carry ({expected})"
        fix = f"Remove {element}, or add {json.dumps(wanted)}"
    else:
        fix = f"Set {element} to {expected}, or add {json.dumps(wanted)}"
    return Problem(statement.label, f"{element} {mismatch.expected}", expected, fix)


def _nearest(
    policy: Policy,
    admission: AdmissionRequest,
    requests: Sequence[AdmissionRequest],
    required: Mapping[str, Document],
) -> Statement | None:
    """Find the statement that was meant to allow the request; None when there is none.

    A statement counts for that one of the three purposes which it comes nearest to, so that the statement
    for one path is never blamed for the lack of the other.
    """
    candidates = []
    for statement in policy.statements:
        if statement.effect == "Allow" and _is_candidate(statement, admission):
            purpose = min(requests, key=lambda one: _distance(statement, one, required[one.sid]))
            if purpose.sid == admission.sid:
                candidates.append(statement)
    wanted = required[admission.sid]
    return min(candidates, key=lambda one: _distance(one, admission, wanted), default=None)


def _is_candidate(statement: Statement, admission: AdmissionRequest) -> bool:
    elements = {mismatch.element for mismatch in explain(statement, admission.request)}
    if statement.sid == admission.sid or not elements & {"Action", "NotAction", "Principal", "NotPrincipal"}:
        return True
    return elements <= {"Principal", "NotPrincipal"} and ":cloudtrail:" in json.dumps(statement.raw)


def _distance(statement: Statement, admission: AdmissionRequest, wanted: Document) -> tuple[bool, int, int]:
    words = set(re.split("[:/]", " ".join(statement.resource or ()).replace(" ", "/")))
    missing = set(re.split("[:/]", wanted["Resource"])) - words
    return statement.sid != admission.sid, len(explain(statement, admission.request)), len(missing)
