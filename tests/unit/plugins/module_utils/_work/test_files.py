# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._work.files import (
    OLD,
    can_be_made,
    remove_left_overs,
    write_whole,
)


def test_parts_make_one_file(tmp_path: Path) -> None:
    write_whole(tmp_path / "a.json", ["{", "é", "}\n"])
    assert (tmp_path / "a.json").read_bytes() == "{é}\n".encode()


def test_what_was_there_stays_when_the_parts_fail(tmp_path: Path) -> None:
    def parts() -> Iterator[str]:
        yield "half"
        raise KeyboardInterrupt

    (tmp_path / "a.json").write_text("old")
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "a.json", parts())
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.json": "old"}


def test_a_link_is_replaced_and_never_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("theirs")
    (tmp_path / "a.json").symlink_to(tmp_path / "elsewhere")
    write_whole(tmp_path / "a.json", ["ours"])
    assert (tmp_path / "elsewhere").read_text() == "theirs"
    assert not (tmp_path / "a.json").is_symlink()


def test_who_may_read_it_is_said_by_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "a.json", [""])
    finally:
        assert os.umask(before) == 0o027
    assert (tmp_path / "a.json").stat().st_mode & 0o777 == 0o640


def test_a_folder_that_is_missing_is_an_error_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        write_whole(tmp_path / "missing" / "a.json", [""])
    assert caught.value.filename == str(tmp_path / "missing" / "a.json")


def test_a_full_disk_leaves_the_old_file_and_is_told_with_its_name(tmp_path: Path) -> None:
    def parts() -> Iterator[str]:
        yield "half"
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (tmp_path / "a.json").write_text("old")
    with pytest.raises(OSError, match=re.escape(f"No space left on device: '{tmp_path / 'a.json'}'")):
        write_whole(tmp_path / "a.json", parts())
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.json": "old"}


def test_what_failed_is_told_even_when_the_half_file_is_gone(tmp_path: Path) -> None:
    def parts() -> Iterator[str]:
        for half in tmp_path.iterdir():
            half.unlink()
        yield "half"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "a.json", parts())


def test_what_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("")
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    assert can_be_made(tmp_path / "a.json")
    assert can_be_made(tmp_path / "new" / "folders" / "b.json")
    for path in (tmp_path, tmp_path / "a.json" / "new" / "b.json", tmp_path / "nowhere" / "b.json"):
        assert not can_be_made(path)


def test_a_folder_that_is_not_to_be_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may be root, to whom all folders are open."""
    monkeypatch.setattr(os, "access", lambda folder, _mode: folder != tmp_path)
    assert not can_be_made(tmp_path / "a.json")


def make_old(path: Path, seconds: float = OLD + 60) -> Path:
    path.write_text("half")
    os.utime(path, (time.time() - seconds,) * 2)
    return path


def test_half_files_of_killed_runs_are_removed_when_they_are_old(tmp_path: Path) -> None:
    make_old(tmp_path / ".a.json-abcd_123")
    others = [
        make_old(tmp_path / ".a.json-abcd_124", seconds=60),  # another run may be at work on it
        make_old(tmp_path / ".b.json-abcd_123"),
        make_old(tmp_path / ".a.json-by-the-user"),
        make_old(tmp_path / "a.json-abcd_123"),
    ]
    link = tmp_path / ".a.json-linked_1"
    link.symlink_to(others[1])
    os.utime(link, (0, 0), follow_symlinks=False)
    write_whole(tmp_path / "a.json", ["new"])
    assert sorted(tmp_path.iterdir()) == sorted([tmp_path / "a.json", link, *others])


def test_left_overs_of_another_user_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_old(tmp_path / "found")
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    remove_left_overs(tmp_path, re.compile("found"))
    assert [path.name for path in tmp_path.iterdir()] == ["found"]


def test_a_folder_that_cannot_be_read_is_no_reason_to_fail(tmp_path: Path) -> None:
    remove_left_overs(tmp_path / "missing", re.compile(".*"))
