# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The condition operators of IAM policies as plain comparisons of two texts, and three-valued logic.

A comparison answers True, False, or None for "cannot be known" (a value is not of the operator's type).
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import base64
import ipaddress
import operator
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

Compare = Callable[[str, str], "bool | None"]  # in quotes for pylint

# Inside a resolved pattern these two stand for a literal * and ?, which a variable brought in.
_STAR, _MARK = "\ue000", "\ue001"
SHIELD = str.maketrans({"*": _STAR, "?": _MARK})
UNSHIELD = str.maketrans({_STAR: "*", _MARK: "?"})


def any_of(outcomes: Iterable[bool | None]) -> bool | None:
    """Three-valued "or": True when one is, None when none is but one is not known."""
    result: bool | None = False
    for outcome in outcomes:
        if outcome:
            return True
        if outcome is None:
            result = None
    return result


def negation(outcome: bool | None) -> bool | None:
    """Three-valued "not": what is not known stays not known."""
    return None if outcome is None else not outcome


@lru_cache(maxsize=4096)
def glob(pattern: str) -> re.Pattern[str]:
    """Compile a text in which * and ? are wildcards.

    Atomic groups take the first place where each part fits, so no pattern takes more than quadratic time.
    """
    special = {"?": ".", _STAR: r"\*", _MARK: r"\?"}
    first, *rest = ["".join(special.get(char) or re.escape(char) for char in part) for part in pattern.split("*")]
    if rest:
        first += "".join(f"(?>.*?{part})" for part in rest[:-1] if part) + ".*" + rest[-1]
    return re.compile(first, re.DOTALL)


def _equals(wanted: str, found: str) -> bool:
    return wanted.translate(UNSHIELD) == found


def _equals_ignoring_case(wanted: str, found: str) -> bool:
    return wanted.translate(UNSHIELD).lower() == found.lower()


def like(wanted: str, found: str) -> bool:
    """Compare with * and ? as wildcards, in the case as written (StringLike, Resource)."""
    return glob(wanted).fullmatch(found) is not None


def arn_parts(arn: str) -> list[str] | None:
    """Split an ARN into its six parts; None when it has fewer."""
    parts = arn.split(":", 5)
    return parts if len(parts) == 6 else None


def _arn_like(wanted: str, found: str) -> bool | None:
    """Compare the six parts of an ARN one by one; ArnEquals and ArnLike behave the same."""
    pattern, parts = arn_parts(wanted), arn_parts(found)
    if pattern is None or parts is None:
        return None
    return all(like(one, other) for one, other in zip(pattern, parts, strict=True))


def same_bool(wanted: str, found: str) -> bool | None:
    """Compare true and false in any case; None when the policy wants neither."""
    return wanted.lower() == found.lower() if wanted.lower() in ("true", "false") else None


def _binary(wanted: str, found: str) -> bool | None:
    try:
        return base64.b64decode(wanted, validate=True) == base64.b64decode(found, validate=True)
    except ValueError:
        return None


def _ip_address(wanted: str, found: str) -> bool | None:
    try:
        return ipaddress.ip_address(found) in ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return None


def _number(text: str) -> Decimal:
    number = Decimal(text)
    if not number.is_finite():
        raise ValueError(text)
    return number


def _date(text: str) -> Decimal:
    """Read an ISO 8601 date or a Unix time as seconds since 1970."""
    try:
        return _number(text)
    except (InvalidOperation, ValueError):
        moment = datetime.fromisoformat(text)
        return Decimal((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _ordered(read: Callable[[str], Decimal], relation: Callable[[Any, Any], bool]) -> Compare:
    def compare(wanted: str, found: str) -> bool | None:
        try:
            return relation(read(found), read(wanted))
        except (InvalidOperation, ValueError):
            return None

    return compare


WITH_VARIABLES = {_equals, _equals_ignoring_case, like, _arn_like}
OPERATORS: dict[str, tuple[Compare, bool]] = {
    "stringequals": (_equals, False),
    "stringnotequals": (_equals, True),
    "stringequalsignorecase": (_equals_ignoring_case, False),
    "stringnotequalsignorecase": (_equals_ignoring_case, True),
    "stringlike": (like, False),
    "stringnotlike": (like, True),
    "arnequals": (_arn_like, False),
    "arnlike": (_arn_like, False),
    "arnnotequals": (_arn_like, True),
    "arnnotlike": (_arn_like, True),
    "bool": (same_bool, False),
    "binaryequals": (_binary, False),
    "ipaddress": (_ip_address, False),
    "notipaddress": (_ip_address, True),
}
for _prefix, _read in (("numeric", _number), ("date", _date)):
    OPERATORS |= {
        f"{_prefix}equals": (_ordered(_read, operator.eq), False),
        f"{_prefix}notequals": (_ordered(_read, operator.eq), True),
        f"{_prefix}lessthan": (_ordered(_read, operator.lt), False),
        f"{_prefix}lessthanequals": (_ordered(_read, operator.le), False),
        f"{_prefix}greaterthan": (_ordered(_read, operator.gt), False),
        f"{_prefix}greaterthanequals": (_ordered(_read, operator.ge), False),
    }
