# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Account ids, the ARNs of trails, roles and callers, trail names, and the partition of a region."""

from __future__ import annotations

import re
from dataclasses import dataclass

CLOUDTRAIL = "cloudtrail.amazonaws.com"
"""Service principal of CloudTrail, the same in every partition."""

_OWNER = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:(\d{12}):.+")
_ACCOUNT_ID = re.compile(r"\d{12}", re.ASCII)
_REGION = re.compile(r"[a-z]+(-[a-z]+)+-[0-9]+")
_PRINCIPAL = re.compile(r"arn:aws[a-z-]*:(?:iam|sts)::(\d{12}):.+")
_ARN = re.compile(r"arn:(aws[a-z-]*):cloudtrail:([a-z0-9-]+):(\d{12}):trail/(.+)")
_KEY_ARN = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/.+")
_NAME = re.compile(r"[A-Za-z0-9](?:[._-]?[A-Za-z0-9])*")
_IP_ADDRESS = re.compile(r"\d{1,3}(\.\d{1,3}){3}")
# The first words of the regions of each partition other than `aws`.
_PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eusc-": "aws-eusc",
}


def is_region(text: str) -> bool:
    """Whether a text has the form of a region's name, for example us-gov-east-1."""
    return _REGION.fullmatch(text) is not None


def is_account_id(text: str) -> bool:
    """Whether a text is an account id: 12 digits."""
    return _ACCOUNT_ID.fullmatch(text) is not None


def arn_account(arn: str) -> str:
    """The account that the ARN of a role, a user or a role's session names; "" for a text that is no such ARN."""
    match = _PRINCIPAL.fullmatch(arn)
    return match[1] if match else ""


def arn_owner(arn: str) -> str:
    """The account that a resource's ARN names; "" for one that names none, such as a bucket's, and for no ARN."""
    match = _OWNER.fullmatch(arn)
    return match[1] if match else ""


@dataclass(frozen=True)
class TrailArn:
    """The parts of a trail's ARN; str() gives the ARN."""

    partition: str
    region: str
    account_id: str
    name: str

    def __str__(self) -> str:
        return f"arn:{self.partition}:cloudtrail:{self.region}:{self.account_id}:trail/{self.name}"


def parse_trail_arn(arn: str) -> TrailArn:
    """Split a trail's ARN into its parts. Raises ValueError when it is not the ARN of a trail."""
    match = _ARN.fullmatch(arn)
    if match is None:
        raise ValueError(
            f"{arn!r} is not a trail ARN; expected arn:<partition>:cloudtrail:<region>:<account id>:trail/<name>."
        )
    return TrailArn(*match.groups())


def named_trail(text: str, is_arn: bool = False) -> str | TrailArn:
    """A trail by its name or its ARN. Raises ValueError for a name or an ARN that no trail can have.

    is_arn: true when the text must be an ARN.
    """
    if not is_arn and not is_trail_arn(text):
        if problem := trail_name_problem(text):
            raise ValueError(problem)
        return text
    return possible_trail_arn(text)


def possible_trail_arn(text: str) -> TrailArn:
    """Split a trail's ARN. Raises ValueError when it is none, or one that no trail can have."""
    arn = parse_trail_arn(text)
    if problem := trail_arn_problem(arn):
        raise ValueError(problem)
    return arn


def trail_arn_problem(arn: TrailArn) -> str | None:
    """Say in one sentence why no trail can have this ARN: its name, or a partition which its region is not in."""
    if problem := trail_name_problem(arn.name):
        return problem
    expected = partition_of(arn.region)
    if arn.partition == expected or arn.partition not in {"aws", *_PARTITIONS.values()}:  # a new one may be right
        return None
    return f"The trail {arn} is in the region {arn.region}, found the partition {arn.partition}, expected {expected}."


def is_trail_arn(text: str) -> bool:
    """Tell an ARN of a trail from a trail's name."""
    return _ARN.fullmatch(text) is not None


def is_key_arn(text: str) -> bool:
    """Tell the ARN of a KMS key from its id, an alias and an alias's ARN."""
    return _KEY_ARN.fullmatch(text) is not None


def trail_name_problem(name: str) -> str | None:
    """Say in one sentence why a trail cannot have this name, or None when it can (aws-facts 2.8)."""
    if not 3 <= len(name) <= 128:
        return f"Trail name {name!r} has {len(name)} characters; expected 3 to 128."
    if _IP_ADDRESS.fullmatch(name):
        return f"Trail name {name!r} has the form of an IP address; choose another name."
    if not _NAME.fullmatch(name):
        return (
            f"Trail name {name!r} is not valid; expected letters, digits and single . _ - between them, "
            "beginning and ending with a letter or digit."
        )
    return None


def partition_of(region: str) -> str:
    """Return the partition a region belongs to, such as aws, aws-cn or aws-us-gov."""
    return next((partition for prefix, partition in _PARTITIONS.items() if region.startswith(prefix)), "aws")
