# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the packages of module_utils, their tests and the lab may import, and that each file has its test file."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.unit.documented import ROOT

GROUND = {"_aws", "_policy", "_work"}
MIDDLE = {"_organization", "_drift"}
MAY_IMPORT: dict[str, set[str]] = {
    "_report": {"_coverage", *MIDDLE, *GROUND},
    "_trail": MIDDLE | GROUND,
    "_bucket": MIDDLE | GROUND,
    "_coverage": MIDDLE | GROUND,
    "_guardrails": MIDDLE | GROUND,
    "_member_trails": MIDDLE | GROUND,
    "_watch": MIDDLE | GROUND,
    **dict.fromkeys(MIDDLE, GROUND),
    **{package: set() for package in GROUND},
}
HOUSE = ROOT / "plugins" / "module_utils"
TESTS = ROOT / "tests" / "unit" / "plugins" / "module_utils"
FILES = [path for path in sorted(HOUSE.rglob("*.py")) if path.stem != "__init__"]


def imported(path: Path) -> set[str]:
    """The packages that a file imports from; a sibling file is of its own."""
    text = path.read_text(encoding="utf-8")
    return set(re.findall(r"^\s*from \.\.(\w+)", text, re.M)) | set(re.findall(r"org_trail\.plugins\.(\w+)", text))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_imports_lead_down(path: Path) -> None:
    assert imported(path) <= MAY_IMPORT[path.parent.name]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_an_alias_of_types_is_quoted_where_it_has_an_or(path: Path) -> None:
    """ansible-test refuses the others minutes later: it judges module_utils as an older Python would."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    values = [one.value for one in body if isinstance(one, ast.Assign)]
    ors = [node for value in values for node in ast.walk(value) if isinstance(node, ast.BinOp)]
    assert [ast.unparse(node) for node in ors if isinstance(node.op, ast.BitOr) and "None" in ast.unparse(node)] == []


def test_each_init_is_empty() -> None:
    """ansible-core 2.17's sanity wants that, and tells it minutes later."""
    assert [path for path in HOUSE.rglob("__init__.py") if path.read_text(encoding="utf-8")] == []


def test_each_file_has_its_test_file() -> None:
    untyped = HOUSE / "_aws" / "untyped.py"  # names for types
    lacking = [path for path in FILES if not (TESTS / path.parent.name / f"test_{path.name}").exists()]
    assert lacking == [untyped]


@pytest.mark.parametrize("path", sorted((ROOT / "tests" / "unit").rglob("*.py")), ids=lambda path: path.stem)
def test_the_unit_tests_need_neither_moto_nor_the_lab(path: Path) -> None:
    """The environments of the supported releases have Ansible and boto3 only, and tell it half an hour later."""
    assert re.findall(r"^\s*(?:from|import) (?:moto|lab)\b", path.read_text(encoding="utf-8"), re.M) == []


LAB = ROOT / "lab"
KNOW_ALL = ("control", "server", "world")
"""They bring the services together: what tests may ask for, where answers are found, what is remembered."""


@pytest.mark.parametrize("path", sorted((LAB / "kernel").glob("*.py")), ids=lambda path: path.stem)
def test_the_labs_kernel_knows_no_service(path: Path) -> None:
    if path.stem not in KNOW_ALL:
        assert "lab.services" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted((LAB / "services").rglob("*.py")), ids=lambda path: str(path.relative_to(LAB)))
def test_a_service_of_the_lab_knows_no_server(path: Path) -> None:
    assert not re.search(r"lab\.(kernel\.(server|control)|scenarios|demo)\b", path.read_text(encoding="utf-8"))
