# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab as a separate process, for tests and benchmarks: start it, call AWS in it, read its journal, stop it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

import boto3
from botocore.config import Config

ROOT = Path(__file__).resolve().parent.parent
MEMBER_ROLE = "OrganizationAccountAccessRole"
NO_RETRY = Config(retries={"total_max_attempts": 1}, read_timeout=30)


class Lab:
    """``with Lab("--scenario", "lesson") as lab:`` runs ``python -m lab serve`` until the block ends.

    An answer of the lab that does not fit botocore's model is an InternalFailure.
    """

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lab", "serve", "--check-answers", *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.clients: dict[tuple[str, str], Any] = {}
        assert self.process.stdout is not None
        self.ready: dict[str, Any] = json.loads(self.process.stdout.readline())
        self.endpoint: str = self.ready["endpoint"]
        self.environment: dict[str, str] = self.ready["env"]

    def __enter__(self) -> Lab:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=30)

    @property
    def management(self) -> str:
        return str(self.ready["management_account_id"])

    @property
    def log_archive(self) -> str:
        return str(self.ready["log_archive_account_id"])

    @property
    def organization_id(self) -> str:
        return str(self.ready["organization_id"])

    @property
    def bucket(self) -> str:
        return str(self.ready["bucket"])

    @property
    def trail_arn(self) -> str:
        return str(self.ready["trail_arn"])

    @property
    def home_region(self) -> str:
        return self.trail_arn.split(":")[3]

    def child_environment(self, home: str | None = None) -> dict[str, str]:
        """The environment for a command that is to talk to this lab and to nothing else."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ANSIBLE_"))}
        return {**kept, **self.environment, **({"HOME": home} if home else {})}

    def client(self, service: str, account: str = "", region: str = "", role: str = MEMBER_ROLE) -> Any:
        """A boto3 client in management, or (with ``account``) in an account whose role it assumes first."""
        if account and account != self.management:
            answer = self.client("sts").assume_role(
                RoleArn=f"arn:{self.trail_arn.split(':')[1]}:iam::{account}:role/{role}", RoleSessionName="tests"
            )
            return self.client_with(answer["Credentials"], service, region)
        key = (service, region or self.home_region)
        if key not in self.clients:  # making a client takes longer than most calls do
            secret = self.environment["AWS_SECRET_ACCESS_KEY"]
            keys = {"AccessKeyId": self.environment["AWS_ACCESS_KEY_ID"], "SecretAccessKey": secret}
            self.clients[key] = self.client_with(keys, service, region)
        return self.clients[key]

    def client_with(self, keys: dict[str, Any], service: str, region: str = "", config: Config = NO_RETRY) -> Any:
        """A boto3 client with given keys, in the shape in which STS and IAM answer them."""
        arguments: dict[str, Any] = {
            "region_name": region or self.home_region,
            "endpoint_url": self.endpoint,
            "config": config,
            "aws_access_key_id": keys["AccessKeyId"],
            "aws_secret_access_key": keys["SecretAccessKey"],
            "aws_session_token": keys.get("SessionToken"),
        }
        make_client: Any = boto3.client  # its stubs want the service as a literal
        return make_client(service, **arguments)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Call the lab's own interface, for example ``control("POST", "options", {...})``."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.endpoint}/lab/{path}", data=data, method=method)
        try:
            with urllib.request.urlopen(request) as response:
                return json.loads(response.read())
        except urllib.error.HTTPError as error:
            raise ValueError(json.loads(error.read())["error"]) from error

    def journal(self, **wanted: Any) -> list[dict[str, Any]]:
        """The journal's entries whose fields equal ``wanted``, for example ``journal(writes=True)``."""
        return list(self.control("GET", f"journal?{urlencode(wanted)}"))

    def clear_journal(self) -> None:
        self.control("DELETE", "journal")
