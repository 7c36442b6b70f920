# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role coverage, alone on localhost with plain variables, against the lab."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ansible_run import BIN, ROOT, PlaybookResult, ansible_environment, run_playbook
from tests.coverage_reports import cover, list_accounts, report, statuses
from tests.coverage_world import under_scp
from tests.lab_process import Lab

REGIONS = ["eu-west-1", "us-east-1", "us-west-2"]
NEVER_DELIVERED = {"LatestDeliveryTime": None, "LatestDigestDeliveryTime": None}


@pytest.fixture(scope="module")
def covered() -> Iterator[Lab]:
    with Lab("--accounts", "6") as lab:
        cover(lab)
        yield lab


@pytest.fixture
def lab(covered: Lab) -> Lab:
    covered.control("POST", "faults", [])
    covered.clear_journal()
    return covered


def play(lab: Lab, folder: Path, **variables: Any) -> list[dict[str, Any]]:
    role = {"name": "cloudsec.org_trail.coverage"}
    settings = {"coverage_trail_arn": lab.trail_arn, "coverage_regions": REGIONS, "coverage_report_dir": str(folder)}
    return [{"name": "Prove it", "ansible.builtin.import_role": role, "vars": settings | variables}]


def run_role(lab: Lab, folder: Path, *arguments: str, **variables: Any) -> PlaybookResult:
    return run_playbook(lab, play(lab, folder, **variables), *arguments)


def lines(result: PlaybookResult) -> list[str]:
    found: list[str] = result.task("Show the verdict")["msg"]
    return found


def members(lab: Lab) -> list[str]:
    return [account["Id"] for account in list_accounts(lab) if account["Id"] != lab.management]


def deny(account: str) -> dict[str, Any]:
    """A fault that makes whoever asks for the trail in an account a stranger there."""
    return {"service": "cloudtrail", "operation": "GetTrailStatus", "account": account, "fault": "code:AccessDenied"}


def test_all_is_covered(lab: Lab, tmp_path: Path) -> None:
    # A string, as -e coverage_part=false gives it.
    result = run_role(lab, tmp_path / "new" / "reports", coverage_part="false").ok()
    assert lines(result) == [
        "18 of 18 account regions in 6 accounts log to the organization trail. 3 of 17 regions were asked.",
        f"Report: {tmp_path}/new/reports/coverage.html",
    ]
    assert (result.changed, lab.journal(writes=True)) == (0, [])
    written = ["coverage.csv", "coverage.html", "coverage.json"]
    assert sorted(path.name for path in (tmp_path / "new" / "reports").iterdir()) == written
    page = (tmp_path / "new" / "reports" / "coverage.html").read_text(encoding="utf-8")
    assert "Every account and region asked is covered (3 of 17 regions)" in page
    expected = {(account["Id"], region): "covered" for account in list_accounts(lab) for region in REGIONS}
    assert statuses(tmp_path / "new" / "reports") == expected


def test_a_relative_path_begins_where_ansible_was_started(lab: Lab, tmp_path: Path) -> None:
    run_playbook(lab, play(lab, Path("reports"), coverage_part=True), cwd=tmp_path).ok()
    merge = {"name": "cloudsec.org_trail.coverage", "tasks_from": "merge"}
    tasks = [{"name": "Merge", "ansible.builtin.import_role": merge, "vars": {"coverage_report_dir": "reports"}}]
    run_playbook(lab, tasks, cwd=tmp_path).ok()
    reports = ["coverage.csv", "coverage.html", "coverage.json", "parts"]
    assert sorted(path.name for path in (tmp_path / "reports").iterdir()) == reports


def test_names_and_units_of_accounts_are_in_the_report(lab: Lab, tmp_path: Path) -> None:
    run_role(lab, tmp_path).ok()
    found = report(tmp_path)
    assert {account["id"]: account["name"] for account in found["accounts"]} == {
        account["Id"]: account["Name"] for account in list_accounts(lab)
    }
    assert all(account["ou_path"].startswith(lab.organization_id) for account in found["accounts"])
    assert found["trail"] == {"arn": lab.trail_arn, "name": "default", "home_region": lab.home_region}


