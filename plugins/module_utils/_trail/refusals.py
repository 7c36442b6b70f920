# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What no option lifts: why a trail cannot be, in one sentence each; None when it can."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from .._aws.arn import (
    TrailArn,
    build_trail_arn,
    is_trail_arn,
    parse_trail_arn,
    partition_problem,
    trail_name_problem,
)
from .settings import Options, Settings


def name_refusal(name: str) -> str | None:
    """Why a trail cannot be named so; a name or an ARN."""
    if is_trail_arn(name):
        arn = parse_trail_arn(name)
        return trail_name_problem(arn.name) or partition_problem(arn)
    if name.startswith("arn:"):
        return f"The option name is {name!r}, expected a trail's name or its ARN arn:…:cloudtrail:…:trail/NAME."
    return trail_name_problem(name)


ARN_FORMS = {
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


def arn_refusal(options: Options) -> str | None:
    """Why an option that should hold an ARN does not."""
    for option, (form, example) in ARN_FORMS.items():
        value = options.get(option)
        if value is not None and not re.fullmatch(form, value):
            return f"The option {option} is {value!r}, expected an ARN like {example}. Correct it."
    return None


def choose_trail(trails: Sequence[Mapping[str, str]], name: str, owner: str, region: str) -> TrailArn | str:
    """The ARN of the owner's trail of that name, or of the one to be created in ``region``; a refusal in words.

    ``trails`` is the answer of ListTrails; trails of other accounts in it are not ours.
    """
    if is_trail_arn(name):
        arn = parse_trail_arn(name)
        if arn.account_id != owner:
            return (
                f"The trail {name} belongs to account {arn.account_id}, expected the account {owner}. "
                "Name one of its trails."
            )
        return arn
    own = sorted({trail["TrailARN"] for trail in trails if parse_trail_arn(trail["TrailARN"]).account_id == owner})
    named = [arn for arn in own if parse_trail_arn(arn).name == name]
    if len(named) > 1:
        return (
            f"The name {name} belongs to {len(named)} trails, {' and '.join(named)}, expected one. "
            "Say which by giving its ARN as name."
        )
    return parse_trail_arn(named[0] if named else build_trail_arn(region, owner, name))


def settings_refusal(arn: TrailArn, before: Settings | None, after: Settings, options: Options) -> str | None:
    """Why these settings cannot be (aws-facts 2.5, 3.3)."""
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
    group, role = "cloud_watch_logs_log_group_arn", "cloud_watch_logs_role_arn"
    asked = any(options.get(option) is not None for option in (group, role))
    if asked and bool(after[group]) != bool(after[role]):
        given, lacking = (group, role) if after[group] else (role, group)
        return f"The trail {arn} would have {given} without {lacking}, expected both or neither. Set {lacking}, too."
    admitted = options.get("expected_admitted_home_regions")
    if admitted is not None and arn.region not in admitted:
        return (
            f"The policy of the bucket {after['s3_bucket_name']} admits the trail {arn.name} with the home region "
            f"{' or '.join(admitted) or '(none)'}, found the trail in {arn.region}. "
            f"Let aws:SourceArn in the bucket's policy be {arn}."
        )
    prefix = options.get("expected_admitted_s3_key_prefix")
    if prefix is not None and prefix.strip("/") != after["s3_key_prefix"]:
        return (
            f"The trail {arn} has the prefix {after['s3_key_prefix']!r}, expected {prefix!r}, for which the policy of "
            f"the bucket {after['s3_bucket_name']} was judged. Set s3_key_prefix (for all roles, "
            "organization_trail_s3_key_prefix) to the prefix that both are to have."
        )
    return None
