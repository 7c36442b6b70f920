# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read one IAM policy document and refuse a malformed one.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html and
access-analyzer-reference-policy-checks.html.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["any", "resource", "identity", "trust"]

_POLICY_ELEMENTS = {"Version", "Id", "Statement"}
_STATEMENT_ELEMENTS = {"Sid", "Effect", "Condition"} | {
    prefix + name for name in ("Principal", "Action", "Resource") for prefix in ("", "Not")
}
_PRINCIPAL_KINDS = {"AWS", "Service", "Federated", "CanonicalUser"}
_AWS_PRINCIPAL = re.compile(r"\*|\d{12}|arn:[\w-]+:(iam|sts)::[\w-]*:[^*?]+|A[A-Z0-9]{15,}")


Document = dict[str, Any]
"""A policy document, or a part of one, as JSON holds it."""


class PolicyError(ValueError):
    """The policy document is malformed; the text is one sentence that says where and how."""


@dataclass(frozen=True)
class Statement:
    """One checked statement; `raw` is the statement as it was written."""

    index: int
    sid: str
    effect: Literal["Allow", "Deny"]
    principal: tuple[tuple[str, str], ...] | None
    action: tuple[str, ...]
    resource: tuple[str, ...] | None
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...]
    negated: frozenset[str]  # those of Principal, Action, Resource that are written Not…
    variables: bool
    raw: Mapping[str, object]

    @property
    def label(self) -> str:
        """How to name the statement to a reader: its Sid, or its place in the policy."""
        return self.sid or f"statement {self.index + 1}"


@dataclass(frozen=True)
class Policy:
    """A checked policy document."""

    version: str
    statements: tuple[Statement, ...]


def parse_policy(document: str | Mapping[str, object], kind: Kind = "any") -> Policy:
    """Check a policy document (JSON text or the mapping it stands for) and make it ready to be evaluated.

    kind: "resource" demands a Principal, "identity" forbids it (SCPs too), "trust" forbids Resource;
        "any" takes a statement with or without Principal, and without Resource where all actions are sts:*.
    Raises PolicyError.
    """
    policy = _load(document) if isinstance(document, str) else document
    if not isinstance(policy, Mapping):
        raise PolicyError("The policy is not a JSON object.")
    _refuse_unknown(policy, _POLICY_ELEMENTS, "The policy")
    version = policy.get("Version", "2008-10-17")
    if version not in ("2008-10-17", "2012-10-17"):
        raise PolicyError(f"The policy has Version {version!r}; expected '2012-10-17' or '2008-10-17'.")
    statements = policy.get("Statement")
    if isinstance(statements, Mapping):
        statements = [statements]
    if not isinstance(statements, list) or not statements:
        raise PolicyError("The policy has no Statement; expected a list of at least one.")
    return Policy(version, tuple(_parse_statement(i, s, version, kind) for i, s in enumerate(statements)))


def _load(text: str) -> object:
    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        result = dict(pairs)
        if len(result) != len(pairs):
            names = [name for name, _value in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise PolicyError(f"The policy is ambiguous: the key {twice!r} stands twice in one object.")
        return result

    try:
        return json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        raise PolicyError(f"The policy is not JSON: {error}.") from None


def _refuse_unknown(element: Mapping[str, object], allowed: set[str], where: str) -> None:
    for name in element:
        if name not in allowed:
            raise PolicyError(f"{where} has an unknown element {name!r}; expected one of {', '.join(sorted(allowed))}.")


def _parse_statement(index: int, raw: object, version: str, kind: Kind) -> Statement:
    if not isinstance(raw, Mapping):
        raise PolicyError(f"Statement {index + 1} is not a JSON object.")
    sid = raw.get("Sid", "")
    where = f"Statement {index + 1} ({sid})" if sid else f"Statement {index + 1}"
    _refuse_unknown(raw, _STATEMENT_ELEMENTS, where)
    effect = raw.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise PolicyError(f"{where} has Effect {effect!r}; expected 'Allow' or 'Deny'.")
    action = _strings(_element(raw, "Action", where, required=True), f"{where}, Action")
    for name in action:
        if name != "*" and not re.fullmatch(r"[^:\s]+:\S+", name):
            raise PolicyError(f"{where} has Action {name!r}; expected 'service:Name' or '*'.")
    without_resource = kind == "trust" or (kind == "any" and all(name.lower().startswith("sts:") for name in action))
    resource = _element(raw, "Resource", where, required=not without_resource)
    principal = _element(raw, "Principal", where, required=kind in ("resource", "trust"))
    if principal is not None and kind == "identity":
        raise PolicyError(f"{where} has a Principal; an identity policy has none.")
    return Statement(
        index=index,
        sid=sid,
        effect=effect,
        principal=None if principal is None else _parse_principal(principal, where),
        action=action,
        resource=None if resource is None else _strings(resource, f"{where}, Resource"),
        conditions=tuple(_parse_conditions(raw.get("Condition", {}), where)),
        negated=frozenset(name for name in ("Principal", "Action", "Resource") if f"Not{name}" in raw),
        variables=version == "2012-10-17",
        raw=raw,
    )


def _element(raw: Mapping[str, object], name: str, where: str, *, required: bool) -> object:
    if name in raw and f"Not{name}" in raw:
        raise PolicyError(f"{where} has both {name} and Not{name}; expected one of them.")
    value = raw.get(name, raw.get(f"Not{name}"))
    if value is None and required:
        raise PolicyError(f"{where} has neither {name} nor Not{name}; expected one of them.")
    return value


def _strings(value: object, where: str) -> tuple[str, ...]:
    values = value if isinstance(value, list | tuple) else [value]
    if not values or not all(isinstance(one, str) and one for one in values):
        raise PolicyError(f"{where} is {value!r}; expected text or a list of texts.")
    return tuple(values)


def _parse_principal(value: object, where: str) -> tuple[tuple[str, str], ...]:
    if value == "*":
        return (("AWS", "*"),)
    if not isinstance(value, Mapping) or not value:
        raise PolicyError(f"{where} has Principal {value!r}; expected '*' or an object such as {{'AWS': '*'}}.")
    _refuse_unknown(value, _PRINCIPAL_KINDS, f"{where}, Principal")
    pairs = tuple((kind, one) for kind, some in value.items() for one in _strings(some, f"{where}, Principal"))
    for kind, one in pairs:
        if kind == "AWS" and not _AWS_PRINCIPAL.fullmatch(one):
            raise PolicyError(f"{where} has the AWS principal {one!r}; expected '*', an account id or a full ARN.")
    return pairs


def _parse_conditions(block: object, where: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    if not isinstance(block, Mapping) or not all(isinstance(keys, Mapping) for keys in block.values()):
        raise PolicyError(f"{where} has a Condition that is not of the form {{operator: {{key: values}}}}.")
    for name, keys in block.items():
        for key, value in keys.items():
            values = value if isinstance(value, list | tuple) else [value]
            if not all(isinstance(one, str | int | float) for one in values):
                raise PolicyError(f"{where}, Condition {name} {key} is {value!r}; expected text or a list of texts.")
            yield name, key, tuple(str(one).lower() if isinstance(one, bool) else str(one) for one in values)
