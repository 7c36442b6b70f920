# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changing a trail: each call once, again only after a look, and proved."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import AnsibleOrgTrailError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.look import There
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.restore import Call
from ansible_collections.cloudsec.org_trail.plugins.module_utils._member_trails.writer import write_trail

from tests.canned_aws import CannedSession, client_error
from tests.member_trails import MEMBER, basic, member

ARN = member().arn
STOP = Call("StopLogging", {"Name": str(ARN)})


def plan(now: Any) -> list[Call]:
    return [STOP] if now and now.logging else []


class World:
    """A trail whose calls fail as they are told to. does: whether those stop it all the same. late: so many reads later
    it is seen stopped."""

    def __init__(self, *errors: Exception | None, does: bool = True, late: int = 0) -> None:
        self.errors, self.does, self.late = list(errors), does, late
        self.stopped = False
        self.made: list[Call] = []
        self.slept: list[float] = []
        answers: dict[str, Any] = {
            "get_trail": {"Trail": {**member().settings, "HasInsightSelectors": False}},
            "get_trail_status": self.status,
            "get_event_selectors": basic(),
            "list_tags": {"ResourceTagList": [{"TagsList": []}]},
            "stop_logging": self.stop,
        }
        self.session = CannedSession(MEMBER, "us-east-1", answers)

    def stop(self, **_parameters: Any) -> Any:
        error = self.errors.pop(0) if self.errors else None
        self.stopped = self.stopped or self.does or error is None
        return error or {}

    def status(self, **_parameters: Any) -> dict[str, Any]:
        if not self.stopped or self.late > 0:
            self.late -= self.stopped
            return {"IsLogging": True}
        return {"IsLogging": False}

    def run(self) -> Any:
        client: Any = self.session.client("cloudtrail")
        session: Any = self.session
        return write_trail(There(session, client, client), ARN, member(), plan, self.made, self.slept.append)

    @property
    def calls(self) -> int:
        return self.session.called().count("stop_logging")


SERVER_ERROR = client_error("InternalServerError", 500)


@pytest.mark.parametrize(
    ("world", "calls", "slept"),
    [
        (World(), 1, []),
        (World(SERVER_ERROR), 1, [1]),
        (World(SERVER_ERROR, does=False), 2, [1]),
        (World(late=2), 1, [1.0, 2.0]),
    ],
)
def test_a_write_is_made_again_only_when_it_was_not_done(world: World, calls: int, slept: list[float]) -> None:
    assert not world.run().logging
    assert (world.calls, world.slept) == (calls, slept)
    assert world.made == [STOP] * calls


def test_what_is_refused_or_stays_unknown_is_raised() -> None:
    world = World(client_error("AccessDeniedException"), does=False)
    with pytest.raises(AnsibleAWSError):
        world.run()
    assert (world.calls, world.made) == (1, [])
    world = World(SERVER_ERROR, SERVER_ERROR, SERVER_ERROR, does=False)
    with pytest.raises(AnsibleAWSError):
        world.run()
    assert world.calls == 3
    with pytest.raises(AnsibleOrgTrailError, match="StopLogging would be called again"):
        World(late=9).run()


def test_nothing_is_called_for_nothing() -> None:
    session: Any = None
    assert write_trail(There(session, None, None), ARN, None, plan, []) is None
