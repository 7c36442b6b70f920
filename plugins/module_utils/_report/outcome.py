# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run did, in the three lines that stand at its end: what changed or drifted, the coverage, the file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .._drift.drift import NOT_JUDGED

NOTHING = ": nothing to change"
"""How cloudtrail_organization_trail's line ends when its plan is empty."""


@dataclass(frozen=True)
class Outcome:
    """What the steps of a run answered; empty for a step that the run does not have or did not come to.

    drift: what cloudtrail_drift_info answered, in a run that only looks.
    delegated_administrator: what cloudtrail_delegated_administrator answered for the registration. administrator: the
    account that is to be administrator, in a run that registers it. proof: what the module answered with state=proven.
    not_asked: why nobody asked for the coverage; without it, and without a coverage, asking failed.
    file: a file that is written in place of the coverage's report.
    """

    trusted_access: Mapping[str, Any]
    organization_trail: Mapping[str, Any]
    coverage: Mapping[str, Any]
    drift: Mapping[str, Any] = field(default_factory=dict)
    delegated_administrator: Mapping[str, Any] = field(default_factory=dict)
    administrator: str = ""
    proof: Mapping[str, Any] = field(default_factory=dict)
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
    trail = [line for line in run.organization_trail.get("summary", ()) if not line.endswith(NOTHING)]
    lines = [*access, *trail, *_registrations(run.delegated_administrator)]
    verb = "Would change" if run.check_mode else "Changed"
    return f"{verb}: {'; '.join(_without_repetition(lines)) or 'nothing'}{_administrator(run)}"


def _registrations(answer: Mapping[str, Any]) -> list[str]:
    """Who became delegated administrator, and who is none any more."""
    if not answer.get("changed"):
        return []
    before, after = (
        {one["account_id"] for one in answer["diff"][side]["delegated_administrators"]} for side in ("before", "after")
    )
    gone = [f"delegated administrator {account}: registered → not registered" for account in sorted(before - after)]
    new = [f"delegated administrator {account}: not registered → registered" for account in sorted(after - before)]
    return gone + new


def _administrator(run: Outcome) -> str:
    """Whether the administrator's own credentials proved what they may, where a run is about one."""
    if not run.administrator:
        return ""
    if run.proof.get("may_change"):
        return f". Proven: {run.administrator} sees and may change the trail"
    return f". Not proven what {run.administrator} may do{', in check mode' if run.check_mode else ''}"


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
