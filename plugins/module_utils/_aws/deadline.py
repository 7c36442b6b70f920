# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A deadline for the whole answer to a call. botocore's read timeout begins anew with each byte that comes."""

from __future__ import annotations

import threading
from collections.abc import Callable
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
    config = client.meta.config
    seconds = config.connect_timeout + config.read_timeout + SPARE

    def send(request: Any, **_more: Any) -> Any:
        return _answer(lambda: client._endpoint.http_session.send(request), request.url, seconds)

    client.meta.events.register("before-send", send, unique_id=__name__)  # sends once, however often it is given
    return client


def _answer(send: Callable[[], Any], url: str, seconds: float) -> Any:
    """What ``send`` answers or raises. It goes on in a thread that nobody waits for when it takes longer."""
    answered: list[Any] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            answered.append(send())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if failed:
        raise failed[0]
    if not answered:
        raise SlowAnswerError(endpoint_url=url, seconds=seconds)
    return answered[0]
