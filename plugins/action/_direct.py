# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a module in a fork of Ansible's own process where that is the same thing as starting a Python for it.

Ansible starts an ordinary module like this: it packs the module and all it imports into a file, and a shell starts a
new Python that unpacks and imports everything again, about 0.8 s for a module that needs boto3. With a local
connection and Ansible's own interpreter that new process would hold nothing but what Ansible's process can import
itself. So this plugin leaves to Ansible all that comes before (module defaults, arguments) and after (parsing the
module's output, no_log, facts) and replaces only the two steps between: no file is packed, and the command is a fork
that runs the module with its own standard output, working directory, signal handlers and exit handlers.

Each module that calls AWS has an action plugin of its name that consists of this class. Redirects in meta/runtime.yml
cannot do that: with ``plugin_routing.action`` all modules share one name, so that module_defaults of one module reach
the others; ``plugin_routing.modules.….action_plugin`` is read after Ansible forked, too late for ``preload``.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import importlib
import json
import os
import runpy
import select
import signal
import site
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

from ansible import constants
from ansible.executor import module_common
from ansible.module_utils import basic
from ansible.module_utils.common.text.converters import to_text
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.plugins.loader import module_loader
from ansible.release import __version__
from ansible.utils.display import Display
from ansible_collections.cloudsec.org_trail.plugins.plugin_utils.compiled import kept_compiled

try:  # ansible-core 2.19 and later
    from ansible.module_utils import _internal
    from ansible.module_utils._internal import _traceback
    from ansible.module_utils._internal._ansiballz import _loader
    from ansible.module_utils.common.json import Direction, get_module_encoder
except ImportError:
    _internal = None

ENVIRONMENT_SWITCH = "ORG_TRAIL_DIRECT"
VARIABLE_SWITCH = "org_trail_direct"
NEWEST_CORE = (2, 21)
"""What this does to ansible-core is nothing that ansible-core promises, so unknown versions run ordinary modules."""

TICK = 1.0
"""Seconds between two looks at what a running module has to say."""

LOOK_EVERY = 0.02
PR_SET_PDEATHSIG = 1  # linux/prctl.h

SESSION = "ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.session"

GARBAGE = 10_000
"""How many new objects a module may make before Python looks for garbage. A client of S3 makes 48,000, which stay; with
a limit of 700, Python's own before 3.13, a module that makes one spends an eighth of its time on looking."""

PROFILE = "legacy"  # what every module without metadata of its own uses

display = Display()


class ActionModule(NormalAction):
    """Ansible's plugin for modules, with a shorter way for those that may run here."""

    _direct: bool = False
    _module = ""
    _arguments = b""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        reason = self._reason_against(task_vars or {})
        self._direct = not reason
        display.vvv(f"Direct execution of {self._task.action}: {reason or 'yes'}", host=self._play_context.remote_addr)
        result: dict[str, Any] = super().run(tmp, task_vars)
        return result

    def _reason_against(self, task_vars: dict[str, Any]) -> str:
        """Why this task has to run as an ordinary module; empty when it may run here."""
        if not switched_on(self._templar.template(task_vars.get(VARIABLE_SWITCH, True))):
            return "switched off"
        if self._connection.transport != "local":
            return f"connection {self._connection.transport}"
        if self._connection.become:
            return "become"
        if self._task.async_val:
            return "async"
        if self._compute_environment_string().strip():
            return "environment"
        if constants.DEFAULT_KEEP_REMOTE_FILES:
            return "ANSIBLE_KEEP_REMOTE_FILES"
        if str(constants.config.get_config_value("PYTHON_MODULE_RLIMIT_NOFILE", variables=task_vars)) != "0":
            return "ANSIBLE_PYTHON_MODULE_RLIMIT_NOFILE"
        return reason_against_process() or self._reason_against_interpreter(task_vars)

    def _reason_against_interpreter(self, task_vars: dict[str, Any]) -> str:
        delegated = task_vars.get("ansible_delegated_vars") or {}
        variables = delegated.get(self._task.delegate_to, task_vars)
        try:
            interpreter = module_common._get_shebang("/usr/bin/python", variables, self._templar)[1]
        except module_common.InterpreterDiscoveryRequiredError:
            return "the interpreter is to be discovered"
        return "" if is_this_python(interpreter) else f"interpreter {interpreter}"

    def _is_pipelining_enabled(self, *args: Any, **kwargs: Any) -> bool:
        """As with pipelining, no directory for the module's file is made."""
        return self._direct or bool(super()._is_pipelining_enabled(*args, **kwargs))

    def _configure_module(self, module_name: str, module_args: Any, task_vars: Any) -> Any:
        """Name the module and write its arguments, where Ansible packs a file."""
        if not self._direct:
            return super()._configure_module(module_name, module_args, task_vars)
        found = module_loader.find_plugin_with_context(module_name, collection_list=self._task.collections)
        self._module = found.plugin_resolved_name
        self._arguments = json.dumps({"ANSIBLE_MODULE_ARGS": module_args}, **encoding()).encode()
        shebang = f"#!{sys.executable}"
        if _internal is None:
            return "new", shebang, b"", found.plugin_resolved_path
        built = module_common._BuiltModule(
            b_module_data=b"", module_style="new", shebang=shebang, serialization_profile=PROFILE
        )
        return built, found.plugin_resolved_path

    def _low_level_execute_command(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Run the module, where Ansible hands a command to the connection."""
        if not self._direct:
            result: dict[str, Any] = super()._low_level_execute_command(*args, **kwargs)
            return result
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            worker = os.getpid()
            child = os.fork()
            if not child:
                end_with(worker)
                run_module(self._module, self._arguments, self._loader.get_basedir(), output.fileno(), errors.fileno())
            # A timeout of the task interrupts this; the module then ends with this process.
            code = self._wait(child)
            stdout, stderr = (read_text(file) for file in (output, errors))
        if code < 0:  # killed: say so as the shell does
            stderr += f"{signal.strsignal(-code)}\n"
            code = 128 - code
        return {
            "rc": code,
            "stdout": stdout,
            "stdout_lines": stdout.splitlines(),
            "stderr": stderr,
            "stderr_lines": stderr.splitlines(),
        }

    def _wait(self, child: int) -> int:
        """The module's exit code, negative for a signal. Meanwhile: ``_tick``, and whether Ansible is still there.

        Ansible's main process may be killed while this worker waits. Nobody wants the module's result then.
        """
        ansible = os.getppid()
        with ending(child) as has_ended:
            while not has_ended(TICK):
                self._tick()
                if os.getppid() != ansible:
                    os.kill(child, signal.SIGTERM)
        self._tick()
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def _tick(self) -> None:
        """Called each second while the module runs, and when it has ended."""


@contextmanager
def ending(child: int) -> Iterator[Callable[[float], bool]]:
    """Hand out a function that waits some seconds for a child process and tells whether it has ended."""
    if not hasattr(os, "pidfd_open"):  # FreeBSD: look often
        yield lambda seconds: has_ended_within(child, seconds)
        return
    descriptor = os.pidfd_open(child)
    try:
        yield lambda seconds: bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


def has_ended_within(child: int, seconds: float) -> bool:
    """Whether a child ends within some seconds; it stays there to be waited for."""
    until = time.monotonic() + seconds
    while os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if time.monotonic() >= until:
            return False
        time.sleep(LOOK_EVERY)
    return True


def end_with(parent: int) -> None:
    """In a fork: let the system end this process when its parent is killed. Elsewhere than on Linux it cannot."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it was killed before
        os._exit(1)


def preload(action: str) -> None:
    """Import the module of an action plugin, given by the plugin's ``__name__``.

    Ansible imports action plugins before it forks the processes that run tasks, so each of them finds boto3 imported
    and botocore's data read. Nothing here opens a connection or starts a thread, which would not survive the fork.
    """
    if switched_on(True) and not reason_against_process():
        gc.disable()
        with suppress(Exception), kept_compiled():  # the module itself will say what is wrong with it
            importlib.import_module(action.replace(".plugins.action.", ".plugins.modules."))
            importlib.import_module(SESSION).read_ahead()
            gc.freeze()  # else each fork's garbage collection would look at, and so copy, all that was imported
        gc.enable()


def switched_on(variable: Any) -> bool:
    """Whether neither the environment nor the given variable turns direct execution off."""
    switches = os.environ.get(ENVIRONMENT_SWITCH, True), variable
    return all(boolean(switch, strict=False) for switch in switches)


def reason_against_process() -> str:
    """Why a fork of this process differs from a new Python; empty when it does not."""
    if tuple(int(number) for number in __version__.split(".")[:2]) > NEWEST_CORE:
        return f"ansible-core {__version__} is newer than this plugin"
    if not sys.platform.startswith(("linux", "freebsd")):
        return f"a fork is not safe on {sys.platform}"  # system libraries of macOS abort in one
    if sys.flags.isolated or sys.flags.ignore_environment:
        return "Ansible's Python was started with -I or -E"
    if sys.flags.no_user_site and Path(site.getusersitepackages()).is_dir():
        return "Ansible's Python was started with -s"
    return ""


def is_this_python(interpreter: str) -> bool:
    """Whether an interpreter's path leads to the running one: the same file in the same directory.

    The directory counts because a virtual environment's interpreter is a link to one that has other libraries.
    """
    path, here = Path(interpreter), Path(sys.executable)
    with suppress(OSError):
        return path.is_absolute() and path.samefile(here) and path.parent.samefile(here.parent)
    return False


def encoding() -> Mapping[str, Any]:
    """How ansible-core writes a module's arguments: keyword arguments of json.dumps."""
    if _internal is None:
        from ansible.module_utils.common.json import AnsibleJSONEncoder

        return {"cls": AnsibleJSONEncoder, "vault_to_text": True}
    return {"cls": get_module_encoder(PROFILE, Direction.CONTROLLER_TO_MODULE)}


def read_text(file: Any) -> str:
    """What was written to a file, decoded as ansible-core decodes the output of a module."""
    file.seek(0)
    text: str = to_text(file.read(), errors="surrogate_then_replace")
    return text


def run_module(name: str, arguments: bytes, directory: str, output: int, errors: int) -> NoReturn:
    """In the fork: become what a new Python would be, run the module and end the process."""
    code: Any = 1
    try:
        atexit._clear()
        reset_signals()
        streams = redirect_streams(output, errors)  # noqa: F841 what they still hold belongs to the parent
        os.chdir(directory)
        leave_controller()
        gc.set_threshold(GARBAGE)
        with kept_compiled():
            run_as_main(name, arguments)
    except SystemExit as stop:
        code = stop.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
    with suppress(BaseException):
        if isinstance(code, str):
            sys.stderr.write(f"{code}\n")
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


def reset_signals() -> None:
    """Handlers of Ansible's process do not belong to the module's; a signal that is ignored stays ignored."""
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def redirect_streams(output: int, errors: int) -> tuple[Any, Any, Any]:
    """Give the process its own standard streams, for Python and for what it starts. Returns the old ones."""
    old = sys.stdin, sys.stdout, sys.stderr
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (errors, 2)):
        os.dup2(source, target)
    # Ansible changes how its output treats errors, but leaves its input as the interpreter made it.
    encoding, treatment = getattr(sys.__stdin__, "encoding", None), getattr(sys.__stdin__, "errors", None)
    sys.stdin = open(0, encoding=encoding, errors=treatment, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding=encoding, errors=treatment, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding=encoding, errors="backslashreplace", closefd=False)  # noqa: SIM115
    return old


def leave_controller() -> None:
    """Undo what makes ansible-core's module_utils hand warnings and tracebacks to Ansible instead of the result."""
    if _internal is None:
        return
    _internal.is_controller = False
    _internal.import_controller_module = lambda _name: None
    _internal.get_controller_serialize_map = dict
    _traceback._is_traceback_enabled = _traceback._is_module_traceback_enabled


def run_as_main(name: str, arguments: bytes) -> None:
    """Run a module as a script, as the file would that ansible-core packs. Raises SystemExit when it ends well."""
    sys.argv = [name]
    sys.modules.pop(name, None)  # else runpy would warn of the preloaded one
    if _internal is not None:
        _loader.run_module(json_params=arguments, profile=PROFILE, module_fqn=name, modlib_path="", extensions={})
    basic._ANSIBLE_ARGS = arguments
    runpy.run_module(name, {"_module_fqn": name, "_modlib_path": ""}, run_name="__main__", alter_sys=True)
    sys.stdout.write('{"msg": "New-style module did not handle its own exit", "failed": true}\n')
    sys.exit(1)
