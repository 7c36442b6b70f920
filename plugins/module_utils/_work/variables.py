# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables that look like the collection's, but are none: a misspelt one would be passed over in silence."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import SequenceMatcher, get_close_matches
from fnmatch import fnmatchcase

PREFIXES = (
    "coverage_",
    "delegated_administrator_",
    "detect_drift_",
    "drift_events_",
    "guard_org_trail_",
    "guardrails_",
    "log_bucket_",
    "member_trails_",
    "organization_trail_",
    "revert_org_trail_",
    "trusted_access_",
)
"""What names of the collection's variables begin with; those of log_bucket_lookup begin like log_bucket's."""

ALIKE = 0.85
"""From which ratio of difflib on two words are taken for one, misspelt: organisation_trail_ and organization_trail_."""

OWN = "org_trail_other_variables"
"""The variable with the names, or patterns of names, of the user's own variables."""


def variables_problem(names: Iterable[str], known: Collection[str], own: Iterable[str]) -> str:
    """One sentence about the variables that look like the collection's and are none; "" when there are none.

    names: of all variables. known: of those that the collection takes. own: names and patterns of the user's.
    """
    patterns = tuple(own)
    found = []
    for name in sorted(set(names) - set(known)):
        if any(fnmatchcase(name, pattern) for pattern in patterns):
            continue
        meant = get_close_matches(name, known, 1, ALIKE) if looks_like_ours(name) else []
        if meant or name.startswith(PREFIXES):
            found.append(f"{name} (did you mean {meant[0]}?)" if meant else name)
    if not found:
        return ""
    return (
        f"Unknown variables of cloudsec.org_trail: {', '.join(found)}. Nothing reads them. Correct them, or, where "
        f"they are your own, list them in {OWN}; patterns such as coverage_team* will do."
    )


def looks_like_ours(name: str) -> bool:
    """Whether a name begins with a prefix of the collection's, or with one that is misspelt."""
    return any(is_alike(name[: len(prefix)], prefix) for prefix in PREFIXES if len(name) > len(prefix))


def is_alike(text: str, prefix: str) -> bool:
    """Whether two texts of the same length are alike; most are told apart by the letters they share, which is quick."""
    matcher = SequenceMatcher(None, text, prefix)
    return matcher.quick_ratio() >= ALIKE and matcher.ratio() >= ALIKE
