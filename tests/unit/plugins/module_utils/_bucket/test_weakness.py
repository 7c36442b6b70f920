# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a weakness is: somebody's doing, advice, or an open question."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._bucket.weakness import Weakness


@pytest.mark.parametrize(
    ("setting", "found", "more", "weakened", "severity"),
    [
        ("versioning", "Suspended", {}, True, "warning"),
        ("versioning", "Disabled", {}, False, "advice"),
        ("tls_only", "requests without TLS are not denied", {}, False, "advice"),
        ("request_payment", "Requester", {}, True, "error"),
        ("readers", "a Deny", {"advice": True}, False, "advice"),
        ("outside_access", "an Allow", {"account_id": "999999999999"}, False, "unknown"),
        ("acl", "not readable: denied", {"readable": False}, True, "unknown"),
    ],
)
def test_a_weakness_says_how_bad_it_is(
    setting: str, found: str, more: dict[str, Any], weakened: bool, severity: str
) -> None:
    weakness = Weakness(setting, found, "better", "Mend it.", **more)
    assert (weakness.weakened, weakness.severity) == (weakened, severity)
