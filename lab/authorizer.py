# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what: service control policies always, identity policies with ``--enforce-iam``."""

from __future__ import annotations

from lab.call import Call
from lab.world import World


def authorize(world: World, call: Call) -> None:
    """Raise AWS's AccessDenied answer when a policy denies the call."""
