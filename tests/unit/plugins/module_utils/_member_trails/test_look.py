# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entering a trail's account, and its state in a word."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails import look
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.look import Look, look_at, state_of

from tests.member_trails import MEMBER, member, trail_of


def test_states() -> None:
    assert [state_of(one) for one in (member(), member(logging=False), None)] == ["logging", "stopped", "absent"]
    assert Look(member().arn).before == "unknown"
    refused = Look(member().arn, action="stopped").refused("No.")
    assert (refused.action, refused.problem) == ("none", "No.")


def test_accounts_are_entered_by_role_but_for_the_callers_own(monkeypatch: Any, tmp_path: Path) -> None:
    entered: list[tuple[Any, ...]] = []

    def client(service: str, region: str, once: bool = False) -> tuple[str, str, bool]:
        return service, region, once

    def assume(*role: Any) -> Any:
        entered.append(role)
        return SimpleNamespace(client=client)

    session: Any = SimpleNamespace(account_id="111111111111", partition="aws", assume=assume, client=client)
    options: Any = SimpleNamespace(
        record_dir=tmp_path,
        role_arn_pattern="arn:{partition}:iam::{account_id}:role/{role_name}",
        role_name="R",
        role_external_id=None,
        state="stopped",
    )
    recorded: list[bool] = []
    monkeypatch.setattr(look, "read_trail", lambda _client, _arn, to_record: recorded.append(to_record))
    seen, there = look_at(session, options, member(region="eu-west-1").arn)
    assert entered == [(f"arn:aws:iam::{MEMBER}:role/R", "", MEMBER)]
    assert seen.there is there
    assert (there.client, there.writer) == (
        ("cloudtrail", "eu-west-1", False),
        ("cloudtrail", "eu-west-1", True),
    )
    assert (seen.now, seen.record, seen.before) == (None, None, "absent")
    options.state = "present"
    look_at(session, options, trail_of("111111111111").arn)
    assert len(entered) == 1
    assert recorded == [True, False]
