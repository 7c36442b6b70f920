# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""organizations_policy, the role guardrails and guard_org_trail.yml against the lab."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.inventory import write_inventory
from tests.ansible_run import PlaybookResult, run_module, run_playbook
from tests.lab_process import MEMBER_ROLE, Lab
from tests.trail_run import make_key

DENY = {"Sid": "KeepMembership", "Effect": "Deny", "Action": "organizations:LeaveOrganization", "Resource": "*"}
CONTENT = {"Version": "2012-10-17", "Statement": [DENY]}
RCP = {"Version": "2012-10-17", "Statement": [{**DENY, "Principal": "*", "Action": "s3:DeleteBucket"}]}
NAME = "org-trail-test"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


def ours(lab: Lab) -> list[str]:
    """Names of the organization's policies that are not AWS's and not the lesson's."""
    organizations = lab.client("organizations")
    kinds = ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY")
    policies = [one for kind in kinds for one in organizations.list_policies(Filter=kind)["Policies"]]
    return sorted(one["Name"] for one in policies if one["Name"].startswith("org-trail"))


def test_organizations_policy(lab: Lab) -> None:
    """The life of a policy: created, repaired, moved, deleted; what is not ours stays."""
    busy = {"operation": "AttachPolicy", "fault": "code:PolicyChangesInProgressException", "nth": 1}
    lab.control("POST", "faults", [busy])
    options: dict[str, Any] = {"name": NAME, "content": CONTENT, "targets": ["Workloads"]}
    lab.clear_journal()
    predicted = run_module(lab, "organizations_policy", options, "--check", "--diff")
    assert (predicted.changed, lab.journal(writes=True), ours(lab)) == (True, [], [])
    made = run_module(lab, "organizations_policy", options, "--diff")
    assert made.changed, made.msg
    assert made["targets"] == predicted["targets"] == made["attached"]
    assert made.diff[0]["after"]["statements"] == {"KeepMembership": DENY} == predicted.diff[0]["after"]["statements"]
    assert made["size"] == {"characters": len(json.dumps(CONTENT, separators=(",", ":"))), "limit": 10_240}
    assert made["policy"]["tags"] == {"ManagedBy": "cloudsec.org_trail"}
    lab.clear_journal()
    again = run_module(lab, "organizations_policy", {**options, "content": {**CONTENT, "Statement": DENY}})
    assert (again.changed, lab.journal(writes=True)) == (False, [])

    organizations, identifier = lab.client("organizations"), made["policy"]["id"]
    organizations.update_policy(PolicyId=identifier, Content=json.dumps({"Statement": {**DENY, "Action": "s3:*"}}))
    moved = run_module(lab, "organizations_policy", {**options, "targets": ["root", lab.log_archive]})
    assert (len(moved["attached"]), moved["detached"], moved["policy"]["content"]) == (2, made["targets"], CONTENT)
    kept = {**options, "purge_targets": False}
    assert len(run_module(lab, "organizations_policy", kept)["targets"]) == 3

    gone = run_module(lab, "organizations_policy", {"name": NAME, "state": "absent"})
    assert (gone.changed, gone["policy"], ours(lab)) == (True, {}, [])
    assert not run_module(lab, "organizations_policy", {"name": NAME, "state": "absent"}).changed


def test_organizations_policy_enables_its_type_and_waits(lab: Lab) -> None:
    lab.control("POST", "options", {"policy_type_propagation_calls": 2})
    options = {"name": f"{NAME}-rcp", "type": "resource_control_policy", "content": RCP, "targets": [lab.log_archive]}
    refused = run_module(lab, "organizations_policy", options)
    assert "The policy type RESOURCE_CONTROL_POLICY is not enabled" in refused.msg
    late = run_module(lab, "organizations_policy", {**options, "enable_type": True, "enable_type_timeout": 0})
    assert "is PENDING_ENABLE after 0 seconds" in late.msg
    made = run_module(lab, "organizations_policy", {**options, "enable_type": True})
    assert (made.changed, made["type_enabled"], made["targets"]) == (True, True, [lab.log_archive]), made.msg
    assert run_module(lab, "organizations_policy", {**options, "state": "absent"}).changed


def test_organizations_policy_leaves_alone_what_is_not_ours(lab: Lab) -> None:
    lab.clear_journal()
    for options, why in (
        ({"name": "DenyLeaveOrganization", "content": CONTENT}, "lacks the tag ManagedBy=cloudsec.org_trail"),
        ({"name": "DenyLeaveOrganization", "state": "absent"}, "lacks the tag ManagedBy=cloudsec.org_trail"),
        ({"name": "FullAWSAccess", "state": "absent"}, "lacks the tag"),
        ({"name": "aws-guardrails-lab", "state": "absent"}, "one of Control Tower's by its name"),
        ({"name": NAME, "content": {"Statement": []}}, "is malformed"),
        ({"name": NAME, "content": {**CONTENT, "Id": "x" * 10_240}}, "characters without white space"),
        ({"name": NAME, "content": CONTENT, "targets": ["Workloads/Nowhere"]}, "which the organization does not have"),
        ({"name": NAME, "content": CONTENT, "targets": ["111111111111"]}, "which the organization does not have"),
    ):
        assert why in run_module(lab, "organizations_policy", options).msg
    member = run_module(lab, "organizations_policy", {"name": NAME, "state": "absent"}, account=lab.log_archive)
    assert "expected its management account" in member.msg
    assert lab.journal(writes=True) == []


