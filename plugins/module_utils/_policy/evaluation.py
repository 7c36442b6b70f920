# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judge one IAM policy document: does it allow, deny, or leave open a request.

The rules are those of the IAM user guide, pages reference_policies_*
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html).
Every comparison has three answers: True, False, and None for "cannot be known from here".
None never becomes Allow.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Literal

from .document import Policy, PolicyError, Statement, parse_policy
from .operators import (
    OPERATORS,
    SHIELD,
    WITH_VARIABLES,
    Compare,
    any_of,
    arn_parts,
    glob,
    like,
    negation,
    same_bool,
)

__all__ = [
    "Decision",
    "Match",
    "Mismatch",
    "Policy",
    "PolicyError",
    "Request",
    "Statement",
    "evaluate",
    "explain",
    "parse_policy",
    "resource_patterns",
]

Effect = Literal["Allow", "Deny", "ImplicitDeny", "Unknown"]
_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_VARIABLE_BODY = re.compile(r"\s*([^,\s']+)\s*(?:,\s*'([^']*)'\s*)?")


@dataclass(frozen=True)
class Request:
    """One request to be judged.

    principal: {"Service": name} or {"AWS": ARN}; a CanonicalUser may stand beside AWS.
    context: condition keys (any case) and their values; None means: known to be absent, and a key
        that ends in "/*" with None stands for all keys below it.
    complete: True when every key that is not in the context is absent; False when it may be there.
    """

    action: str
    resource: str
    principal: Mapping[str, str]
    context: Mapping[str, str | Sequence[str] | None] = field(default_factory=dict)
    complete: bool = True

    @cached_property
    def _known(self) -> dict[str, tuple[str, ...]]:
        return {
            key.lower(): () if value is None else (value,) if isinstance(value, str) else tuple(value)
            for key, value in self.context.items()
        }

    def values(self, key: str) -> tuple[str, ...] | None:
        """Return the values of a condition key; () when it is absent, None when that is not known."""
        name = key.lower()
        if name in self._known:
            return self._known[name]
        if self.complete or name.partition("/")[0] + "/*" in self._known:
            return ()
        return None


@dataclass(frozen=True)
class Mismatch:
    """One element that kept a statement from matching.

    known: False when it may match after all. carried: False for a condition on a key that the request does not carry,
    None where nobody knows whether it does, or with which value.
    """

    element: str
    expected: str
    found: str
    known: bool = True
    carried: bool | None = True


@dataclass(frozen=True)
class Match:
    """A statement that decided; `doubts` names the elements whose outcome is not known."""

    statement: Statement
    doubts: tuple[Mismatch, ...] = ()


@dataclass(frozen=True)
class Decision:
    """What the policy says of a request, and the statements that decided it."""

    effect: Effect
    statements: tuple[Match, ...] = ()


_PRECEDENCE: tuple[tuple[tuple[str, bool], Effect], ...] = (
    (("Deny", True), "Deny"),
    (("Deny", False), "Unknown"),
    (("Allow", True), "Allow"),
    (("Allow", False), "Unknown"),
)


def evaluate(policy: Policy, request: Request, *, identity_policy: bool = False) -> Decision:
    """Decide a request by one policy: explicit Deny first, then Allow, otherwise ImplicitDeny.

    identity_policy: the policy belongs to the caller (or is an SCP), so Principal plays no part.
    A Deny that may apply makes the answer Unknown whatever the rest says, so that no other policy's
    Allow can override it. Source: reference_policies_evaluation-logic.html.
    """
    found: dict[tuple[str, bool], list[Match]] = {}
    for statement in policy.statements:
        doubts = _doubts(statement, request, identity_policy)
        if doubts is not None:
            found.setdefault((statement.effect, not doubts), []).append(Match(statement, doubts))
    for key, effect in _PRECEDENCE:
        if key in found:
            return Decision(effect, tuple(found[key]))
    return Decision("ImplicitDeny")


def explain(statement: Statement, request: Request, *, identity_policy: bool = False) -> list[Mismatch]:
    """Return every element and condition that keeps, or may keep, a statement from matching a request."""
    return list(_mismatches(statement, request, identity_policy))


