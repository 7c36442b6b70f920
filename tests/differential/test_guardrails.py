# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No list of the exempt that is admitted locks a keeper out, by the word of iam-simulate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import CLOUDTRAIL
from ansible_collections.cloudsec.org_trail.plugins.module_utils._guardrails.lockout import (
    exempt_refusal,
    lockouts,
    needs,
    request_of,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._guardrails.policies import RCP, guardrails
from ansible_collections.cloudsec.org_trail.plugins.module_utils._guardrails.statements import Guarded

from tests.unit.plugins.module_utils._guardrails.guarded import EXEMPT, GUARDED, KEEPERS

CONFIGURATIONS = 200
EVERYTHING = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


def draw_exempt(draw: Random) -> tuple[str, ...]:
    """The right ones, most of them, each perhaps with a slip or a pattern in its place."""
    slips: list[Callable[[str], str]] = [
        lambda arn: arn,
        lambda arn: arn,
        lambda arn: arn,
        lambda arn: arn.replace(":role/", ":user/"),
        lambda arn: arn.lower(),
        lambda arn: arn.replace("/audit/", "/"),
        lambda arn: arn.replace("OrgTrail", "OrgTrail*"),
        lambda arn: arn[:-3] + "*",
        lambda arn: arn[:-1] + "?",
        lambda arn: arn[:-1],
        lambda arn: arn.replace("444455556666", "*"),
    ]
    kept = [one for one in EXEMPT if draw.random() < 0.9]
    return tuple(draw.choice(slips)(one) for one in kept)


def cases_of(guarded: Guarded) -> list[dict[str, Any]]:
    """What each keeper needs, as cases of iam-simulate: by the service control policies, or by a resource's."""
    rails = guardrails(guarded)
    scps = [one.content for one in rails if one.type != RCP]
    [rcp] = [one.content for one in rails if one.type == RCP]
    cases = []
    for need in needs(guarded, KEEPERS):
        context = {key: value for key, value in request_of(need, guarded.place).context.items() if value is not None}
        case: dict[str, Any] = {"action": need.action, "resource": need.resource, "context": context}
        owner = guarded.place.owner if need.resource.startswith(("arn:aws:s3", "arn:aws:kms")) else "999999999999"
        if need.service:
            allow = {"Effect": "Allow", "Principal": {"Service": CLOUDTRAIL}, "Action": "*", "Resource": "*"}
            policy = {**rcp, "Statement": [*rcp["Statement"], allow]}
            cases.append({**case, "principal": CLOUDTRAIL, "policy": policy, "owner": owner})
        else:
            account = need.principal.split(":")[4]
            levels = [[EVERYTHING, *scps]]
            cases.append({**case, "principal": need.principal, "policy": None, "owner": account, "levels": levels})
    return cases


def test_no_admitted_configuration_locks_a_keeper_out(
    their_answers: Callable[[list[dict[str, Any]]], list[str]],
) -> None:
    draw = Random("guardrails")
    admitted: list[Guarded] = []
    refused: list[Guarded] = []
    for _ in range(CONFIGURATIONS):
        guarded = replace(GUARDED, exempt=draw_exempt(draw))
        bad = exempt_refusal(guarded) or lockouts(guardrails(guarded), guarded, KEEPERS)
        (refused if bad else admitted).append(guarded)
    assert min(len(admitted), len(refused)) > CONFIGURATIONS / 10
    different = {one.exempt: one for one in admitted}.values()
    cases = [case for one in different for case in cases_of(one)]
    wrong = [(case, answer) for case, answer in zip(cases, their_answers(cases), strict=True) if answer != "Allow"]
    assert wrong == []
    locking = [cases_of(one) for one in refused[:20] if exempt_refusal(one) is None]
    answers = iter(their_answers([case for cases in locking for case in cases]))
    assert [cases for cases in locking if "Deny" not in [next(answers) for _case in cases]] == []
