# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rulebook, run by ansible-rulebook itself: an attack's event repairs, also after the rulebook was killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab.inventory import write_inventory
from tests.ansible_run import BIN, ROOT
from tests.lab.organization_trail import SERVICE
from tests.lab_process import Lab
from tests.packaging.interpreters import find_interpreter

RULEBOOK = ROOT / "extensions" / "eda" / "rulebooks" / "keep_org_trail.yml"
NAME = "org-trail"
CALLS = ["StopLogging", "UpdateTrail", "DisableAWSServiceAccess"]
PATIENCE = 30
WINDOW = 14
"""Seconds after which the rule acts again, and a little more: the repair's own events begin a window, too."""


@pytest.fixture(scope="module")
def programs() -> Path:
    """The folder of ansible-rulebook's programs, in an environment of its own."""
    if shutil.which("java") is None:
        pytest.skip("ansible-rulebook needs Java 17, and there is no java here")
    python = find_interpreter("3.12")
    if python is None:
        pytest.skip("ansible-rulebook's event source needs ansible 14, which needs Python 3.12; there is none here")
    folder = ROOT / ".cache" / "rulebook"
    if not (folder / "bin" / "ansible-rulebook").exists():
        uv = str(BIN / "uv")
        wanted = ("ansible-rulebook>=1.3", "ansible>=14", "aiobotocore", "boto3")
        subprocess.run([uv, "venv", "--quiet", "--python", str(python), str(folder)], check=True)
        subprocess.run(
            [uv, "pip", "install", "--quiet", "--python", str(folder / "bin" / "python"), *wanted], check=True
        )
    return folder / "bin"


@pytest.fixture
def lab() -> Iterator[Lab]:
    """The lesson with a queue that gets the events of the attacks."""
    with Lab("--scenario", "lesson") as lab:
        sqs, events = lab.client("sqs"), lab.client("events")
        url = sqs.create_queue(QueueName=NAME)["QueueUrl"]
        queue = f"arn:aws:sqs:{lab.home_region}:{lab.management}:{NAME}"
        pattern = {"detail-type": ["AWS API Call via CloudTrail"], "detail": {"eventName": CALLS}}
        rule = events.put_rule(Name=NAME, EventPattern=json.dumps(pattern))["RuleArn"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue,
            "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        events.put_targets(Rule=NAME, Targets=[{"Id": "queue", "Arn": queue}])
        yield lab


@contextmanager
def rulebook(lab: Lab, programs: Path, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """ansible-rulebook, running until the block ends; killed with all that it started."""
    packages = next(programs.parent.glob("lib/python*/site-packages"))
    environment = {
        **lab.child_environment(home=str(folder)),
        "ANSIBLE_COLLECTIONS_PATH": f"{ROOT / '.collections'}:{packages}",
        "PATH": f"{programs}:{os.environ['PATH']}",
        "org_trail_queue": NAME,
        "org_trail_queue_region": lab.home_region,
    }
    inventory = write_inventory(folder / "inventory.yml", lab.ready)
    command = [str(programs / "ansible-rulebook"), "--rulebook", str(RULEBOOK), "--inventory", str(inventory)]
    command += ["--env-vars", "org_trail_queue,org_trail_queue_region"]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=PATIENCE)


def comes_true(what: Callable[[], bool]) -> bool:
    """Whether something becomes true while there is patience."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.1)
    return False


def is_whole(lab: Lab) -> bool:
    """Whether the trail logs, and is the organization's in the log bucket."""
    cloudtrail = lab.client("cloudtrail")
    trail = cloudtrail.get_trail(Name=lab.trail_arn)["Trail"]
    place = (trail["IsOrganizationTrail"], trail["S3BucketName"])
    return place == (True, lab.bucket) and bool(cloudtrail.get_trail_status(Name=lab.trail_arn)["IsLogging"])


def was_received(lab: Lab) -> bool:
    """Whether the rulebook took a message, and deleted it, as the event source does before the rule acts."""
    return bool(lab.journal(service="sqs", operation="DeleteMessageBatch"))


@pytest.mark.scale  # a minute and a half
def test_an_attack_is_repaired_also_after_the_rulebook_was_killed(lab: Lab, programs: Path, tmp_path: Path) -> None:
    cloudtrail, organizations = lab.client("cloudtrail"), lab.client("organizations")
    with rulebook(lab, programs, tmp_path):
        assert comes_true(lambda: is_whole(lab)), (tmp_path / "log").read_text()  # the run at the start
        attacks: tuple[Callable[[], object], ...] = (
            lambda: cloudtrail.stop_logging(Name=lab.trail_arn),
            lambda: cloudtrail.update_trail(Name=lab.trail_arn, IsOrganizationTrail=False),
            lambda: organizations.disable_aws_service_access(ServicePrincipal=SERVICE),
        )
        for attack in attacks:
            time.sleep(WINDOW)
            attack()
            assert not is_whole(lab)
            assert comes_true(lambda: is_whole(lab)), (tmp_path / "log").read_text()
        time.sleep(WINDOW)
        lab.clear_journal()
        cloudtrail.stop_logging(Name=lab.trail_arn)
        assert comes_true(lambda: was_received(lab))
    if is_whole(lab):  # it was repaired before the kill; what was received is then as good as lost here
        cloudtrail.stop_logging(Name=lab.trail_arn)
        lab.client("sqs").purge_queue(QueueUrl=lab.client("sqs").get_queue_url(QueueName=NAME)["QueueUrl"])
    with rulebook(lab, programs, tmp_path):
        assert comes_true(lambda: is_whole(lab)), (tmp_path / "log").read_text()
