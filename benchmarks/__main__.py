# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m benchmarks``: measure, print one table, write it as JSON, draw it and put it into the documentation.

With ``--only`` a part is measured anew, and the rest stays as it was.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import platform
import sys
import sysconfig
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import canned, main_job, report, slices
from benchmarks.measure import ROOT, Table

RESULTS = ROOT / "benchmarks" / "results.json"
PARTS = ("main", "coverage", "growth", "slices", "inventory")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one run of each, small sizes; documentation untouched")
    parser.add_argument(
        "--only", choices=PARTS, action="append", help="measure this part alone; the others stay as they were"
    )
    parser.add_argument("--repetitions", type=int, default=0, metavar="N", help="runs of each (default 5; --quick: 1)")
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the JSON goes")
    return parser.parse_args()


def measure(parts: tuple[str, ...], repetitions: int, quick: bool) -> Table:
    # As pip leaves them; without, a run compiles hundreds of files of Ansible and boto3 each time.
    compileall.compile_dir(sysconfig.get_path("purelib"), quiet=2, workers=0)
    table = Table()
    if "main" in parts:
        main_job.measure(table, repetitions, (0,) if quick else (0, 60))
    if "coverage" in parts:
        canned.measure_coverage(table, repetitions, (100,))
        if not quick:
            canned.measure_coverage(table, 1, (1000, 10000, 50000))
    if "growth" in parts:
        canned.measure_growth(table, 100 if quick else 1000, (0,) if quick else (0, 10, 60, 250))
        if not quick:  # where starting and reporting no longer count
            canned.measure_growth(table, 10000, (0,), (512,))
    if "slices" in parts:
        slices.measure_slices(table, (100,) if quick else (10000, 50000))
    if "inventory" in parts:
        canned.measure_inventory(table, repetitions, (100,) if quick else (100, 1000, 10000))
        if not quick:
            canned.measure_inventory(table, 1, (50000,))
    return table


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    packages = ("ansible-core", "boto3", "awscli")
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
        **{name: version(name) for name in packages},
    }


def main() -> None:
    arguments = parse_arguments()
    parts = tuple(arguments.only or PARTS)
    head = machine()
    table = measure(parts, arguments.repetitions or (1 if arguments.quick else 5), arguments.quick)
    rows = [row | {"date": head["date"]} for row in table.as_json()]
    sys.stdout.write(report.text({"machine": head, "rows": rows}))
    is_kept = not arguments.quick and arguments.output == RESULTS
    results = {"machine": head, "rows": with_others(rows, json.loads(RESULTS.read_text())["rows"]) if is_kept else rows}
    arguments.output.write_text(json.dumps(results, indent=1) + "\n")
    if is_kept:
        report.write_documentation(results)


def with_others(rows: list[dict[str, Any]], old: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows, and those of sections that were not measured; the main job first and the inventory last, as before."""
    measured = {row["section"] for row in rows}
    kept = [row for row in old if row["section"] not in measured]
    order = ("Main job", canned.COVERAGE, canned.GROWTH, slices.SECTION, canned.INVENTORY)

    def place(row: dict[str, Any]) -> int:
        return max(number for number, name in enumerate(order) if row["section"].startswith(name))

    return sorted([*kept, *rows], key=place)


if __name__ == "__main__":
    main()
