# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text of others never reaches the terminal, or a build server's log, as an order."""

from __future__ import annotations

import json
from pathlib import Path

from lab.inventory import write_inventory
from tests.ansible_run import run_playbook
from tests.lab_process import Lab

HOSTILE = "a\x1b[2J\x07\n::error::b ##vso[c]d"


def test_a_hostile_sid_is_shown_harmless(tmp_path: Path) -> None:
    with Lab() as lab:
        s3 = lab.client("s3", lab.log_archive)
        policy = json.loads(s3.get_bucket_policy(Bucket=lab.bucket)["Policy"])
        deny = {"Sid": HOSTILE, "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject"}
        policy["Statement"].append({**deny, "Resource": f"arn:aws:s3:::{lab.bucket}/*"})
        s3.put_bucket_policy(Bucket=lab.bucket, Policy=json.dumps(policy))
        inventory = str(write_inventory(tmp_path / "inventory.yml", lab.ready))
        default = {"ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default", "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml"}
        for playbook in ("enable_org_trail", "detect_drift"):
            result = run_playbook(lab, f"playbooks/{playbook}.yml", "-i", inventory, "--diff", environment=default)
            told = result.stdout + result.stderr
            assert result.rc == 2
            assert "a\ufffd[2J" in told
            assert "\x1b" not in told
            assert "\x07" not in told
            assert not [line for line in told.splitlines() if line.lstrip().startswith("::")]
            assert "##vso[" not in told
