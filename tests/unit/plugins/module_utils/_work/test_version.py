# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What modules write about their version is what galaxy.yml says."""

from __future__ import annotations

from ansible_collections.cloudsec.org_trail.plugins.module_utils._work.version import VERSION

from tests.unit.documented import ROOT, load_yaml


def test_it_is_the_version_of_the_collection() -> None:
    assert load_yaml(ROOT / "galaxy.yml")["version"] == VERSION
