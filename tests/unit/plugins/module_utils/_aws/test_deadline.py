# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that begin an answer and never end it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws import deadline
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.deadline import SlowAnswerError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import (
    AnsibleSTSError,
    outcome_unknown,
    sentence,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.session import (
    Connection,
    Session,
    get_caller_identity,
)
from botocore.config import Config

IDENTITY = b"<Account>111111111111</Account><Arn>arn:aws:iam::111111111111:root</Arn>"
RESULT = b"<GetCallerIdentityResult>" + IDENTITY + b"</GetCallerIdentityResult>"
BODY = b"<GetCallerIdentityResponse>" + RESULT + b"</GetCallerIdentityResponse>"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n" % len(BODY)
TIMEOUT = 0.2
KEYS = {"aws_access_key_id": "AKIA", "aws_secret_access_key": "secret"}


@contextlib.contextmanager
def server(at_once: bytes, slowly: bytes) -> Iterator[str]:
    """Answers each request with some bytes, and others more slowly than any deadline; its URL."""
    ended = threading.Event()

    def answer(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            connection.sendall(at_once)
            for place in range(len(slowly)):
                ended.wait(TIMEOUT / 4)  # sooner than the read timeout, each time
                connection.sendall(slowly[place : place + 1])

    def accept() -> None:
        with contextlib.suppress(OSError):
            while not ended.is_set():
                threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        ended.set()


def client(url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client of a session, as modules use them, with less patience."""
    monkeypatch.setattr(deadline, "SPARE", 0.1)
    config = Config(connect_timeout=TIMEOUT, read_timeout=TIMEOUT)
    return Session(Connection(endpoint=url, arguments=KEYS, config=config)).client("sts")


def test_a_whole_answer_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(HEAD + BODY, b"") as url:
        assert get_caller_identity(client(url, monkeypatch))["Account"] == "111111111111"


@pytest.mark.parametrize(
    ("at_once", "slowly"),
    [(b"", HEAD), (HEAD[:40], HEAD[40:]), (HEAD, BODY)],
    ids=["from the first byte", "in the head", "in the body"],
)
def test_an_answer_that_drips_is_told(monkeypatch: pytest.MonkeyPatch, at_once: bytes, slowly: bytes) -> None:
    with server(at_once, slowly) as url:
        with pytest.raises(AnsibleSTSError) as caught:
            get_caller_identity(client(url, monkeypatch))
        assert isinstance(caught.value.exception, SlowAnswerError)
        assert outcome_unknown(caught.value)
        text = sentence(caught.value)
        assert text.startswith(f"Failed to get caller identity: The answer of {url}/ was not there as a whole within")
        assert "Check the network, and the proxy if there is one" in text


def test_a_client_that_is_given_twice_sends_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(HEAD + BODY, b"") as url:
        twice = deadline.within_deadline(client(url, monkeypatch))
        send = twice._endpoint.http_session.send
        sent: list[Any] = []

        def note(request: Any) -> Any:
            sent.append(request)
            return send(request)

        monkeypatch.setattr(twice._endpoint.http_session, "send", note)
        assert get_caller_identity(twice)["Account"] == "111111111111"
        assert len(sent) == 1


def test_errors_come_through() -> None:
    class Failing:
        def send(self, request: Any) -> None:
            raise ValueError("its own")

    with pytest.raises(ValueError, match="its own"):
        deadline.send_within(1.0, Failing(), None)
