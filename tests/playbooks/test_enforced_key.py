# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A log bucket that takes only what is encrypted with one KMS key: the whole main job, drift and repair."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.inventory import write_inventory
from tests.ansible_run import PlaybookResult, run_module, run_playbook
from tests.broken_policies import SSE, SSE_KEY
from tests.lab_process import Lab
from tests.trail_run import make_key


class Enforced:
    """The lesson's lab, whose log bucket refuses what is not encrypted with the key."""

    def __init__(self, lab: Lab, folder: Path, account: str) -> None:
        self.lab, self.folder = lab, folder
        self.s3 = lab.client("s3", lab.log_archive)
        self.key = make_key(lab, account=account)
        given = self.policy()
        deny = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:PutObject",
            "Resource": f"arn:aws:s3:::{lab.bucket}/*",
        }
        conditions = {
            "OnlyKms": {"StringNotEquals": {SSE: "aws:kms"}},
            "OnlyThisKey": {"StringNotEqualsIfExists": {SSE_KEY: self.key}},
        }
        denies = [{"Sid": sid, **deny, "Condition": condition} for sid, condition in conditions.items()]
        self.put_policy([*given, *denies])

    def policy(self) -> list[dict[str, Any]]:
        text = self.s3.get_bucket_policy(Bucket=self.lab.bucket)["Policy"]
        statements: list[dict[str, Any]] = json.loads(text)["Statement"]
        return statements

    def put_policy(self, statements: list[dict[str, Any]]) -> None:
        policy = {"Version": "2012-10-17", "Statement": statements}
        self.s3.put_bucket_policy(Bucket=self.lab.bucket, Policy=json.dumps(policy))

    def run(self, playbook: str, **variables: Any) -> PlaybookResult:
        inventory = write_inventory(self.folder / "inventory.yml", self.lab.ready)
        given = {"coverage_enabled": False, "detect_drift_report_dir": str(self.folder / "drift"), **variables}
        self.lab.clear_journal()
        return run_playbook(self.lab, f"playbooks/{playbook}.yml", "-i", str(inventory), "-e", json.dumps(given))


@pytest.fixture(params=["log_archive", pytest.param("management", marks=pytest.mark.full)])
def enforced(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Enforced]:
    with Lab() as lab:
        yield Enforced(lab, tmp_path, getattr(lab, request.param))


def test_a_bucket_that_enforces_the_trails_key(enforced: Enforced) -> None:
    lab, key = enforced.lab, enforced.key
    without = enforced.run("enable_org_trail")
    assert without.rc != 0
    assert f"Give the trail the KMS key {key}" in without.msg
    assert lab.journal(writes=True) == []

    enforced.run("enable_org_trail", organization_trail_kms_key_id=key).ok()
    assert enforced.run("enable_org_trail", organization_trail_kms_key_id=key).ok().changed == 0
    assert delivered(lab)

    # The variable is not needed to judge the bucket of a trail that has the key.
    assert enforced.run("enable_org_trail").ok().changed == 0
    enforced.run("detect_drift").ok()

    kept = [one for one in enforced.policy() if "OrganizationWrite" not in one["Sid"]]
    enforced.put_policy(kept)
    drifted = enforced.run("detect_drift", organization_trail_kms_key_id=key)
    assert drifted.rc != 0
    assert "AWSCloudTrailOrganizationWrite20150319" in (enforced.folder / "drift" / "drift.json").read_text()
    options = {"bucket": lab.bucket, "trail_arn": lab.trail_arn, "kms_key_id": key}
    assert run_module(lab, "cloudtrail_log_bucket_policy", options, account=lab.log_archive).changed
    assert enforced.policy()[: len(kept)] == kept
    assert not run_module(lab, "cloudtrail_log_bucket_policy", options, account=lab.log_archive).changed
    enforced.run("detect_drift", organization_trail_kms_key_id=key).ok()
    assert enforced.run("enable_org_trail", organization_trail_kms_key_id=key).ok().changed == 0


def delivered(lab: Lab) -> bool:
    """Whether an event of a member arrives, and CloudTrail tells of no error."""
    lab.client("ec2", lab.log_archive).create_security_group(GroupName="g", Description="d")
    lab.control("POST", "deliver", {"hours": 2})
    status = lab.client("cloudtrail").get_trail_status(Name=lab.trail_arn)
    pages = lab.client("s3", lab.log_archive).get_paginator("list_objects_v2").paginate(Bucket=lab.bucket)
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    files = [key for key in keys if f"/{lab.log_archive}/CloudTrail/" in key and key.endswith(".gz")]
    return bool(files) and not (status.get("LatestDeliveryError") or status.get("LatestDigestDeliveryError"))
