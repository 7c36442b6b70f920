# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts that the log bucket lets in: only management can ask whether they are of the organization."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .._aws.errors import sentence
from .._aws.organizations import describe_account
from .._aws.session import Session
from .._work.options import Result
from .drift import BUCKET, Drift, not_judged
from .drifts import BUCKET_EVENTS


def accounts_in(bucket: Result, trusted: Sequence[str]) -> list[Result]:
    """The problems of a bucket's health that name an account which nobody trusts."""
    problems = (bucket.get("health") or {}).get("problems", [])
    return [one for one in problems if one.get("account_id") and one["account_id"] not in trusted]


def account_drift(session: Session | str, bucket: str, problems: Iterable[Result]) -> list[Drift]:
    """The problems whose account is not in the organization, or of which that cannot be said.

    session: of the management account, or why there is none. bucket: its name.
    """

    @cache
    def membership(account: str) -> bool | str:
        """Whether the account is a member; a sentence where that may not be read."""
        if isinstance(session, str):
            return session
        try:
            return describe_account(session.client("organizations"), account) is not None
        except AnsibleAWSError as error:
            return sentence(error)

    rows = []
    for problem in problems:
        known = membership(problem["account_id"])
        if isinstance(known, str):
            rows.append(not_judged(f"{bucket}, {problem['setting']}, account {problem['account_id']}", known))
        elif not known:
            rows.append(_row(bucket, problem))
    return rows


def _row(bucket: str, problem: Result) -> Drift:
    account, setting = problem["account_id"], problem["setting"]
    remedy = (
        f"{problem['fix']} Where the account is yours, name {account} in detect_drift_trusted_accounts "
        "(trusted_accounts of the module cloudtrail_drift_info)."
    )
    found = f"{problem['found']}, which is not in the organization"
    return Drift(BUCKET, bucket, setting, problem["expected"], found, remedy, BUCKET_EVENTS.get(setting, ()))
