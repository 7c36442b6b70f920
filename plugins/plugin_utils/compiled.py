# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let Python keep this collection's files compiled, as it does with what pip installs.

Ansible keeps the plugins that it loads itself compiled, but what those import its loader of collections compiles each
time: 80 files in every run of the main job. The finder here goes before it, for this collection's files alone, and
reads and writes ``__pycache__`` as Python does everywhere else. Where that cannot be written, each run compiles.
``meta/runtime.yml`` redirects none of these files; those that it redirected would have to be left to Ansible.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, ModuleSpec, SourceFileLoader
from types import ModuleType

PLUGINS = __name__.partition(".plugin_utils.")[0] + "."


class CompiledFinder:
    """Finds the files below ``plugins``; to all else Ansible's own finder answers."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """What ``sys.meta_path`` asks; None for a folder without ``__init__.py``, too."""
        if not name.startswith(PLUGINS):
            return None
        for folder in path or ():
            spec = FileFinder(folder, (SourceFileLoader, SOURCE_SUFFIXES)).find_spec(name, target)
            if spec is not None and spec.loader is not None:
                return spec
        return None


@contextmanager
def kept_compiled() -> Iterator[None]:
    """Keep compiled what is imported of the collection meanwhile."""
    sys.meta_path.insert(0, CompiledFinder)
    try:
        yield
    finally:
        sys.meta_path.remove(CompiledFinder)
