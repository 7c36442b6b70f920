# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of groups: which, and that no two things share one."""

from __future__ import annotations

from itertools import product

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.groups import (
    NAMED_OU,
    STATE,
    TAG,
    group_of_id,
    group_of_names,
    is_changed,
)

NAMES = [
    ((TAG, "Stage", "prod"), "tag_Stage__prod"),
    ((TAG, "a", "b_c"), "tag_a__b_c"),
    ((TAG, "a_b", "c"), "tag_a_b__c"),
    ((TAG, "cost-center", "42"), "tag_cost_x2d_center__42"),
    ((TAG, "Stage", ""), "tag_Stage__"),
    ((NAMED_OU, "Security", "Prod"), "unit_Security__Prod"),
    ((NAMED_OU, "Security__Prod"), "unit_Security_x5f__x5f_Prod"),
    ((NAMED_OU, "Policy Staging"), "unit_Policy_x20_Staging"),
    ((NAMED_OU, "Policy_x20_Staging"), "unit_Policy_x5f_x20_x5f_Staging"),
    ((NAMED_OU, "abcd-11111111"), "unit_abcd_x2d_11111111"),
    ((NAMED_OU, "Büro"), "unit_Büro"),
    ((NAMED_OU, "a\x1b[2J\n"), "unit_a_x1b__x5b_2J_xa_"),
    ((STATE, "active"), "state_active"),
]


@pytest.mark.parametrize(("parts", "name"), NAMES, ids=[name for _parts, name in NAMES])
def test_group_of_names(parts: tuple[str, ...], name: str) -> None:
    assert group_of_names(*parts) == name
    assert any(map(is_changed, parts[1:])) is (parts[1:] != tuple(name.removeprefix(parts[0]).split("__")))


def test_group_of_id() -> None:
    assert group_of_id("ou-abcd-11111111") == "ou_abcd_11111111"
    assert group_of_id("r-abcd") == "r_abcd"


def test_no_two_things_share_a_group() -> None:
    texts = ["".join(letters) for length in range(6) for letters in product("x2_ ", repeat=length)]
    short = [text for text in texts if len(text) < 4]
    things = [(text,) for text in texts] + list(product(short, repeat=2))
    assert len({group_of_names(TAG, *parts) for parts in things}) == len(things)


def test_no_name_is_an_id() -> None:
    prefixes = (STATE, TAG, NAMED_OU, group_of_id("ou-"), group_of_id("r-"))
    assert not any(one.startswith(other) for one in prefixes for other in prefixes if one is not other)
