# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of the module of the same name: shows the module's progress while it runs.

A module cannot print. It appends lines to a file, and with a local connection this plugin reads them from there.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible.utils.display import Display
from ansible_collections.cloudsec.org_trail.plugins.action._direct import ActionModule as Direct
from ansible_collections.cloudsec.org_trail.plugins.action._direct import preload

preload(__name__)
display = Display()

LOOK_EVERY = 1.0
"""Seconds. The reader sleeps so long before its first look, and holds no lock while Ansible forks for the module."""


class ActionModule(Direct):
    """The module's action, with lines of progress in the play's output."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        arguments = self._task.args
        if self._connection.transport != "local" or self._task.async_val or arguments.get("progress_path"):
            return super().run(tmp, task_vars)
        with tempfile.NamedTemporaryFile(prefix="coverage_") as file, shown(Path(file.name)):
            self._task.args = {**arguments, "progress_path": file.name}
            try:
                return super().run(tmp, task_vars)
            finally:
                self._task.args = arguments


@contextmanager
def shown(path: Path) -> Iterator[None]:
    """Show each line that is appended to a file, as long as the block runs."""
    ended = threading.Event()

    def show() -> None:
        with path.open() as file:
            while not ended.wait(LOOK_EVERY):
                for line in file:
                    display.display(line.rstrip("\n"))

    reader = threading.Thread(target=show, daemon=True)
    reader.start()
    try:
        yield
    finally:
        ended.set()
        reader.join()
