# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guides and READMEs tell to type exists: variables, playbooks, YAML that can be read."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest
import yaml

from tests.playbook_pages import ORDER, PAGE, REQUIRED, literals, page, read_head
from tests.unit.documented import COLLECTION, MODULES, ROLES, ROOT, load_yaml, role_specs

GUIDES = sorted((ROOT / "docs" / "docsite" / "rst").glob("*.rst"))
PAGES = [
    *GUIDES,
    ROOT / "README.md",
    ROOT / "docs" / "iam" / "README.md",
    *sorted((ROOT / "roles").glob("*/README.md")),
]
names = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))

PLAYBOOKS = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "playbooks").glob("*.yml")}
INPUTS = {name for role in ROLES for spec in role_specs(role).values() for name in spec["options"]}
VARIABLE = re.compile(rf"\b(?:{'|'.join([*ROLES, *PLAYBOOKS])})_[a-z]\w*")
RST_BLOCK = re.compile(r"^( *)\.\. code-block:: yaml\n\n((?:\1 +.*\n|\n)+)", re.M)
MARKDOWN_BLOCK = re.compile(r"^( *)```yaml\n(.*?)^ *```", re.M | re.S)


def yaml_blocks(page: Path) -> list[str]:
    """The YAML that a page shows."""
    pattern = RST_BLOCK if page.suffix == ".rst" else MARKDOWN_BLOCK
    return [textwrap.dedent(block) for _indent, block in pattern.findall(page.read_text(encoding="utf-8"))]


@names
def test_variables_exist(page: Path) -> None:
    named = set(VARIABLE.findall(page.read_text(encoding="utf-8"))) - {*MODULES, *ROLES, *PLAYBOOKS}
    assert {one for one in named - INPUTS if not any(one in text for text in PLAYBOOKS.values())} == set()


@names
def test_playbooks_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(rf"ansible-playbook .*{re.escape(COLLECTION)}\.(\w+)", text))
    assert named <= set(PLAYBOOKS)
    files = set(re.findall(r"\bplaybooks/[\w/]+\.yml", text))
    assert [name for name in files if not (ROOT / name).is_file()] == []


@names
def test_yaml_can_be_read(page: Path) -> None:
    for block in yaml_blocks(page):
        assert yaml.safe_load(block), block


def test_yaml_is_found_in_both_forms() -> None:
    assert len(yaml_blocks(ROOT / "docs" / "docsite" / "rst" / "start.rst")) == 1
    assert len(yaml_blocks(ROOT / "README.md")) == 4


def test_every_guide_is_listed() -> None:
    listed = [
        name
        for section in load_yaml(ROOT / "docs" / "docsite" / "extra-docs.yml")["sections"]
        for name in section["toctree"]
    ]
    assert sorted(listed) == [guide.stem for guide in GUIDES]


@pytest.mark.parametrize("name", ORDER)
def test_a_playbooks_head_names_its_variables(name: str) -> None:
    """What its text reads under a playbook's prefix and is no role's input, with the default that stands there."""
    head = read_head(PLAYBOOKS[name])
    code = "\n".join(line for line in PLAYBOOKS[name].splitlines() if not line.startswith("#"))
    prefixes = "|".join([*PLAYBOOKS, "coverage", "organization_trail"])
    used = set(re.findall(rf"(?<![\w.])(?:{prefixes})_\w+(?= \||\) \|| is| \}}\}})", code)) - INPUTS
    assert used == {one.name for one in head.variables}
    for one in head.variables:
        written = f"{one.name} | default({one.default})" in code or f"{one.name} | default('{one.default}')" in code
        assert written or one.default == REQUIRED
    assert head.fails


def test_the_page_of_the_playbooks_is_written_anew() -> None:
    assert page() == PAGE.read_text(encoding="utf-8"), "Run python -m tests.playbook_pages."
    assert set(ORDER) == set(PLAYBOOKS)


def test_markup_becomes_literals() -> None:
    assert literals("Set O(ignore:a_b) or P(cloudsec.org_trail.coverage#role), V(true) as in x_y.") == (
        "Set ``a_b`` or ``cloudsec.org_trail.coverage``, ``true`` as in ``x_y``."
    )
