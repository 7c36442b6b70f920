# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One AWS API call, as the lab sees it: who calls which operation where, with which parameters."""

from __future__ import annotations

import base64
import io
import json
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from typing import Any

from botocore.exceptions import UnknownServiceError
from moto.core.exceptions import ServiceException
from moto.core.model import OperationModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import NotFound, get_service_router
from moto.core.serialize import SerializationContext, get_serializer_class
from moto.core.utils import get_service_model

SERVICE_OF_SIGNING_NAME = {"monitoring": "cloudwatch", "email": "ses", "tagging": "resourcegroupstaggingapi"}
"""Signing names that differ from the name of botocore's service model, of services that the lab has."""

Answered = tuple[int, list[tuple[str, str]], bytes]
"""Status, headers and body of an HTTP answer."""

REQUEST_ID_HEADER = {"s3": "x-amz-request-id"}

READ_VERBS = ("Get", "List", "Describe", "Lookup", "Head", "Assume", "Simulate", "Select", "Search")


class LabError(ServiceException):
    """An AWS error answer: ``LabError(code, message)``; the status comes from the service model, or is given."""

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        super().__init__(code, message)
        self.status = status
        self.Reason: str | None = None  # a member of some of Organizations' errors, under its own name


@dataclass(frozen=True)
class Principal:
    """Who calls: an IAM user or a role's session in one account.

    ``role`` is the role's name for a session; ``arn`` and ``user_id`` are what GetCallerIdentity answers. ``since`` and
    ``expires`` are a session's. An AWS service that calls has its name in place of an ARN.
    """

    account: str
    arn: str
    access_key: str
    role: str | None = None
    session_policies: tuple[str, ...] = ()
    expires: datetime | None = None
    user_id: str = ""
    since: datetime | None = None


