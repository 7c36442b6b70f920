# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user asks of the coverage: the options of the module cloudtrail_coverage_info."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from .._aws.arn import TrailArn, parse_trail_arn
from .._aws.errors import parsed, refuse
from .._organization.entry import GivenAccount, given_accounts
from .._work.files import can_be_made
from .._work.options import options_of
from .._work.times import time_of


@dataclass(frozen=True)
class CoverageOptions:
    """The options, with the module's names. None or "": not set."""

    preflight: Literal["options", "member"] | None
    trail_arn: TrailArn
    accounts: list[GivenAccount] | None
    regions: list[str]
    role_name: str
    role_arn_pattern: str
    role_external_id: str | None
    assume_role_session_name: str
    trail_changed_at: str
    wait_minutes: float
    wait_interval: float
    deadline_minutes: float
    max_concurrency: int
    max_processes: int
    ou_names: bool
    event_history: bool
    log_delivery: Literal["none", "prefix", "digest"]
    log_archive_role_arn: str | None
    log_archive_role_external_id: str | None
    output_path: Path | None
    max_exceptions: int
    progress_path: str | None


def coverage_options(params: Mapping[str, Any]) -> CoverageOptions:
    """The module's parameters as a typed value.

    Raises AnsibleOrgTrailError for what would otherwise fail only after the long work, or never end.
    """
    output = Path(params["output_path"]) if params["output_path"] else None
    options = options_of(
        CoverageOptions,
        params,
        trail_arn=parsed(parse_trail_arn, params["trail_arn"]),
        accounts=None if params["accounts"] is None else given_accounts(params["accounts"]),
        trail_changed_at=params["trail_changed_at"] or "",
        output_path=output,
    )
    refuse(options_refusal(options))
    return options


def options_refusal(options: CoverageOptions) -> str | None:
    """Why these options cannot lead to a result, in one sentence; None when they can."""
    if options.max_concurrency < 1:
        return f"max_concurrency is {options.max_concurrency}, expected at least 1."
    if options.max_processes < 0:
        return (
            f"max_processes is {options.max_processes}, expected at least 1, or 0 for as many as there are processors."
        )
    if (path := options.output_path) and not can_be_made(path):
        return f"Failed to write output_path {path}: expected a file in a directory that is there or can be made."
    times = {"trail_changed_at": options.trail_changed_at}
    times |= {f"joined_at of account {one.account.id}": one.account.joined_at for one in options.accounts or ()}
    for name, text in times.items():
        try:
            time_of(text)
        except ValueError:
            return f"{name} is {text!r}, expected ISO 8601 such as 2026-11-24T03:00:00Z."
    return None
