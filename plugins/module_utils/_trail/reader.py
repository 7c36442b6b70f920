# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at a trail and at what surrounds it, with the fewest calls: nothing is read twice, what can be is read at once.

An unchanged organization trail takes six calls: ListTrails, DescribeOrganization and
ListAWSServiceAccessForOrganization, then DescribeTrails, GetTrailStatus and GetEventSelectors. All six are made at once
where the look-up of the bucket tells the trail's ARN before. Each option that needs more adds its own read, each other
trail of the account adds two.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .._aws.arn import CLOUDTRAIL, TrailArn, parse_trail_arn
from .._aws.cloudtrail import (
    AnsibleCloudTrailError,
    describe_own_trail,
    describe_shared_trail,
    get_aggregations,
    get_event_selectors,
    get_insight_selectors,
    get_trail_status,
    list_tags,
    list_trails,
)
from .._aws.errors import AnsibleOrgTrailError, code_of, refuse, sentence
from .._aws.kms import describe_key
from .._aws.organizations import (
    AnsibleOrganizationsError,
    Organization,
    describe_organization,
    has_service_access,
)
from .._aws.selectors import SELECTOR_KINDS, management_events
from .._aws.session import Session
from .._aws.trail_status import DeliveryError, delivery_errors
from .._aws.untyped import Client
from .._aws.whole_answer import read_whole
from .._organization.delegated_administrator import is_administrator
from .._organization.refusals import caller_refusal, feature_refusal
from .._work.reads import Answers, Reads, read_all, read_rest
from .options import TrailOptions
from .refusals import choose_trail, name_refusal
from .settings import Settings, is_key_alias, more_settings, trail_settings
from .situation import OtherTrail, Unread

WITHOUT_ORGANIZATION = Organization(id="", feature_set="ALL", management_account_id="")


@dataclass(frozen=True)
class TrailNow:
    """A trail as AWS answers it: its settings, and the errors of its latest deliveries."""

    settings: Settings
    delivery_errors: tuple[DeliveryError, ...] = ()


@dataclass(frozen=True)
class View:
    """The trail, the organization and the account's other trails.

    trails: all that the account sees, other accounts' too. key: the ARN behind a KMS alias. trusted_access: whether
    CloudTrail has it; None where no organization trail is wanted.
    administrator: the caller's account when it is a delegated administrator of CloudTrail, "" when it is management.
    """

    arn: TrailArn
    organization: Organization
    trails: frozenset[TrailArn]
    now: TrailNow | None
    others: list[OtherTrail] | Unread
    key: str | None
    trusted_access: bool | Unread | None = None
    administrator: str = ""

    @property
    def caller(self) -> str:
        """The account that the calls act on: the trail's owner, or a delegated administrator."""
        return self.administrator or self.arn.account_id


def look(session: Session, options: TrailOptions) -> View:
    """Find the trail wherever its home region is, and read it.

    Raises AnsibleOrgTrailError for an invalid or ambiguous name and for a caller or an organization that can have no
    organization trail.
    """
    refuse(name_refusal(options.name))
    organizations = session.client("organizations")
    reads: Reads = {
        "organization": partial(_organization, organizations, options),
        "trails": partial(_trails, session.client("cloudtrail")),
    }
    if options.needs_organization:
        reads["trusted_access"] = partial(read_or_unread, has_service_access, organizations, CLOUDTRAIL)
    likely = _likely_trail(options)
    ahead = trail_reads(session, likely, options) if likely else {}
    answers = read_all(reads | {name: partial(read_or_unread, read) for name, read in ahead.items()})
    organization, trails = answers["organization"], answers["trails"]
    if options.needs_organization:
        refuse(feature_refusal(organization))
    owner = organization.management_account_id or session.account_id
    arn = choose_trail(trails, options.name, owner, session.region)
    if isinstance(arn, str):
        raise AnsibleOrgTrailError(message=arn)
    view = View(arn, organization, trails, None, [], None, answers.get("trusted_access"))
    if arn in trails:
        known = {name: answers[name] for name in ahead} if arn == likely else {}
        view = _look_around(session, options, view, known=known if _is_read(known) else {})
    if view.now is None:  # a member sees management's trail in ListTrails, but owns none (aws-facts 4.1)
        refusal = caller_refusal(replace(organization, management_account_id=owner), session.account_id)
        if refusal and is_administrator(session):
            view = replace(view, administrator=session.account_id)
            return _look_around(session, options, view, with_trail=arn in trails)
        refuse(refusal)
        view = _look_around(session, options, view, with_trail=False)
    return view


def _likely_trail(options: TrailOptions) -> TrailArn | None:
    """The trail that will be chosen, most likely: that of the look-up. None where only ListTrails can tell."""
    trail = options.looked_up_bucket.trail if options.looked_up_bucket else None
    return trail if trail and options.name in (trail, trail.name) else None


def _is_read(answers: Answers) -> bool:
    """Whether reads made before the trail was chosen were answered; else they are made again, for what that tells."""
    of_trail = {name: answer for name, answer in answers.items() if name != "trail"}  # of a member there is none
    return not any(isinstance(answer, Unread) for answer in answers.values()) and None not in of_trail.values()


def _trails(client: Client) -> frozenset[TrailArn]:
    return frozenset(parse_trail_arn(trail["TrailARN"]) for trail in list_trails(client))


