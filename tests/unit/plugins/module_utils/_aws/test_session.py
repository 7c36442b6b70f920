# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sessions of one process share: botocore's data, read once, and nothing of an account."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws import session
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import AnsibleOrgTrailError, sentence
from botocore.config import Config
from botocore.exceptions import UnknownServiceError
from botocore.loaders import JSONFileLoader, Loader

KEYS = {"aws_access_key_id": "AKIA", "aws_secret_access_key": "secret"}


ROLE = session.Role("arn:aws:iam::111111111111:role/x", "tests")
ASSUMED = {
    "Credentials": {"AccessKeyId": "ASIA", "SecretAccessKey": "secret", "SessionToken": "token"},
    "AssumedRoleUser": {"Arn": "arn:aws:sts::111111111111:assumed-role/x/tests"},
}


def session_with(**settings: Any) -> session.Session:
    return session.Session(session.Connection(region="eu-west-1", **settings))


@pytest.fixture(autouse=True)
def nothing_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in ("AWS_PROFILE", "AWS_DATA_PATH", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    clear()
    yield
    clear()


def clear() -> None:
    session.read_ahead.cache_clear()
    session.data_loader.cache_clear()
    session.MADE_AHEAD.clear()


def test_after_reading_ahead_a_client_reads_only_its_own_service() -> None:
    session.read_ahead()
    read: list[str] = []
    load = JSONFileLoader.load_file

    def note(self: JSONFileLoader, path: str) -> object:
        read.append(path)
        return load(self, path)

    with mock.patch.object(JSONFileLoader, "load_file", note):
        client = session.botocore_session(None).create_client("cloudtrail", "eu-west-1", **KEYS)
        client.can_paginate("list_trails")
    assert {Path(path).parts[-3] for path in read if Path(path).name != "sdk-default-configuration"} == {"cloudtrail"}


def test_the_session_made_ahead_is_used_once_and_for_no_profile(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[profile ours]\nregion = eu-west-1\n")
    session.read_ahead()
    [ahead] = session.MADE_AHEAD
    assert session.botocore_session("ours") is not ahead
    assert session.botocore_session(None) is ahead
    assert session.botocore_session(None) is not ahead


def test_a_client_is_made_without_listing_all_services() -> None:
    with mock.patch.object(Loader, "list_available_services", side_effect=AssertionError("listed")):
        session.read_ahead()
        session.botocore_session(None).create_client("kms", "eu-west-1", **KEYS)


@pytest.mark.parametrize("kind", ["service-2", "paginators-1", "waiters-2", "no-such-model"])
def test_services_are_those_that_botocore_lists(kind: str) -> None:
    ours, theirs = session.data_loader(None).list_available_services(kind), Loader().list_available_services(kind)
    assert list(ours) == theirs
    assert {name: name in ours for name in ("s3", "sts", "cloudtrail", "no-such-service")} == {
        name: name in theirs for name in ("s3", "sts", "cloudtrail", "no-such-service")
    }


def test_an_unknown_service_is_told_as_botocore_does() -> None:
    with pytest.raises(UnknownServiceError, match=r"'no-such-service'. Valid service names are: .*\bs3\b"):
        session.botocore_session(None).create_client("no-such-service", "eu-west-1", **KEYS)


def test_reading_ahead_calls_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULTS_MODE", "auto")  # in which botocore asks the instance's metadata service
    with mock.patch.object(socket.socket, "connect", side_effect=AssertionError("connected")) as connect:
        session.read_ahead()
    connect.assert_not_called()


@pytest.mark.parametrize("profile", [None, "ours"])
def test_the_data_path_of_a_profile_counts(profile: str | None, tmp_path: Path) -> None:
    model = tmp_path / "data" / "example" / "2026-01-01" / "service-2.json"
    model.parent.mkdir(parents=True)
    model.write_text(json.dumps({"metadata": {}}))
    (tmp_path / "config").write_text(f"[profile ours]\ndata_path = {tmp_path / 'data'}\n")
    services = session.botocore_session(profile).get_available_services()
    assert ("example" in services) is (profile == "ours")


def test_the_settings_of_a_profile_count_for_an_assumed_role(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    url = "https://cloudtrail.proxy.example"
    (tmp_path / "config").write_text(
        f"[profile ours]\nendpoint_url = {url}\naws_access_key_id = AKIA\naws_secret_access_key = secret\n"
    )
    monkeypatch.setattr(session, "assume_role", lambda *_: ASSUMED)
    assumed = session_with(profile="ours").assume(ROLE.arn, None)
    client = assumed.client("cloudtrail")
    assert (client.meta.endpoint_url, client._request_signer._credentials.access_key) == (url, "ASIA")
    assert assumed.regional_sts().meta.endpoint_url == url


def test_the_option_profile_counts_and_not_the_one_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text("[profile ours]\nregion = eu-west-1\n")
    monkeypatch.setenv("AWS_PROFILE", "missing")
    assert "eu-west-1" in session_with(profile="ours").known_regions("cloudtrail")


def test_no_option_makes_botocore_send_a_write_twice() -> None:
    given = Config(retries={"mode": "standard", "max_attempts": 5}, read_timeout=7)
    client = session_with(config=given, arguments=KEYS).client("cloudtrail", once=True)
    assert client.meta.config.retries["total_max_attempts"] == 1
    assert client.meta.config.read_timeout == 7


def test_keys_come_from_the_regional_sts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the global one do not work in opt-in regions."""
    monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "legacy")  # the default of older botocore
    asked: list[str] = []

    def assume_role(sts: Any, *_: Any) -> dict[str, Any]:
        asked.append(sts.meta.endpoint_url)
        return ASSUMED

    monkeypatch.setattr(session, "assume_role", assume_role)
    ours = session_with(arguments=KEYS, role=ROLE)
    assert [*asked, ours.regional_sts().meta.endpoint_url] == ["https://sts.eu-west-1.amazonaws.com"] * 2


ME, OTHER = "1" * 12, "2" * 12


def answered(monkeypatch: pytest.MonkeyPatch, arn: str) -> list[str]:
    """Let STS say that the keys are those of an ARN; the calls are noted in the list that is answered."""
    calls: list[str] = []
    credentials: Any = ASSUMED["Credentials"]

    def assume_role(_sts: Any, role: session.Role) -> dict[str, Any]:
        calls.append(role.arn)
        return {"Credentials": credentials, "AssumedRoleUser": {"Arn": arn}}

    def get_caller_identity(_sts: Any) -> dict[str, str]:
        calls.append("GetCallerIdentity")
        return {"Arn": arn}

    monkeypatch.setattr(session, "assume_role", assume_role)
    monkeypatch.setattr(session, "get_caller_identity", get_caller_identity)
    return calls


def test_credentials_of_another_account_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = answered(monkeypatch, f"arn:aws:iam::{OTHER}:user/x")
    with pytest.raises(AnsibleOrgTrailError) as refused:
        session_with(arguments=KEYS, account_id=ME)
    text = sentence(refused.value)
    assert text.startswith(f"The credentials belong to account {OTHER} (arn:aws:iam::{OTHER}:user/x), expected")
    assert f"account {ME}, which account_id names. Set assume_role_arn" in text
    assert calls == ["GetCallerIdentity"]


@pytest.mark.parametrize("kind", ["iam::{}:root", "iam::{}:user/a/b", "sts::{}:assumed-role/r/s"])
def test_the_accounts_credentials_are_looked_at_once(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    calls = answered(monkeypatch, f"arn:aws-cn:{kind.format(ME)}")
    assert session_with(arguments=KEYS, account_id=ME).account_id == ME
    assert calls == ["GetCallerIdentity"]


def test_without_an_expected_account_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = answered(monkeypatch, f"arn:aws:iam::{OTHER}:user/x")
    session_with(arguments=KEYS)
    assert calls == []


def test_a_role_of_another_account_is_not_even_assumed(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = answered(monkeypatch, ASSUMED["AssumedRoleUser"]["Arn"])
    says = f"The role {ROLE.arn} belongs to account {ME}, expected a role in account {OTHER}"
    with pytest.raises(AnsibleOrgTrailError, match=says):
        session_with(arguments=KEYS, role=ROLE, account_id=OTHER)
    assert calls == []
    ours = session_with(arguments=KEYS, role=ROLE, account_id=ME)
    with pytest.raises(AnsibleOrgTrailError, match=says):
        ours.assume(ROLE.arn, None, OTHER)
    assert calls == [ROLE.arn]


@pytest.mark.parametrize("account_id", [ME, ""])
def test_keys_of_another_account_than_the_roles_are_not_used(monkeypatch: pytest.MonkeyPatch, account_id: str) -> None:
    answered(monkeypatch, f"arn:aws:sts::{OTHER}:assumed-role/x/tests")
    with pytest.raises(AnsibleOrgTrailError, match=f"answered with keys of account {OTHER} .*, expected account {ME}"):
        session_with(arguments=KEYS, role=ROLE, account_id=account_id)


OPTIONS = {
    "profile": None,
    "access_key": "AKIA",
    "secret_key": "secret",
    "session_token": None,
    "region": "eu-west-1",
    "endpoint_url": "https://aws.example",
    "validate_certs": True,
    "aws_ca_bundle": "/ca.pem",
    "aws_config": {"read_timeout": 7},
    "account_id": None,
    "assume_role_arn": None,
    "assume_role_external_id": None,
    "assume_role_session_name": "tests",
}


def connection_with(**options: Any) -> session.Connection:
    return session.connection_of(module_with(**options))


def module_with(**options: Any) -> Any:
    """What connection_of needs of a module; ``required`` holds the versions that it asked for."""
    required: dict[str, str] = {}
    return SimpleNamespace(
        params=OPTIONS | options,
        region=None,
        ansible_version="2.17",
        required=required,
        require_boto3_at_least=lambda version: required.update(boto3=version),
        require_botocore_at_least=lambda version: required.update(botocore=version),
    )


def test_older_boto3_and_botocore_are_refused() -> None:
    module = module_with()
    session.connection_of(module)
    assert module.required == {"boto3": "1.35.0", "botocore": "1.35.0"}


def test_the_options_of_a_module_make_its_connection() -> None:
    connection = connection_with()
    assert (connection.region, connection.endpoint, connection.role) == ("us-east-1", "https://aws.example", None)
    assert connection.arguments == {**KEYS, "aws_session_token": None, "verify": "/ca.pem"}
    assert connection.config is not None
    assert connection.config.read_timeout == 7
    assert connection.user_agent == "APN/1.0 Ansible/2.17 cloudsec.org_trail"
    assert "secret" not in repr(connection)


@pytest.mark.parametrize("account_id", ["1218783963", "", "o-1234567890", "１２３４５６７８９０１２"])
def test_an_account_id_is_12_digits(account_id: str) -> None:
    with pytest.raises(AnsibleOrgTrailError, match=f"account_id is '{account_id}', expected 12 digits. Quote"):
        connection_with(account_id=account_id)
    assert connection_with(account_id=ME).account_id == ME
    assert connection_with().account_id == ""


def test_a_role_and_a_profile_are_part_of_the_connection() -> None:
    role = {"assume_role_arn": ROLE.arn, "assume_role_external_id": "x"}
    assert connection_with(**role).role == session.Role(ROLE.arn, "tests", "x")
    connection = connection_with(profile="ours", access_key=None, secret_key=None)
    assert connection.profile == "ours"
    assert "profile_name" not in connection.arguments
