# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module's result is the same whether it runs in a fork of Ansible's process or as Ansible runs modules.

A probe module, in a collection of its own that lies beside ours, does one after another what modules can do to their
process and to their result. One play holds all cases; it runs both ways.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ansible_run import BIN, ROOT, ansible_environment, descendants, run_playbook
from tests.lab_process import Lab

COLLECTION = "cloudsec.probe"
PATIENCE = 60.0
"""Seconds; an orphaned module went on for minutes."""
ACTION = """
from ansible_collections.cloudsec.org_trail.plugins.action._direct import ActionModule, preload
preload(__name__)
"""
PROBE = """
import atexit, ctypes, locale, os, resource, signal, subprocess, sys, threading, time
from ansible.module_utils.basic import AnsibleModule, env_fallback

STATE = []
ARGUMENTS = {
    "do": {"default": "nothing"},
    "number": {"type": "int"},
    "secret": {"no_log": True, "fallback": (env_fallback, ["PROBE_SECRET"])},
    "path": {"type": "path"},
}


class Probe:
    def __init__(self, module):
        self.module = module

    def nothing(self):
        return {}

    def change(self):
        return {"changed": True, "check_mode": self.module.check_mode, "diff": {"before": "a\\n", "after": "b\\n"}}

    def echo(self):
        return {"echo": self.module.params, "text": f"it is {self.module.params['secret']}!", "plain": "é \\U0001f600"}

    def facts(self):
        return {"ansible_facts": {"probe_fact": {"a": [1, None, True, 1.5]}}}

    def internal_keys(self):
        return {"_ansible_secret": 1, "results": {"a": 1}, "stdout": "a\\nb", "stderr": "c\\nd", "warnings": ["early"]}

    def template(self):
        return {"text": "{{ lookup('pipe', 'echo run') }}"}

    def warn(self):
        self.module.warn("first")
        self.module.warn("second")
        self.module.deprecate("old", version="99.0.0", collection_name="cloudsec.probe")
        self.module.deprecate("older", date="2099-01-01", collection_name="cloudsec.probe")
        return {}

    def fail(self):
        self.module.warn("before the failure")
        self.module.fail_json(msg="it failed", detail=[1])

    def fail_in_except(self):
        try:
            raise ValueError("the cause")
        except ValueError:
            self.module.fail_json(msg="it failed")

    def fail_with_exception(self):
        try:
            raise ValueError("the cause")
        except ValueError as error:
            self.module.fail_json(msg="it failed", exception=error)

    def error(self):
        raise RuntimeError("nobody caught this")

    def chained_error(self):
        try:
            raise KeyError("first")
        except KeyError as error:
            raise RuntimeError("second") from error

    def exit(self):
        sys.exit(self.module.params["number"])

    def exit_text(self):
        sys.exit("these are last words")

    def hard_exit(self):
        os._exit(7)

    def kill(self):
        os.kill(os.getpid(), signal.SIGKILL)

    def terminate(self):
        os.kill(os.getpid(), signal.SIGTERM)

    def noise(self):
        print("said by print")
        sys.stdout.flush()
        os.write(1, b"written to the descriptor\\n")
        subprocess.run(["echo", "said by a child"])
        ctypes.CDLL(None).puts(b"said by C")
        ctypes.CDLL(None).fflush(None)
        print("to standard error", file=sys.stderr)
        return {}

    def garbage_only(self):
        print("no result here \\udce4".encode("utf-8", "surrogateescape").decode("latin-1"), flush=True)
        os.write(1, b"\\xff\\xfe")
        sys.exit(0)

    def trailing_noise(self):
        atexit.register(print, "said at exit")
        return {}

    def big(self):
        return {"text": "x" * 3_000_000}

    def surrogates(self):
        return {"text": b"\\xff".decode("utf-8", "surrogateescape")}

    def process(self):
        hidden = ("PWD", "OLDPWD", "SHLVL", "_", "LC_CTYPE")
        return {
            "directory": os.getcwd(),
            "mask": oct(os.umask(0)),
            "variables": {name: value for name, value in os.environ.items() if name not in hidden},
            "locale": locale.setlocale(locale.LC_ALL),
            "handlers": {str(one): str(signal.getsignal(one)) for one in sorted(signal.valid_signals())},
            "mask_of_signals": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
            "files": resource.getrlimit(resource.RLIMIT_NOFILE),
            "stdin": sys.stdin.read(),
            "encodings": [sys.stdin.encoding, sys.stdout.encoding, sys.stdout.errors, sys.stderr.encoding],
            "terminals": [os.isatty(one) for one in (0, 1, 2)],
            "python": [sys.executable, list(sys.version_info), __name__],
            "threads": threading.active_count(),
        }

    def temporary(self):
        with open(self.module.params["path"], "a") as file:
            file.write(self.module.tmpdir + "\\n")
        return {"there": os.path.isdir(self.module.tmpdir)}

    def finish_thread(self):
        def later():
            time.sleep(0.3)
            with open(self.module.params["path"], "a") as file:
                file.write("done\\n")
        threading.Thread(target=later).start()
        return {}

    def leak(self):
        seen = {"state": list(STATE), "variable": os.environ.get("LEAK"), "directory": os.getcwd()}
        STATE.append(1)
        os.environ["LEAK"] = "1"
        os.chdir("/")
        os.umask(0o77)
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        return seen

    def sleep(self):
        time.sleep(3)
        return {}


def main():
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    module.exit_json(**{"changed": False, **getattr(Probe(module), module.params["do"])()})


if __name__ == "__main__":
    main()
"""


