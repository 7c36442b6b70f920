# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The statuses of an account and region: what each is called, what it means, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Status:
    """One status.

    letter: how the report's matrix shows it. remedy: what to do about it; "" for nothing. quiet: it is no exception
    unless the user says so. healed_by_waiting: asking again later may find another one. counted: an event can happen
    there, so that the verdict's total counts it. part_of: the status that it was told as before it had a name of its
    own; who lets that one fail lets this one fail.
    """

    letter: str
    title: str
    remedy: str = ""
    quiet: bool = False
    healed_by_waiting: bool = False
    counted: bool = True
    part_of: str = ""


UNCHECKED = "unchecked"
"""There is no answer at all: no row has this status, the report gives it to what has no row."""

STATUSES = {
    "missing": Status(
        "M",
        "Trail missing",
        "Check in the management account that trusted access for cloudtrail.amazonaws.com is on and that the trail is "
        "a multi-region organization trail: run ansible-playbook cloudsec.org_trail.enable_org_trail. AWS then takes "
        "up to 24 hours.",
        healed_by_waiting=True,
    ),
    "not_logging": Status(
        "N",
        "Not logging",
        "Start logging from the management account, in the trail's home region: run ansible-playbook "
        "cloudsec.org_trail.enable_org_trail, and find out in event history who called StopLogging.",
        healed_by_waiting=True,
    ),
    "management_events_missing": Status(
        "V",
        "Management events missing",
        "The trail is there and logs, but its event selectors leave out all management events, or those that read or "
        "those that write. Run ansible-playbook cloudsec.org_trail.enable_org_trail, or put a selector for management "
        "events to the others; for a trail of others, tell who owns it.",
    ),
    "delivery_error": Status(
        "E",
        "Delivery fails",
        "Look up the error in the reason. Most often the bucket's policy or the KMS key's policy refuses CloudTrail: "
        "the module cloudtrail_log_bucket_info names the statement to repair. AWS tries again for 30 days.",
        healed_by_waiting=True,
    ),
    "home_region_disabled": Status(
        "H",
        "Home region disabled",
        "The account has not enabled the trail's home region, so it sends nothing, from no region. Enable that region "
        "in the account (account:EnableRegion, management may do it for members), or give the organization a trail "
        "whose home region is enabled everywhere, such as us-east-1.",
        part_of="missing",
    ),
    "silent": Status(
        "S",
        "Silent",
        "Nothing ever arrived from there, though logging is on for more than a day. The calls of this run are events "
        "themselves: run coverage again in half an hour. What is still silent then is blind: look at the bucket's and "
        "the key's policy and at the trail's event selectors. With coverage_log_delivery=prefix the bucket decides.",
        healed_by_waiting=True,
    ),
    "denied": Status(
        "D",
        "Access denied",
        "Nobody could look. Create the role in the account or let it trust the caller, and allow it "
        "cloudtrail:GetTrailStatus.",
    ),
    "denied_by_scp": Status(
        "C",
        "Denied by a policy",
        "Nobody could look, because a service control policy denies the call; the reason names the policy where AWS "
        "does. Either exempt a role for coverage in that policy and name it in coverage_role_name, or ask only the "
        "regions that the policy allows. The guide In an organization that denies regions says how.",
        part_of="denied",
    ),
    "unreachable": Status(
        "U",
        "No answer",
        "Check network, proxy and VPC endpoints between the controller and this region, and run coverage again.",
        healed_by_waiting=True,
    ),
    "unchecked": Status(
        "?",
        "Not checked",
        "The run ended before it came here, or the part of a slice is missing. Run coverage again with more time, or "
        "merge again with all parts.",
    ),
    "pending": Status(
        "P",
        "Waiting",
        "Nothing yet: AWS takes up to 24 hours to bring the trail to every account and region. Run coverage again "
        "after that time.",
        quiet=True,
        healed_by_waiting=True,
    ),
    "region_disabled": Status("–", "Region disabled", quiet=True, counted=False),
    "account_closed": Status("×", "Account closed", quiet=True, counted=False),
    "covered": Status(".", "Covered", quiet=True),
}
"""Every status, the worst first."""

ANSWERED = tuple(name for name in STATUSES if name != UNCHECKED)
"""Statuses that a row may have."""

QUIET = frozenset(name for name, status in STATUSES.items() if status.quiet)
HEALED_BY_WAITING = frozenset(name for name, status in STATUSES.items() if status.healed_by_waiting)
NOT_COUNTED = frozenset(name for name, status in STATUSES.items() if not status.counted)
NOT_KNOWN = frozenset({"denied", "denied_by_scp", "unreachable", UNCHECKED})
"""Statuses with which nobody could look: whether the trail is there is not known."""

FAIL_ON = tuple(name for name in ANSWERED if name not in QUIET)
"""Statuses that fail unless the user says otherwise; what is unchecked always fails."""


def failing_statuses(fail_on: Iterable[str]) -> frozenset[str]:
    """The statuses that fail when the user names these: with those that were a part of them, and what is unchecked."""
    named = {*fail_on, UNCHECKED}
    return frozenset(named | {name for name, status in STATUSES.items() if status.part_of in named})
