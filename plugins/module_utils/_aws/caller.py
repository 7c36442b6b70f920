# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One AWS operation called very often, with other keys each time.

The first attempt goes over plain connections, as `transport` tells. All else is the work of botocore's own parts: its
serializer, Signature Version 4, the client's HTTP session (pool, proxies, certificates, timeouts), its parser, and its
standard retry conditions and backoff.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

with suppress(ImportError):  # AnsibleAWSModule says what is missing
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSResponse, create_request_object, prepare_request_dict
    from botocore.compat import HTTPHeaders
    from botocore.credentials import ReadOnlyCredentials
    from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError
    from botocore.parsers import ResponseParserError, ResponseParserFactory
    from botocore.retries.standard import ExponentialBackoff, RetryContext, StandardRetryConditions
    from botocore.serialize import create_serializer
    from botocore.utils import parse_timestamp

from .answers import NOT_AWS, NoAnswerError, flat_reader, protocol_of, read_answer
from .credentials import UNREADABLE
from .deadline import SlowAnswerError, seconds_for, send_within
from .errors import is_page
from .retry import BUSY
from .signing import PreparedSignature, are_plain
from .transport import Transport
from .untyped import Client, Structure
from .whole_answer import UNKNOWN, as_json, note_unknown, unknown_members

THROTTLED_ATTEMPTS = 12
"""About a minute and a half of patience with an account that is throttled."""

FAILED_ATTEMPTS = 3
"""For server errors and connections that fail: botocore's own number."""


@dataclass(slots=True)
class Answer:
    """AWS's answer: parsed, with times as ISO 8601 text in UTC; or an error code and text; code "" for no answer."""

    parsed: Structure
    code: str = ""
    message: str = ""
    ok: bool = True
    again_after: float | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """A call that AWS did not do: what was called, on what, AWS's error code and text; code "" for no answer."""

    call: str
    target: str
    code: str
    message: str

    def __str__(self) -> str:
        code = f" ({self.code})" if self.code else ""
        return f"{self.call} {self.target}: {self.message.strip().rstrip('.')}{code}."


class Patience:
    """Whether a call of an operation deserves another try, by botocore's own conditions, and after how long."""

    def __init__(self, operation: Any) -> None:
        self._operation = operation
        self._conditions = StandardRetryConditions(max_attempts=THROTTLED_ATTEMPTS)
        self._backoff = ExponentialBackoff()

    def seconds(self, attempt: int, parsed: Structure | None, response: Any, error: Exception | None) -> float | None:
        """Seconds until attempt number ``attempt`` is repeated; None when it is not."""
        context = RetryContext(attempt, self._operation, parsed, response, error)
        busy = (parsed or {}).get("Error", {}).get("Code") in BUSY  # botocore does not know all of them
        garbled = isinstance(error, NoAnswerError | ResponseParserError)
        if not busy and not garbled and not self._conditions.is_retryable(context):
            return None
        throttled = response is not None and response.status_code < 500
        if attempt >= (THROTTLED_ATTEMPTS if throttled else FAILED_ATTEMPTS):
            return None
        return float(self._backoff.delay_amount(context))


class ClientCaller:
    """One operation by a boto3 client with the client's own credentials, which botocore renews when it has to.

    The client is one that makes a single attempt: botocore's own retries would count twice.
    """

    def __init__(self, client: Client, operation: str) -> None:
        methods = client.meta.method_to_api_mapping.items()
        self._method = getattr(client, next(method for method, name in methods if name == operation))
        self._patience = Patience(client.meta.service_model.operation_model(operation))

    def __call__(self, attempt: int, **parameters: Any) -> Answer:
        try:
            return Answer(_with_text_times(self._method(**parameters)))
        except NoAnswerError as error:
            return unanswered(error, self._patience.seconds(attempt, None, None, error))
        except ClientError as error:
            parsed = error.response
            metadata = parsed.get("ResponseMetadata", {})
            headers = HTTPHeaders.from_dict(metadata.get("HTTPHeaders", {}))
            response = AWSResponse("", metadata.get("HTTPStatusCode", 400), headers, None)
            return failed(parsed, self._patience.seconds(attempt, parsed, response, None))
        except (
            BotoCoreError,
            ResponseParserError,
        ) as error:  # the latter of old botocore, which parses before the door
            return unanswered(error, self._patience.seconds(attempt, None, None, error))


