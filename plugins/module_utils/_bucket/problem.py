# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One reason why a bucket's policy does not admit the trail, in words, with a remedy that takes nothing from others.

The remedy for a Deny is tried before it is told: only what lets the trail in is advised, and the narrowest of it.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from .._aws.arn import CLOUDTRAIL, is_key_arn
from .._aws.log_place import LogPlace
from .._policy.document import Document
from .._policy.evaluation import Mismatch, Policy, Request, Statement, explain, parse_policy
from .statements import SSE, SSE_KEY, admission_requests, decide

_SPARE_SERVICES = {"Bool": {"aws:PrincipalIsAWSService": "false"}}
_SOME_KEY = "arn:aws:kms:us-east-1:000000000000:key/any"
_NEGATIVE = re.compile(r"(string|arn)not(equals|like)(ignorecase)?(ifexists)?", re.IGNORECASE)
_POSITIVE = re.compile(r"(string|arn)(equals|like)(ignorecase)?(ifexists)?", re.IGNORECASE)
_TIMES = ("aws:currenttime", "aws:epochtime")
# The accounts in which CloudTrail wrote before it had a service principal (2015), as they stand in AWS's policies of
# 2013 (Sid AWSCloudTrailWrite20131101).
_FORMER_ACCOUNTS = re.compile(
    "035351147821|086441151436|113285607260|216624486486|284668455005|388731089494|814480443879|859597730677|903692715234"
)


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

    def __str__(self) -> str:
        """What is wrong, without the remedy."""
        return f"{self.statement}: found {self.found.rstrip('.')}, expected {self.expected}"


# --- a Deny ---------------------------------------------------------------------------------------


def denied(statement: Statement, requests: Sequence[Request], place: LogPlace) -> Problem | None:
    """The problem with a Deny: which of the requests it refuses, or may refuse, and how to let them through."""
    effects = [(request, _effect(statement, request)) for request in requests]
    refused = [request for request, effect in effects if effect == "Deny"]
    doubtful = [request for request, effect in effects if effect == "Unknown"]
    if not (refused or doubtful):
        return None
    applies = "applies" if refused else "may apply"
    what = " and ".join(_named(refused or doubtful, requests))
    told = [f"{name} {json.dumps(statement.raw[name])}" for name in _told_elements(statement)]
    told += [] if refused else [_doubts(statement, doubtful[0])]
    found = f"Deny that {applies} to {what} by CloudTrail, {', '.join(told) or 'without a Condition'}"
    fix = _remedy(statement, [*refused, *doubtful], place)
    return Problem(statement.label, found, f"a Deny that spares {CLOUDTRAIL}", fix, repairable=False)


def _effect(statement: Statement, request: Request) -> str:
    return decide(Policy("", (statement,)), request).effect


def _named(refused: Sequence[Request], requests: Sequence[Request]) -> Iterator[str]:
    """The actions, and where only some objects are meant, one of them."""
    for action in dict.fromkeys(request.action for request in refused):
        same = [request for request in refused if request.action == action]
        all_of_them = len(same) == sum(request.action == action for request in requests)
        yield action if all_of_them else f"{action} of objects such as {same[0].resource.partition('/')[2]}"


def _told_elements(statement: Statement) -> Iterator[str]:
    """The elements of a Deny that tell whom and what it is for."""
    yield from (f"Not{name}" for name in ("Principal", "Action", "Resource") if name in statement.negated)
    yield from (name for name in ("Condition",) if statement.raw.get(name))


def _doubts(statement: Statement, request: Request) -> str:
    def doubt(mismatch: Mismatch) -> str:
        if mismatch.element.lower().endswith(_TIMES):
            return f"{mismatch.element}: that changes within a year"
        unknown = "AWS does not say whether CloudTrail's request fits"
        return f"{mismatch.element}: {unknown if mismatch.carried is None else mismatch.found}"

    return "(" + "; ".join(doubt(one) for one in explain(statement, request) if not one.known) + ")"


def _remedy(statement: Statement, refused: Sequence[Request], place: LogPlace) -> str:
    """The first of the remedies that lets the requests through; those that keep what the Deny guards come first."""
    advice = []
    if key := _key_that_helps(statement, refused, place):
        named = "a KMS key" if key == _SOME_KEY else f"the KMS key {key}"
        instead = f" instead of {place.kms_key_arn}" if place.kms_key_arn else ""
        advice.append(f"give the trail {named}{instead} (organization_trail_kms_key_id, here kms_key_id)")
    advice += [text for text, changed in _changes(statement, place) if _lets_through(changed, refused)][:1]
    text = ", or ".join(advice) or "let its owner change or remove this Deny, which is for CloudTrail"
    return f"{text[0].upper()}{text[1:]}."


def _lets_through(changed: Document, requests: Sequence[Request]) -> bool:
    policy = parse_policy({"Version": "2012-10-17", "Statement": [changed]}, "resource")
    return all(decide(policy, request).effect == "ImplicitDeny" for request in requests)


