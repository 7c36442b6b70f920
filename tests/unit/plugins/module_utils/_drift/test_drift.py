# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What could not be judged is a row of its own."""

from __future__ import annotations

from ansible_collections.cloudsec.org_trail.plugins.module_utils._drift.drift import CHECK, NOT_JUDGED, not_judged


def test_what_could_not_be_judged_keeps_its_reason_and_names_no_event() -> None:
    row = not_judged("log bucket", "The role is gone.")
    assert (row.kind, row.object, row.what, row.found, row.events) == (
        CHECK,
        "log bucket",
        NOT_JUDGED,
        "The role is gone.",
        (),
    )
