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

from lab.kernel.call import Call, Principal

SECRETS = frozenset({"SecretAccessKey", "SessionToken", "Password", "SerialNumber", "TokenCode", "ExternalId"})


RECORD_ONLY = {"caller", "host", "answer"}


@dataclass(frozen=True)
class Entry:
    """One call and its outcome: ``ok``, an AWS error code, or ``fault:`` and the fault's name.

    ``caller``, ``host`` (the request's header) and ``answer`` (of a call that CloudTrail shows the answer of) are for
    CloudTrail's record only.
    """

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
    caller: Principal
    host: str = ""
    answer: dict[str, Any] | None = None


@dataclass
class Journal:
    """Every call since the start or the last `clear`. ``history`` is never cleared: it is CloudTrail's own record."""

    entries: list[Entry] = field(default_factory=list)
    history: list[Entry] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def record(self, call: Call, outcome: str, error_message: str = "") -> Entry:
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
            caller=call.principal,
            host=call.headers.get("host", ""),
            answer=call.result if call.writes or call.operation == "AssumeRole" else None,
        )
        with self.lock:
            self.entries.append(entry)
            self.history.append(entry)
        return entry

    def record_service(
        self, service: str, owner: str, region: str, time: datetime, operation: str, **given: str
    ) -> None:
        """A call that an AWS service makes itself, of S3's: CloudTrail's record has it, the calls of clients do not."""
        entry = Entry(
            id=str(uuid.uuid4()),
            time=time,
            account=owner,
            principal=service,
            service="s3",
            operation=operation,
            region=region,
            writes=False,
            parameters=given,
            outcome="ok",
            error_message="",
            source_ip=service,
            user_agent=service,
            caller=Principal(owner, service, ""),
        )
        with self.lock:
            self.history.append(entry)

    def select(self, wanted: dict[str, str]) -> list[dict[str, Any]]:
        """The entries whose fields read as ``wanted`` says. Raises ValueError for an unknown field."""
        names = {field.name for field in fields(Entry)} - RECORD_ONLY
        if unknown := set(wanted) - names:
            raise ValueError(f"A journal entry has the fields {', '.join(sorted(names))}, found {sorted(unknown)}.")
        with self.lock:
            entries = list(self.entries)
        lower = {name: value.lower() for name, value in wanted.items()}
        return [
            {name: getattr(entry, name) for name in names}
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
