# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are there as a whole or not at all."""

from __future__ import annotations

import os
import re
import stat
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

OLD = 24 * 3600
"""Seconds after which no run is still at work on a file: a run lasts hours at most."""


def write_whole(path: Path, parts: Iterable[str]) -> None:
    """Write a text file in UTF-8 and put it in place when it is complete.

    A run that is killed, or a disk that is full, leaves what was there. A symbolic link at the place is replaced,
    never followed. The file is readable as the user's umask says. What a killed run left half written of the same file
    is removed when it is old. Raises OSError, which names the file.
    """
    try:
        _write(path, parts)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
    remove_left_overs(path.parent, re.compile(rf"\.{re.escape(path.name)}-{RANDOM}"))


RANDOM = "[a-z0-9_]{8}"
"""What tempfile adds to a name."""


def remove_left_overs(folder: Path, names: re.Pattern[str]) -> None:
    """Remove what killed runs of this user left in a folder: files whose whole name fits, and that are old.

    What cannot be removed is left: it is no reason to end a run.
    """
    with suppress(OSError):
        for path in [one for one in folder.iterdir() if names.fullmatch(one.name)]:
            found = path.lstat()
            is_own = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()
            if is_own and time.time() - found.st_mtime > OLD:
                path.unlink()


def _write(path: Path, parts: Iterable[str]) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.writelines(parts)
        Path(name).chmod(0o666 & ~_umask())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def can_be_made(path: Path) -> bool:
    """Whether a file can be written at a path, as far as can be seen without writing; missing folders can be made."""
    folder = next(parent for parent in path.absolute().parents if os.path.lexists(parent))
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK) and not path.is_dir()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
