# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab answers AWS's SDK for JavaScript as AWS does: the lesson's steps with it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.lab_process import Lab
from tests.node_packages import install_packages

HERE = Path(__file__).parent


@pytest.mark.full
def test_the_lesson_in_javascript() -> None:
    install_packages(HERE)
    with Lab("--scenario", "lesson") as lab:
        done = subprocess.run(
            ["node", "lesson.mjs", lab.log_archive, lab.bucket],
            cwd=HERE,
            env={**os.environ, **lab.environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        seen = json.loads(done.stdout)
        accounts = lab.client("organizations").get_paginator("list_accounts").paginate()
        assert seen.pop("accounts") == sum(len(page["Accounts"]) for page in accounts)
        trail = seen.pop("trail")
        assert (trail["IsOrganizationTrail"], trail["S3BucketName"]) == (True, lab.bucket)
        assert seen.pop("objects") > 0  # the marks of admission
        assert seen == {
            "caller": lab.management,
            "organization": lab.organization_id,
            "refusedBefore": "CloudTrailAccessNotEnabledException",
            "access": ["cloudtrail.amazonaws.com"],
            "buckets": [lab.bucket],
            "statements": 3,
            "logging": True,
            "memberTrails": [lab.trail_arn],
            "memberStops": "NotOrganizationMasterAccountException",
            "events": ["ok", "CloudTrailAccessNotEnabledException"],
        }
