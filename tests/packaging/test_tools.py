# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tools that others judge a collection with find nothing to say."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.packaging.collection_tree import (
    BIN,
    ROOT,
    copy_collection,
    run_tool,
    tool_environment,
)
from tests.packaging.importer import judge
from tests.unit.documented import COLLECTION, MODULES, ROLES

LINTERS = {
    "antsibull-docs": ["antsibull-docs", "lint-collection-docs", "--plugin-docs", "."],
    "antsibull-changelog": ["antsibull-changelog", "lint"],
    "reuse": ["reuse", "lint"],
}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return tool_environment(tmp_path_factory.mktemp("home"), ANSIBLE_COLLECTIONS_PATH=str(ROOT / ".collections"))


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.full if name == "antsibull-docs" else ()) for name in LINTERS]
)
def test_linter(name: str, environment: dict[str, str]) -> None:
    program, *arguments = LINTERS[name]
    # antsibull-docs copies the dependencies, and of a folder in a git work tree only what git tracks: of .venv nothing.
    outside_git = {"GIT_CEILING_DIRECTORIES": str(ROOT / ".venv")}
    done = run_tool([BIN / program, *arguments], ROOT, environment | outside_git)
    assert done.returncode == 0, done.stdout


@pytest.mark.full
def test_galaxy_importer(tarball: Path, tmp_path: Path) -> None:
    complaints, output = judge(tarball, tmp_path)
    assert complaints == [], output


@pytest.mark.full
def test_galaxy_importer_reads_every_part(tarball: Path, environment: dict[str, str], tmp_path: Path) -> None:
    """A documentation that ansible-doc cannot read is only logged by the importer; here it would be missing."""
    shutil.copy2(tarball, tmp_path)
    code = (
        "import json, logging, sys; from galaxy_importer import collection, config, schema\n"
        "settings = config.Config(config_data=config.ConfigFile.load())\n"
        "with open(sys.argv[1], 'rb') as file:\n"
        "    data = collection.import_collection(file, cfg=settings)\n"
        "print('DOCS', json.dumps(data['docs_blob']['contents']))\n"
    )
    done = run_tool([BIN / "python", "-c", code, tmp_path / tarball.name], tmp_path, environment)
    contents = json.loads(done.stdout.split("DOCS ", 1)[1])
    documented = {one["content_name"] for one in contents if one["content_type"] == "module" and one["doc_strings"]}
    assert documented == set(MODULES)
    assert {one["content_name"] for one in contents if one["content_type"] == "role"} == set(ROLES)


def test_ansible_builder_takes_the_sample(environment: dict[str, str], tmp_path: Path) -> None:
    sample = ROOT / "execution-environment.yml"
    done = run_tool([BIN / "ansible-builder", "create", "--file", sample, "--context", tmp_path], ROOT, environment)
    assert done.returncode == 0, done.stdout
    asked = yaml.safe_load((tmp_path / "_build" / "requirements.yml").read_text())["collections"]
    assert {one["name"] for one in asked} == {COLLECTION, "amazon.aws", "community.aws"}


def test_ansible_builder_introspect(environment: dict[str, str], tmp_path: Path) -> None:
    others = tmp_path / "others"
    others.mkdir()
    copy_collection(tmp_path / "tree", others)
    done = subprocess.run(
        [BIN / "ansible-builder", "introspect", tmp_path / "tree"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    source = f"# from collection {COLLECTION}"
    assert yaml.safe_load(done.stdout) == {
        "python": [f"boto3>=1.35.0  {source}", f"botocore>=1.35.0  {source}"],
        "system": [],
    }
