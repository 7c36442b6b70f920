# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage.statuses import FAIL_ON, NOT_KNOWN, STATUSES
from ansible_collections.cloudsec.org_trail.plugins.module_utils._report.document import (
    Document,
    new_document,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._report.verdict import (
    allowed_regions,
    describe_exception,
    judge,
    remedy_of,
    report_json,
    summarize,
)

WHOLE: dict[str, Any] = {
    "scope": {"accounts": "organization", "regions": "enabled"},
    "management_events": {"logged": "all management events", "all": True},
}
"""Of a run that asked everybody everywhere about a trail that logs everything."""


def line(*statuses: str, name: str = "one", account: str = "000000000001", reason: str = "") -> Document:
    """A document of one account with a region for each status."""
    rows = [
        {"account_id": account, "region": f"r{number}", "status": status, "reason": reason}
        for number, status in enumerate(statuses)
        if status != "unchecked"
    ]
    regions = [f"r{number}" for number in range(len(statuses))]
    found = {"accounts": [{"id": account, "name": name}] if statuses else [], "regions": regions, "coverage": rows}
    return new_document({**WHOLE, **found}, "")


@pytest.mark.parametrize(
    ("statuses", "fail_on", "verdict", "failed", "headline"),
    [
        (["covered"], FAIL_ON, "passed", 0, "Every account and region is covered"),
        (["covered", "region_disabled"], FAIL_ON, "passed", 0, "Every account and region is covered"),
        (["account_closed"], FAIL_ON, "failed", 0, "There is nothing to cover"),
        (["account_closed", "region_disabled"], [], "failed", 0, "There is nothing to cover"),
        ([], FAIL_ON, "failed", 0, "Nothing was checked"),
        (["covered", "pending"], FAIL_ON, "pending", 0, "1 account region still waits for the trail"),
        (["covered", "pending"], ["pending"], "failed", 1, "1 account region is not covered"),
        (["missing", "denied", "pending"], FAIL_ON, "failed", 2, "1 account region is not covered, 1 not known"),
        (["missing", "denied"], ["denied"], "failed", 1, "1 account region is not known"),
        (["denied", "unreachable", "covered"], FAIL_ON, "failed", 2, "2 account regions are not known"),
        (["missing", "silent", "covered"], FAIL_ON, "failed", 2, "2 account regions are not covered"),
        (["missing"], [], "failed", 0, "Nothing is covered"),
        (["missing", "covered"], [], "passed", 0, "Nothing fails, with exceptions"),
        (["denied_by_scp", "covered"], ["denied"], "failed", 1, "1 account region is not known"),
        (["covered", "unchecked"], [], "failed", 1, "1 account region is not known"),
        (["account_closed"], ["account_closed"], "failed", 1, "1 account region is not covered"),
        *[
            ([status], FAIL_ON, "failed", 1, f"1 account region is not {'known' if status in NOT_KNOWN else 'covered'}")
            for status in FAIL_ON
        ],
    ],
)
def test_judge(statuses: list[str], fail_on: list[str], verdict: str, failed: int, headline: str) -> None:
    found = judge(line(*statuses), fail_on)
    assert (found.name, found.failed, found.headline) == (verdict, failed, headline)


@pytest.mark.parametrize(
    ("statuses", "fail_on", "sentence"),
    [
        (
            ["covered", "covered", "missing", "region_disabled"],
            FAIL_ON,
            "1 of 3 account regions in 1 of 1 account cannot be relied on: trail missing 1.",
        ),
        (["covered"], FAIL_ON, "1 of 1 account region in 1 account logs to the organization trail."),
        (
            ["covered", "denied"],
            [],
            "1 of 2 account regions in 1 account logs to the organization trail. Told not to fail: 1 exception.",
        ),
    ],
)
def test_judge_says_it_with_numbers(statuses: list[str], fail_on: list[str], sentence: str) -> None:
    assert judge(line(*statuses), fail_on).sentence == sentence


@pytest.mark.parametrize("status", ["account_closed", "missing"])
def test_a_part_need_not_prove_anything_by_itself(status: str) -> None:
    assert judge(line(status), [], part=True).name == "passed"
    assert judge(line("unchecked"), [], part=True).name == "failed"
    assert judge(line(), [], part=True).name == "failed"


@pytest.mark.parametrize("statuses", [["covered"], ["missing"], ["pending"], ["account_closed"]])
def test_headline_and_sentence_tell_what_nobody_asked(statuses: list[str]) -> None:
    document = {
        **line(*statuses),
        "scope": {"accounts": "organization", "regions": "given", "enabled_regions": ["r0", "r1", "r2"]},
    }
    found = judge(document)
    assert found.headline.endswith(" (1 of 3 regions)")
    assert found.sentence.endswith(" 1 of 3 regions were asked.")
    if statuses == ["covered"]:
        assert found.headline == "Every account and region asked is covered (1 of 3 regions)"


def test_nothing_is_proven_where_it_could_not_be_read_which_events_are_logged() -> None:
    document = {**line("covered"), "management_events": {"error": "Denied."}}
    verdict = judge(document)
    assert (verdict.name, verdict.headline) == ("failed", "Which events the trail logs could not be read")
    assert verdict.sentence.endswith("Which events the trail logs could not be read: Denied.")
    assert judge({**line("missing"), "management_events": {"error": "Denied."}}).headline.startswith(
        "1 account region is"
    )
    assert judge(document, part=True).name == "passed"


def denied(**rows: list[str]) -> Document:
    """A document with the statuses of accounts that are named after digits, such as _1."""
    found = {
        "accounts": [{"id": name[1:] * 12} for name in rows],
        "coverage": [
            {"account_id": name[1:] * 12, "region": f"r{number}", "status": status}
            for name, line in rows.items()
            for number, status in enumerate(line)
        ],
    }
    return new_document({**WHOLE, **found}, "")


SCP = "denied_by_scp"


@pytest.mark.parametrize(
    ("document", "regions"),
    [
        (denied(_1=["covered"] * 3, _2=["covered", SCP, "covered"]), ["r0", "r2"]),
        (denied(_1=["covered"] * 3, _2=["covered", SCP, "missing"], _3=[SCP, "covered", "covered"]), ["r2"]),
        (denied(_1=["covered"] * 3, _2=[SCP] * 3), []),
        (denied(_1=[SCP] * 2), []),
        (denied(_1=["region_disabled", "covered", SCP]), ["r1"]),
    ],
)
def test_the_regions_that_policies_allow_are_those_that_answered(document: Document, regions: list[str]) -> None:
    assert allowed_regions(document) == regions
    line = f"coverage_regions: [{', '.join(regions)}]"
    assert (line in remedy_of(SCP, document)) is bool(regions)
    assert "coverage_regions: [" not in remedy_of("denied", document)


def test_every_status_that_is_an_exception_has_a_remedy() -> None:
    for status in STATUSES:
        for group in judge(line(status), []).exceptions:
            assert group["remedy"]


def test_exceptions_are_grouped_by_status_and_reason() -> None:
    ids = ["000000000001", "000000000002", "000000000003"]
    found: dict[str, Any] = {
        "accounts": [{"id": account, "name": ""} for account in ids],
        "regions": ["eu-west-1", "us-east-1"],
        "coverage": [
            {"account_id": ids[0], "region": "eu-west-1", "status": "denied", "reason": f"role of {ids[0]}"},
            {"account_id": ids[0], "region": "us-east-1", "status": "denied", "reason": f"role of {ids[0]}"},
            {"account_id": ids[1], "region": "eu-west-1", "status": "denied", "reason": f"role of {ids[1]}"},
            {"account_id": ids[1], "region": "us-east-1", "status": "denied", "reason": "policy in us-east-1"},
            {"account_id": ids[2], "region": "eu-west-1", "status": "missing", "reason": "no trail"},
            {"account_id": ids[2], "region": "us-east-1", "status": "covered"},
        ],
    }
    groups = judge(new_document(found, "")).exceptions
    assert [(one["status"], one["reason"], one["account_regions"]) for one in groups] == [
        ("missing", "no trail", 1),
        ("denied", "role of <account>", 3),
        ("denied", "policy in us-east-1", 1),
    ]
    assert groups[1]["accounts"] == [
        {"id": ids[0], "name": "", "regions": ["eu-west-1", "us-east-1"]},
        {"id": ids[1], "name": "", "regions": ["eu-west-1"]},
    ]


def test_describe_exception_shows_no_character_that_a_terminal_obeys() -> None:
    group = judge(line("denied", name="\x1b[31mred\u202e\n", reason="no\x07")).exceptions[0]
    assert describe_exception(group) == "Access denied: �[31mred�� (000000000001) r0. no�"


def test_summarize_is_bounded() -> None:
    found = {
        "accounts": [{"id": f"{number:012}", "name": "x" * 50} for number in range(500)],
        "regions": ["r0"],
        "coverage": [
            {
                "account_id": f"{number:012}",
                "region": "r0",
                "status": "denied",
                "reason": f"reason {number % 300 + 0.5}",
            }
            for number in range(500)
        ],
    }
    document = new_document(found, "")
    summary = summarize(document, judge(document))
    assert (len(summary["exceptions"]), summary["more_exceptions"]) == (20, 280)
    assert len(summary["failures"]) == 50
    assert len(json.dumps(summary)) < 10_000


def test_failures_are_those_that_fail() -> None:
    document = line("missing", "covered", "region_disabled", "denied", reason="why")
    failures = summarize(document, judge(document, ["missing", "region_disabled"]))["failures"]
    place = {"account_id": "000000000001", "reason": "why"}
    assert failures == [
        {**place, "region": "r0", "status": "missing"},
        {**place, "region": "r2", "status": "region_disabled"},
    ]


def test_report_json_is_the_document_with_its_verdict() -> None:
    document = line("missing", "covered", name="Zürich </script>")
    report = json.loads(report_json(document, judge(document)))
    assert report["verdict"] == "failed"
    assert report["statuses"] == {"missing": 1, "covered": 1}
    assert report["remedies"].keys() == {"missing"}
    assert {name: report[name] for name in document} == document
