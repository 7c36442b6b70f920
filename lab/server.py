# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's web server: parse the call, who is it, fault, may it, answer (ours or moto's), journal."""

from __future__ import annotations

import contextlib
import importlib
import json
import socket
import struct
import time
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from moto.core.request import Request
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

from lab import control
from lab.authorizer import authorize
from lab.call import Call, LabError, parse_call, rewind
from lab.faults import error_for
from lab.regions import send_to_endpoint
from lab.service import ANSWERS, GUARDS
from lab.world import World

SERVICES = ("account", "cloudtrail", "ec2", "iam", "kms", "organizations", "s3", "sts")
"""The files that register answers and guards with `lab.service`."""

TIMEOUT_SECONDS = 3600


class ConnectionDropped(Exception):
    """The client's connection was closed on purpose; there is nobody to answer."""


class RequestHandler(MotoRequestHandler):
    """Keep-alive, no request log, and no traceback for connections that a fault has closed."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass

    def run_wsgi(self) -> None:
        try:
            super().run_wsgi()
        except (ConnectionDropped, ConnectionError):
            self.close_connection = True


class LabApplication:
    """The WSGI application: everything that reaches the lab's port."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.moto = DomainDispatcherApplication(create_backend_app)
        for service in SERVICES:
            importlib.import_module(f"lab.{service}")

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ, populate_request=False)
        if request.path.startswith("/lab/"):
            status, value = control.handle(self.world, request)
            body = json.dumps(value, default=as_text).encode()
            return respond(start_response, status, {"Content-Type": "application/json"}, body)
        call = parse_call(request, self.world.now())
        if call is None:
            return list(self.moto(environ, start_response))
        if self.world.latency_ms:
            time.sleep(self.world.latency_ms / 1000)
        return respond(start_response, *self.answer(call, request))

    def answer(self, call: Call, request: Request) -> tuple[int, dict[str, str], bytes]:
        """The call's answer, after its fault if it has one. Every call by a known key is journalled."""
        try:
            call.principal = self.world.principal(call.access_key, call.service)
        except LabError as error:
            return call.serialize(error)
        fault = self.world.faults.for_call(call)
        if fault and fault != "lost_reply":
            self.world.journal.record(call, f"fault:{fault}")
            if fault in ("reset", "timeout"):
                drop(request, after=TIMEOUT_SECONDS if fault == "timeout" else 0)
            return call.serialize(error_for(fault, call))
        answer, outcome, message = self.perform(call, request)
        self.world.journal.record(call, f"fault:{fault}" if fault else outcome, message)
        if fault:
            drop(request)
        return answer

    def perform(self, call: Call, request: Request) -> tuple[tuple[int, dict[str, str], bytes], str, str]:
        """The answer of ours or moto's, with its outcome for the journal."""
        try:
            send_to_endpoint(self.world, call)
            authorize(self.world, call)
            for guard in GUARDS.get(call.service, []):
                guard(self.world, call)
            ours = ANSWERS.get((call.service, call.operation))
            if ours is None:
                return self.from_moto(call, request)
            with self.world.lock:
                return call.serialize(ours(self.world, call)), "ok", ""
        except LabError as error:
            return call.serialize(error), error.code, error.message

    def from_moto(self, call: Call, request: Request) -> tuple[tuple[int, dict[str, str], bytes], str, str]:
        rewind(request)
        request.environ["HTTP_X_MOTO_ACCOUNT_ID"] = call.principal.account
        captured: list[Any] = []
        body = b"".join(self.moto(request.environ, lambda status, headers, *_: captured.extend((status, headers))))
        status, headers = int(captured[0].split()[0]), dict(captured[1])
        outcome, message = ("ok", "") if status < 400 else error_of(call, status, headers, body)
        return (status, headers, body), outcome, message


def error_of(call: Call, status: int, headers: dict[str, str], body: bytes) -> tuple[str, str]:
    """Code and message of moto's error answer, read as botocore reads it."""
    from botocore.parsers import create_parser

    parser = create_parser("json" if call.protocol == "json" else call.protocol)
    try:
        parsed = parser.parse({"status_code": status, "headers": headers, "body": body}, call.model.output_shape)
        return parsed["Error"].get("Code") or str(status), parsed["Error"].get("Message") or ""
    except Exception:  # an answer that botocore cannot read is journalled by its status
        return str(status), ""


def respond(start_response: Any, status: int, headers: dict[str, str], body: bytes) -> list[bytes]:
    kept = [(name, str(value)) for name, value in headers.items() if name.lower() != "content-length"]
    if "content-length" in {name.lower() for name in headers} and not body:  # HEAD answers carry the object's length
        kept = [(name, str(value)) for name, value in headers.items()]
    else:
        kept.append(("Content-Length", str(len(body))))
    start_response(f"{status} {'OK' if status < 400 else 'Error'}", kept)
    return [body]


def drop(request: Request, after: float = 0) -> None:
    """Reset the client's connection, for ``timeout`` after waiting. Always raises ConnectionDropped."""
    connection: socket.socket = request.environ["werkzeug.socket"]
    if after:
        connection.settimeout(after)
        with contextlib.suppress(OSError):
            connection.recv(1)  # returns as soon as the client gives up
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    raise ConnectionDropped


def as_text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def make_lab_server(world: World, port: int) -> BaseWSGIServer:
    """A threaded server on the loopback address; port 0 takes a free one."""
    return make_server("127.0.0.1", port, LabApplication(world), threaded=True, request_handler=RequestHandler)
