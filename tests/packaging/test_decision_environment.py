# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The decision environment, built for real: the rulebook inside it repairs what an event tells of."""

from __future__ import annotations

import shlex
import subprocess
import time
from pathlib import Path

import pytest

from tests.lab_process import Lab
from tests.packaging.collection_tree import BIN, CACHE, ROOT
from tests.packaging.container import build, run
from tests.packaging.local_galaxy import pack
from tests.watching import WINDOW, comes_true, make_senders, watch, write_watched_inventory

pytestmark = pytest.mark.scale

FOLDER = ROOT / "extensions" / "eda"


@pytest.fixture(scope="module")
def environment(debian: dict[str, str], tarball: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment in which podman knows the image, which is built from the sample."""
    folder = tmp_path_factory.mktemp("image")
    files = [tarball, *(pack(newest_collections() / name / "aws", folder) for name in ("amazon", "community"))]
    build(FOLDER / "decision-environment.yml", "org-trail-decision", files, debian, folder)
    return debian


def newest_collections() -> Path:
    """The folder of the collections that ``requirements.yml`` wants, which the PyPI package ansible brings."""
    target = CACHE / "newest-collections"
    if not (target / "ansible_collections").is_dir():
        wanted = ("--python-version", "3.12", "--no-deps", "--target", str(target), "ansible>=14")
        subprocess.run([str(BIN / "uv"), "pip", "install", "--quiet", *wanted], check=True)
    return target / "ansible_collections"


def command() -> list[str]:
    """The README's command with the settings before it."""
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    example = next(one for one in text.split("```") if "ansible-rulebook --" in one)
    return shlex.split(example.removeprefix("sh").replace("\\\n", " "))


def test_the_rulebook_repairs_as_another_user(environment: dict[str, str], tmp_path: Path) -> None:
    """At its start, and when an event tells of it."""
    tmp_path.chmod(0o777)
    with Lab("--scenario", "lesson") as lab:
        inventory = write_watched_inventory(tmp_path, lab, make_senders(lab))
        watch(lab, inventory, playbook="enable_org_trail", coverage_enabled=False).ok()
        watch(lab, inventory).ok()
        cloudtrail = lab.client("cloudtrail")
        cloudtrail.stop_logging(Name=lab.trail_arn)
        words = command()
        start = next(number for number, word in enumerate(words) if "=" not in word)
        settings = [f"--env={word}" for word in words[:start]]
        place = [f"--volume={tmp_path}:{tmp_path}", f"--workdir={tmp_path}", "--env=AWS_*", "--network=host"]
        container = ["podman", "run", "--detach", "--user=1000", *settings, *place, "org-trail-decision:latest"]
        name = run([*container, *words[start:]], environment | lab.environment, tmp_path).split()[-1]

        def is_logging() -> bool:
            return bool(cloudtrail.get_trail_status(Name=lab.trail_arn)["IsLogging"])

        try:
            assert comes_true(is_logging), run(["podman", "logs", name], environment)
            time.sleep(WINDOW + 5)
            cloudtrail.stop_logging(Name=lab.trail_arn)
            assert comes_true(is_logging), run(["podman", "logs", name], environment)
        finally:
            run(["podman", "rm", "--force", name], environment)
