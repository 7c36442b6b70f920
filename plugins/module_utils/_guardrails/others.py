# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other policies of the organization that guard the log bucket already, such as those of Control Tower. Only read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .._aws.policies import describe_policy, list_attached
from .._aws.untyped import Client
from .._policy.document import Document, Policy, PolicyError, parse_policy
from .._policy.evaluation import Request, evaluate
from .statements import Guarded, archive_statements

SCP = "SERVICE_CONTROL_POLICY"


@dataclass(frozen=True)
class Other:
    """A policy of somebody else. target: the root, OU or account that it is attached to."""

    id: str
    name: str
    target: str
    content: str


@dataclass(frozen=True)
class Guard:
    """What another policy denies of a statement of the guardrails. statement: that statement's Sid."""

    policy_id: str
    policy_name: str
    target: str
    statement: str
    actions: tuple[str, ...]


def read_others(client: Client, targets: Iterable[str], ours: Iterable[str]) -> list[Other]:
    """The service control policies that are attached to targets, but for AWS's own and ours.

    ours: their names. Raises AnsibleOrganizationsError for what AWS refuses.
    """
    names = set(ours)
    return [
        Other(one["Id"], one["Name"], target, describe_policy(client, one["Id"])["Content"])
        for target in targets
        for one in list_attached(client, target, SCP)
        if not one.get("AwsManaged") and one["Name"] not in names
    ]


def guards(others: Iterable[Other], guarded: Guarded) -> list[Guard]:
    """What others deny to an ordinary role of the log bucket's account, of what the guardrails deny there.

    A policy that cannot be read denies nothing here, and what a condition leaves open is no denial.
    """
    return [guard for other in others for guard in _guards(other, guarded)]


def _guards(other: Other, guarded: Guarded) -> Iterator[Guard]:
    try:
        policy = parse_policy(other.content, "identity")
    except PolicyError:
        return
    for statement in archive_statements(guarded):
        actions = tuple(action for action in statement["Action"] if _denies(policy, action, statement, guarded))
        if actions:
            yield Guard(other.id, other.name, other.target, statement["Sid"], actions)


def _denies(policy: Policy, action: str, statement: Document, guarded: Guarded) -> bool:
    place = guarded.place
    resource = str(statement["Resource"]).replace("*", "x")
    principal = f"arn:{guarded.partition}:iam::{place.owner}:role/x"
    context = {"aws:PrincipalArn": principal, "aws:PrincipalOrgID": place.organization_id}
    request = Request(action, resource, {"AWS": principal}, {**context}, complete=False)
    return evaluate(policy, request, identity_policy=True).effect == "Deny"
