# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which regions are asked, and which cannot be."""

from __future__ import annotations

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage.scope import region_refusal, scope_of

STATES = {
    "eu-central-2": "ENABLED",
    "eu-west-1": "ENABLED_BY_DEFAULT",
    "me-south-1": "DISABLED",
    "us-east-1": "ENABLED_BY_DEFAULT",
    "ap-east-1": "ENABLING",
}
ENABLED = ["eu-central-2", "eu-west-1", "us-east-1"]
KNOWN = ["eu-west-1", "eu-west-2", "us-east-1", "us-west-1"]


@pytest.mark.parametrize(
    ("given", "home", "regions"),
    [
        ([], "us-east-1", ENABLED),
        ([], "me-south-1", [*ENABLED[:2], "me-south-1", "us-east-1"]),
        (["us-east-1", "eu-west-1", "us-east-1"], "us-east-1", ["eu-west-1", "us-east-1"]),
        (["eu-west-1"], "us-east-1", ["eu-west-1"]),
        (["eu-west-1"], "eu-central-2", ["eu-central-2", "eu-west-1"]),
    ],
)
def test_a_home_region_that_an_account_may_lack_is_always_asked(
    given: list[str], home: str, regions: list[str]
) -> None:
    scope = scope_of(given, STATES, home, accounts_given=False)
    assert (scope.regions, scope.enabled) == (regions, ENABLED)
    assert scope.to_dict() == {
        "accounts": "organization",
        "regions": "given" if given else "enabled",
        "enabled_regions": ENABLED,
    }


def test_who_may_not_list_regions_knows_not_what_is_left_out() -> None:
    scope = scope_of(["eu-west-1"], None, "us-east-1", accounts_given=True)
    assert scope.regions == ["eu-west-1", "us-east-1"]
    assert scope.to_dict() == {"accounts": "given", "regions": "given"}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([], None),
        (KNOWN, None),
        (["eu-wst-1"], "'eu-wst-1' in regions is no region of the partition aws; did you mean eu-west-1?"),
        (["us-gov-west-1"], "'us-gov-west-1' in regions is no region of the partition aws."),
        (["eu-west-1", ""], "'' in regions is no region of the partition aws."),
    ],
)
def test_a_region_that_does_not_exist_is_refused(given: list[str], says: str | None) -> None:
    assert region_refusal(given, KNOWN, "aws") == says
