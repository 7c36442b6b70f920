# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delegated administrators of CloudTrail: whoever is one may stop and change organization trails.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-delegated-administrator.html
"""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .._aws.arn import CLOUDTRAIL
from .._aws.errors import sentence
from .._aws.organizations import list_delegated_administrators
from .._aws.session import Session
from .drift import ORGANIZATION, Drift, not_judged

WHAT, ALL = f"delegated administrator of {CLOUDTRAIL}", f"delegated administrators of {CLOUDTRAIL}"
REGISTERED = ("RegisterOrganizationDelegatedAdmin", "RegisterDelegatedAdministrator")
DEREGISTERED = ("DeregisterOrganizationDelegatedAdmin", "DeregisterDelegatedAdministrator")
"""Events of CloudTrail and of Organizations; either service registers for both."""

VARIABLE = "detect_drift_delegated_administrators"


def administrator_drift(session: Session | str, expected: Sequence[str]) -> list[Drift]:
    """Members that are delegated administrators and are not expected to be, and expected ones that are not.

    session: of the management account, or why there is none. expected: account ids. What may not be read is told.
    """
    if isinstance(session, str):
        return [not_judged(ALL, session)]
    try:
        answer = list_delegated_administrators(session.client("organizations"), CLOUDTRAIL)
    except AnsibleAWSError as error:
        return [not_judged(ALL, sentence(error))]
    names = {account["Id"]: account.get("Name") or "" for account in answer}
    unexpected = [_unexpected(account, name, expected) for account, name in names.items() if account not in expected]
    return [*unexpected, *(_missing(account) for account in expected if account not in names)]


def _unexpected(account: str, name: str, expected: Sequence[str]) -> Drift:
    remedy = (
        "Find out who registered it. Take it away with aws cloudtrail deregister-organization-delegated-admin "
        f"--delegated-admin-account-id {account}, which deletes no trail (or run delegate_org_trail.yml with "
        f"delegated_administrator_exclusive=true), or name it in {VARIABLE} (delegated_administrators of the module "
        "cloudtrail_drift_info)."
    )
    found, wanted = f"account {account} {name}".strip(), " or ".join(expected) or "none"
    return Drift(ORGANIZATION, f"account {account}", WHAT, wanted, found, remedy, REGISTERED)


def _missing(account: str) -> Drift:
    remedy = (
        f"Register it: run delegate_org_trail.yml with delegated_administrator_account_id={account}, or take it out of "
        f"{VARIABLE}."
    )
    return Drift(ORGANIZATION, f"account {account}", WHAT, "registered", "not registered", remedy, DEREGISTERED)
