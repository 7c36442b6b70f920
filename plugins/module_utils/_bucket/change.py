# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Change a bucket policy for one trail: add what the trail lacks, or take away what is its own."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence

from .._aws.arn import CLOUDTRAIL
from .._aws.log_place import LogPlace
from .._policy.document import Document
from .._policy.evaluation import Policy, Statement, explain, parse_policy
from .statements import AdmissionRequest, admission_requests, decide, required_statements

_SOURCE_ARN = "aws:sourcearn"
_POSITIVE = {"stringequals", "stringlike", "arnequals", "arnlike"}


def merge_policy(policy: Document | None, place: LogPlace) -> Document:
    """Return the policy with what the trail lacks added; the given one stays as it is.

    A statement that lacks nothing but the trail's ARN in aws:SourceArn gets it; everything else is added
    at the end, under AWS's Sid, or a Sid of its own where that is taken. No other statement changes.
    Explicit Deny is not looked at. Raises PolicyError for a malformed policy.
    """
    merged = _copy(policy)
    for statement in required_statements(place):
        if not merged["Statement"]:
            merged["Statement"].append(statement)
            continue
        parsed = parse_policy(merged, "resource")
        own = [one for one in admission_requests(place, parsed) if one.sid == statement["Sid"]]
        if _allows(parsed, own):
            continue
        narrow = next((one for one in parsed.statements if _lacks_only_the_arn(one, own)), None)
        if narrow is not None:
            _widen(merged["Statement"][narrow.index], str(place.trail))
        else:
            statement["Sid"] = _free_sid(statement["Sid"], parsed)
            merged["Statement"].append(statement)
    return merged


def remove_trail(policy: Document, place: LogPlace) -> Document | None:
    """Return the policy without what belongs to this trail alone; None when no statement remains.

    A statement is the trail's when it allows CloudTrail nothing but the required actions and resources
    and names the trail in aws:SourceArn. Where it names other trails too, only this name goes. A statement
    without aws:SourceArn, or with a pattern in it, may serve another trail and stays.
    """
    remaining = _copy(policy)
    required = required_statements(place)
    remaining["Statement"] = [
        statement
        for statement in remaining["Statement"]
        if not _is_of_trail(statement, required) or _narrow(statement, str(place.trail))
    ]
    return remaining if remaining["Statement"] else None


def _copy(policy: Document | None) -> Document:
    """Copy the policy with its Statement as a list (AWS takes a lone one without it)."""
    result: Document = copy.deepcopy(dict(policy)) if policy else {"Version": "2012-10-17", "Statement": []}
    if isinstance(result.get("Statement"), Mapping):
        result["Statement"] = [result["Statement"]]
    if result.get("Statement") or policy:
        parse_policy(result, "resource")
    return result


def _allows(policy: Policy, requests: Sequence[AdmissionRequest]) -> bool:
    allowing = Policy(policy.version, tuple(one for one in policy.statements if one.effect == "Allow"))
    return all(decide(allowing, admission.request).effect == "Allow" for admission in requests)


def _lacks_only_the_arn(statement: Statement, requests: Sequence[AdmissionRequest]) -> bool:
    if statement.effect != "Allow":
        return False
    lacking = {mismatch.element.lower() for one in requests for mismatch in explain(statement, one.request)}
    return bool(lacking) and lacking <= {f"condition {operator} {_SOURCE_ARN}" for operator in _POSITIVE}


def _source_arns(statement: Document) -> Iterator[tuple[Document, str, list[str]]]:
    """Find the aws:SourceArn conditions: the block they are in, the key as it is spelt, the values."""
    for operator, keys in statement.get("Condition", {}).items():
        for key, value in keys.items():
            if operator.lower() in _POSITIVE and key.lower() == _SOURCE_ARN:
                yield keys, key, [value] if isinstance(value, str) else list(value)


def _widen(statement: Document, trail_arn: str) -> None:
    for keys, key, values in list(_source_arns(statement)):
        if trail_arn not in values:
            keys[key] = [*values, trail_arn]


def _narrow(statement: Document, trail_arn: str) -> bool:
    """Take the trail out of aws:SourceArn; False when nothing is left that the statement would serve."""
    for keys, key, values in list(_source_arns(statement)):
        if trail_arn in values:
            others = [value for value in values if value != trail_arn]
            if not others:
                return False
            keys[key] = others[0] if len(others) == 1 else others
    return True


def _is_of_trail(statement: Document, required: Sequence[Document]) -> bool:
    return (
        statement["Effect"] == "Allow"
        and statement.get("Principal") in ({"Service": CLOUDTRAIL}, {"Service": [CLOUDTRAIL]})
        and _listed(statement.get("Action")) <= {one["Action"] for one in required}
        and _listed(statement.get("Resource")) <= {one["Resource"] for one in required}
    )


def _listed(value: str | Sequence[str] | None) -> set[str]:
    return {value} if isinstance(value, str) else set(value or ["absent"])


def _free_sid(sid: str, policy: Policy) -> str:
    taken = {statement.sid for statement in policy.statements}
    if sid not in taken:
        return sid
    return next(name for number in range(2, len(taken) + 3) if (name := f"{sid}Trail{number}") not in taken)
