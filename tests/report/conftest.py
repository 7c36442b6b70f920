# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real browser that looks at reports."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.action.coverage_report import render
from ansible_collections.cloudsec.org_trail.plugins.module_utils._report.document import Document, new_document
from ansible_collections.cloudsec.org_trail.plugins.module_utils._report.verdict import judge
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from tests.report.worlds import BUCKET, CHANGES, CHECKED, HOSTILE_NAMES, TRAIL

TEMPLATES = Path(__file__).resolve().parents[2] / "roles" / "coverage" / "templates"
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--window-size=1440,1000",
)


class Browser:
    """Chromium with one report open; ``js`` runs a script in the page and returns its value."""

    def __init__(self, profile: Path) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = str(CHROMIUM)
        for argument in (*ARGUMENTS, f"--user-data-dir={profile}"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))

    def open(self, path: Path) -> None:
        self.driver.get_log("browser")  # type: ignore[no-untyped-call, unused-ignore]
        self.driver.get(path.as_uri())

    def js(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)  # type: ignore[no-untyped-call, unused-ignore]

    def cdp(self, command: str, **parameters: Any) -> Any:
        return self.driver.execute_cdp_cmd(command, parameters)

    def theme(self, name: str) -> None:
        """light or dark; without smooth scrolling, which a test would have to wait for."""
        wanted = {"prefers-color-scheme": name, "prefers-reduced-motion": "reduce"}
        features = [{"name": feature, "value": value} for feature, value in wanted.items()]
        self.cdp("Emulation.setEmulatedMedia", features=features)

    def complaints(self) -> list[str]:
        """What the browser wrote to its console: errors, refused resources, policy violations."""
        log = self.driver.get_log("browser")  # type: ignore[no-untyped-call, unused-ignore]
        return [entry["message"] for entry in log]


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if not CHROMIUM or not DRIVER:
        pytest.skip("needs Debian's packages chromium and chromium-driver (apt-get install chromium chromium-driver)")
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.driver.quit()


@pytest.fixture(autouse=True)
def fresh(browser: Browser) -> None:
    browser.theme("light")


def own_trails(found: dict[str, Any]) -> dict[str, Any]:
    """Trails of the first members, as cloudtrail_member_trails_info finds them; their names are not ours."""
    trails = [
        {
            "account_id": account["id"],
            "arn": f"arn:aws:cloudtrail:us-east-1:{account['id']}:trail/team",
            "redundant": not number,
            "second_copy": True,
            "is_logging": True,
            "keeps": [{"kind": "topic", "text": f"notifications to {name}"}] if number else [],
            "owner": {"kind": "stack_set", "name": name},
            "monthly_events": 100_000,
            "monthly_usd": 2.0,
        }
        for number, (account, name) in enumerate(zip(found["accounts"], HOSTILE_NAMES, strict=False))
    ]
    owner = {"arn": TRAIL["arn"]}
    return {"organization_trail": owner, "member_trails": trails, "unread": [], "summary": {}}


def proved(found: dict[str, Any]) -> dict[str, Any]:
    """The fact of the role guardrails, by which the first members answered in every way; AWS's text is not ours."""
    kinds = {"bound": "bound", "denied": "bound_by_other", "not_bound": "not_bound", "unknown": "unknown"}
    summary: dict[str, list[str]] = {kind: [] for kind in kinds}
    proof = []
    for account, (kind, status), text in zip(found["accounts"], kinds.items(), HOSTILE_NAMES, strict=False):
        summary[kind].append(account["id"])
        call = {"statement": "OrgTrailKeepTrail", "action": "cloudtrail:StopLogging", "status": status}
        proof.append({"account_id": account["id"], **call, "policy_arn": text, "reason": text})
    policies = [{"name": "org-trail-members"}]
    return {"policies": policies, "proof": proof, "summary": summary, "outside": found["accounts"][-1:]}


def write_page(path: Path, found: dict[str, Any], **options: Any) -> Document:
    """Write the report about ``found`` to a file; the document it shows."""
    document = new_document(
        found,
        CHECKED,
        trail=TRAIL,
        log_bucket=BUCKET,
        changes=CHANGES,
        member_trails=own_trails(found),
        guardrails=proved(found),
    )
    path.write_text(render(document, judge(document, **options), TEMPLATES), encoding="utf-8")
    return document


def axe_source() -> str:
    """The accessibility checker axe-core, as the package axe-core-python carries it."""
    package = pytest.importorskip("axe_core_python", reason="needs the package axe-core-python")
    return (Path(package.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
