# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the answers about a trail say of it."""

from __future__ import annotations

from tests.member_trails import basic, member, organization


def test_a_multi_region_trail_always_has_global_events() -> None:
    assert member(IncludeGlobalServiceEvents=False).has_global_events
    assert not member(IsMultiRegionTrail=False, IncludeGlobalServiceEvents=False).has_global_events
    assert member(IsMultiRegionTrail=False).has_global_events


def test_whose_trail_it_is() -> None:
    assert (organization().is_organization_trail, member().is_organization_trail) == (True, False)
    assert (member().bucket, str(member().management_events)) == ("logs-222222222222", "all management events")
    assert str(member(basic(ReadWriteType="ReadOnly")).management_events) == "only read management events"


def test_kinds_of_insights_and_aggregations() -> None:
    insights = [{"InsightType": "A"}, {"InsightType": "B", "EventCategories": ["Data", "Management"]}]
    assert member(insights=insights).insight_kinds == {("A", "Management"), ("B", "Data"), ("B", "Management")}
    aggregations = [{"EventCategory": "Data", "Templates": ["X", "Y"]}]
    assert member(aggregations=aggregations).aggregation_kinds == {("Data", "X"), ("Data", "Y")}
