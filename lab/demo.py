# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m lab demo``: a short story of one organization trail, told by the commands that make it.

Of Ansible's output it shows the diffs and what the last task says; the whole lies in ``.cache/demo``.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3

from lab.inventory import write_inventory

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
WORK = ROOT / ".cache" / "demo"
ROLE = "OrganizationAccountAccessRole"
MOST_SHOWN = 10
"""Accounts of the first picture."""

SAID = re.compile(r'\s+(?:"msg": )?("(?:[^"\\]|\\.)+"),?')
"""A line of a message in Ansible's JSON: a text, or an element of a list of texts."""


class UnexpectedError(Exception):
    """The story went another way than it is told."""


def start_lab(arguments: list[str]) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    """A lab as its own process, and what it says when it is ready."""
    lab = subprocess.Popen(
        [sys.executable, "-m", "lab", "serve", *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert lab.stdout is not None
    return lab, json.loads(lab.stdout.readline())


def run_demo(arguments: list[str]) -> int:
    """Run the demo; 0 when everything went as it is told."""
    lab, ready = start_lab(arguments)
    try:
        with TemporaryDirectory() as home:
            tell(Stage(ready, Path(home)))
    except UnexpectedError as surprise:
        print(f"\n{surprise}")
        return 1
    finally:
        assert lab.stdin is not None
        lab.stdin.close()
        lab.wait(timeout=30)
    return 0


def tell(stage: Stage) -> None:
    """The story."""
    print("# Before: each account, and its trails")
    stage.show_accounts()

    print("\n# The run: one trail for the whole organization")
    stage.play("enable_org_trail", "--diff")
    print(f"Calls that changed something: {', '.join(stage.writes())}")

    print("\n# A member account tries to stop it")
    stage.aws("--profile", "log-archive", refused="NotOrganizationMasterAccountException")

    print("\n# An administrator of the management account does stop it")
    stage.aws()
    print("\n# Has anything drifted, since when, and by whom?")
    stage.play("detect_drift", "-e", f"detect_drift_report_dir={WORK.relative_to(ROOT) / 'drift'}", code=2)
    print("\n# The same run as before repairs exactly that")
    stage.forget_writes()
    stage.play("enable_org_trail", "--diff")
    repaired = stage.writes()
    print(f"Calls that changed something: {', '.join(repaired)}")
    if repaired != ["StartLogging"]:
        raise UnexpectedError("One call, StartLogging, should have repaired it.")


class Stage:
    """The lab's world, and the commands that are run in it."""

    def __init__(self, ready: dict[str, Any], home: Path) -> None:
        """ready: what the lab said. home: a folder for the AWS CLI, which keeps a role's keys there."""
        self.ready = ready
        self.environment = os.environ | ready["env"]
        self.partition = ready["trail_arn"].split(":")[1]
        self.inventory = write_inventory(WORK / "inventory.yml", ready).relative_to(ROOT)
        config = home / "config"
        config.write_text(
            f"[profile log-archive]\nrole_arn = {self.role_in(ready['log_archive_account_id'])}\n"
            f"credential_source = Environment\nendpoint_url = {ready['endpoint']}\n",
            encoding="utf-8",
        )
        region = ready["trail_arn"].split(":")[3]
        self.cli = {"HOME": str(home), "AWS_CONFIG_FILE": str(config), "AWS_PAGER": "", "AWS_DEFAULT_REGION": region}

    def role_in(self, account: str) -> str:
        return f"arn:{self.partition}:iam::{account}:role/{ROLE}"

    def show_accounts(self) -> None:
        """The first accounts, each with the trails that it sees."""
        pages = self.client("organizations").get_paginator("list_accounts").paginate()
        accounts = [one for page in pages for one in page["Accounts"] if one["Status"] == "ACTIVE"]
        for account in accounts[:MOST_SHOWN]:
            trails = self.client("cloudtrail", account["Id"]).describe_trails()["trailList"]
            print(f"{account['Id']}  {account['Name']:<16}  {', '.join(one['Name'] for one in trails) or 'nothing'}")
        if len(accounts) > MOST_SHOWN:
            print(f"and {len(accounts) - MOST_SHOWN} more accounts")

    def client(self, service: str, account: str = "") -> Any:
        """A client in the management account, or in another one by its role."""
        environment = self.ready["env"]
        keys: dict[str, str] = {"AccessKeyId": environment["AWS_ACCESS_KEY_ID"]}
        keys |= {"SecretAccessKey": environment["AWS_SECRET_ACCESS_KEY"], "SessionToken": ""}
        if account and account != self.ready["management_account_id"]:
            session = {"RoleArn": self.role_in(account), "RoleSessionName": "demo"}
            keys = self.client("sts").assume_role(**session)["Credentials"]
        make_client: Any = boto3.client  # its stubs want the service as a literal
        return make_client(
            service,
            region_name=self.cli["AWS_DEFAULT_REGION"],
            endpoint_url=self.ready["endpoint"],
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"] or None,
        )

    def play(self, playbook: str, *options: str, code: int = 0) -> None:
        """Run a playbook and show what matters; raise UnexpectedError unless it ends with ``code``."""
        command = ["ansible-playbook", "-i", str(self.inventory), f"playbooks/{playbook}.yml", *options]
        print(f"$ {' '.join(command)}", flush=True)
        settings = {
            "ANSIBLE_FORCE_COLOR": "0",
            "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
        }
        log = WORK / f"{playbook}.log"
        with subprocess.Popen(
            [str(BIN / command[0]), *command[1:]],
            cwd=ROOT,
            env=self.environment | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            lines = list(process.stdout or ())
        log.write_text("".join(lines), encoding="utf-8")
        for line in excerpt(lines):
            print(line)
        if process.returncode != code:
            raise UnexpectedError(f"It ended with {process.returncode}, expected {code}. The whole output: {log}")

    def aws(self, *options: str, refused: str = "") -> None:
        """Let the AWS CLI stop the trail; ``refused`` is the error that AWS is to answer."""
        command = ["aws", "cloudtrail", "stop-logging", "--name", self.ready["trail_arn"], *options]
        print(f"$ {' '.join(command)}", flush=True)
        done = subprocess.run(
            [str(BIN / command[0]), *command[1:]],
            env=self.environment | self.cli,
            capture_output=True,
            text=True,
            check=False,
        )
        print((done.stdout + done.stderr).strip() or "(no answer: done)")
        if (done.returncode != 0) != bool(refused) or refused not in done.stderr:
            raise UnexpectedError(f"AWS should have {f'refused it with {refused}' if refused else 'done it'}.")

    def writes(self) -> list[str]:
        """The calls that were to change something, from the lab's journal."""
        with urllib.request.urlopen(f"{self.ready['endpoint']}/lab/journal?writes=True") as answer:
            return [one["operation"] for one in json.loads(answer.read())]

    def forget_writes(self) -> None:
        request = urllib.request.Request(f"{self.ready['endpoint']}/lab/journal", method="DELETE")
        urllib.request.urlopen(request).close()


def excerpt(lines: Iterable[str]) -> Iterator[str]:
    """Of the output of ansible-playbook: diffs without the lines that stay, and what the last task says."""
    said: list[str] = []
    in_diff = False
    for line in map(str.rstrip, lines):
        if line.startswith("TASK ["):
            said = []
        elif found := SAID.fullmatch(line):
            said += json.loads(found[1]).splitlines()
        in_diff = line.startswith("--- before") or (in_diff and line != "")
        if in_diff and line.startswith(("-", "+")):
            yield line
    yield from said
