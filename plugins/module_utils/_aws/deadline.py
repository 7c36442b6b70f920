# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A deadline for the whole answer to a call. botocore's read timeout begins anew with each byte that comes."""

from __future__ import annotations

import threading
from typing import Any

try:
    from botocore.exceptions import HTTPClientError
except ImportError:  # AnsibleAWSModule says what is missing
    HTTPClientError = Exception

from .untyped import Client

SPARE = 20.0
"""Seconds beyond the timeouts of connecting and of the first byte. Answers of the APIs used here are small."""


class SlowAnswerError(HTTPClientError):  # type: ignore[misc, unused-ignore]
    """An answer that began, or a connection that was made, but that did not end. botocore does not try it again."""

    fmt = "The answer of {endpoint_url} was not there as a whole within {seconds:.0f} seconds"


def within_deadline(client: Client) -> Client:
    """The client, each call of which ends within its timeouts and SPARE, or raises SlowAnswerError.

    The body of an object of S3 is read after the call, and not bounded.
    """
    seconds = seconds_for(client)

    def send(request: Any, **_more: Any) -> Any:
        return send_within(seconds, client._endpoint.http_session, request)

    client.meta.events.register("before-send", send, unique_id=__name__)  # sends once, however often it is given
    return client


def seconds_for(client: Client) -> float:
    """How long a whole answer to a client's call may take."""
    config = client.meta.config
    return float(config.connect_timeout + config.read_timeout + SPARE)


def send_within(seconds: float, session: Any, request: Any) -> Any:
    """The answer of botocore's HTTP session to a prepared request, or what it raises.

    It goes on in a thread that nobody waits for when it takes longer. Raises SlowAnswerError then.
    """
    answered: list[Any] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            answered.append(session.send(request))
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if failed:
        raise failed[0]
    if not answered:
        raise SlowAnswerError(endpoint_url=request.url, seconds=seconds)
    return answered[0]
