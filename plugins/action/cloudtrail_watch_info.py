# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of the module of the same name."""

from __future__ import annotations

from ansible_collections.cloudsec.org_trail.plugins.action._account import ActionModule
from ansible_collections.cloudsec.org_trail.plugins.action._direct import preload

preload(__name__)

__all__ = ["ActionModule"]
