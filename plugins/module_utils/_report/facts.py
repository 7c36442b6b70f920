# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report says about the trail, the bucket and the run, from the results of the modules before coverage."""

from __future__ import annotations

from collections.abc import Mapping

from .._aws.arn import TrailArn
from .._work.options import Result

TRAIL_FACTS = {
    "name": "Name",
    "arn": "ARN",
    "home_region": "Home region",
    "is_organization_trail": "Organization trail",
    "is_multi_region_trail": "All regions",
    "enable_log_file_validation": "Log file validation",
    "s3_bucket_name": "Bucket",
    "s3_key_prefix": "Key prefix",
    "kms_key_id": "KMS key",
    "logging": "Logging",
}
BUCKET_FACTS = {"name": "Name", "account_id": "Account", "region": "Region"}
CHANGES = {
    "CreateTrail": "Created the trail",
    "UpdateTrail": "Changed the trail",
    "DeleteTrail": "Deleted the trail",
    "StartLogging": "Started logging",
    "StopLogging": "Stopped logging",
}


def describe_settings(bucket: Result) -> list[tuple[str, str]]:
    """Each setting of the bucket in words, as the look-up of the bucket read it; none where it did not."""
    health: Result = bucket.get("health") or {}
    return [(_words(name), _text(value)) for name, value in health.items() if name != "problems"]


def describe_weaknesses(bucket: Result) -> list[tuple[str, str]]:
    """Each setting of the bucket that is weaker than expected, or could not be read, and what to do about it."""
    return [(_words(one["setting"]), f"{_found(one)}. {one['fix']}") for one in _problems(bucket)]


def settings_warning(bucket: Result) -> str | None:
    """The bucket's weak settings in one sentence, None where there are none or nobody looked."""
    weak = [f"{_words(one['setting']).lower()} ({_found(one)})" for one in _problems(bucket)]
    if not weak:
        return None
    return f"Settings of the log bucket {bucket.get('name')} are weaker than expected, or not read: {', '.join(weak)}."


def _problems(bucket: Result) -> list[Result]:
    problems: list[Result] = (bucket.get("health") or {}).get("problems") or []
    return problems


def _found(problem: Result) -> str:
    return f"{problem['found'].rstrip('.')}; expected {problem['expected']}"


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _text(value: object) -> str:
    """A setting's value for people."""
    if value is None:
        return "not read"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{_words(name).lower()}: {_text(one)}" for name, one in value.items() if one not in ("", []))
    if isinstance(value, list):
        return "; ".join(map(_text, value)) or "none"
    return str(value)


def describe_changes(trusted_access: Result, organization_trail: Result) -> list[str]:
    """What a run changed in AWS, one line for each call, from the results of the modules before coverage."""
    changes = (
        ["Allowed CloudTrail in the organization (EnableAWSServiceAccess)"] if trusted_access.get("changed") else []
    )
    for action in organization_trail.get("actions") or []:
        what = CHANGES.get(action["operation"], "Changed the trail")
        fields = [name for name in action.get("parameters") or {} if name not in ("Name", "TrailName", "ResourceId")]
        named = f": {', '.join(fields)}" if fields else ""
        changes.append(f"{what} in {action['region']} ({action['operation']}{named})")
    return changes


def describe_trail(trail: TrailArn) -> Result:
    """What a trail's ARN alone tells about it, for runs that do not manage the trail."""
    return {"arn": str(trail), "name": trail.name, "home_region": trail.region}


def facts(described: Result, labels: Mapping[str, str]) -> list[tuple[str, str]]:
    """Label and text of each labelled field that is set."""
    return [(labels[name], _text(described[name])) for name in labels if described.get(name) not in (None, "")]
