# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at a trail and at what surrounds it, with the fewest calls: nothing is read twice, what can be is read at once.

An unchanged trail takes five calls: ListTrails and DescribeOrganization, then DescribeTrails, GetTrailStatus and
GetEventSelectors. Each option that needs more adds its own read, each other trail of the account adds two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .._aws.arn import TrailArn, parse_trail_arn
from .._aws.cloudtrail import (
    AnsibleCloudTrailError,
    describe_own_trail,
    get_aggregations,
    get_event_selectors,
    get_insight_selectors,
    get_trail_status,
    list_tags,
    list_trails,
)
from .._aws.errors import AnsibleOrgTrailError, code_of, refuse, sentence
from .._aws.kms import describe_key
from .._aws.organizations import AnsibleOrganizationsError, Organization, describe_organization
from .._aws.session import Session
from .._aws.untyped import Client
from .._organization.refusals import caller_refusal, feature_refusal
from .._work.reads import read_all
from .refusals import choose_trail, name_refusal
from .selectors import advanced_event_selector, event_selector, logs_management_events
from .settings import Options, Settings, is_key_alias, more_settings, trail_settings
from .situation import OtherTrail, Unread

WITHOUT_ORGANIZATION = Organization(id="", feature_set="ALL", management_account_id="")


@dataclass(frozen=True)
class TrailNow:
    """A trail as AWS answers it: its settings, and the latest delivery error, "" when there is none."""

    settings: Settings
    delivery_error: str


@dataclass(frozen=True)
class View:
    """The trail, the organization and the account's other trails. ``key`` is the ARN behind a KMS alias."""

    arn: TrailArn
    organization: Organization
    trails: list[dict[str, str]]
    now: TrailNow | None
    others: list[OtherTrail] | Unread
    key: str | None


def look(session: Session, options: Options) -> View:
    """Find the trail wherever its home region is, and read it.

    Raises AnsibleOrgTrailError for an invalid or ambiguous name and for a caller or an organization that can have no
    organization trail.
    """
    name: str = options["name"]
    refuse(name_refusal(name))
    answers = read_all(
        {
            "organization": partial(_organization, session.client("organizations"), options),
            "trails": partial(list_trails, session.client("cloudtrail")),
        }
    )
    organization, trails = answers["organization"], answers["trails"]
    if _needs_organization(options):
        refuse(feature_refusal(organization))
    owner = organization.management_account_id or session.account_id
    arn = choose_trail(trails, name, owner, session.region)
    if isinstance(arn, str):
        raise AnsibleOrgTrailError(message=arn)
    exists = str(arn) in {trail["TrailARN"] for trail in trails}
    view = View(arn, organization, trails, None, [], None)
    if exists:
        view = _look_around(session, options, view)
    if view.now is None:  # a member sees management's trail in ListTrails, but owns none (aws-facts 4.1)
        refuse(caller_refusal(replace(organization, management_account_id=owner), session.account_id))
        view = _look_around(session, options, view, with_trail=False)
    return view


def _needs_organization(options: Options) -> bool:
    return bool(options["is_organization_trail"] and options["state"] == "present")


def _organization(client: Client, options: Options) -> Organization:
    """The organization; an account trail may be had without one."""
    try:
        return describe_organization(client)
    except AnsibleOrganizationsError as error:
        if _needs_organization(options) or code_of(error) != "AWSOrganizationsNotInUseException":
            raise
        return WITHOUT_ORGANIZATION


def _look_around(session: Session, options: Options, view: View, with_trail: bool = True) -> View:
    """Read the trail, the account's other trails, and the key behind an alias, all at once."""
    reads: dict[str, Callable[[], Any]] = {}
    if with_trail:
        reads |= trail_reads(session, view.arn, options)
    others = [] if is_ignored(options, "overlapping_trail") else _other_trails(view)
    for other in others:
        client = session.client("cloudtrail", other.region)
        reads[f"status of {other}"] = partial(read_or_unread, get_trail_status, client, str(other))
        reads[f"selectors of {other}"] = partial(read_or_unread, get_event_selectors, client, str(other))
    if is_key_alias(options.get("kms_key_id") or "") and options["state"] == "present":
        key = str(options["kms_key_id"])
        region = key.split(":")[3] if key.startswith("arn:") else options.get("bucket_region") or view.arn.region
        reads["key"] = partial(describe_key, session.client("kms", region), key)
    answers = read_all(reads)
    return replace(
        view,
        now=trail_now(answers) if with_trail else None,
        others=_judge_others(others, answers),
        key=answers["key"]["Arn"] if "key" in answers else None,
    )


