# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The account that a module works in: role assumption and one client per service and region."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from typing import Any

with suppress(ImportError):  # AnsibleAWSModule says what is missing
    import boto3
    import botocore.loaders
    import botocore.session
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

from ansible_collections.amazon.aws.plugins.module_utils.botocore import get_aws_connection_info
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from .answers import with_checked_answers
from .arn import arn_account, is_account_id
from .credentials import UNREADABLE, credentials_problem, role_arn_problem
from .deadline import within_deadline
from .errors import AnsibleOrgTrailError, STSErrorHandler, refuse
from .retry import retry_read
from .untyped import Client, Structure

ASSUME_ROLE_ARGUMENTS: dict[str, dict[str, Any]] = {
    "account_id": {"type": "str"},
    "assume_role_arn": {"type": "str"},
    "assume_role_external_id": {"type": "str"},
    "assume_role_session_name": {"type": "str", "default": "cloudsec.org_trail"},
}
"""Argument spec of the doc fragment ``assume_role``."""

OLDEST = "1.35.0"
"""boto3 and botocore; amazon.aws takes older ones."""

OF_ALL_SERVICES = ("_retry", "endpoints", "partitions", "sdk-default-configuration")
"""Names in botocore's data."""

MADE_AHEAD: list[Any] = []
"""A botocore session, made by ``read_ahead`` and not used yet."""

DEFAULT_REGION = "us-east-1"
GLOBAL_STS = "https://sts.amazonaws.com"
TIMEOUTS = {"connect_timeout": 10, "read_timeout": 30}


@dataclass(frozen=True)
class Role:
    """A role to assume, by the options ``assume_role_*``; no external id: ""."""

    arn: str
    session_name: str
    external_id: str = ""


@dataclass(frozen=True)
class Connection:
    """How to reach AWS, by the options of amazon.aws's fragments and the role to assume, if there is one.

    arguments: of boto3's ``client``, such as keys and ``verify``. config: the option ``aws_config``.
    session_name: for roles of other accounts that this one may assume. account_id: the account to work in; "" for any.
    """

    region: str = DEFAULT_REGION
    endpoint: str | None = None
    profile: str | None = None
    user_agent: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict, repr=False)
    config: Config | None = None
    role: Role | None = None
    session_name: str = "cloudsec.org_trail"
    account_id: str = ""


def connection_of(module: AnsibleAWSModule) -> Connection:
    """The connection that a module's options ask for. Ends the module when amazon.aws refuses them.

    Ends it, too, where boto3 or botocore is older than the collection supports. Raises AnsibleOrgTrailError for an
    account that cannot be.
    """
    module.require_botocore_at_least(OLDEST)
    module.require_boto3_at_least(OLDEST)
    _region, endpoint, arguments = get_aws_connection_info(module)
    params = module.params
    account_id = params["account_id"]
    if account_id is not None and not is_account_id(account_id):
        raise AnsibleOrgTrailError(f"account_id is {account_id!r}, expected 12 digits. Quote the id in YAML.")
    name, role_arn = params["assume_role_session_name"], params["assume_role_arn"]
    return Connection(
        region=module.region or DEFAULT_REGION,
        endpoint=endpoint,
        profile=arguments.pop("profile_name", None),
        user_agent=f"APN/1.0 Ansible/{module.ansible_version} cloudsec.org_trail",
        config=arguments.pop("aws_config", None),
        arguments=arguments,
        role=Role(role_arn, name, params["assume_role_external_id"] or "") if role_arn else None,
        session_name=name,
        account_id=account_id or "",
    )


