# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text of others, such as names, tags and AWS's messages, on a terminal and in a build server's log."""

from __future__ import annotations

import re

REPLACEMENT = "\ufffd"

_ORDER = re.compile(r"^(\s*):(?=:)|#(?=#\w*\[)")
"""What a build server obeys: ``::error::`` at the beginning of a line, ``##vso[`` and ``##[`` anywhere.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions
https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands
"""


def printable(text: str) -> str:
    """A line that holds nothing which a terminal or a build server obeys: each such character is replaced.

    A line's end is one, so the text stays a line. Multi-line texts are made of such lines.
    """
    shown = "".join(character if character.isprintable() else REPLACEMENT for character in text)
    return _ORDER.sub(lambda found: f"{found[1] or ''}{REPLACEMENT}", shown)
