# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a command and see what it took; gather that over repetitions."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Sample:
    """What one run of a command took, with all processes it started and waited for."""

    seconds: float
    cpu_seconds: float
    memory_mib: float
    """The most of all its processes at a time; what they share counts once."""
    stdout: str


def run(command: Sequence[str], environment: Mapping[str, str]) -> Sample:
    """Run a command in the project's folder. Raises RuntimeError, with its output, when it fails."""
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        memory = Memory(process.pid)
        memory.start()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        memory.ended.set()
        memory.join()
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode(errors="replace")
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)[:200]} ended with {process.returncode}:\n{text[-4000:]}")
    return Sample(seconds, usage.ru_utime + usage.ru_stime, memory.most / 2**20, text)


class Memory(threading.Thread):
    """Looks five times a second how much memory a process and all that it started have; ``most`` in bytes."""

    EVERY = 0.2

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.most = 0
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.wait(self.EVERY):
            self.most = max(self.most, sum(map(proportional_set, family(self.pid))))


def family(pid: int) -> list[int]:
    """The process and its descendants."""
    children = Path(f"/proc/{pid}/task")
    found = [pid]
    with suppress(OSError):
        for task in children.iterdir():
            for child in (task / "children").read_text().split():
                found += family(int(child))
    return found


def proportional_set(pid: int) -> int:
    """Bytes of a process's memory, of shared pages its part."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


@dataclass
class Row:
    """One line of the table: a contender in a case of a section."""

    section: str
    case: str
    contender: str
    samples: list[Sample] = field(default_factory=list)
    calls: int | None = None
    note: str = ""

    @property
    def seconds(self) -> float:
        """Median."""
        return statistics.median(sample.seconds for sample in self.samples)

    def as_json(self) -> dict[str, Any]:
        head = {"section": self.section, "case": self.case, "contender": self.contender, "note": self.note}
        if not self.samples:
            return head
        times = [sample.seconds for sample in self.samples]
        return {
            **head,
            "runs": len(times),
            "seconds": round(self.seconds, 3),
            "fastest": round(min(times), 3),
            "slowest": round(max(times), 3),
            "cpu_seconds": round(statistics.median(sample.cpu_seconds for sample in self.samples), 3),
            "memory_mib": round(max(sample.memory_mib for sample in self.samples), 1),
            "calls": self.calls,
        }


class Table:
    """Rows by section, case and contender, in the order in which they came."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str, str], Row] = {}

    def row(self, section: str, case: str, contender: str) -> Row:
        return self.rows.setdefault((section, case, contender), Row(section, case, contender))

    def add(self, section: str, case: str, contender: str, sample: Sample, calls: int | None = None) -> None:
        row = self.row(section, case, contender)
        row.samples.append(sample)
        row.calls = calls if calls is not None else row.calls

    def as_json(self) -> list[dict[str, Any]]:
        return [row.as_json() for row in self.rows.values()]
