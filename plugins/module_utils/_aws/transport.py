# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain keep-alive connections to the endpoint of a boto3 client, for calls that are made very often.

How the coverage makes hundreds of thousands of calls, from here upwards:

- A call of boto3's client costs about 2 ms of processor time, one of botocore's parts about 0.8 ms, most of it in
  objects for requests, headers and answers. A call over these connections costs 0.3 ms: `signing` prepares all of the
  signature that keys and time do not change, and ``http.client`` sends and reads.
- The connections are those that the client's own HTTP session makes, so certificates, timeouts and socket options
  are botocore's. Behind a proxy there are none, and botocore sends.
- `caller` takes from here only what is simple: the first attempt at a call, and its answer when that is whole, has
  status 200 and members of the right types (``answers.flat_reader``). Every other answer goes to botocore's parser,
  the check of `answers`, and botocore's conditions for another try; every further attempt is sent by botocore. So an
  error means what it means there.
- ``_work.fanout`` has as many calls under way as do good, and ``_work.processes`` gives each processor a process.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage
from typing import Any

with suppress(ImportError):  # AnsibleAWSModule says what is missing
    from urllib3.util import is_connection_dropped

from .deadline import SlowAnswerError, seconds_for
from .untyped import Client

MOST_IDLE = 12
"""Connections that are kept for the next call. There are two endpoints for a region at most, so these and 512 in use
are fewer than the 1,024 files that a process may usually open."""


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer of HTTP."""

    status: int
    headers: HTTPMessage
    body: bytes


class Transport:
    """Sends requests to one endpoint, for many threads. ``ready`` tells whether it can: not through a proxy."""

    def __init__(self, client: Client) -> None:
        self._url = client.meta.endpoint_url
        self._seconds = seconds_for(client)
        self._pool = connection_pool(client._endpoint.http_session, self._url)
        self._idle: list[Any] = []
        self._under_way: dict[Any, float] = {}

    @property
    def ready(self) -> bool:
        return self._pool is not None

    def send(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Response:
        """The answer to one request. Raises SlowAnswerError, and what http.client and urllib3 raise."""
        connection: Any = self._connection()
        self._under_way[connection] = time.monotonic()
        try:
            if not connection.sock:
                connection.connect()
                connection.sock.settimeout(self._pool.timeout.read_timeout)
            connection.putrequest(method, target)
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = HTTPConnection.getresponse(connection)  # urllib3's makes an object of its own
            response = Response(answer.status, answer.msg, answer.read())
        except BaseException as error:
            connection.close()
            if self._under_way.pop(connection, None) is None:
                raise SlowAnswerError(endpoint_url=self._url, seconds=self._seconds) from error
            raise
        self._under_way.pop(connection, None)
        if len(self._idle) < MOST_IDLE:
            self._idle.append(connection)
        else:
            connection.close()
        return response

    def _connection(self) -> Any:
        """The connection that was used last and is still open, or a new one."""
        while self._idle:
            with suppress(IndexError):  # another thread took the last one
                connection = self._idle.pop()
                if not is_connection_dropped(connection):
                    return connection
                connection.close()
        return self._pool._new_conn()

    def cut_slow(self) -> None:
        """Cut connections whose answer is not there in time: a timeout begins anew with each byte that comes."""
        oldest = time.monotonic() - self._seconds
        for connection, since in list(self._under_way.items()):
            if since < oldest and self._under_way.pop(connection, None) is not None:
                with suppress(OSError, TypeError):  # closed meanwhile
                    socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)


def connection_pool(session: Any, url: str) -> Any:
    """urllib3's pool of botocore's HTTP session, which makes connections to an address; None where there is none.

    botocore has no public way to it; with one that keeps it elsewhere, botocore sends everything.
    """
    with suppress(AttributeError):
        if session._proxy_config.proxy_url_for(url) is None:
            pool = session._manager.connection_from_url(url)
            session._setup_ssl_cert(pool, url, session._verify)
            return pool if callable(pool._new_conn) else None
    return None
