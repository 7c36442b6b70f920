# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook retire_member_trails.yml against the lab: both steps, what fails of some, and the way back."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.inventory import write_inventory
from tests.ansible_run import PlaybookResult, run_playbook
from tests.lab_process import Lab
from tests.retired_world import MemberTrail, cover, let_days_pass, members

PLAYBOOK = "playbooks/retire_member_trails.yml"
SHOWN = "Show what became of them"


class World:
    """A lab with three redundant trails, one of which belongs to Terraform, and one that is not redundant."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab, self.folder = lab, folder / "records"
        self.inventory = write_inventory(folder / "inventory.yml", lab.ready)
        first, second, owned, keeps = (MemberTrail(lab, account) for account in members(lab)[:4])
        owned.client.add_tags(ResourceId=owned.arn, TagsList=[{"Key": "ManagedBy", "Value": "terraform"}])
        keeps.client.update_trail(Name=keeps.arn, EnableLogFileValidation=True)
        self.first, self.second, self.others = first, second, (owned, keeps)
        cover(lab, members(lab))
        lab.client("cloudtrail").update_trail(Name=lab.trail_arn, EnableLogFileValidation=False)

    def run(self, *flags: str, **variables: Any) -> PlaybookResult:
        self.lab.clear_journal()
        given = {
            "member_trails_record_dir": str(self.folder),
            "organization_trail_enable_log_file_validation": False,
            **variables,
        }
        return run_playbook(self.lab, PLAYBOOK, "-i", str(self.inventory), "-e", json.dumps(given), *flags)

    @property
    def writes(self) -> Counter[str]:
        return Counter(one["operation"] for one in self.lab.journal(service="cloudtrail", writes=True))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with Lab("--accounts", "7") as lab:
        yield World(lab, tmp_path_factory.mktemp("retire"))


def test_both_steps_and_the_way_back(world: World) -> None:
    lab, first, second = world.lab, world.first, world.second
    before = [one.state() for one in (first, second, *world.others)]
    predicted = world.run("--check").ok()
    assert predicted.task(SHOWN)["msg"] == ["2 trails of members: 2 stopped."]
    assert (world.writes, world.folder.exists()) == (Counter(), False)

    lab.control("POST", "members", [{"account": second.account, "region": "eu-west-1", "IsLogging": False}])
    partly = world.run()
    assert partly.rc != 0
    assert partly.msg.startswith("1 of 2 trails of members could not be brought to state=stopped.")
    assert second.arn in partly.msg
    assert world.writes == Counter(StopLogging=1)
    lab.control("DELETE", "members")
    assert world.run(member_trails_except=[first.arn]).ok().task(SHOWN)["msg"] == ["1 trails of members: 1 stopped."]
    let_days_pass(lab, world.folder, first, second)
    both = world.run(member_trails_delete=[first.arn], member_trails_delete_stopped=True)
    assert "are steps of their own, found 2 of them" in both.msg
    world.run(member_trails_delete=[first.arn]).ok()
    assert (world.writes, first.state(), bool(second.state())) == (Counter(DeleteTrail=1), None, True)

    lab.client("cloudtrail").stop_logging(Name=lab.trail_arn)
    blind = world.run(member_trails_delete_stopped=True)
    assert "The trail is not as wanted (logging would change)" in blind.msg
    back = world.run(member_trails_bring_back=[first.arn, second.arn]).ok()
    assert back.task(SHOWN)["msg"] == ["2 trails of members: 1 created, 1 started."]
    lab.client("cloudtrail").start_logging(Name=lab.trail_arn)
    assert [one.state() for one in (first, second, *world.others)] == before


@pytest.mark.full
def test_an_account_that_turns_blind_keeps_its_stopped_trail(world: World) -> None:
    one = world.first
    world.run(member_trails_except=[world.second.arn]).ok()
    let_days_pass(world.lab, world.folder, one)
    world.lab.control("POST", "members", [{"account": one.account, "LatestDeliveryError": "AccessDenied"}])
    refused = world.run(member_trails_delete=[one.arn])
    assert "CloudTrail cannot deliver log files: AccessDenied." in refused.msg
    assert "stays stopped. Run with state=present to start it again." in refused.msg
    assert world.writes == Counter()
    world.run(member_trails_bring_back=[one.arn]).ok()
    assert world.writes == Counter(StartLogging=1)
    world.lab.control("DELETE", "members")