def probe(do: str, **keywords: Any) -> dict[str, Any]:
    """A task of the probe; ``options`` are further options of the module, the rest are keywords of the task."""
    options = {"do": do, **keywords.pop("options", {})}
    return {"name": do, f"{COLLECTION}.probe": options, "ignore_errors": True, "ignore_unreachable": True, **keywords}


DIRECT = {
    "plain": probe("nothing"),
    "change": probe("change"),
    "check mode": probe("change", check_mode=True),
    "diff": probe("change", diff=True),
    "no diff": probe("change", diff=False),
    "arguments": probe("echo", options={"number": "12", "secret": "hush", "path": "~/{{ 'x' }}"}),
    "no_log": probe("echo", options={"secret": "hush"}, no_log=True),
    "facts": probe("facts"),
    "facts as variables": {"name": "debug", "ansible.builtin.debug": {"var": "probe_fact"}},
    "internal keys": probe("internal_keys"),
    "template in a result": probe("template"),
    "warnings": probe("warn"),
    "failure": probe("fail"),
    "failure in except": probe("fail_in_except"),
    "failure with exception": probe("fail_with_exception"),
    "exception": probe("error"),
    "chained exception": probe("chained_error"),
    "unknown option": probe("nothing", options={"nonsense": 1}),
    "wrong type": probe("nothing", options={"number": "many"}),
    "exit 0 without result": probe("exit", options={"number": 0}),
    "exit 3 without result": probe("exit", options={"number": 3}),
    "exit with None": probe("exit"),
    "exit with text": probe("exit_text"),
    "hard exit": probe("hard_exit"),
    "killed": probe("kill"),
    "terminated": probe("terminate"),
    "noise": probe("noise"),
    "no JSON": probe("garbage_only"),
    "noise at exit": probe("trailing_noise"),
    "big": probe("big"),
    "surrogates": probe("surrogates"),
    "process": probe("process"),
    "temporary directory": probe("temporary", options={"path": "{{ notes }}"}),
    "thread": probe("finish_thread", options={"path": "{{ notes }}"}),
    "loop": probe("leak", loop=[1, 2]),
    "loop with failure": probe("{{ item }}", loop=["nothing", "fail", "error", "warn"]),
    "until": probe("nothing", until="false", retries=1, delay=0, register="tried"),
    "failed_when": probe("nothing", failed_when=True),
    "changed_when": probe("nothing", changed_when=True),
    "skipped": probe("nothing", when=False),
    "timeout": probe("sleep", timeout=1),
    "delegated to a local host": probe("process", delegate_to="other_local"),
    "variable on": probe("nothing", vars={"org_trail_direct": "{{ 'yes' }}"}),
    "interpreter by template": probe(
        "nothing", vars={"ansible_python_interpreter": "{{ [ansible_playbook_python] | first }}"}
    ),
    "no environment": probe("nothing", environment={}),
    "no become": probe("nothing", become=False),
}
FALLBACK = {
    "switched off": ("switched off", probe("change", vars={"org_trail_direct": False})),
    "switched off by template": ("switched off", probe("change", vars={"org_trail_direct": "{{ 'no' }}"})),
    "become": ("become", probe("change", become=True, become_method="su")),
    "async": ("async", probe("change", **{"async": 20, "poll": 1})),
    "environment": ("environment", probe("echo", environment={"PROBE_SECRET": "from the task"})),
    "environments": ("environment", probe("nothing", environment=[{}, {"X": "{{ 'y' }}"}])),
    "another interpreter": (
        "interpreter LINKED",
        probe("process", vars={"ansible_python_interpreter": "{{ linked_python }}"}),
    ),
    "missing interpreter": (
        "interpreter /nowhere/python",
        probe("nothing", vars={"ansible_python_interpreter": "/nowhere/python"}),
    ),
    "discovered interpreter": (
        "the interpreter is to be discovered",
        probe("nothing", vars={"ansible_python_interpreter": "auto_silent"}),
    ),
    "delegated to a remote host": ("connection ssh", probe("nothing", delegate_to="remote")),
    "limit of open files": (
        "ANSIBLE_PYTHON_MODULE_RLIMIT_NOFILE",
        probe("process", vars={"ansible_python_module_rlimit_nofile": 512}),
    ),
}
"""Name: why it does not run directly, and the task."""
CASES = {**DIRECT, **{name: task for name, (_, task) in FALLBACK.items()}}