def _organization(client: Client, options: TrailOptions) -> Organization:
    """The organization; an account trail may be had without one."""
    try:
        return describe_organization(client)
    except AnsibleOrganizationsError as error:
        if options.needs_organization or code_of(error) != "AWSOrganizationsNotInUseException":
            raise
        return WITHOUT_ORGANIZATION


def _look_around(
    session: Session, options: TrailOptions, view: View, with_trail: bool = True, known: Answers | None = None
) -> View:
    """Read the trail, the account's other trails, and the key behind an alias, all at once.

    known: answers about the trail that are there already.
    """
    reads: Reads = {}
    if with_trail:
        reads |= trail_reads(session, view.arn, options, shared=bool(view.administrator))
    others = [] if options.ignores("overlapping_trail") else _other_trails(view)
    for other in others:
        client = session.client("cloudtrail", other.region)
        reads[f"status of {other}"] = partial(read_or_unread, get_trail_status, client, str(other))
        reads[f"selectors of {other}"] = partial(read_or_unread, get_event_selectors, client, str(other))
    key = options.kms_key_id or ""
    if is_key_alias(key) and options.state == "present":
        region = key.split(":")[3] if key.startswith("arn:") else options.bucket_region or view.arn.region
        reads["key"] = partial(describe_key, session.client("kms", region), key)
    answers = (
        read_whole(read_rest(reads, known or {}), partial(_doubt, view.arn, insights=True))
        if with_trail
        else read_all(reads)
    )
    return replace(
        view,
        now=trail_now(answers) if with_trail else None,
        others=_judge_others(others, answers),
        key=answers["key"]["Arn"] if "key" in answers else None,
    )


def _other_trails(view: View) -> list[TrailArn]:
    return sorted((arn for arn in view.trails if arn.account_id == view.arn.account_id and arn != view.arn), key=str)


def _judge_others(others: list[TrailArn], answers: Answers) -> list[OtherTrail] | Unread:
    judged = []
    for other in others:
        status, selectors = answers[f"status of {other}"], answers[f"selectors of {other}"]
        for answer in (status, selectors):
            if isinstance(answer, Unread):
                return answer
        pays = management_events(selectors).some or not any(map(selectors.get, SELECTOR_KINDS))
        judged.append(OtherTrail(other, bool(status.get("IsLogging")), pays))
    return judged


def trail_reads(session: Session, arn: TrailArn, options: TrailOptions, *, shared: bool = False) -> Reads:
    """The reads that tell a trail's settings: three, and one more for each option that needs it.

    shared: the caller is not the trail's owner, but its delegated administrator.
    """
    client, name = session.client("cloudtrail", arn.region), str(arn)
    reads: Reads = {
        "trail": partial(describe_shared_trail if shared else describe_own_trail, client, name),
        "status": partial(_or_none, get_trail_status, client, name),
        "selectors": partial(_or_none, get_event_selectors, client, name),
    }
    if options.insight_selectors is not None:
        reads["insight_selectors"] = partial(_or_none, get_insight_selectors, client, name)
    if options.aggregation_configurations is not None:
        reads["aggregation_configurations"] = partial(_or_none, get_aggregations, client, name)
    if options.tags is not None:
        reads["tags"] = partial(_or_none, list_tags, client, name)
    return reads


def read_trail(session: Session, arn: TrailArn, options: TrailOptions, *, shared: bool = False) -> TrailNow | None:
    """The trail as it is at this moment; None when there is none. shared: as for ``trail_reads``."""
    reads = partial(read_all, trail_reads(session, arn, options, shared=shared))
    return trail_now(read_whole(reads, partial(_doubt, arn)))


def _doubt(arn: TrailArn, answers: Answers, insights: bool = False) -> str | None:
    """Why the answers of ``trail_reads`` cannot be all that AWS knows: one says that there is what another lacks.

    insights: also compare those, which is right only before a write: DescribeTrails may not know yet that they are off.
    """
    trail, selectors = answers["trail"] or {}, answers["selectors"]
    if trail.get("HasCustomEventSelectors") and selectors is not None and not any(map(selectors.get, SELECTOR_KINDS)):
        return f"GetEventSelectors of {arn} answered no selectors, expected those that DescribeTrails tells of."
    if insights and trail.get("HasInsightSelectors") and answers.get("insight_selectors") == []:
        return f"GetInsightSelectors of {arn} answered none, expected those that DescribeTrails tells of."
    return None


def trail_now(answers: Answers) -> TrailNow | None:
    """The trail in the answers of ``trail_reads``."""
    if answers["trail"] is None or None in (answers["status"], answers["selectors"]):
        return None
    settings = trail_settings(answers["trail"], answers["status"], answers["selectors"]) | more_settings(answers)
    return TrailNow(settings, delivery_errors(answers["status"]))


def _or_none(read: Callable[[Client, str], Any], client: Client, arn: str) -> Any:
    """A read that answers None where the trail is gone."""
    try:
        return read(client, arn)
    except AnsibleCloudTrailError as error:
        if code_of(error) not in ("TrailNotFoundException", "ResourceNotFoundException"):
            raise
        return None


def read_or_unread(read: Callable[..., Any], *arguments: Any) -> Any:
    """A read that is no reason to fail."""
    try:
        return read(*arguments)
    except AnsibleAWSError as error:
        return Unread(sentence(error))
