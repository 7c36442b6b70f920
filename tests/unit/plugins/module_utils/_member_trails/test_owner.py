# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose trail it is, by its tags and its name."""

from __future__ import annotations

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.owner import Owner, owner_of

STACK = "arn:aws:cloudformation:us-east-1:222222222222:stack/s/1"
SET = "StackSet-baseline-trail-0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f"


@pytest.mark.parametrize(
    ("name", "tags", "owner", "words"),
    [
        (
            "t",
            {"aws:cloudformation:stack-name": "logging", "aws:cloudformation:stack-id": STACK},
            Owner("cloudformation_stack", "logging", STACK),
            "the CloudFormation stack logging",
        ),
        (
            "t",
            {"aws:cloudformation:stack-name": SET},
            Owner("stack_set", "baseline-trail"),
            "the CloudFormation StackSet baseline-trail",
        ),
        ("aws-controltower-BaselineCloudTrail", {}, Owner("tool", "AWS Control Tower"), "AWS Control Tower"),
        (
            "aws-aft-CustomizationsCloudTrail",
            {},
            Owner("tool", "Account Factory for Terraform"),
            "Account Factory for Terraform",
        ),
        ("t", {"managed_by": "AFT"}, Owner("tool", "Account Factory for Terraform"), "Account Factory for Terraform"),
        (
            "t",
            {"aws-control-tower": "managed-by-control-tower"},
            Owner("tool", "AWS Control Tower"),
            "AWS Control Tower",
        ),
        ("t", {"Accelerator": "AWSAccelerator"}, Owner("tool", "Landing Zone Accelerator"), "Landing Zone Accelerator"),
        ("t", {"Terraform": "true"}, Owner("terraform", "Terraform"), "Terraform"),
        ("t", {"ManagedBy": "terraform"}, Owner("terraform", "Terraform"), "Terraform"),
        ("t", {"managed-by": "OpenTofu"}, Owner("terraform", "Terraform"), "Terraform"),
        ("t", {"tf:workspace": "prod"}, Owner("terraform", "Terraform"), "Terraform"),
    ],
)
def test_an_owner(name: str, tags: dict[str, str], owner: Owner, words: str) -> None:
    found = owner_of(name, tags)
    assert found == owner
    assert str(found) == words
    assert found.to_dict()["kind"] == owner.kind


@pytest.mark.parametrize(
    "tags", [{}, {"Team": "platform"}, {"Terraform": "false"}, {"terraform": ""}, {"ManagedBy": "hand"}, {"Craft": "x"}]
)
def test_no_owner(tags: dict[str, str]) -> None:
    assert owner_of("default", tags) is None
