# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job, the unit tests and ansible-test sanity with each release of Ansible that is supported.

Sanity takes minutes and has a marker: ``make matrix`` runs it, ``make test`` does not. The lab runs in this
environment, so each virtual environment of the matrix holds what a user has: Ansible, boto3 and the collections.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.inventory import write_inventory
from tests.lab_process import Lab
from tests.packaging.ansible_test import run_ansible_test
from tests.packaging.collection_tree import BIN, CACHE, ROOT, run_tool, tool_environment
from tests.packaging.interpreters import find_interpreter

pytestmark = pytest.mark.full

COLLECTIONS = "ansible>=12,<13"
"""Brings amazon.aws 10.1, the oldest supported, for releases of ansible-core whose own package has an older one."""


@dataclass(frozen=True)
class Cell:
    """One combination: a Python, the packages of the environment, and whether ansible-test sanity runs there."""

    name: str
    python: str
    packages: tuple[str, ...]
    sanity: bool = False

    @property
    def has_collections(self) -> bool:
        return self.packages[0].startswith("ansible>")


CELLS = [
    Cell("oldest", "3.11", ("ansible-core>=2.17,<2.18", "boto3==1.35.0", "botocore==1.35.0"), sanity=True),
    Cell("core 2.18", "3.13", ("ansible-core>=2.18,<2.19", "boto3"), sanity=True),
    Cell("ansible 12, Python 3.11", "3.11", ("ansible>=12,<13", "boto3"), sanity=True),
    Cell("ansible 13, Python 3.12", "3.12", ("ansible>=13,<14", "boto3"), sanity=True),
    Cell("ansible 13, Python 3.13", "3.13", ("ansible>=13,<14", "boto3")),
    Cell("ansible 14, Python 3.12", "3.12", ("ansible>=14,<15", "boto3")),
    Cell("ansible 14, Python 3.13", "3.13", ("ansible>=14,<15", "boto3"), sanity=True),
]
cells = pytest.mark.parametrize("cell", CELLS, ids=[cell.name for cell in CELLS])


def uv(*arguments: str | Path) -> None:
    """Run uv, which makes environments and installs into them within seconds."""
    done = run_tool([BIN / "uv", *arguments], ROOT, dict(os.environ))
    assert done.returncode == 0, done.stdout


def binaries_of(cell: Cell) -> Path:
    """The programs of a cell's virtual environment, which is made first. Skips where the machine lacks the Python."""
    interpreter = find_interpreter(cell.python)
    if interpreter is None:
        pytest.skip(f"{cell.name}: this machine has no Python {cell.python} that works")
    folder = CACHE / "matrix" / cell.name.replace(" ", "-").replace(",", "")
    if not (folder / "bin" / "python").exists():
        uv("venv", "--quiet", "--python", interpreter, folder)
    uv("pip", "install", "--quiet", "--python", folder / "bin" / "python", "pytest", "hypothesis", *cell.packages)
    return folder / "bin"


def collections_of(cell: Cell) -> Path | None:
    """The folder that holds amazon.aws for a cell whose environment has none."""
    if cell.has_collections:
        return None
    folder = CACHE / "matrix" / "collections"
    if not (folder / "ansible_collections").exists():
        uv("pip", "install", "--quiet", "--python", BIN / "python", "--no-deps", "--target", folder, COLLECTIONS)
    return folder


def environment_of(cell: Cell, home: Path) -> tuple[Path, dict[str, str]]:
    """The cell's programs, and the environment in which they find this collection and those that it needs."""
    binaries, collections = binaries_of(cell), collections_of(cell)
    paths = [str(path) for path in (ROOT / ".collections", collections) if path]
    python_path = {"PYTHONPATH": str(collections)} if collections else {}
    more = {"ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(paths), **python_path}
    return binaries, tool_environment(home, binaries, **more)


@cells
def test_unit_tests(cell: Cell, tmp_path: Path) -> None:
    binaries, environment = environment_of(cell, tmp_path)
    done = run_tool(
        [binaries / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/unit"], ROOT, environment
    )
    assert done.returncode == 0, done.stdout


@cells
def test_main_job_twice(cell: Cell, tmp_path: Path) -> None:
    binaries, environment = environment_of(cell, tmp_path)
    with Lab() as lab:
        inventory = write_inventory(tmp_path / "inventory.yml", lab.ready)
        command: list[str | Path] = [binaries / "ansible-playbook", "-i", inventory, "playbooks/enable_org_trail.yml"]
        settings = {**environment, **lab.environment}
        first = run_tool(command, ROOT, settings)
        assert first.returncode == 0, first.stdout
        assert lab.journal(service="cloudtrail", writes=True), first.stdout
        lab.clear_journal()
        second = run_tool(command, ROOT, settings)
        assert second.returncode == 0, second.stdout
        assert lab.journal(writes=True) == []
        trail = lab.client("cloudtrail").get_trail(Name=lab.trail_arn)["Trail"]
    assert (trail["IsOrganizationTrail"], trail["S3BucketName"]) == (True, lab.bucket)


@pytest.mark.sanity
@pytest.mark.parametrize("cell", [one for one in CELLS if one.sanity], ids=[one.name for one in CELLS if one.sanity])
def test_sanity(cell: Cell, tmp_path: Path) -> None:
    binaries, collections = binaries_of(cell), collections_of(cell)
    dependencies = collections / "ansible_collections" if collections else None
    done = run_ansible_test(
        tmp_path,
        *("sanity", "--venv", "--requirements", "--python", cell.python),
        binaries=binaries,
        collections=dependencies,
    )
    assert done.returncode == 0, done.stdout
