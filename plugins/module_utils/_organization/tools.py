# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tools that make trails of their own, and how their trails are named (aws-facts 7.7, 7.9)."""

from __future__ import annotations

from collections.abc import Callable

TRAIL_NAMES: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("AWS Control Tower", lambda name: name.startswith("aws-controltower-")),
    ("Landing Zone Accelerator", lambda name: name.endswith("-Organizations-CloudTrail")),
    ("Account Factory for Terraform", lambda name: name == "aws-aft-CustomizationsCloudTrail"),
    ("the AWS Security Reference Architecture", lambda name: name == "sra-org-trail"),
    ("the AWS Secure Environment Accelerator", lambda name: name in ("ASEA-Org-Trail", "PBMMAccel-Org-Trail")),
)
"""Tools, and whether a trail is theirs by its name."""


def tool_of_trail(name: str) -> str:
    """The tool that a trail belongs to by its name; "" for none."""
    return next((tool for tool, owns in TRAIL_NAMES if owns(name)), "")
