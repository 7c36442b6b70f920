# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The organization as data: accounts, units and policies in dictionaries, so that 10,000 accounts stay fast."""

from __future__ import annotations

import string
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

LETTERS = string.ascii_lowercase + string.digits
FULL_ACCESS = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
FULL_ACCESS_ID = "p-FullAWSAccess"
RCP_FULL_ACCESS = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}'
)
RCP_FULL_ACCESS_ID = "p-RCPFullAWSAccess"
SCP = "SERVICE_CONTROL_POLICY"
RCP = "RESOURCE_CONTROL_POLICY"
FULL_ACCESS_IDS = {SCP: FULL_ACCESS_ID, RCP: RCP_FULL_ACCESS_ID}
"""AWS's own policies, which are attached to everything as long as their type is enabled (aws-facts 10.2)."""

ENTERABLE = ("ACTIVE",)
"""States of an account that can still be signed in to (aws-facts 4.8)."""


@dataclass(slots=True)
class Account:
    """A member, or management itself. ``state`` is Account.State (aws-facts 7.2)."""

    id: str
    name: str
    email: str
    parent: str
    joined: datetime
    state: str = "ACTIVE"
    joined_method: str = "CREATED"
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Unit:
    """An organizational unit, or the root (whose ``parent`` is empty). Children are sets that keep their order."""

    id: str
    name: str
    parent: str
    units: dict[str, None] = field(default_factory=dict)
    accounts: dict[str, None] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class OrganizationPolicy:
    """A policy of the organization; ``targets`` are the ids it is attached to."""

    id: str
    name: str
    description: str
    type: str
    content: str
    aws_managed: bool = False
    targets: dict[str, None] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Organization:
    """One organization. ``feature_set`` is ALL or CONSOLIDATED_BILLING.

    ``pending_types`` are the policy types that are being enabled, and how many ListRoots still say so (aws-facts 10.5).
    """

    id: str
    root_id: str
    management_account: str
    management_email: str
    partition: str = "aws"
    feature_set: str = "ALL"
    accounts: dict[str, Account] = field(default_factory=dict)
    units: dict[str, Unit] = field(default_factory=dict)
    policies: dict[str, OrganizationPolicy] = field(default_factory=dict)
    attached: dict[str, dict[str, None]] = field(default_factory=dict)
    policy_types: dict[str, None] = field(default_factory=dict)
    pending_types: dict[str, int] = field(default_factory=dict)
    service_access: dict[str, datetime] = field(default_factory=dict)
    delegated: dict[str, dict[str, datetime]] = field(default_factory=dict)
    delegated_since: dict[str, datetime] = field(default_factory=dict)
    created: dict[str, Account] = field(default_factory=dict)

    @property
    def root(self) -> Unit:
        return self.units[self.root_id]

    def arn(self, kind: str, *path: str) -> str:
        """ARN of a part of the organization, for example ``arn("account", account_id)``."""
        return ":".join(
            ("arn", self.partition, "organizations", "", self.management_account, "/".join((kind, self.id, *path)))
        )

    def add_account(self, account: Account) -> None:
        """Put a new account under its parent, with full access attached as AWS does."""
        self.accounts[account.id] = account
        self.units[account.parent].accounts[account.id] = None
        self.attach_full_access(account.id)

    def add_unit(self, unit: Unit) -> None:
        """Put a new unit under its parent, with full access attached as AWS does."""
        self.units[unit.id] = unit
        if unit.parent:
            self.units[unit.parent].units[unit.id] = None
        self.attach_full_access(unit.id)

    def move(self, account_id: str, parent: str) -> None:
        account = self.accounts[account_id]
        del self.units[account.parent].accounts[account_id]
        self.units[parent].accounts[account_id] = None
        account.parent = parent

    def remove_account(self, account_id: str) -> None:
        """The account leaves; everything attached to it goes."""
        for policy_id in list(self.attached.get(account_id, ())):
            self.detach(policy_id, account_id)
        self.delegated.pop(account_id, None)
        del self.units[self.accounts.pop(account_id).parent].accounts[account_id]

    def attach(self, policy_id: str, target: str) -> None:
        self.policies[policy_id].targets[target] = None
        self.attached.setdefault(target, {})[policy_id] = None

    def detach(self, policy_id: str, target: str) -> None:
        self.policies[policy_id].targets.pop(target, None)
        self.attached.get(target, {}).pop(policy_id, None)

    def attach_full_access(self, target: str) -> None:
        for policy_type in self.policy_types:
            if policy_type in FULL_ACCESS_IDS:
                self.attach(FULL_ACCESS_IDS[policy_type], target)

    def enable_policy_type(self, policy_type: str) -> None:
        """Switch a kind of policy on. With SCPs and RCPs everything gets full access attached, as AWS does."""
        self.pending_types.pop(policy_type, None)
        self.policy_types[policy_type] = None
        if policy_type in FULL_ACCESS_IDS:
            for target in (*self.units, *self.accounts):
                self.attach(FULL_ACCESS_IDS[policy_type], target)

    def lineage(self, account_id: str) -> Iterator[str]:
        """The ids from the root down to the account, both included."""
        path = [account_id]
        while parent := self.units[path[-1]].parent if path[-1] in self.units else self.accounts[path[-1]].parent:
            path.append(parent)
        return reversed(path)

    def attached_policies(self, target: str, policy_type: str) -> list[OrganizationPolicy]:
        return [
            policy
            for policy in (self.policies[identifier] for identifier in self.attached.get(target, ()))
            if policy.type == policy_type
        ]


def new_organization(random: Random, management_account: str, management_email: str, partition: str) -> Organization:
    """An organization with its root and AWS's own two policies, but no account yet."""
    made = Organization(
        id="o-" + word(random, 10),
        root_id="r-" + word(random, 4),
        management_account=management_account,
        management_email=management_email,
        partition=partition,
    )
    for identifier, kind, content in (
        (FULL_ACCESS_ID, SCP, FULL_ACCESS),
        (RCP_FULL_ACCESS_ID, RCP, RCP_FULL_ACCESS),
    ):
        name, text = identifier.removeprefix("p-"), "Allows access to every operation"
        made.policies[identifier] = OrganizationPolicy(identifier, name, text, kind, content, aws_managed=True)
    made.add_unit(Unit(made.root_id, "Root", ""))
    return made


def word(random: Random, length: int) -> str:
    """Letters and digits for an id."""
    return "".join(random.choices(LETTERS, k=length))
