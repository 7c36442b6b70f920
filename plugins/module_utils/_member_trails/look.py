# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A member's trail right before it is changed: the account entered, the trail and its record read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from .._aws.arn import TrailArn
from .._aws.session import Session
from .._aws.untyped import Client
from .._organization.accounts import Account
from .._organization.entry import GivenAccount, target_of
from .find import MAKING_CLIENTS
from .options import RetireOptions
from .reader import read_trail
from .record import Record, read_record
from .trail import Trail

Action = Literal["none", "recorded", "stopped", "deleted", "created", "changed", "started"]
"""What is done to a trail. "recorded": its record is written, and nothing else."""

State = Literal["logging", "stopped", "absent", "unknown"]


@dataclass(frozen=True)
class There:
    """The account that a trail is in, with clients for its home region; the writer sends each call once."""

    session: Session
    client: Client
    writer: Client


@dataclass(frozen=True)
class Look:
    """A member's trail before anything is done to it, and what is to be done.

    there: None where the account could not be entered. now: None where there is no such trail. record: what was
    recorded of it. new_record: what is written before anything else. problem: why nothing is done although it was asked
    for. wait: why nothing is done yet.
    """

    arn: TrailArn
    there: There | None = None
    now: Trail | None = None
    record: Record | None = None
    new_record: Record | None = None
    action: Action = "none"
    problem: str = ""
    wait: str = ""

    @property
    def before(self) -> State:
        return state_of(self.now) if self.there else "unknown"

    def refused(self, problem: str) -> Look:
        """The look with nothing to do, because of a problem."""
        return replace(self, action="none", new_record=None, problem=problem)


def state_of(trail: Trail | None) -> State:
    """A trail's state in one word; None: there is none."""
    return "absent" if trail is None else "logging" if trail.logging else "stopped"


def look_at(session: Session, options: RetireOptions, arn: TrailArn) -> tuple[Look, There]:
    """Read a trail and its record in its account. Raises AnsibleAWSError for what cannot be read."""
    record = read_record(options.record_dir, arn)
    there = enter(session, options, arn)
    now = read_trail(there.client, arn, to_record=options.state != "present")
    return Look(arn, there, now, record), there


def enter(session: Session, options: RetireOptions, arn: TrailArn) -> There:
    """Enter a trail's account by its role; the caller's own is entered without one."""
    given = GivenAccount(Account(arn.account_id, "", ""))
    pattern, name, external_id = options.role_arn_pattern, options.role_name, options.role_external_id or ""
    target = target_of(given, session.account_id, session.partition, pattern, name, external_id)
    with MAKING_CLIENTS:
        there = session.assume(target.role_arn, target.external_id, target.id) if target.role_arn else session
        return There(
            there,
            there.client("cloudtrail", arn.region),
            there.client("cloudtrail", arn.region, once=True),
        )
