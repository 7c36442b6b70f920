# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Since when and by whom: the newest event in event history that explains a drift, or why there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError

from .._aws.cloudtrail import lookup_events_page
from .._aws.errors import sentence
from .._aws.session import DEFAULT_REGION, Session
from .._aws.untyped import Structure
from .._work.times import time_text
from .drift import BUCKET, ORGANIZATION, TRAIL, WATCH, Drift
from .events import ORGANIZATIONS_EVENTS, Event, caller_of, causes

ORGANIZATIONS_REGIONS = {
    "aws": DEFAULT_REGION,
    "aws-cn": "cn-northwest-1",
    "aws-iso": "us-iso-east-1",
    "aws-iso-b": "us-isob-east-1",
    "aws-us-gov": "us-gov-west-1",
}
"""Where each partition's Organizations, which has one endpoint, records its events (aws-facts 1.7, 4.7)."""

HISTORY = timedelta(days=90)
PAGES = 20
"""How many pages of events with one attribute are looked through: ten seconds at most (aws-facts 4.7)."""

UNSEEN = "What was done in the management account {} stands in its own event history, which was not read."


@dataclass
class Pages:
    """The newest events with one attribute, read as far as they are asked for, and once.

    read: the page behind a token. gap: why not all of them were looked at; "" while nothing was left out. cut: whether
    there were too many.
    """

    read: Callable[[str], Structure]
    events: list[Event] = field(default_factory=list)
    gap: str = ""
    cut: bool = False
    _token: str | None = ""
    _pages: int = 0

    def find(self, wanted: Callable[[Event], bool]) -> Event | None:
        """The newest event that is wanted."""
        return next((event for event in self._each() if wanted(event)), None)

    def _each(self) -> Iterator[Event]:
        index = 0
        while index < len(self.events) or self._more():
            if index < len(self.events):
                yield self.events[index]
                index += 1

    def _more(self) -> bool:
        if self._token is None or self.gap:
            return False
        if self._pages == PAGES:
            self.cut = True
            self.gap = f"The change is not among the newest {len(self.events)} such events, which were looked at."
            return False
        try:
            page = self.read(self._token)
        except AnsibleAWSError as error:
            self.gap = sentence(error)
            return False
        self.events += page.get("Events") or []
        self._token = page.get("NextToken") or None
        self._pages += 1
        return True


Lookup = Callable[[Drift, str, str, str], Pages]
"""The events of a drift's account, by region, attribute key and value."""


def attribute(
    drifts: Iterable[Drift],
    management: Session | str,
    log_archive: Session | str,
    bucket_region: str,
    unseen: str = "",
) -> list[Drift]:
    """The drifts with ``since`` and ``by`` where event history knows them, else with ``unattributed``.

    management, log_archive: sessions of the trail's and of the bucket's account, or why there is none. unseen: the
    management account where the former is a session of its delegated administrator, whose event history has only what
    was done in its own account. Never raises for what AWS refuses: a drift stands without its cause.
    """
    since = datetime.now(UTC) - HISTORY

    @cache
    def pages(of_bucket: bool, region: str, key: str, value: str) -> Pages:
        owner = log_archive if of_bucket else management
        if isinstance(owner, str):
            return unread(owner)
        try:
            client = owner.client("cloudtrail", region)
        except AnsibleAWSError as error:
            return unread(sentence(error))
        return Pages(partial(lookup_events_page, client, key, value, since))

    def lookup(drift: Drift, event: str, key: str, value: str) -> Pages:
        region = bucket_region if drift.kind == BUCKET else _region(drift, event, management)
        return pages(_is_in_log_archive(drift, log_archive), region, key, value)

    return [explain(drift, lookup, "" if _is_in_log_archive(drift, log_archive) else unseen) for drift in drifts]


def _is_in_log_archive(drift: Drift, log_archive: Session | str) -> bool:
    """Whether the bucket's account has a drift's object, and so its events."""
    if drift.kind == WATCH and not isinstance(log_archive, str):
        return drift.object.split(":")[4] == log_archive.account_id
    return drift.kind == BUCKET


def unread(reason: str) -> Pages:
    """No events, because of an account or a region that could not be entered."""
    return Pages(lambda _token: {}, gap=reason)


def _region(drift: Drift, event: str, session: Session | str) -> str:
    """Where an event of management is recorded: in the region of Organizations or of the trail."""
    if isinstance(session, str):
        return ""
    if event in ORGANIZATIONS_EVENTS:
        return ORGANIZATIONS_REGIONS.get(session.partition, session.region)
    return drift.object.split(":")[3] if drift.kind in (TRAIL, WATCH) else session.region


def explain(drift: Drift, lookup: Lookup, unseen: str = "") -> Drift:
    """One drift with the newest event that may have caused it, or with the reasons why none is told.

    unseen: the account that may have caused it, too, and whose event history is not read.

    An event is looked for by its name first. Where too many of that name came after it, as when somebody calls in vain
    hundreds of times, it is looked for among the events of the object.
    """
    if not drift.events:
        return drift
    found, gaps = [], []
    for name in drift.events:
        wanted = partial(_is_cause, drift, name)
        pages = lookup(drift, name, "EventName", name)
        event = pages.find(wanted)
        for resource in _names_of(drift) if pages.cut and not event else ():
            event = event or lookup(drift, name, "ResourceName", resource).find(wanted)
        if event:
            found.append(event)
        elif pages.gap:
            gaps.append(pages.gap)
    if not found:
        none = f"Event history of {HISTORY.days} days has no {' or '.join(drift.events)} of it."
        reasons = [*(gaps or [none]), *([UNSEEN.format(unseen)] if unseen else [])]
        return replace(drift, unattributed=" ".join(dict.fromkeys(reasons)))
    newest = max(found, key=lambda event: event["EventTime"])
    return replace(drift, since=time_text(newest["EventTime"]), by=caller_of(newest))


def _is_cause(drift: Drift, name: str, event: Event) -> bool:
    return event.get("EventName") == name and isinstance(event.get("EventTime"), datetime) and causes(event, drift)


def _names_of(drift: Drift) -> tuple[str, ...]:
    """How events name the drift's object: by its ARN or by its name; the organization's name nothing."""
    return () if drift.kind == ORGANIZATION else tuple(dict.fromkeys((drift.object, drift.object.rpartition("/")[2])))
