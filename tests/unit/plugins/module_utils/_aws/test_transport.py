# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain connections to servers that keep them, end them, drip, cut answers short, or show a certificate."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.client import IncompleteRead
from pathlib import Path
from typing import Any

import boto3
import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws import deadline
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.deadline import SlowAnswerError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.transport import MOST_IDLE, Transport
from botocore.config import Config
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Amzn-RequestId: r\r\n\r\n{}"


class Server:
    """Answers each request with the same bytes. connections: how many were made; heads: what was sent."""

    def __init__(self, listener: socket.socket, answer: bytes, ends: bool = False, drip: bool = False) -> None:
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self.answer, self.ends, self.drip = answer, ends, drip
        self.heads: list[bytes] = []
        self.connections = 0
        self.gate = threading.Event()

    def serve(self, listener: socket.socket) -> None:
        while listener.fileno() >= 0:
            with contextlib.suppress(OSError):  # also of clients that do not trust the certificate
                connection = listener.accept()[0]
                self.connections += 1
                threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while head := connection.recv(65536):
                self.heads.append(head)
                for place in range(len(self.answer)) if self.drip else ():
                    connection.sendall(self.answer[place : place + 1])
                    self.gate.wait(0.05)
                if not self.drip:
                    connection.sendall(self.answer)
                if self.ends:
                    return


@contextlib.contextmanager
def server(answer: bytes = OK, *, ends: bool = False, drip: bool = False) -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        made = Server(listener, answer, ends, drip)
        threading.Thread(target=made.serve, args=(listener,), daemon=True).start()
        yield made
        made.gate.set()


def client(url: str, verify: str | None = None, **settings: Any) -> Any:
    config = Config(connect_timeout=0.2, read_timeout=0.2, **settings)
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "verify": verify}
    make: Any = boto3.client
    return make("cloudtrail", region_name="eu-west-1", endpoint_url=url, config=config, **keys)


def send(transport: Transport) -> tuple[int, bytes]:
    response = transport.send("POST", "/", {"X-Amz-Date": "now", "Content-Length": "2"}, b"{}")
    return response.status, response.body


def test_a_connection_is_kept() -> None:
    with server() as made:
        transport = Transport(client(made.url))
        assert [send(transport) for _ in range(5)] == [(200, b"{}")] * 5
        assert made.connections == 1
        head = made.heads[0].decode()
        assert head.startswith("POST / HTTP/1.1\r\nHost: 127.0.0.1:")
        assert head.endswith("X-Amz-Date: now\r\nContent-Length: 2\r\n\r\n{}")


def test_a_connection_that_the_server_ended_is_not_used_again() -> None:
    with server(ends=True) as made:
        transport = Transport(client(made.url))
        for _ in range(3):
            assert send(transport) == (200, b"{}")
            time.sleep(0.05)
        assert made.connections == 3


def test_what_is_not_a_whole_answer_is_an_error_and_its_connection_is_closed() -> None:
    with server(OK[:-1].replace(b": 2", b": 3"), ends=True) as made:
        transport = Transport(client(made.url))
        with pytest.raises(IncompleteRead):
            send(transport)
        assert transport._idle == []


def test_an_answer_of_another_status_comes_whole() -> None:
    with server(b"HTTP/1.1 400 Bad\r\nContent-Length: 2\r\n\r\nno") as made:
        assert send(Transport(client(made.url))) == (400, b"no")


def test_the_read_timeout_is_botocores() -> None:
    with server(b"") as made, pytest.raises(TimeoutError):
        send(Transport(client(made.url)))


def test_an_answer_that_drips_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "SPARE", 0.0)
    with server(drip=True) as made:
        transport = Transport(client(made.url))
        ended = threading.Event()

        def cut() -> None:
            while not ended.wait(0.05):
                transport.cut_slow()

        thread = threading.Thread(target=cut)
        thread.start()
        try:
            with pytest.raises(SlowAnswerError, match="was not there as a whole within 0 seconds"):
                send(transport)
        finally:
            ended.set()
            thread.join()
        assert (transport._idle, transport._under_way) == ([], {})


def test_few_connections_wait_for_the_next_call() -> None:
    with server() as made:
        transport = Transport(client(made.url))
        gate = threading.Barrier(MOST_IDLE + 8)

        def call() -> None:
            gate.wait()
            send(transport)

        threads = [threading.Thread(target=call) for _ in range(MOST_IDLE + 8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert 1 <= len(transport._idle) <= MOST_IDLE


def certificate(folder: Path) -> Path:
    """A file with a certificate for localhost that only itself vouches for, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "certificate.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return path


def test_certificates_are_looked_at_as_botocore_does(tmp_path: Path) -> None:
    path = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    with socket.create_server(("127.0.0.1", 0)) as plain, context.wrap_socket(plain, server_side=True) as listener:
        made = Server(listener, OK)
        threading.Thread(target=made.serve, args=(listener,), daemon=True).start()
        port = listener.getsockname()[1]
        for url, verify in ((f"https://127.0.0.1:{port}", str(path)), (f"https://localhost:{port}", None)):
            with pytest.raises(Exception, match=r"CERTIFICATE_VERIFY_FAILED|doesn't match"):
                send(Transport(client(url, verify)))
        assert made.heads == []
        assert send(Transport(client(f"https://localhost:{port}", str(path)))) == (200, b"{}")


def test_behind_a_proxy_botocore_sends() -> None:
    proxied = client("http://trail.example", proxies={"http": "http://127.0.0.1:9"})
    assert not Transport(proxied).ready
    assert Transport(client("http://trail.example", proxies={"https": "http://127.0.0.1:9"})).ready


def test_botocore_that_keeps_its_pool_elsewhere_sends() -> None:
    other = client("http://trail.example")
    del other._endpoint.http_session._manager
    assert not Transport(other).ready