class Session:
    """Clients of one account, each made once and only when asked for.

    With a role every client uses its temporary keys. They live in this object and nowhere else.
    Raises AnsibleSTSError when the role cannot be assumed, and AnsibleOrgTrailError when the keys are not those of the
    account that the connection names. Before that is known, nothing but STS is called.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._clients: dict[tuple[str, str, bool], Client] = {}
        self._keys: dict[str, str] = {}
        self._arn = ""
        self.region = connection.region
        if connection.role:
            self._assume_role(connection.role, connection.account_id)
        elif connection.account_id:
            refuse(credentials_refusal(self.arn, connection.account_id))

    def _assume_role(self, role: Role, account_id: str, sts: Client = None) -> None:
        """Work in a role, which must be one of an account where that is known (not "").

        sts: a client of whom the role trusts; without it a new one.
        """
        refuse(role_refusal(role.arn, account_id))
        answer = assume_role(sts or self.regional_sts(), role)
        refuse(answer_refusal(role.arn, answer, account_id))
        keys = answer["Credentials"]
        self._keys = {
            "aws_access_key_id": keys["AccessKeyId"],
            "aws_secret_access_key": keys["SecretAccessKey"],
            "aws_session_token": keys["SessionToken"],
        }
        self._arn = answer["AssumedRoleUser"]["Arn"]
        self._clients.clear()

    def assume(self, role_arn: str, external_id: str | None, account_id: str = "") -> Session:
        """A session in another account, by a role that this one may assume.

        account_id: the account, where it is known. Raises AnsibleSTSError, and AnsibleOrgTrailError for another one.
        """
        other = copy(self)
        other._clients = {}
        role = Role(role_arn, self._connection.session_name, external_id or "")
        other._assume_role(role, account_id, self.regional_sts())
        return other

    def client(self, service: str, region: str | None = None, *, once: bool = False) -> Client:
        """A boto3 client; ``once`` makes botocore send each call a single time, for writes (see ``retry``)."""
        key = (service, region or self.region, once)
        if key not in self._clients:
            settings: dict[str, Any] = {**TIMEOUTS, **({"retries": {"total_max_attempts": 1}} if once else {})}
            self._clients[key] = within_deadline(self.regional_clients(service, [key[1]], **settings)[key[1]])
        return self._clients[key]

    def regional_clients(
        self, service: str, regions: Iterable[str], endpoint: str | None = None, **settings: Any
    ) -> dict[str, Client]:
        """A client of a service for each region, at another endpoint if one is given.

        settings: more of botocore's Config. The clients have amazon.aws's options and messages, but share one boto3
        session, and so what it reads of botocore's data. amazon.aws makes a session for each client: 13 times the
        time and memory for clients in 17 regions.
        Raises AnsibleOrgTrailError for a profile, region or endpoint that does not exist.
        """
        config = self._config(settings)
        arguments = {**self._connection.arguments, **self._keys}
        url = endpoint or self._connection.endpoint
        try:
            make = self._boto3.client
            return {
                region: with_checked_answers(
                    make(service, region_name=region, endpoint_url=url, config=config, **arguments)
                )
                for region in regions
            }
        except (ValueError, BotoCoreError, *UNREADABLE) as error:
            problem = credentials_problem(error) or f"{error}. Check the options profile, region and endpoint_url."
            raise AnsibleOrgTrailError(message=f"Could not connect to AWS: {problem}") from error

    def _config(self, settings: dict[str, Any]) -> Config:
        config = Config(user_agent=self._connection.user_agent).merge(Config(**settings))
        if self._connection.config:
            config = config.merge(self._connection.config)
        if retries := settings.get("retries"):  # no option makes botocore send a write twice
            config = config.merge(Config(retries=retries))
        return config

    @cached_property
    def _boto3(self) -> boto3.session.Session:
        """The boto3 session; settings of the profile count for an assumed role's clients, too."""
        return boto3.session.Session(botocore_session=botocore_session(self._connection.profile))

    def known_regions(self, service: str) -> list[str]:
        """Regions of the session's partition in which botocore knows a service."""
        regions: list[str] = self._boto3.get_available_regions(service, self.partition)
        return regions

    def regional_sts(self, **settings: Any) -> Client:
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
        if not self._arn:
            self._arn = get_caller_identity(self.client("sts"))["Arn"]
        return self._arn

    @property
    def account_id(self) -> str:
        """Id of the account that the calls act on."""
        return arn_account(self.arn)

    @property
    def partition(self) -> str:
        """Partition of the session's region, for example ``aws`` or ``aws-us-gov``."""
        return str(self.client("sts").meta.partition)


