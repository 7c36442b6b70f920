# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policies in docs/iam, with their placeholders filled in, and taken apart."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:  # unit tests need the texts alone
    from tests.lab_process import Lab

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "iam"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
TRUST = [name for name in NAMES if name.startswith("trust_")]
PERMISSIONS = [name for name in NAMES if name not in TRUST]
PLACEHOLDER = re.compile(r"\$\{(\w+)\}")

Policy = dict[str, Any]


def text_of(name: str) -> str:
    """The file's text, with its placeholders."""
    return (FOLDER / f"{name}.json").read_text(encoding="utf-8")


def filled(name: str, values: Mapping[str, str]) -> Policy:
    """The policy with each placeholder replaced. Raises KeyError for one that has no value."""
    policy: Policy = json.loads(PLACEHOLDER.sub(lambda match: values[match[1]], text_of(name)))
    return policy


def values_of(lab: Lab, **more: str) -> dict[str, str]:
    """What the placeholders of docs/iam stand for in a lab; more: further ones."""
    return {
        "Partition": "aws",
        "OrganizationId": lab.organization_id,
        "ManagementAccountId": lab.management,
        "LogArchiveAccountId": lab.log_archive,
        "HomeRegion": lab.home_region,
        "TrailName": "default",
        "LogBucketName": lab.bucket,
        **more,
    }


def listed(value: Any) -> list[Any]:
    """A policy element that may be one value or a list, as a list."""
    return value if isinstance(value, list) else [value]


def grants(policy: Policy) -> Iterator[tuple[dict[str, Any], str]]:
    """Each statement with each of its actions."""
    for statement in policy["Statement"]:
        for action in listed(statement["Action"]):
            yield statement, action


def actions_of(policy: Policy) -> set[str]:
    """All actions of a policy."""
    return {action for _statement, action in grants(policy)}


def without(policy: Policy, action: str) -> Policy:
    """The policy with one action taken out of every statement."""
    narrowed = copy.deepcopy(policy)
    for statement in narrowed["Statement"]:
        statement["Action"] = [one for one in listed(statement["Action"]) if one != action]
    narrowed["Statement"] = [statement for statement in narrowed["Statement"] if statement["Action"]]
    return narrowed


def documented_actions(documentation: str) -> tuple[set[str], set[str]]:
    """The IAM actions in a plugin's notes: those of a run with default options, and those only with others."""
    needed, optional = set(), set()
    for note in yaml.safe_load(documentation).get("notes", []):
        found = set(re.findall(r"C\((\w+:[A-Z]\w+)\)", note))
        if note.startswith("IAM actions only "):
            optional |= found
        elif note.startswith("IAM actions: "):
            needed |= found
    return needed, optional - needed
