# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules of playbooks/enable_org_trail.yml, one after the other, in a fork of a process that has them imported.

For hundreds of runs: one takes a tenth of what ansible-playbook takes. The steps and their arguments are those of a
real run (`steps_of`), the modules are called by their ``main()``, and a test proves that both make the same calls.
A fork waits milliseconds where a module waits seconds.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import importlib
import io
import json
import os
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Any

PAUSE = 0.005
SLEEP = time.sleep


def pause(seconds: Any) -> None:
    """time.sleep for modules, which bind it when they are imported."""
    SLEEP(min(seconds, PAUSE))


if __name__ == "__main__":
    time.sleep = pause

import boto3  # noqa: E402
from ansible.module_utils.testing import patch_module_args  # noqa: E402
from ansible_collections.cloudsec.org_trail.plugins.action.coverage_report import (  # noqa: E402
    TEMPLATES,
    ReportOptions,
    write_report,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws import session as aws_session  # noqa: E402
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage import check  # noqa: E402
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage.statuses import FAIL_ON  # noqa: E402
from botocore import hooks, session  # noqa: E402
from botocore.retries.standard import ExponentialBackoff  # noqa: E402

from tests.ansible_run import COLLECTION, ROOT, PlaybookResult  # noqa: E402
from tests.lab_process import Lab  # noqa: E402

MODULES = f"ansible_collections.{COLLECTION}.plugins.modules."
TRAIL, REPORT, CHECK = "cloudtrail_organization_trail", "coverage_report", "check_run"


# --- what to run --------------------------------------------------------------------------------------


def steps_of(result: PlaybookResult) -> list[dict[str, Any]]:
    """The modules of this collection that a real run called, with their arguments; ``CHECK`` calls nothing.

    The first of two calls of the trail's module is the preflight, in check mode.
    """
    steps: list[dict[str, Any]] = []
    for task in result.results:
        collection, _dot, name = str(task.result.get("action", "")).rpartition(".")
        if collection == COLLECTION and name != CHECK and not task.skipped:
            arguments = without_none(task.result.get("invocation", {}).get("module_args", {}))
            steps.append({"module": name, "arguments": arguments, "check_mode": False})
    trail = [step for step in steps if step["module"] == TRAIL]
    if len(trail) == 2:
        trail[0]["check_mode"] = True
    return steps


def without_none(value: Any) -> Any:
    """A module's arguments as they were given, without what the module added for those that were not."""
    if isinstance(value, dict):
        return {name: without_none(one) for name, one in value.items() if one is not None}
    return [without_none(one) for one in value] if isinstance(value, list) else value


# --- in the test's process ----------------------------------------------------------------------------


class MainJob:
    """The steps, ready to run against a lab. result: what the last module of the last run answered."""

    def __init__(self, lab: Lab, steps: list[dict[str, Any]]) -> None:
        self.steps = steps
        self.result: dict[str, Any] = {}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.main_job"],
            cwd=ROOT,
            env={**lab.child_environment(), "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / '.collections'}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, read_timeout: float = 0) -> int:
        """Begin a run; the id of its process. read_timeout: seconds that a client waits for an answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"steps": self.steps, "read_timeout": read_timeout}) + "\n")
        self.process.stdin.flush()
        return int(self._read()["pid"])

    def end(self) -> str:
        """What the run failed with, "" when it succeeded, "killed" when it was."""
        answer = self._read()
        assert not answer["traceback"], answer["traceback"]
        self.result = answer["result"]
        return str(answer["said"])

    def run(self, read_timeout: float = 0) -> str:
        self.start(read_timeout)
        return self.end()

    def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=30)

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer


# --- in the process that forks ------------------------------------------------------------------------


def serve() -> None:
    """Run the steps of each line of standard input in a fork: the fork's id, then how it ended, a line each."""
    prepare()
    for line in sys.stdin:
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.close(reading)
            answer = json.dumps(carry_out(json.loads(line)))
            os.write(writing, answer.encode())
            os._exit(0)
        os.close(writing)
        sys.stdout.write(json.dumps({"pid": child}) + "\n")
        sys.stdout.flush()
        with os.fdopen(reading, "rb") as pipe:
            answer = pipe.read().decode()
        os.waitpid(child, 0)
        sys.stdout.write((answer or json.dumps({"said": "killed", "result": {}, "traceback": ""})) + "\n")
        sys.stdout.flush()


def prepare() -> None:
    """Do once what every fork would do: import the modules, read botocore's models."""
    backoff: Any = ExponentialBackoff
    backoff.delay_amount = lambda _backoff, _context: 0.0
    session.create_loader = functools.cache(session.create_loader)  # one for all clients, which remembers
    hooks.accepts_kwargs = functools.cache(hooks.accepts_kwargs)
    for module in sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py")):
        importlib.import_module(MODULES + module)
    for service in ("account", "cloudtrail", "iam", "organizations", "s3", "sts"):
        make_client: Any = boto3.session.Session().client
        make_client(service, region_name="us-east-1")


def carry_out(order: dict[str, Any]) -> dict[str, Any]:
    """Run the steps until one fails; what it said and answered, and what no user may ever see."""
    result: dict[str, Any] = {}
    if order["read_timeout"]:
        for timeouts in (aws_session.TIMEOUTS, check.TIMEOUTS):
            timeouts["read_timeout"] = order["read_timeout"]
    try:
        return {"said": _run_steps(order["steps"], result), "result": result, "traceback": ""}
    except BaseException:
        return {"said": "", "result": {}, "traceback": traceback.format_exc()}


def _run_steps(steps: list[dict[str, Any]], last: dict[str, Any]) -> str:
    """Run the steps until one fails; what it said. last: becomes what the last one answered."""
    found = ""
    for step in steps:
        if step["module"] == REPORT:
            return _judge_coverage(found)
        result = _run_module(step)
        last.clear()
        last.update(result)
        if result.get("failed"):
            return str(result["msg"])
        found = result.get("output_path", found)
    return ""


def _run_module(step: dict[str, Any]) -> dict[str, Any]:
    """A module's result, by its ``main()``."""
    module = sys.modules[MODULES + step["module"]]
    module.ARGUMENTS = copy.deepcopy(module.ARGUMENTS)  # type: ignore[attr-defined] # amazon.aws adds to it
    arguments = {**step["arguments"], "_ansible_check_mode": step["check_mode"]}
    output = io.StringIO()
    with patch_module_args(arguments), contextlib.redirect_stdout(output), contextlib.suppress(SystemExit):
        module.main()
    result: dict[str, Any] = json.loads(output.getvalue())
    return result


def _judge_coverage(found: str) -> str:
    """The sentence with which the role coverage fails, "" when it does not."""
    options = ReportOptions(
        found=found,
        parts=[],
        expected_parts=None,
        dest=str(Path(found).parent),
        part=True,
        log_bucket={},
        trusted_access={},
        organization_trail={},
        fail_on=list(FAIL_ON),
    )
    report = write_report(options, TEMPLATES)
    return " ".join(report["lines"][:-1]) if report["verdict"] == "failed" else ""


if __name__ == "__main__":
    serve()
