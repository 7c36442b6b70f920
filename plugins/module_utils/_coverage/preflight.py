# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether accounts can be entered at all, found out in one of them, before the long work and before others write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from .._aws.errors import AnsibleOrgTrailError, AnsibleSTSError, sentence
from .._aws.session import Session
from .._organization.entry import GivenAccount, Target, judge_state
from .._organization.reader import Paces, read_accounts
from .check import targets_of
from .options import CoverageOptions

TRIES = 5
"""So many members are tried: one may lack the role, and is then told in the report; all of them is a mistake."""


def enter_member(session: Session, options: CoverageOptions) -> str:
    """The id of the first member that can be entered with its role; "" when there is no member to enter.

    Also assumes the role of the log archive, where the bucket is to be searched. Raises AnsibleOrgTrailError when none
    of the first members can be entered, and AnsibleAWSError for what else concerns all of them.
    """
    if options.log_delivery != "none" and options.log_archive_role_arn:
        session.assume(options.log_archive_role_arn, options.log_archive_role_external_id)
    refusals: list[str] = []
    for target in islice(members(session, options), TRIES):
        try:
            session.assume(target.role_arn, target.external_id, target.id)
        except AnsibleSTSError as error:
            refusals.append(sentence(error))
        else:
            return target.id
    if refusals:
        raise AnsibleOrgTrailError(
            f"Coverage could enter no member, of {len(refusals)} that were tried. Correct role_name (in the role "
            f"coverage: coverage_role_name), or create that role in the members. The first answer: {refusals[0]}"
        )
    return ""


def members(session: Session, options: CoverageOptions) -> Iterator[Target]:
    """The accounts that are entered with a role, but management; further pages are read only when they are needed."""
    accounts: Iterable[GivenAccount] | None = options.accounts
    if accounts is None:
        accounts = map(GivenAccount, read_accounts(session.client("organizations"), Paces()))
    for target in targets_of(session, accounts, options):
        if target.role_arn and target.id != options.trail_arn.account_id and not judge_state(target.state):
            yield target
