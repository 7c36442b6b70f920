# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every call of a run and every fault: it succeeds or says why in one sentence; nothing is written twice."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._errors import sentence

from tests.lab_process import Lab
from tests.trail_run import run_trail, trust, writes

FAULTS = (
    *("throttle", "http500", "http503", "reset", "lost_reply"),
    *("code:ConflictException", "code:AccessDeniedException", "code:ConcurrentModificationException"),
)
DENIED = "code:AccessDeniedException"
SPARED = ("GetRole",)
"""Reads whose denial is a warning only."""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab() as lab:
        trust(lab)
        yield lab


@pytest.fixture(autouse=True)
def no_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)


def prepare(lab: Lab, run: str) -> dict[str, Any]:
    """The lesson's account trail, or none; the options of the run."""
    lab.control("POST", "faults", [])
    cloudtrail = lab.client("cloudtrail")
    if cloudtrail.describe_trails()["trailList"]:
        cloudtrail.delete_trail(Name=lab.trail_arn)
    if run == "convert":
        bucket = lab.client("s3").list_buckets()["Buckets"][0]["Name"]
        cloudtrail.create_trail(Name="default", S3BucketName=bucket)
        cloudtrail.start_logging(Name="default")
    lab.clear_journal()
    selectors = [
        {
            "read_write_type": "All",
            "include_management_events": True,
            "data_resources": [{"type": "AWS::S3::Object", "values": ["arn:aws:s3"]}],
            "exclude_management_event_sources": [],
        }
    ]
    more = {"tags": {"a": "b"}, "event_selectors": selectors} if run == "create" else {}
    return {"s3_bucket_name": lab.bucket, "name": "default", **more}


def calls_of(lab: Lab, run: str) -> list[tuple[str, str, int]]:
    """Service, operation and number of every call of a clean run."""
    run_trail(lab, prepare(lab, run))
    counts: dict[tuple[str, str], int] = {}
    calls = []
    for entry in lab.journal():
        key = (entry["service"], entry["operation"])
        counts[key] = counts.get(key, 0) + 1
        calls.append((*key, counts[key]))
    return calls


@pytest.mark.parametrize("run", ["convert", "create"])
def test_every_call_with_every_fault(lab: Lab, run: str, capsys: pytest.CaptureFixture[str]) -> None:
    calls = calls_of(lab, run)
    expected = writes(lab)
    refused = 0
    for (service, operation, nth), fault in product(calls, FAULTS):
        case = f"{operation} {nth} {fault}"
        options = prepare(lab, run)
        lab.control("POST", "faults", [{"service": service, "operation": operation, "nth": nth, "fault": fault}])
        said = sentence_of(lab, options)
        assert (said == "") != (fault == DENIED and operation not in SPARED), f"{case}: {said}"
        assert not said or "needs the permission" in said, f"{case}: {said}"
        refused += bool(said)
        made = writes_with_lost(lab)
        assert made == expected[: len(made)], f"{case}: {made}"
        lab.control("POST", "faults", [])
        run_trail(lab, options)
        assert not run_trail(lab, options)["changed"], case
        assert {name for name, _ in writes(lab)} & {"StopLogging", "DeleteTrail"} == set()
    with capsys.disabled():
        sys.stdout.write(f" {run}: {len(calls)} calls x {len(FAULTS)} faults, {refused} ended in a sentence\n")


def sentence_of(lab: Lab, options: dict[str, Any]) -> str:
    """What the run ends with; "" when it succeeds."""
    try:
        run_trail(lab, options)
    except AnsibleAWSError as error:
        return sentence(error)
    return ""


def writes_with_lost(lab: Lab) -> list[tuple[str, dict[str, Any]]]:
    """The writes that had an effect: those whose answer was lost, too."""
    return [
        (entry["operation"], {name: value for name, value in entry["parameters"].items() if name not in IDENTITY})
        for entry in lab.journal(service="cloudtrail", writes=True)
        if entry["outcome"] in ("ok", "fault:lost_reply")
    ]


IDENTITY = ("Name", "TrailName", "ResourceId")