def test_an_exception_fails_and_says_where_to_look(lab: Lab, tmp_path: Path) -> None:
    blind = members(lab)[0]
    lab.control("POST", "faults", [deny(blind)])
    result = run_role(lab, tmp_path)
    assert result.rc == 2
    assert result.msg == (
        "3 of 18 account regions in 1 of 6 accounts cannot be relied on: access denied 3. 3 of 17 regions were asked. "
        f"What to do stands in {tmp_path}/coverage.html."
    )
    assert len(lines(result)) == 3
    assert lines(result)[1].startswith("Access denied: ")
    assert f"({blind}) eu-west-1, us-east-1, us-west-2." in lines(result)[1]
    assert {place for place, status in statuses(tmp_path).items() if status != "covered"} == {
        (blind, region) for region in REGIONS
    }


def test_fail_on_decides_what_fails(lab: Lab, tmp_path: Path) -> None:
    lab.control("POST", "faults", [deny(members(lab)[0])])
    result = run_role(lab, tmp_path, coverage_fail_on=["missing"]).ok()
    assert "Told not to fail: 3 exceptions." in lines(result)[0]
    assert run_role(lab, tmp_path, coverage_fail_on=["denied"]).rc == 2


@pytest.mark.parametrize(
    ("region", "words"),
    [
        (
            "af-south-1",
            "each closed or with its regions disabled, so nothing is proved. 1 of 18 regions were asked.",
        ),
        ("us-gov-west-1", "'us-gov-west-1' in regions is no region of the partition aws."),
        ("eu-wst-1", "'eu-wst-1' in regions is no region of the partition aws; did you mean eu-west-1?"),
    ],
)
def test_where_nothing_can_be_covered_nothing_is_green(lab: Lab, tmp_path: Path, region: str, words: str) -> None:
    result = run_role(lab, tmp_path, coverage_regions=[region])
    assert result.rc == 2
    assert words in result.msg


def test_members_without_an_opt_in_home_region_are_covered_nowhere(tmp_path: Path) -> None:
    """7 of 11 active members have not opted in, and send nothing (aws-facts 4.6)."""
    with Lab("--scenario", "landing_zone", "--home-region", "eu-central-2") as lab:
        cover(lab)
        result = run_role(lab, tmp_path, coverage_regions=["us-east-1"])
        found = {place: status for place, status in statuses(tmp_path).items() if status != "account_closed"}
    assert result.rc == 2
    blind = {account for (account, _), status in found.items() if status == "home_region_disabled"}
    assert len(blind) == 7
    assert found == {
        (account, region): ("home_region_disabled" if region == "us-east-1" else "region_disabled")
        if account in blind
        else "covered"
        for account, region in found
    }
    assert "home region disabled 7" in result.msg


def test_regions_that_a_policy_denies(tmp_path: Path) -> None:
    with Lab("--accounts", "6") as lab:
        cover(lab)
        lab.control("POST", "options", {"scp_arn_in_denials": True})
        policies = {account: under_scp(lab, account, "us-east-1", "us-west-2") for account in members(lab)[:2]}
        result = run_role(lab, tmp_path)
        assert result.rc == 2
        denied = {place for place, status in statuses(tmp_path).items() if status == "denied_by_scp"}
        assert denied == {(account, "eu-west-1") for account in policies}
        assert all(arn in "".join(lines(result)) for arn in policies.values())
        assert "coverage_regions: [us-east-1, us-west-2]" in (tmp_path / "coverage.html").read_text(encoding="utf-8")
        pasted = run_role(lab, tmp_path, coverage_regions=["us-east-1", "us-west-2"]).ok()
        assert lines(pasted)[0].endswith("2 of 17 regions were asked.")


def test_what_the_trail_does_not_log_is_told(tmp_path: Path) -> None:
    with Lab("--accounts", "6") as lab:
        cover(lab)
        client = lab.client("cloudtrail")

        def select(**more: Any) -> None:
            selector = {"ReadWriteType": "All", "IncludeManagementEvents": True, **more}
            client.put_event_selectors(TrailName=lab.trail_arn, EventSelectors=[selector])

        select(ReadWriteType="ReadOnly")
        result = run_role(lab, tmp_path)
        assert result.rc == 2
        assert "The trail logs only read management events." in lines(result)[0]
        assert run_role(lab, tmp_path, coverage_fail_on=["missing"]).rc == 2  # nothing is covered
        objects = {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}
        select(IncludeManagementEvents=False, DataResources=[objects])
        result = run_role(lab, tmp_path)
        assert result.rc == 2
        assert "management events missing 18" in result.msg
        assert set(statuses(tmp_path).values()) == {"management_events_missing"}


