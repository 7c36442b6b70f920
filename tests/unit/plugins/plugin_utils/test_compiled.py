# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files are kept compiled, and that what is kept is used."""

from __future__ import annotations

import importlib.util
import py_compile
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest
from ansible_collections.cloudsec.org_trail.plugins.plugin_utils.compiled import PLUGINS, CompiledFinder, kept_compiled

FOLDER = Path(__file__).resolve().parents[4] / "plugins"


def test_files_and_packages_are_found() -> None:
    for name, file in (("module_utils._aws.arn", "_aws/arn.py"), ("module_utils._aws", "_aws/__init__.py")):
        path = FOLDER / "module_utils" / file
        spec = CompiledFinder.find_spec(PLUGINS + name, [str(path.parent if path.stem == "arn" else path.parents[1])])
        assert spec is not None
        assert isinstance(spec.loader, SourceFileLoader)
        assert spec.origin == str(path)
        assert spec.cached == importlib.util.cache_from_source(str(path))


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("ansible_collections.amazon.aws.plugins.module_utils.modules", FOLDER),
        (PLUGINS + "module_utils.missing", FOLDER / "module_utils"),
        (PLUGINS + "module_utils", FOLDER),  # without __init__.py it is no package to Python
        ("json", FOLDER),
        ("elsewhere.arn", FOLDER / "module_utils" / "_aws"),  # a file is there, but not one of the collection's name
    ],
)
def test_the_rest_is_left_to_ansible(name: str, folder: Path) -> None:
    assert CompiledFinder.find_spec(name, [str(folder)]) is None
    assert CompiledFinder.find_spec(name) is None


def test_what_was_kept_is_used_until_the_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    source, name = tmp_path / "kept.py", f"{PLUGINS}kept"

    def answer() -> object:
        spec = CompiledFinder.find_spec(name, [str(tmp_path)])
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.answer

    source.write_text("answer = 1")
    assert answer() == 1
    kept = Path(importlib.util.cache_from_source(str(source)))
    assert kept.is_file()
    other = tmp_path / "other.py"
    other.write_text("answer = 2")
    other_kept = Path(str(py_compile.compile(str(other))))
    kept.write_bytes(kept.read_bytes()[:16] + other_kept.read_bytes()[16:])  # the head tells the file's size and time
    assert answer() == 2
    source.write_text("answer = 33")
    assert answer() == 33


def test_it_comes_before_ansibles_finder_and_goes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "meta_path", before := [object()])
    with kept_compiled():
        assert [one is CompiledFinder for one in sys.meta_path] == [True, False]
    assert sys.meta_path == before
    with pytest.raises(ImportError), kept_compiled():
        raise ImportError
    assert [one is CompiledFinder for one in sys.meta_path] == [False]
