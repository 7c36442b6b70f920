# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that the lab remembers beside moto's own state."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from threading import RLock
from typing import Any

from moto.backends import get_backend

from lab.kernel.call import LabError, Principal
from lab.kernel.faults import Faults
from lab.kernel.journal import Journal
from lab.kernel.options import Options
from lab.services.cloudtrail.trails import Trails
from lab.services.organizations.state import ENTERABLE, Organization

UNKNOWN_KEY_CODE = {
    "ec2": "AuthFailure",
    "iam": "InvalidClientTokenId",
    "s3": "InvalidAccessKeyId",
    "sns": "InvalidClientTokenId",
    "sts": "InvalidClientTokenId",
}
"""What a service calls a key that it does not know; those not named here say UnrecognizedClientException."""

EXPIRED_KEY_CODE = {"ec2": "RequestExpired", "iam": "ExpiredToken", "s3": "ExpiredToken", "sts": "ExpiredToken"}


@dataclass
class World:
    """One organization (or none) with its clock, sessions, journal, faults and options.

    ``lock`` is held by every answer that changes state, so that answers are atomic as AWS's are.
    ``random`` makes the ids, so that the same arguments give the same world.
    ``opted_in`` names the opt-in regions that an account has enabled (aws-facts 4.6).
    ``usage`` is what each account used of CloudTrail in every month, by usage type (14.1).
    ``unmade_roles`` are the roles of accounts whose IAM nobody has looked at yet (see `lab.iam`); ``stack_roles`` those
    that each account gets which comes later.
    ``tokens`` holds what is left of each rate, and since when (lab/kernel/rates.py).
    ``access_refusals_left`` counts the CloudTrail calls that do not see trusted access yet (aws-facts 1.4);
    ``delegation_refusals_left`` those that do not see a new delegated administrator yet (11.5);
    ``policy_refusals_left`` and ``role_refusals_left`` those that do not see a bucket policy or a role yet (2.17).
    ``deleted_queues`` says when the queue of an account, region and name was deleted; ``late_queue_policies`` since
    when a queue has its policy, and the one before (12.5).
    """

    partition: str = "aws"
    home_region: str = "us-east-1"
    enforce_iam: bool = False
    latency_ms: float = 0
    check_answers: bool = False
    options: Options = field(default_factory=Options)
    journal: Journal = field(default_factory=Journal)
    faults: Faults = field(default_factory=Faults)
    trails: Trails = field(default_factory=Trails)
    tokens: dict[tuple[str, str, str, str], tuple[float, datetime]] = field(default_factory=dict)
    sessions: dict[str, Principal] = field(default_factory=dict)
    clock_offset: timedelta = timedelta()
    random: Random = field(default_factory=lambda: Random("lab"))
    organization: Organization | None = None
    access_refusals_left: int = 0
    delegation_refusals_left: int = 0
    policy_refusals_left: int = 0
    role_refusals_left: int = 0
    usage: dict[str, dict[str, float]] = field(default_factory=dict)
    deleted_queues: dict[tuple[str, str, str], datetime] = field(default_factory=dict)
    late_queue_policies: dict[str, tuple[datetime, str | None]] = field(default_factory=dict)
    opted_in: dict[str, set[str]] = field(default_factory=dict)
    unmade_roles: dict[str, list[tuple[str, dict[str, Any], Any]]] = field(default_factory=dict)
    stack_roles: list[tuple[str, dict[str, Any], dict[str, Any]]] = field(default_factory=list)
    management_account: str = ""
    log_archive_account: str = ""
    log_bucket: str = ""
    lock: Any = field(default_factory=RLock)

    @property
    def organization_id(self) -> str | None:
        return self.organization.id if self.organization else None

    def now(self) -> datetime:
        """The lab's time, aware, in UTC."""
        return datetime.now(UTC) + self.clock_offset

    def moto(self, service: str, account: str, region: str = "") -> Any:
        """moto's backend of a service in an account; services without regions have one for the partition."""
        accounts = get_backend(service)
        # moto's own look-up of an account is linear in their number.
        backends = dict.get(accounts, account) or accounts[account]
        return backends[region or self.partition]

    def principal(self, access_key: str, service: str = "") -> Principal:
        """Who an access key belongs to.

        Raises LabError, with the service's own code, for a key that the lab never issued, that is expired, or
        whose account is not active (aws-facts 4.8).
        """
        principal = self.sessions.get(access_key)
        account = self.organization.accounts.get(principal.account) if self.organization and principal else None
        if principal is None or (account and account.state not in ENTERABLE):
            code = UNKNOWN_KEY_CODE.get(service, "UnrecognizedClientException")
            raise LabError(code, "The security token included in the request is invalid.", 403)
        if principal.expires and principal.expires < self.now():
            code = EXPIRED_KEY_CODE.get(service, "ExpiredTokenException")
            raise LabError(code, "The security token included in the request is expired", 403)
        return principal