def _changes(statement: Statement, place: LogPlace) -> Iterator[tuple[str, Document]]:
    """Ways to change a Deny, each as a sentence and as the changed statement."""
    raw: Document = copy.deepcopy(dict(statement.raw))
    if "Principal" in statement.negated:
        named = raw["NotPrincipal"] if isinstance(raw["NotPrincipal"], dict) else {"AWS": raw["NotPrincipal"]}
        services = named.get("Service", [])
        services = [services] if isinstance(services, str) else services
        spared = {**raw, "NotPrincipal": {**named, "Service": [*services, CLOUDTRAIL]}}
        yield f'add {{"Service": "{CLOUDTRAIL}"}} to NotPrincipal', spared
    ours = {
        "aws:SourceAccount": place.trail.account_id,
        "aws:SourceOrgID": place.organization_id,
        "aws:SourceArn": str(place.trail),
        SSE_KEY: place.kms_key_arn or "",
    }
    if added := _with_values(statement, ours):
        yield _sentence(added[0]), added[1]
    condition = raw.get("Condition", {})
    if not re.search(r'"aws:principalisawsservice"', json.dumps(condition), re.IGNORECASE):
        spared = {**raw, "Condition": {**condition, "Bool": {**condition.get("Bool", {}), **_SPARE_SERVICES["Bool"]}}}
        yield f"let this Deny spare AWS services: add {json.dumps(_SPARE_SERVICES)} to its Condition", spared


def _with_values(statement: Statement, ours: dict[str, str]) -> tuple[list[tuple[str, str, str]], Document] | None:
    """The statement with our values among those that its conditions spare; and which was added where."""
    raw: Document = copy.deepcopy(dict(statement.raw))
    known = {key.lower(): value for key, value in ours.items() if value}
    added = []
    for operator, keys in raw.get("Condition", {}).items():
        for key, values in keys.items():
            value = known.get(key.lower())
            listed = values if isinstance(values, list) else [values]
            if value and value not in listed and _NEGATIVE.fullmatch(operator):
                keys[key] = [*listed, value]
                added.append((value, operator, key))
    return (added, raw) if added else None


def _sentence(added: Sequence[tuple[str, str, str]]) -> str:
    return " and ".join(f"add {value} to Condition {operator} {key}" for value, operator, key in added)


def _key_that_helps(statement: Statement, refused: Sequence[Request], place: LogPlace) -> str | None:
    """A key with which the trail would be let through: one that the Deny names, or any."""
    named = [value for _name, key, values in statement.conditions if key.lower() == SSE_KEY for value in values]
    keys = [value for value in named if is_key_arn(value) and not set(value) & set("*?$")] or [_SOME_KEY]
    if SSE not in json.dumps(statement.raw).lower():
        return None
    for key in keys:
        contexts = {
            one.request.action: one.request.context for one in admission_requests(replace(place, kms_key_arn=key))
        }
        with_key = [replace(request, context=contexts[request.action]) for request in refused]
        if all(_effect(statement, request) == "ImplicitDeny" for request in with_key):
            return key
    return None


# --- no Allow -------------------------------------------------------------------------------------


def absent(wanted: Document) -> Problem:
    """The problem that no statement was meant to be the wanted one."""
    expected = f"a statement that allows {CLOUDTRAIL} {wanted['Action']} on {wanted['Resource']}"
    return Problem("absent", f"no such statement as {wanted['Sid']}", expected, f"Add {json.dumps(wanted)}")


def differs(statement: Statement, mismatch: Mismatch, wanted: Document, place: LogPlace) -> Problem:
    """The problem that a statement, meant to be the wanted one, differs in one element: what to add to it."""
    element, add = mismatch.element, f"add {json.dumps(wanted)}"
    found, expected = f"{element} {mismatch.expected}", mismatch.found
    addition = None
    if element.startswith("Condition "):
        operator = element.split(" ")[1]
        if not mismatch.carried:
            carried = (
                "of which AWS does not say whether CloudTrail's request fits it"
                if mismatch.carried is None
                else "on a key that CloudTrail's request does not carry"
            )
            expected = f"no condition {carried} ({mismatch.found})"
        elif _POSITIVE.fullmatch(operator):
            addition = f"Add {mismatch.found} to {element}"
            if "equals" in operator.lower() and operator.lower().startswith("string") and "*" in mismatch.expected:
                found += f" (under {operator} a * is no wildcard)"
    elif element.endswith("Principal"):
        expected = json.dumps(wanted["Principal"])
        addition = f"Add {expected} to Principal" if element == "Principal" else None
        if _FORMER_ACCOUNTS.search(mismatch.expected):
            found += " (the accounts from which CloudTrail wrote before 2015)"
    else:
        expected = wanted[element.removeprefix("Not")]
        if not element.startswith("Not"):
            addition = f"Add {expected} to {element}"
    if element == "Resource" and (prefix := _prefix_of(statement, place)) is not None:
        name = f"the prefix {prefix!r}" if prefix else "no prefix"
        found += f" (the statement is for {name})"
        addition = f"Set organization_trail_s3_key_prefix (here s3_key_prefix) to {prefix!r}"
    if element.lower().endswith(" aws:sourcearn") and addition:
        fix = f"{addition}."
    else:
        fix = f"{addition}, or {add}" if addition else f"A{add[1:]}"
    return Problem(statement.label, found, expected, fix)


def _prefix_of(statement: Statement, place: LogPlace) -> str | None:
    """The prefix that a statement for this bucket and organization has instead of the trail's."""
    owner = f"{re.escape(place.organization_id)}|{place.trail.account_id}"
    form = re.compile(rf"{re.escape(place.bucket_arn)}/(?:(.+)/)?AWSLogs/(?:{owner})/\*")
    found = [match[1] or "" for one in statement.resource or () if (match := form.fullmatch(one))]
    return found[0] if found and place.prefix not in found else None
