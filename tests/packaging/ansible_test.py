# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run ansible-test of any supported core on a copy of the collection, without a container."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.packaging.collection_tree import (
    BIN,
    CACHE,
    LEFT_OUT,
    copy_collection,
    installed_collections,
    run_tool,
    tool_environment,
)

PIP_BOOTSTRAP = """\
# Stands in for get-pip.py, which ansible-test would fetch: makes pip from what Python brings, then the pinned version.
import subprocess
import sys

subprocess.check_call([sys.executable, "-m", "ensurepip"])
wanted = [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]
sys.exit(subprocess.call([sys.executable, "-m", "pip", "install", *wanted]))
"""


def run_ansible_test(
    target: Path, *arguments: str, binaries: Path = BIN, collections: Path | None = None, cloud_config: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run ``ansible-test`` with the given arguments on a new copy of the collection below ``target``.

    binaries: folder of the programs of a virtual environment that has ansible-core.
    collections: where its amazon.aws is, by default in the same environment.
    cloud_config: content of tests/integration/cloud-config-aws.ini.
    ansible-test keeps its own virtual environments in a home folder of the clone's cache.
    """
    source = core_folder(binaries)
    home = CACHE / "ansible-test" / core_version(source)
    place_pip_bootstrap(source, home)
    unjudged = ("tests/unit/",) if arguments[0] == "sanity" else ()  # ruff and mypy judge the unit tests
    root = copy_collection(target, collections or installed_collections(binaries), LEFT_OUT + unjudged)
    if cloud_config:
        (root / "tests" / "integration" / "cloud-config-aws.ini").write_text(cloud_config, encoding="utf-8")
    command: list[str | Path] = [binaries / "ansible-test", *arguments, "--color", "no"]
    return run_tool(command, root, tool_environment(home, binaries))


def core_folder(binaries: Path) -> Path:
    """The folder that holds the packages ``ansible`` and ``ansible_test`` of a virtual environment."""
    code = "import ansible, pathlib; print(pathlib.Path(ansible.__file__).parent.parent)"
    found = subprocess.run([binaries / "python", "-c", code], check=True, capture_output=True, text=True)
    return Path(found.stdout.strip())


def core_version(source: Path) -> str:
    """The version of ansible-core in a folder, for example 2.19."""
    text = (source / "ansible" / "release.py").read_text(encoding="utf-8")
    found = re.search(r"__version__ = '(\d+\.\d+)", text)
    assert found, f"{source} names no version of ansible-core"
    return found[1]


def place_pip_bootstrap(source: Path, home: Path) -> None:
    """Put a bootstrap script for pip where ansible-test looks before it downloads one."""
    text = (source / "ansible_test" / "_internal" / "python_requirements.py").read_text(encoding="utf-8")
    cache = home / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in re.findall(r"pip='([\d.]+)'", text):
        (cache / f"get_pip_{version.replace('.', '_')}.py").write_text(PIP_BOOTSTRAP, encoding="utf-8")
