# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the module cloudtrail_organization_trail as one typed value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .._aws.arn import TrailArn, is_trail_arn, parse_trail_arn
from .._aws.errors import AnsibleOrgTrailError
from .._work.options import options_of
from .selectors import (
    AdvancedEventSelector,
    Aggregation,
    EventSelector,
    InsightSelector,
    aggregations,
    insight_selectors,
    without_unset,
)

ProblemName = Literal[
    "bucket_not_looked_up",
    "bucket_outside_organization",
    "bucket_policy",
    "delivery_error",
    "foreign_trail",
    "kms_key_outside_organization",
    "kms_key_policy",
    "kms_key_region",
    "log_role_too_narrow",
    "management_events_missing",
    "opt_in_home_region",
    "overlapping_trail",
    "service_linked_role_missing",
    "setting_lost",
    "sns_topic_policy",
    "trail_quota",
]
Action = Literal["fail", "warn", "ignore"]

ACTIONS: tuple[Action, ...] = ("fail", "warn", "ignore")

DEFAULT_ACTIONS: dict[ProblemName, Action] = {
    "bucket_not_looked_up": "fail",
    "bucket_outside_organization": "fail",
    "bucket_policy": "fail",
    "delivery_error": "warn",
    "foreign_trail": "fail",
    "kms_key_outside_organization": "fail",
    "kms_key_policy": "fail",
    "kms_key_region": "fail",
    "log_role_too_narrow": "fail",
    "management_events_missing": "fail",
    "opt_in_home_region": "warn",
    "overlapping_trail": "warn",
    "service_linked_role_missing": "warn",
    "setting_lost": "warn",
    "sns_topic_policy": "fail",
    "trail_quota": "fail",
}
"""Names of the problems, and what the module does about each unless told otherwise."""


OF_LOOKED_UP = (
    "expected_admitted_home_regions",
    "expected_admitted_s3_key_prefix",
    "bucket_account_id",
    "bucket_organization_id",
    "bucket_region",
)
"""Options that are by default what the look-up says of the bucket."""


@dataclass(frozen=True)
class LookedUpBucket:
    """What a look-up found: the bucket, what it says for ``OF_LOOKED_UP``, and the trail that the bucket admits.

    trail: None where it may be in several regions.
    """

    name: str
    trail: TrailArn | None = None
    expected_admitted_home_regions: list[str] | None = None
    expected_admitted_s3_key_prefix: str | None = None
    bucket_account_id: str | None = None
    bucket_organization_id: str | None = None
    bucket_region: str | None = None


@dataclass(frozen=True)
class TrailOptions:
    """What the user asks for; the names are those of the module's options, None where one is not set.

    name: a trail's name, or its ARN. tags: all that the trail is to have; with ``purge_tags`` false, some of them.
    on_problem: an action for every problem.
    """

    name: str | TrailArn
    state: Literal["present", "absent"]
    s3_bucket_name: str | None
    s3_key_prefix: str | None
    is_organization_trail: bool
    is_multi_region_trail: bool
    include_global_service_events: bool
    enable_log_file_validation: bool
    logging: bool
    kms_key_id: str | None
    sns_topic_name: str | None
    cloud_watch_logs_log_group_arn: str | None
    cloud_watch_logs_role_arn: str | None
    event_selectors: list[EventSelector] | None
    advanced_event_selectors: list[AdvancedEventSelector] | None
    insight_selectors: list[InsightSelector] | None
    recursive_logging: bool | None
    aggregation_configurations: list[Aggregation] | None
    expected_admitted_home_regions: list[str] | None
    expected_admitted_s3_key_prefix: str | None
    bucket_account_id: str | None
    bucket_organization_id: str | None
    bucket_region: str | None
    bucket_is_named: bool
    looked_up_bucket: LookedUpBucket | None
    log_archive_role_arn: str | None
    log_archive_role_external_id: str | None
    adopt_foreign: bool
    access_propagation_timeout: int
    policy_propagation_timeout: int
    trail_propagation_timeout: int
    on_problem: Mapping[ProblemName, Action]
    tags: Mapping[str, str] | None
    purge_tags: bool

    @property
    def needs_organization(self) -> bool:
        """Whether an organization trail is wanted, which only an account in an organization can have."""
        return self.is_organization_trail and self.state == "present"

    def ignores(self, problem: ProblemName) -> bool:
        """Whether the user does not want to hear of a problem, so that nothing is read for it."""
        return self.on_problem[problem] == "ignore"


def trail_options(params: Mapping[str, Any]) -> TrailOptions:
    """The options among a module's parameters.

    Selectors lose what the user did not set; an ARN as name is parsed; what the look-up said of the bucket is taken.
    """
    advanced, insights = params["advanced_event_selectors"], params["insight_selectors"]
    configurations, tags = params["aggregation_configurations"], params["tags"]
    return options_of(
        TrailOptions,
        params,
        name=parse_trail_arn(params["name"]) if is_trail_arn(params["name"]) else params["name"],
        advanced_event_selectors=None if advanced is None else without_unset(advanced),
        insight_selectors=None if insights is None else insight_selectors(insights),
        aggregation_configurations=None if configurations is None else aggregations(configurations),
        tags=None if tags is None else {key: str(value) for key, value in tags.items()},
        on_problem={**DEFAULT_ACTIONS, **(params["on_problem"] or {})},
        **bucket_options(params),
    )


def bucket_options(params: Mapping[str, Any]) -> dict[str, Any]:
    """The options about the bucket, by their names: what the user set, else what the look-up found."""
    looked_up, given, named = looked_up_bucket(params), params["s3_bucket_name"], params["bucket_is_named"]
    bucket = looked_up.name if looked_up and given is None else given
    found = vars(looked_up) if looked_up and looked_up.name == bucket else {}
    return {
        **{name: found.get(name) if params[name] is None else params[name] for name in OF_LOOKED_UP},
        "s3_bucket_name": bucket,
        "bucket_is_named": given is not None if named is None else named,
        "looked_up_bucket": looked_up,
    }


def looked_up_bucket(params: Mapping[str, Any]) -> LookedUpBucket | None:
    """The option of that name. Raises AnsibleOrgTrailError for what cloudtrail_log_bucket_info cannot have answered."""
    found = params["looked_up_bucket"]
    if found is None:
        return None
    name, regions, arn = found.get("name"), found.get("admitted_home_regions"), str(found.get("trail_arn") or "")
    if not name or not isinstance(name, str) or not (regions is None or isinstance(regions, list)):
        raise AnsibleOrgTrailError(
            f"The option looked_up_bucket has the name {name!r} and the home regions {regions!r}, expected a bucket as "
            "cloudtrail_log_bucket_info describes it. Pass the fact log_bucket, or one element of buckets."
        )
    trail = parse_trail_arn(arn) if is_trail_arn(arn) else None
    return LookedUpBucket(
        name=name,
        trail=trail if trail and regions == [trail.region] else None,
        expected_admitted_home_regions=regions,
        expected_admitted_s3_key_prefix=_text(found.get("s3_key_prefix")),
        bucket_account_id=_text(found.get("account_id")),
        bucket_organization_id=_text(found.get("organization_id")),
        bucket_region=_text(found.get("region")),
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