def _other_trails(view: View) -> list[TrailArn]:
    arns = {parse_trail_arn(trail["TrailARN"]) for trail in view.trails}
    return sorted((arn for arn in arns if arn.account_id == view.arn.account_id and arn != view.arn), key=str)


def _judge_others(others: list[TrailArn], answers: dict[str, Any]) -> list[OtherTrail] | Unread:
    judged = []
    for other in others:
        status, selectors = answers[f"status of {other}"], answers[f"selectors of {other}"]
        for answer in (status, selectors):
            if isinstance(answer, Unread):
                return answer
        basic = [event_selector(one) for one in selectors.get("EventSelectors") or []]
        advanced = [advanced_event_selector(one) for one in selectors.get("AdvancedEventSelectors") or []]
        pays = logs_management_events(basic, advanced) or not (basic or advanced)
        judged.append(OtherTrail(str(other), bool(status.get("IsLogging")), pays))
    return judged


def trail_reads(session: Session, arn: TrailArn, options: Options) -> dict[str, Callable[[], Any]]:
    """The reads that tell a trail's settings: three, and one more for each option that needs it."""
    client, name = session.client("cloudtrail", arn.region), str(arn)
    reads: dict[str, Callable[[], Any]] = {
        "trail": partial(describe_own_trail, client, name),
        "status": partial(_or_none, get_trail_status, client, name),
        "selectors": partial(_or_none, get_event_selectors, client, name),
    }
    for option, read in (
        ("insight_selectors", get_insight_selectors),
        ("aggregation_configurations", get_aggregations),
        ("tags", list_tags),
    ):
        if options.get(option) is not None:
            reads[option] = partial(_or_none, read, client, name)
    return reads


def read_trail(session: Session, arn: TrailArn, options: Options) -> TrailNow | None:
    """The trail as it is at this moment; None when there is none."""
    return trail_now(read_all(trail_reads(session, arn, options)))


def trail_now(answers: Mapping[str, Any]) -> TrailNow | None:
    """The trail in the answers of ``trail_reads``."""
    if answers["trail"] is None or None in (answers["status"], answers["selectors"]):
        return None
    settings = trail_settings(answers["trail"], answers["status"], answers["selectors"]) | more_settings(answers)
    return TrailNow(settings, delivery_error(answers["status"]))


def delivery_error(status: Mapping[str, Any]) -> str:
    """The errors of the latest deliveries in words, "" when there is none."""
    kinds = {
        "LatestDeliveryError": "log files",
        "LatestDigestDeliveryError": "digest files",
        "LatestCloudWatchLogsDeliveryError": "CloudWatch Logs",
        "LatestNotificationError": "notifications",
    }
    return " and ".join(f"the error {status[field]} for {kind}" for field, kind in kinds.items() if status.get(field))


def _or_none(read: Callable[[Any, str], Any], client: Any, arn: str) -> Any:
    """A read that answers None where the trail is gone."""
    try:
        return read(client, arn)
    except AnsibleCloudTrailError as error:
        if code_of(error) not in ("TrailNotFoundException", "ResourceNotFoundException"):
            raise
        return None


def is_ignored(options: Options, problem: str) -> bool:
    """Whether the user does not want to hear of a problem, so that nothing is read for it."""
    return (options.get("on_problem") or {}).get(problem) == "ignore"


def read_or_unread(read: Callable[..., Any], *arguments: Any) -> Any:
    """A read that is no reason to fail."""
    try:
        return read(*arguments)
    except AnsibleAWSError as error:
        return Unread(sentence(error))
