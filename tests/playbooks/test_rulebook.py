# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rulebook, run by ansible-rulebook itself on what watch_org_trail.yml set up: what starts a run, what does not.

A run is counted where ansible-playbook writes its recap into the log.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import pytest

from tests.ansible_run import BIN, ROOT
from tests.lab_process import Lab
from tests.packaging.interpreters import find_interpreter
from tests.playbooks.test_attacks import ATTACKS, Attack, World
from tests.watching import PATIENCE, QUEUE, WINDOW, comes_true, make_senders, queue_url, watch, write_watched_inventory

SCALE = pytest.mark.scale
"""Of all but one: the whole file takes twenty minutes."""
RULEBOOK = ROOT / "extensions" / "eda" / "rulebooks" / "keep_org_trail.yml"
GUIDE = (ROOT / "docs" / "docsite" / "rst" / "watch.rst").read_text(encoding="utf-8")
REPAIRED = [attack for attack in ATTACKS if attack.repair and not attack.by_hand]
"""The catalogue's attacks that enable_org_trail.yml repairs; each is a call that the rules see."""


@pytest.fixture(scope="module")
def programs() -> Path:
    """The folder of ansible-rulebook's programs, in an environment of its own."""
    if java_version() < 17:
        pytest.skip("ansible-rulebook needs Java 17, and there is none here")
    python = find_interpreter("3.12")
    if python is None:
        pytest.skip("ansible-rulebook's event source needs ansible 14, which needs Python 3.12; there is none here")
    folder = ROOT / ".cache" / "rulebook"
    if not (folder / "bin" / "ansible-rulebook").exists():
        uv = str(BIN / "uv")
        wanted = ("ansible-rulebook>=1.3", "ansible>=14", "aiobotocore", "boto3")
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", str(python), str(folder)], check=True)
        install = [uv, "pip", "install", "--quiet", "--python", str(folder / "bin" / "python"), *wanted]
        if subprocess.run(install, check=False).returncode != 0:
            pytest.skip("ansible-rulebook cannot be installed here")
    return folder / "bin"


def java_version() -> int:
    """The major version of Java, 0 where there is none."""
    java = shutil.which("java")
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr if java else ""
    found = re.search(r'version "(\d+)', told)
    return int(found[1]) if found else 0


class Kept:
    """The attacks' world, watched. Its runs work in a role of management, as the documentation advises."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab, self.folder = lab, folder
        self.world = World(lab, folder)
        wanted = {**json.loads(self.world.variables.read_text()), "organization_trail_s3_key_prefix": ""}
        trust = {"Effect": "Allow", "Principal": {"AWS": lab.management}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": trust})
        role = lab.client("iam").create_role(RoleName="Keeper", AssumeRolePolicyDocument=document)["Role"]["Arn"]
        hosts = make_senders(lab)
        hosts["management_account"] |= {**wanted, "assume_role_arn": role}
        self.role = str(role)
        self.inventory = write_watched_inventory(folder / "inventory", lab, hosts)
        watch(lab, self.inventory).ok()

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def runs(self) -> int:
        """How many runs of the playbook have ended since the rulebook was started first."""
        return self.log.count("PLAY RECAP") if (self.folder / "log").exists() else 0

    def send(self, detail: object) -> None:
        self.lab.client("sqs").send_message(QueueUrl=queue_url(self.lab), MessageBody=json.dumps({"detail": detail}))

    @contextmanager
    def rulebook(self, programs: Path, **variables: str) -> Iterator[None]:
        """ansible-rulebook after its first run, until the block ends; then killed with all that it started."""
        variables |= {"org_trail_queue": QUEUE, "org_trail_queue_region": self.lab.home_region}
        packages = next(programs.parent.glob("lib/python*/site-packages"))
        environment = {
            **self.lab.child_environment(home=str(self.folder)),
            "ANSIBLE_COLLECTIONS_PATH": f"{ROOT / '.collections'}:{packages}",
            "PATH": f"{programs}:{os.environ['PATH']}",
            **variables,
        }
        command = [str(programs / "ansible-rulebook"), "--rulebook", str(RULEBOOK), "--inventory"]
        command += [str(self.inventory.parent), "--env-vars", ",".join(variables)]
        before = self.runs()
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                command, cwd=self.folder, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        try:
            assert comes_true(lambda: self.runs() == before + 1), self.log
            yield
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=PATIENCE)


@pytest.fixture(scope="module")
def kept(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    with Lab() as lab:
        kept = Kept(lab, tmp_path_factory.mktemp("rulebook"))
        yield kept
        kept.world.job.stop()


def is_whole(kept: Kept) -> bool:
    """Whether the trail logs, and is the organization's in the log bucket."""
    [trail] = kept.world.cloudtrail.describe_trails(trailNameList=[kept.lab.trail_arn])["trailList"] or [{}]
    place = (trail.get("IsOrganizationTrail"), trail.get("S3BucketName"))
    return place == (True, kept.lab.bucket) and bool(
        kept.world.cloudtrail.get_trail_status(Name=kept.lab.trail_arn)["IsLogging"]
    )


def stop(kept: Kept) -> None:
    kept.world.cloudtrail.stop_logging(Name=kept.lab.trail_arn)


