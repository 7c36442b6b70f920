# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job, as a user runs it: playbooks/enable_org_trail.yml against the lab."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.inventory import write_inventory
from tests.ansible_run import BIN, ROOT, PlaybookResult, run_playbook
from tests.lab_process import Lab

PLAYBOOK = "playbooks/enable_org_trail.yml"


def enable(lab: Lab, tmp_path: Path, *arguments: str, coverage: bool = False) -> PlaybookResult:
    inventory = write_inventory(tmp_path / "inventory.yml", lab.ready)
    enabled = f"coverage_enabled={str(coverage).lower()}"  # a string for Ansible, as in the README's command
    return run_playbook(lab, PLAYBOOK, "-i", str(inventory), "-e", enabled, *arguments)


def writes(lab: Lab) -> list[tuple[str, dict[str, Any]]]:
    return [(entry["operation"], entry["parameters"]) for entry in lab.journal(writes=True)]


def diff_of(result: PlaybookResult) -> list[Any]:
    return [one.diff for one in result.results if one.changed]


@pytest.fixture
def lesson() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


class LoggingWatch(threading.Thread):
    """Asks all the time whether the trail logs, from another process than Ansible's."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(daemon=True)
        self.client = lab.client("cloudtrail")
        self.arn = lab.trail_arn
        self.seen: list[bool] = []
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.is_set():
            self.seen.append(self.client.get_trail_status(Name=self.arn)["IsLogging"])
            time.sleep(0.02)

    def stop(self) -> list[bool]:
        self.ended.set()
        self.join()
        return self.seen


def test_lesson_from_first_run_to_delivery(lesson: Lab, tmp_path: Path) -> None:
    before = lesson.client("cloudtrail").get_trail(Name=lesson.trail_arn)["Trail"]
    old_bucket = objects(lesson, before["S3BucketName"])
    lesson.clear_journal()

    predicted = enable(lesson, tmp_path, "--check", "--diff").ok()
    assert writes(lesson) == []

    watch = LoggingWatch(lesson)
    watch.start()
    done = enable(lesson, tmp_path, "--diff").ok()
    assert writes(lesson) == [
        ("EnableAWSServiceAccess", {"ServicePrincipal": "cloudtrail.amazonaws.com"}),
        (
            "UpdateTrail",
            {"Name": lesson.trail_arn, "S3BucketName": lesson.bucket, "IsOrganizationTrail": True},
        ),
    ]
    assert diff_of(predicted) == diff_of(done)
    assert done.changed == 2
    assert [diff[0]["before_header"] for diff in diff_of(done)] == [
        f"organization {lesson.organization_id}, management account {lesson.management}",
        f"trail {lesson.trail_arn}",
    ]
    changes = (
        f"trusted access of cloudtrail.amazonaws.com: off → on; {lesson.trail_arn}: "
        f"s3_bucket_name: {before['S3BucketName']} → {lesson.bucket}; is_organization_trail: false → true"
    )
    without = ["Coverage: not asked, because coverage_enabled is false.", "Report: none, without a coverage"]
    assert predicted.task("Show what would change")["msg"] == [f"Would change: {changes}", *without]
    assert done.task("Show what changed")["msg"] == [f"Changed: {changes}", *without]
    assert done.results[-1].task == "Show what changed"

    lesson.clear_journal()
    again = enable(lesson, tmp_path, coverage=True).ok()
    assert again.changed == 0
    assert writes(lesson) == []
    assert again.task("Show what changed")["msg"] == [
        "Changed: nothing",
        "Coverage: 85 of 85 account regions in 5 accounts log to the organization trail.",
        f"Report: {tmp_path}/report/coverage.html",
    ]
    assert again.task("Show the verdict")["msg"][0].startswith("85 of 85 account regions in 5 accounts log")
    assert (tmp_path / "report" / "coverage.html").is_file()
    logging = watch.stop()
    assert logging
    assert all(logging)

    member_sees_it_read_only(lesson, tmp_path)
    assert objects(lesson, before["S3BucketName"]) == old_bucket


def objects(lab: Lab, bucket: str, account: str = "") -> list[str]:
    pages = lab.client("s3", account).get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


def member_sees_it_read_only(lab: Lab, tmp_path: Path) -> None:
    """What the lesson's learner checks by hand, with the AWS CLI in SecurityAudit."""
    shown = json.loads(aws(lab, tmp_path, "cloudtrail", "describe-trails").stdout)["trailList"]
    assert [(trail["TrailARN"], trail["IsOrganizationTrail"]) for trail in shown] == [(lab.trail_arn, True)]
    for command in (["stop-logging"], ["update-trail", "--no-is-multi-region-trail"]):
        refused = aws(lab, tmp_path, "cloudtrail", *command, "--name", lab.trail_arn)
        assert refused.returncode != 0
        assert "NotOrganizationMasterAccountException" in refused.stderr

    accounts = [
        account["Id"]
        for account in lab.client("organizations")
        .get_paginator("list_accounts")
        .paginate()
        .build_full_result()["Accounts"]
        if account["State"] == "ACTIVE"
    ]
    for account in accounts:
        lab.client("ec2", account, "eu-west-1").create_security_group(GroupName="g", Description="d")
    lab.control("POST", "deliver", {"hours": 2})
    listed = aws(lab, tmp_path, "s3", "ls", "--recursive", f"s3://{lab.bucket}/").stdout
    for account in accounts:
        assert f"AWSLogs/{lab.organization_id}/{account}/CloudTrail/eu-west-1/" in listed
        valid = aws(
            lab,
            tmp_path,
            *["cloudtrail", "validate-logs", "--trail-arn", lab.trail_arn, "--account-id", account],
            *["--start-time", lab.control("GET", "time")["time"][:4] + "-01-01T00:00:00Z"],
        )
        assert valid.returncode == 0, valid.stdout + valid.stderr
        assert "valid" in valid.stdout
        assert "INVALID" not in valid.stdout


