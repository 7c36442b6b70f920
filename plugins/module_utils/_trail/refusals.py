# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What no option lifts: why a trail cannot be, in one sentence each; None when it can."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .._aws.arn import TrailArn, arn_owner, partition_of, trail_arn_problem, trail_name_problem
from .options import TrailOptions
from .settings import Setting, Settings


def name_refusal(name: str | TrailArn) -> str | None:
    """Why a trail cannot be named so; a name or an ARN."""
    if isinstance(name, TrailArn):
        return trail_arn_problem(name)
    if name.startswith("arn:"):
        return f"The option name is {name!r}, expected a trail's name or its ARN arn:…:cloudtrail:…:trail/NAME."
    return trail_name_problem(name)


ARN_FORMS: dict[Setting, tuple[str, str]] = {
    "kms_key_id": (
        r"(?!arn:).*|arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(key|alias)/.+",
        "arn:…:kms:REGION:ACCOUNT:key/ID",
    ),
    "sns_topic_name": (r"(?!arn:).*|arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:.+", "arn:…:sns:REGION:ACCOUNT:NAME"),
    "cloud_watch_logs_log_group_arn": (
        r"|arn:aws[a-z-]*:logs:[a-z0-9-]+:\d{12}:log-group:[^:]+(:\*)?",
        "arn:…:logs:REGION:ACCOUNT:log-group:NAME",
    ),
    "cloud_watch_logs_role_arn": (r"|arn:aws[a-z-]*:iam::\d{12}:role/.+", "arn:…:iam::ACCOUNT:role/NAME"),
}
"""What the options that hold an ARN, or may hold one, have to look like."""


def arn_refusal(options: TrailOptions) -> str | None:
    """Why an option that should hold an ARN does not."""
    for option, (form, example) in ARN_FORMS.items():
        value: str | None = getattr(options, option)
        if value is not None and not re.fullmatch(form, value):
            return f"The option {option} is {value!r}, expected an ARN like {example}. Correct it."
    return None


def choose_trail(trails: Iterable[TrailArn], name: str | TrailArn, owner: str, region: str) -> TrailArn | str:
    """The owner's trail of that name, or the one to be created in ``region``; a refusal in words.

    ``trails`` are those that ListTrails names; trails of other accounts among them are not ours.
    """
    if isinstance(name, TrailArn):
        if name.account_id != owner:
            return (
                f"The trail {name} belongs to account {name.account_id}, expected the account {owner}. "
                "Name one of its trails."
            )
        return name
    named = sorted({arn for arn in trails if arn.account_id == owner and arn.name == name}, key=str)
    if len(named) > 1:
        return (
            f"The name {name} belongs to {len(named)} trails, {' and '.join(map(str, named))}, expected one. "
            "Delete the one that is not yours, or say which is by giving its ARN as name."
        )
    return named[0] if named else TrailArn(partition_of(region), region, owner, name)


def settings_refusal(
    arn: TrailArn, before: Settings | None, after: Settings, options: TrailOptions, caller: str
) -> str | None:
    """Why these settings cannot be (aws-facts 2.5, 3.3). caller: the account that the call is made in."""
    if before is None and not after["s3_bucket_name"]:
        return (
            f"The trail {arn} does not exist and s3_bucket_name is not set, expected a bucket's name to create it. "
            "Set s3_bucket_name, or correct name."
        )
    if not after["s3_bucket_name"]:
        return (
            f"The option s3_bucket_name is empty for {arn}, expected a bucket's name. Leave it out to keep the bucket."
        )
    if after["is_multi_region_trail"] and not after["include_global_service_events"]:
        return (
            f"The trail {arn} would be multi-region without global service events, expected both or neither. "
            "Set include_global_service_events=true, or is_multi_region_trail=false."
        )
    group: Setting = "cloud_watch_logs_log_group_arn"
    role: Setting = "cloud_watch_logs_role_arn"
    asked = (options.cloud_watch_logs_log_group_arn, options.cloud_watch_logs_role_arn) != (None, None)
    if asked and bool(after[group]) != bool(after[role]):
        given, lacking = (group, role) if after[group] else (role, group)
        return f"The trail {arn} would have {given} without {lacking}, expected both or neither. Set {lacking}, too."
    sent = before is None or any(before[one] != after[one] for one in (group, role))
    if asked and sent and (misplaced := _misplaced_logs(arn, after, caller)):
        return misplaced
    admitted = options.expected_admitted_home_regions
    if admitted is not None and arn.region not in admitted:
        return (
            f"The policy of the bucket {after['s3_bucket_name']} admits the trail {arn.name} with the home region "
            f"{' or '.join(admitted) or '(none)'}, found the trail in {arn.region}. "
            "A trail of that name in another region than yours is a mistake, or hides yours: delete it, or give the "
            f"ARN of yours as name. If {arn} is yours, give it to the look-up of the bucket as trail_arn, which then "
            "says what the bucket's policy lacks."
        )
    prefix = options.expected_admitted_s3_key_prefix
    if prefix is not None and prefix.strip("/") != after["s3_key_prefix"]:
        return (
            f"The trail {arn} has the prefix {after['s3_key_prefix']!r}, expected {prefix!r}, for which the policy of "
            f"the bucket {after['s3_bucket_name']} was judged. Set s3_key_prefix (for all roles, "
            "organization_trail_s3_key_prefix) to the prefix that both are to have."
        )
    return None


def _misplaced_logs(arn: TrailArn, after: Settings, caller: str) -> str | None:
    """Why CloudTrail takes no such log group or role: both are of the calling account (aws-facts 2.16, 11.2)."""
    group, role = after["cloud_watch_logs_log_group_arn"], after["cloud_watch_logs_role_arn"]
    if not group:
        return None
    region, account = group.split(":")[3:5]
    whose = "owns the trail" if caller == arn.account_id else "makes the call for the trail"
    if caller != arn.account_id and (region, account) == (arn.region, arn.account_id):
        return (
            f"The log group {group} of the trail {arn} is the management account's, found credentials of {caller}, a "
            "delegated administrator of CloudTrail, which may set one of its own only. To set this one needs the "
            f"management account {account}. Run enable_org_trail.yml with credentials of {account}."
        )
    if (region, account) != (arn.region, caller):
        return (
            f"The log group {group} is one of account {account} in {region}, expected one of account {caller}, which "
            f"{whose} {arn}, in {arn.region}. Set cloud_watch_logs_log_group_arn to one there."
        )
    if arn_owner(role) != caller:
        return (
            f"The role {role} is one of account {arn_owner(role)}, expected one of account {caller}, which {whose} "
            f"{arn}. Set cloud_watch_logs_role_arn to one of that account."
        )
    return None
