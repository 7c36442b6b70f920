# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of the inventory's groups: two different things of an organization never share one.

Whoever may create organizational units or set tags names them at will, and must not bring an account into the group
of another thing by it. So a kind of thing has a prefix of its own, and different texts give different names.
"""

from __future__ import annotations

import re

STATE = "state_"
TAG = "tag_"
NAMED_OU = "unit_"
"""An organizational unit by the names in its path. By id its group begins with ``ou_``, a root's with ``r_``."""

_SEPARATOR = "__"
_PLAIN = re.compile(r"[^\W_]+(?:_[^\W_]+)*")
_LIKE_AN_ESCAPE = re.compile(r"_x[0-9a-f]+(?:_|$)")


def group_of_id(unit: str) -> str:
    """The group of a root or an organizational unit by its id: ``ou-abcd-11111111`` gives ``ou_abcd_11111111``."""
    return unit.replace("-", "_")


def group_of_names(prefix: str, *parts: str) -> str:
    """The group of a tag's key and value, or of a path of names; no other parts give the same one.

    Letters, digits and single underscores stay, parts are joined by ``__``. A part that holds anything else, or that
    could be read as such a part's group, has ``_x20_`` in place of a space, and so on with each character's code point
    in hexadecimal.
    """
    return prefix + _SEPARATOR.join(map(_part, parts))


def is_changed(part: str) -> bool:
    """Whether a part does not stand in its group's name as it is."""
    return _part(part) != part


def _part(text: str) -> str:
    if _PLAIN.fullmatch(text) and not _LIKE_AN_ESCAPE.search(text):
        return text
    return re.sub(r"[\W_]", lambda character: f"_x{ord(character[0]):x}_", text)
