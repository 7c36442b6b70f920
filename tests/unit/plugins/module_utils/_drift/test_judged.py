# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was judged, as files for others."""

from __future__ import annotations

import json
from xml.etree import ElementTree

from ansible_collections.cloudsec.org_trail.plugins.module_utils._drift.drift import BUCKET, TRAIL, Drift, not_judged
from ansible_collections.cloudsec.org_trail.plugins.module_utils._drift.drifts import failure_drift
from ansible_collections.cloudsec.org_trail.plugins.module_utils._drift.judged import (
    Judged,
    as_json,
    as_junit,
    findings_json,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._drift.passed import Passed
from ansible_collections.cloudsec.org_trail.plugins.module_utils._work.version import VERSION

ARN = "arn:aws:cloudtrail:us-east-1:111111111111:trail/default"
TIME = "2026-01-02T12:00:00Z"
STOPPED = Drift(TRAIL, ARN, "logging", True, False, "Start it.", ("StopLogging",), TIME, "somebody")
UNKNOWN = not_judged("log bucket", "The role is gone.")
ADVICE = Drift(BUCKET, "logs", "versioning", "Enabled", "Disabled", "Turn it on.")
LOGS = Passed(TRAIL, ARN, "logging", True)
LIFECYCLE = Passed(BUCKET, "logs", "lifecycle", [{"id": "archive"}])
JUDGED = Judged([UNKNOWN, STOPPED], [ADVICE], [LIFECYCLE], TIME, "arn:aws:iam::111111111111:user/auditor", "o-1", ARN)


def test_junit_is_xml_whatever_a_message_holds() -> None:
    text = as_junit(Judged(failure_drift(["\x1b[31mno\x00 \udc80 <é> 日本 \U0001f511"])))
    text.encode("utf-8")
    failure = ElementTree.fromstring(text).find("testcase/failure")
    assert failure is not None
    assert "\ufffd[31mno\ufffd \ufffd <é> 日本 \U0001f511" in failure.attrib["message"]


def test_junit_has_a_case_for_all_that_was_looked_at() -> None:
    suite = ElementTree.fromstring(as_junit(JUDGED))
    counts = [suite.attrib[name] for name in ("tests", "failures", "errors", "skipped")]
    assert counts == ["4", "1", "1", "1"]
    assert [(case.attrib["name"], case[0].tag) for case in suite] == [
        ("log bucket: could not be judged", "error"),
        (f"{ARN}: logging", "failure"),
        ("logs: versioning", "skipped"),
        ("logs: lifecycle", "system-out"),
    ]
    assert suite[3][0].text == '[{"id": "archive"}]'


def test_a_green_file_proves_something_and_an_empty_one_has_no_case() -> None:
    green = ElementTree.fromstring(as_junit(Judged([], passed=[LOGS])))
    assert [(case.attrib["name"], case[0].text) for case in green] == [(f"{ARN}: logging", "true")]
    assert len(ElementTree.fromstring(as_junit(Judged([])))) == 0


def test_json_tells_who_looked_at_what() -> None:
    document = json.loads(as_json(JUDGED))
    assert {name: value for name, value in document.items() if isinstance(value, str)} == {
        "checked_at": TIME,
        "checked_by": "arn:aws:iam::111111111111:user/auditor",
        "version": VERSION,
        "organization_id": "o-1",
        "trail_arn": ARN,
    }
    assert [len(document[name]) for name in ("drift", "advice", "passed")] == [2, 1, 1]
    assert document["passed"] == [
        {"kind": "log bucket", "object": "logs", "what": "lifecycle", "found": [{"id": "archive"}]}
    ]


def test_a_finding_has_one_id_whether_it_drifted_or_not() -> None:
    before = json.loads("".join(findings_json(JUDGED)))
    assert [one["compliance"]["status"] for one in before] == ["Unknown", "Fail", "Not applicable", "Pass"]
    assert before[1]["finding_info"]["desc"] == f"expected true, found false, since {TIME} by somebody"
    assert [one["resources"][0]["type"] for one in before[1:3]] == ["AwsCloudTrailTrail", "AwsS3Bucket"]
    [after] = json.loads("".join(findings_json(Judged([], passed=[LOGS]))))
    assert after["finding_info"]["uid"] == before[1]["finding_info"]["uid"]
    twice = json.loads("".join(findings_json(Judged([STOPPED, STOPPED]))))
    assert len({one["finding_info"]["uid"] for one in twice}) == 2
