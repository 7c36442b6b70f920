# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tools that make trails, by the trails' names."""

from __future__ import annotations

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.tools import tool_of_trail


@pytest.mark.parametrize(
    ("name", "tool"),
    [
        ("aws-controltower-BaselineCloudTrail", "AWS Control Tower"),
        ("AWSAccelerator-Organizations-CloudTrail", "Landing Zone Accelerator"),
        ("aws-aft-CustomizationsCloudTrail", "Account Factory for Terraform"),
        ("sra-org-trail", "the AWS Security Reference Architecture"),
        ("ASEA-Org-Trail", "the AWS Secure Environment Accelerator"),
        ("default", ""),
    ],
)
def test_tool_of_trail(name: str, tool: str) -> None:
    assert tool_of_trail(name) == tool
