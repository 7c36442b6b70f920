# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudTrail's delegated administrators: who is one, who shall be one, and what stands in the way.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-delegated-administrator.html
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

from .._aws.arn import CLOUDTRAIL, is_account_id
from .._aws.cloudtrail import deregister_delegated_admin, register_delegated_admin
from .._aws.errors import DENIED, AnsibleOrgTrailError, code_of, denied_by_policy, refuse
from .._aws.iam import get_role
from .._aws.organizations import (
    AnsibleOrganizationsError,
    Organization,
    describe_account,
    describe_organization,
    has_service_access,
    list_delegated_administrators,
)
from .._aws.session import Session
from .._aws.unknown_outcome import write_and_look
from .._aws.untyped import Client, Structure
from .._work.options import Result
from .._work.reads import read_all
from .accounts import ACTIVE, Account, account_of
from .refusals import feature_refusal, management_refusal

MOST_ADMINISTRATORS = 3
"""https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html"""

LINKED_ROLES = ("AWSServiceRoleForCloudTrail", "AWSServiceRoleForCloudTrailEventContext")
"""The roles of management that a registration makes (aws-facts 1.8)."""


@dataclass(frozen=True)
class Wanted:
    """What the user asks for; the names are those of the module's options."""

    member_account_id: str
    state: str
    exclusive: bool = False
    trusted_access_follows: bool = False

    def administrators(self, now: Collection[str]) -> set[str]:
        """The accounts that shall be administrators, by those that are."""
        if self.state == "absent":
            return set(now) - {self.member_account_id}
        return {self.member_account_id} | (set() if self.exclusive else set(now))


@dataclass(frozen=True)
class Administration:
    """What AWS answers: names of the administrators by account, the member that is meant, and management's roles.

    member: None when the organization has no such account. linked_roles: whether each of ``LINKED_ROLES`` exists.
    """

    organization: Organization
    administrators: Mapping[str, str]
    member: Account | None
    trusted: bool
    linked_roles: Mapping[str, bool]


def administrators_of(client: Client) -> dict[str, str]:
    """Names of CloudTrail's delegated administrators, by account id."""
    found = list_delegated_administrators(client, CLOUDTRAIL)
    return {account["Id"]: account.get("Name") or "" for account in found}


def is_administrator(session: Session) -> bool:
    """Whether the caller's account, a member, is one of them. Only administrators, of whatever service, may ask.

    Raises AnsibleOrganizationsError when the caller's own policies deny it: then nothing is known.
    """
    try:
        return session.account_id in administrators_of(session.client("organizations"))
    except AnsibleOrganizationsError as error:
        if code_of(error) not in DENIED or denied_by_policy(error):
            raise
        return False


def describe_administration(session: Session, wanted: Wanted) -> Administration:
    """Read all that decides. Raises AnsibleOrgTrailError for a caller other than management (aws-facts 1.2, 11.1)."""
    if not is_account_id(wanted.member_account_id):
        raise AnsibleOrgTrailError(
            f"member_account_id is {wanted.member_account_id!r}, expected 12 digits. Quote the id in YAML."
        )
    client, iam = session.client("organizations"), session.client("iam")
    organization = describe_organization(client)
    what = "The choice of CloudTrail's delegated administrators"
    refuse(management_refusal(organization, session.account_id, what, "delegate_org_trail.yml"))
    refuse(feature_refusal(organization))
    answers = read_all(
        {
            "administrators": partial(administrators_of, client),
            "member": partial(describe_account, client, wanted.member_account_id),
            "trusted": partial(has_service_access, client, CLOUDTRAIL),
            **{name: partial(get_role, iam, name) for name in LINKED_ROLES},
        }
    )
    roles = {name: answers.pop(name) is not None for name in LINKED_ROLES}
    member: Structure | None = answers.pop("member")
    return Administration(organization, member=account_of(member) if member else None, linked_roles=roles, **answers)


