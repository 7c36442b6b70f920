# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines about a long run."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._work.progress import EVERY, Progress, line


@pytest.mark.parametrize(
    ("done", "seconds", "words"),
    [
        (0, 5, "coverage: 0 of 1000 accounts' regions, 0 per second"),
        (100, 10, "coverage: 100 of 1000 accounts' regions, 10 per second, about 90 s left"),
        (100, 100, "coverage: 100 of 1000 accounts' regions, 1 per second, about 15 min left"),
    ],
)
def test_line(done: int, seconds: float, words: str) -> None:
    assert line("coverage", done, 1000, seconds) == words


def test_progress_writes_a_line_every_few_seconds(tmp_path: Path) -> None:
    path, now = tmp_path / "progress", [0.0]
    progress = Progress(str(path), "coverage", 10, lambda: 5, lambda: now[0])
    for second in range(12):
        now[0] = float(second)
        progress.tick()
    assert len(path.read_text().splitlines()) == 11 // EVERY


def test_progress_without_path_writes_nothing(tmp_path: Path) -> None:
    Progress(None, "coverage", 10, lambda: 5, lambda: 1000.0).tick()
    assert list(tmp_path.iterdir()) == []


def test_progress_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    Progress(str(tmp_path / "missing" / "progress"), "coverage", 10, lambda: 5).say("half")
    assert list(tmp_path.iterdir()) == []