SHOWN = ("change", "warnings", "failure", "failure in except", "noise at exit", "no JSON", "no_log")
"""Cases whose display is compared, because the results that callbacks see hold no warnings."""


def write_collection(folder: Path) -> None:
    root = folder / "ansible_collections" / COLLECTION.replace(".", "/") / "plugins"
    for kind, text in (("modules", PROBE), ("action", ACTION)):
        (root / kind).mkdir(parents=True)
        (root / kind / "probe.py").write_text(text)


class Run:
    """Cases in one play, run with direct execution (``"1"``) or without (``"0"``)."""

    def __init__(self, lab: Lab, folder: Path, switch: str) -> None:
        self.notes = folder / f"notes_{switch}"
        self._lab, self._folder, self._switch = lab, folder, switch
        output = self.play(CASES, "-vvv")
        report, _ = json.JSONDecoder().raw_decode(output, output.index("\n{\n") + 1)  # between what -vvv wrote
        self.results = {one["task"]["name"]: one["hosts"]["localhost"] for one in report["plays"][0]["tasks"]}
        self.reasons = re.findall(rf"Direct execution of {COLLECTION}.probe: (.*)", output)
        self.screen = self.play({name: CASES[name] for name in SHOWN}, "--diff", ANSIBLE_STDOUT_CALLBACK="default")

    def play(self, cases: dict[str, Any], *arguments: str, **environment: str) -> str:
        variables = {"notes": str(self.notes), "linked_python": str(self._folder / "bin" / "python3")}
        done = run_playbook(
            self._lab,
            [{**task, "name": name} for name, task in cases.items()],
            *arguments,
            "-i",
            str(self._folder / "inventory.json"),
            environment={
                "ORG_TRAIL_DIRECT": self._switch,
                "ANSIBLE_COLLECTIONS_PATH": f"{self._folder}:{ROOT / '.collections'}",
                "ANSIBLE_DEPRECATION_WARNINGS": "true",
                "ANSIBLE_INJECT_INVOCATION": "true",
                **environment,
            },
            play={"vars": variables},
        )
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Run, Run]]:
    """The same play with direct execution and without."""
    folder = tmp_path_factory.mktemp("direct")
    write_collection(folder)
    (folder / "bin").mkdir()
    (folder / "bin" / "python3").symlink_to(sys.executable)
    hosts = {
        "localhost": {"ansible_connection": "local"},
        "other_local": {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"},
        "remote": {"ansible_host": "127.0.0.1", "ansible_port": 1},
    }
    (folder / "inventory.json").write_text(json.dumps({"all": {"hosts": hosts}}))
    with Lab("--scenario", "empty") as lab:
        yield Run(lab, folder, "1"), Run(lab, folder, "0")


def same_for_both(value: Any) -> Any:
    """A result without what differs between any two runs: job ids, times, temporary paths, frames above main().

    Nor do source lines count in tracebacks: old versions of ansible-core do not find them in the packed file.
    """
    if isinstance(value, dict):
        random = {"ansible_job_id", "jid", "results_file", "start", "end", "delta", "frame", "ORG_TRAIL_DIRECT"}
        return {name: same_for_both(one) for name, one in value.items() if name not in random}
    if isinstance(value, list):
        return [same_for_both(one) for one in value]
    if isinstance(value, str):
        value = re.sub(r"/tmp/org_trail_\w+|(?<=notes_)[01]", "…", value)
        value = re.sub(
            r'(?s)(?<=\(most recent call last\):).*?(?=  File "[^"]*/modules/probe.py", line \d+, in main)', "", value
        )
        value = re.sub(r'(  File ".*"), line (\d+, in .*\n)(    .*\n)*', r"\1, line \2", value)  # source lines
        value = re.sub(r"/tmp/ansible_[^/]*_payload_[^/]*/ansible_[^/]*_payload.zip", "", value)
        return re.sub(r'File "[^"]*/(?=ansible/|ansible_collections/)', 'File "', value)
    return value


@pytest.mark.parametrize("case", CASES)
def test_result_is_the_same(runs: tuple[Run, Run], case: str) -> None:
    direct, ordinary = (same_for_both(run.results[case]) for run in runs)
    assert direct == ordinary


def test_display_is_the_same(runs: tuple[Run, Run]) -> None:
    direct, ordinary = (same_for_both(run.screen) for run in runs)
    for text in ("before the failure", "99.0.0", "junk after the JSON data", "+b"):
        assert text in direct
    assert direct == ordinary


def test_side_effects_are_the_same(runs: tuple[Run, Run]) -> None:
    """Threads end and exit handlers run: a temporary directory is gone."""
    for run in runs:
        temporary, thread = run.notes.read_text().splitlines()
        assert thread == "done"
        assert "ansible" in temporary
        assert not Path(temporary).exists()


def test_what_runs_directly(runs: tuple[Run, Run]) -> None:
    direct, ordinary = runs
    reasons = [re.sub("/.*/bin/python3$", "LINKED", one) for one in direct.reasons]
    assert reasons[-len(FALLBACK) :] == [reason for reason, _ in FALLBACK.values()]
    assert set(reasons[: -len(FALLBACK)]) == {"yes"}
    assert set(ordinary.reasons) == {"switched off"}


def test_cases_do_what_they_say(runs: tuple[Run, Run]) -> None:
    """The comparison above would also hold if no case reached the probe."""
    results = runs[0].results
    assert results["change"]["diff"] == {"before": "a\n", "after": "b\n"}
    assert results["check mode"]["check_mode"]
    assert "hush" not in str(results["arguments"])
    assert results["facts as variables"]["probe_fact"] == {"a": [1, None, True, 1.5]}
    assert results["failure"]["msg"] == "it failed"
    assert "nobody caught this" in str(results["exception"])
    assert results["hard exit"]["rc"] == 7
    assert results["killed"]["rc"] == 128 + 9
    assert [one["state"] for one in results["loop"]["results"]] == [[], []]
    assert results["process"]["python"][2] == "__main__"
    assert results["environment"]["echo"]["secret"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
    assert results["delegated to a remote host"]["unreachable"]
    assert results["async"]["finished"] == 1
    assert results["timeout"]["failed"]
    assert results["arguments"]["invocation"]["module_args"]["number"] == 12


@pytest.mark.parametrize(
    ("victim", "kind"),
    [("ansible-playbook", signal.SIGKILL), ("ansible-playbook", signal.SIGHUP), ("worker", signal.SIGKILL)],
)
def test_a_module_ends_with_ansible(tmp_path: Path, victim: str, kind: signal.Signals) -> None:
    """A coverage that waits an hour for a trail goes on for nobody."""
    with Lab("--accounts", "3") as lab:
        options = {"trail_arn": lab.trail_arn, "wait_minutes": 60}  # no member has that trail yet
        task = {"name": "ask", "cloudsec.org_trail.cloudtrail_coverage_info": options}
        play = [{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]
        (tmp_path / "play.yml").write_text(json.dumps(play))
        temporary = tmp_path / "temporary"
        temporary.mkdir()
        process = subprocess.Popen(
            [str(BIN / "ansible-playbook"), str(tmp_path / "play.yml")],
            cwd=ROOT,
            env={**ansible_environment(lab, str(tmp_path)), "ORG_TRAIL_DIRECT": "1", "TMPDIR": str(temporary)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # ignored where tests run under nohup
        )
        until(lambda: bool(lab.journal(operation="GetTrailStatus")))
        family = descendants(process.pid)
        assert len(family) >= 2, "a worker and the module in it"
        worker = next(one for one in family if descendants(one))
        os.kill(process.pid if victim == "ansible-playbook" else worker, kind)
        process.wait(PATIENCE)
        until(lambda: not any(Path(f"/proc/{one}").exists() for one in family))
        assert list(temporary.glob("coverage_*")) == [], "Ansible's own folder is the place of what a run needs"


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds; what never holds is a failure, not a slow machine."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
