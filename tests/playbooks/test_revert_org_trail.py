# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way back: playbooks/revert_org_trail.yml against the lab."""

from __future__ import annotations

import json
from pathlib import Path

from lab.inventory import write_inventory
from tests.ansible_run import PlaybookResult, run_playbook
from tests.lab_process import Lab
from tests.playbooks.test_enable_org_trail import enable, writes


def revert(lab: Lab, tmp_path: Path, bucket: str = "", *arguments: str) -> PlaybookResult:
    inventory = write_inventory(tmp_path / "inventory.yml", lab.ready)
    variables = {"revert_org_trail_record": "~/before.json"}
    variables |= {"revert_org_trail_bucket": bucket} if bucket else {}
    command = ["-i", str(inventory), "-e", json.dumps(variables), *arguments]
    return run_playbook(lab, "playbooks/revert_org_trail.yml", *command, environment={"HOME": str(tmp_path)})


def test_back_to_an_account_trail(tmp_path: Path) -> None:
    with Lab() as lab:
        before = lab.client("cloudtrail").get_trail(Name=lab.trail_arn)["Trail"]
        bucket = before["S3BucketName"]
        lab.clear_journal()
        untouched = revert(lab, tmp_path, bucket).ok()
        assert (untouched.changed, writes(lab)) == (0, [])

        enable(lab, tmp_path).ok()
        lab.clear_journal()
        assert "Set revert_org_trail_bucket" in revert(lab, tmp_path).msg
        assert writes(lab) == []
        for arguments in (["--check"], []):
            missing = revert(lab, tmp_path, "nobody-has-this-bucket", *arguments)
            assert missing.rc != 0
            assert "Bucket nobody-has-this-bucket does not exist" in missing.msg
        client = lab.client("s3")
        policy = client.get_bucket_policy(Bucket=bucket)["Policy"]
        client.delete_bucket_policy(Bucket=bucket)
        assert (
            f"Bucket {bucket}: found a policy that keeps out the trail" in revert(lab, tmp_path, bucket, "--check").msg
        )
        client.put_bucket_policy(Bucket=bucket, Policy=policy)
        lab.clear_journal()
        predicted = revert(lab, tmp_path, bucket, "--check").ok()
        assert (predicted.changed, writes(lab)) == (1, [])
        assert f"would stand in {tmp_path}/before.json" in predicted.task("Show where it is").msg
        assert not (tmp_path / "before.json").exists()

        done = revert(lab, tmp_path, bucket).ok()
        assert f"stands in {tmp_path}/before.json" in done.task("Show where it is").msg
        changes = {"S3BucketName": bucket, "IsOrganizationTrail": False}
        assert writes(lab) == [("UpdateTrail", {"Name": lab.trail_arn, **changes})]
        assert json.loads((tmp_path / "before.json").read_text())["is_organization_trail"] is True
        assert lab.client("cloudtrail").get_trail(Name=lab.trail_arn)["Trail"] == before
        assert lab.client("cloudtrail").get_trail_status(Name=lab.trail_arn)["IsLogging"]

        record = (tmp_path / "before.json").read_text()
        assert revert(lab, tmp_path, bucket).ok().changed == 0
        assert (tmp_path / "before.json").read_text() == record
