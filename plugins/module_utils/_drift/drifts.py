# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drift: what the roles found not to be as wanted, one line each, from their own results. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass

from .._aws.errors import AnsibleOrgTrailError
from .._aws.text import printable
from .._work.options import Result, read_result
from .drift import BUCKET, CHECK, NOT_JUDGED, ORGANIZATION, TRAIL, Drift, not_judged
from .guardrails import guardrail_drift
from .watch import watch_drift

TRAIL_EVENTS = {
    "logging": ("StopLogging",),
    "event_selectors": ("PutEventSelectors",),
    "advanced_event_selectors": ("PutEventSelectors",),
    "insight_selectors": ("PutInsightSelectors",),
    "aggregation_configurations": ("PutEventConfiguration",),
    "tags": ("RemoveTags", "AddTags"),
    "state": ("DeleteTrail",),
}
"""Events that change a setting of the trail; all others come from UpdateTrail."""

POLICY_EVENTS = ("PutBucketPolicy", "DeleteBucketPolicy")
LIFECYCLE_EVENTS = ("PutBucketLifecycle", "PutBucketLifecycleConfiguration", "DeleteBucketLifecycle")
BUCKET_EVENTS = {
    "access_logging": ("PutBucketLogging",),
    "acl": ("PutBucketAcl",),
    "encryption": ("PutBucketEncryption", "DeleteBucketEncryption"),
    "lifecycle": LIFECYCLE_EVENTS,
    "lifecycle_rule": LIFECYCLE_EVENTS,
    "notifications": ("PutBucketNotification", "PutBucketNotificationConfiguration"),
    "object_lock": ("PutBucketObjectLockConfiguration",),
    "object_lock_retention": ("PutBucketObjectLockConfiguration",),
    "outside_access": POLICY_EVENTS,
    "object_ownership": ("PutBucketOwnershipControls", "DeleteBucketOwnershipControls"),
    "public_access_block": ("PutBucketPublicAccessBlock", "DeleteBucketPublicAccessBlock"),
    "readers": POLICY_EVENTS,
    "replication": ("PutBucketReplication", "DeleteBucketReplication"),
    "request_payment": ("PutBucketRequestPayment",),
    "versioning": ("PutBucketVersioning",),
}

REPAIR = "Run ansible-playbook cloudsec.org_trail.enable_org_trail."


def trail_drift(result: Result) -> list[Drift]:
    """From the result of cloudtrail_organization_trail in check mode: each setting that it would change."""
    if not result.get("actions"):
        return []
    before, after = result["diff"]["before"], result["diff"]["after"]
    arn = result["trail"].get("arn", "")
    if not result["before"]:
        return [Drift(TRAIL, arn, "trail", "present", "absent", REPAIR, TRAIL_EVENTS["state"])]
    return [
        Drift(TRAIL, arn, field, after.get(field), before.get(field), REPAIR, _trail_events(field))
        for field in result["changed_fields"]
    ]


def _trail_events(field: str) -> tuple[str, ...]:
    events = TRAIL_EVENTS.get(field, ("UpdateTrail",))
    return (*events, "DisableAWSServiceAccess") if field == "is_organization_trail" else events


def problem_drift(result: Result) -> list[Drift]:
    """From the problems that cloudtrail_organization_trail warns of: those that mean that logs are lost now."""
    return [
        Drift(TRAIL, problem["object"], problem["name"], problem["expected"], problem["found"], problem["remedy"])
        for problem in result.get("problems", [])
        if problem["name"] == "delivery_error"
    ]


def access_drift(result: Result, service_principal: str) -> list[Drift]:
    """From the result of organizations_service_access in check mode."""
    if not result or result["diff"]["before"] == result["diff"]["after"]:
        return []
    events = ("DisableAWSServiceAccess",)
    object_ = f"organization {result['organization']['id']}"
    return [Drift(ORGANIZATION, object_, f"trusted access of {service_principal}", "on", "off", REPAIR, events)]


def policy_drift(bucket: Result) -> list[Drift]:
    """From one bucket of cloudtrail_log_bucket_info: statements of its policy that do not admit the trail."""
    return [
        Drift(
            BUCKET,
            bucket["name"],
            f"policy, {one['statement']}",
            one["expected"],
            one["found"],
            one["fix"],
            POLICY_EVENTS,
        )
        for one in bucket.get("problems", [])
    ]


def health_drift(bucket: Result) -> list[Drift]:
    """From one bucket of cloudtrail_log_bucket_info: settings that somebody weakened, and those that were not read."""
    problems = _health_problems(bucket)
    return [_of_health(bucket, one) for one in problems if one["weakened"] or not one.get("readable", True)]


