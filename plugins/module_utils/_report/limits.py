# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a verdict does not speak of: accounts and regions that nobody asked, events that the trail does not log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .._work.options import Result

ACCOUNTS = ("given", "", "organization")
"""Which accounts a part asked, the one that counts last: who asked all of the organization left none out."""

REGIONS = ("enabled", "given", "")
"""Which regions a part asked, the one that counts last. "" is a part that does not tell: one of before 1.2.0."""


@dataclass(frozen=True)
class Limits:
    """``asked``: what of the whole was asked, ``logged``: what is not logged there, in a few words each; "" for all.

    sentences: the same, as the verdict's sentence goes on.
    """

    asked: str
    logged: str
    sentences: str

    @property
    def words(self) -> str:
        """What the headline adds; "" for nothing."""
        words = "; ".join(filter(None, (self.asked, self.logged)))
        return f" ({words})" if words else ""


def merge_scopes(scopes: Iterable[Result]) -> Result:
    """The scope of several parts together; {} for parts that do not tell."""
    scopes = list(scopes)
    accounts = _last(ACCOUNTS, (one.get("accounts") for one in scopes))
    regions = _last(REGIONS, (one.get("regions") for one in scopes))
    enabled = sorted({region for one in scopes for region in one.get("enabled_regions") or ()})
    merged = {"accounts": accounts, "regions": regions, "enabled_regions": enabled}
    return {name: value for name, value in merged.items() if value}


def _last(order: Sequence[str], words: Iterable[str | None]) -> str:
    """The word that comes last in an order; one that is not known counts as ""."""
    return max((word if word and word in order else "" for word in words), key=order.index, default="")


def merge_events(events: Iterable[Result]) -> Result:
    """What the trail logs by the least that a part tells; {} where a part does not tell."""
    return min(events, key=_told, default={})


def _told(events: Result) -> tuple[bool, bool, bool, str]:
    return bool(events), "logged" in events, bool(events.get("all")), str(sorted(events.items()))


def limits(document: Result) -> Limits:
    """What the verdict on a document does not speak of."""
    said = [*_accounts(document), *_regions(document)]
    logged = list(_events(document["management_events"]))
    sentences = "".join(f" {sentence}" for _words, sentence in (*said, *logged))
    return Limits("; ".join(words for words, _said in said), "; ".join(words for words, _said in logged), sentences)


def accounts_in_words(number: int) -> str:
    """So many accounts, such as ``1 account`` and ``1,200 accounts``."""
    return f"{number:,} account{'' if number == 1 else 's'}"


def _accounts(document: Result) -> Iterable[tuple[str, str]]:
    asked = document["scope"].get("accounts")
    number = len(document["accounts"])
    named = accounts_in_words(number)
    if asked == "given":
        yield f"only the {named} given", f"Only the {named} given {'was' if number == 1 else 'were'} asked."
    elif not asked:
        yield "perhaps not all accounts", "Whether these are all accounts is not known."


def _regions(document: Result) -> Iterable[tuple[str, str]]:
    scope, asked = document["scope"], set(document["regions"])
    enabled = set(scope.get("enabled_regions") or ())
    if scope.get("regions") == "given":
        if enabled - asked:
            part = f"{len(asked)} of {len(asked | enabled)} regions"
            yield part, f"{part} were asked."
        elif not enabled:
            part = f"only the {len(asked)} region{'' if len(asked) == 1 else 's'} given"
            yield part, f"{part.capitalize()} {'was' if len(asked) == 1 else 'were'} asked."
    elif not scope.get("regions"):
        yield "perhaps not all regions", "Whether these are all regions is not known."
    silent = sum("regions_error" in account for account in document["accounts"])
    if silent:
        who = accounts_in_words(silent)
        has = "it has" if silent == 1 else "they have"
        told = f"{who} did not tell which regions {has} enabled"
        yield f"without the own regions of {who}", f"{told}: those that no other account has were not asked there."


def _events(events: dict[str, Any]) -> Iterable[tuple[str, str]]:
    if not events:
        yield "which events, is not known", "Which events the trail logs is not known."
    elif "logged" not in events:
        yield "which events, could not be read", f"Which events the trail logs could not be read: {events['error']}"
    elif not events["all"]:
        yield events["logged"], f"The trail logs {events['logged']}."
