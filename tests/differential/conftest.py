# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""iam-simulate (npm, AGPL: a process of its own, never vendored), for the tests that compare our decisions with its."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.node_packages import install_packages

HERE = Path(__file__).parent

Case = dict[str, Any]


@pytest.fixture(scope="session")
def their_answers() -> Callable[[list[Case]], list[str]]:
    """Install iam-simulate where needed, and hand out a function that asks it."""
    install_packages(HERE)

    def ask(cases: list[Case]) -> list[str]:
        done = subprocess.run(
            ["node", "simulate.mjs"], cwd=HERE, input=json.dumps(cases), capture_output=True, text=True, check=True
        )
        answers: list[str] = json.loads(done.stdout)
        return [NAMES.get(answer, answer) for answer in answers]

    return ask


NAMES = {"Allowed": "Allow", "ExplicitlyDenied": "Deny", "ImplicitlyDenied": "ImplicitDeny"}
