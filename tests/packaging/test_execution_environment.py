# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The execution environment, built for real, and runs of playbooks inside it by podman and by ansible-navigator."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path

import pytest
import yaml

from lab.inventory import write_inventory
from tests.lab_process import Lab
from tests.packaging.collection_tree import BIN, ROOT, installed_collections
from tests.packaging.container import block, blocks, build, run
from tests.packaging.local_galaxy import pack

pytestmark = pytest.mark.scale


@pytest.fixture(scope="module")
def environment(debian: dict[str, str], tarball: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment in which podman knows the image, which is built from the sample."""
    folder = tmp_path_factory.mktemp("image")
    installed = installed_collections(BIN)
    files = [tarball, *(pack(installed / name / "aws", folder) for name in ("amazon", "community"))]
    build(ROOT / "execution-environment.yml", "org-trail", files, debian, folder)
    return debian


def last_lines(output: str, about: str) -> list[str]:
    """The three lines at the end of a run."""
    return re.findall(r'^ +"((?:Changed|Drifted|Coverage|Report): .*?)",?$', output, re.MULTILINE)[-3:] or [about]


def test_three_runs_as_another_user(environment: dict[str, str], tmp_path: Path) -> None:
    """The guide's podman command; the report's path is the reader's own."""
    tmp_path.chmod(0o777)
    with Lab("--enforce-iam") as lab:
        write_inventory(tmp_path / "inventory.yml", lab.ready)

        def play(name: str) -> list[str]:
            words = shlex.split(block("podman run").replace("$PWD", str(tmp_path)))
            words = [name if word.startswith("cloudsec.") else word for word in words]
            words.insert(2, "--network=host")
            return last_lines(run(words, environment | lab.environment, tmp_path), name)

        first, again, drift = (
            play(f"cloudsec.org_trail.{name}") for name in ("enable_org_trail",) * 2 + ("detect_drift",)
        )
        assert first[0].startswith("Changed: trusted access of cloudtrail.amazonaws.com: off → on; ")
        assert again == [
            "Changed: nothing",
            "Coverage: 85 of 85 account regions in 5 accounts log to the organization trail.",
            f"Report: {tmp_path}/report/coverage.html",
        ]
        assert drift[0].startswith("Drifted: nothing; ")
        assert drift[2] == f"Report: {tmp_path}/drift/drift.json"
        assert (tmp_path / "report" / "coverage.html").stat().st_uid == 1000
        assert (tmp_path / "drift" / "drift.json").is_file()


@pytest.mark.parametrize("keys", ["environment", "profile"])
def test_ansible_navigator_takes_the_sample(environment: dict[str, str], tmp_path: Path, keys: str) -> None:
    """With keys in the environment and no ~/.aws, and with a profile's files in it."""
    if not Path("/dev/mqueue").is_dir():
        pytest.skip("needs /dev/mqueue, as ansible-navigator does with podman")
    navigator, home = tmp_path / "navigator", tmp_path / "home"
    home.mkdir()
    tools = os.environ | {"UV_PYTHON": sys.executable}
    run([str(BIN / "uv"), "venv", "--quiet", str(navigator)], tools)
    python = str(navigator / "bin" / "python")
    run([str(BIN / "uv"), "pip", "install", "--quiet", "--python", python, "ansible-navigator"], tools)
    settings = yaml.safe_load((ROOT / "ansible-navigator.yml").read_text(encoding="utf-8"))
    image = settings["ansible-navigator"]["execution-environment"]
    image["environment-variables"]["pass"].append("AWS_ENDPOINT_URL")
    image |= {"container-engine": "podman", "container-options": ["--net=host"]}
    (tmp_path / "ansible-navigator.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    with Lab("--enforce-iam") as lab:
        write_inventory(tmp_path / "inventory.yml", lab.ready)
        names = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"}
        given = {name: lab.environment[name] for name in names}
        command = next(one for one in blocks() if "navigator run" in one and ("--eev" in one) is (keys == "profile"))
        if keys == "profile":
            (home / ".aws").mkdir()
            secrets = "".join(f"{name.lower()} = {given.pop(name)}\n" for name in sorted(names - {"AWS_ENDPOINT_URL"}))
            (home / ".aws" / "credentials").write_text(f"[management]\n{secrets}", encoding="utf-8")
            given["AWS_PROFILE"] = "management"
        words = shlex.split(command.replace("~", str(home)))
        own = {"HOME": str(home), "PATH": f"{navigator / 'bin'}:{environment['PATH']}", **given}
        output = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", run(words, environment | own, tmp_path))
    assert last_lines(output, output)[1:] == [
        "Coverage: 85 of 85 account regions in 5 accounts log to the organization trail.",
        f"Report: {tmp_path}/report/coverage.html",
    ]
    assert (tmp_path / "report" / "coverage.html").is_file()
