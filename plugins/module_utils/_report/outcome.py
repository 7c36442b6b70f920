# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run did, in the three lines that stand at its end: what changed, the coverage, the file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

NOTHING = ": nothing to change"
"""How cloudtrail_organization_trail's line ends when its plan is empty."""


@dataclass(frozen=True)
class Outcome:
    """What the steps of a run answered; empty for a step that the run does not have or did not come to.

    not_asked: why nobody asked for the coverage; without it, and without a coverage, asking failed.
    file: a file that is written in place of the coverage's report.
    """

    trusted_access: Mapping[str, Any]
    organization_trail: Mapping[str, Any]
    coverage: Mapping[str, Any]
    check_mode: bool = False
    not_asked: str = ""
    file: str = ""


def outcome_lines(run: Outcome) -> list[str]:
    """The three lines, in their order."""
    return [_changes(run), f"Coverage: {_coverage(run)}", f"Report: {_file(run)}"]


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
