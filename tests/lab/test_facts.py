# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each fact of docs/aws-facts.md has a test of the lab that carries its number, and each option both answers."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from lab.kernel.options import Options
from tests.lab_process import ROOT

TESTS = "\n".join(path.read_text() for path in sorted(Path(__file__).parent.glob("test_*.py")))


def facts() -> set[str]:
    """Numbers of all facts: those of tables and lists, and the sections that are one fact."""
    text = (ROOT / "docs" / "aws-facts.md").read_text()
    numbered = set(re.findall(r"^(?:\| |- )(\d+\.\d+) ", text, re.MULTILINE))
    sections = set(re.findall(r"^## (\d+)\.", text, re.MULTILINE))
    return numbered | {section for section in sections if not any(one.startswith(f"{section}.") for one in numbered)}


def test_every_fact_has_a_test_of_its_number() -> None:
    tested = {
        f"{section}.{number}" if number else section
        for section, number in re.findall(r"^def test_(?:fact|section)_(\d+)(?:_(\d+))?_", TESTS, re.MULTILINE)
    }
    assert {"1.1", "3.7", "5", "9.1"} <= facts()
    assert sorted(facts() - tested) == []
    assert sorted(tested - facts()) == []


def test_every_option_is_tried() -> None:
    """What nobody has verified is an option (the ? facts); tests choose another answer than the default."""
    options = [field.name for field in fields(Options)]
    assert [name for name in options if not re.search(rf'"{name}"|\b{name}=', TESTS)] == []