def change_refusal(found: Administration, wanted: Wanted) -> str | None:
    """Why AWS would not do what is wanted, in one sentence; None when it would (aws-facts 11.1, 11.3)."""
    account, id_ = wanted.member_account_id, found.organization.id
    if not found.trusted and not wanted.trusted_access_follows:
        return (
            f"Trusted access for {CLOUDTRAIL} is off in the organization {id_}, expected on before its delegated "
            "administrators are changed. Turn it on with the role trusted_access."
        )
    target = wanted.administrators(found.administrators)
    if account not in target - set(found.administrators):
        return None
    if account == found.organization.management_account_id:
        return (
            f"Account {account} is the management account of the organization {id_}, expected a member as delegated "
            "administrator. Set member_account_id to one, such as SecurityAudit."
        )
    if found.member is None:
        return (
            f"Account {account} is not in the organization {id_}, expected a member as delegated administrator. "
            "Correct member_account_id."
        )
    if found.member.state not in ("", ACTIVE):
        return (
            f"Account {account} ({found.member.name}) is {found.member.state}, expected an {ACTIVE} member as "
            "delegated administrator. Reopen it, or set member_account_id to another one."
        )
    if len(target) > MOST_ADMINISTRATORS:
        return (
            f"CloudTrail has {len(found.administrators)} delegated administrators, "
            f"{_listed(found.administrators)}, expected fewer than {MOST_ADMINISTRATORS} before {account} can become "
            "one. Take one away with state=absent; no trail is lost by that."
        )
    return None


def ensure_administrator(session: Session, before: Administration, wanted: Wanted, check_mode: bool) -> Administration:
    """Register or deregister where it is not as wanted, others first; what is then, read from AWS.

    Raises AnsibleOrgTrailError for what AWS would refuse, before the call and in check mode too; AnsibleAWSError for
    what it refuses otherwise. The trail is never touched.
    """
    now, target = set(before.administrators), wanted.administrators(before.administrators)
    if target == now:
        return before
    refuse(change_refusal(before, wanted))
    if check_mode:
        return _predicted(before, target)
    client, once = session.client("organizations"), session.client("cloudtrail", once=True)
    for account in sorted(now - target):
        _write(partial(deregister_delegated_admin, once, account), client, account, registered=False)
    for account in sorted(target - now):
        _write(partial(register_delegated_admin, once, account), client, account, registered=True)
    after = describe_administration(session, wanted)
    if set(after.administrators) != target:
        raise AnsibleOrgTrailError(
            "CloudTrail accepted the change of its delegated administrators, but Organizations then listed "
            f"{_listed(after.administrators)}, expected {_listed(target)}. Run again in a few minutes."
        )
    return after


def _write(write: Callable[[], None], client: Client, account: str, *, registered: bool) -> None:
    write_and_look(write, lambda: (account in administrators_of(client)) == registered)


def _listed(accounts: Collection[str]) -> str:
    return ", ".join(sorted(accounts)) or "none"


def _predicted(before: Administration, target: Collection[str]) -> Administration:
    new = before.member.name if before.member else ""
    names = {account: before.administrators.get(account, new) for account in target}
    added = set(target) - set(before.administrators)
    roles = dict.fromkeys(LINKED_ROLES, True) if added else before.linked_roles
    return replace(before, administrators=names, linked_roles=roles)


def summarize(before: Administration, after: Administration) -> Result:
    """The module's result."""
    told: dict[str, Any] = _told(after)
    return {
        "changed": after != before,
        "organization": asdict(after.organization),
        **told,
        "diff": {"before": _told(before), "after": told},
    }


def _told(found: Administration) -> Result:
    administrators = [{"account_id": one, "name": name} for one, name in sorted(found.administrators.items())]
    roles = [{"name": name, "exists": exists} for name, exists in found.linked_roles.items()]
    return {"delegated_administrators": administrators, "service_linked_roles": roles}