def health_advice(bucket: Result) -> list[Drift]:
    """From the same: what the bucket lacks although nobody weakened it. It is no drift, and should be known."""
    return [_of_health(bucket, one) for one in _health_problems(bucket) if one.get("severity") == "advice"]


def _health_problems(bucket: Result) -> list[Result]:
    return list((bucket.get("health") or {}).get("problems", []))


def _of_health(bucket: Result, problem: Result) -> Drift:
    setting = problem["setting"]
    if not problem.get("readable", True):
        return not_judged(f"{bucket['name']}, {setting}", problem["found"])
    events = BUCKET_EVENTS.get(setting, ())
    return Drift(BUCKET, bucket["name"], setting, problem["expected"], problem["found"], problem["fix"], events)


def coverage_drift(rows: Sequence[Result], total: int) -> list[Drift]:
    """From rows of cloudtrail_coverage_info: accounts and regions that are not covered.

    total: how many there are, where the rows are the first of them; 0 for as many as the rows.
    """
    untold = max(0, total - len(rows))
    more = Drift(
        "coverage",
        f"{untold} more account regions",
        "coverage",
        "covered",
        "not covered, and not in this list",
        "Read all of them in the report of the role coverage.",
    )
    return [*(_uncovered(row) for row in rows), *([more] if untold else [])]


def _uncovered(row: Result) -> Drift:
    return Drift(
        "coverage",
        f"account {row['account_id']} in {row['region']}",
        "coverage",
        "covered",
        row["status"],
        row["reason"],
    )


def failure_drift(messages: Iterable[str]) -> list[Drift]:
    """From refusals of the roles: each is a sentence that says what was found and what to do."""
    return [Drift(CHECK, "main job", "refusal", "none", message, "") for message in messages]


def unjudged(checks: Iterable[Result]) -> list[Drift]:
    """Of what a run was to look at, that which it could not judge, each with the reason."""
    return [not_judged(check["object"], check["reason"]) for check in checks if check["reason"]]


@dataclass(frozen=True)
class DriftOptions:
    """The options of the module cloudtrail_drift_info, with its names; results of other modules among them."""

    organization_trail: Result
    trusted_access: Result
    service_principal: str
    log_bucket: Result
    coverage_exceptions: list[Result]
    coverage_exceptions_total: int
    refusals: list[str]
    checks: list[Result]
    delegated_administrators: list[str] | None
    trusted_accounts: list[str]
    guardrails: Result
    watch: list[Result]
    event_history: bool
    log_archive_role_arn: str | None
    log_archive_role_external_id: str | None
    json_path: str | None
    junit_path: str | None
    findings_path: str | None


def collect_drift(options: DriftOptions) -> list[Drift]:
    """Every drift that the given results tell of.

    Raises AnsibleOrgTrailError for an option that is not the result which it should be.
    """
    reads: tuple[tuple[str, Callable[[], list[Drift]]], ...] = (
        ("trusted_access", lambda: access_drift(options.trusted_access, options.service_principal)),
        ("organization_trail", lambda: trail_drift(options.organization_trail)),
        ("organization_trail", lambda: problem_drift(options.organization_trail)),
        ("log_bucket", lambda: policy_drift(options.log_bucket)),
        ("log_bucket", lambda: health_drift(options.log_bucket)),
        (
            "coverage_exceptions",
            lambda: coverage_drift(options.coverage_exceptions, options.coverage_exceptions_total),
        ),
        ("guardrails", lambda: guardrail_drift(options.guardrails)),
        ("watch", lambda: watch_drift(options.watch)),
        ("refusals", lambda: failure_drift(options.refusals)),
        ("checks", lambda: unjudged(options.checks)),
    )
    return [drift for option, read in reads for drift in read_result(option, read, AnsibleOrgTrailError)]


def as_table(drifts: Sequence[Drift]) -> str:
    """The drifts for a person to read: a heading line and, for each, what, expected, found, since when, what to do."""
    unknown = sum(one.what == NOT_JUDGED for one in drifts)
    lines = [f"{len(drifts) - unknown} drifted{f', {unknown} could not be judged' if unknown else ''}:"]
    for one in drifts:
        lines.append(f"- {one.object}: {one.what}")
        lines.append(f"    expected  {short(one.expected)}")
        lines.append(f"    found     {short(one.found)}")
        if one.since:
            lines.append(f"    since     {one.since}, by {one.by or 'unknown'}")
        if one.unattributed:
            lines.append(f"    by whom   {one.unattributed}")
        if one.remedy:
            lines.append(f"    to do     {one.remedy}")
    return "\n".join(map(printable, lines))


def rows(drifts: Sequence[Drift]) -> list[Result]:
    """The drifts as the module returns them."""
    return [{**asdict(one), "events": list(one.events)} for one in drifts]


def short(value: object) -> str:
    """A value for a person to read."""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text or '""'
