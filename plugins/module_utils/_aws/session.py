# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The account that a module works in: role assumption and one client per service and region."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from copy import copy
from functools import cache, cached_property
from typing import Any

with suppress(ImportError):  # AnsibleAWSModule says what is missing
    import boto3
    import botocore.loaders
    import botocore.session
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

from ansible_collections.amazon.aws.plugins.module_utils.botocore import get_aws_connection_info
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from .errors import AnsibleOrgTrailError, AnsibleSTSError, STSErrorHandler
from .retry import retry_read

ASSUME_ROLE_ARGUMENTS: dict[str, dict[str, Any]] = {
    "assume_role_arn": {"type": "str"},
    "assume_role_external_id": {"type": "str"},
    "assume_role_session_name": {"type": "str", "default": "cloudsec.org_trail"},
}
"""Argument spec of the doc fragment ``assume_role``."""

DEFAULT_REGION = "us-east-1"
GLOBAL_STS = "https://sts.amazonaws.com"
TIMEOUTS = {"connect_timeout": 10, "read_timeout": 30}


class Session:
    """Clients of one account, each made once and only when asked for.

    With ``assume_role_arn`` every client uses that role's temporary keys. They live in this object and nowhere else.
    Raises AnsibleSTSError when the role cannot be assumed.
    """

    def __init__(self, module: AnsibleAWSModule) -> None:
        self._module = module
        self._clients: dict[tuple[str, str, bool], Any] = {}
        self._keys: dict[str, Any] = {}
        self._identity: dict[str, str] = {}
        self.region: str = module.region or DEFAULT_REGION
        if module.params.get("assume_role_arn"):
            self._assume_role(module.params)

    def _assume_role(self, params: dict[str, Any]) -> None:
        external_id = params["assume_role_external_id"]
        answer = assume_role(
            self.regional_sts(),
            params["assume_role_arn"],
            params["assume_role_session_name"],
            {"ExternalId": external_id} if external_id else {},
        )
        keys = answer["Credentials"]
        self._keys = {
            "aws_access_key_id": keys["AccessKeyId"],
            "aws_secret_access_key": keys["SecretAccessKey"],
            "aws_session_token": keys["SessionToken"],
        }
        self._identity = {"Arn": answer["AssumedRoleUser"]["Arn"]}
        self._clients.clear()

    def assume(self, role_arn: str, external_id: str | None) -> Session:
        """A session in another account, by a role that this one may assume. Raises AnsibleSTSError."""
        other = copy(self)
        other._clients = {}
        other._assume_role({**self._module.params, "assume_role_arn": role_arn, "assume_role_external_id": external_id})
        return other

    def client(self, service: str, region: str | None = None, *, once: bool = False) -> Any:
        """A boto3 client; ``once`` makes botocore send each call a single time, for writes (see ``_retry``)."""
        key = (service, region or self.region, once)
        if key not in self._clients:
            settings: dict[str, Any] = {**TIMEOUTS, **({"retries": {"total_max_attempts": 1}} if once else {})}
            self._clients[key] = self._make(service, key[1], settings)
        return self._clients[key]

    def _make(self, service: str, region: str, settings: dict[str, Any]) -> Any:
        return self.regional_clients(service, [region], **settings)[region]

    def regional_clients(
        self, service: str, regions: Iterable[str], endpoint: str | None = None, **settings: Any
    ) -> dict[str, Any]:
        """A client of a service for each region, at another endpoint if one is given.

        settings: more of botocore's Config. The clients have amazon.aws's options and messages, but share one boto3
        session, and so what it reads of botocore's data. amazon.aws makes a session for each client: 13 times the
        time and memory for clients in 17 regions.
        Raises AnsibleOrgTrailError for a profile, region or endpoint that does not exist.
        """
        given_endpoint, options = get_aws_connection_info(self._module)[1:]
        options |= self._keys
        options.pop("profile_name", None)  # that of the boto3 session
        config = Config(user_agent=f"APN/1.0 Ansible/{self._module.ansible_version} cloudsec.org_trail")
        config = config.merge(Config(**settings))
        if given := options.pop("aws_config", None):
            config = config.merge(given)
        if retries := settings.get("retries"):  # no option makes botocore send a write twice
            config = config.merge(Config(retries=retries))
        url = endpoint or given_endpoint
        try:
            make = self._boto3.client
            return {
                region: make(service, region_name=region, endpoint_url=url, config=config, **options)
                for region in regions
            }
        except (ValueError, BotoCoreError) as error:
            raise AnsibleOrgTrailError(
                message=f"Could not connect to AWS: {error}. Check the options profile, region and endpoint_url."
            ) from error

    @cached_property
    def _boto3(self) -> Any:
        """The boto3 session; settings of the profile count for an assumed role's clients, too."""
        return boto3.session.Session(botocore_session=botocore_session(self._module.params.get("profile") or None))

    def known_regions(self, service: str) -> list[str]:
        """Regions of the session's partition in which botocore knows a service."""
        regions: list[str] = self._boto3.get_available_regions(service, self.partition)
        return regions

    def regional_sts(self, **settings: Any) -> Any:
        """A client of STS in the session's region. Keys of the global STS do not work in opt-in regions.

        https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
        """
        sts = self.client("sts")
        url = sts.meta.endpoint_url
        if url == GLOBAL_STS:
            url = GLOBAL_STS.replace("sts.", f"sts.{self.region}.")
        elif not settings:
            return sts
        return self.regional_clients("sts", [self.region], url, **{**TIMEOUTS, **settings})[self.region]

    @property
    def arn(self) -> str:
        """ARN of the caller."""
        if not self._identity:
            self._identity = get_caller_identity(self.client("sts"))
        return self._identity["Arn"]

    @property
    def account_id(self) -> str:
        """Id of the account that the calls act on."""
        return self.arn.split(":")[4]

    @property
    def partition(self) -> str:
        """Partition of the session's region, for example ``aws`` or ``aws-us-gov``."""
        return str(self.client("sts").meta.partition)


