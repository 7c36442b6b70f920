# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what is to what is wanted: which fields change, and the fewest calls that change them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from ansible_collections.amazon.aws.plugins.module_utils.tagging import compare_aws_tags

from .._aws.arn import TrailArn
from .._aws.untyped import Structure
from .options import TrailOptions
from .selectors import (
    advanced_event_selector_request,
    aggregation_request,
    event_selector_request,
    insight_selectors_request,
)
from .settings import (
    NEW_TRAIL,
    READ_ON_DEMAND,
    REQUEST_FIELDS,
    Setting,
    Settings,
    names,
    pick,
    wanted_settings,
)


@dataclass(frozen=True)
class Call:
    """One call to CloudTrail that changes something: AWS's name of the operation, and its parameters."""

    operation: str
    parameters: Structure


@dataclass(frozen=True)
class Plan:
    """The options that differ, the calls to make in this order, and the settings after them (None: no trail).

    ``managed`` names the settings that the options say something about.
    """

    changed_fields: tuple[Setting | Literal["state"], ...]
    calls: tuple[Call, ...]
    after: Settings | None
    managed: frozenset[Setting] = frozenset()


def plan_for(arn: TrailArn, options: TrailOptions, before: Settings | None) -> Plan:
    """The plan that leads from these settings to what the options ask for."""
    if options.state == "absent":
        return plan_deletion(arn, before)
    if options.tags is not None:
        options = replace(options, tags=_all_tags(options.tags, options.purge_tags, before))
    return plan_changes(arn, before, wanted_settings(options, arn, before))


def _all_tags(tags: Mapping[str, str], purge: bool, before: Settings | None) -> dict[str, str]:
    """All tags that the trail shall have, with those that stay."""
    old = (before or {}).get("tags", {})
    added, removed = compare_aws_tags(old, tags, purge)
    return {key: value for key, value in old.items() if key not in removed} | dict(added)


def plan_deletion(arn: TrailArn, before: Settings | None) -> Plan:
    """Delete the trail if there is one."""
    if before is None:
        return Plan((), (), None)
    return Plan(("state",), (Call("DeleteTrail", {"Name": str(arn)}),), None)


def plan_changes(arn: TrailArn, before: Settings | None, wanted: Settings) -> Plan:
    """Create the trail when ``before`` is None, otherwise change what differs and nothing else.

    Logging never stops for a change (aws-facts 2.4). A stopped trail is started only when its settings are right, so
    that it does not write to a wrong bucket; everything that UpdateTrail can change goes into one call.
    """
    now = NEW_TRAIL if before is None else before
    changed = tuple(field for field in names(wanted) if before is None or wanted[field] != now.get(field))
    differing = {field for field in changed if wanted[field] != now.get(field, NEW_TRAIL[field])}
    calls = [_create(arn, wanted, differing)] if before is None else _update(arn, now | wanted, differing)
    for fields, make in _FURTHER_CALLS:
        if differing & fields:
            calls += make(arn, now, now | wanted)
    if before is None:
        calls = [call for call in calls if call.operation != "AddTags"]  # CreateTrail set them
    known = [field for field in names(now | wanted) if field in wanted or field not in READ_ON_DEMAND]
    return Plan(changed, tuple(calls), pick(now | wanted, known), frozenset(names(wanted)))


def _create(arn: TrailArn, wanted: Settings, differing: set[Setting]) -> Call:
    # Flags are sent even where AWS's default is the same: the call then says all that it relies on.
    sent = {
        name: wanted[field]
        for field, name in REQUEST_FIELDS.items()
        if field in differing or (field.startswith(("is_", "include_", "enable_")) and field in wanted)
    }
    tags = {"TagsList": _tag_list(wanted["tags"])} if wanted.get("tags") else {}
    return Call("CreateTrail", {"Name": arn.name, **sent, **tags})


def _update(arn: TrailArn, after: Settings, differing: set[Setting]) -> list[Call]:
    fields = differing & set(REQUEST_FIELDS)
    if "cloud_watch_logs_role_arn" in fields:
        # "You must specify a log group if you specify a role": API_UpdateTrail.html, CloudWatchLogsLogGroupArn
        fields.add("cloud_watch_logs_log_group_arn")
    sent = {name: after[field] for field, name in REQUEST_FIELDS.items() if field in fields}
    return [Call("UpdateTrail", {"Name": str(arn), **sent})] if sent else []


def _start(arn: TrailArn, now: Settings, after: Settings) -> list[Call]:
    return [Call("StartLogging", {"Name": str(arn)})] if after["logging"] else []


def _stop(arn: TrailArn, now: Settings, after: Settings) -> list[Call]:
    return [] if after["logging"] else [Call("StopLogging", {"Name": str(arn)})]


def _selectors(arn: TrailArn, now: Settings, after: Settings) -> list[Call]:
    if after["advanced_event_selectors"]:
        advanced = [advanced_event_selector_request(one) for one in after["advanced_event_selectors"]]
        return [Call("PutEventSelectors", {"TrailName": str(arn), "AdvancedEventSelectors": advanced})]
    basic = [event_selector_request(one) for one in after["event_selectors"]]
    return [Call("PutEventSelectors", {"TrailName": str(arn), "EventSelectors": basic})]


def _insights(arn: TrailArn, now: Settings, after: Settings) -> list[Call]:
    selectors = insight_selectors_request(after["insight_selectors"], now["insight_selectors"])
    return [Call("PutInsightSelectors", {"TrailName": str(arn), "InsightSelectors": selectors})]


def _aggregations(arn: TrailArn, now: Settings, after: Settings) -> list[Call]:
    configurations = [aggregation_request(one) for one in after["aggregation_configurations"]]
    return [Call("PutEventConfiguration", {"TrailName": str(arn), "AggregationConfigurations": configurations})]


def _tags(arn: TrailArn, now: Settings, after: Settings) -> list[Call]:
    old, new = now["tags"], after["tags"]
    removed = {key: value for key, value in old.items() if key not in new}
    added = {key: value for key, value in new.items() if old.get(key) != value}
    calls = [Call("RemoveTags", {"ResourceId": str(arn), "TagsList": _tag_list(removed)})] if removed else []
    return [*calls, Call("AddTags", {"ResourceId": str(arn), "TagsList": _tag_list(added)})] if added else calls


def _tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


_FURTHER_CALLS: tuple[tuple[set[Setting], Callable[[TrailArn, Settings, Settings], list[Call]]], ...] = (
    ({"logging"}, _start),
    ({"event_selectors", "advanced_event_selectors"}, _selectors),
    ({"insight_selectors"}, _insights),
    ({"aggregation_configurations"}, _aggregations),
    ({"tags"}, _tags),
    ({"logging"}, _stop),
)
"""After CreateTrail or UpdateTrail. Insights need management events, aggregations data events: selectors first."""