def resource_patterns(statement: Statement, request: Request) -> tuple[str, ...]:
    """The values of Resource or NotResource with the policy variables of a request resolved.

    Where the value of a variable is not known, * stands for it.
    """
    resolved = [(one, _resolve(one, request, statement.variables)) for one in statement.resource or ("*",)]
    return tuple(
        _VARIABLE.sub("*", text) if value is None else value for text, value in resolved if not isinstance(value, bool)
    )


def _doubts(statement: Statement, request: Request, identity_policy: bool) -> tuple[Mismatch, ...] | None:
    """Return what is not known about a match; () when it matches for certain, None when it does not."""
    doubts = []
    for mismatch in _mismatches(statement, request, identity_policy):
        if mismatch.known:
            return None
        doubts.append(mismatch)
    return tuple(doubts)


# --- matching a statement -------------------------------------------------------------------------


def _mismatches(statement: Statement, request: Request, identity_policy: bool) -> Iterator[Mismatch]:
    outcome: bool | None = _names_action(statement.action, request.action)
    yield from _report(statement, "Action", outcome, statement.action, request.action)
    if statement.resource is not None:
        negated = "Resource" in statement.negated
        outcome = _compare_all(like, statement.resource, request.resource, request, statement.variables, negated)
        yield from _report(statement, "Resource", outcome, statement.resource, request.resource)
    if not identity_policy:
        yield from _principal_mismatches(statement, request)
    for name, key, wanted in statement.conditions:
        if (outcome := _condition(name, key, wanted, statement.variables, request)) is not True:
            found = request.values(key)
            text = "not known" if found is None else ", ".join(found) or "absent"
            carried = None if found is None else bool(found)
            yield Mismatch(f"Condition {name} {key}", " or ".join(wanted), text, outcome is False, carried)


@lru_cache(maxsize=4096)
def _names_action(patterns: tuple[str, ...], action: str) -> bool:
    """Compare an action with the patterns of a statement; case plays no part."""
    return any(glob(pattern.lower()).fullmatch(action.lower()) for pattern in patterns)


def _report(
    statement: Statement, element: str, outcome: bool | None, wanted: Sequence[str], found: str
) -> Iterator[Mismatch]:
    name = f"Not{element}" if element in statement.negated else element
    if name != element:
        outcome = negation(outcome)
    if outcome is not True:
        yield Mismatch(name, " or ".join(wanted), found, outcome is False)


def _principal_mismatches(statement: Statement, request: Request) -> Iterator[Mismatch]:
    found = ", ".join(f"{kind} {value}" for kind, value in request.principal.items())
    if statement.principal is None:
        yield Mismatch("Principal", "a Principal", "absent")
        return
    wanted = [f"{kind} {value}" for kind, value in statement.principal]
    if "Principal" not in statement.negated:
        outcome = any_of(_is_principal(kind, value, request.principal) for kind, value in statement.principal)
        yield from _report(statement, "Principal", outcome, wanted, found)
    elif statement.effect == "Allow":
        # reference_policies_elements_notprincipal.html: with Allow it "is not supported".
        yield Mismatch("NotPrincipal", "Effect Deny beside NotPrincipal", "Effect Allow", known=False)
    else:
        yield from _report(statement, "Principal", _is_spared(statement.principal, request.principal), wanted, found)


def _is_principal(kind: str, value: str, principal: Mapping[str, str]) -> bool | None:
    """Compare one value of Principal; '*' and {"AWS": "*"} name everyone, AWS services included."""
    if value == "*":
        return True if kind == "AWS" else None
    if kind == "AWS":
        return "AWS" in principal and _named(value, principal["AWS"]) is not None
    if kind == "CanonicalUser" and kind not in principal and "AWS" in principal:
        return None
    return principal.get(kind) == value


