# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All the names that somebody gives to objects, as a form, and one of them that patterns of a policy tell apart.

A statement about ``*.json.gz`` or about one account is seen by no sample that happens to lie elsewhere. The search here
walks through the names and the patterns at once, so it finds one that matches, or does not, whenever there is one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from .operators import UNSHIELD


@dataclass(frozen=True)
class Texts:
    """A part of a name that is one of some texts; ``field`` names a part that stands in the name twice."""

    texts: tuple[str, ...]
    field: str = ""


@dataclass(frozen=True)
class Run:
    """A part of a name that consists of ``low`` to ``high`` of the characters; ``usual`` is how it mostly reads."""

    characters: str
    low: int
    high: int
    usual: str
    field: str = ""


Part: TypeAlias = "Texts | Run"
Form = tuple[Part, ...]
"""The form of the names: their parts, one after the other."""

Element = tuple[tuple[str, ...], bool]
"""The patterns of a statement's Resource, and whether they stand under NotResource."""

_Places = frozenset[tuple[int, int]]  # of each pattern: how many of its characters are used up


def usual_name(form: Form) -> str:
    """The name of the form that is nearest to what is mostly seen."""
    return "".join(part.texts[0] if isinstance(part, Texts) else part.usual for part in form)


@lru_cache(maxsize=4096)
def find_name(form: Form, elements: tuple[Element, ...], named: bool) -> str | None:
    """A name of the form that one of the elements names (or, with ``named`` false, that none of them does).

    The most usual one that the search meets; None when there is none. The patterns have the wildcards * and ? and are
    resolved (see ``operators.SHIELD``). What a part that stands in a name twice reads is compared at each place by
    itself: at worst a name is found that nobody gives, never is one missed.
    """
    found = _search(form, elements, named)
    if found is None:
        return None
    texts = [(part.field, text) for part, text in zip(form, found, strict=True) if part.field]
    for fields in (dict(reversed(texts)), dict(texts)):  # as it reads at the first place, or at the last
        alike = tuple(Texts((fields[part.field],)) if part.field else part for part in form)
        if real := _search(alike, elements, named):
            return "".join(real)
    return "".join(found)


def _search(form: Form, elements: Sequence[Element], named: bool) -> list[str] | None:
    """The texts of the parts of such a name: a walk in depth that comes to no situation twice."""
    patterns = [pattern for some, _negated in elements for pattern in some]
    start = frozenset(place for index in range(len(patterns)) for place in _skip_stars(patterns, index, 0))
    seen: set[tuple[int, int, _Places]] = set()
    walk: list[Iterator[tuple[int, int, _Places, str]]] = [iter([(0, 0, start, "")])]
    path: list[tuple[int, str]] = []
    while walk:
        step = next(walk[-1], None)
        if step is None:
            walk.pop()
            if path:
                path.pop()
            continue
        index, used, places, text = step
        if (index, used, places) in seen:
            continue
        seen.add((index, used, places))
        path.append((index if used else index - 1, text))
        if index == len(form):
            matched = {patterns[one] for one, place in places if place == len(patterns[one])}
            if named is any(bool(matched & set(some)) is not negated for some, negated in elements):
                return ["".join(text for at, text in path if at == part) for part in range(len(form))]
        walk.append(_steps(form, index, used, places, patterns))
    return None


def _steps(
    form: Form, index: int, used: int, places: _Places, patterns: Sequence[str]
) -> Iterator[tuple[int, int, _Places, str]]:
    """Where the walk may go next: the part, how much of it is used up, the places in the patterns, the text taken."""
    if index == len(form):
        return
    part = form[index]
    if isinstance(part, Texts):
        for text in part.texts:
            after = places
            for character in text:
                after = _after(after, character, patterns)
            yield index + 1, 0, after, text
        return
    if used < part.high:
        ended = used >= max(part.low, len(part.usual))
        if ended:
            yield index + 1, 0, places, ""
        for character in _telling(part, used, places, patterns):
            after = _after(places, character, patterns)
            last = used + 1 == part.high
            yield (index + 1, 0, after, character) if last else (index, used + 1, after, character)
        if not ended and used >= part.low:
            yield index + 1, 0, places, ""


def _telling(part: Run, used: int, places: _Places, patterns: Sequence[str]) -> Iterator[str]:
    """The characters that make a difference here: the usual one, those that a pattern names, and one that none does."""
    usual = part.usual[used] if used < len(part.usual) else ""
    named = {patterns[one][place].translate(UNSHIELD) for one, place in places if place < len(patterns[one])}
    if usual:
        yield usual
    yield from sorted(named & set(part.characters) - {usual})
    if not usual or usual in named:
        yield from next(([one] for one in part.characters if one not in named), [])


def _after(places: _Places, character: str, patterns: Sequence[str]) -> _Places:
    """The places in the patterns after one more character of the name."""
    after: set[tuple[int, int]] = set()
    for one, place in places:
        if place == len(patterns[one]):
            continue
        expected = patterns[one][place]
        if expected == "*":
            after.add((one, place))
            after.update(_skip_stars(patterns, one, place))
        elif expected == "?" or expected.translate(UNSHIELD) == character:
            after.update(_skip_stars(patterns, one, place + 1))
    return frozenset(after)


def _skip_stars(patterns: Sequence[str], index: int, place: int) -> Iterator[tuple[int, int]]:
    """A place in a pattern, and those behind the stars that follow: a star stands for nothing, too."""
    yield index, place
    while place < len(patterns[index]) and patterns[index][place] == "*":
        place += 1
        yield index, place
