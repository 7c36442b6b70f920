# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The README's commands, taken from it and run as they stand, by somebody who has nothing but Python, git and make.

GitHub is this clone and Galaxy is one on this machine: git and ansible-galaxy are told so by their environment. Filled
in is what the README tells the reader to fill in, which is `PLACEHOLDERS`.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab_process import Lab
from tests.packaging.collection_tree import ROOT, copy_collection, installed_collections, run_tool, tool_environment
from tests.packaging.local_galaxy import local_galaxy, pack

BLOCK = re.compile(r"^```(sh|yaml)\n(.*?)^```$", re.M | re.S)
FILE = re.compile(r"# (\S+\.yml)\n")
PLACEHOLDERS = ("111122223333", "444455556666", "bucket-in-management")


def commands_of(heading: str) -> str:
    """The commands of a section, as one shell script."""
    return "".join(text for kind, text in blocks_of(heading) if kind == "sh")


def files_of(heading: str) -> dict[str, str]:
    """The files of a section: YAML whose first line names the file."""
    texts = [text for kind, text in blocks_of(heading) if kind == "yaml"]
    return {match[1]: text for text in texts if (match := FILE.match(text))}


def blocks_of(heading: str) -> list[tuple[str, str]]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (section,) = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    return BLOCK.findall(section)


def run(script: str, folder: Path, **more: str) -> str:
    """Run a script with an empty home, and with the Python that made this environment; its output."""
    python = Path(sys.base_prefix) / "bin"
    environment = tool_environment(folder / "home", python, **more)
    environment.pop("VIRTUAL_ENV", None)
    done = run_tool(["bash", "-euxc", script], folder, environment)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_what_is_run_is_in_the_readme() -> None:
    """The commands that a reader comes for are among them, and none hides in a block that is not looked at."""
    assert "make demo" in commands_of("Try it without AWS")
    own = commands_of("On your organization")
    for command in ("pip install", "ansible-galaxy", "enable_org_trail --check", "detect_drift", "revert_org_trail"):
        assert command in own
    assert set(files_of("On your organization")) == {"requirements.yml", "inventory.yml", "organizations_accounts.yml"}
    assert len(files_of("On your organization")) == sum(k == "yaml" for k, _ in blocks_of("On your organization"))
    unfenced = re.findall(r"^    \S.*", (ROOT / "README.md").read_text(encoding="utf-8"), re.M)
    assert [line for line in unfenced if line.split()[0] in ("make", "pip", "ansible-playbook", "ansible-galaxy")] == []


@pytest.mark.full
def test_clone_and_demo(tmp_path: Path) -> None:
    clone = copy_collection(tmp_path / "hub", installed_collections(Path(sys.executable).parent), left_out=())
    commit = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.com", "commit", "--quiet", "-m", "as it is")
    subprocess.run(["git", *commit], cwd=clone, check=True)
    instead = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{clone.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/cloudsec/org_trail",
    }
    text = run(commands_of("Try it without AWS"), tmp_path, **instead)
    assert "85 of 85 account regions in 5 accounts log to the organization trail." in text


@pytest.mark.full
def test_install_look_run_detect_and_go_back(tarball: Path, tmp_path: Path) -> None:
    installed = installed_collections(Path(sys.executable).parent)
    tarballs = [tarball, *(pack(installed / name / "aws", tmp_path) for name in ("amazon", "community"))]
    with Lab() as lab, local_galaxy(tarballs) as address:
        old = lab.client("cloudtrail").get_trail(Name=lab.trail_arn)["Trail"]["S3BucketName"]
        filled = dict(zip(PLACEHOLDERS, (lab.management, lab.log_archive, old), strict=True))

        def fill(text: str) -> str:
            return re.sub("|".join(PLACEHOLDERS), lambda match: filled[match[0]], text)

        for name, text in files_of("On your organization").items():
            (tmp_path / name).write_text(fill(text), encoding="utf-8")
        script = fill(commands_of("On your organization"))
        # The file of versions and the dynamic inventory take the place of a command's argument.
        script += "ansible-galaxy collection install -r requirements.yml\n"
        script += "ansible-inventory -i organizations_accounts.yml --graph management\n"
        output = run(script, tmp_path, ANSIBLE_GALAXY_SERVER=address, **lab.environment)
        trail = lab.client("cloudtrail").get_trail(Name=lab.trail_arn)["Trail"]
    assert "85 of 85 account regions" in output
    assert "Drifted: nothing; " in output
    assert (tmp_path / "coverage" / "coverage.html").is_file()
    assert (trail["IsOrganizationTrail"], trail["S3BucketName"]) == (False, old)
    assert "@management:" in output
    assert (tmp_path / ".venv" / "bin" / "ansible-playbook").is_file()
