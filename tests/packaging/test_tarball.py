# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users get: the tarball's content, and the main job from it in an empty home folder."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

from lab.inventory import write_inventory
from tests.lab_process import Lab
from tests.packaging.collection_tree import BIN, ROOT, run_tool, tool_environment

AT_THE_TOP = {
    "CHANGELOG.rst",
    "CONTRIBUTING.md",
    "COPYING",
    "FILES.json",
    "LICENSES",
    "MANIFEST.json",
    "README.md",
    "SECURITY.md",
    "ansible-navigator.yml",
    "changelogs",
    "docs",
    "execution-environment.yml",
    "extensions",
    "meta",
    "playbooks",
    "plugins",
    "requirements.yml",
    "roles",
}
RELEASED = ("docs/", "meta/", "playbooks/", "plugins/", "roles/", "changelogs/", "LICENSES/")


def test_tarball_holds_what_is_released_and_nothing_else(tarball: Path) -> None:
    with tarfile.open(tarball) as archive:
        names = {member.name for member in archive if not member.isdir()}
    assert {name.split("/")[0] for name in names} | {"extensions"} == AT_THE_TOP  # nothing but molecule so far
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *RELEASED],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    expected = {name for name in listed.stdout.splitlines() if (ROOT / name).is_file()}
    assert {name for name in names if name.startswith(RELEASED)} == expected


def test_main_job_runs_from_the_tarball_in_an_empty_home(tarball: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    environment = tool_environment(home)
    installed = run_tool([BIN / "ansible-galaxy", "collection", "install", "--offline", tarball], tmp_path, environment)
    assert installed.returncode == 0, installed.stdout
    assert "cloudsec.org_trail:1.0.0 was installed successfully" in installed.stdout
    with Lab() as lab:
        inventory = write_inventory(tmp_path / "inventory.yml", lab.ready)
        command: list[str | Path] = [BIN / "ansible-playbook", "-i", inventory, "cloudsec.org_trail.enable_org_trail"]
        run = run_tool(command, tmp_path, {**environment, **lab.environment})
        assert run.returncode == 0, run.stdout
        trail = lab.client("cloudtrail").get_trail(Name=lab.trail_arn)["Trail"]
        command[-1] = "cloudsec.org_trail.detect_drift"
        run = run_tool(command, tmp_path, {**environment, **lab.environment})
        assert run.returncode == 0, run.stdout
        assert "changed=1" not in run.stdout
    assert (trail["IsOrganizationTrail"], trail["S3BucketName"]) == (True, lab.bucket)
    assert (tmp_path / "drift" / "drift.json").is_file(), "the list of drifts lies where the command was given"