def aws(lab: Lab, tmp_path: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run the AWS CLI in SecurityAudit."""
    role = f"arn:aws:iam::{lab.log_archive}:role/OrganizationAccountAccessRole"
    config = tmp_path / "aws_config"
    config.write_text(f"[profile member]\nrole_arn = {role}\ncredential_source = Environment\n")
    environment = {**lab.child_environment(str(tmp_path)), "AWS_CONFIG_FILE": str(config), "AWS_PAGER": ""}
    return subprocess.run(
        [
            str(BIN / "aws"),
            *command,
            "--profile",
            "member",
            "--region",
            lab.home_region,
            "--endpoint-url",
            lab.endpoint,
        ],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_no_call_is_made_in_vain(lesson: Lab, tmp_path: Path) -> None:
    """The calls of a converting and of an unchanged run, without and with the bucket's health.

    A call is one account's operation. The preflight looks at AWS, in six calls, and so does the role where something
    is to change: trusted access may change a trail (aws-facts section 5), and what was read before the first write is
    not believed after it. Each of the modules in management asks first whose keys it has. Trusted access is left alone
    where the preflight found it on.
    """
    without_health = ("-e", '{"log_bucket_lookup_health": false}')
    for arguments, expected in ((without_health, [*CALLS, *CONVERTING]), (without_health, CALLS), ((), None)):
        lesson.clear_journal()
        enable(lesson, tmp_path, *arguments).ok()
        calls = [f"{entry['account'] == lesson.management} {entry['operation']}" for entry in lesson.journal()]
        assert sorted(calls) == sorted(expected) if expected else len(calls) == len(CALLS) + 12


LOOK = ("DescribeTrails", "GetTrailStatus", "GetEventSelectors")
IN_MANAGEMENT = ("GetCallerIdentity", "DescribeOrganization", "ListAWSServiceAccessForOrganization")
CALLS = [
    *(f"False {name}" for name in ("DescribeOrganization", "DescribeTrails", "GetBucketPolicy", "ListBuckets")),
    "True AssumeRole",
    *(f"True {name}" for name in (*IN_MANAGEMENT, "ListTrails", *LOOK)),
]
CONVERTING = [
    *(f"True {name}" for name in (*IN_MANAGEMENT, "EnableAWSServiceAccess")),
    *(f"True {name}" for name in (*IN_MANAGEMENT, "ListTrails", *LOOK)),
    *(f"True {name}" for name in ("GetRole", "GetRole", "UpdateTrail", *LOOK)),
]
"""And what the conversion adds: the role that trusted access makes is looked for before and after."""


@pytest.mark.parametrize("home_region", ["us-west-2", "eu-central-1", "us-gov-west-1", "cn-north-1"])
def test_home_region_is_discovered(home_region: str, tmp_path: Path) -> None:
    with Lab("--home-region", home_region) as lab:
        enable(lab, tmp_path).ok()
        assert [entry["region"] for entry in lab.journal(operation="UpdateTrail")] == [home_region]
        assert enable(lab, tmp_path).ok().changed == 0


def test_fact_1_4_access_that_is_accepted_late_is_waited_for(lesson: Lab, tmp_path: Path) -> None:
    lesson.control("POST", "options", {"access_propagation_calls": 2})
    result = enable(lesson, tmp_path).ok()
    assert result.changed == 2
    outcomes = [entry["outcome"] for entry in lesson.journal(operation="UpdateTrail")]
    assert outcomes == ["CloudTrailAccessNotEnabledException"] * 2 + ["ok"]


def test_fact_1_4_waiting_has_a_bound(lesson: Lab, tmp_path: Path) -> None:
    lesson.control("POST", "options", {"access_propagation_calls": 1000})
    result = enable(lesson, tmp_path, "-e", "organization_trail_access_propagation_timeout=1")
    assert result.rc != 0
    assert "trusted access" in result.msg.lower()
    assert lesson.client("cloudtrail").get_trail_status(Name=lesson.trail_arn)["IsLogging"]


def test_among_several_trails_the_one_of_the_name_is_taken(tmp_path: Path) -> None:
    with Lab("--scenario", "landing_zone") as zone:
        client = zone.client("cloudtrail")
        others = [trail for trail in client.describe_trails()["trailList"] if trail["TrailARN"] != zone.trail_arn]
        assert others
        zone.clear_journal()
        enable(zone, tmp_path).ok()
        changes = {"S3BucketName": zone.bucket, "IsOrganizationTrail": True}
        assert writes(zone) == [("UpdateTrail", {"Name": zone.trail_arn, **changes})]
        assert [trail for trail in client.describe_trails()["trailList"] if trail in others] == others


def test_a_trail_that_does_not_exist_is_created_and_logs(lesson: Lab, tmp_path: Path) -> None:
    policy = json.loads(lesson.client("s3", lesson.log_archive).get_bucket_policy(Bucket=lesson.bucket)["Policy"])
    text = json.dumps(policy).replace("trail/default", "trail/organization").replace(lesson.home_region, "eu-west-1")
    lesson.client("s3", lesson.log_archive).put_bucket_policy(Bucket=lesson.bucket, Policy=text)
    names = ["-e", "organization_trail_name=organization"]
    enable(lesson, tmp_path, *names, "-e", "region=eu-west-1").ok()
    arn = f"arn:aws:cloudtrail:eu-west-1:{lesson.management}:trail/organization"
    created = lesson.client("cloudtrail", region="eu-west-1")
    assert created.get_trail(Name=arn)["Trail"]["IsOrganizationTrail"] is True
    assert created.get_trail_status(Name=arn)["IsLogging"] is True
    assert enable(lesson, tmp_path, *names).ok().changed == 0


def test_empty_groups_are_refused(lesson: Lab, tmp_path: Path) -> None:
    inventory = tmp_path / "inventory.yml"
    inventory.write_text("all: {children: {management: {}, log_archive: {}}}")
    result = run_playbook(lesson, PLAYBOOK, "-i", str(inventory))
    assert result.rc != 0
    assert "expected one each" in result.msg


@pytest.mark.parametrize("limit", ["management", "log_archive", "elsewhere"])
def test_a_limit_that_leaves_out_an_account_is_refused(lesson: Lab, tmp_path: Path, limit: str) -> None:
    other = tmp_path / "other.yml"
    other.write_text("elsewhere: {hosts: {other: {ansible_connection: local}}}")
    result = enable(lesson, tmp_path, "-i", str(other), "--limit", limit)
    assert result.rc != 0
    assert f"of which --limit {limit} leaves some out, expected one each" in result.msg
    assert lesson.journal() == []


def test_the_home_directory_may_hold_the_list_of_drifts(lesson: Lab, tmp_path: Path) -> None:
    enable(lesson, tmp_path).ok()
    arguments = ["-i", str(tmp_path / "inventory.yml"), "-e", "detect_drift_report_dir=~/drift"]
    run_playbook(lesson, "playbooks/detect_drift.yml", *arguments, environment={"HOME": str(tmp_path)}).ok()
    assert sorted(path.name for path in (tmp_path / "drift").iterdir()) == ["drift.json", "drift.xml"]


def test_with_tags_of_others_nothing_is_done(lesson: Lab, tmp_path: Path) -> None:
    """As in a larger playbook that imports this one; whoever runs this one alone is told."""
    result = enable(lesson, tmp_path, "--tags", "network", "-e", "organization_trail_nam=foo").ok()
    assert result.changed == 0
    assert lesson.journal() == []
    assert "runs with --tags network, so nothing is looked at or changed by it" in " ".join(
        (result.stdout + result.stderr).split()
    )
    importing = tmp_path / "site.yml"
    playbook = {"ansible.builtin.import_playbook": "cloudsec.org_trail.detect_drift", "tags": "trail"}
    importing.write_text(json.dumps([playbook]))
    inventory = ("-i", str(tmp_path / "inventory.yml"), "--tags", "trail")
    result = run_playbook(lesson, importing, *inventory, "-e", f"detect_drift_report_dir={tmp_path}")
    assert "runs with --tags" not in result.stdout + result.stderr
    assert lesson.journal() != []


@pytest.mark.parametrize("playbook", ["enable_org_trail", "detect_drift", "revert_org_trail", "coverage_slice"])
def test_a_misspelt_variable_is_refused_before_anything(lesson: Lab, tmp_path: Path, playbook: str) -> None:
    inventory = write_inventory(tmp_path / "inventory.yml", lesson.ready)
    (tmp_path / "host_vars").mkdir()
    (tmp_path / "host_vars" / "management_account.yml").write_text("organization_trail_nam: foo")
    result = run_playbook(lesson, f"playbooks/{playbook}.yml", "-i", str(inventory), "-e", "revert_org_trail_bucket=x")
    assert result.rc != 0
    assert "organization_trail_nam (did you mean organization_trail_name?)" in result.msg
    assert lesson.journal() == []


def test_variables_of_the_users_own_are_let_through(lesson: Lab, tmp_path: Path) -> None:
    own = {"coverage_team": "security", "org_trail_other_variables": ["coverage_team"]}
    assert enable(lesson, tmp_path, "--check", "-e", json.dumps(own)).ok().changed == 2


@pytest.mark.parametrize("variable", ["organization_trail_name", "organization_trail_s3_key_prefix"])
def test_the_bucket_is_judged_for_what_managements_host_says(lesson: Lab, tmp_path: Path, variable: str) -> None:
    (tmp_path / "host_vars").mkdir()
    (tmp_path / "host_vars" / "management_account.yml").write_text(f"{variable}: example")
    result = enable(lesson, tmp_path)
    assert result.task("Find the log bucket").failed
    assert "example" in result.msg
    assert writes(lesson) == []


def test_the_lookup_alone_finds_managements_variables(lesson: Lab, tmp_path: Path) -> None:
    """The host's own count where management has none, and where there is no group of that name."""
    inventory = write_inventory(tmp_path / "inventory.yml", lesson.ready)
    playbook = tmp_path / "lookup.yml"
    play = {
        "hosts": "log_archive",
        "gather_facts": False,
        "module_defaults": {"group/cloudsec.org_trail.assume_role": {"assume_role_arn": "{{ assume_role_arn }}"}},
        "roles": ["cloudsec.org_trail.log_bucket_lookup"],
    }
    playbook.write_text(json.dumps([play]))
    (tmp_path / "host_vars").mkdir()
    archive = tmp_path / "host_vars" / "security_audit.yml"
    for management, own, expected in (("managements", "own", "managements"), ("", "own", "own"), ("", "", "")):
        given = {"management_account": management, "security_audit": own}
        for host, name in given.items():
            text = json.dumps({"organization_trail_name": name} if name else {})
            (tmp_path / "host_vars" / f"{host}.yml").write_text(text)
        result = run_playbook(lesson, playbook, "-i", str(inventory))
        assert archive.exists()
        assert (result.rc == 0) == (not expected)
        assert f"trail/{expected}" in result.msg or not expected


WRONG: list[tuple[str, object, str]] = [
    ("organization_trail_logging", "perhaps", "logging"),
    ("organization_trail_insight_selectors", [{"insight_type": "A"}], "insight_selectors"),
    ("organization_trail_on_problem", {"overlapping_trail": "perhaps"}, "on_problem"),
    ("organization_trail_on_problem", '{"overlapping_trail": "perhaps"}', "on_problem"),
    ("organization_trail_on_problem", "perhaps", "dictionary requested"),
    ("log_bucket_lookup_health", "perhaps", "log_bucket_lookup_health"),
    ("log_bucket_lookup_require_admission", "perhaps", "got: log_bucket_lookup_require_admission=perhaps"),
    ("log_bucket_lookup_tags", "perhaps", "tags"),
]


def test_a_variable_of_a_wrong_type_is_refused_before_the_first_write(lesson: Lab, tmp_path: Path) -> None:
    for variable, value, says in WRONG:
        result = enable(lesson, tmp_path, "-e", json.dumps({variable: value}))
        assert says in result.msg
        assert "Turn on trusted access" not in {one.task.rpartition(" : ")[2] for one in result.results}
    assert writes(lesson) == []


WRONG_COVERAGE: list[tuple[str, object, str]] = [
    ("coverage_accounts", "abc", "coverage_accounts"),
    ("coverage_accounts", [{"id": "123"}], "'123' in accounts is no account id"),
    ("coverage_role_name", "Nobody", "Coverage could enter no member, of 4 that were tried."),
    ("coverage_report_dir", f"{__file__}/report", "Failed to write output_path"),
    ("coverage_fail_on", ["unheard_of"], "coverage_fail_on"),
]


@pytest.mark.parametrize("arguments", [(), ("--check",)])
def test_what_coverage_would_refuse_is_refused_before_the_first_write(
    lesson: Lab, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    for variable, value, says in WRONG_COVERAGE:
        result = enable(lesson, tmp_path, *arguments, "-e", json.dumps({variable: value}), coverage=True)
        assert says in result.msg
        assert "Turn on trusted access" not in {one.task.rpartition(" : ")[2] for one in result.results}
    assert writes(lesson) == []


def test_before_the_first_write_one_member_is_entered(lesson: Lab, tmp_path: Path) -> None:
    """And no other account is asked, in check mode. Where it may fail to be entered, nobody is."""
    alone, proved = (operations(lesson, tmp_path, coverage=coverage) for coverage in (False, True))
    assert proved - alone == {"AssumeRole": 1, "ListAccounts": 1, "GetCallerIdentity": 1}
    lenient = operations(lesson, tmp_path, "-e", '{"coverage_fail_on": ["missing"]}', coverage=True)
    assert lenient - alone == {"GetCallerIdentity": 1}


def operations(lab: Lab, tmp_path: Path, *arguments: str, coverage: bool) -> Counter[str]:
    """What a run in check mode calls."""
    lab.clear_journal()
    enable(lab, tmp_path, "--check", *arguments, coverage=coverage).ok()
    return Counter(entry["operation"] for entry in lab.journal())


def test_a_dictionary_from_the_command_line_is_a_string(lesson: Lab, tmp_path: Path) -> None:
    result = enable(lesson, tmp_path, "--check", "-e", 'organization_trail_on_problem={"delivery_error":"ignore"}')
    assert result.ok().changed == 2


def test_roles_alone_with_plain_variables(lesson: Lab) -> None:
    """As in a landing zone's own playbook: localhost, no inventory and no group of ours."""
    archive = {"assume_role_arn": f"arn:aws:iam::{lesson.log_archive}:role/OrganizationAccountAccessRole"}
    include = "ansible.builtin.include_role"
    tasks: list[dict[str, Any]] = [
        {
            "name": "lookup",
            "module_defaults": {"group/cloudsec.org_trail.assume_role": archive},
            "block": [{include: {"name": "cloudsec.org_trail.log_bucket_lookup"}}],
        },
        {"name": "access", include: {"name": "cloudsec.org_trail.trusted_access"}},
        {"name": "trail", include: {"name": "cloudsec.org_trail.organization_trail"}},
        {"name": "show", "ansible.builtin.debug": {"var": "organization_trail.trail.is_organization_trail"}},
    ]
    result = run_playbook(lesson, tasks).ok()
    assert result.task("show")["organization_trail.trail.is_organization_trail"] is True