class Caller:
    """One operation in the region of a boto3 client, with some parameters; it may be used by many threads.

    The client is one that makes a single attempt: botocore's own retries would count twice. notes_unknown: whether the
    answers tell, by ``UNKNOWN``, what the installed botocore does not know; for protocols of JSON.
    """

    def __init__(self, client: Client, operation: str, *, notes_unknown: bool = False, **parameters: Any) -> None:
        model = client.meta.service_model
        protocol = protocol_of(model)
        parsers = ResponseParserFactory()
        parsers.set_parser_defaults(timestamp_parser=iso_time)
        self._operation = model.operation_model(operation)
        self._parser = parsers.create_parser(protocol)
        self._read_flat = flat_reader(self._operation, iso_time)
        self._protocol = protocol
        self._boto3 = client
        # Not the client's region: a service with one endpoint in a partition has one region for signatures.
        self._signing = (model.signing_name, client._request_signer.region_name)
        self._client = ClientCaller(client, operation)
        self._notes_unknown = notes_unknown
        if notes_unknown:
            note_unknown(client, operation)
        self._parameters = parameters
        self._patience = Patience(self._operation)
        self._transport = Transport(client)
        self._signature = PreparedSignature(self._new_request, *self._signing)
        self._sent = self._new_request().prepare()
        self._target = urlsplit(self._sent.url)._replace(scheme="", netloc="").geturl() or "/"
        self._headers = {name: _as_text(value) for name, value in self._sent.headers.items()}

    def _new_request(self, **more: Any) -> Any:
        """botocore's request without a signature. Raises BotoCoreError for further parameters that cannot be."""
        serializer = create_serializer(self._protocol, include_validation=bool(more))
        request = serializer.serialize_to_request({**self._parameters, **more}, self._operation)
        prepare_request_dict(request, self._boto3.meta.endpoint_url, user_agent=self._boto3.meta.config.user_agent)
        return create_request_object(request)

    def __call__(self, keys: ReadOnlyCredentials | None, attempt: int, **more: Any) -> Answer:
        """Call once with an account's keys, or with the client's own, and with further parameters.

        attempt counts from 1; an answer that deserves another try says after how many seconds.
        """
        signing = keys or own_keys(self._boto3)
        if attempt > 1 or not self._transport.ready or not signing or not are_plain(signing):
            return self._call_by_botocore(keys, attempt, **more)
        try:
            body = self._new_request(**more).body if more else self._sent.body
        except BotoCoreError as error:
            return unanswered(error, None)
        time_now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        headers = {
            **self._headers,
            **self._signature.headers(signing, time_now, body),
            "Content-Length": str(len(body)),
        }
        try:
            response = self._transport.send(self._sent.method, self._target, headers, body)
        except SlowAnswerError as error:
            return unanswered(error, None)
        except Exception as error:  # of sockets, TLS, http.client and urllib3
            closed = ConnectionClosedError(endpoint_url=self._sent.url, error=error)
            return unanswered(closed, self._patience.seconds(attempt, None, None, closed))
        flat = response.status == 200 and not self._notes_unknown
        parsed = self._read_flat(response.body) if flat else None
        if parsed is not None:
            return Answer(parsed)
        return self._judge(response.status, response.headers, response.body, attempt)

    def cut_slow(self) -> None:
        """End calls whose answer is not there in time; to be called now and then."""
        self._transport.cut_slow()

    def _call_by_botocore(self, keys: ReadOnlyCredentials | None, attempt: int, **more: Any) -> Answer:
        if keys is None:
            return self._client(attempt, **self._parameters, **more)
        request = self._new_request(**more)
        SigV4Auth(keys, *self._signing).add_auth(request)
        session = self._boto3._endpoint.http_session  # the only way to what botocore configured
        try:
            response = send_within(seconds_for(self._boto3), session, request.prepare())
            body = response.content
        except BotoCoreError as error:
            return unanswered(error, self._patience.seconds(attempt, None, None, error))
        return self._judge(response.status_code, response.headers, body, attempt)

    def _judge(self, status: int, headers: Any, body: bytes, attempt: int) -> Answer:
        """What botocore and the check of answers make of a response."""
        raw = {"status_code": status, "headers": headers, "body": body}
        try:
            parsed = read_answer(self._parser, self._operation, raw)
        except NoAnswerError as error:
            return unanswered(error, self._patience.seconds(attempt, None, None, error))
        if status < 300:
            if self._notes_unknown:
                parsed[UNKNOWN] = unknown_members(self._operation.output_shape, as_json(body))
            return Answer(parsed)
        response = AWSResponse(self._sent.url, status, headers, None)
        return failed(parsed, self._patience.seconds(attempt, parsed, response, None))


def own_keys(client: Client) -> ReadOnlyCredentials | None:
    """A client's own keys, renewed when they have to be; None when there are none or botocore cannot get them."""
    try:
        keys = client._request_signer._credentials  # botocore has no public way to them
        return keys and keys.get_frozen_credentials()
    except (AttributeError, BotoCoreError, *UNREADABLE):
        return None


def _as_text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")


def unanswered(error: Exception, again_after: float | None) -> Answer:
    """No answer of AWS: none at all, or a text that only a proxy can have sent."""
    garbled = NOT_AWS if isinstance(error, ResponseParserError) else str(error)
    text = error.sentence if isinstance(error, NoAnswerError) else garbled
    return Answer({}, "", text, False, again_after)


def failed(parsed: Structure, again_after: float | None) -> Answer:
    """The answer of a refused call, from botocore's parsed error."""
    error = parsed.get("Error", {})
    status = parsed.get("ResponseMetadata", {}).get("HTTPStatusCode", "")
    code, message = str(error.get("Code") or status), str(error.get("Message") or "")
    return Answer({}, code, NOT_AWS if is_page(code, message) else message, False, again_after)


@lru_cache(maxsize=1024)
def iso_time(value: Any) -> str:
    """A timestamp of an answer, epoch seconds or text, as ISO 8601 in UTC."""
    seconds = float(value if isinstance(value, int | float) else parse_timestamp(value).timestamp())
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _with_text_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_text_times(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_with_text_times(one) for one in value]
    return iso_time(value.timestamp()) if hasattr(value, "timestamp") else value