def _named(value: str, arn: str) -> Literal["self", "role", "account"] | None:
    """Tell what an AWS principal in a policy names of the caller: itself, the role of its session, its account."""
    if value == arn:
        return "self"
    _arn, partition, _service, _region, account, name = arn_parts(arn) or ("", "", "", "", arn, "")
    if value == account or re.fullmatch(rf"arn:[\w-]+:iam::{re.escape(account)}:root", value):
        return "account"
    kind, _slash, rest = name.partition("/")
    role = rest.partition("/")[0]
    prefix = f"arn:{partition}:iam::{account}:role/"
    # A session's ARN has no role path, and role names are unique in an account.
    if kind == "assumed-role" and value.startswith(prefix) and value.rpartition("/")[2] == role:
        return "role"
    return None


def _is_spared(values: Iterable[tuple[str, str]], principal: Mapping[str, str]) -> bool | None:
    """Tell whether NotPrincipal spares the caller.

    For sure only when caller, its role and its account are all named; when only some are, the page on
    NotPrincipal says AWS "might" deny.
    """
    arn = principal.get("AWS")
    if arn is None or ("AWS", "*") in values:
        return any_of(_is_principal(kind, value, principal) for kind, value in values)
    named = {_named(value, arn) for kind, value in values if kind == "AWS"} - {None}
    if arn.isdigit() or arn.endswith(":root"):
        return bool(named)
    if not named:
        return False
    return named >= {"self", "account"} | ({"role"} if ":assumed-role/" in arn else set()) or None


# --- patterns and variables -----------------------------------------------------------------------


def _resolve(text: str, request: Request, variables: bool) -> str | bool | None:
    """Put values in the place of policy variables, so shielded that their * and ? are no wildcards.

    Returns False when a variable has neither value nor default, None when that is not known.
    Source: reference_policies_variables.html. Version 2008-10-17 has no variables.
    """
    if not variables or "${" not in text:
        return text
    missing: list[bool | None] = []

    def value_of(match: re.Match[str]) -> str:
        body = _VARIABLE_BODY.fullmatch(match[1])
        if body is None:
            missing.append(None)
            return ""
        if body[1] in ("*", "?", "$"):
            return body[1].translate(SHIELD)
        values = request.values(body[1])
        if values is not None and len(values) == 1:
            return values[0].translate(SHIELD)
        if values == () and body[2] is not None:
            return body[2].translate(SHIELD)
        missing.append(False if values == () else None)
        return ""

    resolved = _VARIABLE.sub(value_of, text)
    if missing:
        return None if None in missing else False
    return resolved


def _compare_all(
    test: Compare, wanted: Iterable[str], found: str, request: Request, variables: bool, negated: bool
) -> bool | None:
    """Tell whether any of the wanted values fits; what cannot be resolved fits nothing, and negated is in doubt."""
    outcomes: list[bool | None] = []
    for text in wanted:
        resolved = _resolve(text, request, variables)
        if isinstance(resolved, str):
            outcomes.append(test(resolved, found))
        else:
            outcomes.append(None if negated else resolved)
    return any_of(outcomes)


# --- conditions -----------------------------------------------------------------------------------


def _condition(name: str, key: str, wanted: tuple[str, ...], variables: bool, request: Request) -> bool | None:
    """Evaluate one operator with one key. Source: reference_policies_elements_condition_operators.html."""
    quantifier, _colon, base = name.lower().rpartition(":")
    if_exists = base.endswith("ifexists")
    base = base.removesuffix("ifexists")
    found = request.values(key)
    if found is None or quantifier not in ("", "forallvalues", "foranyvalue"):
        return None
    # Set operators and Null take a key with nothing but empty texts for one without a value.
    values = found if any(found) or not (quantifier or base == "null") else ()
    if base == "null":
        return None if quantifier or if_exists else any_of(same_bool(one, str(not values).lower()) for one in wanted)
    if base not in OPERATORS:
        return None
    test, negated = OPERATORS[base]
    if not values:
        return (if_exists and not found) or quantifier == "forallvalues" or (negated and not quantifier)
    outcomes = [
        _compare_all(test, wanted, value, request, variables and test in WITH_VARIABLES, negated) for value in values
    ]
    if negated:
        outcomes = [negation(outcome) for outcome in outcomes]
    some, every = any_of(outcomes), negation(any_of(negation(outcome) for outcome in outcomes))
    if quantifier:
        return some if quantifier == "foranyvalue" else every
    return some if len(values) == 1 else None  # several values "require a condition set operator"
