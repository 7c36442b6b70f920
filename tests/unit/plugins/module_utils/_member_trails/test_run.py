# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking accounts for their trails, without AWS."""

from __future__ import annotations

import time
from collections import Counter
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.caller import Answer
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.whole_answer import UNKNOWN
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails import run
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.run import (
    DEAD_AFTER,
    TrailsRun,
    next_read,
    own_trails,
    stranger_problem,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.entry import Target

from tests.canned_aws import meta_of, without_operation
from tests.member_trails import MEMBER, advanced, basic, data

ARN = f"arn:aws:cloudtrail:us-east-1:{MEMBER}:trail/team"
OTHER = "arn:aws:cloudtrail:us-east-1:111111111111:trail/default"
TRAIL = {"TrailARN": ARN, "S3BucketName": "b", "HasInsightSelectors": False}
ANSWERS: dict[str, dict[str, Any]] = {
    "ListTrails": {"Trails": [{"TrailARN": OTHER}, {"TrailARN": ARN}]},
    "GetTrail": {"Trail": TRAIL},
    "GetTrailStatus": {"IsLogging": True},
    "GetEventSelectors": {"TrailARN": ARN, **basic()},
    "ListTags": {"ResourceTagList": [{"ResourceId": ARN, "TagsList": [{"Key": "a", "Value": "b"}, {"Key": "c"}]}]},
}
META = meta_of("cloudtrail")
PARTS = ["GetTrail", "GetTrailStatus", "GetEventSelectors", "ListTags"]


class FakeCaller:
    """In place of Caller: answers from a table; what is refused or silent by operation."""

    answers: ClassVar[dict[str, dict[str, Any]]] = ANSWERS
    errors: ClassVar[dict[str, Answer]] = {}
    again: ClassVar[set[str]] = set()
    made: ClassVar[list[str]] = []

    def __init__(self, _client: Any, operation: str, **_options: Any) -> None:
        self.operation = operation

    def __call__(self, _keys: Any, attempt: int, **parameters: Any) -> Answer:
        operation = self.operation + ("+" if "NextToken" in parameters else "")
        self.made.append(operation)
        if operation in self.again and attempt < 3:
            return Answer({}, "ThrottlingException", "Rate exceeded", False, 0.0)
        return self.errors.get(operation) or Answer(self.answers[operation])

    def cut_slow(self) -> None:
        """A transport's; here nothing is slow."""


def ask(
    monkeypatch: pytest.MonkeyPatch, *targets: Target, meta: Any = META, **table: Any
) -> tuple[TrailsRun, list[str]]:
    fake = type("Fake", (FakeCaller,), {"made": [], **table})
    monkeypatch.setattr(run, "Caller", fake)
    asked = TrailsRun(None, lambda _region: SimpleNamespace(meta=meta), "us-east-1", "tests", threads=1)
    assert asked.ask(targets or (Target(MEMBER, "Team", "ACTIVE"),), time.monotonic() + 30, lambda: None)
    return asked, fake.made  # type: ignore[attr-defined]


def test_a_trail_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, made = ask(monkeypatch)
    [trail] = own_trails(asked)
    assert (str(trail.arn), trail.logging, trail.tags) == (ARN, True, {"a": "b", "c": ""})
    assert made == ["ListTrails", *PARTS]
    assert (asked.calls, asked.done, asked.unread) == (5, 1, {})


def test_pages_and_throttling(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = {"ListTrails": {"Trails": [], "NextToken": "2"}, "ListTrails+": ANSWERS["ListTrails"]}
    asked, made = ask(monkeypatch, answers={**ANSWERS, **pages}, again={"ListTrails+", "ListTags"})
    assert len(list(own_trails(asked))) == 1
    counted = Counter(made)
    assert [counted[name] for name in ("ListTrails", "ListTrails+", "GetTrail", "ListTags")] == [1, 3, 1, 3]


DENIED = Answer({}, "AccessDeniedException", "Denied.", False)


@pytest.mark.parametrize("operation", ["ListTrails", *PARTS])
def test_what_is_denied_is_told(monkeypatch: pytest.MonkeyPatch, operation: str) -> None:
    asked, _made = ask(monkeypatch, errors={operation: DENIED})
    assert list(own_trails(asked)) == []
    assert f"cloudtrail:{operation}" in asked.unread[MEMBER]
    assert asked.unread[MEMBER].endswith("Denied (AccessDeniedException).")


def test_fact_2_14_what_botocore_does_not_know_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    selectors = {"TrailARN": ARN, **advanced(data())}
    older = without_operation("GetEventConfiguration")
    asked, made = ask(monkeypatch, meta=older, answers={**ANSWERS, "GetEventSelectors": selectors})
    assert (list(own_trails(asked)), made) == ([], ["ListTrails", *PARTS])
    assert asked.unread[MEMBER] == (
        "The installed botocore knows no GetEventConfiguration, which a member's trail needs. Update boto3."
    )


def test_fact_2_14_events_that_botocore_does_not_know_make_no_trail_redundant(monkeypatch: pytest.MonkeyPatch) -> None:
    selectors = {"TrailARN": ARN, **basic(), UNKNOWN: ["FutureSelectors"]}
    asked, _made = ask(monkeypatch, answers={**ANSWERS, "GetEventSelectors": selectors})
    assert list(own_trails(asked)) == []
    assert "answered FutureSelectors, which the installed botocore does not know" in asked.unread[MEMBER]


def test_closed_accounts_and_dead_endpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, made = ask(monkeypatch, Target(MEMBER, "", "CLOSED"))
    assert (made, "CLOSED" in asked.unread[MEMBER]) == ([], True)
    many = [Target(f"{number:012}", "", "ACTIVE") for number in range(20)]
    asked, made = ask(monkeypatch, *many, errors={"ListTrails": Answer({}, "", "No answer", False)})
    assert len(made) == DEAD_AFTER
    assert len(asked.unread) == 20


def test_answers_about_others_are_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, _made = ask(monkeypatch, answers={**ANSWERS, "GetTrail": {"Trail": {**TRAIL, "TrailARN": OTHER}}})
    assert asked.unread[MEMBER] == f"GetTrail of {ARN} answered about {OTHER}, expected {ARN}."
    assert "answered about no trail" in stranger_problem("ListTags", ARN, {"ResourceTagList": []})


@pytest.mark.parametrize(
    ("trail", "selectors", "more"),
    [
        ({}, basic(), ["GetInsightSelectors"]),
        ({"HasInsightSelectors": False}, basic(), []),
        (
            {"HasInsightSelectors": False},
            basic(DataResources=[{"Type": "T", "Values": ["v"]}]),
            ["GetEventConfiguration"],
        ),
        ({"HasInsightSelectors": False}, advanced(data()), ["GetEventConfiguration"]),
    ],
)
def test_next_read(trail: dict[str, Any], selectors: dict[str, Any], more: list[str]) -> None:
    answers: dict[str, dict[str, Any]] = {}
    asked = []
    table = {"GetTrail": {"Trail": trail}, "GetEventSelectors": selectors}
    while read := next_read(ARN, answers):
        asked.append(read[0])
        answers[read[0]] = table.get(read[0], {})
    assert asked == [*PARTS, *more]
