# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m lab demo``: the main job, twice, against the lesson's world, and what a member sees then."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lab.inventory import write_inventory

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
WORK = ROOT / ".cache" / "demo"


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
    """Run the demo; 0 when the second run changed nothing and a member sees the trail."""
    lab, ready = start_lab(arguments)
    try:
        # The user's own AWS_PROFILE or endpoints would lead away from the lab.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        environment = {**kept, **ready["env"], "ANSIBLE_FORCE_COLOR": "0"}
        inventory = write_inventory(WORK / "inventory.yml", ready)
        playbook = ["ansible-playbook", "-i", str(inventory), "playbooks/enable_org_trail.yml"]
        code, _ = show("First run: the trail becomes an organization trail", playbook, environment)
        if code:
            return code
        code, recap = show("Second run: nothing to do", playbook, environment)
        if code or set(re.findall(r"changed=(\d+)", recap)) != {"0"}:
            print("The second run should have changed nothing.")
            return code or 1
        return show_member(ready, environment)
    finally:
        assert lab.stdin is not None
        lab.stdin.close()
        lab.wait(timeout=30)


def show(title: str, command: list[str], environment: dict[str, str]) -> tuple[int, str]:
    """Print a title and a command, run it, answer its exit code and what it printed."""
    print(f"\n# {title}\n$ {' '.join(command)}", flush=True)
    lines = []
    with subprocess.Popen(
        [str(BIN / command[0]), *command[1:]], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            lines.append(line)
    return process.returncode, "".join(lines)


def show_member(ready: dict[str, Any], environment: dict[str, str]) -> int:
    """Show the trail as the log archive account sees it."""
    partition = ready["trail_arn"].split(":")[1]
    role = f"arn:{partition}:iam::{ready['log_archive_account_id']}:role/OrganizationAccountAccessRole"
    query = "trailList[].{trail:TrailARN,organization:IsOrganizationTrail,bucket:S3BucketName}"
    command = ["aws", "cloudtrail", "describe-trails", "--profile", "log-archive", "--query", query]
    with TemporaryDirectory() as home:  # the CLI keeps the role's keys there, and the next lab does not know them
        config = Path(home) / "config"
        config.write_text(
            f"[profile log-archive]\nrole_arn = {role}\ncredential_source = Environment\n"
            f"endpoint_url = {ready['endpoint']}\n",
            encoding="utf-8",
        )
        own = {"HOME": home, "AWS_CONFIG_FILE": str(config), "AWS_PAGER": ""}
        code, _ = show(
            "What the log archive account sees: a trail that it cannot switch off", command, environment | own
        )
    return code
