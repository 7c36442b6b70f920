# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWS's answer to a harmless call proves, and what it does not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._guardrails.proof import (
    Member,
    probes,
    prove,
    read_answer,
)
from botocore.exceptions import ClientError

from tests.canned_aws import CannedSession

from .guarded import ADMINISTRATOR, ARCHIVE, EXEMPT, GUARDED, PLACE

OURS = "arn:aws:organizations::1:policy/o-1/service_control_policy/p-ours"
THEIRS = OURS.replace("p-ours", "p-theirs")
DENIED = "User: arn is not authorized to perform: cloudtrail:StopLogging on resource: arn"
SCP = f"{DENIED} with an explicit deny in a service control policy"
ROLE = f"arn:aws:iam::{ADMINISTRATOR}:role/Auditor"


def error(code: str, message: str) -> AnsibleAWSError:
    answer: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    return AnsibleAWSError(message="Failed", exception=ClientError(answer, "StopLogging"))


@pytest.mark.parametrize(
    ("code", "message", "status", "policy"),
    [
        ("AccessDeniedException", f"{SCP}: {OURS}", "bound", OURS),
        ("AccessDenied", f"{SCP}: {OURS}.", "bound", OURS),
        ("AccessDenied", f"{SCP.replace('service control', 'resource control')}: {OURS}", "bound", OURS),
        ("AccessDeniedException", f"{SCP}: {THEIRS}", "bound_by_other", THEIRS),
        ("AccessDeniedException", SCP, "bound_unnamed", ""),
        ("AccessDeniedException", f"{DENIED} because no identity-based policy allows it", "not_bound", ""),
        ("AccessDenied", f"{DENIED} with an explicit deny in a resource-based policy", "not_bound", ""),
        ("AccessDenied", "Access Denied", "not_bound", ""),
        ("TrailNotFoundException", "Unknown trail", "not_bound", ""),
        ("MalformedPolicy", "no Statement", "not_bound", ""),
        ("MalformedPolicyDocumentException", "no Statement", "not_bound", ""),
        ("ThrottlingException", "Rate exceeded", "unknown", ""),
        ("NoSuchBucket", "gone", "unknown", ""),
    ],
)
def test_read_answer(code: str, message: str, status: str, policy: str) -> None:
    found, arn, reason = read_answer(error(code, message), (OURS,))
    assert (found, arn, bool(reason)) == (status, policy, not policy)
    if policy:
        assert read_answer(error(code, message), ())[0] == "bound"


@pytest.mark.parametrize(
    ("account", "statements"),
    [
        (ADMINISTRATOR, ["OrgTrailKeepTrail"]),
        (ARCHIVE, ["OrgTrailKeepTrail", "OrgTrailKeepBucket", "OrgTrailKeepFiles", "OrgTrailKeepKey"]),
    ],
)
def test_probes(account: str, statements: list[str]) -> None:
    assert [one.statement for one in probes(GUARDED, account)] == statements
    elsewhere = replace(GUARDED, place=replace(PLACE, kms_key_arn=""))
    assert [one.statement for one in probes(elsewhere, account)] == statements[:3]


class Session(CannedSession):
    def assume(self, role_arn: str, external_id: str | None, account_id: str = "") -> CannedSession:
        return super().assume(role_arn, external_id)


@pytest.mark.parametrize("answer", [{}, error("AccessDenied", f"{SCP}: {OURS}").exception])
def test_prove(answer: Any) -> None:
    methods = ("stop_logging", "put_bucket_policy", "delete_object", "put_key_policy")
    session = Session(ARCHIVE, "us-east-1", dict.fromkeys(methods, answer))
    proofs = prove(cast(Any, session), GUARDED, Member(ARCHIVE, ROLE.replace(ADMINISTRATOR, ARCHIVE)), (OURS,))
    assert {one.status for one in proofs} == ({"bound"} if answer else {"not_bound"})
    assert [method for _region, method, _parameters in session.calls] == list(methods)
    key = session.calls[2][2]["Key"]
    assert (key, session.calls[0][2]["Name"].rpartition("/")[2]) == (
        "central/AWSLogs/org-trail-guardrails-probe",
        "org-trail-guardrails-probe",
    )


def test_with_an_exempt_role_nothing_is_proved() -> None:
    session = Session(ADMINISTRATOR, "us-east-1", {})
    [proof] = prove(cast(Any, session), GUARDED, Member(ADMINISTRATOR, EXEMPT[1]), ())
    assert (proof.status, session.calls) == ("exempt", [])
    assert "is exempt, so nothing can be proved with it" in proof.reason
