# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's own HTTP interface under ``/lab``: faults, journal, delivery, options, members, events, keys, time,
and what Cost Explorer tells (`lab.services.ce`).

``GET /lab/journal`` takes fields of an entry as query, for example ``?service=sts&writes=true``.
``POST /lab/roles`` with ``{"name": …, "trust": …, "policy": …}`` makes a role in every member, and in each that comes
later, as a service-managed StackSet does; it answers their ids.
``POST /lab/linked`` with ``{"account": id}`` answers keys of CloudTrail's service-linked role in that account, which in
AWS only CloudTrail has.
``POST /lab/root`` with ``{"account": id}`` answers access keys of that account's root user.
``GET /lab/operations`` lists every service, operation and outcome since the start, each once.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.core.request import Request

from lab.kernel.world import World
from lab.services.cloudtrail import delivery, members
from lab.services.events import feed
from lab.services.iam import api as iam
from lab.services.organizations.api import organization


def handle(world: World, request: Request) -> tuple[int, Any]:
    """Status and JSON answer of a request to ``/lab/…``; 400 with one sentence when the request is wrong."""
    what = request.path.removeprefix("/lab/")
    try:
        body = json.loads(request.get_data() or b"null")
        if (request.method, what) == ("GET", "journal"):
            return 200, world.journal.select(dict(request.args))
        with world.lock:
            return 200, answer(world, request.method, what, body)
    except KeyError as error:
        return 400, {"error": f"The lab's {what} needs the field {error}."}
    except (ValueError, TypeError) as error:
        return 400, {"error": str(error)}


def answer(world: World, method: str, what: str, body: Any) -> Any:
    match method, what:
        case "DELETE", "journal":
            world.journal.clear()
            return []
        case "POST", "faults":
            world.faults.replace(body or [])
            return [asdict(rule) for rule in world.faults.rules]
        case "GET", "faults":
            return [asdict(rule) for rule in world.faults.rules]
        case "GET" | "POST", "options":
            return world.options.change(body or {})
        case "POST", "deliver":
            return delivery.deliver(world, **{"hours": 1, **(body or {})})
        case _, "members":
            return members.answer(world, method, body)
        case "POST", "linked" | "root" | "roles":
            return iam_answer(world, what, body)
        case "POST", "events":
            return {"id": feed.inject(world, **body)}
        case "GET", "operations":
            return sorted({(entry.service, entry.operation, entry.outcome) for entry in world.journal.history})
        case "POST", "usage":
            world.usage = body or {}
            return world.usage
        case "GET" | "POST", "time":
            move_clock(world, body or {} if method == "POST" else {"hours": 0})
            return {"time": world.now()}
    raise ValueError(f"The lab has no {method} /lab/{what}.")


def iam_answer(world: World, what: str, body: dict[str, Any]) -> Any:
    """Keys of an account's service-linked role or root user, or the ids of the members that a role was made in."""
    if what == "linked":
        return iam.make_linked_keys(world, body["account"])
    if what == "root":
        return iam.make_root_keys(world, body["account"])
    org = organization(world)
    members = set(org.accounts) - {org.management_account} if org else set()
    return iam.make_in_members(world, members, body["name"], body["trust"], body["policy"])


def move_clock(world: World, body: dict[str, Any]) -> None:
    """Move the clock forward by ``{"hours": n}`` or to ``{"to": ISO 8601}``."""
    if "to" in body:
        world.clock_offset = datetime.fromisoformat(body["to"]).astimezone(UTC) - datetime.now(UTC)
    else:
        world.clock_offset += timedelta(hours=float(body["hours"]))
