# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The three lines at the end of a run."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._report.outcome import Outcome, outcome_lines

ARN = "arn:aws:cloudtrail:us-east-1:111122223333:trail/default"
UNCHANGED = {"summary": [f"{ARN}: nothing to change"]}
CHANGED = {"summary": [f"{ARN}: s3_bucket_name: old → new", f"{ARN}: logging: false → true"]}
SENTENCE = "85 of 85 account regions in 5 accounts log to the organization trail."
COVERED = {"sentence": SENTENCE, "html_path": "/srv/coverage.html", "json_path": "/srv/coverage.json"}
OLD, NEW = "222222222222", "444455556666"
GONE = f"delegated administrator {OLD}: registered → not registered"
MADE = f"delegated administrator {NEW}: not registered → registered"
REGISTERED = {
    "changed": True,
    "diff": {
        side: {"delegated_administrators": [{"account_id": account, "name": ""}]}
        for side, account in (("before", OLD), ("after", NEW))
    },
}
ACCESS = "trusted access of cloudtrail.amazonaws.com: off → on"


def run(**answers: Any) -> Outcome:
    return Outcome(**{"trusted_access": {}, "organization_trail": UNCHANGED, "coverage": COVERED, **answers})


@pytest.mark.parametrize(
    ("outcome", "line"),
    [
        (run(), "Changed: nothing"),
        (run(check_mode=True), "Would change: nothing"),
        (run(trusted_access={"changed": True}), f"Changed: {ACCESS}"),
        (
            run(organization_trail=CHANGED),
            f"Changed: {ARN}: s3_bucket_name: old → new; logging: false → true",
        ),
        (
            run(trusted_access={"changed": True}, organization_trail=CHANGED, check_mode=True),
            f"Would change: {ACCESS}; {ARN}: s3_bucket_name: old → new; logging: false → true",
        ),
        (run(organization_trail={"summary": [f"{ARN}: absent → present"]}), f"Changed: {ARN}: absent → present"),
        (
            run(delegated_administrator=REGISTERED, administrator=NEW, proof={"may_change": True}),
            f"Changed: {GONE}; {MADE}. Proven: {NEW} sees and may change the trail",
        ),
        (
            run(delegated_administrator={"changed": False}, administrator=NEW, proof={"failed": True}),
            f"Changed: nothing. Not proven what {NEW} may do",
        ),
        (
            run(administrator=NEW, proof={"skipped": True}, check_mode=True),
            f"Would change: nothing. Not proven what {NEW} may do, in check mode",
        ),
    ],
)
def test_what_changed(outcome: Outcome, line: str) -> None:
    assert outcome_lines(outcome)[0] == line


@pytest.mark.parametrize(
    ("outcome", "lines"),
    [
        (run(), [f"Coverage: {SENTENCE}", "Report: /srv/coverage.html"]),
        (
            run(coverage={}, not_asked="in check mode"),
            ["Coverage: not asked, in check mode.", "Report: none, without a coverage"],
        ),
        (run(coverage={}), ["Coverage: not known, because asking for it failed.", "Report: none, without a coverage"]),
        (
            run(coverage={}, not_asked="so", file="/srv/record.json"),
            ["Coverage: not asked, so.", "Report: /srv/record.json"],
        ),
        (run(coverage={"sentence": SENTENCE, "json_path": "/p.json"}), [f"Coverage: {SENTENCE}", "Report: /p.json"]),
    ],
)
def test_coverage_and_report(outcome: Outcome, lines: list[str]) -> None:
    assert outcome_lines(outcome)[1:] == lines


LOGGING, UNKNOWN = {"what": "logging"}, {"what": "could not be judged"}


@pytest.mark.parametrize(
    ("drift", "advice", "line"),
    [
        ([], [], "Drifted: nothing; 2 as wanted"),
        ([LOGGING], [], "Drifted: 1; 2 as wanted"),
        ([LOGGING, UNKNOWN], [], "Drifted: 1; 1 not judged, 2 as wanted"),
        ([UNKNOWN], [{"what": "versioning"}], "Drifted: nothing; 1 not judged, 2 as wanted, advice on versioning"),
    ],
)
def test_what_drifted(drift: list[Any], advice: list[Any], line: str) -> None:
    found = {"drift": drift, "advice": advice, "passed": [{}, {}]}
    assert outcome_lines(run(drift=found, file="/srv/drift.json", coverage={}, not_asked="so")) == [
        line,
        "Coverage: not asked, so.",
        "Report: /srv/drift.json",
    ]
