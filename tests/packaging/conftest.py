# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The built collection, for the tests that look at it or install it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.packaging.collection_tree import BIN, ROOT, run_tool, tool_environment
from tests.packaging.container import missing, podman


@pytest.fixture(scope="session")
def tarball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The collection as ``make dist`` builds it."""
    target = tmp_path_factory.mktemp("dist")
    environment = tool_environment(tmp_path_factory.mktemp("home"))
    built = run_tool([BIN / "ansible-galaxy", "collection", "build", "--output-path", target], ROOT, environment)
    assert built.returncode == 0, built.stdout
    (path,) = target.glob("*.tar.gz")
    return path


@pytest.fixture(scope="session")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a podman that knows Debian, on which images are built."""
    if lacking := missing():
        pytest.skip(f"needs {lacking}")
    with podman(tmp_path_factory.mktemp("podman")) as settings:
        yield settings
