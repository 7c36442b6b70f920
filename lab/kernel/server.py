# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's web server: parse the call, who is it, fault, may it, answer (ours or moto's), journal."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import socket
import struct
import sys
import time
import traceback
import warnings
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from http import HTTPStatus
from typing import Any

from botocore.parsers import create_parser
from moto.core.exceptions import ServiceException
from moto.core.parse import RequestParserError
from moto.core.request import Request
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.exceptions import HTTPException
from werkzeug.serving import BaseWSGIServer, make_server

from lab.kernel import control
from lab.kernel.call import Answered, Call, LabError, asked_for, parse_call, rewind, unknown_operation
from lab.kernel.faults import DONE, WAITING, error_for
from lab.kernel.regions import endpoint_region, refuse_region
from lab.kernel.service import ANSWERS, GUARDS
from lab.kernel.shapes import problems
from lab.kernel.world import World
from lab.services.events.feed import feed
from lab.services.iam.authorizer import authorize

REGISTERING = (
    "kernel.rates",
    "services.account",
    "services.ce",
    "services.cloudtrail.api",
    "services.ec2",
    "services.events.api",
    "services.iam.api",
    "services.kms",
    "services.organizations.api",
    "services.organizations.policies",
    "services.organizations.service_access",
    "services.organizations.tree",
    "services.resourcegroupstaggingapi",
    "services.s3",
    "services.sns",
    "services.sqs",
    "services.sts",
)
"""The files that register answers and guards with `lab.kernel.service`."""

TIMEOUT_SECONDS = 3600
BACKLOG = 128


class ConnectionDropped(Exception):
    """The client's connection was closed on purpose; there is nobody to answer."""


class RequestHandler(MotoRequestHandler):
    """Answers many requests on one connection, as AWS does; werkzeug's own handler closes after each."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass

    def run_wsgi(self) -> None:
        self.environ = environ = self.make_environ()
        # The whole body first: what is left unread would be taken for the next request.
        environ["wsgi.input"] = io.BytesIO(self.read_body(environ))
        try:
            self.send(*collect(self.server.app, environ))
        except (ConnectionDropped, ConnectionError):
            self.close_connection = True

    def read_body(self, environ: dict[str, Any]) -> bytes:
        if environ.pop("wsgi.input_terminated", False):  # sent in chunks
            body = bytes(environ["wsgi.input"].read())
            environ["CONTENT_LENGTH"] = str(len(body))
            return body
        return bytes(self.rfile.read(int(environ.get("CONTENT_LENGTH") or 0)))

    def send(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """Write an answer in one piece. The answer to HEAD has the length of a body, but none."""
        bodiless = self.command == "HEAD" or status in (204, 304)
        lengths = [value for name, value in headers if name.lower() == "content-length"]
        length = lengths[0] if bodiless and lengths else str(len(body))
        kept = [(name, value) for name, value in headers if name.lower() not in PER_CONNECTION]
        if status != 204:
            kept.append(("Content-Length", length))
        lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Unknown')}", *(f"{name}: {value}" for name, value in kept)]
        head = "\r\n".join(lines) + "\r\n\r\n"
        self.wfile.write(head.encode("latin-1") + (b"" if bodiless else body))


PER_CONNECTION = ("connection", "content-length", "transfer-encoding")
REASONS = {status.value: status.phrase for status in HTTPStatus}


def collect(application: Any, environ: dict[str, Any]) -> Answered:
    """Call a WSGI application: status, headers, and the whole body."""
    captured: list[Any] = []
    body = b"".join(application(environ, lambda status, headers, *_: captured.extend((status, headers))))
    return int(captured[0].split()[0]), [(name, str(value)) for name, value in captured[1]], body


class LabApplication:
    """The WSGI application: everything that reaches the lab's port."""

    def __init__(self, world: World) -> None:
        # moto warns of each error code that the service's model does not name, and AWS has such codes.
        warnings.filterwarnings("ignore", message=".*does not match an error shape")
        self.world = world
        self.moto = DomainDispatcherApplication(create_backend_app)
        # It would list moto's folders for each call, twice, which takes longer than the answer.
        self.moto.get_backend_for_host = cache(self.moto.get_backend_for_host)
        for name in REGISTERING:
            importlib.import_module(f"lab.{name}")

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        status, headers, body = self.handle(environ)
        start_response(f"{status} {REASONS.get(status, 'Unknown')}", headers)
        return [body]

    def handle(self, environ: dict[str, Any]) -> Answered:
        request = Request(environ, populate_request=False)
        if request.path.startswith("/lab/"):
            status, value = control.handle(self.world, request)
            return status, [("Content-Type", "application/json")], json.dumps(value, default=as_text).encode()
        try:
            call = parse_call(request, self.world.now())
        except (RequestParserError, ValueError) as error:
            return 400, [], f"The lab cannot read this request: {error}".encode()
        if call is None:
            return self.from_others(request)
        if self.world.latency_ms:
            time.sleep(self.world.latency_ms / 1000)
        return self.answer(call, request)

    def from_others(self, request: Request) -> Answered:
        """The answer to what is no call of a service that the lab knows: moto's own pages, or an AWS error."""
        service, operation = asked_for(request)
        if service:
            print(f"lab: {service} has no operation {operation} here", file=sys.stderr)
            return unknown_operation(request)
        return collect(self.moto, request.environ)

    def answer(self, call: Call, request: Request) -> Answered:
        """The call's answer, after its fault if it has one. Every call by a known key is journalled."""
        try:
            call.principal = self.world.principal(call.access_key, call.service)
        except LabError as error:
            return call.serialize(error)
        asked_region, call.region = call.region, endpoint_region(self.world, call)
        fault = self.world.faults.for_call(call)
        patience = TIMEOUT_SECONDS if fault in WAITING else 0
        if fault and fault not in DONE:
            self.world.journal.record(call, f"fault:{fault}")
            if fault in ("reset", "timeout"):
                drop(request, after=patience)
            return call.serialize(error_for(fault, call))
        trails = list(self.world.trails.by_arn.values())
        answer, outcome, message = self.perform(call, asked_region, request)
        entry = self.world.journal.record(call, f"fault:{fault}" if fault else outcome, message)
        with self.world.lock:
            feed(self.world, entry, trails)
        if fault:
            drop(request, after=patience)
        return answer

    def perform(self, call: Call, asked_region: str, request: Request) -> tuple[Answered, str, str]:
        """The answer of ours or moto's, with its outcome for the journal."""
        try:
            with self.world.lock:
                refuse_region(self.world, call, asked_region)
                authorize(self.world, call)
                for guard in GUARDS.get(call.service, []):
                    guard(self.world, call)
                ours = ANSWERS.get((call.service, call.operation))
                if ours is not None:
                    call.result = self.checked(call, ours(self.world, call))
                    return call.serialize(call.result), "ok", ""
            return self.from_moto(call, request)
        except LabError as error:
            return call.serialize(error), error.code, error.message
        except (
            HTTPException,
            ServiceException,
        ) as error:  # what moto's backends raise when an answer of ours calls them
            translated = as_lab_error(error)
            return call.serialize(translated), translated.code, translated.message
        except Exception as error:
            traceback.print_exc()
            failure = LabError("InternalFailure", f"The lab has failed: {error}", 500)
            return call.serialize(failure), failure.code, failure.message

    def checked(self, call: Call, result: dict[str, Any]) -> dict[str, Any]:
        """The result. With ``--check-answers`` one that the model does not allow raises ValueError."""
        if self.world.check_answers and (wrong := list(problems(call.model.output_shape, result))):
            raise ValueError(f"{call.service}:{call.operation}: {' '.join(wrong)}")
        return result

    def moto_has(self, request: Request) -> bool:
        """Whether moto has the service that a request is for."""
        try:
            self.moto.get_application(request.environ)
        except Exception:  # it fails in several ways, none of them made for this
            return False
        return True

    def from_moto(self, call: Call, request: Request) -> tuple[Answered, str, str]:
        rewind(request)
        request.environ["HTTP_X_MOTO_ACCOUNT_ID"] = call.principal.account
        if not self.moto_has(request):
            raise unknown(call)
        try:
            status, headers, body = collect(self.moto, request.environ)
        except NotImplementedError as error:
            raise unknown(call) from error
        if status == 501 or (status == 404 and body.lstrip().lower().startswith(b"<!doctype html")):
            raise unknown(call)
        outcome, message = ("ok", "") if status < 400 else error_of(call, status, dict(headers), body)
        if outcome == "ok" and call.writes:
            call.result = parsed_answer(call, status, dict(headers), body)
        return (status, headers, body), outcome, message