@dataclass
class Call:
    """One call after parsing. ``parameters`` have the names and types of botocore's input shape, and so has ``result``,
    what it was answered, None for an error.
    """

    service: str
    operation: str
    region: str
    access_key: str
    parameters: dict[str, Any]
    time: datetime
    model: OperationModel
    protocol: str
    headers: dict[str, str]
    source_ip: str
    principal: Principal = field(init=False)
    result: dict[str, Any] | None = None

    @property
    def account(self) -> str:
        return self.principal.account

    @property
    def writes(self) -> bool:
        """True when the operation's verb says that it changes something."""
        return not self.operation.startswith(READ_VERBS)

    def serialize(self, result: dict[str, Any] | Exception) -> Answered:
        """Status, headers and body of the answer in the service's own protocol."""
        if self.protocol == "json" and isinstance(result, dict):  # a third of the time that moto's serializer takes
            headers = [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-RequestId", str(uuid.uuid4()))]
            return 200, headers, json.dumps(plain(result)).encode()
        context = SerializationContext(request_id=str(uuid.uuid4()))
        serializer = get_serializer_class(self.service, self.protocol)(self.model, context)
        answer = serializer.serialize(result)
        body = answer["body"]
        status = getattr(result, "status", None) or answer["status_code"]
        headers = [(name, str(value)) for name, value in answer["headers"].items()]
        headers.append((REQUEST_ID_HEADER.get(self.service, "x-amzn-RequestId"), context.request_id or ""))
        return status, headers, body.encode() if isinstance(body, str) else body


def plain(value: Any) -> Any:
    """A value as the JSON protocol writes it: without what is None, times as seconds since 1970."""
    if isinstance(value, dict):
        return {name: plain(member) for name, member in value.items() if member is not None}
    if isinstance(value, list | tuple):
        return [plain(member) for member in value]
    if isinstance(value, datetime):
        return round(value.timestamp(), 3)
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def credential_scope(request: Request) -> tuple[str, str, str] | None:
    """Access key, region and signing name from a request's signature (header or query), None when unsigned."""
    header = request.headers.get("Authorization", "")
    scope = header.split("Credential=")[1].split(",")[0] if "Credential=" in header else ""
    scope = scope or request.args.get("X-Amz-Credential", "")
    parts = scope.strip().split("/")
    return (parts[0], parts[2], parts[3]) if len(parts) == 5 else None


def parse_call(request: Request, time: datetime) -> Call | None:
    """The AWS call in a request; None when it is unsigned or none of a service's operations that botocore knows.

    Raises RequestParserError or ValueError for a body that cannot be read.
    """
    body = request.get_data(cache=True)  # first: werkzeug's form parser would eat it
    scope = credential_scope(request)
    if scope is None:
        return None
    access_key, region, signing_name = scope
    service = SERVICE_OF_SIGNING_NAME.get(signing_name, signing_name)
    try:
        service_model = get_service_model(service)
        operation, uri_parameters = find_operation(service, request)
        protocol = determine_request_protocol(service_model, request.content_type)
    except (NotFound, KeyError, ValueError, ModuleNotFoundError, NotImplementedError, UnknownServiceError):
        return None
    if protocol == "json" and body:
        json.loads(body)  # moto takes what is no JSON for an empty request
    parsed = PROTOCOL_PARSERS[protocol](operation).parse(
        {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": body,
            "url_path": request.path,
            "url_params": uri_parameters,
        }
    )
    return Call(
        service=service,
        operation=operation.name,
        region=region,
        access_key=access_key,
        parameters=dict(parsed),
        time=time,
        model=operation,
        protocol=protocol,
        headers={name.lower(): value for name, value in request.headers.items()},
        source_ip=request.remote_addr or "127.0.0.1",
    )


def find_operation(service: str, request: Request) -> tuple[OperationModel, dict[str, Any]]:
    """The operation that a request names, and what stands in its path.

    botocore sends ``X-Amz-Target`` with the service's long name, clients in other languages with the name of its
    model (``CloudTrail_20131101.CreateTrail``); AWS takes both. Raises NotFound, KeyError or ValueError.
    """
    try:
        operation: tuple[OperationModel, dict[str, Any]] = get_service_router(service).match(request)
    except NotFound:
        name = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
        model = get_service_model(service)
        if name not in model.operation_names:
            raise
        return model.operation_model(name), {}
    return operation


def asked_for(request: Request) -> tuple[str, str]:
    """Signing name and operation of a request that is no call of the lab's; method and path for an operation's name."""
    scope = credential_scope(request)
    target = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
    return scope[2] if scope else "", target or request.values.get("Action") or f"{request.method} {request.path}"


def unknown_operation(request: Request) -> Answered:
    """AWS's answer to an operation that does not exist, in the protocol that the request seems to have."""
    _service, operation = asked_for(request)
    message = f"The operation {operation} is unknown here."
    if "Action" in request.values:
        error = f"<Error><Type>Sender</Type><Code>InvalidAction</Code><Message>{escape(message)}</Message></Error>"
        page = f"<ErrorResponse>{error}<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
        return 400, [("Content-Type", "text/xml")], page.encode()
    if request.headers.get("smithy-protocol") == "rpc-v2-cbor":
        pairs = {"__type": "UnknownOperationException", "message": message}
        map_of_two = b"".join([b"\xa2", *(cbor_text(text) for pair in pairs.items() for text in pair)])
        return 400, [("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")], map_of_two
    body = json.dumps({"__type": "UnknownOperationException", "message": message})
    headers = [("Content-Type", "application/json"), ("x-amzn-ErrorType", "UnknownOperationException")]
    return 400 if "X-Amz-Target" in request.headers else 404, headers, body.encode()


def cbor_text(text: str) -> bytes:
    """A text of at most 65,535 bytes in CBOR (RFC 8949, major type 3)."""
    data = text.encode()
    return b"\x79" + len(data).to_bytes(2) + data


def rewind(request: Request) -> None:
    """Give the request's body back to whoever reads the WSGI input next (moto)."""
    body = request.get_data(cache=True)
    request.environ["wsgi.input"] = io.BytesIO(body)
    request.environ["CONTENT_LENGTH"] = str(len(body))
