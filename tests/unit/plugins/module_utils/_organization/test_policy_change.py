# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a policy of the organization to the wanted one: the plan, its order, and writes whose outcome is unknown."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, cast

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import AnsibleOrgTrailError
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.policies import (
    OWNER,
    OrganizationPolicy,
    Situation,
    Wanted,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.policy_change import (
    Changes,
    after,
    ensure_policy,
    option_refusal,
    plan,
    text_of,
)

from tests.canned_aws import CannedSession, client_error

DENY: dict[str, Any] = {"Sid": "Keep", "Effect": "Deny", "Action": "s3:DeleteBucket", "Resource": "*"}
CONTENT: dict[str, Any] = {"Version": "2012-10-17", "Statement": [DENY]}
WANTED = Wanted("guard", "service_control_policy", CONTENT, ("root",), "d", {}, True, True, 4.0, "present")
ABSENT = replace(WANTED, state="absent", content=None, targets=None)
THERE = OrganizationPolicy("p-1", "arn", "d", CONTENT, dict(OWNER), ("r-abcd",))


@pytest.mark.parametrize(
    ("policy", "wanted", "changes"),
    [
        (THERE, WANTED, Changes()),
        (OrganizationPolicy(), WANTED, Changes(create=True, attach=("r-abcd",))),
        (replace(THERE, content={**CONTENT, "Statement": DENY}), WANTED, Changes()),
        (replace(THERE, content={**CONTENT, "Statement": [{**DENY, "Resource": ["*"]}]}), WANTED, Changes()),
        (
            replace(THERE, content={**CONTENT, "Statement": [{**DENY, "Action": "s3:*"}]}),
            WANTED,
            Changes(update={"Content": text_of(CONTENT)}),
        ),
        (replace(THERE, description="other"), WANTED, Changes(update={"Description": "d"})),
        (THERE, replace(WANTED, tags={"Team": "a"}), Changes(tags={"Team": "a"})),
        (replace(THERE, targets=("ou-1",)), WANTED, Changes(attach=("r-abcd",), detach=("ou-1",))),
        (replace(THERE, targets=("ou-1",)), replace(WANTED, purge_targets=False), Changes(attach=("r-abcd",))),
        (THERE, ABSENT, Changes(detach=("r-abcd",), delete=True)),
        (OrganizationPolicy(), ABSENT, Changes()),
    ],
)
def test_plan(policy: OrganizationPolicy, wanted: Wanted, changes: Changes) -> None:
    situation = Situation("r-abcd", "ENABLED", policy)
    targets = ("r-abcd",) if wanted.targets else None
    assert plan(situation, wanted, targets) == changes
    assert plan(Situation("r-abcd", "", policy), wanted, targets) == replace(changes, enable_type=bool(changes.attach))
    done = after(situation, wanted, changes)
    if wanted.state == "present":
        assert plan(Situation("r-abcd", "ENABLED", replace(done, id="p-1")), wanted, targets) == Changes()
    else:
        assert done == OrganizationPolicy()


def test_attachments_are_left_alone_where_none_are_named() -> None:
    assert plan(Situation("r-abcd", "ENABLED", THERE), replace(WANTED, targets=None), None) == Changes()


@pytest.mark.parametrize(
    ("kind", "room", "refused"),
    [
        ("service_control_policy", 0, False),
        ("service_control_policy", 1, True),
        ("resource_control_policy", 0, False),
        ("resource_control_policy", 1, True),
    ],
)
def test_sizes(kind: str, room: int, refused: bool) -> None:
    limit = {"service_control_policy": 10_240, "resource_control_policy": 5_120}[kind]
    principal = {"Principal": "*"} if kind == "resource_control_policy" else {}
    content = {**CONTENT, "Id": "", "Statement": [{**DENY, **principal}]}
    content["Id"] = "x" * (limit - len(text_of(content)) + room)
    assert (option_refusal(replace(WANTED, type=kind, content=content)) is not None) == refused


class Organizations(CannedSession):
    """Policies that answer as AWS does; the given method's first call is lost, before or after it was done."""

    def __init__(self, lost: str = "", done: bool = False, pending: int = 0) -> None:
        self.policy: dict[str, Any] = {}
        self.targets: list[str] = []
        self.lost, self.done, self.pending = lost, done, pending
        reads = {
            "describe_organization": {"Organization": {"Id": "o-1", "FeatureSet": "ALL", "MasterAccountId": "1"}},
            "list_policies": lambda Filter: {"Policies": [self.summary()] if self.policy else []},
            "list_policies_for_target": {"Policies": []},
            "describe_policy": lambda PolicyId: {"Policy": {**self.policy, "PolicySummary": self.summary()}},
            "list_targets_for_policy": lambda PolicyId: {"Targets": [{"TargetId": one} for one in self.targets]},
            "list_tags_for_resource": lambda ResourceId: {"Tags": self.policy["Tags"]},
            "list_roots": self.roots,
            "enable_policy_type": lambda **_given: {},
        }
        writes = {
            "create_policy": self.create,
            "attach_policy": lambda PolicyId, TargetId: self.targets.append(TargetId),
        }
        super().__init__(
            "1", "us-east-1", {**reads, **{name: self.losing(name, write) for name, write in writes.items()}}
        )

    def losing(self, name: str, write: Any) -> Any:
        def call(**parameters: Any) -> Any:
            lost, self.lost = self.lost == name, "" if self.lost == name else self.lost
            answer = None if lost and not self.done else write(**parameters)
            return client_error("InternalFailure", 500) if lost else answer

        return call

    def summary(self) -> dict[str, Any]:
        return {"Id": "p-1", "Arn": "arn", "Name": self.policy["Name"], "Description": self.policy["Description"]}

    def create(self, **given: Any) -> Any:
        self.policy = given
        return {"Policy": {"PolicySummary": self.summary()}}

    def roots(self) -> Any:
        self.pending -= 1
        status = "PENDING_ENABLE" if self.pending >= 0 else "ENABLED"
        return {"Roots": [{"Id": "r-abcd", "PolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": status}]}]}


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("lost", ["", "create_policy", "attach_policy"])
def test_what_is_unknown_is_looked_at(lost: str, done: bool) -> None:
    session = Organizations(lost, done)
    result = ensure_policy(cast(Any, session), WANTED, False, lambda _seconds: None)
    assert (result["changed"], result["targets"], session.targets) == (True, ["r-abcd"], ["r-abcd"])
    assert json.loads(session.policy["Content"]) == CONTENT
    assert {"Key": "ManagedBy", "Value": "cloudsec.org_trail"} in session.policy["Tags"]
    assert not ensure_policy(cast(Any, session), WANTED, False)["changed"]


def test_a_type_that_is_enabled_is_waited_for() -> None:
    waited: list[float] = []
    assert ensure_policy(cast(Any, Organizations(pending=2)), WANTED, False, waited.append)["type_enabled"]
    assert waited == [2.0]
    with pytest.raises(AnsibleOrgTrailError, match="is PENDING_ENABLE after 4 seconds"):
        ensure_policy(cast(Any, Organizations(pending=9)), WANTED, False, lambda _seconds: None)
