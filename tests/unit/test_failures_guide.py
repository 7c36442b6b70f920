# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide "When it fails" has every message: who adds one documents its cause and remedy there."""

from __future__ import annotations

import re

from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws import errors
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.remedies import REMEDIES
from ansible_collections.cloudsec.org_trail.plugins.module_utils._coverage.statuses import STATUSES
from ansible_collections.cloudsec.org_trail.plugins.module_utils._trail.options import DEFAULT_ACTIONS

from tests.unit.documented import ROOT
from tests.unit.messages import arguments, messages

GUIDE = re.sub(r"\s+", " ", (ROOT / "docs" / "docsite" / "rst" / "failures.rst").read_text(encoding="utf-8"))
UTILS = "plugins/module_utils"
LITERALS = set(re.findall(r"``(.+?)``", GUIDE))


def test_messages_are_found_at_all() -> None:
    samples = {
        "The name … belongs to … trails": "plugins/module_utils/_trail/refusals.py",
        "The inventory's groups management and log_archive hold … and … hosts": f"{UTILS}/_work/inventory.py",
        "Set revert_org_trail_bucket to a bucket of the management account": "playbooks/revert_org_trail.yml",
    }
    assert samples.items() <= messages().items()


def test_the_guide_quotes_every_message() -> None:
    missing = [f"{file}: {text}" for text, file in messages().items() if text not in GUIDE]
    assert missing == [], "Document these in docs/docsite/rst/failures.rst, with cause and remedy"


def test_the_guide_names_every_code_that_has_a_remedy() -> None:
    assert {*REMEDIES, *errors.DENIED, *errors.BAD_KEYS, *errors.OLD_KEYS} <= LITERALS


def test_the_guide_tells_every_problem_and_what_is_done_about_it() -> None:
    rows = re.findall(r"\* - ``(\w+)`` - (fail|warn|ignore) - ``(.+?)`` - ", GUIDE)
    assert {name: action for name, action, _expected in rows} == DEFAULT_ACTIONS
    judges = ("_trail/problems.py", "_trail/policies.py")
    expected = dict(zip(arguments("Problem", 0, *judges), arguments("Problem", 4, *judges), strict=True))
    assert {name: text for name, _action, text in rows} == expected


def test_the_guide_tells_every_status_and_every_setting_of_a_bucket() -> None:
    assert set(STATUSES) <= LITERALS
    judges = ("forwarding", "health", "lifecycle", "reach")
    settings = set(arguments("Weakness", 0, *(f"_bucket/{name}.py" for name in judges)))
    assert len(settings) == 16
    assert settings <= LITERALS
