# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user asks for: the options of cloudtrail_member_trails_info and of cloudtrail_member_trail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from .._aws.arn import TrailArn, possible_trail_arn
from .._aws.errors import parsed, refuse
from .._organization.entry import GivenAccount, given_accounts
from .._work.files import can_be_made
from .._work.options import options_of


@dataclass(frozen=True)
class TrailsOptions:
    """The options, with the module's names. None or "": not set."""

    trail_arn: TrailArn
    accounts: list[GivenAccount] | None
    role_name: str
    role_arn_pattern: str
    role_external_id: str | None
    assume_role_session_name: str
    unread_buckets: list[str]
    costs: bool
    deadline_minutes: float
    max_concurrency: int
    progress_path: str | None


@dataclass(frozen=True)
class RetireOptions:
    """The options, with the module's names. None or "": not set. trail_arns: each once, in the order given."""

    organization_trail_arn: TrailArn | None
    trail_arns: list[TrailArn] | None
    all_recorded: bool
    state: Literal["stopped", "absent", "present"]
    record_dir: Path
    stopped_days: float
    role_name: str
    role_arn_pattern: str
    role_external_id: str | None
    log_archive_role_arn: str | None
    log_archive_role_external_id: str | None
    unread_buckets: list[str]
    max_concurrency: int


def trails_options(params: Mapping[str, Any]) -> TrailsOptions:
    """The module's parameters as a typed value. Raises AnsibleOrgTrailError for what cannot lead to a result."""
    trail = parsed(possible_trail_arn, params["trail_arn"])
    refuse(concurrency_refusal(params["max_concurrency"]))
    accounts = None if params["accounts"] is None else given_accounts(params["accounts"])
    return options_of(TrailsOptions, params, trail_arn=trail, accounts=accounts)


def retire_options(params: Mapping[str, Any]) -> RetireOptions:
    """The module's parameters as a typed value. Raises AnsibleOrgTrailError for what cannot lead to a result."""
    # A bare name means another trail in each account, so that ARNs are asked for.
    given, organization = params["trail_arns"], params["organization_trail_arn"]
    options = options_of(
        RetireOptions,
        params,
        organization_trail_arn=parsed(possible_trail_arn, organization) if organization else None,
        trail_arns=None if given is None else list(dict.fromkeys(parsed(possible_trail_arn, one) for one in given)),
        record_dir=Path(params["record_dir"]),
    )
    refuse(concurrency_refusal(options.max_concurrency))
    refuse(options_refusal(options))
    return options


def concurrency_refusal(number: int) -> str | None:
    """Why so many calls at the same time cannot be, in one sentence; None when they can."""
    return f"max_concurrency is {number}, expected at least 1." if number < 1 else None


def options_refusal(options: RetireOptions) -> str | None:
    """Why these options cannot lead to a result, in one sentence; None when they can."""
    if options.all_recorded == (options.trail_arns is not None):
        found = "both trail_arns and all_recorded are set" if options.all_recorded else "neither is"
        return f"Which trails are meant is to be said by trail_arns, or by all_recorded; {found}, expected one of them."
    if options.state == "stopped" and options.all_recorded:
        return (
            "all_recorded is true with state=stopped, expected trail_arns: only trails that are named are stopped. "
            "The module cloudtrail_member_trails_info lists them."
        )
    if not options.stopped_days >= 1:
        return (
            f"stopped_days is {options.stopped_days:g}, expected at least 1: a trail is stopped before it is deleted."
        )
    if not can_be_made(options.record_dir / "record"):
        return (
            f"Failed to write record_dir {options.record_dir}: expected a directory that is there or can be made, and "
            "that this user may write to."
        )
    organization = options.organization_trail_arn
    if organization is None and options.state != "present":
        return (
            f"No organization trail is named with state={options.state}, expected organization_trail_arn: the one "
            "beside which others are redundant."
        )
    owner = organization.account_id if organization else ""
    for arn in options.trail_arns or ():
        if arn.account_id == owner:
            return (
                f"trail_arns holds {arn}, a trail of account {owner}, which owns the organization trail; expected "
                "trails of members. The module cloudtrail_organization_trail manages that account's."
            )
    return None
