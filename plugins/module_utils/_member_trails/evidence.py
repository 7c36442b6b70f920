# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The organization trail and its log bucket, and what they prove of accounts whose trails are to be touched."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .._aws.arn import TrailArn
from .._aws.errors import refuse, sentence
from .._aws.log_place import LogPlace
from .._aws.organizations import describe_organization
from .._aws.session import Session
from .._work.reads import read_each
from .find import read_organization_trail
from .look import Look
from .proof import Seen, coverage_problem, files_problem
from .trail import Trail

Cover = Callable[[TrailArn, Sequence[str]], Mapping[str, Seen]]
"""What the coverage of an organization trail sees of accounts, by their ids."""

PROVED = ("stopped", "deleted")
"""Actions that take an account a trail away."""


class Evidence:
    """What proves that accounts are covered.

    Raises AnsibleAWSError when the organization trail or its organization cannot be looked at, and AnsibleOrgTrailError
    when it is none that logs.
    """

    def __init__(
        self, session: Session, arn: TrailArn, cover: Cover, log_archive_role: str, log_archive_external_id: str
    ) -> None:
        """log_archive_role: of the account with the log bucket; "" where the caller may list it."""
        self._cover = cover
        self.organization = read_organization_trail(session, arn)
        refuse(organization_refusal(self.organization))
        settings = self.organization.settings
        organization_id = describe_organization(session.client("organizations")).id
        self._place = LogPlace(settings["S3BucketName"], arn, organization_id, settings.get("S3KeyPrefix") or "")
        there = session.assume(log_archive_role, log_archive_external_id) if log_archive_role else session
        self._s3, self._owner = there.client("s3"), there.account_id

    def prove(self, looks: Sequence[Look], threads: int) -> Sequence[Look]:
        """The looks, without those whose accounts are not proved to be covered: these have a problem instead."""
        accounts = sorted({look.arn.account_id for look in looks if look.action in PROVED})
        if not accounts:
            return looks
        try:
            seen = self._cover(self.organization.arn, accounts)
        except AnsibleAWSError as error:
            seen = dict.fromkeys(accounts, Seen(unknown=sentence(error)))
        return read_each(partial(self._proved, seen), looks, threads)

    def _proved(self, seen: Mapping[str, Seen], look: Look) -> Look:
        if look.action not in PROVED or look.now is None:
            return look
        problem = self._problem(look.now, seen.get(look.arn.account_id, Seen()))
        return look.refused(f"{problem} {left_alone(look.now)}") if problem else look

    def _problem(self, trail: Trail, seen: Seen) -> str:
        if problem := coverage_problem(trail, seen):
            return problem
        regions = list(dict.fromkeys((trail.arn.region, *(one.region for one in seen.places))))
        account, now = trail.arn.account_id, datetime.now(UTC)
        try:
            return files_problem(self._s3, self._place, self._owner, account, regions, now)
        except AnsibleAWSError as error:
            return sentence(error)


def organization_refusal(trail: Trail) -> str | None:
    """Why nothing is redundant beside a trail, in one sentence; None when something may be."""
    if trail.is_organization_trail and trail.logging:
        return None
    found = "a trail that does not log" if trail.is_organization_trail else "an account trail"
    return (
        f"{trail.arn} is {found}, expected an organization trail that logs: beside it trails of members are redundant. "
        "Run enable_org_trail.yml first. Nothing was changed."
    )


def left_alone(trail: Trail) -> str:
    """What became of a trail whose account is not proved to be covered, and what to do."""
    if trail.logging:
        return f"{trail.arn} goes on logging."
    return f"{trail.arn} stays stopped. Run with state=present to start it again."
