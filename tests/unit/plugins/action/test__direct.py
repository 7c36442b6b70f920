# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Python is this one, which switches count, and that each module has its action plugin."""

from __future__ import annotations

import importlib
import site
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from ansible_collections.cloudsec.org_trail.plugins.action import _direct

PLUGINS = Path(__file__).resolve().parents[4] / "plugins"
MODULES = [path for path in sorted((PLUGINS / "modules").glob("*.py")) if "def main(" in path.read_text()]


@pytest.fixture(autouse=True)
def known_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tests hold with ansible-core's development version, too."""
    monkeypatch.setattr(_direct, "__version__", "2.21.0")


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_each_module_has_its_action_plugin(module: Path) -> None:
    plugin = PLUGINS / "action" / module.name
    assert plugin.is_file(), f"copy plugins/action/organizations_service_access.py to {plugin.name}"
    assert "preload(__name__)" in plugin.read_text()


def test_preload_imports_the_module_of_the_same_name() -> None:
    name = "ansible_collections.cloudsec.org_trail.plugins.modules.organizations_service_access"
    sys.modules.pop(name, None)
    _direct.preload(name.replace("modules", "action"))
    assert name in sys.modules


@pytest.mark.parametrize("broken", ["nothing", "org_trail.plugins.action.missing"])
def test_preload_leaves_errors_to_the_module(broken: str) -> None:
    _direct.preload(broken)


@pytest.mark.parametrize(
    ("environment", "variable", "on"),
    [
        (None, True, True),
        ("1", True, True),
        ("yes", "yes", True),
        ("0", True, False),
        ("false", True, False),
        (None, False, False),
        (None, "no", False),
        ("1", False, False),
        ("0", False, False),
        ("anything else", True, False),
    ],
)
def test_switched_on(monkeypatch: pytest.MonkeyPatch, environment: str | None, variable: Any, on: bool) -> None:
    monkeypatch.delenv(_direct.ENVIRONMENT_SWITCH, raising=False)
    if environment is not None:
        monkeypatch.setenv(_direct.ENVIRONMENT_SWITCH, environment)
    assert _direct.switched_on(variable) is on


def test_preload_does_nothing_when_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(_direct.ENVIRONMENT_SWITCH, "0")
    with mock.patch.object(importlib, "import_module") as import_module:
        _direct.preload("ansible_collections.cloudsec.org_trail.plugins.action.organizations_service_access")
    import_module.assert_not_called()


def flags(**given: int) -> mock.Mock:
    return mock.Mock(**{"isolated": 0, "ignore_environment": 0, "no_user_site": 0, **given})


@pytest.mark.parametrize(
    ("platform", "given", "user_site", "reason"),
    [
        ("linux", {}, True, ""),
        ("freebsd14", {}, True, ""),
        ("darwin", {}, True, "a fork is not safe on darwin"),
        ("linux", {"isolated": 1}, True, "Ansible's Python was started with -I or -E"),
        ("linux", {"ignore_environment": 1}, True, "Ansible's Python was started with -I or -E"),
        ("linux", {"no_user_site": 1}, True, "Ansible's Python was started with -s"),
        ("linux", {"no_user_site": 1}, False, ""),
    ],
)
def test_reason_against_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, platform: str, given: dict[str, int], user_site: bool, reason: str
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(sys, "flags", flags(**given))
    packages = str(tmp_path if user_site else tmp_path / "missing")
    monkeypatch.setattr(site, "getusersitepackages", lambda: packages)
    assert _direct.reason_against_process() == reason


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        ("2.17.0", ""),
        ("2.21.5", ""),
        ("2.21.0rc1", ""),
        ("2.22.0", "ansible-core 2.22.0 is newer than this plugin"),
        ("2.22.0.dev0", "ansible-core 2.22.0.dev0 is newer than this plugin"),
        ("3.0.0", "ansible-core 3.0.0 is newer than this plugin"),
    ],
)
def test_only_known_versions_of_core(monkeypatch: pytest.MonkeyPatch, version: str, reason: str) -> None:
    monkeypatch.setattr(_direct, "__version__", version)
    assert _direct.reason_against_process() == reason


@pytest.fixture
def pythons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A virtual environment's bin folder with the running interpreter and more."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "python3.12").touch()
    here = tmp_path / "venv" / "bin"
    here.mkdir(parents=True)
    (here / "python").symlink_to(tmp_path / "real" / "python3.12")
    (here / "python3").symlink_to("python")
    (here / "pypy").touch()
    (tmp_path / "other" / "bin").mkdir(parents=True)
    (tmp_path / "other" / "bin" / "python").symlink_to(tmp_path / "real" / "python3.12")
    (tmp_path / "link_to_venv").symlink_to(tmp_path / "venv")
    monkeypatch.setattr(sys, "executable", str(here / "python"))
    return tmp_path


@pytest.mark.parametrize(
    ("interpreter", "same"),
    [
        ("{}/venv/bin/python", True),
        ("{}/venv/bin/python3", True),
        ("{}/link_to_venv/bin/python", True),
        ("{}/venv/../venv/bin/python", True),
        ("{}/venv/bin/pypy", False),
        ("{}/venv/bin/missing", False),
        ("{}/other/bin/python", False),
        ("{}/real/python3.12", False),
        ("{}/venv/bin/python -E", False),
        ("/usr/bin/env python", False),
        ("python", False),
        ("", False),
    ],
)
def test_is_this_python(pythons: Path, interpreter: str, same: bool) -> None:
    assert _direct.is_this_python(interpreter.format(pythons)) is same


def test_read_text_decodes_as_ansible_does(tmp_path: Path) -> None:
    path = tmp_path / "output"
    path.write_bytes("é".encode() + b"\xff")
    with path.open("rb") as file:
        file.read()
        assert _direct.read_text(file) == "é\udcff"