def written(kept: Kept) -> list[str]:
    """The trail's and the organization's operations that were called since the journal was emptied."""
    services = ("cloudtrail", "organizations")
    return [one["operation"] for one in kept.lab.journal(writes=True) if one["service"] in services]


def withstand(kept: Kept, attack: Attack) -> float:
    """Attack, and wait for both runs; answers the seconds from the call until all was written that repairs it."""
    before = kept.runs()
    kept.lab.clear_journal()
    attack.act(kept.world)
    began, done = time.monotonic(), len(written(kept))
    repair = [one.partition(" ")[0] for one in attack.repair]
    assert comes_true(lambda: written(kept)[done:] == repair), (attack.title, written(kept), kept.log)
    seconds = time.monotonic() - began
    assert is_whole(kept)
    assert comes_true(lambda: kept.runs() == before + 2), kept.log
    assert written(kept)[done:] == repair  # the second run changed nothing
    return seconds


@SCALE
def test_each_attack_of_the_catalogue_is_repaired_and_makes_two_runs(kept: Kept, programs: Path) -> None:
    with kept.rulebook(programs):
        seconds = {attack.title: round(withstand(kept, attack), 1) for attack in REPAIRED}
    figures = {"median": median(seconds.values()), "worst": max(seconds.values()), "seconds": seconds}
    (ROOT / ".cache" / "rulebook_seconds.json").write_text(json.dumps(figures, indent=2))


@SCALE
def test_a_playbook_of_ones_own_repairs_the_bucket_policy_too(kept: Kept, programs: Path) -> None:
    """The guide's own example."""
    lab, world = kept.lab, kept.world
    example = GUIDE.partition("- name: Let the trail into its bucket again")[2].partition("What to expect")[0]
    text = textwrap.dedent("   - name: Let the trail into its bucket again" + example)
    for written_there, here in (
        ("{{ log_bucket_lookup_name }}", lab.bucket),
        ("arn:aws:cloudtrail:us-east-1:111122223333:trail/default", lab.trail_arn),
        ("o-exampleorgid", lab.organization_id),
    ):
        assert written_there in text
        text = text.replace(written_there, here)
    playbook = kept.folder / "repair.yml"
    playbook.write_text(text)
    with kept.rulebook(programs, org_trail_playbook=str(playbook)):
        world.s3.delete_bucket_policy(Bucket=lab.bucket)
        assert comes_true(lambda: lab.organization_id in policy_of(kept)), kept.log


def policy_of(kept: Kept) -> str:
    """The log bucket's policy; "" where there is none."""
    try:
        return str(kept.world.s3.get_bucket_policy(Bucket=kept.lab.bucket)["Policy"])
    except kept.world.s3.exceptions.ClientError:
        return ""


@SCALE
def test_a_burst_makes_two_runs_and_what_comes_after_the_first_had_looked_is_not_lost(
    kept: Kept, programs: Path
) -> None:
    with kept.rulebook(programs):
        before = kept.runs()
        for _number in range(200):
            kept.world.update(EnableLogFileValidation=False)
        assert comes_true(lambda: kept.runs() == before + 1)
        stop(kept)  # within the window, after the first run
        assert comes_true(lambda: is_whole(kept)), kept.log
        assert comes_true(lambda: kept.runs() >= before + 2)
        time.sleep(2 * WINDOW)
        assert kept.runs() == before + 2


@SCALE
def test_what_starts_no_run(kept: Kept, programs: Path) -> None:
    own = f"arn:aws:sts::{kept.lab.management}:assumed-role/Keeper/cloudsec.org_trail"
    with kept.rulebook(programs):
        before = kept.runs()
        kept.send({"eventName": "StopLogging", "userIdentity": {"arn": own}})
        kept.send({"eventName": "StopLogging", "errorCode": "AccessDenied"})
        kept.send("no object")
        time.sleep(WINDOW + 5)
        assert kept.runs() == before
        kept.send({"eventName": "StopLogging", "userIdentity": {"arn": own.replace("cloudsec", "other")}})
        kept.send({"type": "Stealth:IAMUser/CloudTrailLoggingDisabled"})
        assert comes_true(lambda: kept.runs() == before + 2), kept.log


@pytest.mark.full
def test_an_event_that_was_received_before_a_kill_is_repaired_at_the_next_start(kept: Kept, programs: Path) -> None:
    with kept.rulebook(programs):
        kept.lab.clear_journal()
        stop(kept)
        # The event source deletes a message before a rule acts.
        assert comes_true(lambda: bool(kept.lab.journal(service="sqs", operation="DeleteMessageBatch")))
    assert not is_whole(kept)
    with kept.rulebook(programs):
        assert is_whole(kept), kept.log


@SCALE
def test_the_repairs_own_events_start_no_loop(kept: Kept, programs: Path) -> None:
    """Ten minutes without an event after the repair. Its writes are an administrator's, which nothing leaves out."""
    variables = kept.inventory.parent / "host_vars" / "management_account.yml"
    host = json.loads(variables.read_text())
    variables.write_text(json.dumps({name: value for name, value in host.items() if name != "assume_role_arn"}))
    with kept.rulebook(programs):
        kept.world.update(IsMultiRegionTrail=False)
        time.sleep(3 * WINDOW)
        assert is_whole(kept)
        before = kept.runs()
        time.sleep(600)
        assert kept.runs() == before
    variables.write_text(json.dumps(host))
