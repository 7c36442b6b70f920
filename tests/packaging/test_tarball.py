# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users get: the tarball's content, and the main job from it in an empty home folder."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path
from typing import Any

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
RELEASED = ("docs/", "extensions/eda/", "meta/", "playbooks/", "plugins/", "roles/", "changelogs/", "LICENSES/")


def test_tarball_holds_what_is_released_and_nothing_else(tarball: Path) -> None:
    with tarfile.open(tarball) as archive:
        names = {member.name for member in archive if not member.isdir()}
    assert {name.split("/")[0] for name in names} == AT_THE_TOP
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *RELEASED],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    expected = {name for name in listed.stdout.splitlines() if (ROOT / name).is_file()}
    assert {name for name in names if name.startswith(RELEASED)} == expected


def test_playbooks_run_from_the_tarball_in_an_empty_home(tarball: Path, tmp_path: Path) -> None:
    """There and back, as the guides tell it; what is written lies where Ansible was started."""
    home = tmp_path / "home"
    environment = tool_environment(home)
    installed = run_tool([BIN / "ansible-galaxy", "collection", "install", "--offline", tarball], tmp_path, environment)
    assert installed.returncode == 0, installed.stdout
    version = tarball.name.removeprefix("cloudsec-org_trail-").removesuffix(".tar.gz")
    assert f"cloudsec.org_trail:{version} was installed successfully" in installed.stdout
    with Lab() as lab:
        inventory = write_inventory(tmp_path / "inventory.yml", lab.ready)
        old_bucket = trail_of(lab)["S3BucketName"]

        def play(name: str, *arguments: str) -> tuple[int, str]:
            command: list[str | Path] = [BIN / "ansible-playbook", "-i", inventory, f"cloudsec.org_trail.{name}"]
            run = run_tool([*command, *arguments], tmp_path, {**environment, **lab.environment})
            return run.returncode, run.stdout

        code, text = play("detect_drift")
        assert code != 0, text
        assert f"Report: {tmp_path}/drift/drift.json" in text
        assert (tmp_path / "drift" / "drift.xml").is_file()

        code, text = play("enable_org_trail")
        assert code == 0, text
        assert (trail_of(lab)["IsOrganizationTrail"], trail_of(lab)["S3BucketName"]) == (True, lab.bucket)

        code, text = play("revert_org_trail")
        assert code != 0, text
        assert "Set revert_org_trail_bucket to a bucket" in text

        back = ("revert_org_trail", "-e", f"revert_org_trail_bucket={old_bucket}")
        code, text = play(*back)
        assert code == 0, text
        assert (trail_of(lab)["IsOrganizationTrail"], trail_of(lab)["S3BucketName"]) == (False, old_bucket)
        record = tmp_path / "org_trail_before_revert.json"
        assert str(record) in text
        kept = record.read_text()
        assert lab.bucket in kept

        lab.clear_journal()
        code, text = play(*back)
        assert code == 0, text
        assert lab.journal(writes=True) == []
        assert record.read_text() == kept


def trail_of(lab: Lab) -> dict[str, Any]:
    """The lab's trail as AWS has it."""
    trail: dict[str, Any] = lab.client("cloudtrail").get_trail(Name=lab.trail_arn)["Trail"]
    return trail
