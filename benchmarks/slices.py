# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An organization's coverage in slices of its inventory: each slice, the merge, and the page that comes of it."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

from benchmarks.canned import Canned
from benchmarks.canned_server import MANAGEMENT, REGIONS, TRAIL_ARN
from benchmarks.main_job import PLAYBOOK
from benchmarks.measure import ROOT, Table, run
from tests.report.conftest import CHROMIUM, DRIVER, Browser

SECTION = "Coverage in slices"
SLICES = 5
FILTER = """
const start = performance.now(), field = document.getElementById("text");
field.value = arguments[0];
field.dispatchEvent(new Event("input", {bubbles: true}));
document.body.offsetHeight;
return (performance.now() - start) / 1000;
"""


def measure_slices(table: Table, sizes: tuple[int, ...]) -> None:
    """Five slices after one another, their merge and report, and how the page opens and filters in Chromium."""
    for accounts in sizes:
        case = f"{accounts:,} accounts x {len(REGIONS)} regions"
        with Canned(accounts) as server, tempfile.TemporaryDirectory() as folder:
            home = Path(folder)
            variables = {
                "coverage_trail_arn": TRAIL_ARN,
                "coverage_regions": list(REGIONS),
                "coverage_report_dir": str(home / "report"),
                "coverage_expected_parts": SLICES,
            }
            given = ["-e", json.dumps(variables)]
            for number in range(SLICES):
                inventory = home / f"slice{number}.json"
                inventory.write_text(inventory_of(range(1 + number, accounts, SLICES)))
                server.counts("DELETE")
                command = [PLAYBOOK, str(ROOT / "playbooks" / "coverage_slice.yml"), "-i", str(inventory), *given]
                sample = run(command, server.environment(folder))
                table.add(SECTION, case, f"each of {SLICES} slices", sample, server.counts()[0].total())
            merge = [PLAYBOOK, str(ROOT / "playbooks" / "coverage_merge.yml"), "-i", "localhost,", *given]
            table.add(SECTION, case, "their merge, with the report", run(merge, server.environment(folder)), 0)
            document = json.loads((home / "report" / "coverage.json").read_text())
            assert len(document["accounts"]) == accounts - 1, f"{len(document['accounts'])} accounts in the report"
            table.row(SECTION, case, "the report's page").note = look_at(home / "report" / "coverage.html", home)


def inventory_of(numbers: range) -> str:
    """The hosts of some member accounts, as the inventory plugin gives them."""
    hosts = {
        str(MANAGEMENT + number): {
            "account_id": str(MANAGEMENT + number),
            "account_name": f"Account {number}",
            "account_state": "ACTIVE",
            "assume_role_arn": f"arn:aws:iam::{MANAGEMENT + number}:role/OrganizationAccountAccessRole",
        }
        for number in numbers
    }
    local = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    return json.dumps({"all": {"vars": local, "hosts": hosts}})


def look_at(page: Path, profile: Path) -> str:
    """The page's size, and the seconds until it is open and until it is filtered to one account."""
    size = f"{page.stat().st_size / 2**20:.1f} MiB"
    if not CHROMIUM or not DRIVER:
        return f"{size}; there is no Chromium here"
    browser = Browser(profile / "browser")
    try:
        start = time.perf_counter()
        browser.open(page)
        opened = time.perf_counter() - start
        filtered = browser.js(FILTER, str(MANAGEMENT + 1))
    finally:
        browser.driver.quit()
    return f"{size}, open after {opened:.1f} s, filtered after {filtered:.2f} s"
