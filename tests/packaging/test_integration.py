# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The integration targets, which run on real AWS with a configuration file, against the lab."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.ansible_run import run_module, run_playbook
from tests.lab_process import Lab
from tests.packaging.ansible_test import run_ansible_test
from tests.packaging.collection_tree import ROOT
from tests.unit.documented import MODULES

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
TARGETS = ROOT / "tests" / "integration" / "targets"


def test_every_module_has_a_target() -> None:
    targets = {path.parent.name for path in TARGETS.glob("*/aliases")}
    assert targets - {"setup_org_trail"} == set(MODULES)


def config_for(lab: Lab) -> str:
    keys = lab.environment
    return (
        "[default]\n"
        f"aws_access_key: {keys['AWS_ACCESS_KEY_ID']}\n"
        f"aws_secret_key: {keys['AWS_SECRET_ACCESS_KEY']}\n"
        f"aws_region: {lab.home_region}\n"
        f"aws_endpoint_url: {lab.endpoint}\n"
    )


@pytest.mark.full
def test_targets_against_the_lab(tmp_path: Path) -> None:
    with Lab() as lab:
        lab.client("organizations").enable_aws_service_access(ServicePrincipal="cloudtrail.amazonaws.com")
        client = lab.client("cloudtrail")
        before = client.describe_trails()["trailList"]
        lab.clear_journal()
        arguments = ("integration", "--venv", "--requirements", "--python", PYTHON)
        done = run_ansible_test(tmp_path, *arguments, cloud_config=config_for(lab))
        assert done.returncode == 0, done.stdout
        assert [name for name in MODULES if f"Running {name} integration test role" not in done.stdout] == []
        assert client.describe_trails()["trailList"] == before
        written = [str(entry["parameters"]) for entry in lab.journal(service="cloudtrail", writes=True)]
    assert written
    assert [text for text in written if "ansible-test-" not in text] == []


@pytest.mark.full
@pytest.mark.parametrize("taken", ["trail", "bucket"])
def test_targets_refuse_what_they_did_not_make(taken: str) -> None:
    with Lab() as lab:
        if taken == "bucket":
            lab.client("s3").create_bucket(Bucket="somebodys-logs")
        else:
            make_trail(lab, "somebodys-trail")
        lab.clear_journal()
        options = {
            "resource_prefix": "somebodys",
            "aws_region": lab.home_region,
            "aws_access_key": lab.environment["AWS_ACCESS_KEY_ID"],
            "aws_secret_key": lab.environment["AWS_SECRET_ACCESS_KEY"],
        }
        play = [{"ansible.builtin.include_role": {"name": str(TARGETS / "setup_org_trail")}}]
        run = run_playbook(lab, play, play={"vars": options})
        assert run.rc != 0
        assert "exists already" in run.msg
        assert lab.journal(writes=True) == []


def make_trail(lab: Lab, name: str) -> None:
    """A trail of management that is not the lab's own, with a bucket that admits it."""
    lab.client("s3").create_bucket(Bucket=f"{name}-bucket")
    arn = lab.trail_arn.replace("trail/default", f"trail/{name}")
    admitted = run_module(lab, "cloudtrail_log_bucket_policy", {"bucket": f"{name}-bucket", "trail_arn": arn})
    assert admitted.changed, admitted
    lab.client("cloudtrail").create_trail(Name=name, S3BucketName=f"{name}-bucket")
