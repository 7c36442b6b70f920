# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What boto3 has no types for. Values of these types are read where they come in and go no further."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Client = Any
"""A boto3 client; its methods are made at run time."""

Structure = dict[str, Any]
"""A structure of an AWS API, with the members' names of its reference, for example ``TrailARN``."""

Function = TypeVar("Function", bound=Callable[..., Any])
"""A function that a decorator of amazon.aws returns as it was, as far as types tell."""
