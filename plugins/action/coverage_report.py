# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of coverage_report: reads what was found, writes the report where Ansible itself runs."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import parse_trail_arn
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage.statuses import (
    FAIL_ON,
    STATUSES,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._report.document import (
    Document,
    ReportError,
    merge,
    new_document,
    part_name,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._report.facts import (
    describe_changes,
    describe_trail,
    settings_warning,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._report.findings import findings_json
from ansible_collections.cloudsec.org_trail.plugins.module_utils._report.page import (
    page_facts,
    page_matrix,
    script_json,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._report.table import exceptions_csv
from ansible_collections.cloudsec.org_trail.plugins.module_utils._report.verdict import (
    Verdict,
    judge,
    report_json,
    summarize,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._work.files import (
    RANDOM,
    remove_left_overs,
    write_whole,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._work.options import Result, options_of
from ansible_collections.cloudsec.org_trail.plugins.module_utils._work.version import VERSION
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

ARGUMENTS: dict[str, Result] = {
    "found": {"type": "path"},
    "parts": {"type": "list", "elements": "path", "default": []},
    "expected_parts": {"type": "int"},
    "dest": {"type": "path", "required": True},
    "part": {"type": "bool", "default": False},
    "findings": {"type": "bool", "default": False},
    "log_bucket": {"type": "dict", "default": {}},
    "trusted_access": {"type": "dict", "default": {}},
    "organization_trail": {"type": "dict", "default": {}},
    "member_trails": {"type": "dict", "default": {}},
    "guardrails": {"type": "dict", "default": {}},
    "fail_on": {"type": "list", "elements": "str", "choices": list(STATUSES), "default": list(FAIL_ON)},
}
COLLECTION = Path(__file__).resolve().parents[2]
TEMPLATES = COLLECTION / "roles" / "coverage" / "templates"
GROUP_LIMIT = 100
ACCOUNT_LIMIT = 100


FOUND = re.compile(rf"\.{{1,2}}found-\d+\.json(?:-{RANDOM})?")
"""Names of what the role coverage writes before the report, and of the same half written."""


@dataclass(frozen=True)
class ReportOptions:
    """The options, with the module's names."""

    found: str | None
    parts: list[str]
    expected_parts: int | None
    dest: str
    part: bool
    log_bucket: Result
    trusted_access: Result
    organization_trail: Result
    fail_on: list[str]
    findings: bool = False
    member_trails: Result = field(default_factory=dict)
    guardrails: Result = field(default_factory=dict)


class ActionModule(ActionBase):  # type: ignore[misc, unused-ignore]
    """Runs on the controller only: no connection, no module."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> Result:
        super().run(tmp, task_vars)
        _validated, given = self.validate_argument_spec(ARGUMENTS, mutually_exclusive=[("found", "parts")])
        options = options_of(ReportOptions, given)
        try:
            if self._task.check_mode:  # nothing was changed, whatever the modules before foretold
                trail = options.organization_trail
                as_it_is = {"trail": trail["before"]} if "before" in trail else {}
                unchanged = {**trail, **as_it_is, "actions": []}
                options = replace(options, trusted_access={}, organization_trail=unchanged)
            return {"changed": False, **write_report(options, TEMPLATES)}
        except ReportError as error:
            return {"failed": True, "msg": str(error)}
        except OSError as error:
            return {"failed": True, "msg": f"Failed to write the coverage report to {options.dest}: {error}."}


def write_report(options: ReportOptions, templates: Path) -> Result:
    """Read, merge, judge and write; the module's return values."""
    document = _read(options)
    verdict = judge(document, options.fail_on, part=options.part)
    dest = Path(options.dest)
    dest.mkdir(parents=True, exist_ok=True)
    if options.part:
        paths = {"json_path": dest / part_name(document)}
    else:
        paths = {"json_path": dest / "coverage.json", "html_path": dest / "coverage.html"}
        write_whole(paths["html_path"], [render(document, verdict, templates)])
        paths["csv_path"] = dest / "coverage.csv"
        write_whole(paths["csv_path"], exceptions_csv(document, verdict))
        if options.findings:
            paths["findings_path"] = dest / "coverage.ocsf.json"
            write_whole(paths["findings_path"], findings_json(document))
    write_whole(paths["json_path"], [report_json(document, verdict)])
    if options.found:
        Path(options.found).unlink(missing_ok=True)
        remove_left_overs(Path(options.found).parent, FOUND)
    summary = summarize(document, verdict)
    lines = [summary["sentence"], *summary["exceptions"], f"Report: {paths.get('html_path', paths['json_path'])}"]
    weak = settings_warning(document["log_bucket"])
    warnings = {"warnings": [weak]} if weak else {}
    return summary | {name: str(path) for name, path in paths.items()} | {"lines": lines} | warnings


def _read(options: ReportOptions) -> Document:
    if options.found:
        path = Path(options.found)
        found = _read_json(path, "checked_at")
        return new_document(
            found,
            found["checked_at"],
            trail=options.organization_trail.get("trail") or _trail_of(found, path),
            log_bucket=options.log_bucket,
            changes=describe_changes(options.trusted_access, options.organization_trail),
            version=VERSION,
            member_trails=options.member_trails,
            guardrails=options.guardrails,
        )
    _refuse_wrong_number(len(options.parts), options.expected_parts)
    return merge(_read_json(Path(path), "verdict") for path in options.parts)


def _trail_of(found: Result, path: Path) -> Result:
    """What the ARN in a coverage tells of its trail; {} where there is none."""
    arn = found.get("trail_arn")
    try:
        return describe_trail(parse_trail_arn(str(arn))) if arn else {}
    except ValueError as error:
        raise wrong_file(path, "trail_arn", error) from error


def _refuse_wrong_number(parts: int, expected: int | None) -> None:
    wanted = expected or 1
    if parts < wanted:
        raise ReportError(f"Found {parts} of {wanted} parts of the coverage. Run the missing slices, then merge again.")
    if expected and parts > expected:
        raise ReportError(
            f"Found {parts} parts of the coverage, expected {expected}: some are of an earlier run. Empty the "
            "directory and run all slices again."
        )


def _read_json(path: Path, mark: str) -> Result:
    """A JSON object with the field ``mark``, by which the right kind of file is known."""
    try:
        content: Result = json.loads(path.read_bytes())
        content[mark]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise wrong_file(path, mark, error) from error
    return content


def wrong_file(path: Path, mark: str, error: Exception) -> ReportError:
    """A refusal of a file whose field ``mark`` cannot be read."""
    found = str(error).rstrip(".")
    return ReportError(
        f"Failed to read {path}: {found}. Expected a file with the field {mark}; run the coverage that wrote it again."
    )


def render(document: Document, verdict: Verdict, templates: Path) -> str:
    """The page, one file. The hashes admit our own style and script and nothing else."""
    environment = Environment(loader=FileSystemLoader(templates), autoescape=True, undefined=StrictUndefined)
    style = f"\n{(templates / 'coverage.css').read_text(encoding='utf-8')}"
    script = f"\n{(templates / 'coverage.js').read_text(encoding='utf-8')}"
    return environment.get_template("coverage.html.j2").render(
        **page_facts(document, verdict),
        style=Markup(style),
        style_hash=source_hash(style),
        script=Markup(script),
        script_hash=source_hash(script),
        matrix=Markup(script_json(page_matrix(document, verdict))),
        letters={name: status.letter for name, status in STATUSES.items()},
        group_limit=GROUP_LIMIT,
        account_limit=ACCOUNT_LIMIT,
    )


def source_hash(text: str) -> str:
    """A source expression of a Content-Security-Policy; https://www.w3.org/TR/CSP3/#grammardef-hash-source"""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
