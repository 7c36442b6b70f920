# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import TrailArn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.administrator import (
    conversion_refusal,
    hidden_trail,
)

HOME = TrailArn("aws", "us-east-1", "111122223333", "default")
ORGANIZATION, ACCOUNT = {"is_organization_trail": True}, {"is_organization_trail": False}


@pytest.mark.parametrize(
    ("before", "after", "part"),
    [
        (ORGANIZATION, ORGANIZATION, ""),
        (None, ORGANIZATION, ""),
        (ORGANIZATION, None, ""),
        (None, None, ""),
        (ORGANIZATION, ACCOUNT, "would become an account trail, which needs the management account 111122223333"),
        (None, ACCOUNT, "would be an account trail, which needs the management account 111122223333"),
    ],
)
def test_an_administrator_never_converts(before: Any, after: Any, part: str) -> None:
    refusal = conversion_refusal(HOME, "444455556666", before, after)
    assert (refusal is None) if not part else (refusal is not None and part in refusal)


def test_the_hidden_trail_is_managements_task() -> None:
    assert "Run enable_org_trail.yml once with credentials of 111122223333" in hidden_trail(HOME, "444455556666")
