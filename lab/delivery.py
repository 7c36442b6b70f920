# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delivery of log files and digests."""

from __future__ import annotations

from typing import Any

from lab.world import World


def deliver(world: World, hours: float) -> dict[str, Any]:
    return {}
