# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the preflight of a trail rests on, and the problems that it finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from .._aws.arn import TrailArn
from .._aws.text import printable
from .._aws.trail_status import DeliveryError
from .._aws.untyped import Structure
from .options import ProblemName, TrailOptions
from .settings import Settings

Severity = Literal["error", "warning", "unknown"]


@dataclass(frozen=True)
class Problem:
    """Something that stands in the way; ``severity`` is error, warning, or unknown when it only may be."""

    name: ProblemName
    severity: Severity
    object: str
    found: str
    expected: str
    remedy: str

    @property
    def sentence(self) -> str:
        return f"{self.object}: found {self.found}, expected {self.expected}. {self.remedy}"

    def to_dict(self) -> dict[str, str]:
        """It as results tell it: Ansible shows them when the task fails, so text of others is printable."""
        return {name: printable(text) for name, text in asdict(self).items()}


@dataclass(frozen=True)
class Unread:
    """A read that AWS refused, in words."""

    reason: str


@dataclass(frozen=True)
class OtherTrail:
    """Another trail of the management account, as far as it matters here."""

    arn: TrailArn
    logging: bool
    management_events: bool


@dataclass(frozen=True)
class Situation:
    """All that the judgement rests on. ``before`` and ``after`` are settings; the rest is None where not read.

    topic_policy: "" when there is no such topic.
    """

    arn: TrailArn
    organization_id: str
    before: Settings | None
    after: Settings
    options: TrailOptions
    delivery_errors: tuple[DeliveryError, ...] = ()
    trails_here: Sequence[str] | Unread | None = None
    others: Sequence[OtherTrail] | Unread | None = None
    key_policy: str | Unread | None = None
    key_account_known: bool | Unread | None = None
    bucket_account_known: bool | Unread | None = None
    role_policies: Sequence[Structure] | Unread | None = None
    topic_policy: str | Unread | None = None
    bucket_problems: Sequence[str] | Unread | None = None
    service_linked_role: bool | Unread | None = None
    changed_fields: Sequence[str] = ()

    @property
    def key(self) -> str:
        return self.after["kms_key_id"]

    @property
    def log_role(self) -> str:
        return self.after["cloud_watch_logs_role_arn"]

    @property
    def becomes_organization_trail(self) -> bool:
        return self.after["is_organization_trail"] and not (self.before or {}).get("is_organization_trail")


def unread_problem(name: ProblemName, what: str, missing: str, unread: Unread) -> Problem:
    """The problem that perhaps exists, because AWS refused the read that would tell."""
    return Problem(
        name,
        "unknown",
        what,
        f"that {missing} could not be read ({unread.reason.rstrip('.')})",
        "a read that succeeds",
        f"Allow it, or set on_problem={{{name}: ignore}}.",
    )
