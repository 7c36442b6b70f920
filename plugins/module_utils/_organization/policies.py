# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One service or resource control policy of the organization: what is wanted, and what is."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from ansible_collections.amazon.aws.plugins.module_utils.tagging import boto3_tag_list_to_ansible_dict

from .._aws.arn import is_account_id
from .._aws.errors import AnsibleOrgTrailError
from .._aws.organizations import describe_account, list_roots
from .._aws.policies import describe_policy, list_policies, list_policy_tags, list_targets
from .._aws.untyped import Client, Structure
from .._policy.document import Document
from .._work.pace import Pace
from .._work.reads import read_all
from .reader import Paces, every_page, read_units

OWNER = {"ManagedBy": "cloudsec.org_trail"}
"""The tag of the policies, and of the queues, that are ours. Others are read, and never written."""

_TARGET_ID = re.compile(r"r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}|\d{12}")


@dataclass(frozen=True)
class Wanted:
    """What the user asks for; the names are those of the module's options. targets: None leaves attachments alone."""

    name: str
    type: str
    content: Document | None
    targets: tuple[str, ...] | None
    description: str
    tags: dict[str, str]
    purge_targets: bool
    enable_type: bool
    enable_type_timeout: float
    state: str

    @property
    def kind(self) -> str:
        """The type's name in AWS's API."""
        return self.type.upper()


@dataclass(frozen=True)
class OrganizationPolicy:
    """A policy as AWS answers it; id "" for one that is not there."""

    id: str = ""
    arn: str = ""
    description: str = ""
    content: Document = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    targets: tuple[str, ...] = ()
    aws_managed: bool = False


@dataclass(frozen=True)
class Situation:
    """What is: the root's id, whether the policy type is ENABLED, PENDING_ENABLE or "", and the policy."""

    root_id: str
    type_status: str
    policy: OrganizationPolicy


# --- reading ----------------------------------------------------------------------------------------


def read_situation(client: Client, wanted: Wanted) -> Situation:
    """The root, the policy type's status and the policy of the wanted name. Raises AnsibleOrganizationsError."""
    answers = read_all({"roots": partial(read_root, client), "policies": partial(list_policies, client, wanted.kind)})
    root, policies = answers["roots"], answers["policies"]
    status = next((one["Status"] for one in root.get("PolicyTypes") or [] if one["Type"] == wanted.kind), "")
    found = next((one for one in policies if one["Name"] == wanted.name), None)
    policy = read_policy(client, found) if found else OrganizationPolicy()
    return Situation(root["Id"], status, policy)


def read_root(client: Client) -> Structure:
    pages = every_page(lambda token: list_roots(client, token), Pace(0, 1))
    root: Structure = next(root for page in pages for root in page["Roots"])
    return root


def read_policy(client: Client, summary: Structure) -> OrganizationPolicy:
    """A policy with its content, targets and tags."""
    identifier = summary["Id"]
    answers = read_all(
        {
            "policy": partial(describe_policy, client, identifier),
            "targets": partial(list_targets, client, identifier),
            "tags": partial(list_policy_tags, client, identifier),
        }
    )
    return OrganizationPolicy(
        id=identifier,
        arn=summary["Arn"],
        description=answers["policy"]["PolicySummary"].get("Description") or "",
        content=json.loads(answers["policy"]["Content"]),
        tags=boto3_tag_list_to_ansible_dict(answers["tags"]),
        targets=tuple(answers["targets"]),
        aws_managed=bool(summary.get("AwsManaged")),
    )


def resolve_targets(client: Client, targets: Sequence[str], root_id: str) -> tuple[str, ...]:
    """The ids of targets that are ids, ``root``, or paths of OU names such as ``Workloads/Production``, sorted.

    Raises AnsibleOrgTrailError for one that the organization does not have.
    """
    paths = [one for one in targets if one != "root" and not _TARGET_ID.fullmatch(one)]
    known = _unit_paths(client, Paces()) if paths or any(one.startswith("ou-") for one in targets) else {}
    found = {"root": root_id, root_id: root_id, **known, **{unit: unit for unit in known.values()}}
    for target in targets:
        if is_account_id(target) and describe_account(client, target):
            found[target] = target
        if target not in found:
            raise AnsibleOrgTrailError(
                f"targets holds {target!r}, which the organization does not have, expected the id of an account, OU or "
                "root, the path of an OU by its names such as Workloads/Production, or root. Correct it; OU names "
                "count as they are written."
            )
    return tuple(sorted({found[target] for target in targets}))


def _unit_paths(client: Client, paces: Paces) -> dict[str, str]:
    """The id of each OU by the names that lead to it from the root."""
    units = read_units(client, paces)

    def path(unit: str) -> str:
        name, parent = units[unit]
        above = path(parent) if parent in units and units[parent][1] else ""
        return f"{above}/{name}" if above else name

    return {path(unit): unit for unit, (_name, parent) in units.items() if parent}
