# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection where tools want it: below ``ansible_collections/cloudsec/org_trail``, as real files.

ansible-test looks at the real path, so the symlink that a clone uses for itself does not do.
"""

from __future__ import annotations

import configparser
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(sys.executable).parent
CACHE = ROOT / ".cache" / "packaging"
"""What is worth keeping between runs: virtual environments of the matrix and of ansible-test."""
PIP_VARIABLES = [name for name in os.environ if name.startswith("PIP_")]


LEFT_OUT = (
    "benchmarks/",
    "lab/",
    "tests/differential/",
    "tests/lab/",
    "tests/packaging/",
    "tests/playbooks/",
    "tests/report/",
)
"""What ansible-test has nothing to do with; ruff and mypy judge it."""


def copy_collection(target: Path, dependencies: Path, left_out: tuple[str, ...] = LEFT_OUT) -> Path:
    """Copy what git knows or would add to ``target/ansible_collections/cloudsec/org_trail``; that path.

    dependencies: a folder ``ansible_collections`` whose amazon.aws and community.aws are linked beside the copy.
    The copy is a git work tree, because ansible-test asks git which files there are.
    """
    root = target / "ansible_collections" / "cloudsec" / "org_trail"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file() and not name.startswith(left_out):  # a file that git still lists may be gone
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, root / name)
    for namespace in dependencies.iterdir():
        if namespace.name in ("amazon", "community"):
            (root.parent.parent / namespace.name).symlink_to(namespace)
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    subprocess.run(["git", "add", "--all"], cwd=root, check=True)
    return root


def installed_collections(binaries: Path) -> Path:
    """The folder ``ansible_collections`` of the virtual environment whose programs are in ``binaries``."""
    paths = subprocess.run(
        [binaries / "python", "-c", "import json, site; print(json.dumps(site.getsitepackages()))"],
        check=True,
        capture_output=True,
        text=True,
    )
    found = [path for path in (Path(one) / "ansible_collections" for one in json.loads(paths.stdout)) if path.is_dir()]
    assert found, f"{binaries.parent} has no collections; the PyPI package ansible brings them."
    return found[0]


def tool_environment(home: Path, binaries: Path = BIN, **more: str) -> dict[str, str]:
    """An environment without the user's settings, files or credentials for AWS and Ansible."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ANSIBLE_", "MOLECULE_"))}
    path = f"{binaries}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    keep_pip_settings(home)
    return {**kept, "HOME": str(home), "PATH": path, "LC_ALL": "C.UTF-8", "NO_COLOR": "1", **more}


def run_tool(command: list[str | Path], cwd: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a tool without a terminal; its output, errors included, is in ``stdout``."""
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def keep_pip_settings(home: Path) -> None:
    """Let pip find its user's settings (index, certificates) in another home folder, where variables are lost, too."""
    settings = configparser.RawConfigParser()
    settings.read(Path.home() / ".config" / "pip" / "pip.conf")
    settings.read_dict({"global": {name[4:].lower().replace("_", "-"): os.environ[name] for name in PIP_VARIABLES}})
    path = home / ".config" / "pip" / "pip.conf"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        settings.write(file)
