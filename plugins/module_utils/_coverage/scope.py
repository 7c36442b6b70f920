# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked, of what there is: the regions and accounts of a coverage, and how much of the whole they are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from .._aws.account import ALWAYS_ENABLED, ENABLED
from .._work.options import Result


@dataclass(frozen=True)
class Scope:
    """The regions to ask, sorted; and what the user chose.

    enabled: the regions that the caller's account has enabled, None where it may not tell.
    """

    regions: list[str]
    enabled: list[str] | None
    regions_given: bool
    accounts_given: bool

    def to_dict(self) -> Result:
        """The scope as results and reports tell it."""
        return {
            "accounts": "given" if self.accounts_given else "organization",
            "regions": "given" if self.regions_given else "enabled",
            **({} if self.enabled is None else {"enabled_regions": self.enabled}),
        }


def scope_of(
    given: Collection[str], states: Mapping[str, str] | None, home_region: str, *, accounts_given: bool
) -> Scope:
    """The scope of a run.

    given: the regions that the user names; none: all that are enabled. states: the regions of the caller's account as
    ListRegions tells them, None where it was denied. The trail's home region is asked as well unless every account has
    it: an account that has not enabled it sends nothing from any region (aws-facts 4.6).
    """
    enabled = None if states is None else sorted(name for name, state in states.items() if state in ENABLED)
    regions = set(given or enabled or ())
    if (states or {}).get(home_region) != ALWAYS_ENABLED:
        regions.add(home_region)
    return Scope(sorted(regions), enabled, bool(given), accounts_given)


def region_refusal(given: Collection[str], known: Collection[str], partition: str) -> str | None:
    """Why a region that the user names cannot be asked, in one sentence; None when all can.

    known: the regions of the partition.
    """
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, 1, cutoff=0.85)
            meant = f"; did you mean {near[0]}?" if near else "."
            return f"{name!r} in regions is no region of the partition {partition}{meant}"
    return None
