# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m benchmarks``: measure, print one table, write it as JSON, draw it and put it into the documentation."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import canned, main_job, report
from benchmarks.measure import ROOT, Table

RESULTS = ROOT / "benchmarks" / "results.json"
PARTS = ("main", "coverage", "inventory")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one run of each, small sizes; documentation untouched")
    parser.add_argument(
        "--only", choices=PARTS, action="append", help="measure this part alone; documentation untouched"
    )
    parser.add_argument("--repetitions", type=int, default=0, metavar="N", help="runs of each (default 5; --quick: 1)")
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the JSON goes")
    return parser.parse_args()


def measure(parts: tuple[str, ...], repetitions: int, quick: bool) -> Table:
    table = Table()
    if "main" in parts:
        main_job.measure(table, repetitions, (0,) if quick else (0, 60))
    if "coverage" in parts:
        canned.measure_coverage(table, repetitions, (100,), 1000)
        if not quick:
            canned.measure_coverage(table, 1, (1000, 10000, 50000), 1000)
            canned.measure_growth(table, 1000, (0, 10, 60, 250))
    if "inventory" in parts:
        canned.measure_inventory(table, repetitions, (100,) if quick else (100, 1000, 10000))
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
    results = {"machine": head, "rows": table.as_json()}
    sys.stdout.write(report.text(results))
    arguments.output.write_text(json.dumps(results, indent=1) + "\n")
    if not arguments.quick and parts == PARTS and arguments.output == RESULTS:
        report.write_documentation(results)


if __name__ == "__main__":
    main()