def unknown(call: Call) -> LabError:
    """AWS's error for an operation that does not exist; the lab's log says what was asked for."""
    print(f"lab: {call.service} has no operation {call.operation} here", file=sys.stderr)
    code = "InvalidAction" if call.protocol in ("query", "ec2") else "UnknownOperationException"
    return LabError(code, f"The operation {call.operation} is unknown here.", 400)


def as_lab_error(error: HTTPException | ServiceException) -> LabError:
    """moto's older errors are HTTPExceptions with the AWS code in ``error_type``."""
    if isinstance(error, HTTPException):
        return LabError(getattr(error, "error_type", error.name), str(getattr(error, "message", "")), error.code)
    return LabError(str(error.code), str(error.message))


def parsed_answer(call: Call, status: int, headers: dict[str, str], body: bytes) -> dict[str, Any] | None:
    """moto's answer as botocore reads it, None when botocore cannot."""
    try:
        answer: dict[str, Any] = create_parser(call.protocol).parse(
            {"status_code": status, "headers": headers, "body": body}, call.model.output_shape
        )
    except Exception:  # it fails in several ways, as an answer may be wrong in many
        return None
    return answer


def error_of(call: Call, status: int, headers: dict[str, str], body: bytes) -> tuple[str, str]:
    """Code and message of moto's error answer, read as botocore reads it."""
    parsed = parsed_answer(call, status, headers, body) or {}
    error = parsed.get("Error") or {}
    return error.get("Code") or str(status), error.get("Message") or ""  # the status, where botocore cannot read it


def drop(request: Request, after: float = 0) -> None:
    """Reset the client's connection, after waiting for it to give up if asked to. Always raises ConnectionDropped."""
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
    """A server with a thread for each connection, on the loopback address; port 0 takes a free one.

    Raises OSError when the port is taken.
    """
    listener = socket.create_server(("127.0.0.1", port), backlog=BACKLOG)
    application = LabApplication(world)
    return make_server(
        "127.0.0.1", port, application, threaded=True, request_handler=RequestHandler, fd=listener.detach()
    )
