# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of drifts as a file for others."""

from __future__ import annotations

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._drift.drift import Drift
from ansible_collections.cloudsec.org_trail.plugins.module_utils._drift.drifts import (
    access_drift,
    as_table,
    coverage_drift,
    health_advice,
    health_drift,
    trail_drift,
    unjudged,
)


def test_a_trail_that_is_gone_is_one_drift() -> None:
    diff = {"before": {}, "after": {"is_logging": True, "s3_bucket_name": "logs"}}
    [drift] = trail_drift({"actions": [{}], "diff": diff, "trail": {"arn": "arn"}, "before": None})
    assert (drift.object, drift.what, drift.expected, drift.found) == ("arn", "trail", "present", "absent")


@pytest.mark.parametrize(("since", "tells"), [("2026-01-02T12:00:00Z", True), ("", False)])
def test_the_table_tells_since_when_where_that_is_known(since: str, tells: bool) -> None:
    drift = Drift("trail", "arn", "is_logging", True, False, "Start it.", ("StopLogging",), since, "somebody")
    text = as_table([drift])
    assert ("    since     2026-01-02T12:00:00Z, by somebody" in text.splitlines()) is tells
    assert "    to do     Start it." in text.splitlines()


@pytest.mark.parametrize(("changed", "number"), [(True, 1), (False, 0)])
def test_trusted_access_that_is_as_wanted_is_no_drift(changed: bool, number: int) -> None:
    diff = {"before": {"trusted_services": []}, "after": {"trusted_services": ["it"] if changed else []}}
    assert len(access_drift({"diff": diff, "organization": {"id": "o-1"}}, "cloudtrail.amazonaws.com")) == number
    assert access_drift({}, "cloudtrail.amazonaws.com") == []


def test_what_could_not_be_judged_is_never_a_green_report() -> None:
    checks = [{"object": "trail", "reason": ""}, {"object": "log bucket", "reason": "The role is gone."}]
    drifts = [*unjudged(checks), Drift("trail", "arn", "logging", True, False, "Start it.")]
    assert [(one.object, one.found) for one in drifts] == [("log bucket", "The role is gone."), ("arn", False)]
    assert as_table(drifts).splitlines()[0] == "1 drifted, 1 could not be judged:"
    assert as_table(drifts[1:]).splitlines()[0] == "1 drifted:"


ROW = {"account_id": "111111111111", "region": "eu-west-1", "status": "missing", "reason": ""}


@pytest.mark.parametrize(("total", "untold"), [(0, []), (1, []), (3, ["2 more account regions"])])
def test_a_list_that_is_cut_says_so(total: int, untold: list[str]) -> None:
    assert [one.object for one in coverage_drift([ROW], total)][1:] == untold


def test_the_table_tells_why_nobody_is_named() -> None:
    drift = Drift("trail", "arn", "logging", True, False, "", ("StopLogging",), unattributed="It may not be read.")
    assert "    by whom   It may not be read." in as_table([drift]).splitlines()


def weak(setting: str, **more: object) -> dict[str, object]:
    told = {"setting": setting, "found": "weak", "expected": "strong", "fix": "Mend it."}
    return {**told, "readable": True, "weakened": False, "severity": "advice", **more}


def test_advice_is_no_drift_and_what_was_not_read_is_not_called_good() -> None:
    problems = [
        weak("tls_only"),
        weak("versioning", weakened=True, severity="warning"),
        weak("object_lock", readable=False, severity="unknown", found="not readable: denied"),
        weak("outside_access", severity="unknown", account_id="999999999999"),
    ]
    bucket = {"name": "logs", "health": {"problems": problems}}
    assert [one.what for one in health_advice(bucket)] == ["tls_only"]
    assert [(one.object, one.what, one.found) for one in health_drift(bucket)] == [
        ("logs", "versioning", "weak"),
        ("logs, object_lock", "could not be judged", "not readable: denied"),
    ]
    assert health_advice({"name": "logs", "health": None}) == health_drift({}) == []
