# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of watch_org_trail.yml and of the rulebook share: the senders' roles, variables, the queue's events, and
patience."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab.inventory import write_inventory
from tests.ansible_run import PlaybookResult, run_playbook
from tests.iam_files import filled, values_of
from tests.lab_process import Lab

ROLE = "OrgTrailEvents"
QUEUE = "org-trail-events"
PATIENCE = 90
WINDOW = 20
"""Seconds after the first event of a burst, when the rulebook looks again."""


def make_senders(lab: Lab) -> dict[str, dict[str, str]]:
    """The roles with which the rules of both accounts send, as docs/iam has them; answers the hosts' variables."""
    for account in (lab.management, lab.log_archive):
        iam = lab.client("iam", account)
        iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(filled("trust_events", values_of(lab))))
        policy = json.dumps(filled("events_forward", values_of(lab)))
        iam.put_role_policy(RoleName=ROLE, PolicyName="events_forward", PolicyDocument=policy)
    accounts = {"management_account": lab.management, "security_audit": lab.log_archive}
    return {
        host: {"drift_events_forward_role_arn": f"arn:aws:iam::{account}:role/{ROLE}"}
        for host, account in accounts.items()
    }


def write_watched_inventory(folder: Path, lab: Lab, hosts: dict[str, dict[str, str]]) -> Path:
    """The lab's inventory, with variables of hosts beside it."""
    for host, variables in hosts.items():
        (folder / "host_vars").mkdir(parents=True, exist_ok=True)
        (folder / "host_vars" / f"{host}.yml").write_text(json.dumps(variables))
    return write_inventory(folder / "inventory.yml", lab.ready)


def watch(
    lab: Lab, inventory: Path, *arguments: str, playbook: str = "watch_org_trail", **given: Any
) -> PlaybookResult:
    """Run watch_org_trail.yml, or another playbook, with variables."""
    return run_playbook(lab, f"playbooks/{playbook}.yml", "-i", str(inventory), "-e", json.dumps(given), *arguments)


def queue_url(lab: Lab, name: str = QUEUE) -> str:
    return str(lab.client("sqs").get_queue_url(QueueName=name)["QueueUrl"])


def events_in(lab: Lab) -> list[str]:
    """Names of the events in the queue, or of their type, which are then gone."""
    sqs, given = lab.client("sqs"), {"QueueUrl": queue_url(lab), "MaxNumberOfMessages": 10}
    names: list[str] = []
    while messages := sqs.receive_message(**given).get("Messages", []):
        for message in messages:
            detail = json.loads(message["Body"])["detail"]
            names.append(detail.get("eventName") or detail["type"])
            sqs.delete_message(QueueUrl=given["QueueUrl"], ReceiptHandle=message["ReceiptHandle"])
    return names


def comes_true(what: Callable[[], bool]) -> bool:
    """Whether something becomes true while there is patience."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.1)
    return False
