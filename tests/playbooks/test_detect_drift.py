# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""detect_drift.yml as a witness: its report is of this run, and what it could not look at is not called good."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from botocore.exceptions import ClientError

from lab.inventory import write_inventory
from tests.ansible_run import PlaybookResult, run_playbook
from tests.lab_process import MEMBER_ROLE, Lab


class World:
    """A lab with the organization trail turned on."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.folder = folder
        self.cloudtrail = lab.client("cloudtrail")
        self.s3 = lab.client("s3", lab.log_archive)
        self.iam = lab.client("iam", lab.log_archive)
        self.policy: str = self.s3.get_bucket_policy(Bucket=lab.bucket)["Policy"]
        self.inventory = write_inventory(folder / "inventory.yml", lab.ready)
        self.play("enable_org_trail", "-e", "coverage_enabled=false").ok()

    def play(self, name: str, *arguments: str) -> PlaybookResult:
        given = ("-i", str(self.inventory), "-e", f"detect_drift_report_dir={self.folder}", *arguments)
        return run_playbook(self.lab, f"playbooks/{name}.yml", *given)

    def drift(self, *arguments: str) -> dict[str, dict[str, Any]]:
        """The rows of the report, by what they are about; the run, both files and the rows agree."""
        result = self.play("detect_drift", *arguments)
        rows = json.loads((self.folder / "drift.json").read_text())["drift"]
        suite = ElementTree.parse(self.folder / "drift.xml").getroot()
        assert int(suite.attrib["failures"]) + int(suite.attrib["errors"]) == len(rows)
        assert (result.rc != 0) == bool(rows), result.msg
        return {f"{row['object'].rpartition('/')[2]}: {row['what']}": row for row in rows}

    def findings(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads((self.folder / "drift.ocsf.json").read_text())
        return found

    def delete_role(self) -> None:
        """Take away the role that leads into the log archive account."""
        for policy in self.iam.list_attached_role_policies(RoleName=MEMBER_ROLE)["AttachedPolicies"]:
            self.iam.detach_role_policy(RoleName=MEMBER_ROLE, PolicyArn=policy["PolicyArn"])
        self.iam.delete_role(RoleName=MEMBER_ROLE)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with Lab() as lab:
        yield World(lab, tmp_path_factory.mktemp("drift"))


def test_a_green_run_proves_what_it_looked_at(world: World) -> None:
    """All three files hold each check, two with its value; the recap counts no change, and three lines are last."""
    world.cloudtrail.stop_logging(Name=world.lab.trail_arn)
    [stopped] = world.drift("-e", "detect_drift_findings=true").values()
    failed = {one["finding_info"]["uid"] for one in world.findings() if one["compliance"]["status"] == "Fail"}
    world.cloudtrail.start_logging(Name=world.lab.trail_arn)

    extra = {"detect_drift_coverage": True, "detect_drift_findings": True, "detect_drift_delegated_administrators": []}
    result = world.play("detect_drift", "-e", json.dumps(extra)).ok()
    assert result.changed == 0
    report = json.loads((world.folder / "drift.json").read_text())
    passed = {f"{one['object'].rpartition('/')[2]}: {one['what']}": one["found"] for one in report["passed"]}
    covered = "85 of 85 account regions in 5 accounts log to the organization trail."
    expected = {
        "default: logging": True,
        "default: s3_bucket_name": world.lab.bucket,
        f"{world.lab.bucket}: request_payment": "BucketOwner",
        f"{world.lab.bucket}: policy": f"admits {world.lab.trail_arn}",
        "organization: delegated administrators of cloudtrail.amazonaws.com": "none",
        "coverage: judged": covered,
    }
    assert {name: passed.get(name) for name in expected} == expected
    assert (report["organization_id"], report["trail_arn"]) == (world.lab.organization_id, world.lab.trail_arn)
    assert report["checked_by"].endswith(":user/admin")
    suite = ElementTree.parse(world.folder / "drift.xml").getroot()
    assert len(suite.findall("testcase/system-out")) == len(passed)
    assert failed <= {one["finding_info"]["uid"] for one in world.findings() if one["compliance"]["status"] == "Pass"}
    assert stopped["what"] == "logging"
    assert result.results[-1].result["msg"] == [
        f"Drifted: nothing; {len(passed)} as wanted, advice on versioning, tls_only",
        f"Coverage: {covered}",
        f"Report: {world.folder}/drift.json",
    ]


def test_a_run_that_ends_early_leaves_no_green_report(world: World) -> None:
    other = world.folder / "other.yml"
    other.write_text("elsewhere: {hosts: {other: {ansible_connection: local}}}")
    for limit in ("log_archive", "elsewhere"):
        assert world.drift() == {}
        world.lab.clear_journal()
        rows = world.drift("-i", str(other), "--limit", limit)
        assert list(rows) == ["detect_drift.yml: could not be judged"]
        assert world.lab.journal() == []


def test_who_did_it_is_found_behind_a_hundred_calls_in_vain(world: World) -> None:
    world.cloudtrail.stop_logging(Name=world.lab.trail_arn)
    for _number in range(105):
        with suppress(ClientError):
            world.cloudtrail.stop_logging(Name="nowhere")
    [row] = world.drift().values()
    world.cloudtrail.start_logging(Name=world.lab.trail_arn)
    assert (row["what"], row["by"].rpartition("/")[2], row["unattributed"]) == ("logging", "admin", "")


def test_a_bucket_that_looks_alike_does_not_take_the_trail(world: World) -> None:
    """One that admits the trail stands beside the trail's own, which then loses a statement."""
    lab, alike = world.lab, f"aws-cloudtrail-logs-{world.lab.log_archive}-alike"
    world.s3.create_bucket(Bucket=alike)
    world.s3.put_bucket_policy(Bucket=alike, Policy=world.policy.replace(lab.bucket, alike))
    enable = ("enable_org_trail", "-e", "coverage_enabled=false")
    assert world.play(*enable).ok().changed == 0

    document = json.loads(world.policy)
    left = [one for one in document["Statement"] if "OrganizationWrite" not in one["Sid"]]
    world.s3.put_bucket_policy(Bucket=lab.bucket, Policy=json.dumps({**document, "Statement": left}))
    lab.clear_journal()
    refused = world.play(*enable)
    assert refused.rc != 0
    assert f"Bucket {lab.bucket} of account {lab.log_archive}, which trail default" in refused.msg
    assert "AWSCloudTrailOrganizationWrite" in refused.msg
    assert alike not in refused.msg
    assert lab.journal(writes=True) == []
    [row] = world.drift().values()
    assert (row["object"], row["kind"]) == (lab.bucket, "log bucket")
    assert "AWSCloudTrailOrganizationWrite" in json.dumps(row)

    moved = world.play(*enable, "-e", f"log_bucket_lookup_name={alike}").ok()
    assert moved.changed == 1
    assert world.cloudtrail.get_trail(Name=lab.trail_arn)["Trail"]["S3BucketName"] == alike
    world.s3.put_bucket_policy(Bucket=lab.bucket, Policy=world.policy)
    assert world.play(*enable, "-e", f"log_bucket_lookup_name={lab.bucket}").ok().changed == 1


