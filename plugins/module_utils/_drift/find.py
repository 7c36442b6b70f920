# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work of the module cloudtrail_drift_info: what drifted, by what it was given and read, and who caused it."""

from __future__ import annotations

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .._aws.errors import AnsibleSTSError, sentence
from .._aws.session import Connection, Session
from .accounts import account_drift, accounts_in
from .administrators import administrator_drift
from .drifts import DriftOptions, collect_drift, health_advice
from .history import attribute
from .judged import Judged
from .passed import collect_passed

NO_ROLE = "Event history of the bucket's account is not read without log_archive_role_arn."


def judge_drift(connection: Connection, options: DriftOptions, checked_at: str) -> Judged:
    """What drifted and what did not, by the results in the module's options and by what AWS answers.

    An account that cannot be entered costs rows their cause. Raises AnsibleOrgTrailError for an option that is not
    the result which it should be, and for keys of another account than the connection names.
    """
    drifts, administrators = collect_drift(options), options.delegated_administrators
    outsiders = accounts_in(options.log_bucket, options.trusted_accounts)
    results = (options.organization_trail, options.trusted_access, options.log_bucket)
    asks = administrators is not None or outsiders or (options.event_history and (drifts or any(results)))
    session = _enter(connection) if asks else ""
    drifts += account_drift(session, options.log_bucket.get("name", ""), outsiders)
    if administrators is not None:
        drifts += administrator_drift(session, administrators)
    passed = collect_passed(options, drifts)
    if drifts and options.event_history:
        log_archive = _enter_log_archive(session, options)
        region = options.log_bucket.get("region") or connection.region
        drifts = attribute(drifts, session, log_archive, region, _unread_management(session, options))
    return Judged(
        drifts=drifts,
        advice=health_advice(options.log_bucket),
        passed=passed,
        checked_at=checked_at,
        checked_by=_caller(session),
        organization_id=_organization(options),
        trail_arn=str((options.organization_trail.get("trail") or {}).get("arn") or ""),
    )


def _caller(session: Session | str) -> str:
    """ARN of who looks; "" where that cannot be said."""
    try:
        return "" if isinstance(session, str) else session.arn
    except AnsibleAWSError:
        return ""


def _unread_management(session: Session | str, options: DriftOptions) -> str:
    """The management account, where the session is not of it but of a delegated administrator; else ""."""
    organization = options.trusted_access.get("organization") or {}
    management = str(organization.get("management_account_id") or "")
    return "" if isinstance(session, str) or management == session.account_id else management


def _organization(options: DriftOptions) -> str:
    """Id of the organization, by the first result that tells it."""
    told = [(one.get("organization") or {}).get("id") for one in (options.trusted_access, options.organization_trail)]
    return next((str(one) for one in (*told, options.log_bucket.get("organization_id")) if one), "")


def _enter(connection: Connection) -> Session | str:
    """A session in the management account, or why there is none."""
    try:
        return Session(connection)
    except AnsibleSTSError as error:
        return sentence(error)


def _enter_log_archive(session: Session | str, options: DriftOptions) -> Session | str:
    """A session in the bucket's account, or why there is none."""
    if isinstance(session, str):
        return session
    owner = str(options.log_bucket.get("account_id") or "")
    if not options.log_archive_role_arn:
        return session if session.account_id == owner else NO_ROLE
    try:
        return session.assume(options.log_archive_role_arn, options.log_archive_role_external_id, owner)
    except AnsibleAWSError as error:
        return sentence(error)
