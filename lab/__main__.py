# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command line of the lab: ``python -m lab serve``."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading

from lab.scenarios import SCENARIOS, build
from lab.server import make_lab_server
from lab.world import World


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m lab", description="A local AWS organization.")
    serve = parser.add_subparsers(required=True).add_parser(
        "serve", help="serve until standard input closes or SIGTERM comes; prints one JSON line when ready"
    )
    serve.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: a free one)")
    serve.add_argument("--scenario", choices=SCENARIOS, default="lesson", help="the world to start with")
    serve.add_argument("--accounts", type=int, default=0, help="fill the organization up to N accounts (at most 10000)")
    serve.add_argument("--home-region", default="us-east-1", help="home region of the scenario's trails")
    serve.add_argument("--latency", type=float, default=0, metavar="MS", help="milliseconds added to every call")
    serve.add_argument("--enforce-iam", action="store_true", help="check identity and trust policies on every call")
    return parser.parse_args(arguments)


def main() -> None:
    arguments = parse_arguments(sys.argv[1:])
    world = World(home_region=arguments.home_region, enforce_iam=arguments.enforce_iam, latency_ms=arguments.latency)
    environment = build(world, arguments.scenario, arguments.accounts)
    server = make_lab_server(world, arguments.port)
    endpoint = f"http://127.0.0.1:{server.server_port}"
    ready = {
        "endpoint": endpoint,
        "env": {"AWS_ENDPOINT_URL": endpoint, **environment},
        "organization_id": world.organization_id,
        "management_account_id": world.management_account,
        "log_archive_account_id": world.log_archive_account,
        "bucket": world.log_bucket,
        "trail_arn": f"arn:{world.partition}:cloudtrail:{world.home_region}:{world.management_account}:trail/default",
        "pid": os.getpid(),
    }
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    threading.Thread(target=stop_at_end_of_input, args=(server.shutdown,), daemon=True).start()
    print(json.dumps(ready), flush=True)
    server.serve_forever()
    os._exit(0)  # open connections of a timeout fault must not hold the process


def stop_at_end_of_input(stop: object) -> None:
    """Read standard input to its end, then stop: a lab never outlives what started it."""
    while sys.stdin.buffer.read(4096):
        pass
    assert callable(stop)
    stop()


if __name__ == "__main__":
    main()
