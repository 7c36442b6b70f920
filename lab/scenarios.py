# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The worlds that the lab can start with."""

from __future__ import annotations

from lab.call import Principal
from lab.world import World

SCENARIOS = ("lesson", "landing_zone", "empty")


def build(world: World, scenario: str, accounts: int) -> dict[str, str]:
    world.management_account = "111111111111"
    world.sessions["AKIALABADMIN00000000"] = Principal(
        "111111111111", "arn:aws:iam::111111111111:user/lab", "AKIALABADMIN00000000"
    )
    return {
        "AWS_ACCESS_KEY_ID": "AKIALABADMIN00000000",
        "AWS_SECRET_ACCESS_KEY": "lab",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
