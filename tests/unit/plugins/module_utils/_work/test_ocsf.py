# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings for security tools: one id as long as they are about the same."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._work.ocsf import (
    FAIL,
    NAMES,
    PASS,
    UNKNOWN,
    Finding,
    write_findings,
)

FINDING = Finding(
    identity=("drift", "arn", "logging"),
    title="arn: logging",
    description="expected true, found false",
    standard="drift",
    status=FAIL,
    code="drifted",
    remedy="Start it.",
    resource={"uid": "arn", "type": "AwsCloudTrailTrail"},
    time="2026-08-01T14:03:27Z",
    version="1.2.0",
    cloud={"region": "us-east-1"},
)


def test_the_id_is_that_of_what_it_is_about() -> None:
    later = replace(FINDING, status=PASS, description="found true", time="2026-09-01T00:00:00Z", version="1.3.0")
    other = replace(FINDING, identity=("drift", "arn", "tags"))
    found = json.loads("".join(write_findings([FINDING, later, other])))
    uids = [one["finding_info"]["uid"] for one in found]
    assert uids[0] == uids[1] != uids[2]
    assert [one["severity"] for one in found] == ["High", "Informational", "High"]
    assert found[0]["cloud"] == {"provider": "AWS", "region": "us-east-1"}
    assert found[0]["time"] == 1785593007_000


@pytest.mark.parametrize("status", NAMES)
def test_what_fails_or_is_unknown_is_more_than_information(status: int) -> None:
    [one] = json.loads("".join(write_findings([replace(FINDING, status=status, time="", remedy="")])))
    assert (one["severity_id"] > 2) is (status in (FAIL, UNKNOWN))
    assert (one["time"], one["remediation"]["desc"]) == (0, "Nothing is to do.")


def test_none_is_an_empty_list() -> None:
    assert json.loads("".join(write_findings([]))) == []