def botocore_session(profile: str | None) -> Any:
    """A botocore session that shares what it reads of botocore's data with the others of this process."""
    session = botocore.session.Session(profile=profile)
    session.register_component("data_loader", data_loader(session.get_config_variable("data_path")))
    return session


@cache
def data_loader(path: str | None) -> Any:
    """Reads botocore's data, and the given path's, once."""
    return botocore.loaders.create_loader(path)


@cache
def read_ahead() -> None:
    """Read what the clients of every service need of botocore's data, for the processes forked from this one.

    It is most of what a first client costs. The client made for it has no keys and calls nothing: in the defaults mode
    ``auto``, botocore would ask the instance's metadata service.
    """
    keys = {"aws_access_key_id": "-", "aws_secret_access_key": "-"}
    mode: dict[str, Any] = {"defaults_mode": "legacy"}
    client = botocore_session(None).create_client("organizations", DEFAULT_REGION, config=Config(**mode), **keys)
    client.can_paginate("list_accounts")


@STSErrorHandler.common_error_handler("assume the role given in assume_role_arn")
@retry_read
def assume_role(client: Any, role_arn: str, session_name: str, extra: dict[str, str]) -> dict[str, Any]:
    """AssumeRole's answer; https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"""
    answer: dict[str, Any] = client.assume_role(RoleArn=role_arn, RoleSessionName=session_name, **extra)
    return answer


@STSErrorHandler.common_error_handler("get caller identity")
@retry_read
def get_caller_identity(client: Any) -> dict[str, str]:
    """GetCallerIdentity's answer: Account, Arn, UserId."""
    answer: dict[str, str] = client.get_caller_identity()
    return answer


__all__ = ["ASSUME_ROLE_ARGUMENTS", "AnsibleSTSError", "Session"]
