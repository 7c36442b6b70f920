# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policies that hold the statements: as few as AWS's limits of size allow, each with a name and a purpose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from .._aws.errors import AnsibleOrgTrailError
from .._organization.policy_change import LARGEST, text_of
from .._policy.document import Document
from .statements import Guarded, archive_statements, member_statements, resource_statements

Scope = Literal["members", "log_archive", "resources"]
SCOPES: tuple[Scope, ...] = ("members", "log_archive", "resources")
SCP, RCP = "service_control_policy", "resource_control_policy"


@dataclass(frozen=True)
class Guardrail:
    """One policy. scope: what it is for: all members, the log archive's principals, or its resources."""

    name: str
    type: str
    scope: Scope
    content: Document

    @property
    def characters(self) -> int:
        return _size(self.content["Statement"])

    def sids(self) -> list[str]:
        return [statement["Sid"] for statement in self.content["Statement"]]


def guardrails(guarded: Guarded, prefix: str = "org-trail") -> list[Guardrail]:
    """All policies, named ``<prefix>-<scope>``, with a number where a scope takes several.

    Raises AnsibleOrgTrailError for a statement that is too long for any policy.
    """
    scopes: tuple[tuple[Scope, str, list[Document]], ...] = (
        ("members", SCP, member_statements(guarded)),
        ("log_archive", SCP, archive_statements(guarded)),
        ("resources", RCP, resource_statements(guarded)),
    )
    return [one for scope, kind, statements in scopes for one in _named(f"{prefix}-{scope}", kind, scope, statements)]


def _named(name: str, kind: str, scope: Scope, statements: Sequence[Document]) -> Iterator[Guardrail]:
    name = name.replace("_", "-")
    for number, part in enumerate(split(statements, LARGEST[kind]), 1):
        yield Guardrail(name if number == 1 else f"{name}-{number}", kind, scope, _document(part))


def split(statements: Sequence[Document], limit: int) -> list[list[Document]]:
    """The statements in as few policies as their order allows, each of at most ``limit`` characters.

    Raises AnsibleOrgTrailError for a statement that does not fit alone.
    """
    parts: list[list[Document]] = []
    for statement in statements:
        if (size := _size([statement])) > limit:
            raise AnsibleOrgTrailError(
                f"The guardrail {statement['Sid']} has {size} characters, expected at most {limit}, AWS's limit for a "
                "policy. Name fewer principals in exempt_principal_arns, or several by one pattern with *."
            )
        if parts and _size([*parts[-1], statement]) <= limit:
            parts[-1].append(statement)
        else:
            parts.append([statement])
    return parts


def _document(statements: Sequence[Document]) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _size(statements: Sequence[Document]) -> int:
    return len(text_of(_document(statements)))