def test_organizations_policy_tells_of_a_full_target(lab: Lab) -> None:
    organizations = lab.client("organizations")
    for number in range(9):
        kind = {"Description": "", "Type": "SERVICE_CONTROL_POLICY", "Content": json.dumps(CONTENT)}
        policy = organizations.create_policy(Name=f"other {number}", **kind)["Policy"]["PolicySummary"]["Id"]
        organizations.attach_policy(PolicyId=policy, TargetId=lab.log_archive)
    full = run_module(lab, "organizations_policy", {"name": NAME, "content": CONTENT, "targets": [lab.log_archive]})
    assert "has 10 policies of the type service_control_policy" in full.msg
    assert ours(lab) == []


# --- the role and its playbook ------------------------------------------------------------------------

REPAIR = "OrgTrailRepair"
EVERYTHING = "arn:aws:iam::aws:policy/AdministratorAccess"


class Guarded:
    """A lab with the organization trail, a repair role in the log archive, and the playbooks' variables."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab, self.folder = lab, folder
        lab.control("POST", "options", {"scp_arn_in_denials": True, "policy_type_propagation_calls": 1})
        self.organizations = lab.client("organizations")
        accounts = self.organizations.list_accounts()["Accounts"]
        self.members = [one["Id"] for one in accounts if one["Id"] not in (lab.management, lab.log_archive)]
        self.root = self.organizations.list_roots()["Roots"][0]["Id"]
        self.let_root_users_act()
        iam = lab.client("iam", lab.log_archive)
        trust = {"Effect": "Allow", "Principal": {"AWS": lab.management}, "Action": "sts:AssumeRole"}
        trust_policy = json.dumps({"Version": "2012-10-17", "Statement": trust})
        self.repair = iam.create_role(RoleName=REPAIR, AssumeRolePolicyDocument=trust_policy)["Role"]["Arn"]
        iam.attach_role_policy(RoleName=REPAIR, PolicyArn=EVERYTHING)
        self.own_trails()
        self.key = make_key(lab)
        self.run("enable_org_trail").ok()

    def let_root_users_act(self) -> None:
        """The lesson's own policies would hide what ours do."""
        for policy in self.organizations.list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"]:
            if policy["Name"].startswith("Deny"):
                self.organizations.detach_policy(PolicyId=policy["Id"], TargetId=self.root)

    def own_trails(self) -> None:
        """A trail of its own in each member, and its service-linked role."""
        for member in self.members:
            bucket, arn = f"own-{member}", f"arn:aws:cloudtrail:{self.lab.home_region}:{member}:trail/own"
            s3 = self.lab.client("s3", member)
            s3.create_bucket(Bucket=bucket)
            allow = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}}
            allow |= {"Action": "s3:*", "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]}
            condition = {"StringEquals": {"aws:SourceArn": arn}}
            policy = {"Version": "2012-10-17", "Statement": {**allow, "Condition": condition}}
            s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
            self.lab.client("cloudtrail", member).create_trail(Name="own", S3BucketName=bucket)

    def member_role(self, account: str) -> dict[str, str]:
        return {"id": account, "assume_role_arn": f"arn:aws:iam::{account}:role/{MEMBER_ROLE}"}

    def run(self, playbook: str, *arguments: str, **variables: Any) -> PlaybookResult:
        inventory = write_inventory(self.folder / "inventory.yml", self.lab.ready)
        given = {"coverage_enabled": False, "guardrails_repair_role_arn": self.repair, **variables}
        return run_playbook(
            self.lab, f"playbooks/{playbook}.yml", "-i", str(inventory), "-e", json.dumps(given), *arguments
        )

    def guard(self, *arguments: str, **variables: Any) -> PlaybookResult:
        return self.run("guard_org_trail", *arguments, **variables)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with Lab() as lab:
        yield Guarded(lab, tmp_path_factory.mktemp("guardrails"))


def test_the_playbook(world: Guarded) -> None:
    lab = world.lab
    prove = [world.member_role(account) for account in (*world.members, lab.log_archive)]
    lab.clear_journal()
    locked = world.guard(guardrails_exempt_principal_arns=[])
    assert "would deny s3:PutBucketOwnershipControls, s3:PutBucketPolicy" in locked.msg
    predicted = world.guard("--check").ok()
    assert (lab.journal(writes=True), ours(lab), predicted.changed > 0) == ([], [], True)
    canary = {
        "guardrails_canary": [world.members[0]],
        "guardrails_canary_prove_in_accounts": prove[:1],
        "guardrails_prove_in_accounts": prove,
    }
    world.guard(**canary, guardrails_canary_only=True).ok()
    assert ours(lab) == ["org-trail-members"]
    done = world.guard(**canary).ok()
    assert ours(lab) == ["org-trail-log-archive", "org-trail-members", "org-trail-resources"]
    assert "Proved in " in done.results[-1].msg
    lab.clear_journal()
    again = world.guard(**canary).ok()
    writes = {entry["operation"] for entry in lab.journal(writes=True, service="organizations")}
    assert (again.changed, writes) == (0, set())
    world.guard(guardrails_state="absent").ok()
    assert ours(lab) == []
