# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sessions of one process share: botocore's data, read once, and nothing of an account."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils import _session
from botocore.loaders import JSONFileLoader

KEYS = {"aws_access_key_id": "AKIA", "aws_secret_access_key": "secret"}


@pytest.fixture(autouse=True)
def nothing_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in ("AWS_PROFILE", "AWS_DATA_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    clear()
    yield
    clear()


def clear() -> None:
    _session.read_ahead.cache_clear()
    _session.data_loader.cache_clear()


def test_after_reading_ahead_a_client_reads_only_its_own_service() -> None:
    _session.read_ahead()
    read: list[str] = []
    load = JSONFileLoader.load_file

    def note(self: JSONFileLoader, path: str) -> object:
        read.append(path)
        return load(self, path)

    with mock.patch.object(JSONFileLoader, "load_file", note):
        client = _session.botocore_session(None).create_client("cloudtrail", "eu-west-1", **KEYS)
        client.can_paginate("list_trails")
    assert {Path(path).parts[-3] for path in read if Path(path).name != "sdk-default-configuration"} == {"cloudtrail"}


def test_reading_ahead_calls_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULTS_MODE", "auto")  # in which botocore asks the instance's metadata service
    with mock.patch.object(socket.socket, "connect", side_effect=AssertionError("connected")) as connect:
        _session.read_ahead()
    connect.assert_not_called()


@pytest.mark.parametrize("profile", [None, "ours"])
def test_the_data_path_of_a_profile_counts(profile: str | None, tmp_path: Path) -> None:
    model = tmp_path / "data" / "example" / "2026-01-01" / "service-2.json"
    model.parent.mkdir(parents=True)
    model.write_text(json.dumps({"metadata": {}}))
    (tmp_path / "config").write_text(f"[profile ours]\ndata_path = {tmp_path / 'data'}\n")
    services = _session.botocore_session(profile).get_available_services()
    assert ("example" in services) is (profile == "ours")
