# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was called: the lab's memory, from which tests prove behaviour and LookupEvents answers."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, fields
from datetime import datetime
from threading import Lock
from typing import Any

from lab.kernel.call import Call

SECRETS = frozenset({"SecretAccessKey", "SessionToken", "Password", "SerialNumber", "TokenCode", "ExternalId"})


@dataclass(frozen=True)
class Entry:
    """One call and its outcome: ``ok``, an AWS error code, or ``fault:`` and the fault's name."""

    id: str
    time: datetime
    account: str
    principal: str
    service: str
    operation: str
    region: str
    writes: bool
    parameters: dict[str, Any]
    outcome: str
    error_message: str
    source_ip: str
    user_agent: str


@dataclass
class Journal:
    """Every call since the start or the last `clear`. ``history`` is never cleared: it is CloudTrail's own record."""

    entries: list[Entry] = field(default_factory=list)
    history: list[Entry] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def record(self, call: Call, outcome: str, error_message: str = "") -> None:
        entry = Entry(
            id=str(uuid.uuid4()),
            time=call.time,
            account=call.principal.account,
            principal=call.principal.arn,
            service=call.service,
            operation=call.operation,
            region=call.region,
            writes=call.writes,
            parameters=without_secrets(call.parameters),
            outcome=outcome,
            error_message=error_message,
            source_ip=call.source_ip,
            user_agent=call.headers.get("user-agent", ""),
        )
        with self.lock:
            self.entries.append(entry)
            self.history.append(entry)

    def select(self, wanted: dict[str, str]) -> list[dict[str, Any]]:
        """The entries whose fields read as ``wanted`` says. Raises ValueError for an unknown field."""
        names = {field.name for field in fields(Entry)}
        if unknown := set(wanted) - names:
            raise ValueError(f"A journal entry has the fields {', '.join(sorted(names))}, found {sorted(unknown)}.")
        with self.lock:
            entries = list(self.entries)
        lower = {name: value.lower() for name, value in wanted.items()}
        return [
            vars(entry)
            for entry in entries
            if all(str(getattr(entry, name)).lower() == value for name, value in lower.items())
        ]

    def clear(self) -> None:
        with self.lock:
            self.entries.clear()


def without_secrets(value: Any) -> Any:
    """A JSON-ready copy of parameters with secrets and bodies left out."""
    if isinstance(value, dict):
        return {k: "(hidden)" if k in SECRETS else without_secrets(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [without_secrets(item) for item in value]
    if isinstance(value, bytes):
        return f"({len(value)} bytes)"
    if isinstance(value, datetime):
        return value.isoformat()
    return value
