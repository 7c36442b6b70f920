# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module takes and answers: its options as one typed value, so that a misspelt one is found before it runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,49}", re.ASCII)

Options = TypeVar("Options")
Read = TypeVar("Read")

Result = dict[str, Any]
"""A module's result, by the names of its documentation; Ansible turns it into JSON."""


def options_of(kind: type[Options], params: Mapping[str, Any], **changed: object) -> Options:
    """The value of a dataclass whose fields are named as options; ``changed`` takes the place of some of them."""
    names = [one.name for one in fields(kind)]  # type: ignore[arg-type]
    return kind(**{name: changed[name] if name in changed else params[name] for name in names})


def read_result(option: str, read: Callable[[], Read], refusal: Callable[[str], Exception]) -> Read:
    """What is read of an option that should be a role's or another module's result. Raises a refusal if it is not."""
    try:
        return read()
    except (AttributeError, KeyError, TypeError) as error:
        raise refusal(
            f"The option {option} is not what the role of that name reports: {error!r} was not found in it. Pass "
            "the whole variable that the role sets."
        ) from error


def prefix_refusal(prefix: str) -> str | None:
    """Why the option name_prefix cannot begin the names of what is made, in one sentence; None when it can.

    What is ours is found again by it: with "" or a wildcard others' would be found, too.
    """
    if _PREFIX.fullmatch(prefix):
        return None
    return f"name_prefix is {prefix!r}, expected 1 to 50 letters, digits, hyphens and underscores. Correct it."