def test_a_trail_that_this_run_converted_is_on_its_way(lab: Lab, tmp_path: Path) -> None:
    """Event history tells of the conversion only minutes later."""
    lab.control("POST", "members", [{"account": members(lab)[0], "missing": True}])
    lab.control("POST", "faults", [{"service": "cloudtrail", "operation": "LookupEvents", "fault": "throttle"}])
    converted = {"changed": True, "changed_fields": ["is_organization_trail"], "trail": {"arn": lab.trail_arn}}
    try:
        run_role(lab, tmp_path, organization_trail=converted).ok()
    finally:
        lab.control("DELETE", "members")
    assert sorted(set(statuses(tmp_path).values())) == ["covered", "pending"]
    assert lab.journal(operation="LookupEvents") == []


def test_a_trail_that_never_delivered_is_silent_after_a_day(tmp_path: Path) -> None:
    with Lab("--accounts", "6") as lab:
        cover(lab)
        lab.control("POST", "members", [{"account": one, **NEVER_DELIVERED} for one in members(lab)[:1]])
        assert run_role(lab, tmp_path).rc == 0  # converted a moment ago
        old = {"coverage_trail_changed_at": "2026-01-01T00:00:00Z"}
        lab.control("POST", "members", [{"account": members(lab)[0], "StartLoggingTime": 25}])
        result = run_role(lab, tmp_path, **old)
        assert result.rc == 2
        assert "silent 3." in result.msg


def test_only_the_accounts_given(lab: Lab, tmp_path: Path) -> None:
    chosen = members(lab)[1]
    lab.clear_journal()
    result = run_role(lab, tmp_path, coverage_accounts=[{"id": chosen, "name": "chosen {{ 7 }}"}]).ok()
    assert "Only the 1 account given was asked. 3 of 17 regions were asked." in lines(result)[0]
    assert {account for account, _ in statuses(tmp_path)} == {chosen}
    assert lab.journal(service="organizations") == []


def test_check_mode_writes_the_report_too(lab: Lab, tmp_path: Path) -> None:
    result = run_role(lab, tmp_path, "--check", "--diff").ok()
    assert result.changed == 0
    assert (tmp_path / "coverage.html").exists()


def test_check_mode_reports_the_trail_as_it_is(lab: Lab, tmp_path: Path) -> None:
    before, after = ({"arn": lab.trail_arn, "s3_bucket_name": name} for name in ("old", "new"))
    found = {
        "changed": True,
        "before": before,
        "trail": after,
        "actions": [{"operation": "UpdateTrail", "region": "x"}],
    }
    run_role(lab, tmp_path, "--check", organization_trail=found).ok()
    assert (report(tmp_path)["trail"], report(tmp_path)["changes"]) == (before, [])


def test_without_a_trail_it_says_what_to_set(lab: Lab, tmp_path: Path) -> None:
    role = {"name": "cloudsec.org_trail.coverage"}
    result = run_playbook(lab, [{"name": "Prove it", "ansible.builtin.import_role": role}])
    assert "Set coverage_trail_arn, or run the role organization_trail before." in result.msg


def test_a_report_that_cannot_be_written_is_one_sentence(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "coverage.html").mkdir()
    result = run_role(lab, tmp_path)
    assert f"Failed to write the coverage report to {tmp_path}: " in result.msg


def test_killed_and_run_again_it_gives_the_same_report(lab: Lab, tmp_path: Path) -> None:
    lab.control("POST", "faults", [deny(members(lab)[0])])
    assert run_role(lab, tmp_path).rc == 2
    before, page = report(tmp_path), (tmp_path / "coverage.html").read_bytes()

    kill_while_asking(lab, tmp_path)
    assert (tmp_path / "coverage.html").read_bytes() == page

    assert run_role(lab, tmp_path).rc == 2
    assert report(tmp_path) == before


def kill_while_asking(lab: Lab, folder: Path) -> None:
    """Run the role and kill it with all it started when it has asked one account."""
    stuck = {"service": "cloudtrail", "operation": "GetTrailStatus", "fault": "timeout"}
    lab.control("POST", "faults", [deny(members(lab)[0]), stuck])
    lab.clear_journal()
    playbook = folder / "killed.yml"
    playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": play(lab, folder)}]))
    process = subprocess.Popen(
        [str(BIN / "ansible-playbook"), str(playbook)],
        cwd=ROOT,
        env=ansible_environment(lab, str(folder)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while not lab.journal(operation="AssumeRole"):
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    lab.control("POST", "faults", [deny(members(lab)[0])])
