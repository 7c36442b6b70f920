# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text of others that reaches a terminal."""

from __future__ import annotations

import sys

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.text import printable

TEXTS = [
    ("Bücket „日本“ 100 % a::b #1 ##", "Bücket „日本“ 100 % a::b #1 ##"),
    ("a\x1b[2Jb", "a�[2Jb"),
    ("\x07\x08\x7f\x9b", "����"),
    ("a\n::error::b\r\tc", "a�::error::b��c"),
    ("::error::b", "�:error::b"),
    ("  ::set-output::b", "  �:set-output::b"),
    ("a ##vso[task.setvariable]b", "a �#vso[task.setvariable]b"),
    ("a ##[error]b", "a �#[error]b"),
    ("\u202egnp\u200b", "�gnp�"),
    ("\ud800", "�"),
]


@pytest.mark.parametrize(("text", "shown"), TEXTS)
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(shown) == shown


def test_nothing_that_is_not_printable_stays() -> None:
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    assert printable(everything).isprintable()
