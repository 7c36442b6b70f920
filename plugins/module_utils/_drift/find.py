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
from .drifts import Drift, DriftOptions, collect_drift
from .history import attribute

NO_ROLE = "Event history of the bucket's account is not read without log_archive_role_arn."


def find_drift(connection: Connection, options: DriftOptions) -> list[Drift]:
    """What drifted, by the results in the module's options and by what AWS answers, with the changes that caused it.

    An account that cannot be entered costs rows their cause. Raises AnsibleOrgTrailError for an option that is not
    the result which it should be, and for keys of another account than the connection names.
    """
    drifts, administrators = collect_drift(options), options.delegated_administrators
    outsiders = accounts_in(options.log_bucket, options.trusted_accounts)
    if administrators is None and not outsiders and not (drifts and options.event_history):
        return drifts
    session = _enter(connection)
    drifts += account_drift(session, options.log_bucket.get("name", ""), outsiders)
    if administrators is not None:
        drifts += administrator_drift(session, administrators)
    if not drifts or not options.event_history:
        return drifts
    log_archive = _enter_log_archive(session, options)
    return attribute(drifts, session, log_archive, options.log_bucket.get("region") or connection.region)


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
