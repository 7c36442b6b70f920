# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Canned answers of AWS at some thousands a second, for measurements that the lab is too slow for.

``python -m benchmarks.canned_server N`` is an organization of N accounts whose trail is healthy everywhere. It prints
its port and serves until its standard input closes, in ``--processes`` that share the port; each answer takes
``--latency`` milliseconds. Behind the port it prints one more for each process: ``GET /counts`` there tells how often
each operation was called and in how many places (access key and region) GetTrailStatus was; ``DELETE /counts`` starts
anew.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import sys
import time
from collections import Counter
from urllib.parse import parse_qs

MANAGEMENT = 100_000_000_000
ORGANIZATION = "o-benchmark0"
TRAIL_ARN = f"arn:aws:cloudtrail:us-east-1:{MANAGEMENT}:trail/default"
REGIONS = (
    *(f"ap-{name}" for name in ("northeast-1", "northeast-2", "northeast-3", "south-1", "southeast-1", "southeast-2")),
    *(f"eu-{name}" for name in ("central-1", "north-1", "west-1", "west-2", "west-3")),
    *("ca-central-1", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2"),
)
PAGE = 20
"""Accounts in an answer of ListAccounts (aws-facts 7.1)."""


def account(number: int) -> dict[str, object]:
    """The account of that number; number 0 is management."""
    identity = str(MANAGEMENT + number)
    return {
        "Id": identity,
        "Arn": f"arn:aws:organizations::{MANAGEMENT}:account/{ORGANIZATION}/{identity}",
        "Email": f"account{number}@example.com",
        "Name": f"Account {number}",
        "Status": "ACTIVE",
        "State": "ACTIVE",
        "JoinedMethod": "CREATED",
        "JoinedTimestamp": 1_700_000_000,
        "Paths": [f"{ORGANIZATION}/r-0000/ou-0000-team{number // 250:04d}/{identity}/"],
    }


def enabled(region: str) -> dict[str, str]:
    return {"RegionName": region, "RegionOptStatus": "ENABLED_BY_DEFAULT"}


def trail_status() -> dict[str, object]:
    now = int(time.time()) - 60
    return {
        "IsLogging": True,
        "LatestDeliveryTime": now,
        "LatestDigestDeliveryTime": now,
        "StartLoggingTime": 1_700_000_000,
        "TimeLoggingStarted": "2023-11-14T22:13:20Z",
    }


class World:
    """What the organization answers, and what it was asked."""

    def __init__(self, accounts: int) -> None:
        self.accounts = accounts
        self.calls: Counter[str] = Counter()
        self.places: set[bytes] = set()
        self.status = json.dumps(trail_status()).encode()

    def counts(self) -> bytes:
        return json.dumps({"calls": self.calls, "places": len(self.places)}).encode()

    def answer(self, head: bytes, body: bytes) -> bytes:
        """The body of the answer to one request."""
        if b"_20131101.GetTrailStatus" in head:  # the hot one
            self.calls["GetTrailStatus"] += 1
            start = head.index(b"Credential=") + 11
            self.places.add(head[start : head.index(b"/cloudtrail/", start)])
            return self.status
        if head.startswith((b"GET /counts", b"DELETE /counts")):
            if head.startswith(b"DELETE"):
                self.calls.clear()
                self.places.clear()
            return self.counts()
        if head.startswith(b"POST /listRegions"):
            self.calls["ListRegions"] += 1
            return json.dumps({"Regions": [enabled(region) for region in REGIONS]}).encode()
        lines = head.decode("latin-1").lower().split("\r\n")
        target = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("x-amz-target:")), "")
        if target:
            return json.dumps(self._json(target.rsplit(".", 1)[1], json.loads(body or b"{}"))).encode()
        return self._text({name: values[0] for name, values in parse_qs(body.decode()).items()}).encode()

    def _json(self, operation: str, parameters: dict[str, str]) -> dict[str, object]:
        self.calls[operation] += 1
        if operation == "listaccounts":
            first = int(parameters.get("NextToken", 0))
            last = min(first + PAGE, self.accounts)
            more = {"NextToken": str(last)} if last < self.accounts else {}
            return {"Accounts": [account(number) for number in range(first, last)], **more}
        if operation == "describeorganization":
            return {
                "Organization": {
                    "Id": ORGANIZATION,
                    "FeatureSet": "ALL",
                    "MasterAccountId": str(MANAGEMENT),
                    "MasterAccountArn": f"arn:aws:organizations::{MANAGEMENT}:account/{ORGANIZATION}/{MANAGEMENT}",
                }
            }
        if operation == "geteventselectors":
            selector = {"ReadWriteType": "All", "IncludeManagementEvents": True}
            return {"TrailARN": TRAIL_ARN, "EventSelectors": [selector]}
        if operation == "listroots":
            return {"Roots": [{"Id": "r-0000", "Name": "Root"}]}
        if operation == "listorganizationalunitsforparent":
            teams = range((self.accounts + 249) // 250) if parameters["ParentId"] == "r-0000" else range(0)
            return {"OrganizationalUnits": [{"Id": f"ou-0000-team{n:04d}", "Name": f"Team {n}"} for n in teams]}
        if operation == "describeorganizationalunit":
            name = parameters["OrganizationalUnitId"]
            return {"OrganizationalUnit": {"Id": name, "Name": f"Team {int(name[-4:])}"}}
        raise ValueError(f"the canned server has no answer to {operation}")

    def _text(self, parameters: dict[str, str]) -> str:
        operation = parameters["Action"]
        self.calls[operation] += 1
        if operation == "DescribeRegions":
            items = "".join(
                f"<item><regionName>{region}</regionName><optInStatus>opt-in-not-required</optInStatus></item>"
                for region in REGIONS
            )
            return f"<DescribeRegionsResponse><regionInfo>{items}</regionInfo></DescribeRegionsResponse>"
        identity = str(MANAGEMENT)
        if operation == "AssumeRole":
            identity = parameters["RoleArn"].split(":")[4]
            result = (
                f"<Credentials><AccessKeyId>ASIA{identity}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>"
                "<SessionToken>token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
                f"<AssumedRoleUser><AssumedRoleId>AROA:s</AssumedRoleId>"
                f"<Arn>arn:aws:sts::{identity}:assumed-role/role/s</Arn></AssumedRoleUser>"
            )
        else:
            arn = f"arn:aws:iam::{identity}:user/admin"
            result = f"<Arn>{arn}</Arn><UserId>AIDA</UserId><Account>{identity}</Account>"
        return f"<{operation}Response><{operation}Result>{result}</{operation}Result></{operation}Response>"


class Connection(asyncio.Protocol):
    """Requests of one client, answered one after another."""

    def __init__(self, world: World, latency: float) -> None:
        self.world = world
        self.latency = latency
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            head = self.received[:end]
            length = content_length(head)
            if len(self.received) < end + 4 + length:
                return
            body = self.received[end + 4 : end + 4 + length]
            self.received = self.received[end + 4 + length :]
            answer = respond(self.world, head, body)
            if self.latency:
                asyncio.get_running_loop().call_later(self.latency, self.transport.write, answer)
            else:
                self.transport.write(answer)


def content_length(head: bytes) -> int:
    start = head.lower().find(b"\r\ncontent-length:")
    return int(head[start + 17 :].split(b"\r\n", 1)[0]) if start >= 0 else 0


def respond(world: World, head: bytes, body: bytes) -> bytes:
    status = b"200 OK"
    try:
        answer = world.answer(head, body)
    except (KeyError, ValueError) as error:
        status, answer = (
            b"400 Bad Request",
            json.dumps({"__type": "ValidationException", "message": str(error)}).encode(),
        )
    return b"HTTP/1.1 %s\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: %d\r\n\r\n%s" % (
        status,
        len(answer),
        answer,
    )


def listen(port: int = 0) -> socket.socket:
    """A socket on a port that others may listen on, too."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen(1024)
    return listening


async def serve(accounts: int, latency: float, *sockets: socket.socket) -> None:
    world = World(accounts)
    loop = asyncio.get_running_loop()
    for one in sockets:
        await loop.create_server(lambda: Connection(world, latency), sock=one)
    await asyncio.to_thread(sys.stdin.read)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.canned_server")
    parser.add_argument("accounts", type=int)
    parser.add_argument("--latency", type=float, default=0.0, metavar="MS")
    parser.add_argument("--processes", type=int, default=1)
    arguments = parser.parse_args()
    shared = [listen()]
    port = shared[0].getsockname()[1]
    shared += [listen(port) for _ in range(arguments.processes - 1)]
    own = [listen() for _ in shared]
    print(port, *(one.getsockname()[1] for one in own), flush=True)
    number = next((number for number in range(1, arguments.processes) if not os.fork()), 0)
    for other in {*shared, *own} - {shared[number], own[number]}:
        other.close()
    asyncio.run(serve(arguments.accounts, arguments.latency / 1000, shared[number], own[number]))


if __name__ == "__main__":
    main()
