# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run did, in the three lines that stand at its end: what changed or drifted, the coverage, the file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .._drift.drifts import NOT_JUDGED

NOTHING = ": nothing to change"
"""How cloudtrail_organization_trail's line ends when its plan is empty."""


@dataclass(frozen=True)
class Outcome:
    """What the steps of a run answered; empty for a step that the run does not have or did not come to.

    drift: what cloudtrail_drift_info answered, in a run that only looks.
    not_asked: why nobody asked for the coverage; without it, and without a coverage, asking failed.
    file: a file that is written in place of the coverage's report.
    """

    trusted_access: Mapping[str, Any]
    organization_trail: Mapping[str, Any]
    coverage: Mapping[str, Any]
    drift: Mapping[str, Any] = field(default_factory=dict)
    check_mode: bool = False
    not_asked: str = ""
    file: str = ""


def outcome_lines(run: Outcome) -> list[str]:
    """The three lines, in their order."""
    first = _drifted(run.drift) if run.drift else _changes(run)
    return [first, f"Coverage: {_coverage(run)}", f"Report: {_file(run)}"]


def _drifted(drift: Mapping[str, Any]) -> str:
    unknown = sum(one["what"] == NOT_JUDGED for one in drift["drift"])
    drifted = len(drift["drift"]) - unknown
    parts = [f"{len(drift['passed'])} as wanted"]
    if unknown:
        parts.insert(0, f"{unknown} not judged")
    if drift["advice"]:
        parts.append(f"advice on {', '.join(one['what'] for one in drift['advice'])}")
    return f"Drifted: {drifted or 'nothing'}; {', '.join(parts)}"


def _changes(run: Outcome) -> str:
    access = ["trusted access of cloudtrail.amazonaws.com: off → on"] if run.trusted_access.get("changed") else []
    lines = [*access, *(line for line in run.organization_trail.get("summary", ()) if not line.endswith(NOTHING))]
    verb = "Would change" if run.check_mode else "Changed"
    return f"{verb}: {'; '.join(_without_repetition(lines)) or 'nothing'}"


def _without_repetition(lines: Iterable[str]) -> Iterable[str]:
    """The lines, each without the object at its beginning where the line before is about the same object."""
    last = ""
    for line in lines:
        about, colon, change = line.partition(": ")
        yield change if colon and about == last else line
        last = about


def _coverage(run: Outcome) -> str:
    if run.coverage.get("sentence"):
        return str(run.coverage["sentence"])
    return f"not asked, {run.not_asked}." if run.not_asked else "not known, because asking for it failed."


def _file(run: Outcome) -> str:
    if run.file:
        return run.file
    return str(run.coverage.get("html_path") or run.coverage.get("json_path") or "none, without a coverage")
