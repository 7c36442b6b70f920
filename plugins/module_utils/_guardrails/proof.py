# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proof that the guardrails bind: what AWS answers in an account to calls that harm nothing (aws-facts 10.7)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Literal

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .._aws.errors import DENIED, code_of, sentence
from .._aws.probes import delete_no_version, put_no_bucket_policy, put_no_key_policy, stop_no_trail
from .._aws.session import Session
from .._policy.operators import like
from .._work.options import Result
from .statements import PROBE, Guarded

Status = Literal["bound", "bound_unnamed", "bound_by_other", "not_bound", "exempt", "unknown"]
DENIALS: tuple[Status, ...] = ("bound", "bound_unnamed", "bound_by_other")

_BY_POLICY = re.compile(r"explicit deny in a (?:service|resource) control policy(?::\s*(arn:\S+?))?[\s.)]*(?:\(|$)")
REFUSALS = {"TrailNotFoundException", "MalformedPolicy", "MalformedPolicyDocument", "MalformedPolicyDocumentException"}
"""How a call is answered that no policy denied, and that did nothing."""
NOTHING_DONE = "AWS carried the call out, which found nothing to do."


@dataclass(frozen=True)
class Member:
    """An account to prove the guardrails in, and the role that leads there."""

    id: str
    role_arn: str
    external_id: str = ""


@dataclass(frozen=True)
class Probe:
    """A harmless call. statement: the Sid that it proves; action: what is denied."""

    statement: str
    action: str
    call: Callable[[Session, Guarded], None]


@dataclass(frozen=True)
class Proof:
    """What one call in one account showed. policy_arn: the policy that AWS named; reason: AWS's answer else."""

    account_id: str
    statement: str
    action: str
    status: Status
    policy_arn: str = ""
    reason: str = ""

    def result(self) -> Result:
        return asdict(self)


def probes(guarded: Guarded, account: str) -> Iterator[Probe]:
    """What can be asked in an account: of every member, of the log bucket's account, and of the key's."""
    place = guarded.place
    yield Probe("OrgTrailKeepTrail", "cloudtrail:StopLogging", _stop)
    if account == place.owner:
        yield Probe("OrgTrailKeepBucket", "s3:PutBucketPolicy", _put_policy)
        yield Probe("OrgTrailKeepFiles", "s3:DeleteObjectVersion", _delete)
    if account == guarded.key_owner:
        yield Probe("OrgTrailKeepKey", "kms:PutKeyPolicy", _put_key_policy)


def _stop(session: Session, guarded: Guarded) -> None:
    region = guarded.place.trail.region
    arn = f"arn:{guarded.partition}:cloudtrail:{region}:{session.account_id}:trail/{PROBE}"
    stop_no_trail(session.client("cloudtrail", region, once=True), arn)


def _put_policy(session: Session, guarded: Guarded) -> None:
    put_no_bucket_policy(session.client("s3", once=True), guarded.place.bucket, guarded.place.owner)


def _delete(session: Session, guarded: Guarded) -> None:
    key = f"{guarded.place.logs}{PROBE}"
    delete_no_version(session.client("s3", once=True), guarded.place.bucket, guarded.place.owner, key)


def _put_key_policy(session: Session, guarded: Guarded) -> None:
    key = str(guarded.place.kms_key_arn)
    put_no_key_policy(session.client("kms", key.split(":")[3], once=True), key)


def prove(session: Session, guarded: Guarded, member: Member, ours: tuple[str, ...]) -> list[Proof]:
    """Ask everything in one account. ours: ARNs of the guardrails' policies; () takes any for one of ours."""
    wanted = list(probes(guarded, member.id))
    if any(like(pattern, member.role_arn) for pattern in guarded.exempt):
        reason = f"The role {member.role_arn} is exempt, so nothing can be proved with it. Enter with another role."
        return [Proof(member.id, one.statement, one.action, "exempt", reason=reason) for one in wanted]
    try:
        entered = session.assume(member.role_arn, member.external_id or None, member.id)
    except AnsibleAWSError as error:
        return [Proof(member.id, one.statement, one.action, "unknown", reason=sentence(error)) for one in wanted]
    return [_ask(entered, guarded, member.id, probe, ours) for probe in wanted]


def _ask(session: Session, guarded: Guarded, account: str, probe: Probe, ours: tuple[str, ...]) -> Proof:
    try:
        probe.call(session, guarded)
    except AnsibleAWSError as error:
        status, policy, reason = read_answer(error, ours)
        return Proof(account, probe.statement, probe.action, status, policy, reason)
    return Proof(account, probe.statement, probe.action, "not_bound", reason=NOTHING_DONE)


def read_answer(error: AnsibleAWSError, ours: tuple[str, ...]) -> tuple[Status, str, str]:
    """What AWS's error tells: the status, the policy's ARN where it is named, else the reason.

    A denial by the caller's own lack of permission is one by no policy of the organization: those come first.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
    """
    code, text = code_of(error), str(error.exception)
    if code in DENIED:
        match = _BY_POLICY.search(text)
        if match is None:
            return "not_bound", "", sentence(error)
        if not match[1]:
            return "bound_unnamed", "", "AWS's answer does not name the policy."
        return "bound" if not ours or match[1] in ours else "bound_by_other", match[1], ""
    return ("not_bound" if code in REFUSALS else "unknown"), "", sentence(error)
