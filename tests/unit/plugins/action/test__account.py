# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which account a module is told to work in."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible_collections.cloudsec.org_trail.plugins.action import _account, _direct, cloudtrail_coverage_info

MODULE, COVERAGE = _account.ActionModule, cloudtrail_coverage_info.ActionModule
TEMPLAR = SimpleNamespace(template=lambda value: value)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The arguments that reach Ansible's own action."""
    arguments: list[dict[str, Any]] = []
    monkeypatch.setattr(_direct.ActionModule, "_reason_against", lambda *_: "a test")

    def remember(action: Any, *_: Any) -> dict[str, Any]:
        arguments.append(action._task.args)
        return {}

    monkeypatch.setattr(NormalAction, "run", remember)
    return arguments


def run(kind: Any, arguments: dict[str, Any], delegate: str = "", **variables: Any) -> Any:
    action = kind.__new__(kind)
    action._task = SimpleNamespace(args=arguments, delegate_to=delegate, action="x", async_val=0)
    action._connection, action._templar = SimpleNamespace(transport="ssh"), TEMPLAR
    action._play_context = SimpleNamespace(remote_addr="x")
    hosts = {"localhost": {}, "archive": {"account_id": "2" * 12, "assume_role_arn": "r"}}
    action.run(None, {"hostvars": hosts, "ansible_play_hosts_all": ["archive"], **variables})
    assert action._task.args is arguments
    return action


@pytest.mark.parametrize(
    ("arguments", "delegate", "variables", "account"),
    [
        ({}, "", {"account_id": "1" * 12}, "1" * 12),
        ({}, "", {"account_id": 111122223333}, "111122223333"),
        ({}, "", {"account_id": ""}, ""),  # which the module refuses
        ({}, "", {}, None),
        ({}, "", {"account_id": None}, None),
        ({"account_id": "3" * 12}, "archive", {"account_id": "1" * 12}, "3" * 12),
        ({}, "archive", {"account_id": "1" * 12}, "2" * 12),
        ({}, "archive", {}, "2" * 12),
        ({}, "localhost", {"account_id": "1" * 12}, "1" * 12),
        ({}, "nowhere", {"account_id": "1" * 12}, "1" * 12),
    ],
)
@pytest.mark.parametrize("kind", [MODULE, COVERAGE])
def test_the_module_is_told_its_hosts_account(
    seen: list[dict[str, Any]],
    kind: Any,
    arguments: dict[str, Any],
    delegate: str,
    variables: dict[str, Any],
    account: str | None,
) -> None:
    run(kind, arguments, delegate, **variables)
    assert [one.get("account_id") for one in seen] == [account]


def test_a_host_that_is_an_account_to_ask_is_not_the_one_to_work_in(seen: list[dict[str, Any]]) -> None:
    run(COVERAGE, {"accounts_from_hosts": "yes"}, account_id="1" * 12)
    run(COVERAGE, {"accounts_from_hosts": "yes"}, "archive", account_id="1" * 12)
    assert [one.get("account_id") for one in seen] == [None, "2" * 12]
    assert [one["accounts"][0]["id"] for one in seen] == ["2" * 12] * 2
