# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user asks for: the options of the module cloudtrail_member_trails_info."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._aws.arn import TrailArn, possible_trail_arn
from .._aws.errors import AnsibleOrgTrailError
from .._organization.entry import GivenAccount, given_accounts
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


def trails_options(params: Mapping[str, Any]) -> TrailsOptions:
    """The module's parameters as a typed value. Raises AnsibleOrgTrailError for what cannot lead to a result."""
    try:
        trail = possible_trail_arn(params["trail_arn"])
    except ValueError as error:
        raise AnsibleOrgTrailError(str(error)) from error
    if params["max_concurrency"] < 1:
        raise AnsibleOrgTrailError(f"max_concurrency is {params['max_concurrency']}, expected at least 1.")
    accounts = None if params["accounts"] is None else given_accounts(params["accounts"])
    return options_of(TrailsOptions, params, trail_arn=trail, accounts=accounts)
