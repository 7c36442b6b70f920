# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trusted access of one AWS service to the organization: what is, what is wanted, and what stands in the way."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial

from .._aws.arn import CLOUDTRAIL
from .._aws.errors import DENIED, AnsibleOrgTrailError, code_of, denied_by_policy, refuse
from .._aws.organizations import (
    AnsibleOrganizationsError,
    Organization,
    describe_organization,
    disable_service_access,
    enable_service_access,
    has_service_access,
    list_service_access,
)
from .._aws.session import Session
from .._aws.unknown_outcome import write_and_look
from .._aws.untyped import Client
from .._work.options import Result
from .._work.reads import read_all
from .refusals import caller_refusal, feature_refusal, management_refusal
from .resources import find_organization_resources


@dataclass(frozen=True)
class Wanted:
    """What the user asks for; the names are those of the module's options."""

    service_principal: str
    state: str
    allow_trail_downgrade: bool


@dataclass(frozen=True)
class ServiceAccess:
    """What Organizations answers."""

    organization: Organization
    trusted_services: tuple[str, ...]


def describe_service_access(session: Session) -> ServiceAccess:
    """Read the organization and its trusted services, both at once.

    Raises AnsibleOrgTrailError when the caller is no management account or the organization lacks all features
    (aws-facts 1.1, 1.2), AnsibleOrganizationsError for what AWS refuses otherwise.
    """
    client = session.client("organizations")
    answers = read_all(
        {"organization": partial(describe_organization, client), "services": partial(_services_or_denial, client)}
    )
    organization, services = answers["organization"], answers["services"]
    if isinstance(services, AnsibleOrganizationsError):
        refuse(None if denied_by_policy(services) else caller_refusal(organization, session.account_id))
        raise services
    refuse(feature_refusal(organization))
    return ServiceAccess(organization, services)


def _services_or_denial(client: Client) -> tuple[str, ...] | AnsibleOrganizationsError:
    """The trusted services, sorted; or the denial, of which only the organization can say whether it was expected."""
    try:
        return tuple(sorted(service["ServicePrincipal"] for service in list_service_access(client)))
    except AnsibleOrganizationsError as error:
        if code_of(error) not in DENIED:
            raise
        return error


def ensure_service_access(session: Session, before: ServiceAccess, wanted: Wanted, check_mode: bool) -> ServiceAccess:
    """Turn trusted access on or off where it is not as wanted; answer what is then.

    Raises AnsibleOrgTrailError when turning it off would blind members and the user did not accept that, and for a
    delegated administrator, who may look but not change.
    """
    services = set(before.trusted_services)
    if (wanted.service_principal in services) == (wanted.state == "present"):
        return before
    refuse(_delegate_refusal(session, before, wanted))
    if wanted.state == "absent":
        refuse_downgrade(session, wanted)
    if not check_mode:
        clients = (session.client("organizations"), session.client("organizations", once=True))
        change_service_access(*clients, wanted)
    services ^= {wanted.service_principal}
    return replace(before, trusted_services=tuple(sorted(services)))


def _delegate_refusal(session: Session, before: ServiceAccess, wanted: Wanted) -> str | None:
    """Why a delegated administrator, who may read trusted access, cannot change it (aws-facts 11.1)."""
    changes = {"present": ("on", "enable_org_trail.yml"), "absent": ("off", "the module organizations_service_access")}
    change, command = changes[wanted.state]
    what = f"Turning trusted access for {wanted.service_principal} {change}"
    return management_refusal(before.organization, session.account_id, what, command)


def change_service_access(
    client: Client, once: Client, wanted: Wanted, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Turn trusted access on or off. When the outcome is unknown, look, and write again only what was not done.

    once: a client for writes. Raises AnsibleOrganizationsError for what AWS refuses, and for an outcome that stays
    unknown.
    """
    write = enable_service_access if wanted.state == "present" else disable_service_access
    write_and_look(
        partial(write, once, wanted.service_principal),
        lambda: has_service_access(client, wanted.service_principal) == (wanted.state == "present"),
        sleep,
    )


def refuse_downgrade(session: Session, wanted: Wanted) -> None:
    """Raise AnsibleOrgTrailError when organization trails or event data stores would be lost (aws-facts section 5)."""
    if wanted.service_principal != CLOUDTRAIL or wanted.allow_trail_downgrade:
        return
    lost = find_organization_resources(session)
    if lost:
        raise AnsibleOrgTrailError(
            f"Trusted access for {CLOUDTRAIL} stays on, because turning it off would blind every member account: "
            f"found {', '.join(lost)}, expected none. Convert or delete them first, or set allow_trail_downgrade=true."
        )


def summarize(before: ServiceAccess, after: ServiceAccess) -> Result:
    """The module's result."""
    organization = before.organization
    header = f"organization {organization.id}, management account {organization.management_account_id}"
    return {
        "changed": after != before,
        "organization": asdict(after.organization),
        "trusted_services": list(after.trusted_services),
        "diff": {
            "before_header": header,
            "after_header": header,
            "before": {"trusted_services": list(before.trusted_services)},
            "after": {"trusted_services": list(after.trusted_services)},
        },
    }