def test_what_cannot_be_judged_hides_nothing_else(world: World) -> None:
    """The bucket refuses the trail's prefix; then nobody comes into the log archive. The trail is stopped all along."""
    lab = world.lab
    document = json.loads(world.policy)
    elsewhere = json.loads(world.policy.replace("/AWSLogs/", "/elsewhere/AWSLogs/"))["Statement"]
    more = [{**one, "Sid": f"{one['Sid']}More"} for one in elsewhere if one["Action"] == "s3:PutObject"]
    policy = json.dumps({**document, "Statement": [*document["Statement"], *more]})
    world.s3.put_bucket_policy(Bucket=lab.bucket, Policy=policy)
    world.cloudtrail.update_trail(Name=lab.trail_arn, S3KeyPrefix="elsewhere")
    world.cloudtrail.stop_logging(Name=lab.trail_arn)
    rows = world.drift()
    assert list(rows) == ["default: logging", "trail: could not be judged"]
    assert "has the prefix 'elsewhere'" in rows["trail: could not be judged"]["found"]

    world.delete_role()
    rows = world.drift()
    assert list(rows) == ["default: logging", "log bucket: could not be judged"]
    assert rows["default: logging"]["by"]
    assert "Failed to assume the role" in rows["log bucket: could not be judged"]["found"]
