# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command line of the lab: ``python -m lab serve``, ``up`` and ``demo``."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import sys
import threading
from typing import Any

from werkzeug.serving import BaseWSGIServer

from lab.demo import BIN, ROOT, WORK, run_demo
from lab.inventory import write_inventory
from lab.kernel.server import make_lab_server
from lab.kernel.world import World
from lab.scenarios import MOST_ACCOUNTS, SCENARIOS, build


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    world = argparse.ArgumentParser(add_help=False)
    world.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: a free one)")
    world.add_argument("--scenario", choices=SCENARIOS, default="lesson", help="the world to start with")
    world.add_argument(
        "--accounts", type=int, default=0, help=f"fill the organization up to N accounts (at most {MOST_ACCOUNTS})"
    )
    world.add_argument("--home-region", default="us-east-1", help="home region of the scenario's trails")
    world.add_argument("--latency", type=float, default=0, metavar="MS", help="milliseconds added to every call")
    world.add_argument("--enforce-iam", action="store_true", help="check identity and trust policies on every call")
    world.add_argument("--check-answers", action="store_true", help="fail on answers that do not fit botocore's model")
    parser = argparse.ArgumentParser(prog="python -m lab", description="A local AWS organization.")
    commands = parser.add_subparsers(required=True)
    for name, run, text in (
        ("serve", serve, "serve until standard input closes or SIGTERM comes; prints one JSON line when ready"),
        ("up", up, "serve until Ctrl-C; prints the environment to export"),
        ("demo", demo, "convert, attack, detect and repair in a fresh lab"),
    ):
        commands.add_parser(name, parents=[world], help=text).set_defaults(run=run)
    return parser.parse_args(arguments)


def main() -> int:
    arguments = parse_arguments(sys.argv[1:])
    try:
        return int(arguments.run(arguments))
    except (OSError, ValueError) as error:
        sys.exit(f"lab: {error}")


def serve(arguments: argparse.Namespace) -> int:
    """Serve until standard input closes or SIGTERM comes."""
    server, ready = start(arguments)
    threading.Thread(target=stop_at_end_of_input, args=(server.shutdown,), daemon=True).start()
    print(json.dumps(ready), flush=True)
    serve_until_stopped(server)
    return 0


def up(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM, with the environment in the form that a shell takes."""
    server, ready = start(arguments)
    inventory = write_inventory(WORK / "inventory.yml", ready)
    print("# The lab is up. In another terminal:")
    print("unset AWS_PROFILE AWS_DEFAULT_PROFILE")
    for name, value in ready["env"].items():
        print(f"export {name}={shlex.quote(value)}")
    print(f"cd {shlex.quote(str(ROOT))}")
    print(f"export PATH={shlex.quote(str(BIN))}:$PATH")
    print(f"ansible-playbook -i {shlex.quote(str(inventory))} playbooks/enable_org_trail.yml")
    print("# Stop it with Ctrl-C.", flush=True)
    serve_until_stopped(server)
    return 0


def demo(arguments: argparse.Namespace) -> int:
    """Run the demo with the given world."""
    forget_users_settings()
    world = {"scenario": arguments.scenario, "home-region": arguments.home_region, "accounts": arguments.accounts}
    return run_demo([word for name, value in world.items() for word in (f"--{name}", str(value))])


def start(arguments: argparse.Namespace) -> tuple[BaseWSGIServer, dict[str, Any]]:
    """A server that is about to serve the asked-for world, and what the lab says when it is ready."""
    forget_users_settings()
    world = World(
        home_region=arguments.home_region,
        enforce_iam=arguments.enforce_iam,
        latency_ms=arguments.latency,
        check_answers=arguments.check_answers,
    )
    environment = build(world, arguments.scenario, arguments.accounts)
    try:
        server = make_lab_server(world, arguments.port)
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise OSError(f"cannot listen on 127.0.0.1:{arguments.port}, {reason}; choose another --port.") from error
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: threading.Thread(target=server.shutdown).start())
    endpoint = f"http://127.0.0.1:{server.port}"
    return server, {
        "endpoint": endpoint,
        "env": {"AWS_ENDPOINT_URL": endpoint, **environment},
        "organization_id": world.organization_id,
        "management_account_id": world.management_account,
        "log_archive_account_id": world.log_archive_account,
        "bucket": world.log_bucket,
        "trail_arn": f"arn:{world.partition}:cloudtrail:{world.home_region}:{world.management_account}:trail/default",
        "pid": os.getpid(),
    }


def forget_users_settings() -> None:
    """moto asks botocore, which would fail for a profile or a file that is wrong; an endpoint would lead elsewhere."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull)


def serve_until_stopped(server: BaseWSGIServer) -> None:
    """Serve until the server is shut down, by SIGTERM or SIGINT among others; then end the process."""
    server.serve_forever()
    os._exit(0)  # open connections of a timeout fault must not hold the process


def stop_at_end_of_input(stop: object) -> None:
    """Read standard input to its end, then stop: a lab never outlives what started it."""
    while sys.stdin.buffer.read(4096):
        pass
    assert callable(stop)
    stop()


if __name__ == "__main__":
    sys.exit(main())
