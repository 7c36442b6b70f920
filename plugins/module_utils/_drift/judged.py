# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that was judged, and the files that tell of it: JSON, JUnit and findings."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from xml.etree import ElementTree

from .._aws.text import printable
from .._work.ocsf import FAIL, OTHER, PASS, UNKNOWN, Finding, write_findings
from .._work.options import Result
from .._work.version import VERSION
from .drift import BUCKET, NOT_JUDGED, Drift
from .drifts import as_table, rows, short
from .passed import Passed

RESOURCES = {BUCKET: "AwsS3Bucket"}
"""The type of an object's kind in findings, where it is not the trail's."""

ADVICE = "advice"


@dataclass(frozen=True)
class Judged:
    """What was looked at: what drifted or could not be judged, what is advised, what is as wanted.

    checked_at: ISO 8601, UTC. checked_by: ARN of who looked; "" where nobody was asked. organization_id and trail_arn:
    what it was about; "" where no result tells.
    """

    drifts: Sequence[Drift]
    advice: Sequence[Drift] = ()
    passed: Sequence[Passed] = ()
    checked_at: str = ""
    checked_by: str = ""
    organization_id: str = ""
    trail_arn: str = ""


def summarize_judged(judged: Judged) -> Result:
    """The module's result."""
    return {
        "changed": False,
        "drift": rows(judged.drifts),
        "advice": rows(judged.advice),
        "passed": [asdict(one) for one in judged.passed],
        "table": as_table(judged.drifts),
    }


def as_json(judged: Judged) -> str:
    """A JSON document: who looked at what, the drifts, the advice, and what is as wanted."""
    document = {
        "checked_at": judged.checked_at,
        "checked_by": judged.checked_by,
        "version": VERSION,
        "organization_id": judged.organization_id,
        "trail_arn": judged.trail_arn,
        "drift": rows(judged.drifts),
        "advice": rows(judged.advice),
        "passed": [asdict(one) for one in judged.passed],
    }
    return json.dumps(document, indent=2, default=str) + "\n"


def as_junit(judged: Judged) -> str:
    """A JUnit document for pipelines: a failed test case per drift, a passed one per check, each with its value.

    What could not be judged is an error, which pipelines count as they count failures. Advice is skipped.
    """
    errors = sum(one.what == NOT_JUDGED for one in judged.drifts)
    suite = ElementTree.Element(
        "testsuite",
        name="cloudsec.org_trail",
        tests=str(len(judged.drifts) + len(judged.advice) + len(judged.passed)),
        failures=str(len(judged.drifts) - errors),
        errors=str(errors),
        skipped=str(len(judged.advice)),
        timestamp=judged.checked_at,
    )
    for one in judged.drifts:
        outcome = "error" if one.what == NOT_JUDGED else "failure"
        ElementTree.SubElement(_case(suite, one), outcome, message=_found(one)).text = as_table([one])
    for one in judged.advice:
        ElementTree.SubElement(_case(suite, one), "skipped", message=_found(one))
    for passed in judged.passed:
        ElementTree.SubElement(_case(suite, passed), "system-out").text = printable(short(passed.found))
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ElementTree.Element, one: Drift | Passed) -> ElementTree.Element:
    name = printable(f"{one.object}: {one.what}")
    return ElementTree.SubElement(suite, "testcase", classname=one.kind, name=name)


def _found(one: Drift) -> str:
    return printable(f"expected {short(one.expected)}, found {short(one.found)}")


def findings_json(judged: Judged) -> Iterator[str]:
    """The lines of drift.ocsf.json. A check has the same id whether it drifted or is as wanted."""
    return write_findings(findings(judged))


def findings(judged: Judged) -> Iterator[Finding]:
    """A finding for each drift, advice and check. Of several about the same, the later ones are numbered."""
    seen: Counter[tuple[str, ...]] = Counter()
    for finding in _findings(judged):
        seen[finding.identity] += 1
        number = seen[finding.identity]
        yield finding if number == 1 else replace(finding, identity=(*finding.identity, str(number)))


def _findings(judged: Judged) -> Iterator[Finding]:
    for one in judged.drifts:
        status, code = (UNKNOWN, "not judged") if one.what == NOT_JUDGED else (FAIL, "drifted")
        since = f", since {one.since} by {one.by or 'unknown'}" if one.since else ""
        yield _finding(judged, one, status, code, f"{_found(one)}{since}", one.remedy)
    for one in judged.advice:
        yield _finding(judged, one, OTHER, ADVICE, _found(one), one.remedy)
    for passed in judged.passed:
        yield _finding(judged, passed, PASS, "as wanted", f"found {printable(short(passed.found))}")


def _finding(
    judged: Judged, one: Drift | Passed, status: int, code: str, description: str, remedy: str = ""
) -> Finding:
    return Finding(
        identity=("drift", one.kind, one.object, one.what),
        title=printable(f"{one.object}: {one.what}"),
        description=description,
        standard="drift",
        status=status,
        code=code,
        remedy=printable(remedy),
        resource={"uid": printable(one.object), "type": RESOURCES.get(one.kind, "AwsCloudTrailTrail")},
        time=judged.checked_at,
        version=VERSION,
        cloud={"org": {"uid": judged.organization_id}},
    )
