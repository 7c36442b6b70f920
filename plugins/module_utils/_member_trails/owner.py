# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose trail it is: what its tags and its name tell of the tool that made it and would make it again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from .._organization.tools import tool_of_trail
from .._work.options import Result

OwnerKind = Literal["cloudformation_stack", "stack_set", "terraform", "tool"]

STACK_NAME = "aws:cloudformation:stack-name"
STACK_ID = "aws:cloudformation:stack-id"
_OF_STACK_SET = re.compile(r"StackSet-(.+)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MANAGED_BY = re.compile(
    r"(managed|created|provisioned|maintained|deployed)[-_: ]?(by|with)|terraform|tool|provisioner"
)
_NO = ("", "false", "no")

TOOL_TAGS: dict[str, str] = {
    "aws-control-tower": "AWS Control Tower",
    "aws:controltower": "AWS Control Tower",
    "aft": "Account Factory for Terraform",
    "account factory for terraform": "Account Factory for Terraform",
    "accelerator": "Landing Zone Accelerator",
    "aws-accelerator": "Landing Zone Accelerator",
}
"""What tags of landing zones hold, as a key or as a value, in small letters; and whose they are.

Account Factory for Terraform tags what it makes ``managed_by: AFT``, the accelerator ``Accelerator: AWSAccelerator``.
"""


@dataclass(frozen=True)
class Owner:
    """Who made a trail and keeps it. name: of the stack, the stack set or the tool."""

    kind: OwnerKind
    name: str
    stack_id: str = ""

    def to_dict(self) -> Result:
        return {"kind": self.kind, "name": self.name} | ({"stack_id": self.stack_id} if self.stack_id else {})

    def __str__(self) -> str:
        """The owner in words."""
        return {
            "cloudformation_stack": f"the CloudFormation stack {self.name}",
            "stack_set": f"the CloudFormation StackSet {self.name}",
            "terraform": self.name,
            "tool": self.name,
        }[self.kind]


def owner_of(name: str, tags: Mapping[str, str]) -> Owner | None:
    """The owner of a trail by its tags, else by its name; None where neither tells of one.

    Nobody can set tags that begin with ``aws:`` but AWS itself. Terraform has no tag of its own: what its users write
    is a convention.
    """
    if stack := tags.get(STACK_NAME):
        of_set = _OF_STACK_SET.fullmatch(stack)
        return Owner(
            "stack_set" if of_set else "cloudformation_stack", of_set[1] if of_set else stack, tags.get(STACK_ID, "")
        )
    if tool := tool_of_trail(name) or next(filter(None, (_tool_of_tag(*tag) for tag in tags.items())), ""):
        return Owner("tool", tool)
    return Owner("terraform", "Terraform") if any(_is_of_terraform(*tag) for tag in tags.items()) else None


def _tool_of_tag(key: str, value: str) -> str:
    if value.strip().lower() in _NO:
        return ""
    return TOOL_TAGS.get(key.lower()) or (
        TOOL_TAGS.get(value.strip().lower(), "") if _MANAGED_BY.search(key.lower()) else ""
    )


def _is_of_terraform(key: str, value: str) -> bool:
    key, value = key.lower(), value.strip().lower()
    if "terraform" in key or key.startswith("tf:"):
        return value not in _NO
    return bool(_MANAGED_BY.search(key)) and any(word in value for word in ("terraform", "opentofu", "tofu"))