def credentials_refusal(arn: str, account_id: str) -> str | None:
    """Why a caller cannot work for an account, in one sentence; None when it belongs to it."""
    found = arn_account(arn)
    if found == account_id:
        return None
    return (
        f"The credentials belong to account {found} ({arn}), expected account {account_id}, which account_id names. "
        f"Set assume_role_arn to a role in {account_id}, or use credentials of that account: a profile or keys in the "
        "environment may be other ones than you think. Nothing was looked at or changed."
    )


def role_refusal(role_arn: str, account_id: str) -> str | None:
    """Why a role cannot lead into an account, in one sentence; None when it can, or when its ARN does not tell."""
    found = arn_account(role_arn)
    if not found or account_id in ("", found):
        return None
    return (
        f"The role {role_arn} belongs to account {found}, expected a role in account {account_id}. Correct the role's "
        "ARN or the account's id. The role was not assumed."
    )


def answer_refusal(role_arn: str, answer: Structure, account_id: str = "") -> str | None:
    """Why AssumeRole's answer is not believed, in one sentence; None when it has keys of the account that is meant.

    That is the given account, else the one that the role's ARN names.
    """
    arn = str((answer.get("AssumedRoleUser") or {}).get("Arn"))
    found, expected = arn_account(arn), account_id or arn_account(role_arn)
    if expected in ("", found):
        return None
    return (
        f"AssumeRole for {role_arn} was answered with keys of account {found or 'unknown'} ({arn}), expected account "
        f"{expected}. Something answers in AWS's place: check endpoint_url, AWS_ENDPOINT_URL and the proxy."
    )


def botocore_session(profile: str | None) -> Any:
    """A botocore session that shares what it reads of botocore's data with the others of this process."""
    session = (_made_ahead() if profile is None else None) or botocore.session.Session(profile=profile)
    session.register_component("data_loader", data_loader(session.get_config_variable("data_path")))
    return session


def _made_ahead() -> Any:
    with suppress(IndexError):
        return MADE_AHEAD.pop()
    return None


@cache
def data_loader(path: str | None) -> Any:
    """Reads botocore's data, and the given path's, once."""
    loader = botocore.loaders.create_loader(path)
    loader.list_available_services = partial(Services, loader)
    return loader


@dataclass(frozen=True)
class Services:
    """The services that have a kind of model in botocore's data, such as ``service-2``.

    botocore lists all 430 to find out whether one is among them, which takes as long as reading its model. Here the
    list is made only when it is read.
    """

    loader: Any
    type_name: str  # botocore's name

    def __contains__(self, service: str) -> bool:
        with suppress(BotoCoreError):
            return bool(self.loader.list_api_versions(service, self.type_name))
        return False

    def __iter__(self) -> Iterator[str]:
        return iter(type(self.loader).list_available_services(self.loader, self.type_name))


@cache
def read_ahead() -> None:
    """Read what the clients of every service, and of those that most modules call, need of botocore's data.

    And make a session, which has read nothing of the user's. All that is for the processes forked from this one: it is
    most of what a first client costs. Nothing is called, and no client made.
    """
    loader = data_loader(os.environ.get("AWS_DATA_PATH"))
    for name in OF_ALL_SERVICES:
        loader.load_data(name)
    for service in ("cloudtrail", "organizations", "sts"):
        for model in ("service-2", "endpoint-rule-set-1"):
            loader.load_service_model(service, model)
    MADE_AHEAD.append(botocore.session.Session())


@STSErrorHandler.common_error_handler("assume the role given in assume_role_arn")
@retry_read
def assume_role(client: Client, role: Role) -> Structure:
    """AssumeRole's answer; https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"""
    refuse(role_arn_problem(role.arn, client.meta.region_name, client.meta.partition))
    extra = {"ExternalId": role.external_id} if role.external_id else {}
    answer: Structure = client.assume_role(RoleArn=role.arn, RoleSessionName=role.session_name, **extra)
    return answer


@STSErrorHandler.common_error_handler("get caller identity")
@retry_read
def get_caller_identity(client: Client) -> dict[str, str]:
    """GetCallerIdentity's answer: Account, Arn, UserId."""
    answer: dict[str, str] = client.get_caller_identity()
    return answer
